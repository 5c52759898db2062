"""A small system of linear equations for each row."""

from linclf._numba import kernel


@kernel
def solve_of_rows(A, B, R, work):
    """R[i] becomes ``(I - A[i] B[i])^-1 R[i]``; ``work (K, K)`` is scratch space.

    Uses Gaussian elimination with partial pivoting. A singular system gives infinity or NaN.
    """
    n_classes = R.shape[1]
    for i in range(R.shape[0]):
        for k in range(n_classes):
            for q in range(n_classes):
                total = 1.0 if k == q else 0.0
                for j in range(n_classes):
                    total -= A[i, k, j] * B[i, j, q]
                work[k, q] = total
        for k in range(n_classes):
            largest = k
            for q in range(k + 1, n_classes):
                if abs(work[q, k]) > abs(work[largest, k]):
                    largest = q
            if largest != k:
                for q in range(n_classes):
                    work[k, q], work[largest, q] = work[largest, q], work[k, q]
                R[i, k], R[i, largest] = R[i, largest], R[i, k]
            for q in range(k + 1, n_classes):
                share = work[q, k] / work[k, k]
                for j in range(k + 1, n_classes):
                    work[q, j] -= share * work[k, j]
                R[i, q] -= share * R[i, k]
        for k in range(n_classes - 1, -1, -1):
            total = R[i, k]
            for q in range(k + 1, n_classes):
                total -= work[k, q] * R[i, q]
            R[i, k] = total / work[k, k]
