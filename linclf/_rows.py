"""Rows of X, dense or CSR, and the verbs that kernels use on a block of them.

The weights that a kernel sees are in training coordinates:

`Dense`  ``V (n_classes, n_features + 1)`` for rows ``[(x - centre) * factor, constant]``.
         Blocks are copied into a buffer Z that stays in the cache, and a loop of our own handles
         eight rows at a time: one load of a weight serves eight rows, and one read-modify-write
         takes eight rows.
`DenseBlas`  the same with BLAS, which is faster from about 32 classes and 64 rows a block.
`CSR`    ``V (n_features + 1, n_classes)``, so that a stored value touches n_classes contiguous
         numbers; rows are used as they are. In `descend`, ``V[:-1]`` is held as ``scale * V``, so
         that the penalty costs one multiplication a step.

The last feature is the constant whose weight is the intercept. It carries no penalty.

verbs: `gather` a block, its `products` with the weights, `add_gradient` of a block, `descend` (the
step of plain SGD without a gradient array), `square_norms` of the classes, `step` of an optimizer.
Blocks are rows ``ids`` of X; S (rows, n_classes) holds products, then gradients.
"""

from typing import NamedTuple

import numpy as np

from linclf._numba import compiled_fast, generic
from linclf.heads import row_factor
from linclf.optimizers import step_row

TILE = 8
BLOCK = 256


class Dense(NamedTuple):
    X: np.ndarray
    centre: np.ndarray
    factor: np.ndarray


class DenseBlas(NamedTuple):
    X: np.ndarray
    centre: np.ndarray
    factor: np.ndarray


class CSR(NamedTuple):
    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    scale: np.ndarray  # (1,) float64, the factor of V during `descend`


class Block(NamedTuple):
    """Buffers for a block of rows: contents (dense), products, factor and squared norm of each.

    Z has one row more than S, a spare one for `descend`.
    """

    Z: np.ndarray
    S: np.ndarray
    factors: np.ndarray
    square_norms: np.ndarray


def read_only(array):
    """A view that cannot be written, so that kernels have one signature for both kinds."""
    view = array.view()
    view.flags.writeable = False
    return view


def block(rows, n_rows, n_features, n_classes, dtype):
    n_rows = -(-n_rows // TILE) * TILE
    width = 0 if isinstance(rows, CSR) else n_features + 1
    return Block(
        np.zeros((n_rows + 1, width), dtype),
        np.zeros((n_rows, n_classes), dtype),
        np.ones(n_rows, dtype),
        np.zeros(n_rows, dtype),
    )


@generic
def gather(rows, head, ids, block):
    """Bring rows ``ids`` into the block: contents where dense, factor and squared norm."""


@generic
def products(rows, head, ids, V, block):
    """block.S[r, k] = w_k . x_r for the rows gathered."""


@generic
def add_gradient(rows, head, ids, block, G):
    """G += the gradient of the block, with block.S the gradient for the products."""


@generic
def descend(rows, head, ids, block, V, step, penalty):
    """Plain SGD: V <- (V - step * gradient) / (1 + step * penalty), no gradient array."""


@generic
def settle(rows, V):
    """After `descend`: leave V as the weights themselves, nothing held back."""


@generic
def square_norms(rows, V, out):
    """out[k] = |w_k|^2; an empty out asks for nothing."""


@generic
def subtract_radial(rows, V, radial, G):
    """G_k -= radial_k w_k; an empty radial asks for nothing."""


@generic
def step(rows, V, G, slots, optimizer, lengths, penalty):
    """One step of an optimizer on all weights; lengths = (step size, count)."""


# ---------------------------------------------------------------- dense


@compiled_fast
def _load_tile(X, ids, centre, factor, Z, square_norms):
    """Bring eight rows at once: eight streams of memory are faster than one after the other."""
    q0 = q1 = q2 = q3 = q4 = q5 = q6 = q7 = Z.dtype.type(0)
    i0, i1, i2, i3, i4, i5, i6, i7 = ids
    for j in range(centre.size):
        c, f = centre[j], factor[j]
        z0, z1, z2, z3 = (X[i0, j] - c) * f, (X[i1, j] - c) * f, (X[i2, j] - c) * f, (X[i3, j] - c) * f
        z4, z5, z6, z7 = (X[i4, j] - c) * f, (X[i5, j] - c) * f, (X[i6, j] - c) * f, (X[i7, j] - c) * f
        Z[0, j], Z[1, j], Z[2, j], Z[3, j] = z0, z1, z2, z3
        Z[4, j], Z[5, j], Z[6, j], Z[7, j] = z4, z5, z6, z7
        q0, q1, q2, q3 = q0 + z0 * z0, q1 + z1 * z1, q2 + z2 * z2, q3 + z3 * z3
        q4, q5, q6, q7 = q4 + z4 * z4, q5 + z5 * z5, q6 + z6 * z6, q7 + z7 * z7
    square_norms[0], square_norms[1], square_norms[2], square_norms[3] = q0, q1, q2, q3
    square_norms[4], square_norms[5], square_norms[6], square_norms[7] = q4, q5, q6, q7


@compiled_fast
def _scale_row(row, factor):
    for j in range(row.size):
        row[j] *= factor


@gather.register(DenseBlas)
@gather.register(Dense)
def gather_dense(rows, head, ids, block):
    Z, squares, end = block.Z, block.square_norms, ids.size - 1
    last = Z.shape[1] - 1
    constant = Z.dtype.type(head.intercept)
    for s in range(0, ids.size, TILE):  # a last tile that is not full repeats its last row
        eight = (
            ids[s],
            ids[min(s + 1, end)],
            ids[min(s + 2, end)],
            ids[min(s + 3, end)],
            ids[min(s + 4, end)],
            ids[min(s + 5, end)],
            ids[min(s + 6, end)],
            ids[min(s + 7, end)],
        )
        _load_tile(rows.X, eight, rows.centre, rows.factor, Z[s : s + TILE], squares[s : s + TILE])
        for r in range(s, s + TILE):
            Z[r, last] = constant
            squares[r] += constant * constant
            factor = Z.dtype.type(row_factor(head, squares[r]))
            if factor != 1:
                _scale_row(Z[r], factor)
                squares[r] *= factor * factor


@compiled_fast
def _tile_products(Z, V, S):
    """Two classes at a time; with an odd number the last one is paired with itself."""
    z0, z1, z2, z3, z4, z5, z6, z7 = Z[0], Z[1], Z[2], Z[3], Z[4], Z[5], Z[6], Z[7]
    for k in range(0, V.shape[0], 2):
        m = min(k + 1, V.shape[0] - 1)
        v, w = V[k], V[m]
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = V.dtype.type(0)
        t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = V.dtype.type(0)
        for j in range(v.size):
            s0 += v[j] * z0[j]
            t0 += w[j] * z0[j]
            s1 += v[j] * z1[j]
            t1 += w[j] * z1[j]
            s2 += v[j] * z2[j]
            t2 += w[j] * z2[j]
            s3 += v[j] * z3[j]
            t3 += w[j] * z3[j]
            s4 += v[j] * z4[j]
            t4 += w[j] * z4[j]
            s5 += v[j] * z5[j]
            t5 += w[j] * z5[j]
            s6 += v[j] * z6[j]
            t6 += w[j] * z6[j]
            s7 += v[j] * z7[j]
            t7 += w[j] * z7[j]
        S[0, k], S[1, k], S[2, k], S[3, k] = s0, s1, s2, s3
        S[4, k], S[5, k], S[6, k], S[7, k] = s4, s5, s6, s7
        S[0, m], S[1, m], S[2, m], S[3, m] = t0, t1, t2, t3
        S[4, m], S[5, m], S[6, m], S[7, m] = t4, t5, t6, t7


@products.register(Dense)
def products_dense(rows, head, ids, V, block):
    for s in range(0, ids.size, TILE):
        _tile_products(block.Z[s : s + TILE], V, block.S[s : s + TILE])


@products.register(DenseBlas)
def products_blas(rows, head, ids, V, block):
    np.dot(block.Z[: ids.size], V.T, block.S[: ids.size])


@compiled_fast
def _tile_gradient(Z, S, G):
    for k in range(G.shape[0]):
        g0, g1, g2, g3 = S[0, k], S[1, k], S[2, k], S[3, k]
        g4, g5, g6, g7 = S[4, k], S[5, k], S[6, k], S[7, k]
        z0, z1, z2, z3, z4, z5, z6, z7 = Z[0], Z[1], Z[2], Z[3], Z[4], Z[5], Z[6], Z[7]
        row = G[k]
        for j in range(row.size):
            row[j] += (g0 * z0[j] + g1 * z1[j] + g2 * z2[j] + g3 * z3[j]) + (
                g4 * z4[j] + g5 * z5[j] + g6 * z6[j] + g7 * z7[j]
            )


@add_gradient.register(Dense)
def add_gradient_dense(rows, head, ids, block, G):
    for s in range(0, ids.size, TILE):
        _tile_gradient(block.Z[s : s + TILE], block.S[s : s + TILE], G)


@add_gradient.register(DenseBlas)
def add_gradient_blas(rows, head, ids, block, G):
    G += np.dot(block.S[: ids.size].T, block.Z[: ids.size])


@compiled_fast
def _tile_descend(Z, S, V, step, shrink):
    for k in range(V.shape[0]):
        g0, g1, g2, g3 = step * S[0, k], step * S[1, k], step * S[2, k], step * S[3, k]
        g4, g5, g6, g7 = step * S[4, k], step * S[5, k], step * S[6, k], step * S[7, k]
        z0, z1, z2, z3, z4, z5, z6, z7 = Z[0], Z[1], Z[2], Z[3], Z[4], Z[5], Z[6], Z[7]
        row = V[k]
        for j in range(row.size):
            change = (g0 * z0[j] + g1 * z1[j] + g2 * z2[j] + g3 * z3[j]) + (
                g4 * z4[j] + g5 * z5[j] + g6 * z6[j] + g7 * z7[j]
            )
            row[j] = (row[j] - change) * shrink[j]


@compiled_fast
def _shrink(step, penalty, out):
    for j in range(penalty.size):
        out[j] = 1 / (1 + step * penalty[j])


@descend.register(Dense)
def descend_dense(rows, head, ids, block, V, step, penalty):
    step = V.dtype.type(step)
    shrink = block.Z[block.S.shape[0]]  # the spare row
    _shrink(step, penalty, shrink)
    _tile_descend(block.Z, block.S, V, step, shrink)


@settle.register(Dense)
def settle_dense(rows, V):
    pass


@square_norms.register(DenseBlas)
@square_norms.register(Dense)
def square_norms_dense(rows, V, out):
    for k in range(out.size):
        total = 0.0
        for j in range(V.shape[1]):
            total += V[k, j] * V[k, j]
        out[k] = total


@subtract_radial.register(DenseBlas)
@subtract_radial.register(Dense)
def subtract_radial_dense(rows, V, radial, G):
    for k in range(radial.size):
        for j in range(V.shape[1]):
            G[k, j] -= radial[k] * V[k, j]


@step.register(DenseBlas)
@step.register(Dense)
def step_dense(rows, V, G, slots, optimizer, lengths, penalty):
    for k in range(V.shape[0]):
        step_row(optimizer, V[k], G[k], slots[k], lengths[0], lengths[1], penalty)


# ---------------------------------------------------------------- CSR


@compiled_fast
def _axpy(a, x, y):
    for k in range(x.size):
        y[k] += a * x[k]


@gather.register(CSR)
def gather_csr(rows, head, ids, block):
    for r in range(ids.size):
        square = block.S.dtype.type(head.intercept * head.intercept)
        for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
            square += rows.data[at] * rows.data[at]
        factor = block.S.dtype.type(row_factor(head, square))
        block.factors[r] = factor
        block.square_norms[r] = square * factor * factor


@products.register(CSR)
def products_csr(rows, head, ids, V, block):
    last = V.shape[0] - 1
    scale = V.dtype.type(rows.scale[0])
    for r in range(ids.size):
        row = block.S[r]
        row[:] = 0
        for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
            _axpy(rows.data[at], V[rows.indices[at]], row)
        factor, constant = block.factors[r], V.dtype.type(head.intercept)
        for k in range(row.size):
            row[k] = factor * (scale * row[k] + constant * V[last, k])


@add_gradient.register(CSR)
def add_gradient_csr(rows, head, ids, block, G):
    last = G.shape[0] - 1
    for r in range(ids.size):
        factor, row = block.factors[r], block.S[r]
        for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
            _axpy(factor * rows.data[at], row, G[rows.indices[at]])
        _axpy(factor * G.dtype.type(head.intercept), row, G[last])


@descend.register(CSR)
def descend_csr(rows, head, ids, block, V, step, penalty):
    last = V.shape[0] - 1
    unit = V.dtype.type(-step / rows.scale[0])
    for r in range(ids.size):
        row = block.S[r]
        for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
            _axpy(unit * rows.data[at], row, V[rows.indices[at]])
        _axpy(V.dtype.type(-step * head.intercept), row, V[last])
    rows.scale[0] /= 1.0 + step * penalty[0]
    if rows.scale[0] < 1e-8:
        settle(rows, V)


@settle.register(CSR)
def settle_csr(rows, V):
    scale = V.dtype.type(rows.scale[0])
    if rows.scale[0] != 1.0:
        for j in range(V.shape[0] - 1):
            for k in range(V.shape[1]):
                V[j, k] *= scale
        rows.scale[0] = 1.0


@square_norms.register(CSR)
def square_norms_csr(rows, V, out):
    out[:] = 0
    for j in range(V.shape[0]):
        for k in range(out.size):
            out[k] += V[j, k] * V[j, k]


@subtract_radial.register(CSR)
def subtract_radial_csr(rows, V, radial, G):
    for j in range(V.shape[0]):
        for k in range(radial.size):
            G[j, k] -= radial[k] * V[j, k]


@step.register(CSR)
def step_csr(rows, V, G, slots, optimizer, lengths, penalty):
    last = V.shape[0] - 1
    for j in range(last):
        step_row(optimizer, V[j], G[j], slots[j], lengths[0], lengths[1], penalty)
    step_row(optimizer, V[last], G[last], slots[last], lengths[0], lengths[1], np.zeros_like(penalty))
