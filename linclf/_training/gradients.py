"""The gradient of many rows, on threads, with the same result for any number of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from linclf._kernels import epoch
from linclf._kernels.problem import Problem, State, buffers_for
from linclf._types import FloatArray, IntArray


def mean_gradient(
    problem: Problem,
    V: FloatArray,
    ids: IntArray,
    n_pieces: int,
    pool: ThreadPoolExecutor | None,
    step: float = 0.0,
    row_limit: float = np.inf,
) -> tuple[float, FloatArray]:
    """Weighted loss sum and mean gradient of rows ``ids``, limited as for a step.

    The rows are cut into pieces that do not depend on the number of threads, and the pieces are
    added in order.
    """
    slots = np.zeros((len(V), 0, V.shape[1]), V.dtype)
    edges = [len(ids) * piece // n_pieces for piece in range(n_pieces + 1)]

    def of_piece(start: int, stop: int) -> tuple[float, FloatArray, np.floating]:
        share = (stop - start) / len(ids)
        state = State(V, np.empty_like(V), slots, np.zeros(1, np.int64))
        buffers = buffers_for(problem, V, len(ids))
        loss = epoch.batch_gradient(problem, state, buffers, ids[start:stop], step * share, row_limit)
        return loss, state.G, V.dtype.type(share)

    each: Callable = map if pool is None else pool.map
    pieces = each(of_piece, edges[:-1], edges[1:])
    total, G, share = next(pieces)
    G *= share
    for more, part, share in pieces:
        total += more
        part *= share
        G += part
    return total, G
