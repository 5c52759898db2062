"""The epoch kernels: through the rows in a given order, batch by batch.

`epoch` collects the gradient of a batch in an array and gives it to the optimizer. `epoch_direct`
is plain SGD on sparse rows, where an array of all weights would cost more than the batch: the step
goes straight into the weights. Both return the weighted sum of the losses, each taken before the
step on its batch, in float64, and the weighted mean of the first batch. `batch_gradient` and `advance`
are the two halves of a batch that is worth threads.
"""

from linclf import heads
from linclf._numba import bare, inlined, kernel
from linclf._storage import verbs
from linclf.losses._registry import target_loss


@bare
def row_gradients(problem, ids, block, step, divisor, row_limit):
    """Weighted loss sum and weight of a block of scores, which become gradients / divisor."""
    total, mass = 0.0, 0.0
    for r in range(ids.size):
        weight = problem.weights[ids[r]]
        total += weight * target_loss(problem.loss, block.S[r], problem.y[ids[r]])
        mass += weight
        reach = step * weight * block.square_norms[r] / divisor
        if reach > row_limit:
            weight *= row_limit / reach
        share = block.S.dtype.type(weight / divisor)
        for k in range(block.S.shape[1]):
            block.S[r, k] *= share
    return total, mass


@kernel
def epoch_direct(problem, state, buffers, ids, steps):
    storage, head, block, total, first = problem.storage, problem.head, buffers.block, 0.0, 0.0
    for number in range(steps.sizes.size):
        part = ids[number * steps.batch : (number + 1) * steps.batch]
        step = steps.sizes[number]
        verbs.gather(storage, head.intercept, part, block)
        verbs.products(storage, head.intercept, part, state.V, block)
        loss, mass = row_gradients(problem, part, block, step, part.size, steps.row_limit)
        total += loss
        if number == 0:
            first = loss / mass
        verbs.descend(storage, head.intercept, part, block, state.V, step, problem.penalty)
    verbs.settle(storage, state.V)
    state.n_steps[0] += steps.sizes.size
    return total, first


@inlined
def _collect(problem, state, buffers, batch, step, row_limit):
    """Weighted loss sum and weight of a batch; its mean gradient goes to state.G."""
    storage, head, block, work = problem.storage, problem.head, buffers.block, buffers.work
    loss, mass, size = 0.0, 0.0, block.S.shape[0]
    for start in range(0, batch.size, size):
        part = batch[start : start + size]
        verbs.gather(storage, head.intercept, part, block)
        heads.normalise(head, storage, block, part.size)
        verbs.products(storage, head.intercept, part, state.V, block)
        heads.to_scores(head, storage, state.V, block, part.size, work)
        block_loss, block_mass = row_gradients(problem, part, block, step, batch.size, row_limit)
        loss += block_loss
        mass += block_mass
        heads.from_scores(head, block, part.size, work)
        verbs.gradient(storage, head.intercept, part, block, state.G, start == 0)
        heads.finish(head, storage, state.V, state.G, work)
    return loss, mass


@kernel
def epoch(problem, state, optimizer, buffers, ids, steps):
    total, first = 0.0, 0.0
    for number in range(steps.sizes.size):
        batch = ids[number * steps.batch : (number + 1) * steps.batch]
        step = steps.sizes[number]
        loss, mass = _collect(problem, state, buffers, batch, step, steps.row_limit)
        total += loss
        if number == 0:
            first = loss / mass
        state.n_steps[0] += 1
        verbs.update(problem.storage, state, optimizer, step, problem.penalty)
    return total, first


@kernel
def batch_gradient(problem, state, buffers, ids, step, row_limit):
    """Weighted loss sum of the rows; their mean gradient goes to state.G."""
    loss, _ = _collect(problem, state, buffers, ids, step, row_limit)
    return loss


@kernel
def advance(problem, state, optimizer, step):
    """Give state.G, added up from the shares of a large batch, to the optimizer."""
    state.n_steps[0] += 1
    verbs.update(problem.storage, state, optimizer, step, problem.penalty)
