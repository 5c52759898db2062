"""The Hessian itself, of few weights: with its factor, one product makes a step of Newton's method."""

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrs  # pyright: ignore[reportAttributeAccessIssue]

from linclf._storage import read_only
from linclf._training.cholesky import factored
from linclf._training.objective import Rows
from linclf._training.row_hessians import row_hessians
from linclf._types import FloatArray
from linclf.losses._registry import trait

MOST = 2**22  # multiply-adds that a Hessian may cost


def pays(objective: Rows) -> bool:
    """Whether the Hessian costs little, and is positive, so that there is a factor."""
    fit = objective.fit
    n_weights = fit.shape.n_products * objective.penalty.size
    few = not fit.shape.is_sparse and objective.n_rows * n_weights**2 <= MOST
    return few and trait(fit.loss, "convex")


class Explicit:
    """Rows in training coordinates, float64, and their shares in the objective."""

    def __init__(self, objective: Rows) -> None:
        fit, ids = objective.fit, objective.ids
        self.fit = fit
        rows = fit.problem.storage.rows(ids, fit.shape.n_trained, fit.problem.head.intercept)
        self.Z = np.ascontiguousarray(rows, np.float64)
        self.by_features = np.ascontiguousarray(self.Z.T)  # of which long parts are multiplied at once
        n, width = self.Z.shape
        self.spread = np.empty((fit.shape.n_products**2, width, n))  # memory anew costs as much as to fill it
        self.y = read_only(fit.problem.y[ids])
        self.shares = (fit.problem.weights[ids] / len(ids)).astype(np.float64)
        self.penalty = np.tile(fit.head.copies * objective.penalty, fit.shape.n_products)

    def at(self, V: FloatArray, n_products: int) -> "ExplicitModel":
        (n, width), n_classes = self.Z.shape, len(V)
        bend = row_hessians(self.fit.loss, self.fit.head.copies, self.Z @ V.T, self.y)
        shares = np.ascontiguousarray(bend.reshape(n, -1).T) * self.shares
        np.multiply(shares[:, None], self.by_features, out=self.spread)
        H = (self.spread.reshape(-1, n) @ self.Z).reshape(n_classes, n_classes, width, width)
        H = np.ascontiguousarray(H.transpose(0, 2, 1, 3)).reshape(len(self.penalty), -1)
        np.einsum("jj->j", H)[:] += self.penalty
        return ExplicitModel(H, factored(H))


class ExplicitModel(NamedTuple):
    H: FloatArray
    L: FloatArray

    def product(self, direction: FloatArray) -> FloatArray:
        return (self.H @ direction.ravel()).reshape(direction.shape)

    def precondition(self, gradient: FloatArray) -> FloatArray:
        return dpotrs(self.L, gradient.ravel(), lower=True)[0].reshape(gradient.shape)
