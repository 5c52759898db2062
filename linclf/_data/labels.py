"""Sortable labels of one kind, or rows of class probabilities; anything else is refused."""

from collections.abc import Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_y, check_consistent_length, column_or_1d

from linclf._data.forms import column_names, container
from linclf._data.refusals import divide, refuse_masked
from linclf._data.targets import Indicators, Labels, Probabilities, Targets
from linclf._types import IntArray, MatrixLike

SURE = {str, bytes, bool, int, np.bool_, np.str_}  # types without missing values


def is_soft(y: Any) -> bool:
    """Whether y is meant as rows of class probabilities."""
    shape = getattr(y, "shape", ())  # tables of polars and Arrow have no ndim
    return len(shape) == 2 and shape[1] > 1


def class_names(y: Any) -> NDArray | None:
    """Sorted names of the columns of probabilities, if they are strings; `check_y` sorts the columns."""
    names = column_names(y) if is_soft(y) else None
    if names is None:
        return None
    if len(set(names)) < len(names):
        raise ValueError(f"y has two columns with the same name: {sorted(names)}; a column is a class")
    return np.sort(np.array(names))


def check_class_names(y: Any, classes: NDArray, name: str) -> None:
    """Refuse probabilities with column names that are not the classes."""
    names = class_names(y)
    if names is not None and not np.array_equal(names, classes):
        raise ValueError(
            f"{name} has columns of the names {names.tolist()}, and the classes are {classes.tolist()}; name "
            f"the columns as the classes, or pass {name}.to_numpy()"
        )


def check_y(y: Any) -> NDArray:
    """Class labels (n,) as given, or class probabilities (n, K) in float."""
    if sparse.issparse(y):
        raise ValueError("sparse y is not supported; pass y.toarray()")
    y = container(y, "y")
    if isinstance(y, (list, tuple)) and len(y) and np.ndim(y[0]):
        y = np.asarray(y)
    if not is_soft(y):
        return check_targets(labels_of(y))
    refuse_masked(y, "y")
    names = None if class_names(y) is None else column_names(y)
    y = np.asarray(y) if names is None else np.asarray(y)[:, np.argsort(names)]
    if y.ndim != 2 or y.dtype.kind != "f":
        raise ValueError(
            f"y with shape {y.shape} and dtype {y.dtype} is {type_of_target(y)}, which is not supported "
            "here; pass one label a row, or class probabilities as a float array (n_samples, n_classes)"
        )
    return check_probabilities(y)


def labels_of(y: Any, name: str = "y") -> NDArray:
    """Labels (n,) in a NumPy array of a sortable type; pandas types become NumPy types."""
    refuse_masked(y, name)
    y = container(y, name)
    labels = np.asarray(y)
    # NumPy converts a list of 1 and "a" to strings
    objects = np.array(y, object) if labels.dtype.kind in "US" and isinstance(y, (list, tuple)) else labels
    if objects.dtype.kind == "T":
        labels = objects = objects.astype(object)
    if labels.ndim == 2 and labels.shape[1] != 1:
        raise ValueError(
            f"{name} should be a 1d array of one label a row, got an array of shape {labels.shape}; pass one "
            f"of its columns, or {name}.argmax(axis=1) if each row has one label"
        )
    if objects.ndim == 2 or labels.ndim != 1:
        labels = objects = column_or_1d(labels, warn=True)
    if objects.dtype == object:
        _check_kinds(objects, name)
    if labels.dtype.kind not in "biufcUSOMm":
        raise ValueError(f"Unknown label type: {labels.dtype}; {name} must hold str, int or bool labels")
    if labels.dtype.kind in "fcMm" and np.isnan(labels).any():  # NaT too
        raise ValueError(_missing(name, labels, np.flatnonzero(np.isnan(labels))))
    return labels


def _missing(name: str, labels: NDArray, rows: Sequence[int] | IntArray) -> str:
    return (
        f"Input {name} contains NaN: {name} has {len(rows)} missing labels of {labels.size}, the first one "
        f"{labels[rows[0]]!r} in row {rows[0]}; drop these rows"
    )


def _check_kinds(y: NDArray, name: str) -> None:
    """Refuse labels that are missing, or of types that cannot be sorted together."""
    labels = y.tolist()
    types = set(map(type, labels))
    missing = [row for row, label in enumerate(labels) if is_missing(label)] if types - SURE else []
    if missing:
        raise ValueError(_missing(name, y, missing))
    first = {kind: next(row for row, label in enumerate(labels) if type(label) is kind) for kind in types}
    kinds = {}
    for kind, row in first.items():
        family = next((base for base in (str, bytes, Real, np.bool_) if issubclass(kind, base)), None)
        if family is None:
            raise ValueError(
                f"Unknown label type: {name} has labels of type {kind.__name__}, such as {y[row]!r} in row "
                f"{row}; convert them to str"
            )
        kinds.setdefault(Real if family is np.bool_ else family, (kind.__name__, row))
    if len(kinds) > 1:
        found = sorted(kinds.values())
        examples = " and ".join(f"{y[row]!r} in row {row}" for _, row in found)
        raise ValueError(
            f"{name} mixes labels of the types {', '.join(kind for kind, _ in found)}, such as {examples}, "
            "which have no common order; convert them all to str"
        )


def is_missing(label: object) -> bool:
    """Whether a label is None, NaN, NaT or NA."""
    named = type(label).__name__ in ("NoneType", "NAType", "NaTType")
    return named or (isinstance(label, Real) and label != label)


def check_targets(y: NDArray) -> NDArray:
    """Refuse finite values that are not classes: continuous and complex numbers."""
    if y.dtype.kind in "biuUSMm":
        return y
    if y.dtype == object and y.size and isinstance(y[0], (Real, np.bool_)):
        if not all(isinstance(label, (Integral, np.bool_)) for label in y.tolist()):
            try:
                numbers = y.astype(np.float64)
            except OverflowError as fault:
                raise ValueError(f"y has a number that is too large for float64 ({fault})") from fault
            _check_discrete(_check_y(numbers))
        return y
    if y.dtype == object and y.size and isinstance(y[0], bytes):
        return y  # scikit-learn's check below does not support bytes
    y = _check_y(y)
    _check_discrete(y)
    return y


def _check_discrete(y: NDArray) -> None:
    """scikit-learn's check_classification_targets without its warning about many classes."""
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"Unknown label type: {kind}. Maybe you are trying to fit a classifier, which expects discrete "
            "classes on a regression target with continuous values."
        )


def check_probabilities(y: NDArray) -> NDArray:
    """Check rows of class probabilities, and return them unchanged."""
    sums = y.sum(axis=1)
    wrong = np.flatnonzero(~(np.isclose(sums, 1, atol=1e-4) & (y >= 0).all(axis=1)))
    if wrong.size:
        row, total = y[wrong[0]], sums[wrong[0]]
        shown = np.array2string(row, precision=4, threshold=8, edgeitems=3, max_line_width=200)
        raise ValueError(
            f"y as class probabilities: row {wrong[0]} is {shown} (sum {total:.6g}); each row must be "
            f"non-negative and sum to 1{_several(y) or divide(row, 'y')}"
        )
    return y


def _several(y: NDArray) -> str:
    """A remedy if the numbers are those of an indicator."""
    if not ((y == 0) | (y == 1)).all():
        return ""
    return "; pass y.astype(int) if a row has several labels, or none"


def known_classes(classes: ArrayLike) -> NDArray:
    """Sorted classes of a stream."""
    if np.ndim(classes) != 1:
        raise ValueError(f"classes={classes!r} must be a 1-D array of labels")
    labels = labels_of(classes, "classes")
    check_targets(labels)
    known = np.unique(labels)
    if len(known) < 2:
        raise ValueError(f"classes={classes!r}: a classifier needs at least 2 classes")
    return known


def located(y: NDArray, classes: NDArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Positions of labels in the sorted classes, and whether they are unknown."""
    try:
        index = np.searchsorted(classes, y)
        index[index == len(classes)] = 0
        unknown = classes[index] != y
    except TypeError:  # types without a common order
        index, unknown = np.zeros(len(y), np.int64), np.ones(len(y), bool)
    return index.astype(np.int64), np.broadcast_to(unknown, len(y))


def index_of(y: NDArray, classes: NDArray, remedy: str = "", name: str = "y") -> IntArray:
    """Positions of labels in the sorted classes. Unknown labels are an error, which ends with the remedy."""
    index, unknown = located(y, classes)
    if unknown.any():
        new = np.unique(y[unknown])
        raise ValueError(f"{name} contains labels that are not in classes {classes!r}: {new!r}{remedy}")
    return index


def targets_of(y: NDArray, classes: NDArray, remedy: str = "", name: str = "y") -> Targets:
    """Checked labels, rows of probabilities or indicators as targets; unknown classes end with the remedy."""
    if y.ndim == 1:
        return Labels(index_of(y, classes, remedy, name), len(classes))
    several = y.dtype == np.int8
    if y.shape[1] != len(classes):
        columns = "columns of labels" if several else "columns of class probabilities"
        raise ValueError(f"{name} has {y.shape[1]} {columns}, but there are {len(classes)} classes{remedy}")
    return Indicators(y) if several else Probabilities(y)


def classes_of(y: NDArray, names: NDArray | None = None) -> NDArray:
    """Sorted classes, at least two. ``names`` are the column names of probabilities."""
    if names is not None:
        return names
    classes = np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])
    if len(classes) < 2:
        raise ValueError(
            "a classifier needs samples of at least 2 classes in the data, but the data contains only one "
            f"class: {classes.tolist()[0]!r}"
        )
    return classes


def positions_of(labels: ArrayLike, classes: NDArray) -> IntArray:
    """Positions of labels (any shape) in the sorted classes; unknown labels are an error."""
    labels = np.asarray(labels)
    kinds = labels.dtype.kind, classes.dtype.kind
    # NumPy compares int64 with uint64 as floats, and 1 with "1" as strings
    values = labels.astype(classes.dtype) if set(kinds) <= set("iu") else labels
    index, known = np.zeros(labels.shape, np.intp), np.zeros(labels.shape, bool)
    if "O" in kinds or len({kind in "US" for kind in kinds}) == 1:
        with suppress(TypeError):  # objects that cannot be compared with the classes
            index = np.minimum(np.searchsorted(classes, values), len(classes) - 1)
            known = (classes[index] == values) & (values == labels)
    if not np.all(known):
        unknown = list(dict.fromkeys(labels[~known].ravel().tolist()))
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise ValueError(f"classes has labels that are not in classes_: {unknown[:5]!r}{more}")
    return index


def positions_by_row(labels: ArrayLike, classes: NDArray, n: int) -> tuple[IntArray, bool]:
    """Positions (n, m) of m labels for each of n rows, and whether one label a row was given."""
    index = positions_of(labels, classes)
    shape = index.shape
    if not (shape in ((), (n,)) or (len(shape) == 2 and shape[0] in (1, n))):
        raise ValueError(
            f"classes has shape {shape}, and X has {n} rows; pass one label, ({n},) for one label a row, "
            f"({n}, m) for m labels a row, or (1, m) for the same m labels in all rows"
        )
    index = index[:, None] if len(shape) == 1 else np.atleast_2d(index)
    return np.broadcast_to(index, (n, index.shape[1])), len(shape) < 2


class Accuracy:
    """`score` for all labels that `fit` accepts; a base class before ClassifierMixin."""

    def score(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy of the predicted labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), or an indicator
            Their true labels, in the form of `predict`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        float
            The share of rows, or of their weight, whose labels are all correct.
        """
        predicted: NDArray = self.predict(X)  # pyright: ignore[reportAttributeAccessIssue]
        return accuracy(predicted, y, sample_weight)


def accuracy(predicted: NDArray, y: ArrayLike, sample_weight: ArrayLike | None) -> float:
    """The share of the weight with the correct label."""
    # scikit-learn's metrics support neither bytes, variable-width strings, nor objects other than strings
    unknown = predicted.dtype.kind == "S" or getattr(getattr(y, "dtype", None), "kind", "") == "T"
    if unknown or (predicted.dtype == object and not isinstance(predicted[0], str)):
        check_consistent_length(y, predicted)
        predicted = labels_of(y) == predicted
        y = np.ones(len(predicted), bool)
    return float(accuracy_score(y, predicted, sample_weight=sample_weight))
