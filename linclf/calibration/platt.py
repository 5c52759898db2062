"""Platt scaling: a logistic regression on one score for each class."""

import numpy as np
from scipy.special import expit
from sklearn.utils._param_validation import StrOptions

from linclf._types import BoolArray, FloatArray
from linclf.calibration._base import BaseCalibrator, documented
from linclf.calibration._newton import Point, minimise
from linclf.calibration._rows import Rows
from linclf.functional import logsumexp


@documented
class PlattScaling(BaseCalibrator):
    """Probability ``sigmoid(a f + b)`` for two classes; for more, one per class, divided by their sum.

    A logistic regression on the score f, with targets that are not quite 0 and 1: with n+ rows of the
    class and n- others they are ``(n+ + 1) / (n+ + 2)`` and ``1 / (n- + 2)``. So a and b are finite, even
    if a score separates the classes or y has only one class, and extreme probabilities need many rows. The
    log loss for these targets is never above that of a = 1, b = 0; the log loss for the labels may be, by
    design, if the scores were more confident than the targets. A score that is the same in all rows gets
    a = 0.

    With more than two classes, scores are used as they are: each is compared with 0 and not with the other
    scores, as in one-vs-rest. Logits and probabilities are converted to log-odds of each class against the
    rest, ``f_k - logsumexp_{j != k} f_j = log(p_k / (1 - p_k))``; then a = 1, b = 0 is the softmax, and a
    constant added to a row changes nothing.

    Parameters
    ----------
    input : {"scores", "logits", "probabilities"}, default="scores"
        The input of `fit` and `predict_proba`: scores of a ``decision_function`` that each have a meaning
        alone, logits, or probabilities. A probability of 0 counts as the smallest positive one in `fit`,
        clipped to [1e-30, 1e-4].

    Attributes
    ----------
    coef_ : ndarray of shape (1,) or (n_classes,)
        a; a single value for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        b.
    classes_ : ndarray of shape (n_classes,)
        The label of each column.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood
    methods", 1999.
    Lin, Lin & Weng, "A note on Platt's probabilistic outputs for support vector machines", 2007.

    Examples
    --------
    >>> from linclf.calibration import PlattScaling
    >>> calibrator = PlattScaling().fit([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])  # separated
    >>> calibrator.predict_proba([-2.0, 0.0, 2.0]).round(2)
    array([[0.79, 0.21],
           [0.5 , 0.5 ],
           [0.21, 0.79]])
    """

    coef_: FloatArray
    intercept_: FloatArray
    _parameter_constraints: dict = {"input": [StrOptions({"scores", "logits", "probabilities"})]}

    def __init__(self, *, input: str = "scores") -> None:
        self.input = input

    def _parameters(self, rows: Rows) -> dict[str, FloatArray | float]:
        scores = self._one_vs_rest(rows.scores)
        first = 1 if scores.shape[1] == 1 else 0
        found = [
            _logistic(column, rows.target == k, rows.weights, rows.total)
            for k, column in enumerate(scores.T, start=first)
        ]
        coef, intercept = np.array(found).T
        return {"coef_": coef, "intercept_": intercept}

    def _mapped(self, scores: FloatArray) -> FloatArray:
        z = self.coef_ * self._one_vs_rest(scores) + self.intercept_
        if z.shape[1] == 1:
            return np.column_stack([np.zeros(len(z)), z])
        return -np.logaddexp(0, -z)  # the softmax of log-sigmoids is their shares

    def _one_vs_rest(self, scores: FloatArray) -> FloatArray:
        """One column for two classes, else a separate score for each class."""
        if scores.shape[1] == 2:
            return scores[:, 1:] - scores[:, :1]
        return scores if self.input == "scores" else log_odds(scores)


def log_odds(scores: FloatArray) -> FloatArray:
    """``f_k - logsumexp_{j != k} f_j``, without cancellation."""
    f = scores - scores.max(axis=1, keepdims=True)
    first, rows = f.argmax(axis=1), np.arange(len(f))
    e = np.exp(f)
    rest = e.copy()
    rest[rows, first] = 0
    small = np.log1p(np.maximum(rest.sum(axis=1, keepdims=True) - rest, 0))  # relative to the first
    odds = f - small
    f[rows, first] = -np.inf
    odds[rows, first] = -logsumexp(f, axis=1)
    return odds


def _logistic(f: FloatArray, positive: BoolArray, weights: FloatArray, total: float) -> tuple[float, float]:
    """The (a, b) with the smallest log loss for Platt's targets."""
    count = total * (weights @ positive)
    target = np.where(positive, (count + 1) / (count + 2), 1 / (total - count + 2))
    rest = np.where(positive, 1 / (count + 2), (total - count + 1) / (total - count + 2))
    size = np.abs(f).max()
    size = size if size > 0 else 1.0
    mean = weights @ (f / size)
    spread = np.sqrt(weights @ (f / size - mean) ** 2)
    if spread <= 1e-15:  # the same score everywhere
        spread, z = 1.0, np.zeros_like(f)
    else:
        z = (f / size - mean) / spread

    def function(x: FloatArray) -> Point:
        u = x[0] * z + x[1]
        p = expit(u)
        residual, curvature = weights * (p - target), weights * p * (1 - p)
        H = np.array([[curvature @ z**2, curvature @ z], [curvature @ z, curvature.sum()]])
        value = weights @ (np.logaddexp(0, u) - target * u)
        return Point(value, np.array([residual @ z, residual.sum()]), H.__matmul__, H.diagonal())

    prior_odds = (weights @ target) / (weights @ rest)
    slope, intercept = minimise(function, np.array([0.0, np.log(prior_odds)]))
    return slope / spread / size, intercept - slope * mean / spread
