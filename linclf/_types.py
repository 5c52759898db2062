"""Types that many signatures name."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix

FloatArray: TypeAlias = NDArray[np.float32 | np.float64]
IntArray: TypeAlias = NDArray[np.integer]
BoolArray: TypeAlias = NDArray[np.bool_]
LabelArray: TypeAlias = NDArray[np.generic]  # of the type of the labels that fit was given
Matrix: TypeAlias = Any  # a checked X, FloatArray or csr_array: SciPy has no types
MatrixLike: TypeAlias = ArrayLike | sparray | spmatrix
Floats: TypeAlias = FloatArray | np.float32 | np.float64  # for a single row, a number
Seed: TypeAlias = int | np.random.RandomState | np.random.Generator | None


class Loss(Protocol):
    """A NamedTuple of numbers; what its class says of itself is read through `losses._registry.trait`."""

    @property
    def _fields(self) -> tuple[str, ...]: ...

    def _asdict(self) -> dict[str, Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


Function = TypeVar("Function", bound=Callable[..., Any])


def typed(decorator: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """A decorator of a package without types, as one that keeps the type of what it decorates."""
    return decorator
