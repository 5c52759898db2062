"""Coordinate descent on a quadratic model of the objective with a norm of the weights.

Weights are (n_features + 1, K), the last row for the constant; arrays of rows are stored class by class,
(K, n). The model around the current weights has the gradient ``R[:, i]`` of the loss of row i for its scores
and the Hessian H_i of that, so after a move U of the scores the gradient is ``R[:, i] + H_i U[:, i]``.
"""

from typing import Any, NamedTuple, Self

import numpy as np

from linclf._kernels import norms
from linclf._numba import generic, inlined, kernel
from linclf._storage import columns as stored
from linclf._types import FloatArray


class Covariances(NamedTuple):
    """``H_i = diag(s) - s s' / sum(s)`` for the columns s of ``S (K, n)``; ``inverses`` are 1 / sum(s)."""

    S: FloatArray
    inverses: FloatArray

    def mixed(self, U: FloatArray) -> FloatArray:
        """What the classes share of that."""
        return (self.S * U).sum(axis=0)

    def applied(self, U: FloatArray) -> FloatArray:
        """``H_i u_i`` for each row."""
        T = self.S * U
        T -= self.S * (T.sum(axis=0) * self.inverses)
        return T

    def diagonal(self) -> FloatArray:
        """The diagonal of each H_i."""
        return self.S * (1 - self.S * self.inverses)

    def bounds(self) -> FloatArray:
        """A diagonal matrix above each H_i: s, or the sums of ``|H_i|`` if one class is likely."""
        return np.where(self.S.max(axis=0) * self.inverses > 0.5, 2 * self.diagonal(), self.S)

    def total(self) -> FloatArray:
        """The sum of all H_i."""
        return np.diag(self.S.sum(axis=1)) - (self.S * self.inverses) @ self.S.T


class Diagonals(NamedTuple):
    """``H_i = diag(s)`` for the columns s of ``S (K, n)``."""

    S: FloatArray

    def mixed(self, U: FloatArray) -> FloatArray:
        """Nothing is shared."""
        return np.zeros(U.shape[1])

    def applied(self, U: FloatArray) -> FloatArray:
        """``H_i u_i`` for each row."""
        return self.S * U

    def diagonal(self) -> FloatArray:
        """The diagonal of each H_i."""
        return self.S

    bounds = diagonal

    def total(self) -> FloatArray:
        """The sum of all H_i."""
        return np.diag(self.S.sum(axis=1))


class Matrices(NamedTuple):
    """``H (K, K, n)``."""

    H: FloatArray

    def mixed(self, U: FloatArray) -> FloatArray:
        """Nothing is shared."""
        return np.zeros(U.shape[1])

    def applied(self, U: FloatArray) -> FloatArray:
        """``H_i u_i`` for each row."""
        return np.einsum("kli,li->ki", self.H, U)

    def diagonal(self) -> FloatArray:
        """The diagonal of each H_i."""
        return np.ascontiguousarray(np.einsum("kki->ki", self.H))

    def bounds(self) -> FloatArray:
        """A diagonal matrix above each H_i: the sums of its absolute values."""
        return np.abs(self.H).sum(axis=1)

    def total(self) -> FloatArray:
        """The sum of all H_i."""
        return self.H.sum(axis=2)


Hessians = Covariances | Diagonals | Matrices


class Quadratic(NamedTuple):
    """The model: gradients of the rows at its centre, a move of their scores, and their Hessians.

    ``mixed`` is what the classes share of ``H_i u_i``: for covariances, ``s' u_i``.
    """

    R: FloatArray
    U: FloatArray
    mixed: FloatArray
    hessians: Hessians


class Penalised(NamedTuple):
    """Weights, the factors of the norm and of half the squares for each feature, and the constant."""

    W: FloatArray
    limits: FloatArray
    ridges: FloatArray
    constant: float


class Within(NamedTuple):
    """For some features (n_features, K): second derivatives, -1 if unknown, and where weights may move to.

    Where scores are far from those of the model, it says nothing.
    """

    bends: FloatArray
    lowest: FloatArray
    highest: FloatArray

    def of(self, some: Any) -> Self:
        """Those of some of the features."""
        return type(self)(*(np.ascontiguousarray(array[some]) for array in self))

    def part(self, part: slice) -> Self:
        """Views of those of some of the features."""
        return type(self)(*(array[part] for array in self))


class Work(NamedTuple):
    """Arrays of rows."""

    bend: FloatArray
    gradient: FloatArray
    moved: FloatArray


FAR = 1e3  # times the way that a weight may go, beyond any use


@generic
def enter(hessians, k, model, bend, gradient):
    """The second derivative of each row for the score of class k, and its gradient after the move."""


@generic
def leave(hessians, k, model, moved):
    """Take account of a move of the scores of class k."""


@enter.register(Covariances)
def enter_covariances(hessians, k, model, bend, gradient):
    s, inverses, r, u, mixed = hessians.S[k], hessians.inverses, model.R[k], model.U[k], model.mixed
    for i in range(bend.size):
        bend[i] = s[i] * (1.0 - s[i] * inverses[i])
        gradient[i] = r[i] + s[i] * (u[i] - mixed[i] * inverses[i])


@leave.register(Covariances)
def leave_covariances(hessians, k, model, moved):
    s, mixed = hessians.S[k], model.mixed
    for i in range(moved.size):
        mixed[i] += s[i] * moved[i]


@enter.register(Diagonals)
def enter_diagonals(hessians, k, model, bend, gradient):
    s, r, u = hessians.S[k], model.R[k], model.U[k]
    for i in range(bend.size):
        bend[i] = s[i]
        gradient[i] = r[i] + s[i] * u[i]


@leave.register(Diagonals)
def leave_diagonals(hessians, k, model, moved):
    pass


@enter.register(Matrices)
def enter_matrices(hessians, k, model, bend, gradient):
    H = hessians.H[k]
    for i in range(bend.size):
        bend[i] = H[k, i]
        gradient[i] = model.R[k, i]
    for m in range(H.shape[0]):
        for i in range(bend.size):
            gradient[i] += H[m, i] * model.U[m, i]


@leave.register(Matrices)
def leave_matrices(hessians, k, model, moved):
    pass


@kernel
def sweep_weights(columns, model, penalised, features, within, work, k, only_nonzero):
    """Move one weight of class k after the other to its minimum; returns by how much the model falls.

    Weights of 0 are left out if ``only_nonzero``.
    """
    W, constant, bends = penalised.W, penalised.constant, within.bends
    bend, gradient, moved = work.bend, work.gradient, work.moved
    enter(model.hessians, k, model, bend, gradient)
    moved[:] = 0.0
    fall = move_constant(W, k, constant, bend, gradient, moved)
    for number in range(features.size):
        j = features[number]
        old, limit, ridge = W[j, k], penalised.limits[j], penalised.ridges[j]
        if only_nonzero and old == 0.0:
            continue
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


@generic
def slope(hessians, columns, j, k, model):
    """``sum_i x_ij g_i`` for the gradients g of the score of class k after the move."""


@generic
def mix(hessians, columns, j, k, move, model):
    """Take account of a move of the weight of feature j and class k."""


@slope.register(Covariances)
def slope_of_covariances(hessians, columns, j, k, model):
    total = 0.0
    for at in range(stored.first(columns, j), stored.last(columns, j)):
        i = stored.row_of(columns, at)
        score = model.U[k, i] - model.mixed[i] * hessians.inverses[i]
        total += stored.value_of(columns, j, at) * (model.R[k, i] + hessians.S[k, i] * score)
    return total


@mix.register(Covariances)
def mix_covariances(hessians, columns, j, k, move, model):
    stored.add_weighted(columns, j, move, hessians.S[k], model.mixed)


@slope.register(Diagonals)
def slope_of_diagonals(hessians, columns, j, k, model):
    total = 0.0
    for at in range(stored.first(columns, j), stored.last(columns, j)):
        i = stored.row_of(columns, at)
        total += stored.value_of(columns, j, at) * (model.R[k, i] + hessians.S[k, i] * model.U[k, i])
    return total


@mix.register(Diagonals)
def mix_diagonals(hessians, columns, j, k, move, model):
    pass


@slope.register(Matrices)
def slope_of_matrices(hessians, columns, j, k, model):
    H, total = hessians.H[k], 0.0
    for at in range(stored.first(columns, j), stored.last(columns, j)):
        i = stored.row_of(columns, at)
        own = model.R[k, i]
        for m in range(H.shape[0]):
            own += H[m, i] * model.U[m, i]
        total += stored.value_of(columns, j, at) * own
    return total


@mix.register(Matrices)
def mix_matrices(hessians, columns, j, k, move, model):
    pass


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
