"""Classes of a stream, with labels that it has not seen before."""

import numpy as np
from numpy.typing import NDArray

from linclf._data.labels import located


def with_new_labels(classes: NDArray, y: NDArray) -> NDArray:
    """Sorted classes with the labels of y that are not among them; the dtype is as wide as all need."""
    _, unknown = located(y, classes)
    if not unknown.any():
        return classes
    new = np.unique(y[unknown])
    if kind_of(new) != kind_of(classes):
        raise ValueError(
            f"y contains labels that are not in classes {classes!r}, and are of another type: {new!r}; "
            "on_new_class='add' cannot sort them together, convert all labels to one type"
        )
    new = _of_one_dtype(new, classes)
    return np.sort(np.concatenate([classes.astype(np.promote_types(classes.dtype, new.dtype)), new]))


def kind_of(labels: NDArray) -> str:
    """The kind of labels that can be sorted together."""
    kind = labels.dtype.kind
    if kind == "O":
        label = labels[0]
        kind = next((kind for kind, cls in (("U", str), ("S", bytes)) if isinstance(label, cls)), "i")
        return "b" if isinstance(label, (bool, np.bool_)) else kind
    return "i" if kind in "uif" else kind


def _of_one_dtype(new: NDArray, classes: NDArray) -> NDArray:
    """New labels in the dtype of the classes, or in one that both fit in without a change."""
    if classes.dtype == object:
        return np.array([*new.tolist(), None], object)[:-1]
    if new.dtype == object:
        new = np.array(new.tolist())
    if kind_of(classes) != "i":
        return new
    if new.dtype != object:
        for dtype in (classes.dtype, np.promote_types(classes.dtype, new.dtype)):
            stays = dtype.kind != "f" or classes.dtype.kind == "f"  # integers do not become floats
            if stays and _fits(new, dtype) and _fits(classes, dtype):
                return new.astype(dtype)
    raise ValueError(
        f"y has new labels {new[:5]!r} that do not fit the classes of dtype {classes.dtype}, and no type of "
        "numbers holds both; convert all labels to str"
    )


def _fits(numbers: NDArray, dtype: np.dtype) -> bool:
    """Whether the numbers stay the same in this dtype."""
    with np.errstate(invalid="ignore", over="ignore"):
        cast = numbers.astype(dtype)
        return bool(((cast.astype(numbers.dtype) == numbers) & ((cast < 0) == (numbers < 0))).all())
