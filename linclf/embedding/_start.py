"""The weights at which training starts: directions in which classes differ, then those in which rows do."""

import numpy as np
from scipy import sparse
from scipy.linalg import eigh

from linclf._types import FloatArray, IntArray
from linclf.embedding._rows import Rows
from linclf.large._projection import RIDGE, conjugate_gradients

PASSES, MORE = 8, 8  # subspace iterations, and directions besides those that are wanted


def start(
    rows: Rows, y: IntArray | None, n_classes: int, n_components: int, rng: np.random.RandomState
) -> FloatArray:
    """Weights (n_components, d): discriminant directions, as many as there are, then principal axes.

    Both groups have components with the mean square 1 on average. They keep their proportions: a direction in
    which the rows hardly vary, multiplied by a large number, would be noise.
    """
    V = np.zeros((0, rows.matrix.shape[1]))
    if y is not None:
        V = discriminant(rows, y, n_classes, min(n_components, n_classes - 1), rng)
        V = _scaled(V, rows)
    return np.concatenate([V, _scaled(principal(rows, n_components - len(V), rng), rows)])


def _scaled(V: FloatArray, rows: Rows) -> FloatArray:
    size = np.sqrt(np.square(rows.products(V)).mean()) if len(V) else 0
    return V / size if size > 0 else V


def discriminant(
    rows: Rows, y: IntArray, n_classes: int, n_components: int, rng: np.random.RandomState
) -> FloatArray:
    """Roughly the first directions of regularised discriminant analysis, found as in `large._projection`."""
    n, n_features = rows.matrix.shape
    counts, ridge = np.bincount(y, minlength=n_classes), RIDGE * n_features  # rows have the mean square d
    root = np.sqrt(n / np.maximum(counts, 1))
    member = sparse.csr_array((root[y] / n, (y, np.arange(n))), shape=(n_classes, n))

    def second_moments(P: FloatArray) -> FloatArray:
        return rows.gradient(rows.products(P.T) / n).T + ridge * P

    def map_to(Q: FloatArray) -> tuple[FloatArray, FloatArray]:
        T = root[y][:, None] * Q[y]
        V = conjugate_gradients(second_moments, rows.gradient(T / n).T).T
        return V, rows.products(V)

    V, Z = map_to(np.linalg.qr(rng.standard_normal((n_classes, min(n_classes, n_components + MORE))))[0])
    for _ in range(PASSES - 1 if len(V) < n_classes else 0):
        V, Z = map_to(np.linalg.qr(member @ Z)[0])
    between, total = member @ Z, Z.T @ Z / n + ridge * V @ V.T
    # directions that are nearly the same are no more than one
    total += (1e-10 * np.trace(total) or 1.0) * np.eye(len(V))
    best = eigh(between.T @ between, total)[1][:, ::-1]
    return best[:, :n_components].T @ V


def principal(rows: Rows, n_components: int, rng: np.random.RandomState) -> FloatArray:
    """Roughly the first principal axes of centred rows, of length 1; random ones beyond the rank."""
    n, n_features = rows.matrix.shape
    Q = np.linalg.qr(rng.standard_normal((n_features, min(n_components + MORE, n_features))))[0]
    for _ in range(PASSES):
        Z = np.linalg.qr(rows.products(Q.T))[0]
        Q[:, : Z.shape[1]] = np.linalg.qr(rows.gradient(Z).T)[0]
        Q = np.linalg.qr(Q)[0]
    axes = np.linalg.svd(rows.products(Q.T), full_matrices=n < Q.shape[1])[2]
    return (axes @ Q.T)[:n_components]
