"""Which classes and features displays of weights show, and what they are called."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linclf._data.limits import is_integer
from linclf._types import FloatArray, LabelArray


def names_of_features(given: Sequence[str] | None, d: int) -> NDArray[np.object_]:
    """The given names of d features; None numbers them."""
    if given is None:
        given = [f"x{j}" for j in range(d)]
    elif np.shape(given) != (d,):
        raise ValueError(f"feature_names has shape {np.shape(given)}: pass one name for each of {d} features")
    return np.asarray(given, object)


def checked_top(top: Any) -> int:
    """How many features are shown."""
    if not is_integer(top) or top < 1:
        raise ValueError(f"top={top!r}: pass an integer, 1 or more, such as 10")
    return int(top)


def row_of(classes: LabelArray, label: Any, argument: str) -> int:
    """The number of a class, which an argument names."""
    try:
        return classes.tolist().index(label)
    except ValueError:
        known = classes.tolist()[:10]
        raise ValueError(f"{argument} has {label!r}, which is no class: pass one of {known}") from None


def rows_shown(classes: LabelArray, shown: Sequence[Any] | None, n_rows: int) -> list[tuple[int, str]] | None:
    """Rows of weights and their titles: the one of two classes, else those of shown; None if it is None."""
    if n_rows == 1:
        if shown is not None:
            raise ValueError(f"shown={shown!r}: two classes have one panel, pass None")
        return [(0, f"{classes[1]}, not {classes[0]}")]
    if shown is None:
        return None
    if isinstance(shown, str) or not np.ndim(shown) or not len(shown):
        raise ValueError(f"shown={shown!r}: pass a list of classes, one at least")
    return [(row_of(classes, label, "shown"), str(label)) for label in shown]


def known_names(path: list[Any]) -> Sequence[str] | None:
    """Feature names of the classifier, or what its pipeline makes of the names of the input."""
    names = getattr(path[-1], "feature_names_in_", None)
    for outer in reversed(path[:-1]):
        if names is None and hasattr(outer, "steps") and len(outer.steps) > 1:
            try:
                names = outer[:-1].get_feature_names_out()
            except (AttributeError, ValueError):  # a step that knows none
                return None
    return names


def checked_scale(feature_scale: ArrayLike | None, d: int) -> FloatArray:
    """A factor for each of d features, 1 by default."""
    scale = np.ones(d) if feature_scale is None else np.asarray(feature_scale, float)
    if scale.shape != (d,) or not np.isfinite(scale).all():
        raise ValueError(
            f"feature_scale has shape {scale.shape}: pass a finite number for each of {d} features, such as "
            "X.std(axis=0)"
        )
    return scale
