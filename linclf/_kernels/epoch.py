"""The epoch kernels: through the rows in a given order, batch by batch.

`epoch` collects the gradient of a batch in an array and gives it to the optimizer. `epoch_direct`
is plain SGD on sparse rows, where an array of all weights would cost more than the batch: the step
goes straight into the weights. Both return the weighted sum of the losses, each taken before the
step on its batch, in float64, and the weighted mean of the first batch.
"""

from typing import NamedTuple

import numpy as np

from linclf import _storage as _rows
from linclf import heads
from linclf._numba import bare, kernel
from linclf.losses._registry import target_loss


class Targets(NamedTuple):
    """y: class indices (n,) or class probabilities (n, K); weights (n,) float64 with mean 1."""

    y: np.ndarray
    weights: np.ndarray


class Problem(NamedTuple):
    """The objective: rows, head, loss, targets, and the penalty of each feature, 0 for the constant."""

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


@bare
def _losses(problem, ids, block, step, divisor, row_limit):
    """Weighted loss sum and weight of a block of scores, which become gradients / divisor."""
    total, mass = 0.0, 0.0
    for r in range(ids.size):
        weight = problem.targets.weights[ids[r]]
        total += weight * target_loss(problem.loss, block.S[r], problem.targets.y[ids[r]])
        mass += weight
        reach = step * weight * block.square_norms[r] / divisor
        if reach > row_limit:
            weight *= row_limit / reach
        share = block.S.dtype.type(weight / divisor)
        for k in range(block.S.shape[1]):
            block.S[r, k] *= share
    return total, mass


@kernel
def epoch_direct(problem, state, buffers, ids, plan):
    rows, head, block, total, first = problem.rows, problem.head, buffers.block, 0.0, 0.0
    for number in range(plan.steps.size):
        part = ids[number * plan.batch : (number + 1) * plan.batch]
        step = plan.steps[number]
        _rows.gather(rows, head.intercept, part, block)
        _rows.products(rows, head.intercept, part, state.V, block)
        loss, mass = _losses(problem, part, block, step, part.size, plan.row_limit)
        total += loss
        if number == 0:
            first = loss / mass
        _rows.descend(rows, head.intercept, part, block, state.V, step, problem.penalty)
    _rows.settle(rows, state.V)
    state.count[0] += plan.steps.size
    return total, first


@kernel
def epoch(problem, state, optimizer, buffers, ids, plan):
    rows, head, block, work = problem.rows, problem.head, buffers.block, buffers.work
    total, first, size = 0.0, 0.0, block.S.shape[0]
    for number in range(plan.steps.size):
        batch = ids[number * plan.batch : (number + 1) * plan.batch]
        step, loss, mass = plan.steps[number], 0.0, 0.0
        for start in range(0, batch.size, size):
            part = batch[start : start + size]
            _rows.gather(rows, head.intercept, part, block)
            heads.normalise(head, rows, block, part.size)
            _rows.products(rows, head.intercept, part, state.V, block)
            heads.to_scores(head, rows, state.V, block, part.size, work)
            block_loss, block_mass = _losses(problem, part, block, step, batch.size, plan.row_limit)
            loss += block_loss
            mass += block_mass
            heads.from_scores(head, block, part.size, work)
            _rows.gradient(rows, head.intercept, part, block, state.G, start == 0)
            heads.finish(head, rows, state.V, state.G, work)
        total += loss
        if number == 0:
            first = loss / mass
        state.count[0] += 1
        _rows.step(rows, state.V, state.G, state.slots, optimizer, (step, state.count[0]), problem.penalty)
    return total, first


@kernel
def advance(problem, state, optimizer, step):
    """Give state.G, added up from the shares of a large batch, to the optimizer."""
    state.count[0] += 1
    lengths = (step, state.count[0])
    _rows.step(problem.rows, state.V, state.G, state.slots, optimizer, lengths, problem.penalty)
