"""Products of the Hessians of rows with scores, in place, for stored Hessians."""

from linclf._numba import kernel


@kernel
def apply_covariances(S, T):
    """T[i] becomes ``(diag(s) - s s' / sum(s)) T[i]`` with s = S[i]."""
    for i in range(T.shape[0]):
        total, mean = S.dtype.type(0), S.dtype.type(0)
        for k in range(T.shape[1]):
            total += S[i, k]
            mean += S[i, k] * T[i, k]
        mean = mean / total if total > 0.0 else mean
        for k in range(T.shape[1]):
            T[i, k] = S[i, k] * (T[i, k] - mean)


@kernel
def apply_matrices(H, T, work):
    """T[i] becomes ``H[i] T[i]``; H[i] is symmetric, and work as long as a row."""
    for i in range(T.shape[0]):
        work[:] = 0.0
        for k in range(T.shape[1]):
            along = T[i, k]
            for j in range(T.shape[1]):
                work[j] += H[i, k, j] * along
        T[i] = work
