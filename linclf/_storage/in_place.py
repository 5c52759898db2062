"""Dense rows for few classes, read in place by `tiles`, which centre them on the fly.

The factors of the features are applied to the weights, ``w = factor * v``, and to the gradient.
"""

import numpy as np

from linclf._numba import bare
from linclf._numba.intrinsics import prefetch
from linclf._storage import tiles
from linclf._storage.copied import Copied
from linclf._storage.dense import Dense, square_norms_dense, subtract_radial_dense, update_dense
from linclf._storage.verbs import (
    BLOCK,
    Block,
    descend,
    empty_block,
    fold,
    gather,
    gradient,
    products,
    scale_row,
    settle,
    square_norms,
    subtract_radial,
    unfold,
    update,
)

BLOCK_BYTES, FEWEST_ROWS = 2**17, 16  # of a block, which stays in the second-level cache


class InPlace(Dense):
    """Dense rows whose products with few classes are computed in place."""

    def copied(self) -> Copied:
        return Copied(*self)

    def block_rows(self, n_classes: int) -> int:
        return int(np.clip(BLOCK_BYTES // max(self.X[:1].nbytes, 1), FEWEST_ROWS, BLOCK))

    def block(self, n_rows: int, n_features: int, n_classes: int, dtype: np.dtype, copies: int = 1) -> Block:
        """Buffers for whole tiles of rows, with scores stored class by class."""
        n_rows, n_scores = -(-n_rows // tiles.ROWS) * tiles.ROWS, copies * n_classes
        return empty_block(n_rows, n_scores, dtype)._replace(
            S=np.zeros((n_rows, n_scores), dtype, order="F"),
            W=np.zeros((n_classes, n_features), dtype),
            features=np.zeros((2, n_features), dtype),
        )


square_norms.register(InPlace)(square_norms_dense)
subtract_radial.register(InPlace)(subtract_radial_dense)
update.register(InPlace)(update_dense)


@gather.register(InPlace)
def gather_in_place(storage, constant, ids, block):
    square = block.S.dtype.type(constant * constant)
    for r in range(ids.size):
        block.factors[r] = 1
        block.square_norms[r] = storage.square_norms[ids[r]] + square


@scale_row.register(InPlace)
def scale_row_in_place(storage, block, r, factor):
    block.factors[r] = factor
    block.square_norms[r] *= block.factors[r] * block.factors[r]


@fold.register(InPlace)
def fold_in_place(storage, V, block):
    for k in range(V.shape[0]):
        for j in range(storage.factor.size):
            block.W[k, j] = V[k, j] * storage.factor[j]


@products.register(InPlace)
def products_in_place(storage, constant, ids, coming, V, block):
    """The next rows are prefetched in between, as rows in random order come from memory slowly."""
    X, S, last = storage.X, block.S, V.shape[1] - 1
    line, n_tiles = 64 // X.itemsize, (V.shape[0] + tiles.CLASSES - 1) // tiles.CLASSES
    for r in range(0, ids.size, tiles.ROWS):
        for q in range(r + n_tiles, min(r + tiles.ROWS, coming.size)):
            for j in range(0, X.shape[1], line):
                prefetch(X, coming[q], j)
        tiles.products(X, ids, coming, r, storage.centre, block.W, S)
    for k in range(V.shape[0]):
        own = V.dtype.type(constant) * V[k, last]
        for r in range(ids.size):
            S[r, k] = block.factors[r] * (S[r, k] + own)


@gradient.register(InPlace)
def gradient_in_place(storage, constant, ids, block, G, first):
    if first:
        G[:] = 0
    _scale_and_add(constant, ids, block, G, 1.0)
    tiles.add_gradient(storage.X, ids, storage.centre, block.S, G)


@bare
def _scale_and_add(constant, ids, block, G, times):
    """Apply row factors to S, and add ``times`` the gradient of the constant feature to G."""
    last, S = G.shape[1] - 1, block.S
    for k in range(G.shape[0]):
        total = S.dtype.type(0)
        for r in range(ids.size):
            S[r, k] *= block.factors[r]
            total += S[r, k]
        G[k, last] += S.dtype.type(times * constant) * total


@unfold.register(InPlace)
def unfold_in_place(storage, G):
    for k in range(G.shape[0]):
        for j in range(storage.factor.size):
            G[k, j] *= storage.factor[j]


@descend.register(InPlace)
def descend_in_place(storage, constant, ids, block, V, step, penalty):
    """Plain SGD on block.W, where each feature has its own step: ``step * factor^2``."""
    lengths, decay = block.features[0], block.features[1]
    for j in range(lengths.size):
        lengths[j] = step * storage.factor[j] * storage.factor[j]
        # 1 minus the shrinkage, which itself would be rounded in float32
        decay[j] = step * penalty[j] / (1.0 + step * penalty[j])
    _scale_and_add(constant, ids, block, V, -step)
    tiles.descend(storage.X, ids, storage.centre, block.S, block.W, lengths, decay)


@settle.register(InPlace)
def settle_in_place(storage, V, block):
    for k in range(V.shape[0]):
        for j in range(storage.factor.size):
            V[k, j] = block.W[k, j] / storage.factor[j]
