"""Whether dense rows are read in place or copied for BLAS."""

import numpy as np

from linclf._storage.copied import Copied
from linclf._storage.dense import fill_square_norms
from linclf._storage.in_place import InPlace
from linclf._storage.verbs import IN_CACHE, read_only
from linclf._types import FloatArray

# Below these, tiles were measured to be faster than copying rows for BLAS: in whole passes by the bytes of a
# row's products (64 classes in float32, 32 in float64), in small batches by those of the weights.
ROW_BYTES, WEIGHT_BYTES = 256, IN_CACHE
LARGEST_FACTOR = 1e15  # float32 holds its square


def dense_storage(
    X: FloatArray, centre: FloatArray, factor: FloatArray, n_products: int, small_batches: bool
) -> InPlace | Copied:
    """Rows in place if that is faster, and if factors can go into the weights without overflow."""
    few = n_products * X.itemsize < ROW_BYTES
    if small_batches:
        few = n_products * (X.shape[1] + 1) * X.itemsize <= WEIGHT_BYTES
    largest = max(factor.max(initial=1), 1 / factor.min(initial=1))
    kind = InPlace if few and largest <= LARGEST_FACTOR else Copied
    arrays = read_only(X), centre.astype(X.dtype), factor.astype(X.dtype)
    square_norms = np.empty(len(X), X.dtype)
    fill_square_norms(*arrays, square_norms)
    return kind(*arrays, square_norms)
