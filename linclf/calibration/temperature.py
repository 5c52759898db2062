"""Temperature scaling: one number for how confident the scores may be."""

import warnings
from collections.abc import Callable
from numbers import Real
from typing import cast

import numpy as np
from scipy.optimize import brentq
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval

from linclf._types import FloatArray
from linclf.calibration._base import BaseCalibrator, documented
from linclf.calibration._rows import Rows
from linclf.functional import softmax

EPS, TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
# the uncalibrated scores count as this many rows. Of values from 0 to 16, 4 to 16 gave the least log loss on
# other rows after calibration on 10 to 50 rows; with 160 rows there was no difference
ALPHA = 5.0
# beta if scores are no better than chance: visibly uniform, but still in the order of the scores
LEAST = 1e-6
# slope of the log loss by log T that counts as 0: if scores separate the classes it only tends to 0
FLAT = 1e-13


@documented
class TemperatureScaling(BaseCalibrator):
    """Probabilities ``softmax(f / T)``, with one T > 0 for all rows.

    Minimises ``sum_i w_i log_loss_i + alpha * D``, with D the weighted mean of the Kullback-Leibler
    divergence of ``softmax(f_i / T)`` from ``softmax(f_i)``. This penalty acts as alpha more rows, whose
    labels follow the uncalibrated scores. It is 0 at T = 1, so the log loss on the fitted rows is never above
    that of the uncalibrated scores. It fades as rows are added, and matters if there are few: then the true
    class often comes first in all of them, and without it the best T is 0, which makes the first mistake
    infinitely bad.

    The objective is convex in ``1 / T``, and the order of the classes never changes. If all scores of each
    row are equal, T = 1. With ``alpha=0``, scaling the scores scales T; scores no better than chance get a T
    so large that all classes are equally probable; and if the true class comes first in every row, T is so
    small that the loss is about 1e-14, with a ConvergenceWarning.

    Parameters
    ----------
    alpha : float >= 0, default=5.0
        The number of rows that the uncalibrated scores count as.
    {input}

    Attributes
    ----------
    temperature_ : float > 0
        T; above 1 if the scores were overconfident.
    classes_ : ndarray of shape (n_classes,)
        The label of each column.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", 2017.

    Examples
    --------
    >>> from linclf.calibration import TemperatureScaling
    >>> scores, y = [[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]], [0, 0, 0, 1, 1]
    >>> calibrator = TemperatureScaling(alpha=0).fit(scores, y)  # sure of 98 %, and right in 4 of 5 rows
    >>> round(calibrator.temperature_, 4)
    2.8854
    >>> calibrator.predict_proba([[4.0, 0.0]])
    array([[0.8, 0.2]])
    >>> calibrator = TemperatureScaling().fit(200 * scores, 200 * y)  # of 1,000 rows
    >>> calibrator.predict_proba([[4.0, 0.0]]).round(3)
    array([[0.801, 0.199]])
    """

    temperature_: float
    _parameter_constraints: dict = {
        **BaseCalibrator._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, alpha: float = ALPHA, input: str = "scores") -> None:
        self.alpha = alpha
        self.input = input

    def _parameters(self, rows: Rows) -> dict[str, FloatArray | float]:
        return {"temperature_": fitted_temperature(rows, self.alpha)}

    def _mapped(self, scores: FloatArray) -> FloatArray:
        return tempered(scores, self.temperature_)


def tempered(scores: FloatArray, temperature: float) -> FloatArray:
    """``f / T`` minus the largest of each row, so that only infinite gaps overflow."""
    return (scores - scores.max(axis=1, keepdims=True)) / temperature


def fitted_temperature(rows: Rows, alpha: float = ALPHA) -> float:
    """The T of `TemperatureScaling` for the rows."""
    gaps = tempered(rows.scores, 1.0)
    size = -gaps.min()
    if size == 0:
        return 1.0
    gaps /= size  # the largest gap is 1, so nothing below depends on the scale of the scores
    own = np.take_along_axis(gaps, rows.target[:, None], axis=1)[:, 0]
    share = alpha / rows.total

    def expected(beta: float) -> FloatArray:
        return np.einsum("ij,ij->i", softmax(beta * gaps), gaps)

    stated = expected(size) if alpha else own

    def slope(log_beta: float) -> float:
        """Derivative of the objective by log(beta), for ``softmax(beta * gaps)``; T is ``size / beta``."""
        beta = np.exp(log_beta)
        found = expected(beta)
        return beta * (rows.weights @ (found - own) + share * (rows.weights @ (found - stated)))

    beta, flat = _root(slope, min(LEAST, size))
    if flat and not alpha:
        warnings.warn(
            "the true class comes first in every row, so that no temperature is low enough; alpha > 0 keeps "
            "it from 0 if there are few rows",
            ConvergenceWarning,
            stacklevel=2,
        )
    return float(max(size / beta, TINY))


def _root(slope: Callable[[float], float], least: float) -> tuple[float, bool]:
    """The beta at which a slope passes 0 from below, at least ``least``, and whether it is flat there."""
    low, high = np.log(least), 0.0
    if slope(high) >= 0:
        if slope(low) >= 0:
            return least, False
        while slope(high - 1) >= 0:
            high -= 1
        return np.exp(_zero(slope, high - 1)), False
    while (rise := slope(high + 1)) < -FLAT:
        high += 1
    if rise < 0:
        return np.exp(high + 1), True
    return np.exp(_zero(slope, high)), False


def _zero(slope: Callable[[float], float], low: float) -> float:
    """The zero of a slope between ``low`` and ``low + 1``."""
    return cast("float", brentq(slope, low, low + 1, xtol=1e-14, rtol=4 * EPS))
