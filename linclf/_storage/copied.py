"""Dense rows for many classes, centred and scaled when they are copied into a block for BLAS."""

import numpy as np

from linclf._numba import bare, compiled_fast
from linclf._numba.intrinsics import prefetch
from linclf._storage.dense import Dense, square_norms_dense, subtract_radial_dense, update_dense
from linclf._storage.verbs import (
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
from linclf.optimizers import step_row

AHEAD = 4  # rows between the prefetch of a row and its use


class Copied(Dense):
    """Dense rows that are copied, centred and scaled, into a block Z for BLAS."""

    def copied(self) -> "Copied":
        return self

    def block_rows(self, n_classes: int) -> int:
        return rows_for_blas(n_classes)

    def block(self, n_rows: int, n_features: int, n_classes: int, dtype: np.dtype, copies: int = 1) -> Block:
        width = n_features + 1
        return empty_block(n_rows, copies * n_classes, dtype)._replace(
            Z=np.zeros((n_rows, width), dtype),
            G=np.zeros((n_classes, width), dtype),
            features=np.zeros((1, width), dtype),
        )


square_norms.register(Copied)(square_norms_dense)
subtract_radial.register(Copied)(subtract_radial_dense)
update.register(Copied)(update_dense)


@compiled_fast
def _load_row(x, centre, factor, z):
    for j in range(x.size):
        z[j] = (x[j] - centre[j]) * factor[j]


@gather.register(Copied)
def gather_copied(storage, constant, ids, block):
    """Rows are prefetched, as rows in random order otherwise come from memory at half the speed."""
    X, Z = storage.X, block.Z
    last, constant, line = Z.shape[1] - 1, Z.dtype.type(constant), 64 // X.itemsize
    for r in range(ids.size):
        if r + AHEAD < ids.size:
            for j in range(0, X.shape[1], line):
                prefetch(X, ids[r + AHEAD], j)
        _load_row(X[ids[r]], storage.centre, storage.factor, Z[r])
        block.square_norms[r] = storage.square_norms[ids[r]] + constant * constant
        Z[r, last] = constant


@scale_row.register(Copied)
def scale_row_copied(storage, block, r, factor):
    factor = block.Z.dtype.type(factor)
    for j in range(block.Z.shape[1]):
        block.Z[r, j] *= factor
    block.square_norms[r] *= factor * factor


@products.register(Copied)
def products_copied(storage, constant, ids, coming, V, block):
    Z, S = block.Z[: ids.size], block.S[: ids.size]
    if V.shape[0] == S.shape[1]:
        np.dot(Z, V.T, S)
        return
    column = block.lanes[0, : ids.size]  # BLAS needs a contiguous array
    for k in range(V.shape[0]):
        np.dot(Z, V[k], column)
        for r in range(ids.size):
            S[r, k] = column[r]


@bare
def _gradient_of_block(ids, block, G):
    Z, S = block.Z[: ids.size], block.S[: ids.size]
    if G.shape[0] == S.shape[1]:
        np.dot(S.T, Z, G)
        return
    column = block.lanes[0, : ids.size]
    for k in range(G.shape[0]):
        for r in range(ids.size):
            column[r] = S[r, k]
        np.dot(column, Z, G[k])


@gradient.register(Copied)
def gradient_copied(storage, constant, ids, block, G, first):
    if first:
        _gradient_of_block(ids, block, G)
    else:
        _gradient_of_block(ids, block, block.G)
        for k in range(G.shape[0]):
            for j in range(G.shape[1]):
                G[k, j] += block.G[k, j]


@descend.register(Copied)
def descend_copied(storage, constant, ids, block, V, step, penalty):
    _gradient_of_block(ids, block, block.G)
    for j in range(V.shape[1]):
        block.features[0, j] = step * penalty[j] / (1.0 + step * penalty[j])
    length = V.dtype.type(step)
    for k in range(V.shape[0]):
        for j in range(V.shape[1]):
            moved = V[k, j] - length * block.G[k, j]
            V[k, j] = moved - block.features[0, j] * moved


@settle.register(Copied)
def settle_copied(storage, V, block):
    pass


@fold.register(Copied)
def fold_copied(storage, V, block):
    pass


@unfold.register(Copied)
def unfold_copied(storage, G):
    pass


@compiled_fast
def _dot(x, y):
    total = x.dtype.type(0)
    for j in range(x.size):
        total += x[j] * y[j]
    return total


@product_of.register(Copied)
def product_of_copied(storage, row, V, k):
    return _dot(row.z, V[k])


@update_class.register(Copied)
def update_class_copied(storage, row, slope, state, k, optimizer, step, work):
    V = state.V
    slope, share = V.dtype.type(slope), V.dtype.type(work.classes[k])
    for j in range(V.shape[1]):
        work.gradient[j] = slope * row.z[j]
        work.penalty[j] = share * work.features[j]
    step_row(optimizer, V[k], work.gradient, state.slots[k], step, state.n_steps[0], work.penalty)


@bare
def _centre(x, centre, factor, z):
    for j in range(x.size):
        z[j] = (np.float64(x[j]) - centre[j]) * factor[j]


@compiled_fast
def _axpy(a, x, y):
    for j in range(x.size):
        y[j] += a * x[j]


@load_row.register(Copied)
def load_row_copied(storage, i, z):
    _centre(storage.X[i], storage.centre, storage.factor, z)
    return _dot(z, z)


@row_products.register(Copied)
def row_products_copied(storage, i, z, W, scores):
    for k in range(scores.size):
        scores[k] = _dot(z, W[k])


@add_row.register(Copied)
def add_row_copied(storage, i, z, shares, W):
    for k in range(shares.size):
        if shares[k] != 0.0:
            _axpy(shares[k], z, W[k])
