"""Whether dense rows are read in place or copied for BLAS."""

import numpy as np

from linclf._storage.copied import Copied
from linclf._storage.dense import fill_square_norms
from linclf._storage.in_place import InPlace
from linclf._storage.verbs import read_only
from linclf._types import FloatArray

IN_PLACE = 2**19  # bytes of weights beyond which copying rows for BLAS is faster: half of the second cache
LARGEST_FACTOR = 1e15  # float32 holds its square


def dense_storage(X: FloatArray, centre: FloatArray, factor: FloatArray, n_outputs: int) -> InPlace | Copied:
    """Rows in place if there are few weights, and if factors can go into the weights without overflow."""
    largest = max(factor.max(initial=1), 1 / factor.min(initial=1))
    in_place = n_outputs * X.shape[1] * X.itemsize <= IN_PLACE and largest <= LARGEST_FACTOR
    kind = InPlace if in_place else Copied
    arrays = read_only(X), centre.astype(X.dtype), factor.astype(X.dtype)
    square_norms = np.empty(len(X), X.dtype)
    fill_square_norms(*arrays, square_norms)
    return kind(*arrays, square_norms)
