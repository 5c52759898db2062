"""Value, gradient and Hessian of an objective with few weights, in one sweep over its rows."""

from typing import NamedTuple

import numpy as np

from linclf._kernels.row_gradients import losses
from linclf._numba import bare, kernel
from linclf._storage.verbs import Block, empty_block
from linclf._types import FloatArray, IntArray
from linclf.losses._hessian import hessian_of_block

BLOCK = 128  # rows


class Table(NamedTuple):
    """Rows in training coordinates with the constant, float64, and their targets, shares and penalty."""

    Z: FloatArray
    y: np.ndarray
    shares: FloatArray  # of the rows in the mean
    penalty: FloatArray  # of each feature, of all copies of the weights
    ids: IntArray  # 0, 1, ...
    offset: FloatArray  # added to the products, or of shape (0, 0)


class Room(NamedTuple):
    """Buffers for a block of rows: its losses, scores for the Hessian and directions, products, and sums."""

    block: Block
    scores: FloatArray
    along: FloatArray
    work: FloatArray
    products: FloatArray
    spread: FloatArray
    sums: FloatArray


def room_for(table: Table, n_products: int, copies: int) -> Room:
    """Buffers for ``n_products`` products of a row, each of which gives ``copies`` scores."""
    n_rows, width = int(np.clip(len(table.Z), 2, BLOCK)), table.Z.shape[1]  # the layout of one is ambiguous
    n_scores, n_pairs = n_products * copies, n_products * (n_products + 1) // 2
    n_sums = n_pairs * width + n_products
    by_classes = np.zeros((2, n_scores, n_rows))
    return Room(
        empty_block(n_rows, n_scores, by_classes.dtype)._replace(S=by_classes[0].T),
        by_classes[1].T,
        np.empty((n_products * n_scores, n_rows)).T,
        np.empty((2, n_scores)),
        np.empty((n_rows, n_products)),
        np.empty((n_rows, n_sums)),
        np.empty((n_sums, width)),
    )


@kernel
def second_order(loss, table, V, room, total, G, H):
    """The objective at V; its gradient goes to G and its Hessian, in the order of V, to H.

    ``total`` has the shape of ``room.sums``, and sums over rows z: for each pair of products, the entry of
    the Hessian of the loss times z z'; then, for each product, the entry of its gradient times z.
    """
    block, scores, n_products = room.block, room.scores, V.shape[0]
    value, opposite = 0.0, scores.shape[1] - n_products  # 1 if the first score is minus the second
    total[:] = 0.0
    for start in range(0, table.ids.size, scores.shape[0]):
        ids = table.ids[start : start + scores.shape[0]]
        Z, shares = table.Z[start : start + ids.size], table.shares[start : start + ids.size]
        P, A = room.products[: ids.size], room.spread[: ids.size]
        np.dot(Z, V.T, P)
        if table.offset.size > 0:
            P += table.offset[start : start + ids.size]
        room.along[:] = 0.0
        for k in range(n_products):
            for r in range(ids.size):
                block.S[r, k + opposite] = scores[r, k + opposite] = P[r, k]
                room.along[r, k * scores.shape[1] + k + opposite] = 1.0
        if opposite:
            for r in range(ids.size):
                block.S[r, 0] = scores[r, 0] = -P[r, 0]
                room.along[r, 0] = -1.0
        losses(loss, table.y, ids, block)
        hessian_of_block(loss, table.y, ids, scores, room.along, room.work)
        for r in range(ids.size):
            value += shares[r] * block.values[r]
        _spread(Z, shares, block.S, room.along, opposite, A)
        np.dot(A.T, Z, room.sums)
        total += room.sums
    return value + _collect(total, table.penalty, V, G, H)


@bare
def _spread(Z, shares, S, T, opposite, A):
    """Rows times curvature and slope of their losses; the first of two opposite scores counts negatively."""
    width, n_scores = Z.shape[1], S.shape[1]
    n_products, slopes = n_scores - opposite, A.shape[1] - n_scores + opposite
    for r in range(Z.shape[0]):
        column = 0
        for k in range(n_products):
            for q in range(k + 1):
                bend = T[r, k * n_scores + q + opposite]
                bend = shares[r] * (bend - T[r, 0] if opposite else bend)
                for j in range(width):
                    A[r, column + j] = bend * Z[r, j]
                column += width
        for k in range(n_products):
            slope = S[r, k + opposite]
            A[r, slopes + k] = shares[r] * (slope - S[r, 0] if opposite else slope)


@bare
def _collect(total, penalty, V, G, H):
    """Gradient and Hessian with the penalty; returns the penalty."""
    n_products, width = V.shape
    start, value = 0, 0.0
    for k in range(n_products):
        for q in range(k + 1):
            for i in range(width):
                for j in range(width):
                    H[k * width + i, q * width + j] = total[start + i, j]
                    H[q * width + i, k * width + j] = total[start + i, j]
            start += width
    for k in range(n_products):
        for j in range(width):
            pull = penalty[j] * V[k, j]
            value += 0.5 * pull * V[k, j]
            G[k, j] = total[start + k, j] + pull
            H[k * width + j, k * width + j] += penalty[j]
    return value
