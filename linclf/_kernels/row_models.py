"""Second derivatives of the losses of rows, as coordinate descent needs them, and its quadratic model.

Arrays of rows are stored class by class, (K, n). The model has the gradient ``R[:, i]`` of the loss of row i
for its scores and the Hessian H_i of that, so after a move U of the scores the gradient is
``R[:, i] + H_i U[:, i]``.
"""

from typing import NamedTuple

import numpy as np

from linclf._numba import generic
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
