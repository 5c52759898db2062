"""From what people pass to `_session.Data`: X, targets, classes and weights, checked once."""

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from linclf._session import Data
from linclf.losses._evaluation import check_probabilities

FLOATS = (np.float64, np.float32)


def check_X(estimator, X, reset, finite=True):
    """X as C-ordered float32/float64 or canonical CSR of the same; the caller's arrays are not changed.

    With ``finite=False`` it may hold NaN and infinity.
    """
    if sparse.issparse(X) and X.format == "csr":
        check_structure(X)
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr",
        accept_large_sparse=True,
        dtype=FLOATS,
        order="C",
        reset=reset,
        ensure_all_finite=finite,
    )
    if sparse.issparse(X):
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        if X.indices.dtype != X.indptr.dtype:
            X = X.copy()
            X.indices = X.indices.astype(X.indptr.dtype)
    return X


def check_structure(X):
    """Refuse CSR arrays whose indices would make a kernel read or write somewhere else."""
    steps = np.diff(X.indptr)
    if X.indptr[0] != 0 or (steps < 0).any() or X.indptr[-1] > min(len(X.indices), len(X.data)):
        row = int(np.argmax(steps < 0)) if (steps < 0).any() else X.shape[0] - 1
        raise ValueError(
            f"X is not a valid CSR matrix: indptr of row {row} is {X.indptr[row]}, {X.indptr[row + 1]} with "
            f"{len(X.indices)} indices; indptr must start at 0, not decrease, and stay within indices"
        )
    if X.nnz and (X.indices.min() < 0 or X.indices.max() >= X.shape[1]):
        at = int(np.argmax((X.indices < 0) | (X.indices >= X.shape[1])))
        row = int(np.searchsorted(X.indptr, at, side="right")) - 1
        raise ValueError(
            f"X is not a valid CSR matrix: row {row} has index {X.indices[at]}, but X has "
            f"{X.shape[1]} features"
        )


def is_soft(y):
    """Whether y is meant as rows of class probabilities."""
    return getattr(y, "ndim", 1) == 2 and y.shape[1] > 1


def check_y(y):
    """Class labels (n,) as given, or class probabilities (n, K) in float."""
    if not hasattr(y, "ndim"):
        y = np.asarray(y)
    if not is_soft(y):
        y = _check_y(column_or_1d(y, warn=True))
        check_classification_targets(y)
        return y
    y = np.asarray(y)
    if y.dtype.kind != "f":
        raise ValueError(
            f"y with shape {y.shape} and dtype {y.dtype} is {type_of_target(y)}, which is not supported; "
            "pass one label a row, or class probabilities as a float array (n_samples, n_classes)"
        )
    return check_probabilities(y)


def encode(y, classes):
    """Class indices of labels; probabilities as they are. Unknown labels are an error."""
    if y.ndim == 2:
        if y.shape[1] != len(classes):
            raise ValueError(
                f"y has {y.shape[1]} columns of class probabilities, but there are {len(classes)} classes"
            )
        return y
    index = np.searchsorted(classes, y)
    index[index == len(classes)] = 0
    unknown = classes[index] != y
    if unknown.any():
        raise ValueError(f"y contains labels that are not in classes {classes!r}: {np.unique(y[unknown])!r}")
    return index.astype(np.int64)


def classes_of(y):
    """Sorted classes; two at least."""
    classes = np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])
    if len(classes) < 2:
        raise ValueError(
            "a classifier needs samples of at least 2 classes in the data, but the data contains only one "
            f"class: {classes[0]!r}"
        )
    return classes


def positive_rows(X, y, sample_weight):
    """The rows that count, and their weights; a weight of 0 is the same as no row."""
    check_consistent_length(X, y)
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
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
    return per_class


def _looked_up(class_weight, labels):
    """Weights in a dict, 1 for a class that has none. (scikit-learn's own lookup takes "1" for 1.)"""
    unknown = sorted(set(class_weight) - set(labels), key=str)
    missing = [label for label in labels if label not in class_weight]
    if unknown and missing:  # else it may be a part of the rows that lacks a class
        raise ValueError(
            f"class_weight has keys that are no classes, {unknown[:5]}, and no weight for {missing[:5]}; the "
            "keys must be labels in y"
        )
    return np.array([class_weight.get(label, 1.0) for label in labels], np.float64)


def log_prior(data, classes):
    """Logarithm of the share of each class in the weighted rows."""
    y, weights = data.y, data.weights
    mass = weights @ y if y.ndim == 2 else np.bincount(y, weights, len(classes))
    if not mass.all():
        missing = classes.tolist()[mass.argmin()]
        raise ValueError(f"logit_adjustment needs a share of every class, and class {missing!r} has none")
    return np.log(mass / mass.sum())


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
