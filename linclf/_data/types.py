"""Types that signatures of the package share."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix

FloatArray: TypeAlias = NDArray[np.float32 | np.float64]
IntArray: TypeAlias = NDArray[np.integer]
BoolArray: TypeAlias = NDArray[np.bool_]
LabelArray: TypeAlias = NDArray[np.generic]  # of the type of the labels that fit was given
Floats: TypeAlias = FloatArray | np.float32 | np.float64  # for a single row, a number
Matrix: TypeAlias = Any  # a checked X, FloatArray or csr_array: SciPy has no types
MatrixLike: TypeAlias = ArrayLike | sparray | spmatrix
Seed: TypeAlias = int | np.random.RandomState | np.random.Generator | None
Loss: TypeAlias = Any  # a NamedTuple with a registered row function, of this package or of somebody else
