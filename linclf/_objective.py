"""Loss and gradient over many rows, on threads, with the same result for any number of them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from linclf import _rows, _sgd
from linclf.heads import head_work

SHARE = 4096  # rows of one thread's piece; fixed, so that sums do not depend on n_jobs


def buffers(problem, batch, n_features, n_classes, dtype):
    """Buffers for blocks of at most `_rows.BLOCK` rows."""
    block = _rows.block(problem.rows, min(batch, _rows.BLOCK), n_features, n_classes, dtype)
    return _sgd.Buffers(block, head_work(problem.head, len(block.S), n_classes, dtype))


def gradient(problem, V, make_buffers, ids, limits, n_jobs):
    """Weighted loss sum and gradient array of rows ``ids``; limits = (step, divisor, row limit).

    A pool made per call costs 0.3 ms and survives forks, unlike one that is kept.
    """
    pieces = [ids[start : start + SHARE] for start in range(0, len(ids), SHARE)]

    def piece_gradient(piece):
        G = np.zeros_like(V)
        return _sgd.collect_rows(problem, V, G, make_buffers(), piece, limits), G

    if n_jobs == 1 or len(pieces) == 1:
        results = map(piece_gradient, pieces)
        total, G = _added(results)
    else:
        with ThreadPoolExecutor(n_jobs) as pool:
            total, G = _added(pool.map(piece_gradient, pieces))
    return total, G


def _added(results):
    total, G = next(results)
    for more, part in results:
        total += more
        G += part
    return total, G


def mean_loss(loss, scores, y, weights):
    """Weighted mean loss of (n, K) scores; block by block, since the kernel overwrites them."""
    total = 0.0
    for start in range(0, len(scores), SHARE):
        part = slice(start, start + SHARE)
        block = np.ascontiguousarray(scores[part]).copy()
        total += _sgd.sum_losses(loss, block, _rows.read_only(y[part]), _rows.read_only(weights[part]))
    return total / weights.sum()
