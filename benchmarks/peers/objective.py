"""The exact objective of a fitted model, in float64 NumPy and independent of the measured packages.

F(W, b) = mean of the losses of W x + b, plus alpha/2 * |W|^2; the intercept b is free. Two classes
have one row of W, as in scikit-learn.
"""

import numpy as np
from scipy.special import logsumexp

from benchmarks.data.dataset import Rows

ROWS_AT_ONCE = 4096  # so that there is never a float64 copy of all of X


def objective(loss: str, W: np.ndarray, b: np.ndarray, X: Rows, y: np.ndarray, alpha: float) -> float:
    """F for labels y in 0, 1, ..., n_classes - 1 and a loss in ``LOSSES``."""
    W, b = np.atleast_2d(np.asarray(W, np.float64)), np.ravel(np.asarray(b, np.float64))
    total = 0.0
    for start in range(0, len(y), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        total += LOSSES[loss](_scores(W, b, X[rows]), y[rows]).sum()
    return float(total / len(y) + alpha / 2 * np.sum(W**2))


def at_zero(loss: str, n_classes: int) -> float:
    """F at zero weights."""
    n_rows = 1 if n_classes == 2 else n_classes
    return float(LOSSES[loss](np.zeros((1, n_rows)), np.zeros(1, int))[0])


def accuracy(W: np.ndarray, b: np.ndarray, X: Rows, y: np.ndarray) -> float:
    """Share of the rows whose largest score is that of their class."""
    scores = _scores(np.atleast_2d(np.asarray(W, np.float64)), np.ravel(b), X)
    predicted = scores.argmax(axis=1) if scores.shape[1] > 1 else (scores[:, 0] > 0).astype(int)
    return float(np.mean(predicted == y))


def _scores(W: np.ndarray, b: np.ndarray, X: Rows) -> np.ndarray:
    return X.astype(np.float64) @ W.T + b


def _softmax(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    if scores.shape[1] == 1:
        return np.logaddexp(0, -signs(scores, y)[:, 0] * scores[:, 0])
    return logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]


def _squared_one_vs_rest(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (np.maximum(0, 1 - signs(scores, y) * scores) ** 2).sum(axis=1)


def _squared_weston_watkins(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (np.maximum(0, _beside_true(scores, y)) ** 2).sum(axis=1) - 1  # that of the true class itself


def _weston_watkins(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(0, _beside_true(scores, y)).sum(axis=1) - 1


def _crammer_singer(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    margins = _beside_true(scores, y)
    margins[np.arange(len(y)), y] = 0
    return np.maximum(0, margins.max(axis=1))


def _beside_true(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each score minus that of the true class, plus the margin of 1; it is 1 for the true class itself."""
    if scores.shape[1] == 1:
        scores = np.hstack([-scores, scores]) / 2
    return 1 + scores - scores[np.arange(len(y)), y][:, None]


def signs(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """+1 for the true class, -1 for the others; with one column, class 1 is the positive one."""
    n_columns = scores.shape[1]
    truth = y[:, None] == (np.arange(n_columns) if n_columns > 1 else 1)
    return np.where(truth, 1.0, -1.0)


LOSSES = {
    "softmax": _softmax,
    "squared-one-vs-rest": _squared_one_vs_rest,
    "squared-weston-watkins": _squared_weston_watkins,
    "weston-watkins": _weston_watkins,
    "crammer-singer": _crammer_singer,
}
