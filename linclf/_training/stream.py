"""A model that is trained on one part of a stream after the other."""

import time
from typing import Any

import numpy as np

from linclf._data.dataset import Dataset
from linclf._kernels.problem import State
from linclf._training.coordinates import Coordinates
from linclf._training.descent import Descent
from linclf._training.fit import Fit, penalty_factor, problem_for, shape_of, starting_weights
from linclf._training.frames import Seen, frame_for
from linclf._training.model import LinearModel
from linclf._training.monitor import Outcome
from linclf._training.optimizing import averages_of
from linclf._training.plan import plan_for
from linclf._training.sampling import Sampling
from linclf._training.schedules import factors
from linclf._training.settings import Settings
from linclf._training.solver import Solver
from linclf._training.solvers.stochastic import Stochastic, check_finite, new_state
from linclf._training.step_rule import StepRule
from linclf._training.step_size import StepSize
from linclf._training.train import head_for, outputs_of
from linclf._types import Loss
from linclf.heads import Head
from linclf.losses._evaluation import curvature


def rule_of(solver: Solver) -> StepRule:
    """The steps of a stream, which only one solver makes."""
    if not isinstance(solver, Stochastic):
        raise TypeError(f"solver={solver.name!r} needs all rows at once")
    return solver.rule


class Stream:
    """All that is kept between two parts: plain values, so that it can be copied and saved."""

    def __init__(
        self,
        data: Dataset,
        loss: Loss,
        rule: StepRule,
        settings: Settings,
        start: LinearModel | None,
        sampling: Sampling | None,
        key: tuple,
    ) -> None:
        self.key = key  # of parameters with which training can go on
        self.loss, self.rule, self.settings, self.sampling = loss, rule, settings, sampling
        self.n_outputs = outputs_of(loss, data.y.n_classes)
        self.is_sparse, self.n_features, self.dtype = data.is_sparse, data.X.shape[1], data.X.dtype
        self.head: Head = head_for(loss, settings, data, start)
        self.curvature = curvature(loss, self.n_outputs, self.dtype, soft=data.y.soft)
        if sampling is not None:
            self.curvature = sampling.curvature(self.curvature)
        frame = frame_for(Stochastic(rule), self.head, self.is_sparse)
        self.frame = frame(self.n_features, self.alpha * self.n_outputs, settings.fit_intercept)
        self.step_size, self.seen = StepSize(), Seen()
        self.state: State | None = None

    @property
    def alpha(self) -> float:
        return self.settings.alpha * penalty_factor(self.loss, self.n_outputs)

    def continues(self, key: tuple, data: Dataset) -> bool:
        """Whether training can go on: else a new stream has to start from the weights reached."""
        return same(self.key, key) and self.is_sparse == data.is_sparse

    def adopt(self, rule: StepRule, settings: Settings) -> None:
        """Go on with parameters that have been changed."""
        self.rule, self.settings = rule, settings
        self.frame.shift = self.alpha * self.n_outputs

    def train(self, data: Dataset, start: LinearModel | None, rng: np.random.RandomState) -> Outcome:
        """One pass over the next part, in the order given; ``start`` counts in the first one only."""
        started = time.perf_counter()
        descent = self._next(data, start, rng)
        plan, ids = descent.plan, descent.fit.ids  # of soft labels there may be more than rows of the part
        batches = -(-len(ids) // plan.batch)
        done = int(descent.state.n_steps[0])
        first = descent.step_size.first(self.rule, descent.fit, plan.optimizer, plan.full, None)
        steps = first * factors(self.rule.schedule, done, batches, None)
        total, _ = descent.run(ids, steps)
        objective = total / len(ids) + descent.penalty_value()
        check_finite(descent, objective)
        seconds = time.perf_counter() - started
        history = {"objective": [objective], "step": [float(steps[-1])], "seconds": [seconds]}
        return Outcome(descent.model(), history, 1)

    def _next(self, data: Dataset, start: LinearModel | None, rng: np.random.RandomState) -> Descent:
        """The training of the next part, in coordinates of all rows so far."""
        if self.sampling is not None:
            data = data.with_labels()
            self.sampling.meet(data)
        self.seen = Seen(self.seen.weight + data.weights.sum(), self.seen.rows + len(data.weights))
        old, old_head = self.frame.coordinates, self.head
        if self.frame.learn_part(data.X, data.weights, self.seen):
            self.head = self.frame.head(self.head)
            self._change_coordinates(old, old_head)
        with np.errstate(over="ignore"):  # `check_finite` looks at what has been trained
            part, data = data, data._replace(X=self.frame.of_part(data.X).astype(self.dtype, copy=False))
        coordinates, optimizer = self.frame.coordinates, self.rule.optimizer
        mean = self.seen.rows / self.seen.weight
        problem = problem_for(data, coordinates, self.head, self.loss, self.alpha, mean, self.n_outputs, True)
        state, first = self.state, self.state is None
        if state is None:
            if start is None:
                start = LinearModel(*self.head.start(part, self.n_outputs, rng), self.head)
            if self.sampling is not None:
                start = start._replace(b=self.sampling.start(start.b, self.settings.fit_intercept))
            V = starting_weights(start._replace(head=self.head), coordinates, problem.storage, self.dtype)
            state = self.state = new_state(V, optimizer)
        shape = shape_of(data, self.n_features, self.n_features, self.n_outputs, self.dtype)
        fit = Fit(
            data,
            self.loss,
            self.settings,
            coordinates,
            self.curvature,
            problem,
            state.V,
            shape,
            self.sampling,
        )
        plan = plan_for(self.rule, "auto", self.loss, self.head, shape, stream=True, sampling=self.sampling)
        if first:
            self.step_size.set_unit(fit)
        if self.rule.automatic:
            self.step_size.measure(fit, plan.batch)
        return Descent(self.rule, fit.for_batches(plan.batch), plan, state, self.step_size)

    def _change_coordinates(self, old: Coordinates, old_head: Head) -> None:
        """Express the weights, and their average if there is one, in the present coordinates."""
        if self.frame.forgets_spread:
            self.step_size.measured = 0.0  # the spread is one in these coordinates
        if self.state is None:
            return
        for array in [self.state.V, *averages_of(self.rule.optimizer, self.state.slots)]:
            array = array.T if self.is_sparse else array
            W, b = old.published(array, old_head.intercept)
            array[:] = self.frame.coordinates.weights_from(W, b, self.head.intercept)


def same(a: Any, b: Any) -> bool:
    """Equal, and of the same classes: tuples of two classes with the same numbers are equal to Python."""
    if isinstance(a, tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b
