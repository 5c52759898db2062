"""Rows of a small problem and the Hessians of their losses, held for products with few digits.

They are float32: a quadratic model needs no more digits than the steps that are based on it, and a product
is then two products of BLAS. Tiny problems keep the digits of X, so that a row of weight k equals k rows.
"""

import copy
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from scipy import sparse
from scipy.linalg import get_lapack_funcs

from linclf._kernels.quadratic import apply_covariances, apply_matrices
from linclf._storage import read_only
from linclf._training.cholesky import factored
from linclf._training.fit import Fit
from linclf._training.objective import Rows
from linclf._training.plan import pieces_of
from linclf._training.preconditioner import LEAST
from linclf._training.row_hessians import row_hessians
from linclf._types import FloatArray
from linclf.losses._hessian import covariance, covariances, diagonal, diagonals

MOST = 2**22  # values of rows, and of their Hessians
TINY = 2**15  # values of rows that keep the digits of X
MODERATE = 1e10  # largest curvature that suits float32, and inverse of the smallest
NEGLIGIBLE = 1e-15  # length of a column, as a share of the longest
ROUNDING = 16  # error of a mean, in eps of it
REFRESH = 3  # products of a step, beyond which it pays to renew the inverse
OF_CLASSES = 6  # a factor for each class costs features / OF_CLASSES products


Bend: TypeAlias = Callable[[FloatArray], Any]
quiet = np.errstate(over="ignore", invalid="ignore")  # NumPy keeps this for each thread


def is_small(objective: Rows) -> bool:
    """Whether rows and Hessians fit, in float32."""
    fit, n_rows, n_products = objective.fit, objective.n_rows, objective.fit.shape.n_products
    known = covariance.find(type(fit.loss)) or diagonal.find(type(fit.loss))
    few = known is not None or n_products == 1
    kept = n_rows * (n_products if few else n_products**2)
    values = np.inf if fit.shape.is_sparse else n_rows * (fit.shape.n_trained + 1)
    return max(kept, values) <= MOST and 1 / MODERATE < fit.curvature < MODERATE


class Held:
    """Rows in training coordinates with the constant, and their shares in the objective.

    Sums over rows are computed in pieces that do not depend on the number of threads, and added in order.
    """

    def __init__(self, objective: Rows, pool: ThreadPoolExecutor | None) -> None:
        fit, ids = objective.fit, objective.ids
        problem = fit.problem
        n_trained = fit.shape.n_trained
        dtype = fit.shape.dtype if len(ids) * (n_trained + 1) <= TINY else np.float32
        # sparse columns may be in units that do not fit float32; dense ones are scaled already
        kept = np.float64 if fit.shape.is_sparse else dtype
        rows = problem.storage.rows(ids, n_trained, problem.head.intercept, kept)
        rows = rows.toarray() if sparse.issparse(rows) else rows
        lengths = np.sqrt(np.einsum("ij,ij->j", rows, rows, dtype=np.float64) / len(ids))
        # mere rounding is not scaled up; powers of two add no rounding, neither here nor in directions
        lengths = np.where(lengths > np.maximum(NEGLIGIBLE * lengths.max(), _rounding(fit)), lengths, 1)
        self.units = np.exp2(-np.round(np.log2(lengths)))
        rows *= self.units.astype(kept)
        self.Z = np.ascontiguousarray(rows, dtype)
        self.y = read_only(problem.y[ids])
        self.shares = (problem.weights[ids] / len(ids)).astype(dtype)
        self.offset = problem.offset[ids] if problem.offset.size else None
        self._penalised(objective)
        self.loss, self.copies, self.floor = fit.loss, fit.head.copies, LEAST * fit.curvature
        (self.solve,) = get_lapack_funcs(["potrs"], dtype=dtype)
        self.factors: list[FloatArray] = []
        n, width = self.Z.shape
        n_weights = fit.shape.n_products * width
        n_pieces = pieces_of(n, 2 * n_weights, n_weights)
        edges = [n * piece // n_pieces for piece in range(n_pieces + 1)]
        self.pieces = [slice(*piece) for piece in itertools.pairwise(edges)]
        self.each: Callable = map if pool is None or n_pieces == 1 else pool.map

    def _penalised(self, objective: Rows) -> None:
        penalty = objective.fit.head.copies * objective.penalty * self.units**2
        self.penalty = penalty.astype(self.Z.dtype)

    def for_objective(self, objective: Rows) -> Self:
        """The same for another penalty; factors are kept until steps with them cost too much."""
        other = copy.copy(self)
        other._penalised(objective)
        return other

    def at(self, V: FloatArray, n_products: int) -> "HeldModel":
        bends = self._refactor(V, n_products)
        return HeldModel(self, bends, self._inverse())

    def inverse_at(self, V: FloatArray, n_products: int) -> "Inverse":
        self._refactor(V, n_products)
        return self._inverse()

    def _inverse(self) -> "Inverse":
        return Inverse(self.factors, self.solve, self.units)

    @quiet
    def _row_hessians(self, V: FloatArray, piece: slice) -> tuple[Bend, FloatArray]:
        """A function that multiplies scores of some rows by their Hessians, and the diagonals of these."""
        S, shares = self.Z[piece] @ V.T, self.shares[piece]
        if self.offset is not None:
            S += self.offset[piece]
        n_classes = S.shape[1]
        if covariance.find(type(self.loss)) and self.copies == 1:
            covariances(self.loss, S)
            S *= shares[:, None]
            total = S.sum(axis=1, keepdims=True)
            return lambda T: apply_covariances(S, T), S - S * S / np.where(total > 0, total, 1)
        if diagonal.find(type(self.loss)):
            diagonals(self.loss, S, self.y[piece])
            S *= shares[:, None]
            return lambda T: np.multiply(T, S, out=T), S
        H = row_hessians(self.loss, self.copies, S, self.y[piece])
        H = (H * shares[:, None, None]).astype(self.Z.dtype)
        bends = np.einsum("ikk->ik", H)
        if n_classes == 1:
            return lambda T: np.multiply(T, bends, out=T), bends
        work = np.empty(n_classes, self.Z.dtype)
        return lambda T: apply_matrices(H, T, work), bends

    def _refactor(self, V: FloatArray, n_products: int) -> list[Bend]:
        """The Hessians of the rows; one factor for all classes, or one for each if that pays.

        It does if steps have cost more products than the factors would.
        """
        V = (V / self.units).astype(self.Z.dtype)
        found = list(self.each(lambda piece: self._row_hessians(V, piece), self.pieces))
        n_classes, width = V.shape
        if not self.factors or n_products > REFRESH:
            bends = np.concatenate([bends for _, bends in found])
            each = n_products > REFRESH + width / OF_CLASSES and n_classes * width**2 <= MOST
            of_classes = bends.T if each else bends.mean(axis=1)[None]
            self.factors = list((self.each if each else map)(self._factor, of_classes))
        return [bend for bend, _ in found]

    @quiet
    def _factor(self, h: FloatArray) -> FloatArray:
        """The Cholesky factor of the Hessian of a class, from these curvatures of its rows."""
        kind = self.Z.dtype.type
        root = np.sqrt(np.maximum(h, 0) + kind(self.floor / self.penalty.size) * self.shares)
        rows = self.Z * root[:, None]
        M = rows.T @ rows
        np.einsum("jj->j", M)[:] += self.penalty
        return factored(M)


def _rounding(fit: Fit) -> FloatArray | float:
    """The rounding that centring leaves in columns that do not vary, in training coordinates."""
    if fit.shape.is_sparse:
        return 0.0
    centre, factor = fit.coordinates.of_rows
    return np.append(ROUNDING * np.finfo(fit.shape.dtype).eps * np.abs(centre) * factor, 0)


class Inverse(NamedTuple):
    """Cholesky factors of the mean Hessian of a class, or of each class, and the function to solve with."""

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
    held: Held
    bends: list[Bend]  # of the pieces
    inverse: Inverse

    def product(self, direction: FloatArray) -> FloatArray:
        held = self.held
        direction = (direction / held.units).astype(held.Z.dtype)

        @quiet
        def of_piece(piece: slice, bend: Bend) -> FloatArray:
            Z = held.Z[piece]
            T = Z @ direction.T
            bend(T)
            return T.T @ Z

        parts = held.each(of_piece, held.pieces, self.bends)
        product = held.penalty * direction
        for part in parts:
            product += part
        return product / held.units

    def precondition(self, gradient: FloatArray) -> FloatArray:
        return self.inverse.precondition(gradient)
