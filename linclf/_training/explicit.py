"""The Hessian itself, for few weights: with its factor, a step of Newton's method takes one product."""

from typing import NamedTuple, Self

import numpy as np
from scipy.linalg.lapack import dpotrs  # pyright: ignore[reportAttributeAccessIssue]

from linclf._kernels.second_order import Table, room_for, second_order
from linclf._storage import read_only
from linclf._training.cholesky import factored
from linclf._training.fit import Fit
from linclf._training.objective import Rows
from linclf._types import FloatArray, IntArray
from linclf.losses._registry import trait

MOST = 2**22  # multiply-adds that a Hessian may cost


def pays(fit: Fit) -> bool:
    """Whether the Hessian costs little and should be positive, so that it can be factored."""
    few = fit.shards is None and not fit.shape.is_sparse and len(fit.ids) * fit.V.size**2 <= MOST
    return few and trait(fit.loss, "convex")


class Explicit(Rows):
    """The objective of rows in float64; its Hessian is computed with each value."""

    def __init__(self, fit: Fit, ids: IntArray) -> None:
        super().__init__(fit, ids)
        problem, n_products = fit.problem, fit.shape.n_products
        Z = problem.storage.rows(ids, fit.shape.n_trained, problem.head.intercept)
        shares, penalty = problem.weights[ids] / len(ids), fit.head.copies * self.penalty
        offset = problem.offset[ids] if problem.offset.size else problem.offset
        self.table = Table(
            Z,
            read_only(problem.y[ids]),
            shares,
            penalty,
            np.arange(len(ids)),
            read_only(np.asarray(offset, np.float64, order="C")),
        )
        self.room = room_for(self.table, n_products, fit.head.copies)
        self.total = np.empty_like(self.room.sums)
        self.H, self.seen = np.empty((fit.V.size, fit.V.size)), np.empty(0)

    def with_penalty(self, fit: Fit) -> Self:
        other = super().with_penalty(fit)
        penalty = fit.head.copies * other.penalty
        added = np.tile(penalty - self.table.penalty, fit.shape.n_products)
        other.table, other.H = self.table._replace(penalty=penalty), self.H.copy()
        np.einsum("ii->i", other.H)[:] += added
        return other

    @property
    def dtype(self) -> np.dtype:
        return self.table.Z.dtype

    def value_and_gradient(self, V: FloatArray, G: FloatArray) -> float:
        self.seen = V = V.astype(np.float64, copy=False)
        return second_order(self.fit.loss, self.table, V, self.room, self.total, G, self.H)

    def hessian(self, V: FloatArray) -> FloatArray:
        if self.seen is not V:
            self.value_and_gradient(V, np.empty(V.shape))
        return self.H

    def for_objective(self, objective: Self) -> Self:
        return objective

    def at(self, V: FloatArray, n_products: int) -> "ExplicitModel":
        H = self.hessian(V).copy()  # the copy gets a ridge, and outlives the next value
        return ExplicitModel(H, factored(H))


class ExplicitModel(NamedTuple):
    H: FloatArray
    L: FloatArray

    def product(self, direction: FloatArray) -> FloatArray:
        return (self.H @ direction.ravel()).reshape(direction.shape)

    def precondition(self, gradient: FloatArray) -> FloatArray:
        return dpotrs(self.L, gradient.ravel(), lower=True)[0].reshape(gradient.shape)
