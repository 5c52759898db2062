"""The Cholesky factor of a matrix that is positive up to rounding."""

import numpy as np
from scipy.linalg import LinAlgError, get_lapack_funcs

from linclf._types import FloatArray

RIDGE = {"f": 1e-6, "d": 1e-12}  # of each entry of the diagonal, whatever the sizes of the others,
LEAST = 1e-30  # but at least of this share of the typical one: nothing is learnt from denormal numbers


def factored(M: FloatArray) -> FloatArray:
    """L with ``M + ridge = L L'``; the ridge is small, grows tenfold until this works, and stays in M."""
    diagonal, (factor,) = np.einsum("jj->j", M), get_lapack_funcs(["potrf"], dtype=M.dtype)
    relative = M.dtype.type(RIDGE[M.dtype.char])
    typical = np.median(diagonal) or diagonal.mean() or M.dtype.type(1)
    least = max(
        M.dtype.type(LEAST) * typical, np.finfo(M.dtype).tiny / relative
    )  # a ridge of 0 would not grow
    ridge = relative * np.maximum(diagonal, least)
    while np.isfinite(ridge).all():
        diagonal += ridge
        L, fault = factor(M, lower=True)
        if not fault:
            return L
        ridge *= 10
    raise LinAlgError("the curvature of the loss is not finite")
