"""The column with the labels, and the labels in it."""

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from linclf._data.labels import labels_of
from linclf._tables.columns import text_of
from linclf._types import IntArray, LabelArray

if TYPE_CHECKING:
    import pandas as pd

TARGETS = ("target", "label", "class", "y")
_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")
_REAL = re.compile(r"-?(?:\d{1,15}\.\d*|\.\d+|\d{1,15})(?:[eE][+-]?\d+)?")  # longer ones are treated as names


def target_of(columns: Sequence[str]) -> tuple[str, bool]:
    """The column named target, label, class or y (any case), else the last; whether it has such a name."""
    usual = [column for word in TARGETS for column in columns if column.lower() == word]
    return (usual or list(columns[-1:]))[0], bool(usual)


def labels_from_text(column: "pd.Series", first_row: int = 0, like: LabelArray | None = None) -> LabelArray:
    """The labels of a column, as numbers if all of them are.

    Only empty cells are missing: None, NA and nan are names of classes.

    Parameters
    ----------
    column : Series
        As returned by a reader; text is parsed here.
    first_row : int
        The number of its first row, for messages.
    like : ndarray or None
        Known classes, which decide the type.

    Raises
    ------
    ValueError
        If a label is missing, or is not a number although the classes are.
    """
    import pandas as pd
    from pandas.api import types

    codes, different = pd.factorize(column.astype(object))
    texts = [str(value).strip() for value in different]
    missing = np.array([text == "" for text in texts] + [True])[codes]  # code -1 (the last entry) is missing
    if missing.any():
        row, n_missing = int(np.argmax(missing)), int(missing.sum())
        raise ValueError(
            f"y has {n_missing:,} missing labels of {len(column):,}, the first in row {first_row + row}; "
            "drop these rows"
        )
    is_named = like is not None and like.dtype.kind in "OUS"
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype) and not is_named:
        return column.to_numpy()
    if like is not None and not is_named:
        return _numbers_like(like, texts, codes, first_row)[codes]
    if like is None:
        numbers = _numbers(texts)
        if numbers is not None:
            return numbers[codes]
    return np.array(_names(texts, None if like is None else list(map(str, like))), dtype=str)[codes]


def _numbers_like(like: LabelArray, texts: list[str], codes: IntArray, first_row: int) -> LabelArray:
    """The texts as numbers, in the type of the classes."""
    is_whole = like.dtype.kind in "iub"
    if like.dtype.kind == "b":
        texts = [{"True": "1", "False": "0"}.get(text_of(text), text) for text in texts]
    if is_whole:  # a missing value elsewhere in the column turns 1 into 1.0
        texts = [re.sub(r"\.0+$", "", text) for text in texts]
    form = _WHOLE if is_whole else _REAL
    for code, text in enumerate(texts):
        if not form.fullmatch(text):
            row = first_row + int(np.argmax(codes == code))
            raise ValueError(f"the label in row {row} is {text!r}, and the classes are numbers")
    return np.array(texts, dtype=str).astype(np.int64 if is_whole else np.float64)


def _numbers(texts: list[str]) -> LabelArray | None:
    """The texts as numbers, if all of them are."""
    if all(_WHOLE.fullmatch(text) for text in texts):
        return np.array(texts).astype(np.int64)
    # 01 and 1 are different names, as are 1.1 and 1.10; 1.0 and 2.0 are numbers
    if all(_REAL.fullmatch(text) and not re.match(r"-?0\d", text) for text in texts):
        values = np.array(texts).astype(np.float64)
        if np.unique(values).size == len({re.sub(r"\.0*$", "", text) for text in texts}):
            return values
    return None


def _names(texts: list[str], known: list[str] | None) -> list[str]:
    """The class of each text, which is its spelling, except that TRUE equals True and 1.0 equals 1.

    If a class has several spellings, it becomes True or 1; a known class keeps its spelling.
    """
    spellings: dict[str, set[str]] = {}
    for text in texts if known is None else known:
        spellings.setdefault(text_of(text), set()).add(text)
    classes = {plain: plain if len(each) > 1 else next(iter(each)) for plain, each in spellings.items()}
    given = set(known or ())
    return [text if text in given else classes.get(text_of(text), text) for text in texts]


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
        warnings.simplefilter("ignore", UserWarning)  # about many classes; class sizes are checked later
        target_type = type_of_target(y)
    classes, codes = np.unique(y, return_inverse=True)
    if target_type.startswith("continuous"):
        raise ValueError(
            f"y looks continuous ({classes.size:,} different values such as {y[0]:g}) and a classifier needs "
            "classes; choose another target or cut it into classes first"
        )
    return classes, codes, y
