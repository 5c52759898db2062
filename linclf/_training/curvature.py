"""Quadratic models of the objective: products with its Hessian, and an approximate inverse of it."""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from linclf._training.explicit import Explicit, pays
from linclf._training.fit import Fit
from linclf._training.held import REFRESH, Held, is_small
from linclf._training.objective import Rows
from linclf._training.preconditioner import CHOLESKY, Preconditioner
from linclf._training.sharded import objective_for
from linclf._types import FloatArray

SAMPLE, FEWEST = 8, 8192  # rows to estimate the inverse from: a multiple of the features, and the least
CHOLESKY_SPARSE = 512  # features of sparse rows up to which the inverse is not just diagonal


class Model(Protocol):
    """The objective around some weights, up to second order."""

    def product(self, direction: FloatArray) -> FloatArray:
        """H times a direction, in the layout of the weights."""
        ...

    def precondition(self, gradient: FloatArray) -> FloatArray:
        """Roughly H^-1 times a gradient."""
        ...


class Curvature(Protocol):
    """Makes models."""

    def at(self, V: FloatArray, n_products: int) -> Model:
        """The model at V, after a step that took ``n_products`` products."""
        ...

    def for_objective(self, objective: Any) -> Self:
        """The curvature of the same objective with another penalty."""
        ...


def objective_of(fit: Fit) -> Rows:
    """The objective in the form that suits its quadratic model."""
    return Explicit(fit, fit.ids) if pays(fit) else objective_for(fit)


def curvature_of(objective: Rows, pool: ThreadPoolExecutor | None) -> Curvature:
    """The kind of curvature that suits a problem."""
    if isinstance(objective, Explicit):
        return objective
    in_memory = objective.fit.shards is None
    return Held(objective, pool) if in_memory and is_small(objective) else ByRows(objective, pool)


class ByRows:
    """Models that go through the rows and their scores again for each product."""

    def __init__(self, objective: Rows, pool: ThreadPoolExecutor | None) -> None:
        self.objective = objective
        n_features, is_sparse = objective.penalty.size, objective.fit.shape.is_sparse
        self.sample = objective.sample(max(SAMPLE * n_features, FEWEST), np.random.RandomState(0))
        few = n_features <= (CHOLESKY_SPARSE if is_sparse else CHOLESKY)
        self.held = Held(self.sample, pool) if few else None
        self.inverse: Preconditioner | None = None

    def for_objective(self, objective: Rows) -> Self:
        other = copy.copy(self)
        other.objective, other.sample = objective, self.sample.with_penalty(objective.fit)
        other.held = None if self.held is None else self.held.for_objective(other.sample)
        return other

    def at(self, V: FloatArray, n_products: int) -> "RowsModel":
        if self.held is not None:
            by_classes = self.objective.fit.problem.storage.by_classes
            inverse = self.held.inverse_at(by_classes(V), n_products)
            return RowsModel(self.objective, V, lambda G: by_classes(inverse.precondition(by_classes(G))))
        if self.inverse is None or n_products > REFRESH:
            self.inverse = Preconditioner(self.objective.fit, self.sample, V)
        return RowsModel(self.objective, V, self.inverse.solve)


class RowsModel(NamedTuple):
    objective: Rows
    V: FloatArray
    inverse: Callable[[FloatArray], FloatArray]

    def precondition(self, gradient: FloatArray) -> FloatArray:
        return self.inverse(gradient)

    def product(self, direction: FloatArray) -> FloatArray:
        return self.objective.hessian_product(self.V, direction)
