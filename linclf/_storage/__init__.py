"""Rows of X, dense or CSR, and the verbs that kernels use on a block of them.

The weights that a kernel sees are in training coordinates:

`Dense`  ``V (n_classes, n_features + 1)`` for rows ``[(x - centre) * factor, constant]``. Blocks
         are copied into a buffer Z that stays in the cache, and BLAS multiplies it.
`CSR`    ``V (n_features + 1, n_classes)``, so that a stored value touches n_classes contiguous
         numbers, for rows ``[x * factor, constant]``. In `descend`, ``V[:-1]`` is held as
         ``scale * V``, so that the penalty costs one multiplication a step; the few features whose
         penalty is not the ``common`` one are put right one by one.

The last feature is the constant whose weight is the intercept. It carries no penalty.

verbs: `gather` a block, `scale_row` one of it, its `products` with the weights, the `gradient` from
those, `descend` (the step of plain SGD without a gradient array, sparse only), `square_norms` of
the classes, `step` of an optimizer. Blocks are rows ``ids`` of X; S (rows, n_classes) holds
products, then gradients.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from linclf._numba import compiled_fast, generic
from linclf.optimizers import step_row

AHEAD = 4  # rows between asking for one and reading it
BLOCK, WIDE_BLOCK, WIDE = 64, 256, 32  # rows of a block, and those from so many classes on


class Dense(NamedTuple):
    X: np.ndarray
    centre: np.ndarray
    factor: np.ndarray


class CSR(NamedTuple):
    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    common: float  # the penalty of all features but those in `odd`
    odd: np.ndarray
    scale: np.ndarray  # (1,) float64, the factor of V during `descend`


class Block(NamedTuple):
    """Buffers for a block of rows: contents (dense), products, factor and squared norm of each,
    and the gradient."""

    Z: np.ndarray
    S: np.ndarray
    factors: np.ndarray
    square_norms: np.ndarray
    G: np.ndarray


def read_only(array):
    """A view that cannot be written, so that kernels have one signature for both kinds."""
    view = array.view()
    view.flags.writeable = False
    return view


def block_rows(n_classes):
    """Rows of a block: few, so that they stay in the cache, but enough for BLAS."""
    return WIDE_BLOCK if n_classes >= WIDE else BLOCK


def block(rows, n_rows, n_features, n_classes, dtype):
    width = 0 if isinstance(rows, CSR) else n_features + 1
    return Block(
        np.zeros((n_rows, width), dtype),
        np.zeros((n_rows, n_classes), dtype),
        np.ones(n_rows, dtype),
        np.zeros(n_rows, dtype),
        np.zeros((n_classes, width), dtype),
    )


@generic
def gather(rows, constant, ids, block):
    """Bring rows ``ids`` into the block: contents where dense, squared norms."""


@generic
def scale_row(rows, block, r, factor):
    """Multiply row r of the block, the constant included."""


@generic
def products(rows, constant, ids, V, block):
    """block.S[r, k] = w_k . x_r for the rows gathered."""


@generic
def gradient(rows, constant, ids, block, G, first):
    """Add the gradient of the block to G, with block.S that for the products; the first one overwrites G."""


@generic
def descend(rows, constant, ids, block, V, step, penalty):
    """Plain SGD: V <- (V - step * gradient) / (1 + step * penalty), no gradient array."""


@generic
def settle(rows, V):
    """After `descend`: leave V as the weights themselves, nothing held back."""


@generic
def square_norms(rows, V, out):
    """out[k] = |w_k|^2."""


@generic
def subtract_radial(rows, V, radial, G):
    """G_k -= radial_k w_k."""


@generic
def step(rows, V, G, slots, optimizer, lengths, penalty):
    """One step of an optimizer on all weights; lengths = (step size, count)."""


@generic
def product_of(rows, constant, ids, block, r, V, k):
    """w_k . x_r for one row gathered and one class."""


@generic
def step_of(rows, constant, ids, block, r, slope, V, slots, k, optimizer, lengths, penalty, work):
    """One step of an optimizer on the weights of class k that row r touches; its gradient is slope * x_r.

    The penalty of feature j there is ``penalty[k] * work.features[j]``.
    """


# ---------------------------------------------------------------- dense


@intrinsic
def _prefetch(typing_context, X, i, j):
    """Tell the processor that X[i, j] will be read soon."""

    def generate(context, builder, signature, arguments):
        X = context.make_array(signature.args[0])(context, builder, arguments[0])
        shape, strides = (cgutils.unpack_tuple(builder, each, 2) for each in (X.shape, X.strides))
        at = [context.cast(builder, arguments[k], signature.args[k], types.intp) for k in (1, 2)]
        address = cgutils.get_item_pointer2(context, builder, X.data, shape, strides, "C", at)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        to_read, keep_in_second_level, data = number(0), number(2), number(1)
        builder.call(function, [builder.bitcast(address, byte), to_read, keep_in_second_level, data])

    return types.void(X, i, j), generate


if config.DISABLE_JIT:

    def _prefetch(X, i, j):
        pass


@compiled_fast
def _load_row(x, centre, factor, z):
    square = z.dtype.type(0)
    for j in range(x.size):
        value = (x[j] - centre[j]) * factor[j]
        z[j] = value
        square += value * value
    return square


@gather.register(Dense)
def gather_dense(rows, constant, ids, block):
    """Rows in random order come from memory at half the speed unless they are asked for in advance."""
    X, Z = rows.X, block.Z
    last, constant, line = Z.shape[1] - 1, Z.dtype.type(constant), 64 // X.itemsize
    for r in range(ids.size):
        if r + AHEAD < ids.size:
            for j in range(0, X.shape[1], line):
                _prefetch(X, ids[r + AHEAD], j)
        block.square_norms[r] = _load_row(X[ids[r]], rows.centre, rows.factor, Z[r]) + constant * constant
        Z[r, last] = constant


@scale_row.register(Dense)
def scale_row_dense(rows, block, r, factor):
    factor = block.Z.dtype.type(factor)
    for j in range(block.Z.shape[1]):
        block.Z[r, j] *= factor
    block.square_norms[r] *= factor * factor


@products.register(Dense)
def products_dense(rows, constant, ids, V, block):
    np.dot(block.Z[: ids.size], V.T, block.S[: ids.size])


@gradient.register(Dense)
def gradient_dense(rows, constant, ids, block, G, first):
    if first:
        np.dot(block.S[: ids.size].T, block.Z[: ids.size], G)
    else:
        np.dot(block.S[: ids.size].T, block.Z[: ids.size], block.G)
        for k in range(G.shape[0]):
            for j in range(G.shape[1]):
                G[k, j] += block.G[k, j]


@square_norms.register(Dense)
def square_norms_dense(rows, V, out):
    for k in range(out.size):
        total = 0.0
        for j in range(V.shape[1]):
            total += V[k, j] * V[k, j]
        out[k] = total


@subtract_radial.register(Dense)
def subtract_radial_dense(rows, V, radial, G):
    for k in range(radial.size):
        for j in range(V.shape[1]):
            G[k, j] -= radial[k] * V[k, j]


@step.register(Dense)
def step_dense(rows, V, G, slots, optimizer, lengths, penalty):
    for k in range(V.shape[0]):
        step_row(optimizer, V[k], G[k], slots[k], lengths[0], lengths[1], penalty)


@compiled_fast
def _dot(x, y):
    total = x.dtype.type(0)
    for j in range(x.size):
        total += x[j] * y[j]
    return total


@product_of.register(Dense)
def product_of_dense(rows, constant, ids, block, r, V, k):
    return _dot(block.Z[r], V[k])


@step_of.register(Dense)
def step_of_dense(rows, constant, ids, block, r, slope, V, slots, k, optimizer, lengths, penalty, work):
    slope, share = V.dtype.type(slope), V.dtype.type(penalty[k])
    for j in range(V.shape[1]):
        work.gradient[j] = slope * block.Z[r, j]
        work.penalty[j] = share * work.features[j]
    step_row(optimizer, V[k], work.gradient, slots[k], lengths[0], lengths[1], work.penalty)


# ---------------------------------------------------------------- CSR


@compiled_fast
def _axpy(a, x, y):
    for k in range(x.size):
        y[k] += a * x[k]


@gather.register(CSR)
def gather_csr(rows, constant, ids, block):
    for r in range(ids.size):
        square = block.S.dtype.type(constant * constant)
        for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
            square += rows.data[at] * rows.data[at]
        block.factors[r] = 1
        block.square_norms[r] = square


@scale_row.register(CSR)
def scale_row_csr(rows, block, r, factor):
    block.factors[r] = factor
    block.square_norms[r] *= block.factors[r] * block.factors[r]


@products.register(CSR)
def products_csr(rows, constant, ids, V, block):
    last = V.shape[0] - 1
    scale = V.dtype.type(rows.scale[0])
    line = 64 // V.itemsize
    for r in range(ids.size):
        row = block.S[r]
        row[:] = 0
        if r + 1 < ids.size:
            for at in range(rows.indptr[ids[r + 1]], rows.indptr[ids[r + 1] + 1]):
                for k in range(0, V.shape[1], line):
                    _prefetch(V, rows.indices[at], k)
        for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
            _axpy(rows.data[at], V[rows.indices[at]], row)
        factor, own = block.factors[r], V.dtype.type(constant)
        for k in range(row.size):
            row[k] = factor * (scale * row[k] + own * V[last, k])


@gradient.register(CSR)
def gradient_csr(rows, constant, ids, block, G, first):
    last = G.shape[0] - 1
    if first:
        G[:] = 0
    for r in range(ids.size):
        factor, row = block.factors[r], block.S[r]
        for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
            _axpy(factor * rows.data[at], row, G[rows.indices[at]])
        _axpy(factor * G.dtype.type(constant), row, G[last])


@descend.register(CSR)
def descend_csr(rows, constant, ids, block, V, step, penalty):
    last = V.shape[0] - 1
    unit = V.dtype.type(-step / rows.scale[0])
    for r in range(ids.size):
        row = block.S[r]
        for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
            _axpy(unit * rows.data[at], row, V[rows.indices[at]])
        _axpy(V.dtype.type(-step * constant), row, V[last])
    shrink = 1.0 + step * rows.common
    rows.scale[0] /= shrink
    for j in rows.odd:
        change = V.dtype.type(shrink / (1.0 + step * penalty[j]))
        for k in range(V.shape[1]):
            V[j, k] *= change
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
    same = np.empty(V.shape[1], penalty.dtype)
    for j in range(V.shape[0]):
        if j == 0 or penalty[j] != penalty[j - 1]:
            same[:] = penalty[j]
        step_row(optimizer, V[j], G[j], slots[j], lengths[0], lengths[1], same)


@product_of.register(CSR)
def product_of_csr(rows, constant, ids, block, r, V, k):
    total = V.dtype.type(constant) * V[V.shape[0] - 1, k]
    for at in range(rows.indptr[ids[r]], rows.indptr[ids[r] + 1]):
        total += rows.data[at] * V[rows.indices[at], k]
    return total


@step_of.register(CSR)
def step_of_csr(rows, constant, ids, block, r, slope, V, slots, k, optimizer, lengths, penalty, work):
    start, slope = rows.indptr[ids[r]], V.dtype.type(slope)
    n = rows.indptr[ids[r] + 1] - start
    for i in range(n + 1):
        j = rows.indices[start + i] if i < n else V.shape[0] - 1
        work.gradient[i] = slope * (rows.data[start + i] if i < n else V.dtype.type(constant))
        work.penalty[i] = penalty[k] * work.features[j]
        work.weights[i] = V[j, k]
        for slot in range(slots.shape[1]):
            work.slots[slot, i] = slots[j, slot, k]
    part = work.weights[: n + 1], work.gradient[: n + 1], work.slots[:, : n + 1]
    step_row(optimizer, part[0], part[1], part[2], lengths[0], lengths[1], work.penalty[: n + 1])
    for i in range(n + 1):
        j = rows.indices[start + i] if i < n else V.shape[0] - 1
        V[j, k] = work.weights[i]
        for slot in range(slots.shape[1]):
            slots[j, slot, k] = work.slots[slot, i]
