"""Whether dense rows are read in place or copied for BLAS."""

import numpy as np

from linclf._numba.vectors import vector_bytes
from linclf._storage.copied import Copied
from linclf._storage.dense import fill_square_norms
from linclf._storage.in_place import InPlace
from linclf._storage.verbs import read_only
from linclf._types import FloatArray

# Number of products per row from which BLAS on copied rows was measured to be faster than tiles, in whole
# passes and in small batches. Registers of 64 bytes speed up BLAS more than tiles.
FLOAT32, FLOAT32_WIDE, FLOAT64 = 64, 32, 20
WIDE_REGISTER = 64
LARGEST_FACTOR = 1e15  # float32 holds its square


def dense_storage(X: FloatArray, centre: FloatArray, factor: FloatArray, n_products: int) -> InPlace | Copied:
    """Rows in place if that is faster, and if factors can go into the weights without overflow."""
    largest = max(factor.max(initial=1), 1 / factor.min(initial=1))
    few = n_products < _fewest_for_blas(X.dtype)
    kind = InPlace if few and largest <= LARGEST_FACTOR else Copied
    arrays = read_only(X), centre.astype(X.dtype), factor.astype(X.dtype)
    square_norms = np.empty(len(X), X.dtype)
    fill_square_norms(*arrays, square_norms)
    return kind(*arrays, square_norms)


def _fewest_for_blas(dtype: np.dtype) -> int:
    if dtype == np.float64:
        return FLOAT64
    return FLOAT32_WIDE if vector_bytes() >= WIDE_REGISTER else FLOAT32
