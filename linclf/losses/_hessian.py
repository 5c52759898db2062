"""Products of the Hessian of a loss with directions in the space of scores."""

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import overload

from linclf._numba import compiled, generic, kernel
from linclf._numba.dispatch import INLINED
from linclf._types import FloatArray, IntArray, Loss
from linclf.losses._registry import target_loss

STEP = 1e-5  # largest change of a score in the differences


@generic
def covariance(loss, scores):
    """Replace the scores of a row by s >= 0 such that the Hessian is ``diag(s) - s s' / sum(s)``.

    This is the covariance of a class drawn with these weights, and does not depend on the target. Optional,
    for losses that have such a Hessian.
    """


@generic
def diagonal(loss, scores, target):
    """Replace the scores of a row by the diagonal of its Hessian. Optional, for sums over the classes.

    Their Hessian is diagonal. The target is a class, or a row of numbers as for `soft_row_loss`.
    """


@generic
def row_hessian(loss, scores, y, along, work):
    """``along <- H along`` for one row of class y, where ``along`` holds directions of K numbers; optional.

    H is the Hessian of the loss at ``scores``, which may be overwritten; ``work (2, K)`` is scratch space.
    """


@generic
def soft_row_hessian(loss, scores, q, along, work):
    """`row_hessian` for class probabilities q; without it, differences of the gradient are used."""


@generic
def block_hessian(loss, targets, ids, S, T, work):
    """`row_hessian` for a block of rows, with scores S and directions T stored class by class; optional."""


def hessian_of_row(loss: Loss, scores: FloatArray, target: Any, along: FloatArray, work: FloatArray) -> None:
    """`row_hessian` if the loss has one, else differences of its gradient."""
    verb = row_hessian if np.ndim(target) == 0 else soft_row_hessian
    if covariance.find(type(loss)):
        own: Any = by_covariance
    else:
        own = by_diagonal if diagonal.find(type(loss)) else verb.find(type(loss))
    (own or by_differences)(loss, scores, target, along, work)


@overload(hessian_of_row, strict=False, jit_options=INLINED)
def _hessian_of_row(loss, scores, target, along, work):
    cls = getattr(loss, "instance_class", type(None))
    if covariance.find(cls) is not None:
        return by_covariance.py_func
    if diagonal.find(cls) is not None:
        return by_diagonal.py_func
    verb = row_hessian if isinstance(target, types.Integer) else soft_row_hessian
    return verb.find(cls) or by_differences.py_func


def hessian_of_block(
    loss: Loss, targets: Any, ids: IntArray, S: FloatArray, T: FloatArray, work: FloatArray
) -> None:
    """`block_hessian` if the loss has one, else row by row."""
    (block_hessian.find(type(loss)) or one_by_one)(loss, targets, ids, S, T, work)


@overload(hessian_of_block, strict=False, jit_options=INLINED)
def _hessian_of_block(loss, targets, ids, S, T, work):
    return block_hessian.find(getattr(loss, "instance_class", type(None))) or one_by_one.py_func


@compiled
def by_covariance(loss, scores, target, along, work):
    n_classes, total = scores.size, 0.0
    covariance(loss, scores)
    for k in range(n_classes):
        total += scores[k]
    for start in range(0, along.size, n_classes):
        mean = 0.0
        for k in range(n_classes):
            mean += scores[k] * along[start + k]
        mean /= total
        for k in range(n_classes):
            along[start + k] = scores[k] * (along[start + k] - mean)


@compiled
def by_diagonal(loss, scores, target, along, work):
    n_classes = scores.size
    diagonal(loss, scores, target)
    for start in range(0, along.size, n_classes):
        for k in range(n_classes):
            along[start + k] *= scores[k]


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
    """Row by row, on copies in which the scores of a row are contiguous."""
    scores, along = S[0].copy(), T[0].copy()
    for r in range(ids.size):
        for k in range(scores.size):
            scores[k] = S[r, k]
        for k in range(along.size):
            along[k] = T[r, k]
        hessian_of_row(loss, scores, targets[ids[r]], along, work)
        for k in range(along.size):
            T[r, k] = along[k]


@kernel
def row_curvatures(loss, scores, targets, directions, along, work, out):
    """out[i] = ``sum(t.H t) / sum(t.t)`` over the directions t of K numbers each, one after the other.

    The scores are overwritten, ``along`` is as large as the directions, and ``work (2, K)`` is scratch space.
    """
    square = 0.0
    for j in range(directions.size):
        square += directions[j] * directions[j]
    for i in range(out.size):
        along[:] = directions
        hessian_of_row(loss, scores[i], targets[i], along, work)
        total = 0.0
        for j in range(directions.size):
            total += directions[j] * along[j]
        out[i] = total / square


@kernel
def covariances(loss, scores):
    """`covariance` of each row."""
    for i in range(scores.shape[0]):
        covariance(loss, scores[i])


@kernel
def diagonals(loss, scores, targets):
    """`diagonal` of each row."""
    for i in range(scores.shape[0]):
        diagonal(loss, scores[i], targets[i])


@kernel
def row_matrices(loss, scores, targets, work, out):
    """out[i] = Hessian of row i, (K, K); its scores are overwritten, and ``work (2, K)`` is scratch space."""
    n_classes = scores.shape[1]
    for i in range(out.shape[0]):
        along = out[i].reshape(n_classes * n_classes)
        along[:] = 0.0
        for k in range(n_classes):
            along[k * (n_classes + 1)] = 1.0
        hessian_of_row(loss, scores[i], targets[i], along, work)
