"""From the scores of a block to the loss of its rows and its gradient, row by row or class by class."""

from typing import Any

from numba.extending import overload

from linclf._numba import bare, generic, inlined
from linclf._numba.dispatch import INLINED
from linclf._storage import CSR, Block, Copied, InPlace
from linclf._types import IntArray, Loss
from linclf.losses._registry import label_block_loss, target_loss


@inlined
def row_gradients(problem, ids, block, step, divisor, row_limit):
    """Weighted loss sum and weight of a block of scores, which become gradients / divisor.

    Gradients of rows that would overshoot in a step are shortened to ``row_limit``.
    """
    losses(problem.loss, problem.y, ids, block)
    return weigh(problem.storage, problem.weights, ids, block, step, divisor, row_limit)


def losses(loss: Loss, targets: Any, ids: IntArray, block: Block) -> None:
    """Fill block.values with the losses of rows, and block.S with their gradients."""
    by_classes = targets.ndim == 1 and not block.S.flags.c_contiguous
    found = label_block_loss.find(type(loss)) if by_classes else None
    (found or of_rows)(loss, targets, ids, block)


@overload(losses, strict=False, jit_options=INLINED)
def _losses(loss, targets, ids, block):
    """The function itself: an intermediate one would be compiled too, with everything that it calls."""
    if block.types[block.fields.index("S")].layout != "F":
        return of_rows.py_func
    found = label_block_loss.find(getattr(loss, "instance_class", type(None)))
    return found if targets.ndim == 1 and found is not None else of_columns.py_func


@bare
def of_rows(loss, targets, ids, block):
    for r in range(ids.size):
        block.values[r] = target_loss(loss, block.S[r], targets[ids[r]])


@bare
def of_columns(loss, targets, ids, block):
    """Row by row, on a copy in which the scores are contiguous, as `row_loss` needs them."""
    S, row = block.S, block.row
    for r in range(ids.size):
        for k in range(row.size):
            row[k] = S[r, k]
        block.values[r] = target_loss(loss, row, targets[ids[r]])
        for k in range(row.size):
            S[r, k] = row[k]


@generic
def weigh(storage, weights, ids, block, step, divisor, row_limit):
    """Weighted loss sum and weight of a block; its gradients are multiplied by row weights / divisor."""


@weigh.register(CSR)
@weigh.register(Copied)
def weigh_rows(storage, weights, ids, block, step, divisor, row_limit):
    S, total, mass = block.S, 0.0, 0.0
    for r in range(ids.size):
        weight = weights[ids[r]]
        total += weight * block.values[r]
        mass += weight
        share = S.dtype.type(_limited(weight, block.square_norms[r], step, divisor, row_limit) / divisor)
        for k in range(S.shape[1]):
            S[r, k] *= share
    return total, mass


@weigh.register(InPlace)
def weigh_columns(storage, weights, ids, block, step, divisor, row_limit):
    S, values, total, mass = block.S, block.values, 0.0, 0.0
    for r in range(ids.size):
        weight = weights[ids[r]]
        total += weight * values[r]
        mass += weight
        values[r] = _limited(weight, block.square_norms[r], step, divisor, row_limit) / divisor
    for k in range(S.shape[1]):
        for r in range(ids.size):
            S[r, k] *= S.dtype.type(values[r])
    return total, mass


@bare
def _limited(weight, square_norm, step, divisor, row_limit):
    """The weight with which a row does not overshoot."""
    reach = step * weight * square_norm / divisor
    return weight * (row_limit / reach) if reach > row_limit else weight
