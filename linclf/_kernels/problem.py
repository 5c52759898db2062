"""Arguments of kernels: the objective, the state of training, buffers, and the steps to take."""

from typing import NamedTuple

import numpy as np

from linclf import heads
from linclf._storage import Block, Storage, read_only
from linclf._types import FloatArray, IntArray, Loss


class Problem(NamedTuple):
    """The objective.

    ``y`` are class indices (n,) or class probabilities (n, K), ``weights`` (n,) float64 with mean 1, and
    ``penalty`` has an entry for each feature, 0 for the constant. ``offset (n, n_products)`` is added to the
    products of the rows with the weights, in the dtype of these; without an offset it has the shape (0, 0).
    """

    storage: Storage
    head: heads.Head
    loss: Loss
    y: np.ndarray
    weights: FloatArray
    penalty: FloatArray
    offset: FloatArray = read_only(np.empty((0, 0)))


class State(NamedTuple):
    """State of training: weights, gradient array, optimizer slots, number of steps taken."""

    V: FloatArray
    G: FloatArray
    slots: FloatArray
    n_steps: IntArray  # (1,)

    def forget_momentum(self) -> None:
        """Make the next step without momentum."""
        self.slots[:, 0] = 0

    def restart(self, V: FloatArray) -> None:
        """Return to weights V, with a new optimizer."""
        self.V[:] = V
        self.slots[:] = 0
        self.n_steps[:] = 0


class Buffers(NamedTuple):
    block: Block
    work: heads.HeadWork


class Steps(NamedTuple):
    """A batch size, the step of each batch, and the largest ``step * weight * |x|^2`` of a row.

    Beyond that bound a single row would overshoot its own loss, so its gradient is shortened. As steps
    decrease, no row exceeds the bound any more, so the optimum does not change.
    """

    batch: int
    sizes: FloatArray
    row_limit: float


def buffers_for(problem: Problem, V: FloatArray, batch: int) -> Buffers:
    """Buffers for a batch that is cut into blocks of rows."""
    n_classes, _ = problem.storage.by_classes(V).shape
    return buffers_of_rows(problem, V, min(batch, problem.storage.block_rows(n_classes)))


def buffers_of_rows(problem: Problem, V: FloatArray, n_rows: int) -> Buffers:
    """Buffers for a block of rows."""
    n_classes, width = problem.storage.by_classes(V).shape
    block = problem.storage.block(n_rows, width - 1, n_classes, V.dtype, problem.head.copies)
    return Buffers(block, heads.head_work(problem.head, len(block.S), n_classes, V.dtype))
