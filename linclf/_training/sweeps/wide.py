"""Mini-batches against weights that do not fit into the cache: cut by rows, then by classes.

A batch has its scores and losses taken in pieces of rows, which need all weights, and then its
gradient and step in pieces of classes, which need all rows of the batch but touch only their own
weights. So threads share both halves of the work without a copy of the gradient each, and the
gradient of a piece goes into the weights while it is in the cache: there is no array of the size
of the weights but the weights themselves (and what an optimizer keeps). The pieces do not depend
on the number of threads, and neither does the result.
"""

from typing import NamedTuple

import numpy as np

from linclf import _storage as _rows
from linclf import heads
from linclf._kernels import epoch as _sgd
from linclf._numba import kernel
from linclf._training import objective as _objective

# of a piece: enough for BLAS, few enough for the cache and for threads to share them. An epoch of 1,000
# classes on two threads reached 43, 54, 64 and 58 % of sgemm with pieces of 1024, 512, 256 and 128
ROWS, CLASSES, FEWEST_PIECES = 64, 512, 4
MOST_ROWS = 1024  # of a batch: all its scores are kept


class Piece(NamedTuple):
    """Buffers of a thread for the gradient of some classes: its scores' share, and itself."""

    S: np.ndarray
    G: np.ndarray


@kernel
def row_piece(problem, V, buffers, ids, step, divisor, row_limit):
    """Scores and losses of some rows of a batch; leaves the gradients for the products in block.S."""
    rows, head, block, work = problem.rows, problem.head, buffers.block, buffers.work
    _rows.gather(rows, head.intercept, ids, block)
    heads.normalise(head, rows, block, ids.size)
    _rows.products(rows, head.intercept, ids, V, block)
    heads.to_scores(head, rows, V, block, ids.size, work)
    loss, mass = _sgd._losses(problem, ids, block, step, divisor, row_limit)
    heads.from_scores(head, block, ids.size, work)
    return loss, mass


@kernel
def class_pieces(problem, state, optimizer, block, work, piece, ids, starts, step):
    """Gradient and step of the classes from each of ``starts`` on."""
    width, count = piece.G.shape[0], state.count[0]
    for start in starts:
        stop = min(start + width, state.V.shape[0])
        S, G = piece.S[: ids.size * (stop - start)].reshape((ids.size, stop - start)), piece.G[: stop - start]
        for r in range(ids.size):
            for k in range(start, stop):
                S[r, k - start] = block.S[r, k]
        part = _rows.Block(block.Z, S, block.factors, block.square_norms, block.G)
        _rows.gradient(problem.rows, problem.head.intercept, ids, part, G, True)
        V, slots = state.V[start:stop], state.slots[start:stop]
        here = heads.HeadWork(work.inverse_norm[start:stop], work.radial[start:stop], work.cosines)
        heads.finish(problem.head, problem.rows, V, G, here)
        _rows.step(problem.rows, V, G, slots, optimizer, (step, count), problem.penalty)


class Batches:
    """The buffers and the pieces of batches of at most ``n_rows`` rows."""

    def __init__(self, problem, V, n_rows, n_jobs):
        n_classes, width = V.shape
        self.block = _rows.block(problem.rows, n_rows, width - 1, n_classes, V.dtype)
        self.block = self.block._replace(G=np.zeros((0, 0), V.dtype))
        self.parts = []
        for start in range(0, n_rows, ROWS):
            rows = slice(start, min(start + ROWS, n_rows))
            block = self.block._replace(
                **{name: getattr(self.block, name)[rows] for name in ("Z", "S", "factors", "square_norms")}
            )
            work = heads.head_work(problem.head, rows.stop - start, n_classes, V.dtype)
            self.parts.append((rows, _sgd.Buffers(block, work)))
        size = min(CLASSES, -(-n_classes // FEWEST_PIECES))
        starts = np.arange(0, n_classes, size)
        self.shares = [starts[share::n_jobs] for share in range(n_jobs)][: len(starts)]
        self.pieces = [
            Piece(np.zeros(n_rows * size, V.dtype), np.zeros((size, width), V.dtype)) for _ in self.shares
        ]

    def step(self, problem, state, optimizer, ids, step, row_limit, pool):
        """One batch; returns the weighted sum of its losses and its weight."""
        each = map if pool is None else pool.map
        parts = [(rows, buffers) for rows, buffers in self.parts if rows.start < len(ids)]
        found = list(
            each(
                lambda part: row_piece(problem, state.V, part[1], ids[part[0]], step, len(ids), row_limit),
                parts,
            )
        )
        state.count[0] += 1
        work = parts[0][1].work
        for _, buffers in parts[1:]:
            work.radial[:] += buffers.work.radial
        list(
            each(
                lambda starts, piece: class_pieces(
                    problem, state, optimizer, self.block, work, piece, ids, starts, step
                ),
                self.shares,
                self.pieces,
            )
        )
        return sum(loss for loss, _ in found), sum(mass for _, mass in found)


def run(problem, state, optimizer, order, steps, batch, row_limit, n_jobs):
    """Train on the rows in this order; returns the sum of the losses and the mean of the first batch."""
    batches = Batches(problem, state.V, min(batch, len(order)), n_jobs)
    total, first = 0.0, None
    with _objective.threads(n_jobs, 2) as pool:
        for number, step in enumerate(steps):
            ids = order[number * batch : (number + 1) * batch]
            loss, mass = batches.step(problem, state, optimizer, ids, step, row_limit, pool)
            total += loss
            first = loss / mass if first is None else first
    return total, first
