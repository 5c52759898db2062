"""Dense rows: centred and scaled when they are copied into a block, which BLAS multiplies."""

from typing import NamedTuple

import numpy as np

from linclf._numba import compiled_fast
from linclf._numba.intrinsics import prefetch
from linclf._storage.verbs import (
    gather,
    gradient,
    product_of,
    products,
    scale_row,
    square_norms,
    subtract_radial,
    update,
    update_class,
)
from linclf.optimizers import step_row

AHEAD = 4  # rows between asking for one and reading it


class Dense(NamedTuple):
    """C-ordered X for rows ``[(x - centre) * factor, constant]``."""

    X: np.ndarray
    centre: np.ndarray
    factor: np.ndarray

    @staticmethod
    def by_classes(V: np.ndarray) -> np.ndarray:
        """Weights with a row for each class, from the layout of V or to it."""
        return V

    @staticmethod
    def penalty_of(squares: np.ndarray, penalty: np.ndarray, part: slice) -> float:
        """The penalty of a part of the rows of V, from their squares."""
        return float((squares @ penalty).sum())

    def rows(self, ids: np.ndarray, n_features: int, constant: float) -> np.ndarray:
        """Rows in training coordinates, float64, with the constant."""
        Z = (self.X[ids] - self.centre) * self.factor.astype(np.float64)
        return np.hstack([Z, np.full((len(ids), 1), constant)])

    def scaled(self, Z: np.ndarray) -> np.ndarray:
        """Rows of X, float64, in training coordinates."""
        Z -= self.centre
        Z *= self.factor
        return Z

    def weakest(self, penalty: np.ndarray) -> float:
        """The smallest penalty of a feature."""
        return penalty[:-1].min(initial=np.inf)

    def feature_shares(self, n_features: int) -> np.ndarray:
        """The share of the rows in which each feature occurs."""
        return np.ones(n_features)

    def longest_row(self, width: int) -> int:
        """The most weights of a class that one row touches; a row of V has ``width``."""
        return width

    def copied_width(self, n_features: int) -> int:
        """Columns of a row in a block."""
        return n_features + 1


@compiled_fast
def _load_row(x, centre, factor, z):
    square = z.dtype.type(0)
    for j in range(x.size):
        value = (x[j] - centre[j]) * factor[j]
        z[j] = value
        square += value * value
    return square


@gather.register(Dense)
def gather_dense(storage, constant, ids, block):
    """Rows in random order come from memory at half the speed unless they are asked for in advance."""
    X, Z = storage.X, block.Z
    last, constant, line = Z.shape[1] - 1, Z.dtype.type(constant), 64 // X.itemsize
    for r in range(ids.size):
        if r + AHEAD < ids.size:
            for j in range(0, X.shape[1], line):
                prefetch(X, ids[r + AHEAD], j)
        block.square_norms[r] = (
            _load_row(X[ids[r]], storage.centre, storage.factor, Z[r]) + constant * constant
        )
        Z[r, last] = constant


@scale_row.register(Dense)
def scale_row_dense(storage, block, r, factor):
    factor = block.Z.dtype.type(factor)
    for j in range(block.Z.shape[1]):
        block.Z[r, j] *= factor
    block.square_norms[r] *= factor * factor


@products.register(Dense)
def products_dense(storage, constant, ids, V, block):
    np.dot(block.Z[: ids.size], V.T, block.S[: ids.size])


@gradient.register(Dense)
def gradient_dense(storage, constant, ids, block, G, first):
    if first:
        np.dot(block.S[: ids.size].T, block.Z[: ids.size], G)
    else:
        np.dot(block.S[: ids.size].T, block.Z[: ids.size], block.G)
        for k in range(G.shape[0]):
            for j in range(G.shape[1]):
                G[k, j] += block.G[k, j]


@square_norms.register(Dense)
def square_norms_dense(storage, V, out):
    for k in range(out.size):
        total = 0.0
        for j in range(V.shape[1]):
            total += V[k, j] * V[k, j]
        out[k] = total


@subtract_radial.register(Dense)
def subtract_radial_dense(storage, V, radial, G):
    for k in range(radial.size):
        for j in range(V.shape[1]):
            G[k, j] -= radial[k] * V[k, j]


@update.register(Dense)
def update_dense(storage, state, optimizer, step, penalty):
    V, G, slots, count = state.V, state.G, state.slots, state.count[0]
    for k in range(V.shape[0]):
        step_row(optimizer, V[k], G[k], slots[k], step, count, penalty)


@compiled_fast
def _dot(x, y):
    total = x.dtype.type(0)
    for j in range(x.size):
        total += x[j] * y[j]
    return total


@product_of.register(Dense)
def product_of_dense(storage, row, V, k):
    return _dot(row.z, V[k])


@update_class.register(Dense)
def update_class_dense(storage, row, slope, state, k, optimizer, step, work):
    V = state.V
    slope, share = V.dtype.type(slope), V.dtype.type(work.classes[k])
    for j in range(V.shape[1]):
        work.gradient[j] = slope * row.z[j]
        work.penalty[j] = share * work.features[j]
    step_row(optimizer, V[k], work.gradient, state.slots[k], step, state.count[0], work.penalty)
