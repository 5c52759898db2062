"""Input of a calibrator: scores, labels and weights, checked once.

Internally, scores are float64 of shape (n, K) with a column for each class, also for two classes: one
score f stands for the pair (0, f). Weights are scaled to sum to 1; their original sum, a number of rows,
is kept.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import column_or_1d

from linclf._data.labels import check_targets, index_of, labels_of
from linclf._data.weights import positive_rows
from linclf._types import FloatArray, IntArray, LabelArray
from linclf.functional._inputs import as_floats

# a probability of 0 becomes the smallest positive one in fit, clipped to these bounds. The leaf shares of a
# forest go down to about 1e-3, and its zeros mean nothing smaller: log loss after calibration was .89 with
# 1e-4 and 1.36 with 1e-30. Naive Bayes goes down to 1e-300: that gave .48, and 1e-30 gave .42
FLOORS = 1e-30, 1e-4
# products of scores and slopes must not overflow
LARGEST = 1e100


class Rows(NamedTuple):
    """Scores (n, K), the column of each row's class, its share of the weight, and the sum of the weights.

    ``classes`` are the labels of the columns; smaller probabilities are replaced by ``floor``.
    """

    scores: FloatArray
    target: IntArray
    weights: FloatArray
    total: float
    classes: LabelArray
    floor: float


def checked(
    scores: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, classes: ArrayLike | None, kind: str
) -> Rows:
    """The arguments as `Rows`, without rows of weight 0."""
    values = as_matrix(scores, kind)
    labels = check_targets(labels_of(y))
    values, labels, weights = positive_rows(values, labels, sample_weight)[:3]
    check_counts(sample_weight)
    columns = _columns_of(labels, values.shape[1]) if classes is None else column_or_1d(classes)
    if classes is not None and len(np.unique(columns)) < len(columns):
        raise ValueError(
            f"classes={columns.tolist()!r} names a class twice; each column of scores has its own"
        )
    if len(columns) != values.shape[1]:
        found = "y" if classes is None else "classes"
        raise ValueError(
            f"scores are for {values.shape[1]} classes, and {found} has {len(columns)} (as in "
            f"{columns[:5].tolist()!r}): name the class of each column with classes=, also those that y "
            f"lacks, or number the classes from 0 to {values.shape[1] - 1}"
        )
    order = np.argsort(columns)
    target = order[index_of(labels, columns[order])]
    total = weights.sum()
    floor = FLOORS[0]
    if kind == "probabilities":
        floor = max(floor, float(values.min(initial=FLOORS[1], where=values > 0)))
        values = np.log(np.maximum(values, floor))
    return Rows(values, target, weights / total, total, columns, floor)


def _columns_of(labels: LabelArray, n_columns: int) -> LabelArray:
    """The classes in y, or column indices if y lacks classes and its integers are valid indices."""
    found = np.unique(labels)
    few = 0 < len(found) < n_columns
    if few and found.dtype.kind in "iu" and found[0] >= 0 and found[-1] < n_columns:
        return np.arange(n_columns, dtype=found.dtype)
    return found


def check_counts(sample_weight: ArrayLike | None) -> None:
    """Refuse weights of a scale that cannot be counts of rows; everything else is checked elsewhere."""
    largest = 1.0 if sample_weight is None else np.asarray(sample_weight, np.float64).max()
    if not 1e-30 <= largest <= 1e30:
        raise ValueError(
            f"sample_weight reaches {largest:.3g}; a weight of k is k copies of a row in calibration, and "
            "the largest must lie within 1e-30 and 1e30: multiply all of them by the same number"
        )


def as_scores(scores: ArrayLike, kind: str, floor: float) -> FloatArray:
    """Scores as float64 of shape (n, K); for probabilities, their logarithms, with a floor."""
    values = as_matrix(scores, kind)
    return np.log(np.maximum(values, floor)) if kind == "probabilities" else values


def as_matrix(scores: ArrayLike, kind: str) -> FloatArray:
    """Scores or probabilities as float64, with a column for each of the K classes."""
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
    if values.ndim == 1:
        values = np.column_stack([1 - values if kind == "probabilities" else np.zeros_like(values), values])
    if kind == "probabilities":
        _check_distributions(values)
    return values


def _check_distributions(p: FloatArray) -> None:
    sums = p.sum(axis=1)
    wrong = np.flatnonzero(~((p >= 0).all(axis=1) & (np.abs(sums - 1) <= 1e-4)))
    if wrong.size:
        raise ValueError(
            f"scores with input='probabilities': row {wrong[0]} is {p[wrong[0]]} (sum {sums[wrong[0]]:.6g}), "
            "and each must be non-negative and sum to 1; use input='scores' for other numbers"
        )


def centred(scores: FloatArray) -> FloatArray:
    """Scores with a mean of 0 in each row: a constant added to a row means nothing to a softmax."""
    largest = scores.max(axis=1, keepdims=True)  # subtracted first, so that equal scores become exactly 0
    gaps = scores - largest
    return gaps - gaps.mean(axis=1, keepdims=True)
