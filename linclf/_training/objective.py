"""The objective as exact solvers see it: sums over rows, wherever the rows are.

`Rows` is the objective of rows in memory. Its sums are computed in pieces on threads; neither the pieces nor
the results depend on the number of threads.
"""

import copy
from collections.abc import Iterator
from typing import NamedTuple, Protocol, Self

import numpy as np

from linclf._training.fit import Fit
from linclf._training.gradients import Arrays, mean_gradient
from linclf._training.hessians import mean_hessian_products
from linclf._training.plan import pieces_of, row_cost
from linclf._training.threads import threads
from linclf._types import FloatArray, IntArray, Matrix

COPIED = 2**14  # weights that are multiplied at once: they stay in the cache


class Objective(Protocol):
    """The function to minimise, of weights in training coordinates, laid out for the storage of X."""

    @property
    def penalty(self) -> FloatArray:
        """The penalty of each feature; 0 for the constant."""
        ...

    @property
    def n_rows(self) -> int: ...

    def value_and_gradient(self, V: FloatArray, G: FloatArray) -> float:
        """Mean loss of the rows plus the penalty; its gradient goes to G."""
        ...

    def hessian_product(self, V: FloatArray, directions: FloatArray) -> FloatArray:
        """Hessian at V times directions, which hold several times the classes of V in its layout."""
        ...

    def sample(self, n: int, rng: np.random.RandomState) -> Self:
        """The objective of n of the rows."""
        ...

    def blocks(self, size: int) -> Iterator["RowBlock"]:
        """The rows themselves, a few at a time."""
        ...


class RowBlock(NamedTuple):
    """Rows in training coordinates with the constant, float64; their targets, weights and offset."""

    Z: Matrix
    y: np.ndarray
    weights: FloatArray
    offset: FloatArray | float  # added to the products


def spread(fit: Fit, of_features: FloatArray, dtype: np.dtype) -> FloatArray:
    """Numbers per feature, or per class and feature, for each weight in the order of memory."""
    shape = fit.shape.n_products, of_features.shape[-1]
    stored = fit.problem.storage.by_classes(np.broadcast_to(of_features.astype(dtype), shape))
    return np.ascontiguousarray(stored).ravel()


class Rows:
    """The objective of the rows ``ids`` of a fit."""

    def __init__(self, fit: Fit, ids: IntArray) -> None:
        self.ids, self.arrays = ids, Arrays()
        self._penalised(fit)

    def _penalised(self, fit: Fit) -> None:
        self.fit = fit
        self.penalty = fit.head.penalised(fit.problem.penalty).astype(np.float64)
        self.pulls = spread(fit, self.penalty, fit.shape.dtype)

    def with_penalty(self, fit: Fit) -> Self:
        """The objective of the same rows in a fit that has another penalty."""
        other = copy.copy(self)
        other._penalised(fit)
        return other

    @property
    def n_rows(self) -> int:
        return len(self.ids)

    @property
    def dtype(self) -> np.dtype:
        """The dtype in which values are computed."""
        return self.fit.shape.dtype

    def value_and_gradient(self, V: FloatArray, G: FloatArray) -> float:
        problem, shape, n_jobs, n = self.fit.problem, self.fit.shape, self.fit.settings.n_jobs, len(self.ids)
        stored = V.astype(shape.dtype, copy=False)
        n_pieces = pieces_of(n, row_cost(shape, shape.n_rows), shape.n_weights)
        with threads(n_jobs, n_pieces) as pool:
            loss, mean = mean_gradient(problem, stored, self.ids, n_pieces, pool, arrays=self.arrays)
        value = loss / n + self._penalise(V.ravel(), mean.ravel(), G.ravel())
        self.arrays.spare.append(mean)
        return value

    def _penalise(self, V: FloatArray, mean: FloatArray, G: FloatArray) -> float:
        """The penalty; its gradient plus that of the rows goes to G, for all copies of the weights."""
        total, copies = 0.0, self.fit.head.copies
        for start in range(0, V.size, COPIED):
            part = slice(start, start + COPIED)
            pull = self.pulls[part] * V[part]
            total += float(pull @ V[part])
            np.add(mean[part], pull, out=G[part])
            if copies > 1:
                G[part] *= copies
        return 0.5 * copies * total

    def hessian(self, V: FloatArray) -> FloatArray | None:
        """The whole Hessian, if it is small."""
        return None

    def hessian_product(self, V: FloatArray, directions: FloatArray) -> FloatArray:
        problem, shape, n_jobs, n = self.fit.problem, self.fit.shape, self.fit.settings.n_jobs, len(self.ids)
        if not self.fit.head.equivariant:
            raise TypeError(f"{type(self.fit.head).__name__} scores are not linear in the weights")
        V, along = (array.astype(shape.dtype, copy=False) for array in (V, directions))
        times = along.size // V.size
        n_pieces = pieces_of(n, row_cost(shape, shape.n_rows) * times, shape.n_weights * times)
        with threads(n_jobs, n_pieces) as pool:
            products = mean_hessian_products(problem, V, along, self.ids, n_pieces, pool)
        by_classes, copies = problem.storage.by_classes, self.fit.head.copies
        return copies * (products + by_classes(by_classes(directions) * self.penalty))

    def sample(self, n: int, rng: np.random.RandomState) -> Self:
        if n >= len(self.ids):
            return self
        return type(self)(self.fit, np.sort(rng.choice(self.ids, n, replace=False)))

    def blocks(self, size: int) -> Iterator[RowBlock]:
        problem, n_features = self.fit.problem, self.fit.shape.n_trained
        for start in range(0, len(self.ids), size):
            ids = self.ids[start : start + size]
            Z = problem.storage.rows(ids, n_features, problem.head.intercept)
            offset = problem.offset[ids] if problem.offset.size else 0.0
            yield RowBlock(Z, problem.y[ids], problem.weights[ids], offset)
