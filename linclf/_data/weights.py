"""Weights of rows and of classes: checked, and scaled to a moderate size."""

from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from linclf._data.forms import container
from linclf._data.refusals import refuse_masked
from linclf._data.targets import Targets
from linclf._types import FloatArray, IntArray, Matrix


def moderate(weights: FloatArray) -> FloatArray:
    """Weights, times a power of two if they are so large or small that sums overflow or underflow."""
    largest = weights.max(initial=0)
    if largest == 0 or 1e-30 <= largest <= 1e30:
        return weights
    moderated = np.ldexp(weights, -int(np.frexp(largest)[1]))
    # positive weights stay positive: 0 would remove the row
    return np.where(weights > 0, np.maximum(moderated, np.finfo(np.float64).tiny), moderated)


class PositiveRows(NamedTuple):
    """Rows of positive weight."""

    X: Matrix
    y: NDArray
    weights: FloatArray
    ids: IntArray  # their positions among the given rows
    n_given: int


def positive_rows(
    X: Matrix, y: NDArray, sample_weight: ArrayLike | None, scale_free: bool = True
) -> PositiveRows:
    """The rows that count, and their weights; rows of weight 0 are removed.

    ``scale_free`` says that only the ratios of the weights matter.
    """
    check_consistent_length(X, y)
    n = X.shape[0]
    if sample_weight is None:
        return PositiveRows(X, y, np.ones(n), np.arange(n), n)
    refuse_masked(sample_weight, "sample_weight")
    sample_weight = container(sample_weight, "sample_weight")
    try:
        with np.errstate(over="ignore"):  # a longdouble may become infinity, which is refused
            given = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    except OverflowError as fault:
        raise ValueError(f"sample_weight has a number that is too large for float64 ({fault})") from fault
    weights = moderate(given)
    if weights is not given and not scale_free:
        raise ValueError(
            f"sample_weight reaches {given.max():.3g}; in partial_fit weights count in relation to those of "
            "other calls, and must lie within 1e-30 and 1e30: multiply all of them by the same number"
        )
    if weights.all():
        return PositiveRows(X, y, weights, np.arange(n), n)
    kept = np.flatnonzero(weights)
    if not kept.size:
        raise ValueError("sample_weight is zero for every row; at least one must be positive")
    return PositiveRows(X[kept], y[kept], weights[kept], kept, n)


def weights_of_classes(
    class_weight: dict[Any, float] | list[Any] | Literal["balanced"] | None,
    labels: list,
    y: Targets,
    weights: FloatArray,
) -> FloatArray | None:
    """One weight per class, or None; "balanced" counts the expected rows of each class."""
    if class_weight is None:
        return None
    if isinstance(class_weight, list):
        raise ValueError(
            "class_weight is a list, which is for several labels a row, and y has one; use a dict from "
            "labels to weights"
        )
    per_class = y.balanced(weights) if class_weight == "balanced" else _looked_up(class_weight, labels)
    if not (per_class >= 0).all() or not np.isfinite(per_class).all():
        raise ValueError(f"class_weight={class_weight!r} must be non-negative and finite")
    return moderate(per_class)


def _looked_up(class_weight: dict[Any, float], labels: list) -> FloatArray:
    """Weights from a dict, 1 for missing classes. (scikit-learn's lookup confuses "1" with 1.)"""
    # labels come from `tolist`, and NumPy dates are not equal to Python dates
    class_weight = {
        key.item() if isinstance(key, np.generic) else key: weight for key, weight in class_weight.items()
    }
    unknown = sorted(set(class_weight) - set(labels), key=str)
    missing = [label for label in labels if label not in class_weight]
    if unknown and missing:  # else y may be a part of the data that lacks a class
        raise ValueError(
            f"class_weight has keys that are no classes, {unknown[:5]}, and no weight for {missing[:5]}; the "
            "keys must be labels in y"
        )
    for label, weight in class_weight.items():
        if not isinstance(weight, Real) or (isinstance(weight, int) and abs(weight) > 2**1000):
            raise ValueError(
                f"class_weight[{label!r}]={weight!r} must be a non-negative number, of float64 at most"
            )
    return np.array([class_weight.get(label, 1.0) for label in labels], np.float64)


def log_prior(y: Targets, weights: FloatArray, smoothing: float) -> FloatArray:
    """Logarithm of the share of each class in the weighted rows, with their labels smoothed.

    It is 0 for a class without weight, which is not trained.
    """
    mass = y.mass(weights)
    has_weight = mass > 0
    each = smoothing / max(np.count_nonzero(has_weight) - 1, 1)
    shares = np.where(has_weight, mass / mass.sum() * (1 - smoothing - each) + each, 1.0)
    return np.log(shares)
