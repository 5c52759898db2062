"""Products of the Hessian of the mean loss with directions in the space of weights."""

from typing import NamedTuple

import numpy as np

from linclf import heads
from linclf._kernels.offset import add_offset
from linclf._kernels.problem import Problem
from linclf._numba import generic, kernel
from linclf._storage import CSR, Block, Copied, InPlace, verbs
from linclf._types import FloatArray
from linclf.heads import HeadWork, head_work
from linclf.losses._hessian import hessian_of_block, hessian_of_row


class HessianBuffers(NamedTuple):
    """Blocks for scores and for several directions, scratch space for two rows of scores, head buffers."""

    scores: Block
    along: Block
    work: FloatArray
    head: HeadWork


def hessian_buffers(problem: Problem, n_classes: int, n_directions: int, width: int) -> HessianBuffers:
    """Buffers of a thread; rows that are copied are copied once for both blocks."""
    storage, copies, dtype = problem.storage, problem.head.copies, problem.penalty.dtype
    n_rows = storage.block_rows(n_classes)
    scores = storage.block(n_rows, width - 1, n_classes, dtype, copies)
    along = storage.block(n_rows, width - 1, n_classes * n_directions, dtype, copies)
    work = head_work(problem.head, n_rows, n_classes, dtype)
    return HessianBuffers(scores, along._replace(Z=scores.Z), np.empty((2, n_classes * copies)), work)


@kernel
def hessian_products(problem, V, D, G, buffers, ids):
    """G becomes ``mean_i w_i H_i`` times the directions D, which are m times as many as V.

    The scores are those of the weights V, with a head that needs nothing but the products.
    """
    storage, head, scores, along = problem.storage, problem.head, buffers.scores, buffers.along
    constant, size = head.intercept, scores.S.shape[0]
    verbs.fold(storage, V, scores)
    verbs.fold(storage, D, along)
    for start in range(0, ids.size, size):
        part, coming = ids[start : start + size], ids[start + size :]
        verbs.gather(storage, constant, part, scores)
        verbs.products(storage, constant, part, coming, V, scores)
        add_offset(problem, part, scores)
        verbs.products(storage, constant, part, part[:0], D, along)
        heads.to_scores(head, storage, V, scores, part.size, buffers.head)
        heads.to_scores(head, storage, D, along, part.size, buffers.head)
        curve(storage, problem, part, buffers, ids.size)
        heads.from_scores(head, along, part.size, buffers.head)
        verbs.gradient(storage, constant, part, along, G, start == 0)
    verbs.unfold(storage, G)


@generic
def curve(storage, problem, ids, buffers, divisor):
    """Multiply directions in the space of scores by the Hessian and weight of their row, / divisor."""


@curve.register(CSR)
@curve.register(Copied)
def curve_by_rows(storage, problem, ids, buffers, divisor):
    S, T = buffers.scores.S, buffers.along.S
    for r in range(ids.size):
        hessian_of_row(problem.loss, S[r], problem.y[ids[r]], T[r], buffers.work)
        share = T.dtype.type(problem.weights[ids[r]] / divisor)
        for k in range(T.shape[1]):
            T[r, k] *= share


@curve.register(InPlace)
def curve_by_classes(storage, problem, ids, buffers, divisor):
    S, T, values = buffers.scores.S, buffers.along.S, buffers.scores.values
    hessian_of_block(problem.loss, problem.y, ids, S, T, buffers.work)
    for r in range(ids.size):
        values[r] = problem.weights[ids[r]] / divisor
    for k in range(T.shape[1]):
        for r in range(ids.size):
            T[r, k] *= T.dtype.type(values[r])
