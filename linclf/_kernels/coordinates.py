"""Coordinate descent on a quadratic model of the objective with a norm of the weights.

Weights are (n_features + 1, K), the last row for the constant; arrays of rows are stored class by class,
(K, n).
"""

from typing import Any, NamedTuple, Self

import numpy as np

from linclf._kernels import norms
from linclf._kernels.row_models import enter, leave, mix, slope
from linclf._numba import inlined, kernel
from linclf._storage import columns as stored
from linclf._types import BoolArray, FloatArray


class Penalised(NamedTuple):
    """Weights, the factors of the norm and of half the squares for each feature, and the constant."""

    W: FloatArray
    limits: FloatArray
    ridges: FloatArray
    constant: float


class Within(NamedTuple):
    """For some features (n_features, K): whether weights move, second derivatives, and the ends of a way.

    Second derivatives are -1 until they are computed. Where scores are far from those of the model, it says
    nothing.
    """

    moves: BoolArray
    bends: FloatArray
    lowest: FloatArray
    highest: FloatArray

    def of(self, some: Any) -> Self:
        """Those of some of the features."""
        return self._make(np.ascontiguousarray(array[some]) for array in self)

    def part(self, part: slice) -> Self:
        """Views of those of some of the features."""
        return self._make(array[part] for array in self)


class Work(NamedTuple):
    """Arrays of rows."""

    bend: FloatArray
    gradient: FloatArray
    moved: FloatArray


FAR = 1e3  # times the way that a weight may go, beyond any use


@kernel
def sweep_weights(columns, model, penalised, features, within, work, k):
    """Move one weight of class k after the other to its minimum; returns by how much the model falls."""
    W, constant, bends = penalised.W, penalised.constant, within.bends
    bend, gradient, moved = work.bend, work.gradient, work.moved
    enter(model.hessians, k, model, bend, gradient)
    moved[:] = 0.0
    fall = move_constant(W, k, constant, bend, gradient, moved)
    for number in range(features.size):
        j = features[number]
        if not within.moves[number, k]:
            continue
        old, limit, ridge = W[j, k], penalised.limits[j], penalised.ridges[j]
        slope = stored.dot(columns, j, gradient) + ridge * old
        if old == 0.0 and abs(slope) <= limit:
            continue
        if bends[number, k] < 0.0:
            bends[number, k] = stored.square_dot(columns, j, bend)
        lowest, highest = within.lowest[number, k], within.highest[number, k]
        steep = bends[number, k] + ridge
        # rows far on their side have no curvature: there a step is as long as it may be
        divisor = max(steep, (abs(slope) + limit) / (FAR * (highest - lowest)))
        target = old - slope / divisor
        new = np.copysign(max(abs(target) - limit / divisor, 0.0), target)
        new = min(max(new, lowest), highest)
        move = new - old
        if move == 0.0:
            continue
        fall -= move * (slope + 0.5 * steep * move) + limit * (abs(new) - abs(old))
        W[j, k] = new
        stored.add(columns, j, move, moved)
        stored.add_weighted(columns, j, move, bend, gradient)
    fall += move_constant(W, k, constant, bend, gradient, moved)
    for i in range(moved.size):
        model.U[k, i] += moved[i]
    leave(model.hessians, k, model, moved)
    return fall


@inlined
def move_constant(W, k, constant, bend, gradient, moved):
    """Move the weight of the constant to its minimum; returns by how much the model falls."""
    slope, steep = constant * gradient.sum(), constant * constant * bend.sum()
    if not steep > 0.0:
        return 0.0
    move = -slope / steep
    W[W.shape[0] - 1, k] += move
    for i in range(moved.size):
        moved[i] += constant * move
        gradient[i] += constant * move * bend[i]
    return -0.5 * slope * move


@kernel
def sweep_features(columns, model, penalised, features, within, bounds, slopes):
    """Move all weights of one feature after the other; returns by how much the model falls.

    Each goes to the minimum of a function above the model, with second derivatives from ``bounds (K, n)``.
    """
    W, bends, fall = penalised.W, within.bends, 0.0
    for number in range(features.size):
        j = features[number]
        limit, ridge, is_zero = penalised.limits[j], penalised.ridges[j], True
        for k in range(slopes.size):
            is_zero &= W[j, k] == 0.0
            slopes[k] = slope(model.hessians, columns, j, k, model) + ridge * W[j, k]
        if is_zero and norms.euclidean(slopes) <= limit:
            continue
        if bends[number, 0] < 0.0:
            for k in range(slopes.size):
                bends[number, k] = stored.square_dot(columns, j, bounds[k])
        steep, length, before, after = 0.0, 0.0, 0.0, 0.0
        for k in range(slopes.size):
            steep = max(steep, bends[number, k])
        steep += ridge
        reach = FAR * (within.highest[number, 0] - within.lowest[number, 0])
        divisor = max(steep, (norms.euclidean(slopes) + limit) / reach)
        for k in range(slopes.size):
            target = W[j, k] - slopes[k] / divisor
            length += target * target
        length = np.sqrt(length)
        share = max(1.0 - limit / (divisor * length), 0.0) if length > 0.0 else 0.0
        for k in range(slopes.size):
            old = W[j, k]
            new = share * (old - slopes[k] / divisor) if share > 0.0 else 0.0
            new = min(max(new, within.lowest[number, k]), within.highest[number, k])
            move = new - old
            before += old * old
            after += new * new
            fall -= move * (slopes[k] + 0.5 * steep * move)
            W[j, k] = new
            stored.add(columns, j, move, model.U[k])
            mix(model.hessians, columns, j, k, move, model)
        fall += limit * (np.sqrt(before) - np.sqrt(after))
    return fall


@kernel
def move_constants(model, penalised, work):
    """Move the weights of the constant, one class after the other; returns by how much the model falls."""
    W, fall, moved = penalised.W, 0.0, work.moved
    for k in range(W.shape[1]):
        enter(model.hessians, k, model, work.bend, work.gradient)
        moved[:] = 0.0
        fall += move_constant(W, k, penalised.constant, work.bend, work.gradient, moved)
        for i in range(moved.size):
            model.U[k, i] += moved[i]
        leave(model.hessians, k, model, moved)
    return fall


@kernel
def all_slopes(columns, features, R, out):
    """out[j] = ``sum_i x_ij R[i]`` for each of the features, with R (n, K)."""
    for number in range(features.size):
        out[number] = 0.0
        stored.add_rows(columns, features[number], R, out[number])


@kernel
def some_slopes(columns, features, T, moves, out):
    """out[j, k] = ``sum_i x_ij T[k, i]`` where ``moves[j, k]``, else 0."""
    for number in range(features.size):
        for k in range(out.shape[1]):
            out[number, k] = stored.dot(columns, features[number], T[k]) if moves[number, k] else 0.0


@kernel
def add_products(columns, features, W, out):
    """out[k, i] += ``sum_j x_ij W_jk`` over the features, with a row of W for each."""
    for number in range(features.size):
        for k in range(W.shape[1]):
            if W[number, k] != 0.0:
                stored.add(columns, features[number], W[number, k], out[k])


@kernel
def squares(columns, features, T, out):
    """out[j, k] = ``sum_i x_ij^2 T[k, i]``."""
    for number in range(features.size):
        for k in range(out.shape[1]):
            out[number, k] = stored.square_dot(columns, features[number], T[k])
