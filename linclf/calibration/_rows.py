"""What a calibrator is given: scores, labels and weights, checked once.

Inside, scores are float64 of shape (n, K) with a column for each class, also for two classes, where one
score f stands for the pair (0, f). Weights sum to 1; their sum before that, a number of rows, is kept.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, column_or_1d

from linclf._validation import encode, positive_rows
from linclf.functional._inputs import as_floats

# of a probability of 0: beyond what float32 tells from it, and a loss of 69 for a row that was ruled out
FLOOR = 1e-30
# products of scores and slopes must not overflow
LARGEST = 1e100


class Rows(NamedTuple):
    """Scores (n, K), the class of each row, its share of the weight, and the sum of the weights."""

    scores: np.ndarray
    target: np.ndarray
    weights: np.ndarray
    total: float


def checked(scores, y, sample_weight, classes, kind):
    """`Rows` without those of weight 0, and the classes of the columns."""
    scores = as_scores(scores, kind)
    y = _check_y(column_or_1d(y, warn=True))
    check_classification_targets(y)
    scores, y, weights = positive_rows(scores, y, sample_weight)
    given = classes is not None
    classes = column_or_1d(classes) if given else np.unique(y)
    if given and len(np.unique(classes)) < len(classes):
        raise ValueError(
            f"classes={classes.tolist()!r} names a class twice; each column of scores has its own"
        )
    if len(classes) != scores.shape[1]:
        found = "classes" if given else "y"
        raise ValueError(
            f"scores are for {scores.shape[1]} classes, and {found} has {len(classes)} (as in "
            f"{classes[:5].tolist()!r}): name the class of each column with classes=, also those that y lacks"
        )
    order = np.argsort(classes)
    target = order[encode(y, classes[order])]
    total = weights.sum()
    return Rows(scores, target, weights / total, total), classes


def as_scores(scores, kind):
    """Scores as float64 of shape (n, K); of probabilities the logarithms."""
    values = as_floats(scores, "scores")
    if values.ndim == 0 or values.ndim > 2 or values.shape[1:] in {(0,), (1,)} or not len(values):
        raise ValueError(
            f"scores has shape {values.shape}: pass (n_samples, n_classes), or (n_samples,) for two classes, "
            "with at least one row"
        )
    values = values.astype(np.float64)
    wrong = ~(np.abs(values) <= LARGEST)
    if wrong.any():
        raise ValueError(
            f"scores contains {values[wrong][0]}; calibration needs finite scores, of {LARGEST:.0e} at most"
        )
    if kind == "probabilities":
        return _logarithms(values)
    return values if values.ndim == 2 else np.column_stack([np.zeros_like(values), values])


def _logarithms(p):
    if p.ndim == 1:
        p = np.column_stack([1 - p, p])
    sums = p.sum(axis=1)
    wrong = np.flatnonzero(~((p >= 0).all(axis=1) & (np.abs(sums - 1) <= 1e-4)))
    if wrong.size:
        raise ValueError(
            f"scores with input='probabilities': row {wrong[0]} is {p[wrong[0]]} (sum {sums[wrong[0]]:.6g}), "
            "and each must be non-negative and sum to 1; use input='scores' for other numbers"
        )
    return np.log(np.maximum(p, FLOOR))


def centred(scores):
    """Scores with a mean of 0 in each row: a constant added to a row means nothing to a softmax."""
    largest = scores.max(axis=1, keepdims=True)  # first, so that equal scores become 0 exactly
    gaps = scores - largest
    return gaps - gaps.mean(axis=1, keepdims=True)
