"""A batch with weights that do not fit into the cache, in two kernels: by rows, then by classes.

`row_piece` computes scores and losses of some rows, for which it needs all weights. `class_pieces` computes
the gradient and the step of some classes, for which it needs all rows of the batch but only the weights of
these classes: it applies the gradient while it is in the cache, and needs no array as large as the weights.
"""

from typing import NamedTuple

from linclf import heads
from linclf._kernels.offset import add_offset
from linclf._kernels.problem import State
from linclf._kernels.row_gradients import row_gradients
from linclf._numba import kernel
from linclf._storage import verbs
from linclf._types import FloatArray


class Piece(NamedTuple):
    """Buffers of a thread for some classes: the gradient for their scores, and for their weights."""

    S: FloatArray
    G: FloatArray


@kernel
def row_piece(problem, V, buffers, ids, step, divisor, row_limit):
    """Loss sum and weight of some rows of a batch; leaves the gradients for the products in block.S."""
    storage, head, block, work = problem.storage, problem.head, buffers.block, buffers.work
    verbs.gather(storage, head.intercept, ids, block)
    heads.normalise(head, storage, block, ids.size)
    verbs.fold(storage, V, block)
    verbs.products(storage, head.intercept, ids, ids[:0], V, block)
    add_offset(problem, ids, block)
    heads.to_scores(head, storage, V, block, ids.size, work)
    loss, mass = row_gradients(problem, ids, block, step, divisor, row_limit)
    heads.from_scores(head, block, ids.size, work)
    return loss, mass


@kernel
def class_pieces(problem, state, optimizer, buffers, piece, ids, starts, step):
    """Gradient and step of the blocks of classes that begin at ``starts``."""
    width, block, work = piece.G.shape[0], buffers.block, buffers.work
    for start in starts:
        stop = min(start + width, state.V.shape[0])
        S, G = piece.S[: ids.size * (stop - start)].reshape((ids.size, stop - start)), piece.G[: stop - start]
        for r in range(ids.size):
            for k in range(start, stop):
                S[r, k - start] = block.S[r, k]
        part = verbs.Block(
            block.Z,
            S,
            block.factors,
            block.square_norms,
            block.values,
            block.lanes,
            block.row,
            block.G,
            block.W,
            block.features,
        )
        verbs.gradient(problem.storage, problem.head.intercept, ids, part, G, True)
        own = State(state.V[start:stop], G, state.slots[start:stop], state.n_steps)
        here = heads.HeadWork(work.inverse_norm[start:stop], work.radial[start:stop], work.cosines)
        heads.finish(problem.head, problem.storage, own.V, G, here)
        verbs.update(problem.storage, own, optimizer, step, problem.penalty)
