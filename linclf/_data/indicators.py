"""Indicators of several labels a row: which y is one, and what it must hold."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linclf._data.forms import column_names, container
from linclf._data.labels import SURE, check_class_names, check_y, is_missing
from linclf._data.refusals import refuse_masked
from linclf._data.sparse import check_structure
from linclf._types import FloatArray, LabelArray


def is_indicator(y: Any) -> bool:
    """Whether y has a 0 or 1 for each label: two columns or more of integers or bools, or a sparse matrix."""
    if sparse.issparse(y):
        return True
    if isinstance(y, (list, tuple)):
        if len(y) == 0 or np.ndim(y[0]) != 1:
            return False
        try:
            y = np.asarray(y)
        except ValueError:  # rows of different lengths, which the caller refuses
            return False
    shape = getattr(y, "shape", ())
    if len(shape) != 2 or shape[1] < 2:
        return False
    if hasattr(y, "dtypes"):  # pandas and polars
        kinds = [str(kind).lower().removeprefix("sparse[") for kind in y.dtypes]
        if "object" not in kinds:
            return all(kind.startswith(("int", "uint", "bool")) for kind in kinds)
        y = np.asarray(y, object)
    return _has_counts(y) if hasattr(y, "dtype") else _has_counts(np.asarray(y))


def _has_counts(y: Any) -> bool:
    """Whether an array holds integers or bools; objects may also be missing, which is refused later."""
    if y.dtype == object:
        whole = [
            isinstance(value, (Integral, np.bool_)) for value in y.ravel().tolist() if not is_missing(value)
        ]
        return len(whole) > 0 and all(whole)
    return getattr(y.dtype, "kind", "") in ("b", "i", "u")


def indicator_of(y: Any, name: str = "y") -> NDArray[np.int8]:
    """1 and -1 (n, n_labels) for the 1 and 0 of an indicator."""
    if sparse.issparse(y):
        return _signs(_of_sparse(y, name))
    refuse_masked(y, name)
    values = np.asarray(container(y, name))
    if values.dtype == object:  # of pandas, or a mix of integers and bools
        _refuse_missing(values, name)
    _check_values(values, name)
    return _signs(values.astype(bool))


def _signs(has: NDArray[np.bool_]) -> NDArray[np.int8]:
    signs = np.full(has.shape, -1, np.int8)
    signs[has] = 1
    return signs


def _of_sparse(y: Any, name: str) -> NDArray[np.bool_]:
    check_structure(y)
    if y.ndim != 2 or y.shape[1] < 2:
        raise ValueError(
            f"{name} is sparse with shape {y.shape}, and an indicator has a column for each of two labels or "
            f"more; pass {name}.toarray().ravel() for two classes"
        )
    rows: Any = sparse.csr_array(y)
    rows.sum_duplicates()
    wrong = np.flatnonzero((rows.data != 0) & (rows.data != 1))
    if wrong.size:
        at = wrong[0]
        row = int(np.searchsorted(rows.indptr, at, side="right")) - 1
        _refuse(rows.data[at], row, int(rows.indices[at]), name)
    has = np.zeros(rows.shape, bool)
    at = rows.data != 0
    has[np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))[at], rows.indices[at]] = True
    return has


def _refuse_missing(values: NDArray, name: str) -> None:
    flat = values.ravel().tolist()
    if set(map(type, flat)) - SURE:
        at = next((at for at, value in enumerate(flat) if is_missing(value)), None)
        if at is not None:
            _refuse(flat[at], *divmod(at, values.shape[1]), name)


def _check_values(values: NDArray, name: str) -> None:
    wrong = np.argwhere((values != 0) & (values != 1))
    if wrong.size:
        row, column = wrong[0]
        _refuse(values[row, column], int(row), int(column), name)


def _refuse(value: Any, row: int, column: int, name: str) -> None:
    if is_missing(value):
        remedy = "Drop this row, or fill the gap"
    elif isinstance(value, Integral):
        remedy = (
            "Pass one label a row as an array (n_samples,), and several outputs that are not 0 or 1 to "
            "sklearn.multioutput.MultiOutputClassifier"
        )
    else:
        remedy = f"Pass class probabilities as a dense array of floats, such as {name}.toarray()"
    raise ValueError(
        f"{name} is an indicator of several labels a row, and has {value} in row {row}, column {column}; it "
        f"must hold only 0 and 1. {remedy}"
    )


def validation_labels_of(y_val: Any) -> NDArray:
    """Checked validation labels, if y has one label a row."""
    if is_indicator(y_val):
        raise ValueError(
            "y_val is an indicator of several labels a row, and y has one label a row; pass both in one form"
        )
    return check_y(y_val)


def validation_indicator_of(y_val: Any) -> NDArray[np.int8]:
    """An indicator for validation, if y is one."""
    y_val = container(y_val, "y_val")
    if not is_indicator(y_val):
        raise ValueError(
            "y_val must be an indicator as y is: integers or bools of shape (n_val, n_labels), or a sparse "
            f"matrix; got {type(y_val).__name__} of shape {np.shape(y_val)}"
        )
    return indicator_of(y_val, "y_val")


def validation_of(several: bool) -> Callable[[Any], NDArray]:
    """The check of validation labels."""
    return validation_indicator_of if several else validation_labels_of


def check_columns(y_val: Any, classes: LabelArray, names: list[str] | None, several: bool) -> None:
    """Refuse validation labels whose columns have other names than the classes, or than those of y."""
    if not several:
        check_class_names(y_val, classes, "y_val")
        return
    others = column_names(y_val)
    if names is not None and others is not None and names != others:
        raise ValueError(f"y_val has the columns {others[:5]}, and y has {names[:5]}; use the same order")


def refuse_constant(
    without: FloatArray, with_label: FloatArray, where: str = "in rows of positive weight"
) -> None:
    """Refuse labels that all rows have, or none, by their weights: their score would have no limit."""
    for mass, value in ((with_label, 1), (without, 0)):
        constant = np.flatnonzero(mass == 0)
        if constant.size:
            more = f", like {constant.size - 1} more columns" if constant.size > 1 else ""
            raise ValueError(
                f"column {constant[0]} of y is never {value} {where}{more}, so there is "
                "nothing to learn; remove it from y. In cross-validation, remove labels that are too rare "
                "for the folds, or use a splitter that stratifies by all labels"
            )


def label_weights(
    class_weight: Any, without: FloatArray, with_label: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Factors for the rows without and with each label, which have these weights; or None.

    "balanced" gives both groups of each label the same total weight, as scikit-learn does for each column.
    """
    if class_weight is None:
        return None
    if class_weight == "balanced":
        total = without + with_label
        return total / (2 * without), total / (2 * with_label)
    n_labels = len(without)
    if not isinstance(class_weight, list) or len(class_weight) != n_labels:
        given = f"a list of {len(class_weight)}" if isinstance(class_weight, list) else repr(class_weight)
        raise ValueError(
            f"class_weight is {given}, and y has {n_labels} labels a row; use a list with a dict "
            "{0: weight, 1: weight} for each label, or, with all rows at once, 'balanced'"
        )
    of_none, of_all = (
        np.array([_looked_up(each, k, has) for k, each in enumerate(class_weight)]) for has in (0, 1)
    )
    return of_none, of_all


def _looked_up(given: Any, k: int, has: int) -> float:
    if not isinstance(given, dict) or not set(given) <= {0, 1}:
        raise ValueError(
            f"class_weight[{k}]={given!r} must be a dict with the keys 0 (rows without label {k}) and 1"
        )
    weight = given.get(has, 1.0)
    if not isinstance(weight, Real) or not 0 < float(weight) < np.inf:
        raise ValueError(f"class_weight[{k}][{has}]={weight!r} must be a positive number")
    return float(weight)
