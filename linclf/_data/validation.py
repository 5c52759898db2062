"""From what people pass to `dataset.Data`: X, targets, classes and weights, checked once."""

from numbers import Real

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from linclf._data.dataset import Data
from linclf._data.labels import check_y, classes_of, encode, known_classes, labels_of
from linclf._data.refusals import refuse_masked
from linclf._data.rows import check_X, refuse_overflow

__all__ = ["check_X", "check_y", "classes_of", "encode", "known_classes", "labels_of", "refuse_overflow"]


def moderate(weights):
    """Weights times a power of two, where they are so large or small that what is summed up overflows."""
    largest = weights.max(initial=0)
    if largest == 0 or 1e-30 <= largest <= 1e30:
        return weights
    moderated = np.ldexp(weights, -int(np.frexp(largest)[1]))
    # what was positive stays so: 0 would be no row
    return np.where(weights > 0, np.maximum(moderated, np.finfo(np.float64).tiny), moderated)


def positive_rows(X, y, sample_weight, alone=True):
    """The rows that count, and their weights; a weight of 0 is the same as no row.

    With ``alone``, only the ratios of these weights matter.
    """
    check_consistent_length(X, y)
    refuse_masked(sample_weight, "sample_weight")
    try:
        with np.errstate(over="ignore"):  # a longdouble may become infinity, which is refused
            given = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    except OverflowError as fault:
        raise ValueError(f"sample_weight has a number that is too large for float64 ({fault})") from fault
    weights = moderate(given)
    if weights is not given and not alone:
        raise ValueError(
            f"sample_weight reaches {given.max():.3g}; in partial_fit weights count in relation to those of "
            "other calls, and must lie within 1e-30 and 1e30: multiply all of them by the same number"
        )
    if sample_weight is None or weights.all():
        return X, y, weights
    rows = np.flatnonzero(weights)
    if not rows.size:
        raise ValueError("sample_weight is zero for every row; at least one must be positive")
    return X[rows], y[rows], weights[rows]


def weights_of_classes(class_weight, classes, y, weights):
    """One weight a class, or None; "balanced" counts the expected rows of each class."""
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and y.ndim == 2:
        mass = weights @ y
        per_class = weights.sum() / (len(classes) * np.where(mass > 0, mass, 1))
    elif isinstance(class_weight, str):
        per_class = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)
    else:
        per_class = _looked_up(class_weight, classes.tolist())
    if not (per_class >= 0).all() or not np.isfinite(per_class).all():
        raise ValueError(f"class_weight={class_weight!r} must be non-negative and finite")
    return moderate(per_class)


def _looked_up(class_weight, labels):
    """Weights in a dict, 1 for a class that has none. (scikit-learn's own lookup takes "1" for 1.)"""
    unknown = sorted(set(class_weight) - set(labels), key=str)
    missing = [label for label in labels if label not in class_weight]
    if unknown and missing:  # else it may be a part of the rows that lacks a class
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


def log_prior(data, classes, smoothing):
    """Logarithm of the share of each class in the weighted rows, with their labels smoothed."""
    y, weights = data.y, data.weights
    mass = weights @ y if y.ndim == 2 else np.bincount(y, weights, len(classes))
    if not mass.all():
        missing = classes.tolist()[mass.argmin()]
        raise ValueError(f"logit_adjustment needs a share of every class, and class {missing!r} has none")
    each = smoothing / (len(classes) - 1)
    return np.log(mass / mass.sum() * (1 - smoothing - each) + each)


def data_for(X, y, weights, classes, per_class):
    """`Data` with class weights multiplied in; for probabilities a row has its expected class weight."""
    target = encode(y, classes)
    if per_class is not None:
        weights = weights * (per_class[target] if y.ndim == 1 else y @ per_class)
        rows = np.flatnonzero(weights)
        if not rows.size:
            raise ValueError("class_weight leaves no row with a positive weight")
        if rows.size < len(weights):
            X, target, weights = X[rows], target[rows], weights[rows]
    if y.ndim == 2:
        target = np.ascontiguousarray(target, dtype=X.dtype)
    return Data(X, target, weights)


def given_validation(estimator, X_val, y_val, sample_weight_val):
    """The rows, targets and weights that the user holds out, or None."""
    given = X_val is not None or y_val is not None
    if given and (X_val is None or y_val is None):
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"{missing} was not provided; X_val and y_val must be given together")
    if sample_weight_val is not None and not given:
        raise ValueError("sample_weight_val is provided, but X_val and y_val were not")
    if given and estimator.early_stopping is False and estimator.calibration is None:
        raise ValueError(
            "X_val and y_val are given while early_stopping=False and calibration=None; use "
            "early_stopping=True or 'auto'"
        )
    if not given:
        return None
    return positive_rows(check_X(estimator, X_val, reset=False), check_y(y_val), sample_weight_val)


def split(data, fraction, rng):
    """Data of which a part is not trained on, and that part; only the part is copied."""
    labels = data.y if data.y.ndim == 1 else data.y.argmax(axis=1)
    try:
        train, test = train_test_split(
            np.arange(len(labels)), test_size=fraction, random_state=rng, stratify=labels
        )
    except ValueError as fault:
        raise ValueError(
            f"early_stopping=True with validation_fraction={fraction} cannot hold out "
            f"rows of every class ({fault}); use a larger fraction, or pass X_val and y_val"
        ) from fault
    test = np.sort(test)
    weights = data.weights.copy()
    weights[test] = 0
    held_out = Data(data.X[test], data.y[test], data.weights[test])
    return data._replace(weights=weights, rows=np.sort(train)), held_out
