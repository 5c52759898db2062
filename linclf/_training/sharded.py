"""The objective of rows that are not in memory: each value is a pass over the shards.

The sums of shards are added in the order of the shards, in float64, so the result depends neither on the
number of threads nor on the order in which the sums are ready.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from linclf._data.dataset import Dataset
from linclf._kernels.problem import Problem
from linclf._training.fit import Fit, problem_for
from linclf._training.frames import AnyFrame
from linclf._training.gradients import mean_gradient
from linclf._training.hessians import mean_hessian_products
from linclf._training.objective import Rows
from linclf._training.plan import CALL, row_cost
from linclf._training.shape import Shape
from linclf._types import FloatArray, Loss
from linclf.heads import Head


class Formulation(NamedTuple):
    """Everything needed to turn the rows of a shard into a problem."""

    frame: AnyFrame
    head: Head
    loss: Loss
    alpha: float
    unit: float
    n_outputs: int
    shape: Shape

    def problem(self, data: Dataset) -> Problem:
        data = data._replace(X=self.frame.of_part(data.X))
        coordinates = self.frame.coordinates
        return problem_for(data, coordinates, self.head, self.loss, self.alpha, self.unit, self.n_outputs)

    def pieces(self, n_rows: int, times: int = 1) -> int:
        """Kernel calls for the rows of a shard, so that Ctrl-C works in between."""
        return max(1, int(n_rows * row_cost(self.shape, n_rows) * times / CALL))


class Sums(NamedTuple):
    """Sum of the weighted losses of the rows of a shard, and its gradient, float64."""

    loss: float
    gradient: FloatArray


def sums(formulation: Formulation, V: FloatArray, data: Dataset) -> Sums:
    n = len(data.weights)
    loss, mean = mean_gradient(formulation.problem(data), V, np.arange(n), formulation.pieces(n), None)
    return Sums(loss, np.multiply(mean, n, dtype=np.float64))


def plus(one: Sums, other: Sums) -> Sums:
    return Sums(one.loss + other.loss, np.add(one.gradient, other.gradient, out=one.gradient))


def products(formulation: Formulation, V: FloatArray, directions: FloatArray, data: Dataset) -> FloatArray:
    """Products of the Hessian of the weighted losses with directions, float64."""
    n, times = len(data.weights), directions.size // V.size
    problem, pieces = formulation.problem(data), formulation.pieces(n, times)
    mean = mean_hessian_products(problem, V, directions, np.arange(n), pieces, None)
    return np.multiply(mean, n, dtype=np.float64)


def add_to(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.add(one, other, out=one)


def objective_for(fit: Fit) -> Rows:
    """The objective of the rows in memory, or of shards."""
    return Rows(fit, fit.ids) if fit.shards is None else Sharded(fit)


class Sharded(Rows):
    """The objective of all rows; those of the fit are a sample of them."""

    def __init__(self, fit: Fit) -> None:
        super().__init__(fit, fit.ids)
        self.last: tuple[FloatArray, float, FloatArray] | None = None

    @property
    def n_rows(self) -> int:
        return self.fit.shape.n_rows

    def value_and_gradient(self, V: FloatArray, G: FloatArray) -> float:
        if self.last is None or not np.array_equal(self.last[0], V):  # a pass is expensive
            found = self._total(sums, plus, V)
            self.last = V.copy(), found.loss / self.n_rows, found.gradient / self.n_rows
        _, loss, mean = self.last
        return loss + self._penalise(V.ravel(), mean.ravel(), G.ravel())

    def hessian_product(self, V: FloatArray, directions: FloatArray) -> FloatArray:
        total = self._total(products, add_to, V, directions)
        by_classes = self.fit.problem.storage.by_classes
        return self.fit.head.copies * (
            total / self.n_rows + by_classes(by_classes(directions) * self.penalty)
        )

    def _total(self, function: Any, plus: Any, *arrays: FloatArray) -> Any:
        shards, stored = self.fit.shards, [array.astype(self.dtype, copy=False) for array in arrays]
        assert shards is not None
        return shards.total(partial(function, self.fit.formulation, *stored), plus, self.fit.settings.n_jobs)

    def sample(self, n: int, rng: np.random.RandomState) -> Rows:
        return Rows(self.fit.of_sample(), self.ids).sample(n, rng)

    def blocks(self, size: int) -> Any:
        raise NotImplementedError("rows that are not in memory are looked at in a sample")
