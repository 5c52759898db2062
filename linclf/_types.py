"""Types that many signatures name."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, sparray, spmatrix

FloatArray: TypeAlias = NDArray[np.float32 | np.float64]
IntArray: TypeAlias = NDArray[np.integer]
BoolArray: TypeAlias = NDArray[np.bool_]
LabelArray: TypeAlias = NDArray[np.generic]  # of the type of the labels that fit was given
Matrix: TypeAlias = FloatArray | csr_array
MatrixLike: TypeAlias = ArrayLike | sparray | spmatrix
Floats: TypeAlias = FloatArray | np.float32 | np.float64  # for a single row, a number
Seed: TypeAlias = int | np.random.RandomState | np.random.Generator | None
Function = TypeVar("Function", bound=Callable[..., Any])


def typed(decorator: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """A decorator of a package without types, as one that keeps the type of what it decorates."""
    return decorator
