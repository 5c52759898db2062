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
from linclf._types import FloatArray, IntArray
from linclf.optimizers import step_row

AHEAD = 4  # rows between asking for one and reading it


class Dense(NamedTuple):
    """C-ordered X for rows ``[(x - centre) * factor, constant]``."""

    X: FloatArray
    centre: FloatArray
    factor: FloatArray

    @staticmethod
    def by_classes(V: FloatArray) -> FloatArray:
        return V

    @staticmethod
    def penalty_of(squares: FloatArray, penalty: FloatArray, part: slice) -> float:
        return float((squares @ penalty).sum())

    def rows(self, ids: IntArray, n_features: int, constant: float) -> FloatArray:
        Z = (self.X[ids] - self.centre) * self.factor.astype(np.float64)
        return np.hstack([Z, np.full((len(ids), 1), constant)])

    def scaled(self, Z: FloatArray) -> FloatArray:
        Z -= self.centre
        Z *= self.factor
        return Z

    def weakest(self, penalty: FloatArray) -> float:
        return penalty[:-1].min(initial=np.inf)

    def feature_shares(self, n_features: int) -> FloatArray:
        return np.ones(n_features)

    def longest_row(self, width: int) -> int:
        return width

    def copied_width(self, n_features: int) -> int:
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
    V, G, slots, count = state.V, state.G, state.slots, state.n_steps[0]
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
    step_row(optimizer, V[k], work.gradient, state.slots[k], step, state.n_steps[0], work.penalty)
