"""Known scores of rows, which are added to those of a model."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from linclf._data.forms import container
from linclf._data.refusals import refuse_masked
from linclf._types import FloatArray


def numbers(values: ArrayLike, name: str) -> FloatArray:
    """A dense array of finite numbers, float64."""
    refuse_masked(values, name)
    check: Any = check_array  # its types know no dtypes of NumPy
    return check(
        container(values, name),
        dtype=np.float64,
        ensure_2d=False,
        ensure_min_samples=0,
        ensure_min_features=0,
        input_name=name,
    )


def checked_offset(offset: ArrayLike, n_rows: int, n_scores: int, name: str, dtype: np.dtype) -> FloatArray:
    """The offset in the shape of ``decision_function``; ``dtype`` is that of the scores.

    ``n_scores`` is the number of scores of a row: 1 for two classes.
    """
    array = numbers(offset, name)
    shape = (n_rows,) if n_scores == 1 else (n_rows, n_scores)
    if array.shape != shape:
        remedy = ""
        if n_scores == 1 and array.shape == (n_rows, 2):
            remedy = f"; pass the difference, {name}[:, 1] - {name}[:, 0]"
        raise ValueError(
            f"{name} has shape {array.shape}, and for these rows it must be {shape}, the shape of "
            f"decision_function{remedy}"
        )
    largest, limit = np.abs(array).max(initial=0), float(np.finfo(dtype).max) / 4
    if largest > limit:  # sums and differences of scores have to be finite
        raise ValueError(
            f"{name} reaches {largest:.3g}, and scores of {dtype} rows hold {limit:.2g} at most; pass X as "
            f"float64, or smaller values of {name}"
        )
    return array


def of_classes(offset: FloatArray) -> FloatArray:
    """A column for each class; two classes share a difference equally, as their weights do."""
    return offset if offset.ndim == 2 else np.column_stack([-offset / 2, offset / 2])


def of_decisions(offset: FloatArray) -> FloatArray:
    """The inverse of `of_classes`."""
    return offset if offset.shape[1] != 2 else offset[:, 1] - offset[:, 0]
