"""The weights at which training starts: directions in which classes differ, then those in which rows do."""

import numpy as np

from linclf._data.targets import Labels
from linclf._types import FloatArray, IntArray
from linclf.embedding._rows import Rows
from linclf.large._projection import supervised

PASSES, MORE = 8, 8  # subspace iterations, and directions besides those that are wanted


def start(
    rows: Rows,
    y: IntArray | None,
    n_classes: int,
    n_components: int,
    rng: np.random.RandomState,
) -> FloatArray:
    """Weights (n_components, d); each component has the mean square 1."""
    n, n_features = rows.matrix.shape
    V = np.zeros((0, n_features), rows.matrix.dtype)
    if y is not None:
        V = supervised(rows.matrix, Labels(y, n_classes), np.ones(n), min(n_components, n_classes - 1))
    V = np.concatenate([V, principal(rows, n_components - len(V), rng)])
    Z = rows.products(V)
    size = np.sqrt(np.square(Z).mean(axis=0))
    return V / np.where(size > 0, size, 1)[:, None]


def principal(rows: Rows, n_components: int, rng: np.random.RandomState) -> FloatArray:
    """Roughly the first principal axes of centred rows, of length 1; random ones beyond the rank."""
    n, n_features = rows.matrix.shape
    Q = np.linalg.qr(rng.standard_normal((n_features, min(n_components + MORE, n_features))))[0]
    Q = Q.astype(rows.matrix.dtype)
    for _ in range(PASSES):
        Z = np.linalg.qr(rows.products(np.ascontiguousarray(Q.T)))[0]
        Q[:, : Z.shape[1]] = np.linalg.qr(rows.gradient(Z).T)[0]
    Z = rows.products(np.ascontiguousarray(Q.T))
    axes = np.linalg.svd(Z)[2] if n < Q.shape[1] else np.linalg.svd(Z, full_matrices=False)[2]
    return np.ascontiguousarray((axes @ Q.T)[:n_components])
