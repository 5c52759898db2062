"""Mini-batches with weights that do not fit into the cache: cut by rows, then by classes.

Threads share both halves of the work without separate copies of the gradient. The pieces do not
depend on the number of threads, and neither does the result.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from linclf._kernels import batch
from linclf._kernels.problem import Buffers, Problem, State
from linclf._storage import Block
from linclf._training.descent import Descent
from linclf._training.sampling import Pass
from linclf._training.threads import threads
from linclf._types import FloatArray, IntArray
from linclf.heads import head_work
from linclf.optimizers import Optimizer

# of a piece: enough for BLAS, few enough for the cache and for threads to share them
ROWS, CLASSES, FEWEST_PIECES = 64, 512, 4


@dataclass(frozen=True)
class Wide:
    def run(self, descent: Descent, order: IntArray, steps: FloatArray) -> Pass:
        problem, state, plan = descent.problem, descent.state, descent.plan
        problem = problem._replace(storage=problem.storage.copied())  # pieces of classes share its rows
        n_jobs, total, first = descent.settings.n_jobs, 0.0, 0.0
        pieces = BatchPieces(problem, state.V, min(plan.batch, len(order)), n_jobs)
        with threads(n_jobs, 2) as pool:
            for number, (ids, step) in enumerate(descent.batches(order, steps)):
                loss, mass = pieces.step(
                    problem, state, plan.optimizer, BatchStep(ids, step, descent.row_limit), pool
                )
                total += loss
                if number == 0:
                    first = loss / mass
        return Pass(total, first)


class BatchStep(NamedTuple):
    """The rows of a batch, the size of its step, and the reach at which a row is shortened."""

    ids: IntArray
    size: float
    row_limit: float


class BatchPieces:
    """The buffers of batches of at most ``n_rows`` rows, cut by rows and by classes."""

    def __init__(self, problem: Problem, V: FloatArray, n_rows: int, n_jobs: int) -> None:
        n_classes, width = V.shape
        block = problem.storage.block(n_rows, width - 1, n_classes, V.dtype, problem.head.copies)
        self.block = block._replace(G=np.zeros((0, 0), V.dtype))
        self.by_rows = []
        for start in range(0, n_rows, ROWS):
            rows = slice(start, min(start + ROWS, n_rows))
            work = head_work(problem.head, rows.stop - start, n_classes, V.dtype)
            self.by_rows.append((rows, Buffers(_rows_of(self.block, rows), work)))
        size = min(CLASSES, -(-n_classes // FEWEST_PIECES))
        starts = np.arange(0, n_classes, size)
        self.shares = [starts[share::n_jobs] for share in range(n_jobs)][: len(starts)]
        self.pieces = [
            batch.Piece(np.zeros(n_rows * size, V.dtype), np.zeros((size, width), V.dtype))
            for _ in self.shares
        ]

    def step(
        self,
        problem: Problem,
        state: State,
        optimizer: Optimizer,
        step: BatchStep,
        pool: ThreadPoolExecutor | None,
    ) -> tuple[float, float]:
        """One batch; returns the weighted sum of its losses and its weight."""
        ids, each = step.ids, map if pool is None else pool.map
        parts = [(rows, buffers) for rows, buffers in self.by_rows if rows.start < len(ids)]

        def losses(rows: slice, buffers: Buffers) -> tuple[float, float]:
            return batch.row_piece(problem, state.V, buffers, ids[rows], step.size, len(ids), step.row_limit)

        def descend(starts: IntArray, piece: batch.Piece) -> None:
            batch.class_pieces(problem, state, optimizer, everything, piece, ids, starts, step.size)

        found = list(each(losses, *zip(*parts, strict=True)))
        state.n_steps[0] += 1
        work = parts[0][1].work
        for _, buffers in parts[1:]:
            work.radial[:] += buffers.work.radial
        everything = Buffers(self.block, work)
        list(each(descend, self.shares, self.pieces))
        return sum(loss for loss, _ in found), sum(mass for _, mass in found)


def _rows_of(block: Block, rows: slice) -> Block:
    """The buffers of some rows: views, except for those that their losses need."""
    return block._replace(
        Z=block.Z[rows],
        S=block.S[rows],
        factors=block.factors[rows],
        square_norms=block.square_norms[rows],
        values=block.values[rows],
        lanes=np.zeros((3, rows.stop - rows.start), block.S.dtype),
        row=np.zeros(block.S.shape[1], block.S.dtype),
    )
