"""The epoch kernels: through the rows in a given order, batch by batch.

`epoch` collects the gradient of a batch in an array and passes it to the optimizer. `epoch_direct` is plain
SGD, which adds steps directly to the weights. Both return the weighted sum of the losses in float64, each
taken before the step on its batch, and the weighted mean of the first batch. `batch_gradient` and `advance`
are the two halves of a batch that is large enough for threads.
"""

from linclf import heads
from linclf._kernels.offset import add_offset
from linclf._kernels.row_gradients import row_gradients
from linclf._numba import inlined, kernel
from linclf._numba.intrinsics import prefetch
from linclf._storage import verbs


@kernel
def epoch_direct(problem, state, buffers, ids, steps):
    storage, head, block, work = problem.storage, problem.head, buffers.block, buffers.work
    total, first, size = 0.0, 0.0, steps.batch
    verbs.fold(storage, state.V, block)
    for number in range(steps.sizes.size):
        part, coming = (
            ids[number * size : (number + 1) * size],
            ids[(number + 1) * size : (number + 2) * size],
        )
        step = steps.sizes[number]
        for q in coming:  # in random order, a load from each array takes as long as a short row
            prefetch(problem.y, q, 0)
            prefetch(problem.weights, q, 0)
            prefetch(storage.square_norms, q, 0)
        verbs.gather(storage, head.intercept, part, block)
        verbs.products(storage, head.intercept, part, coming, state.V, block)
        add_offset(problem, part, block)
        heads.to_scores(head, storage, state.V, block, part.size, work)
        loss, mass = row_gradients(problem, part, block, step, part.size, steps.row_limit)
        heads.from_scores(head, block, part.size, work)
        total += loss
        if number == 0:
            first = loss / mass
        verbs.descend(storage, head.intercept, part, block, state.V, step, problem.penalty)
    verbs.settle(storage, state.V, block)
    state.n_steps[0] += steps.sizes.size
    return total, first


@inlined
def _collect(problem, state, buffers, batch, coming, step, row_limit):
    """Weighted loss sum and weight of a batch; its mean gradient goes to state.G.

    ``coming`` are the rows after it.
    """
    storage, head, block, work = problem.storage, problem.head, buffers.block, buffers.work
    loss, mass, size = 0.0, 0.0, block.S.shape[0]
    verbs.fold(storage, state.V, block)
    for start in range(0, batch.size, size):
        part, rest = batch[start : start + size], batch[start + size :]
        verbs.gather(storage, head.intercept, part, block)
        heads.normalise(head, storage, block, part.size)
        verbs.products(storage, head.intercept, part, rest if rest.size else coming, state.V, block)
        add_offset(problem, part, block)
        heads.to_scores(head, storage, state.V, block, part.size, work)
        block_loss, block_mass = row_gradients(problem, part, block, step, batch.size, row_limit)
        loss += block_loss
        mass += block_mass
        heads.from_scores(head, block, part.size, work)
        verbs.gradient(storage, head.intercept, part, block, state.G, start == 0)
        heads.finish(head, storage, state.V, state.G, work)
    verbs.unfold(storage, state.G)
    return loss, mass


@kernel
def epoch(problem, state, optimizer, buffers, ids, steps):
    total, first = 0.0, 0.0
    for number in range(steps.sizes.size):
        start, stop = number * steps.batch, (number + 1) * steps.batch
        step = steps.sizes[number]
        loss, mass = _collect(problem, state, buffers, ids[start:stop], ids[stop:], step, steps.row_limit)
        total += loss
        if number == 0:
            first = loss / mass
        state.n_steps[0] += 1
        verbs.update(problem.storage, state, optimizer, step, problem.penalty)
    return total, first


@kernel
def batch_gradient(problem, state, buffers, ids, step, row_limit):
    """Weighted loss sum of the rows; their mean gradient goes to state.G."""
    loss, _ = _collect(problem, state, buffers, ids, ids[:0], step, row_limit)
    return loss


@kernel
def advance(problem, state, optimizer, step):
    """Pass state.G, added up from the parts of a large batch, to the optimizer."""
    state.n_steps[0] += 1
    verbs.update(problem.storage, state, optimizer, step, problem.penalty)
