"""Dirichlet calibration (matrix scaling on logits): every class may correct every other."""

from collections.abc import Callable
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._types import FloatArray
from linclf.calibration._base import documented
from linclf.calibration._newton import Point
from linclf.calibration._rows import Rows
from linclf.calibration._shrunk import ShrunkCalibrator
from linclf.functional import log_softmax


@documented
class DirichletCalibration(ShrunkCalibrator):
    """Probabilities ``softmax(A log p + b)``, with off-diagonal and intercept regularisation (ODIR).

    On scores f it is matrix scaling, ``softmax(A f + b)``. Minimises ::

        sum_i w_i log_loss_i + s (alpha/2 sum_i (T A_ii - 1)^2 + odir K / 2 sum_{i != j} (T A_ij)^2
                                  + alpha_intercept/2 |b|^2)

    with T that of `TemperatureScaling`, fitted first, and s the `shrinkage`. At ``A = I/T, b = 0`` the
    penalty is 0, so the log loss on the fitted rows is never above that of temperature scaling or of the
    uncalibrated scores. The loss is a sum over rows, so the penalty counts as much as a few rows and fades as
    rows are added. The factor K keeps the K - 1 off-diagonal terms of a class as small in sum for many
    classes as for few. Held-out rows decide how strong the penalty is; with few rows the result stays close
    to temperature scaling.

    Scores are first centred in each row, because adding a constant to all of them changes nothing.
    Logarithms of probabilities are not centred; for two classes that is beta calibration.

    Parameters
    ----------
    {shrinkage}
    odir : float >= 0, default=10.0
        Penalty on the entries of A off the diagonal, times the number of classes.
    alpha : float >= 0, default=50.0
        Penalty on the deviation of the diagonal from ``1/T``.
    alpha_intercept : float >= 0, default=5.0
        Penalty on intercepts. At the optimum the expected number of rows of a class differs from the
        true number by ``shrinkage * alpha_intercept * b``.
    {input}

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes, n_classes)
        A.
    intercept_ : ndarray of shape (n_classes,)
        b.
    shrinkages_ : ndarray of shape (n_strengths,)
        The factors of the penalties that were tried.
    shrinkage_weights_ : ndarray of shape (n_strengths,)
        Their weights in the average; with ``shrinkage="auto"`` the first is that of the temperature
        alone.
    classes_ : ndarray of shape (n_classes,)
        The label of each column.

    References
    ----------
    Kull, Perello-Nieto, Kaengsepp, Silva Filho, Song & Flach, "Beyond temperature scaling: obtaining
    well-calibrated multiclass probabilities with Dirichlet calibration", 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.calibration import DirichletCalibration
    >>> rng = np.random.default_rng(0)
    >>> p = rng.dirichlet([1.0, 1.0, 1.0], size=50_000)
    >>> f = np.log(p) @ [[1.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.5, 1.0]]  # 1 and 2 help each other
    >>> y = (f + rng.gumbel(size=f.shape)).argmax(axis=1)  # labels drawn from softmax(f)
    >>> calibrator = DirichletCalibration(input="probabilities").fit(p, y)
    >>> (calibrator.coef_ - calibrator.coef_[0]).round(1)  # a number added to a column means nothing
    array([[ 0. ,  0. ,  0. ],
           [-1. ,  1. ,  0.5],
           [-1. ,  0.5,  1. ]])
    """

    coef_: FloatArray
    intercept_: FloatArray
    _parameter_constraints: dict = {
        **ShrunkCalibrator._parameter_constraints,
        "odir": [Interval(Real, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        shrinkage: str | float = "auto",
        odir: float = 10.0,
        alpha: float = 50.0,
        alpha_intercept: float = 5.0,
        input: str = "scores",
    ) -> None:
        self.shrinkage = shrinkage
        self.odir = odir
        self.alpha = alpha
        self.alpha_intercept = alpha_intercept
        self.input = input

    def _penalty(self, n_classes: int) -> FloatArray:
        penalty = np.full((n_classes, n_classes + 1), float(self.odir) * n_classes)
        np.fill_diagonal(penalty, self.alpha)
        penalty[:, n_classes] = self.alpha_intercept
        return penalty.ravel()

    @staticmethod
    def _moved(g: FloatArray, x: FloatArray) -> FloatArray:
        K = g.shape[1]
        change = x.reshape(K, K + 1)
        return g + g @ change[:, :K].T + change[:, K]

    @staticmethod
    def _objective(g: FloatArray, rows: Rows, penalty: FloatArray) -> Callable[[FloatArray], Point]:
        """With ``A = (I + D) / T``, and x the rows of ``[D | b]``."""
        n, K = g.shape
        columns = np.column_stack([g, np.ones(n)])
        own, squares = (np.arange(n), rows.target), columns**2
        weights, penalty = rows.weights[:, None], penalty.reshape(K, K + 1)

        def function(x: FloatArray) -> Point:
            change = x.reshape(K, K + 1)
            logarithms = log_softmax(g + columns @ change.T)
            p = np.exp(logarithms)
            residual = weights * p
            residual[own] -= rows.weights

            def product(step: FloatArray) -> FloatArray:
                step = step.reshape(K, K + 1)
                moved = columns @ step.T
                moved -= np.einsum("ij,ij->i", p, moved)[:, None]
                moved *= weights * p
                return (moved.T @ columns + penalty * step).ravel()

            value = float(-rows.weights @ logarithms[own] + np.sum(penalty * change**2) / 2)
            gradient = residual.T @ columns + penalty * change
            diagonal = (weights * p * (1 - p)).T @ squares + penalty
            return Point(value, gradient.ravel(), product, diagonal.ravel())

        return function

    @staticmethod
    def _attributes(x: FloatArray, temperature: float, n_classes: int) -> dict[str, FloatArray | float]:
        found = x.reshape(n_classes, n_classes + 1)
        coef = (np.eye(n_classes) + found[:, :n_classes]) / temperature
        return {"coef_": coef, "intercept_": found[:, n_classes].copy()}

    def _mapped(self, scores: FloatArray) -> FloatArray:
        return self._coordinates(scores) @ self.coef_.T + self.intercept_
