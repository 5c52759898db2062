"""The epoch kernels: through the rows in a given order, batch by batch.

`epoch_direct` is plain SGD on batches of at most `_rows.TILE` rows with the linear head: the step
goes straight into the weights. `epoch` is everything else: the gradient of a batch is collected
in an array and given to the optimizer. Both return the weighted sum of the losses, each taken
before the step on its batch, in float64, and the weighted mean of the first batch.
"""

from typing import NamedTuple

import numpy as np

from linclf import _rows
from linclf._numba import compiled, kernel
from linclf.heads import begin_batch, from_scores, to_scores
from linclf.losses._registry import target_loss


class Targets(NamedTuple):
    """y: class indices (n,) or class probabilities (n, K); weights (n,) float64 with mean 1."""

    y: np.ndarray
    weights: np.ndarray


class Problem(NamedTuple):
    """The objective: rows, head, loss, targets, and the penalty of each coordinate.

    ``penalty`` has one entry per feature (dense) or per class (CSR, the same for all features).
    """

    rows: tuple
    head: tuple
    loss: tuple
    targets: Targets
    penalty: np.ndarray


class State(NamedTuple):
    """What training changes: weights, gradient array, optimizer slots, number of steps taken."""

    V: np.ndarray
    G: np.ndarray
    slots: np.ndarray
    count: np.ndarray


class Buffers(NamedTuple):
    block: _rows.Block
    work: tuple


class Plan(NamedTuple):
    """A batch size, the step of each batch, and the largest ``step * weight * |x|^2`` of a row.

    Beyond that bound a single row would overshoot its own loss; such a row has its gradient
    shortened. As the steps decrease no row is over it, so the optimum is untouched.
    """

    batch: int
    steps: np.ndarray
    row_limit: float


@compiled
def _losses(problem, ids, block, step, divisor, row_limit):
    """Sum of the weighted losses of a block of scores, which become gradients / divisor."""
    total = 0.0
    for r in range(ids.size):
        weight = problem.targets.weights[ids[r]]
        total += weight * target_loss(problem.loss, block.S[r], problem.targets.y[ids[r]])
        reach = step * weight * block.square_norms[r] / divisor
        if reach > row_limit:
            weight *= row_limit / reach
        share = block.S.dtype.type(weight / divisor)
        for k in range(block.S.shape[1]):
            block.S[r, k] *= share
    for r in range(ids.size, -(-ids.size // _rows.TILE) * _rows.TILE):
        block.S[r] = 0  # fills the last tile
    return total


@kernel
def epoch_direct(problem, state, buffers, ids, plan):
    rows, head, block, total, first = problem.rows, problem.head, buffers.block, 0.0, 0.0
    for number in range(plan.steps.size):
        part = ids[number * plan.batch : (number + 1) * plan.batch]
        step = plan.steps[number]
        _rows.gather(rows, head, part, block)
        _rows.products(rows, head, part, state.V, block)
        total += _losses(problem, part, block, step, part.size, plan.row_limit)
        if number == 0:
            first = total / problem.targets.weights[part].sum()
        _rows.descend(rows, head, part, block, state.V, step, problem.penalty)
    _rows.settle(rows, state.V)
    state.count[0] += plan.steps.size
    return total, first


@kernel
def epoch(problem, state, optimizer, buffers, ids, plan):
    total, first = 0.0, 0.0
    for number in range(plan.steps.size):
        part = ids[number * plan.batch : (number + 1) * plan.batch]
        step = plan.steps[number]
        state.G[:] = 0
        total += collect(problem, state.V, state.G, buffers, part, (step, part.size, plan.row_limit))
        if number == 0:
            first = total / problem.targets.weights[part].sum()
        advance(problem, state, optimizer, step)
    return total, first


@compiled
def collect(problem, V, G, buffers, ids, limits):
    """Add the gradient of rows ``ids`` to G, block by block; limits = (step, divisor, row limit)."""
    rows, head, block, work = problem.rows, problem.head, buffers.block, buffers.work
    total, size = 0.0, block.S.shape[0]
    _rows.square_norms(rows, V, work.inverse_norm)
    begin_batch(head, work.inverse_norm, work)
    for start in range(0, ids.size, size):
        part = ids[start : start + size]
        _rows.gather(rows, head, part, block)
        _rows.products(rows, head, part, V, block)
        to_scores(head, block.S, part.size, work)
        total += _losses(problem, part, block, limits[0], limits[1], limits[2])
        from_scores(head, block.S, part.size, work)
        _rows.add_gradient(rows, head, part, block, G)
    _rows.subtract_radial(rows, V, work.radial, G)
    return total


@compiled
def advance(problem, state, optimizer, step):
    """Give the gradient to the optimizer."""
    state.count[0] += 1
    lengths = (step, state.count[0])
    _rows.step(problem.rows, state.V, state.G, state.slots, optimizer, lengths, problem.penalty)


@kernel
def collect_rows(problem, V, G, buffers, ids, limits):
    """`collect` for Python: one thread's share of a large batch."""
    return collect(problem, V, G, buffers, ids, limits)


@kernel
def advance_once(problem, state, optimizer, step):
    """`advance` for Python, after the shares of a large batch have been added up."""
    advance(problem, state, optimizer, step)


@kernel
def sum_losses(loss, scores, y, weights):
    """Weighted sum of the losses of a matrix of scores, which is overwritten."""
    total = 0.0
    for i in range(weights.size):
        total += weights[i] * target_loss(loss, scores[i], y[i])
    return total
