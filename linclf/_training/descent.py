"""A model in stochastic training: its plan, its state, and helpers for sweeps through the rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from linclf._kernels.problem import Problem, State, Steps
from linclf._training.fit import Fit
from linclf._training.model import LinearModel
from linclf._training.optimizing import published_weights
from linclf._training.sampling import Pass
from linclf._training.settings import Settings
from linclf._training.step_rule import StepRule
from linclf._training.step_size import StepSize
from linclf._types import FloatArray, IntArray
from linclf.optimizers import Optimizer

COPIED = 256  # rows of weights whose squares are taken at once


class Sweep(Protocol):
    """One way through the rows."""

    def run(self, descent: "Descent", order: IntArray, steps: FloatArray) -> Pass:
        """Train on the rows in this order, one step per batch."""
        ...


@dataclass(frozen=True)
class Plan:
    """How stochastic steps go through the rows."""

    batch: int
    full: bool  # whether one batch holds all rows, so that every gradient is exact
    accelerated: bool  # whether momentum was added because of that
    optimizer: Optimizer
    sweep: Sweep
    n_pieces: int  # of a batch
    batches_a_call: int
    epochs: int


@dataclass
class Descent:
    rule: StepRule
    fit: Fit
    plan: Plan
    state: State
    step_size: StepSize

    @property
    def problem(self) -> Problem:
        return self.fit.problem

    @property
    def settings(self) -> Settings:
        return self.fit.settings

    @property
    def row_limit(self) -> float:
        """The reach of a row beyond which its gradient is shortened."""
        limited = self.rule.automatic and not self.plan.full
        return 2 / self.fit.curvature if limited else np.inf

    # ------------------------------------------------------------ for sweeps

    def with_gradient(self) -> State:
        """The state with a gradient array, made when it is first needed."""
        if self.state.G.shape != self.state.V.shape:
            self.state = self.state._replace(G=np.zeros_like(self.state.V))
        return self.state

    def batches(self, order: IntArray, steps: FloatArray) -> Iterator[tuple[IntArray, float]]:
        """The rows of each batch, and its step."""
        size = self.plan.batch
        for number, step in enumerate(steps):
            yield order[number * size : (number + 1) * size], step

    def in_calls(
        self, order: IntArray, steps: FloatArray, kernel: Callable[[IntArray, Steps], tuple[float, float]]
    ) -> Pass:
        """Call the kernel with some batches at a time, so that Ctrl-C works in between."""
        batch, size, total, first = self.plan.batch, self.plan.batches_a_call, 0.0, 0.0
        for start in range(0, len(steps), size):
            ids = order[start * batch : (start + size) * batch]
            part, beginning = kernel(ids, Steps(batch, steps[start : start + size], self.row_limit))
            total += part
            if start == 0:
                first = beginning
        return Pass(total, first)

    # ------------------------------------------------------------ for the solver

    def order(self, rng: np.random.RandomState | None) -> IntArray:
        """The rows in the order in which they are trained on, a random one if there is a generator."""
        return self.fit.ids if rng is None else rng.permutation(self.fit.ids)

    def run(self, order: IntArray, steps: FloatArray) -> Pass:
        """Train on the rows in this order, one step per batch."""
        return self.plan.sweep.run(self, order, steps)

    def penalty_value(self) -> float:
        """The penalty for all copies of the weights; block sums keep the digits of float32."""
        V, penalty, total = self.state.V, self.problem.penalty, 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks the result
            for start in range(0, len(V), COPIED):
                part = slice(start, start + COPIED)
                total += self.problem.storage.penalty_of(np.square(V[part]), penalty, part)
        total *= 0.5 * self.fit.head.copies
        if self.fit.norm is not None:
            W = self.problem.storage.by_classes(V)[:, :-1].T.astype(np.float64)
            total += self.fit.norm.value(W, self.fit.limits)
        return total

    def model(self) -> LinearModel:
        """The model reached, in the units of X."""
        return self.fit.model(published_weights(self.plan.optimizer, self.state))
