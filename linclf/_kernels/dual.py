"""Dual variables of hinge losses: row by row, and for all rows with given scores."""

from typing import NamedTuple

import numpy as np

from linclf._numba import bare, kernel
from linclf._storage import verbs
from linclf._types import FloatArray, IntArray
from linclf.losses._dual import apart, dual_members, dual_step, free

LEAST = 1e-200  # bend of a row that has no length


class Ascent(NamedTuple):
    """State of the ascent, float64: the dual variables, and the weights and intercepts that follow from them.

    ``W`` is for rows without factors, laid out for the storage, and without the constant. ``calm`` counts
    the latest visits to a row that changed nothing.
    """

    active: FloatArray  # (n_rows, n_scores)
    W: FloatArray
    b: FloatArray
    calm: IntArray


class Pull(NamedTuple):
    """How far the dual variables of a row move weights and intercepts: one over their penalties."""

    weights: float
    intercepts: float


class RowBuffers(NamedTuple):
    z: FloatArray  # the row
    scores: FloatArray


def row_buffers(n_features: int, n_scores: int) -> RowBuffers:
    return RowBuffers(np.zeros(n_features), np.zeros(n_scores))


@bare
def best_variables(loss, scores, y, active, bend):
    """`dual_step`, also for two classes that share a vector of weights, which has half of the loss."""
    if scores.size == 1:
        return apart(0.5 * loss.margin, scores, y - 1, active, bend)
    return dual_step(loss, scores, y, active, bend)


@kernel
def ascend(problem, ids, order, ascent, pull, buffers):
    """Set the dual variables of the rows ``ids[order]`` to their best values, one row after the other."""
    storage, z, scores = problem.storage, buffers.z, buffers.scores
    for r in order:
        i, active = ids[r], ascent.active[r]
        share = problem.weights[i] / ids.size
        square = verbs.load_row(storage, i, z)
        verbs.row_products(storage, i, z, ascent.W, scores)
        for k in range(scores.size):
            scores[k] += ascent.b[k]
        bend = max(share * (square * pull.weights + pull.intercepts), LEAST)
        if not best_variables(problem.loss, scores, np.int64(problem.y[i]), active, bend):
            ascent.calm[r] += 1
            continue
        ascent.calm[r] = 0
        for k in range(scores.size):
            ascent.b[k] -= share * pull.intercepts * scores[k]
            scores[k] *= -share * pull.weights
        verbs.add_row(storage, i, z, scores, ascent.W)


@kernel
def add_rows(storage, ids, shares, W, buffers):
    """Add rows times their shares (n, n_scores) to the weights of the scores."""
    for r in range(ids.size):
        verbs.load_row(storage, ids[r], buffers.z)
        verbs.add_row(storage, ids[r], buffers.z, shares[r], W)


@kernel
def mean_squares(storage, ids, shares, z):
    """The mean squared length of rows without factors."""
    total = 0.0
    for r in range(ids.size):
        total += shares[r] * verbs.load_row(storage, ids[r], z)
    return total


@kernel
def smooth(loss, y, S, active, members, bend):
    """Dual variables of all rows for scores S, with a penalty ``bend/2 |g - g_before|^2`` on their change.

    S becomes the change of g, and ``members`` marks where g would change further (`dual_members`).
    """
    for r in range(y.size):
        best_variables(loss, S[r], np.int64(y[r]), active[r], bend)
        if S.shape[1] == 1:
            free(active[r], 1.0, members[r])
        else:
            dual_members(loss, np.int64(y[r]), active[r], members[r])
