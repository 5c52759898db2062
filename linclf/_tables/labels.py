"""Which column has the labels, and the labels that are written in it."""

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from linclf._data.labels import labels_of
from linclf._types import IntArray, LabelArray

if TYPE_CHECKING:
    import pandas as pd

TARGETS = ("target", "label", "class", "y")
_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")
_REAL = re.compile(r"-?(?:\d{1,15}\.\d*|\.\d+|\d{1,15})(?:[eE][+-]?\d+)?")  # longer ones are names


def target_of(columns: Sequence[str]) -> tuple[str, bool]:
    """The column named target, label, class or y in any case, else the last; whether it has such a name."""
    usual = [column for word in TARGETS for column in columns if column.lower() == word]
    return (usual or list(columns[-1:]))[0], bool(usual)


def labels_from_text(column: "pd.Series", first_row: int = 0, like: LabelArray | None = None) -> LabelArray:
    """The labels of a column, as numbers where all of them are.

    Only empty cells are missing: None, NA and nan are names of classes.

    Parameters
    ----------
    column : Series
        As a reader gives it; text is read here.
    first_row : int
        The number of its first row, for messages.
    like : ndarray or None
        Classes that are known already and decide the type.

    Raises
    ------
    ValueError
        If a label is missing, or is no number among classes that are numbers.
    """
    import pandas as pd
    from pandas.api import types

    codes, different = pd.factorize(column.astype(object))
    texts = np.array([str(value).strip() for value in different] + [""])[codes]
    missing = (texts == "") | (codes < 0)
    if missing.any():
        row, n_missing = int(np.argmax(missing)), int(missing.sum())
        raise ValueError(
            f"y has {n_missing:,} missing labels of {len(column):,}, the first in row {first_row + row}; "
            "drop these rows"
        )
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        values = column.to_numpy()
        return values.astype(str) if like is not None and like.dtype.kind in "OU" else values
    unique, inverse = np.unique(texts, return_inverse=True)
    if like is not None:
        if like.dtype.kind in "OUS":  # one file writes TRUE, and another True
            bools = {name.lower(): name for name in map(str, like) if name.lower() in ("true", "false")}
            return np.array([bools.get(value.lower(), value) for value in unique.tolist()])[inverse]
        if like.dtype.kind in "iub":  # a gap elsewhere in a column makes 1.0 of 1
            unique = np.array([re.sub(r"\.0+$", "", value) for value in unique.tolist()])
        form, dtype = (_WHOLE if like.dtype.kind in "iub" else _REAL), like.dtype
        for value in unique.tolist():
            if not form.fullmatch(value):
                row = first_row + int(np.argmax(unique[inverse] == value))
                raise ValueError(f"the label in row {row} is {value!r}, and the classes are numbers")
        return unique.astype(np.float64 if dtype.kind == "f" else np.int64)[inverse]
    if all(_WHOLE.fullmatch(value) for value in unique.tolist()):
        return unique.astype(np.int64)[inverse]
    # 01 and 1 are two names, as are 1.1 and 1.10; 1.0 and 2.0 are numbers
    if all(_REAL.fullmatch(value) and not re.match(r"-?0\d", value) for value in unique.tolist()):
        values = unique.astype(np.float64)
        if np.unique(values).size == len({re.sub(r"\.0*$", "", value) for value in unique.tolist()}):
            return values[inverse]
    return unique[inverse]


def check_labels(y: Any) -> tuple[np.ndarray, IntArray, np.ndarray]:
    """Return the sorted classes, the class index of each row, and the labels as an array of one type."""
    if np.ndim(y) != 1:
        raise ValueError(
            f"y must be one column of labels, got shape {np.shape(y)}; pass y[:, k] or a 1-D array"
        )
    y = labels_of(y)
    if y.dtype == object:
        y = np.array(y.tolist())
    if y.dtype.kind == "S":
        y = y.astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about many classes; their sizes are checked later
        target_type = type_of_target(y)
    classes, codes = np.unique(y, return_inverse=True)
    if target_type.startswith("continuous"):
        raise ValueError(
            f"y looks continuous ({classes.size:,} different values such as {y[0]:g}) and a classifier needs "
            "classes; choose another target or cut it into classes first"
        )
    return classes, codes, y
