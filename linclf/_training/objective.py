"""The objective as exact solvers see it: sums over rows, and nothing of where the rows are.

`Rows` is the objective of rows in memory. Its sums are made on threads, in pieces that do not depend on their
number, and so are the results.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, Self

import numpy as np

from linclf._training.fit import Fit
from linclf._training.gradients import mean_gradient
from linclf._training.hessians import mean_hessian_products
from linclf._training.plan import pieces_of, row_cost
from linclf._training.threads import threads
from linclf._types import FloatArray, IntArray, Matrix


class Objective(Protocol):
    """The function to minimise, of weights V (n_classes, n_features + 1) in training coordinates."""

    @property
    def penalty(self) -> FloatArray:
        """Of each feature; 0 for the constant."""
        ...

    @property
    def n_rows(self) -> int: ...

    def value_and_gradient(self, V: FloatArray) -> tuple[float, FloatArray]:
        """Mean loss of the rows plus the penalty."""
        ...

    def hessian_product(self, V: FloatArray, directions: FloatArray) -> FloatArray:
        """Second derivatives at V times directions (..., n_classes, n_features + 1), several at once."""
        ...

    def sample(self, n: int, rng: np.random.RandomState) -> Self:
        """The objective of n of the rows."""
        ...

    def blocks(self, size: int) -> Iterator["RowBlock"]:
        """The rows themselves, a few at a time."""
        ...


class RowBlock(NamedTuple):
    """Rows in training coordinates with the constant, float64; their targets and weights."""

    Z: Matrix
    y: np.ndarray
    weights: FloatArray


class Rows:
    """The objective of the rows ``ids`` of a fit."""

    def __init__(self, fit: Fit, ids: IntArray) -> None:
        self.fit, self.ids = fit, ids
        self.penalty = fit.head.penalised(fit.problem.penalty).astype(np.float64)

    @property
    def n_rows(self) -> int:
        return len(self.ids)

    def value_and_gradient(self, V: FloatArray) -> tuple[float, FloatArray]:
        problem, shape, n_jobs, n = self.fit.problem, self.fit.shape, self.fit.settings.n_jobs, len(self.ids)
        by_classes = problem.storage.by_classes
        stored = np.ascontiguousarray(by_classes(V), dtype=shape.dtype)
        n_pieces = pieces_of(n, row_cost(shape, shape.n_rows), shape.n_weights)
        with threads(n_jobs, n_pieces) as pool:
            loss, G = mean_gradient(problem, stored, self.ids, n_pieces, pool)
        value = loss / n + 0.5 * float(np.einsum("ij,ij,j->", V, V, self.penalty))
        return value, by_classes(G) + self.penalty * V

    def hessian_product(self, V: FloatArray, directions: FloatArray) -> FloatArray:
        problem, shape, n_jobs, n = self.fit.problem, self.fit.shape, self.fit.settings.n_jobs, len(self.ids)
        if not self.fit.head.equivariant:
            raise TypeError(f"{type(self.fit.head).__name__} scores are not linear in the weights")
        by_classes = problem.storage.by_classes
        stored = np.ascontiguousarray(by_classes(V), dtype=shape.dtype)
        rows = directions.reshape(-1, directions.shape[-1])
        n_directions = len(rows) // len(V)
        n_pieces = pieces_of(n, row_cost(shape, shape.n_rows) * n_directions, shape.n_weights * n_directions)
        with threads(n_jobs, n_pieces) as pool:
            along = np.ascontiguousarray(by_classes(rows), dtype=shape.dtype)
            products = by_classes(mean_hessian_products(problem, stored, along, self.ids, n_pieces, pool))
        return products.reshape(directions.shape) + self.penalty * directions

    def sample(self, n: int, rng: np.random.RandomState) -> Self:
        if n >= len(self.ids):
            return self
        return type(self)(self.fit, np.sort(rng.choice(self.ids, n, replace=False)))

    def blocks(self, size: int) -> Iterator[RowBlock]:
        problem, n_features = self.fit.problem, self.fit.shape.n_trained
        for start in range(0, len(self.ids), size):
            ids = self.ids[start : start + size]
            Z = problem.storage.rows(ids, n_features, problem.head.intercept)
            yield RowBlock(Z, problem.y[ids], problem.weights[ids])
