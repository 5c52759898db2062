"""The k largest scores of each row, found about as fast as the scores are read."""

import math

import numpy as np

from linclf._training.model import row_blocks
from linclf._types import FloatArray, IntArray

IN_CACHE = 2**20  # scores that are searched at once


def largest(scores: FloatArray, k: int) -> IntArray:
    """Indices (n, k) of the k largest scores of each row, best first, ties in the order of the classes."""
    n, K = scores.shape
    if k == 1:
        return scores.argmax(axis=1)[:, None]
    found = np.empty((n, k), np.intp)
    for part in row_blocks(n, K, IN_CACHE):
        found[part] = _largest(scores[part], k)
    return found


def _largest(scores: FloatArray, k: int) -> IntArray:
    """The same for rows that fit into the cache.

    Partitioning all scores costs as much as the matrix product that they come from. So the classes
    are split into C chunks (class j is in chunk j mod C, so that maxima are taken over contiguous rows),
    and the k largest scores are in the k chunks with the largest maxima.
    """
    n, K = scores.shape
    if 4 * k > K:
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]
    size = math.isqrt(K // k)
    C = K // size  # at least 2k, as K >= 4k
    maxima = scores[:, : size * C].reshape(n, size, C).max(axis=1)
    chunks = np.argpartition(maxima, C - k - 1, axis=1)[:, C - k - 1 :]
    columns = (chunks[:, 1:, None] + C * np.arange(size)).reshape(n, -1)
    rest = np.broadcast_to(np.arange(size * C, K), (n, K - size * C))
    columns = np.concatenate([columns, rest], axis=1)
    candidates = np.take_along_axis(scores, columns, axis=1)
    first = columns.shape[1] - k - 1
    best = np.argpartition(candidates, first, axis=1)[:, first:]
    # the largest score left out, of the chunks and of the candidates; class order decides ties with it
    left_out = np.maximum(
        np.take_along_axis(maxima, chunks[:, :1], axis=1), np.take_along_axis(candidates, best[:, :1], axis=1)
    )
    found = np.sort(np.take_along_axis(columns, best[:, 1:], axis=1), axis=1)
    values = np.take_along_axis(scores, found, axis=1)
    for row in np.flatnonzero(values.min(axis=1) == left_out[:, 0]):
        found[row] = _first_of_ties(scores[row], k, left_out[row, 0])
        values[row] = scores[row, found[row]]
    return np.take_along_axis(found, np.argsort(-values, axis=1, kind="stable"), axis=1)


def _first_of_ties(scores: FloatArray, k: int, last: float) -> IntArray:
    """The k largest scores of a row in class order, if the k-th has the value ``last``."""
    above = np.flatnonzero(scores > last)
    return np.sort(np.append(above, np.flatnonzero(scores == last)[: k - len(above)]))
