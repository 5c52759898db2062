"""Vector scaling: a slope and an intercept for each class."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._types import FloatArray
from linclf.calibration._base import BaseCalibrator, documented
from linclf.calibration._newton import Point, minimise
from linclf.calibration._rows import Rows, centred
from linclf.calibration.temperature import fitted_temperature
from linclf.functional import log_softmax


@documented
class VectorScaling(BaseCalibrator):
    """Probabilities ``softmax(v * f + b)`` with a slope v and an intercept b for each class.

    Minimises ``sum_i w_i log_loss_i + alpha/2 |v T - 1|^2 + alpha_intercept/2 |b|^2``, with T that of
    `TemperatureScaling`, fitted first. At ``v = 1/T, b = 0`` the penalty is 0, so the log loss on the
    fitted rows is never above that of temperature scaling, nor of the scores as they are. The penalty
    is on the sum: it counts as a few rows do, and fades as rows are added. With fewer
    than about 10 rows a class the defaults come close to temperature scaling, and temperature scaling itself
    is better still. The penalty keeps v and b finite even if y lacks a class or the scores separate the
    classes.

    Scores are centred in each row first, since a constant added to all of them means nothing.
    Logarithms of probabilities are used as they are.

    Parameters
    ----------
    alpha : float >= 0, default=50.0
        Penalty on slopes that are not those of the temperature.
    alpha_intercept : float >= 0, default=5.0
        Penalty on intercepts. At the optimum the expected number of rows of a class differs from the
        true one by ``alpha_intercept * b``.
    {input}

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes,)
        v.
    intercept_ : ndarray of shape (n_classes,)
        b.
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
    array([ 0.5,  0.6, -1.1])
    """

    coef_: FloatArray
    intercept_: FloatArray
    _parameter_constraints: dict = {
        **BaseCalibrator._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, alpha: float = 50.0, alpha_intercept: float = 5.0, input: str = "scores") -> None:
        self.alpha = alpha
        self.alpha_intercept = alpha_intercept
        self.input = input

    def _parameters(self, rows: Rows) -> dict[str, FloatArray | float]:
        temperature = fitted_temperature(rows)
        g = self._coordinates(rows.scores) / temperature
        n, K = g.shape
        own, squares = (np.arange(n), rows.target), g**2
        weights = rows.weights[:, None]
        penalty = np.repeat([self.alpha, self.alpha_intercept], K) / rows.total

        def function(x: FloatArray) -> Point:
            """The weighted mean loss at ``v = (1 + x[:K]) / T, b = x[K:]``."""
            logarithms = log_softmax(g + x[:K] * g + x[K:])
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

        x = minimise(function, np.zeros(2 * K))
        return {"coef_": (1 + x[:K]) / temperature, "intercept_": x[K:]}

    def _mapped(self, scores: FloatArray) -> FloatArray:
        return self.coef_ * self._coordinates(scores) + self.intercept_

    def _coordinates(self, scores: FloatArray) -> FloatArray:
        return centred(scores) if self.input == "scores" else scores
