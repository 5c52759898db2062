"""Products of the Hessian of a loss with directions in the space of scores."""

from typing import Any

from numba.extending import overload

from linclf._numba import compiled, generic
from linclf._numba.dispatch import INLINED
from linclf._types import FloatArray, IntArray, Loss
from linclf.losses._registry import target_loss

STEP = 1e-5  # of the largest score along a direction, in differences


@generic
def row_hessian(loss, scores, target, along, work):
    """``along <- H along`` for one row, with several directions of K numbers in a row; optional.

    H are the second derivatives of the loss at ``scores``, which may be overwritten; ``work (2, K)`` is free.
    """


@generic
def block_hessian(loss, targets, ids, S, T, work):
    """The same of a block of rows whose scores S, and directions T, lie class by class; optional."""


def hessian_of_row(loss: Loss, scores: FloatArray, target: Any, along: FloatArray, work: FloatArray) -> None:
    """`row_hessian` if the loss has one, else differences of its gradient."""
    (row_hessian.find(type(loss)) or by_differences)(loss, scores, target, along, work)


@overload(hessian_of_row, strict=False, jit_options=INLINED)
def _hessian_of_row(loss, scores, target, along, work):
    return row_hessian.find(getattr(loss, "instance_class", type(None))) or by_differences.py_func


def hessian_of_block(
    loss: Loss, targets: Any, ids: IntArray, S: FloatArray, T: FloatArray, work: FloatArray
) -> None:
    """`block_hessian` if the loss has one, else row by row."""
    (block_hessian.find(type(loss)) or one_by_one)(loss, targets, ids, S, T, work)


@overload(hessian_of_block, strict=False, jit_options=INLINED)
def _hessian_of_block(loss, targets, ids, S, T, work):
    return block_hessian.find(getattr(loss, "instance_class", type(None))) or one_by_one.py_func


@compiled
def by_differences(loss, scores, target, along, work):
    n_classes = scores.size
    for start in range(0, along.size, n_classes):
        largest = 0.0
        for k in range(n_classes):
            largest = max(largest, abs(along[start + k]))
        if largest == 0.0:
            continue
        step = STEP / largest
        for k in range(n_classes):
            work[0, k] = scores[k] + step * along[start + k]
            work[1, k] = scores[k] - step * along[start + k]
        target_loss(loss, work[0], target)
        target_loss(loss, work[1], target)
        for k in range(n_classes):
            along[start + k] = (work[0, k] - work[1, k]) / (2.0 * step)


@compiled
def one_by_one(loss, targets, ids, S, T, work):
    """Through rows whose scores lie side by side."""
    scores, along = S[0].copy(), T[0].copy()
    for r in range(ids.size):
        for k in range(scores.size):
            scores[k] = S[r, k]
        for k in range(along.size):
            along[k] = T[r, k]
        hessian_of_row(loss, scores, targets[ids[r]], along, work)
        for k in range(along.size):
            T[r, k] = along[k]
