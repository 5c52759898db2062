"""The gradient of many rows, on threads, with the same result for any number of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from linclf._kernels import epoch
from linclf._kernels.problem import Buffers, Problem, State, buffers_for
from linclf._types import FloatArray, IntArray

COPIED = 2**14  # weights that are added at once


class Arrays:
    """Gradients and buffers of pieces, for reuse: allocating memory costs as much as filling it."""

    def __init__(self) -> None:
        self.spare: list[FloatArray] = []
        self.buffers: list[Buffers] = []

    def like(self, V: FloatArray) -> FloatArray:
        try:
            return self.spare.pop()
        except IndexError:
            return np.empty_like(V)


def mean_gradient(
    problem: Problem,
    V: FloatArray,
    ids: IntArray,
    n_pieces: int,
    pool: ThreadPoolExecutor | None,
    step: float = 0.0,
    row_limit: float = np.inf,
    arrays: Arrays | None = None,
) -> tuple[float, FloatArray]:
    """Weighted loss sum and mean gradient of rows ``ids``, limited as for a step.

    The rows are cut into pieces that do not depend on the number of threads, and the pieces are
    added in order. The gradient is one of ``arrays``, and should be put back when it is no longer needed.
    """
    arrays = Arrays() if arrays is None else arrays
    slots = np.zeros((len(V), 0, V.shape[1]), V.dtype)
    edges = [len(ids) * piece // n_pieces for piece in range(n_pieces + 1)]

    def of_piece(start: int, stop: int) -> tuple[float, FloatArray, np.floating]:
        share = (stop - start) / len(ids)
        state = State(V, arrays.like(V), slots, np.zeros(1, np.int64))
        buffers = arrays.buffers.pop() if arrays.buffers else buffers_for(problem, V, len(ids))
        loss = epoch.batch_gradient(problem, state, buffers, ids[start:stop], step * share, row_limit)
        arrays.buffers.append(buffers)
        return loss, state.G, V.dtype.type(share)

    each: Callable = map if pool is None else pool.map
    pieces = each(of_piece, edges[:-1], edges[1:])
    total, G, share = next(pieces)
    if n_pieces > 1:
        G *= share
    for more, part, share in pieces:
        total += more
        _add(share, part, G)
        arrays.spare.append(part)
    return total, G


def _add(share: np.floating, part: FloatArray, G: FloatArray) -> None:
    """G += share * part, a few rows at a time: the product is in the cache when it is added."""
    rows = max(1, COPIED // G.shape[1])
    for start in range(0, len(G), rows):
        some = slice(start, start + rows)
        part[some] *= share
        G[some] += part[some]
