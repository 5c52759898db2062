"""Rows of a small problem and the Hessians of their losses, held for products with few digits.

They are float32: a quadratic model needs no more digits than the steps that are taken from it, and a product
is then two of BLAS. Tiny problems keep the digits of X, so that a row of weight k is as good as k rows.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError, get_blas_funcs, get_lapack_funcs

from linclf._kernels.quadratic import apply_covariances, apply_matrices
from linclf._storage import read_only
from linclf._training.objective import Rows
from linclf._training.preconditioner import LEAST
from linclf._types import FloatArray
from linclf.losses._hessian import covariance, covariances, row_curvatures, row_matrices

MOST = 2**22  # values of rows, and of their Hessians
TINY = 2**15  # values of rows that keep the digits of X
MODERATE = 1e10  # curvature that float32 holds, either way
NEGLIGIBLE = 1e-15  # length of a column, as a share of the longest
RIDGE = 1e-6  # of the mean of the diagonal
REFRESH = 3  # products of a step from which on it is worth making the inverse anew
OF_CLASSES = 6  # features a product, that a factor for each class costs


def is_small(objective: Rows) -> bool:
    """Whether rows and Hessians fit, in float32."""
    fit, n_rows, n_products = objective.fit, objective.n_rows, objective.fit.shape.n_products
    few = covariance.find(type(fit.loss)) is not None or n_products == 1
    kept = n_rows * (n_products if few else n_products**2)
    values = np.inf if fit.shape.is_sparse else n_rows * (fit.shape.n_trained + 1)
    return max(kept, values) <= MOST and 1 / MODERATE < fit.curvature < MODERATE


class Held:
    """Rows in training coordinates with the constant, and their shares in the objective."""

    def __init__(self, objective: Rows) -> None:
        fit, ids = objective.fit, objective.ids
        problem = fit.problem
        rows = problem.storage.rows(ids, fit.shape.n_trained, problem.head.intercept)
        rows = rows.toarray() if sparse.issparse(rows) else rows
        dtype = fit.shape.dtype if rows.size <= TINY else np.float32
        # sparse columns come in any unit; what is nothing but rounding stays that
        lengths = np.sqrt(np.einsum("ij,ij->j", rows, rows) / len(ids))
        self.units = 1 / np.where(lengths > NEGLIGIBLE * lengths.max(), lengths, 1)
        self.Z = np.ascontiguousarray(rows * self.units, dtype)
        self.y = read_only(problem.y[ids])
        self.shares = (problem.weights[ids] / len(ids)).astype(dtype)
        self.penalty = (fit.head.copies * objective.penalty * self.units**2).astype(dtype)
        self.loss, self.copies, self.floor = fit.loss, fit.head.copies, LEAST * fit.curvature
        (self.square,) = get_blas_funcs(["syrk"], dtype=self.Z.dtype)
        self.factor, self.solve = get_lapack_funcs(["potrf", "potrs"], dtype=self.Z.dtype)
        self.factors: list[FloatArray] = []

    def at(self, V: FloatArray, n_products: int) -> "HeldModel":
        bend, diagonal = self._row_hessians(V)
        self._refactor(diagonal, n_products)
        return HeldModel(self.Z, self.penalty, bend, self._inverse())

    def inverse_at(self, V: FloatArray, n_products: int) -> "Inverse":
        _, diagonal = self._row_hessians(V)
        self._refactor(diagonal, n_products)
        return self._inverse()

    def _inverse(self) -> "Inverse":
        return Inverse(self.factors, self.solve, self.units)

    def _row_hessians(self, V: FloatArray) -> tuple[Callable[[FloatArray], None], FloatArray]:
        """What takes scores to their products with the Hessian of their row, and its diagonal."""
        S = self.Z @ (V / self.units).T.astype(self.Z.dtype)
        n, n_classes = S.shape
        if self.copies == 2:
            scores, h = np.hstack([-S, S]), np.empty(n)
            row_curvatures(self.loss, scores, self.y, np.array([-1.0, 1.0]), np.empty(2), np.empty((2, 2)), h)
            h = (2 * h * self.shares).astype(self.Z.dtype)[:, None]
            return lambda T: _scale(T, h), h
        if covariance.find(type(self.loss)):
            covariances(self.loss, S)
            S *= self.shares[:, None]
            total = S.sum(axis=1, keepdims=True)
            return lambda T: apply_covariances(S, T), S - S * S / np.where(total > 0, total, 1)
        H = np.empty((n, n_classes, n_classes))
        row_matrices(self.loss, S.astype(np.float64), self.y, np.empty((2, n_classes)), H)
        H = (H * self.shares[:, None, None]).astype(self.Z.dtype)
        work = np.empty(n_classes, self.Z.dtype)
        return lambda T: apply_matrices(H, T, work), np.einsum("ikk->ik", H)

    def _refactor(self, diagonal: FloatArray, n_products: int) -> None:
        """One factor for all classes, or one each where that has cost more products than to make them."""
        n_classes, width = diagonal.shape[1], self.Z.shape[1]
        if not self.factors or n_products > REFRESH:
            each = n_products > REFRESH + width / OF_CLASSES and n_classes * width**2 <= MOST
            of_classes = diagonal.T if each else diagonal.mean(axis=1)[None]
            self.factors = [self._factor(h) for h in of_classes]

    def _factor(self, h: FloatArray) -> FloatArray:
        """The Cholesky factor of the Hessian of a class whose rows have these curvatures."""
        kind = self.Z.dtype.type
        root = np.sqrt(np.maximum(h, 0) + kind(self.floor / self.penalty.size) * self.shares)
        M = self.square(1.0, (self.Z * root[:, None]).T, lower=True)
        diagonal = np.einsum("jj->j", M)
        diagonal += self.penalty
        ridge = kind(RIDGE if kind is np.float32 else RIDGE**2) * (diagonal.mean() or kind(1))
        while np.isfinite(ridge):
            diagonal += ridge
            L, fault = self.factor(M, lower=True)
            if not fault:
                return L
            ridge *= 10
        raise LinAlgError("the curvature of the loss is not finite")


class Inverse(NamedTuple):
    """Cholesky factors of the Hessian of a class on average, or of each, and what solves with them."""

    factors: list[FloatArray]
    solve: Callable
    units: FloatArray

    def precondition(self, gradient: FloatArray) -> FloatArray:
        gradient = (gradient * self.units).astype(self.factors[0].dtype)
        if len(self.factors) == 1:
            return self.solve(self.factors[0], gradient.T, lower=True)[0].T * self.units
        each = zip(self.factors, gradient, strict=True)
        return np.stack([self.solve(factor, g, lower=True)[0] for factor, g in each]) * self.units


class HeldModel(NamedTuple):
    Z: FloatArray
    penalty: FloatArray
    bend: Callable[[FloatArray], None]
    inverse: Inverse

    def product(self, direction: FloatArray) -> FloatArray:
        direction = (direction / self.inverse.units).astype(self.Z.dtype)
        T = self.Z @ direction.T
        self.bend(T)
        product = T.T @ self.Z
        product += self.penalty * direction
        return product / self.inverse.units

    def precondition(self, gradient: FloatArray) -> FloatArray:
        return self.inverse.precondition(gradient)


def _scale(T: FloatArray, h: FloatArray) -> None:
    T *= h
