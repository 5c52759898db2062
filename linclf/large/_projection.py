r"""A linear map to a few features in which the classes differ: the V of a low-rank head ``W = U V``.

V is computed before U is trained, by regularised discriminant analysis in the form of subspace
iteration: with Q (K, r) orthonormal, Y the class indicators, D the weights of the classes,

    T = D^-1/2 Q[y],    V' = argmin |X V' - T|^2 + lambda |V'|^2,    Q <- orth(D^-1/2 Y' X V'),

starting at the left singular vectors of ``D^-1/2 Y' X``. U is then an ordinary softmax on ``X V'``.
docs/decisions.md compares this with training V and U together.
"""

from collections.abc import Callable

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd, row_norms, safe_sparse_dot

from linclf._data.targets import Targets
from linclf._types import FloatArray, Matrix

PASSES, STEPS = 3, 15  # subspace iterations, and steps of conjugate gradients in each
RIDGE = 5e-5  # lambda, in units of the mean squared length of a row; a factor of 3 or more changes little


def supervised(X: Matrix, y: Targets, weights: FloatArray, rank: int) -> FloatArray:
    """V (r, n_features), r = min(rank, n_classes, n_features); the rows of ``X @ V.T`` have mean square 1."""
    n_classes, index, kind = y.n_classes, y.most_probable, X.dtype
    rank = min(rank, n_classes, X.shape[1])
    w = (weights / weights.sum()).astype(kind)[:, None]
    share = np.bincount(index, w[:, 0], n_classes)
    root = np.divide(1, np.sqrt(share), out=np.zeros(n_classes), where=share > 0).astype(kind)
    columns = np.arange(len(index))
    member = sparse.csr_array((w[:, 0] * root[index], (index, columns)), shape=(n_classes, len(index)))
    means = member @ X
    ridge = RIDGE * float(w[:, 0] @ row_norms(X, squared=True))

    def second_moments(P: FloatArray) -> FloatArray:
        return safe_sparse_dot(X.T, w * safe_sparse_dot(X, P)) + kind.type(ridge) * P

    def map_to(Q: FloatArray) -> tuple[FloatArray, FloatArray]:
        T = root[index][:, None] * Q[index]
        V = conjugate_gradients(second_moments, safe_sparse_dot(X.T, w * (T - (w * T).sum(axis=0))))
        Z = safe_sparse_dot(X, V)
        Z -= (w * Z).sum(axis=0)
        return V, Z

    V, Z = map_to(randomized_svd(means, rank, random_state=0)[0].astype(kind))
    for _ in range(PASSES - 1):
        V, Z = map_to(np.linalg.qr(member @ Z)[0])
    length = np.sqrt((w * np.square(Z)).sum())
    return np.ascontiguousarray(V.T / (length or 1))


def conjugate_gradients(apply: Callable[[FloatArray], FloatArray], B: FloatArray) -> FloatArray:
    """Columns of ``A^-1 B`` for a symmetric positive definite A, each with its own steps."""
    X, R = np.zeros_like(B), B.copy()
    P, square, tiny = R.copy(), np.square(R).sum(axis=0), np.finfo(B.dtype).tiny
    for _ in range(STEPS):
        AP = apply(P)
        curvature = (P * AP).sum(axis=0)  # underflows once a column has converged
        step = np.divide(square, curvature, out=np.zeros_like(square), where=curvature > tiny)
        X += step * P
        R -= step * AP
        new = np.square(R).sum(axis=0)
        P = R + np.divide(new, square, out=np.zeros_like(new), where=square > tiny) * P
        square = new
    return X
