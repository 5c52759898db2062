"""Vector scaling: a slope and an intercept for each class."""

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
class VectorScaling(ShrunkCalibrator):
    """Probabilities ``softmax(v * f + b)`` with a slope v and an intercept b for each class.

    Minimises ``sum_i w_i log_loss_i + s (alpha/2 |v T - 1|^2 + alpha_intercept/2 |b|^2)``, with T that of
    `TemperatureScaling`, fitted first, and s the `shrinkage`. At ``v = 1/T, b = 0`` the penalty is 0, so the
    log loss on the fitted rows is never above that of temperature scaling or of the uncalibrated scores. The
    loss is a sum over rows, so the penalty counts as much as a few rows and fades as rows are added. Held-out
    rows decide how strong it is; with few rows the result stays close to temperature scaling. A class without
    rows keeps nearly the slope ``1/T``, and gets an intercept as low as the penalty allows.

    Scores are first centred in each row, because adding a constant to all of them changes nothing.
    Logarithms of probabilities are not centred.

    Parameters
    ----------
    {shrinkage}
    alpha : float >= 0, default=50.0
        Penalty on the deviation of slopes from ``1/T``.
    alpha_intercept : float >= 0, default=5.0
        Penalty on intercepts. At the optimum the expected number of rows of a class differs from the
        true number by ``shrinkage * alpha_intercept * b``.
    {input}

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes,)
        v.
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
    Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.calibration import VectorScaling
    >>> rng = np.random.default_rng(0)
    >>> f = rng.standard_normal((10_000, 3))
    >>> y = (f + rng.gumbel(size=f.shape)).argmax(axis=1)  # labels drawn from softmax(f)
    >>> calibrator = VectorScaling().fit(f + [0.0, 0.0, 2.0], y)  # and scores that favour class 2
    >>> calibrator.intercept_.round(1)
    array([ 0.6,  0.7, -1.3])
    >>> few = VectorScaling().fit(f[:30], y[:30])  # these favour none, and few rows do not change that
    >>> few.intercept_.round(2)
    array([ 0.04,  0.02, -0.06])
    """

    coef_: FloatArray
    intercept_: FloatArray
    _parameter_constraints: dict = {
        **ShrunkCalibrator._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        shrinkage: str | float = "auto",
        alpha: float = 50.0,
        alpha_intercept: float = 5.0,
        input: str = "scores",
    ) -> None:
        self.shrinkage = shrinkage
        self.alpha = alpha
        self.alpha_intercept = alpha_intercept
        self.input = input

    def _penalty(self, n_classes: int) -> FloatArray:
        return np.repeat([float(self.alpha), self.alpha_intercept], n_classes)

    @staticmethod
    def _moved(g: FloatArray, x: FloatArray) -> FloatArray:
        K = g.shape[1]
        return g + x[:K] * g + x[K:]

    @staticmethod
    def _objective(g: FloatArray, rows: Rows, penalty: FloatArray) -> Callable[[FloatArray], Point]:
        """With ``v = (1 + x[:K]) / T, b = x[K:]``."""
        n, K = g.shape
        own, squares = (np.arange(n), rows.target), g**2
        weights = rows.weights[:, None]

        def function(x: FloatArray) -> Point:
            logarithms = log_softmax(VectorScaling._moved(g, x))
            p = np.exp(logarithms)
            residual = weights * p
            residual[own] -= rows.weights

            def product(step: FloatArray) -> FloatArray:
                moved = step[:K] * g + step[K:]
                moved -= np.einsum("ij,ij->i", p, moved)[:, None]
                moved *= weights * p
                return np.append(np.einsum("ij,ij->j", moved, g), moved.sum(axis=0)) + penalty * step

            value = float(-rows.weights @ logarithms[own] + penalty @ x**2 / 2)
            gradient = np.append(np.einsum("ij,ij->j", residual, g), residual.sum(axis=0)) + penalty * x
            spread = weights * p * (1 - p)
            diagonal = np.append(np.einsum("ij,ij->j", spread, squares), spread.sum(axis=0)) + penalty
            return Point(value, gradient, product, diagonal)

        return function

    @staticmethod
    def _attributes(x: FloatArray, temperature: float, n_classes: int) -> dict[str, FloatArray | float]:
        return {"coef_": (1 + x[:n_classes]) / temperature, "intercept_": x[n_classes:]}

    def _mapped(self, scores: FloatArray) -> FloatArray:
        return self.coef_ * self._coordinates(scores) + self.intercept_
