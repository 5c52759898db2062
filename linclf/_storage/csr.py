"""Sparse rows: read in place; a stored value touches the weights of its feature for all classes."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse
from sklearn.utils.extmath import row_norms

from linclf._numba import bare, compiled_fast
from linclf._numba.intrinsics import prefetch
from linclf._storage.verbs import (
    IN_CACHE,
    Block,
    add_row,
    descend,
    empty_block,
    fold,
    gather,
    gradient,
    load_row,
    product_of,
    products,
    read_only,
    row_products,
    rows_for_blas,
    scale_row,
    settle,
    square_norms,
    subtract_radial,
    unfold,
    update,
    update_class,
)
from linclf._types import FloatArray, IntArray, Matrix
from linclf.optimizers import step_row


class CSR(NamedTuple):
    """Canonical CSR arrays of X, |x|^2 of each row, and how the penalty is held in `descend`."""

    data: FloatArray
    indices: IntArray
    indptr: IntArray
    square_norms: FloatArray
    shared_penalty: float  # of all features but the exceptions
    exceptions: IntArray  # features with another penalty
    scale: FloatArray  # (1,) float64, the factor of V during `descend`

    @staticmethod
    def by_classes(V: FloatArray) -> FloatArray:
        return V.T

    @staticmethod
    def penalty_of(squares: FloatArray, penalty: FloatArray, part: slice) -> float:
        return float((penalty[part] @ squares).sum())

    def rows(self, ids: IntArray, n_features: int, constant: float, dtype: DTypeLike = np.float64) -> Matrix:
        shape = len(self.indptr) - 1, n_features
        X = sparse.csr_array((self.data, self.indices, self.indptr), shape=shape)
        return sparse.hstack([X[ids].astype(dtype), np.full((len(ids), 1), constant, dtype)], format="csr")

    def scaled(self, Z: sparse.csr_array) -> sparse.csr_array:
        return Z

    def weakest(self, penalty: FloatArray) -> float:
        return self.shared_penalty

    def with_penalty(self, ratio: float) -> Self:
        return self._replace(shared_penalty=ratio * self.shared_penalty)

    def feature_shares(self, n_features: int) -> FloatArray:
        return np.bincount(self.indices, minlength=n_features) / (len(self.indptr) - 1)

    def of_rows(self, ids: IntArray) -> tuple["CSR", IntArray]:
        """Some rows with only the features that they have, and these features."""
        size = np.diff(self.indptr)[ids]
        starts = np.append(0, np.cumsum(size)).astype(self.indptr.dtype)
        where = np.repeat(self.indptr[ids] - starts[:-1], size) + np.arange(starts[-1])
        features, indices = np.unique(self.indices[where], return_inverse=True)
        arrays = self.data[where], indices.astype(self.indices.dtype), starts
        data, indices, indptr = (read_only(array) for array in arrays)
        rows = self._replace(data=data, indices=indices, indptr=indptr, square_norms=self.square_norms[ids])
        return rows, features

    def longest_row(self, width: int) -> int:
        return int(np.diff(self.indptr).max(initial=0)) + 1

    def copied(self) -> "CSR":
        return self

    def with_factor(self, factor: FloatArray) -> "CSR":
        return self

    def block_rows(self, n_classes: int) -> int:
        return rows_for_blas(n_classes)

    def block(self, n_rows: int, n_features: int, n_classes: int, dtype: np.dtype, copies: int = 1) -> Block:
        return empty_block(n_rows, copies * n_classes, dtype)


def sparse_storage(X: sparse.csr_array, shared_penalty: float, exceptions: IntArray) -> CSR:
    """Rows of X in place."""
    arrays = read_only(X.data), read_only(X.indices), read_only(X.indptr)
    square_norms = row_norms(X, squared=True).astype(X.dtype, copy=False)
    return CSR(*arrays, square_norms, shared_penalty, exceptions, np.ones(1))


@compiled_fast
def _axpy(a, x, y):
    for k in range(x.size):
        y[k] += a * x[k]


# For one or two classes a loop would cost more than its body, so these have separate functions. Sums keep
# their order, as it takes longer to make vectors of weights that are not contiguous. An unsigned index
# cannot count from the end, which saves a check.


@bare
def _one_product(storage, start, stop, V):
    total = V.dtype.type(0)
    for at in range(start, stop):
        total += storage.data[at] * V[np.uint64(storage.indices[at]), 0]
    return total


@bare
def _add_to_one(storage, start, stop, share, V):
    for at in range(start, stop):
        V[np.uint64(storage.indices[at]), 0] += share * storage.data[at]


@bare
def _two_products(storage, start, stop, V, scores):
    one, two = scores.dtype.type(0), scores.dtype.type(0)
    for at in range(start, stop):
        value, weights = storage.data[at], V[np.uint64(storage.indices[at])]
        one += value * weights[0]
        two += value * weights[1]
    scores[0], scores[1] = one, two


@bare
def _add_to_two(storage, start, stop, share, scores, V):
    one, two = scores[0], scores[1]
    for at in range(start, stop):
        value, weights = share * storage.data[at], V[np.uint64(storage.indices[at])]
        weights[0] += value * one
        weights[1] += value * two


@compiled_fast
def _products_of(storage, start, stop, V, row):
    row[:] = 0
    for at in range(start, stop):
        _axpy(storage.data[at], V[np.uint64(storage.indices[at])], row)


@compiled_fast
def _add_row(storage, start, stop, share, row, V):
    for at in range(start, stop):
        _axpy(share * storage.data[at], row, V[np.uint64(storage.indices[at])])


@bare
def _add_any_row(storage, start, stop, share, scores, V):
    """V[j] += share * x_j * scores for the features of a row of X."""
    if V.shape[1] == 1:
        _add_to_one(storage, start, stop, share * scores[0], V)
    elif V.shape[1] == 2:
        _add_to_two(storage, start, stop, share, scores, V)
    else:
        _add_row(storage, start, stop, share, scores, V)


@gather.register(CSR)
def gather_csr(storage, constant, ids, block):
    square = block.S.dtype.type(constant * constant)
    for r in range(ids.size):
        block.factors[r] = 1
        block.square_norms[r] = storage.square_norms[ids[r]] + square


@scale_row.register(CSR)
def scale_row_csr(storage, block, r, factor):
    block.factors[r] = factor
    block.square_norms[r] *= block.factors[r] * block.factors[r]


@products.register(CSR)
def products_csr(storage, constant, ids, coming, V, block):
    last, n_classes = V.shape[0] - 1, V.shape[1]
    scale = V.dtype.type(storage.scale[0])
    line, far = 64 // V.itemsize, V.nbytes > IN_CACHE
    for r in range(ids.size):
        row = block.S[r, :n_classes]
        start, stop = storage.indptr[ids[r]], storage.indptr[ids[r] + 1]
        if far and r + 1 < ids.size:
            for at in range(storage.indptr[ids[r + 1]], storage.indptr[ids[r + 1] + 1]):
                for k in range(0, n_classes, line):
                    prefetch(V, storage.indices[at], k)
        if n_classes == 1:
            row[0] = _one_product(storage, start, stop, V)
        elif n_classes == 2:
            _two_products(storage, start, stop, V, row)
        else:
            _products_of(storage, start, stop, V, row)
        factor, own = block.factors[r], V.dtype.type(constant)
        for k in range(row.size):
            row[k] = factor * (scale * row[k] + own * V[last, k])


@gradient.register(CSR)
def gradient_csr(storage, constant, ids, block, G, first):
    last = G.shape[0] - 1
    if first:
        G[:] = 0
    for r in range(ids.size):
        factor, row = block.factors[r], block.S[r, : G.shape[1]]
        _add_any_row(storage, storage.indptr[ids[r]], storage.indptr[ids[r] + 1], factor, row, G)
        _axpy(factor * G.dtype.type(constant), row, G[last])


@descend.register(CSR)
def descend_csr(storage, constant, ids, block, V, step, penalty):
    last = V.shape[0] - 1
    unit = V.dtype.type(-step / storage.scale[0])
    for r in range(ids.size):
        row = block.S[r, : V.shape[1]]
        _add_any_row(storage, storage.indptr[ids[r]], storage.indptr[ids[r] + 1], unit, row, V)
        _axpy(V.dtype.type(-step * constant), row, V[last])
    shrink = 1.0 + step * storage.shared_penalty
    storage.scale[0] /= shrink
    for j in storage.exceptions:
        change = V.dtype.type(shrink / (1.0 + step * penalty[j]))
        for k in range(V.shape[1]):
            V[j, k] *= change
    if storage.scale[0] < 1e-8:
        settle(storage, V, block)


@fold.register(CSR)
def fold_csr(storage, V, block):
    pass


@unfold.register(CSR)
def unfold_csr(storage, G):
    pass


@settle.register(CSR)
def settle_csr(storage, V, block):
    scale = V.dtype.type(storage.scale[0])
    if storage.scale[0] != 1.0:
        for j in range(V.shape[0] - 1):
            for k in range(V.shape[1]):
                V[j, k] *= scale
        storage.scale[0] = 1.0


@square_norms.register(CSR)
def square_norms_csr(storage, V, out):
    out[:] = 0
    for j in range(V.shape[0]):
        for k in range(out.size):
            out[k] += V[j, k] * V[j, k]


@subtract_radial.register(CSR)
def subtract_radial_csr(storage, V, radial, G):
    for j in range(V.shape[0]):
        for k in range(radial.size):
            G[j, k] -= radial[k] * V[j, k]


@update.register(CSR)
def update_csr(storage, state, optimizer, step, penalty):
    V, G, slots, count = state.V, state.G, state.slots, state.n_steps[0]
    same = np.empty(V.shape[1], penalty.dtype)
    for j in range(V.shape[0]):
        if j == 0 or penalty[j] != penalty[j - 1]:
            same[:] = penalty[j]
        step_row(optimizer, V[j], G[j], slots[j], step, count, same)


@product_of.register(CSR)
def product_of_csr(storage, row, V, k):
    total = V.dtype.type(row.constant) * V[V.shape[0] - 1, k]
    for at in range(storage.indptr[row.id], storage.indptr[row.id + 1]):
        total += storage.data[at] * V[storage.indices[at], k]
    return total


@update_class.register(CSR)
def update_class_csr(storage, row, slope, state, k, optimizer, step, work):
    V, slots = state.V, state.slots
    start, slope = storage.indptr[row.id], V.dtype.type(slope)
    n = storage.indptr[row.id + 1] - start
    for i in range(n + 1):
        j = storage.indices[start + i] if i < n else V.shape[0] - 1
        work.gradient[i] = slope * (storage.data[start + i] if i < n else V.dtype.type(row.constant))
        work.penalty[i] = work.classes[k] * work.features[j]
        work.weights[i] = V[j, k]
        for slot in range(slots.shape[1]):
            work.slots[slot, i] = slots[j, slot, k]
    weights, gradient, penalty = work.weights[: n + 1], work.gradient[: n + 1], work.penalty[: n + 1]
    step_row(optimizer, weights, gradient, work.slots[:, : n + 1], step, state.n_steps[0], penalty)
    for i in range(n + 1):
        j = storage.indices[start + i] if i < n else V.shape[0] - 1
        V[j, k] = work.weights[i]
        for slot in range(slots.shape[1]):
            slots[j, slot, k] = work.slots[slot, i]


@load_row.register(CSR)
def load_row_csr(storage, i, z):
    square = 0.0
    for at in range(storage.indptr[i], storage.indptr[i + 1]):
        value = np.float64(storage.data[at])
        square += value * value
    return square


@row_products.register(CSR)
def row_products_csr(storage, i, z, W, scores):
    start, stop = storage.indptr[i], storage.indptr[i + 1]
    if scores.size == 1:
        scores[0] = _one_product(storage, start, stop, W)
    else:
        _products_of(storage, start, stop, W, scores)


@add_row.register(CSR)
def add_row_csr(storage, i, z, shares, W):
    _add_any_row(storage, storage.indptr[i], storage.indptr[i + 1], 1.0, shares, W)
