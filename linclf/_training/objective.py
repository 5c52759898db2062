"""Loss and gradient over many rows, on threads, with the same result for any number of them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from linclf import _storage as _rows
from linclf._kernels import epoch as _sgd
from linclf.heads import head_work
from linclf.losses._registry import row_losses
from linclf.optimizers import Still

MEASURED = 4096  # rows that `mean_loss` copies at once


def buffers(problem, batch, n_features, n_classes, dtype):
    """Buffers for blocks of at most `_rows.block_rows` rows."""
    n_rows = min(batch, _rows.block_rows(n_classes))
    block = _rows.block(problem.rows, n_rows, n_features, n_classes, dtype)
    return _sgd.Buffers(block, head_work(problem.head, len(block.S), n_classes, dtype))


@contextmanager
def threads(n_jobs, n_pieces):
    """A context with a pool, or with None where there is nothing to share.

    A pool made per call costs 0.3 ms and survives forks, unlike one that is kept.
    """
    if n_jobs <= 1 or n_pieces <= 1:
        yield None
        return
    pool = ThreadPoolExecutor(n_jobs)
    try:
        yield pool
    finally:
        try:
            pool.shutdown(cancel_futures=True)
        except BaseException:  # Ctrl-C while waiting: no thread outlives the fit all the same
            pool.shutdown()
            raise


def gradient(problem, V, make_buffers, ids, n_pieces, limits, pool):
    """Weighted loss sum and mean gradient of rows ``ids``; limits = (step, row limit).

    The rows are cut into pieces that do not depend on the number of threads, and the pieces are
    added in order.
    """
    step, row_limit = limits
    slots, edges = np.zeros((len(V), 0, V.shape[1]), V.dtype), piece_edges(len(ids), n_pieces)

    def piece_gradient(start, stop):
        share = (stop - start) / len(ids)
        state = _sgd.State(V, np.empty_like(V), slots, np.zeros(1, np.int64))
        plan = _sgd.Plan(stop - start, np.array([step * share]), row_limit)
        total, _ = _sgd.epoch(problem, state, Still(), make_buffers(), ids[start:stop], plan)
        return total, state.G, V.dtype.type(share)

    pieces = (map if pool is None else pool.map)(piece_gradient, edges[:-1], edges[1:])
    total, G, share = next(pieces)
    G *= share
    for more, part, share in pieces:
        total += more
        part *= share
        G += part
    return total, G


def piece_edges(n, n_pieces):
    """Where the pieces begin and end, as equal as can be."""
    return [n * piece // n_pieces for piece in range(n_pieces + 1)]


def mean_loss(loss, scores, y, weights):
    """Weighted mean loss of (n, K) scores; block by block, in float64, since the kernel overwrites them."""
    total = 0.0
    for start in range(0, len(scores), MEASURED):
        part = slice(start, start + MEASURED)
        block = np.array(scores[part], np.float64, order="C")
        values = np.empty(len(block))
        row_losses(loss, block, _rows.read_only(y[part]), values)
        total += weights[part] @ values
    return total / weights.sum()
