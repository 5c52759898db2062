"""Stochastic gradient steps: epochs over mini-batches, or over one batch of all rows."""

from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np

from linclf._data.dataset import Dataset
from linclf._kernels.problem import State
from linclf._training.buffered import Buffered
from linclf._training.descent import Descent
from linclf._training.fit import Fit
from linclf._training.intercepts import intercepts_alone
from linclf._training.monitor import OVERFLOW, Monitor, Outcome, Watch
from linclf._training.optimality import Optimality, gap, proves, reached
from linclf._training.optimizing import name_of, published_weights
from linclf._training.plan import plan_for
from linclf._training.sampling import Sampling
from linclf._training.schedules import factors
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._training.sharded import objective_for
from linclf._training.step_rule import StepRule
from linclf._training.step_size import StepSize
from linclf._types import FloatArray, IntArray, Loss
from linclf.heads import Head
from linclf.losses._registry import trait
from linclf.optimizers import SGD, Optimizer

ENDING = ("linear", "cosine")  # schedules that end by themselves; before that, noise hides progress
LONGER = 1.03  # growth of an automatic step on exact gradients
EXACT_ROWS = 256  # rows up to which a weight of k equals k copies to 7 digits
ROUNDING = 1e-9  # of the objective: smaller rises are rounding, so row order and duplicates do not matter
KEPT = 8  # epochs between copies of the weights, to go back to after an overflow
EPOCHS_DENSE, EPOCHS_SPARSE = 4, 10  # before an exact solver
SMALLEST_STEP = 1e-3  # of the first step, at which the adaptive schedule ends
PROOF = 16  # epochs, enough for a proven bound to be worth a few more passes


class Stochastic(NamedTuple):
    """Stochastic steps by a rule."""

    rule: StepRule = StepRule()

    needs_passes = False
    streams = True
    automatic_tol = 1e-6  # of the objective
    levels = False

    @property
    def name(self) -> str:
        return name_of(self.rule.optimizer)

    @property
    def automatic(self) -> bool:
        return self.rule.automatic

    def for_problem(
        self, loss: Loss, data: Dataset, alpha: float, watched: bool, sampling: Sampling | None
    ) -> Self:
        return self

    def for_shards(self, loss: Loss, watched: bool, shuffles: bool) -> Self:
        if not shuffles:
            remedy = "solver='lbfgs'" if trait(loss, "smooth") else "the squared form of the loss"
            raise ValueError(
                f"solver={self.name!r} goes through the rows one after the other, and those of a cluster are "
                f"in many places; use {remedy}"
            )
        return self

    def check(self, loss: Loss, data: Dataset) -> None:
        """Nothing to check: every loss and all data are suitable."""

    def bytes_needed(self, shape: Shape) -> int:
        """Bytes of the weights, of a copy to go back to and later to publish, and of a sparse gradient."""
        copies = 2 + self.rule.optimizer.n_slots + (shape.is_sparse and type(self.rule.optimizer) is not SGD)
        return shape.n_products * shape.n_features * shape.dtype.itemsize * copies

    def extent(self, settings: Settings, loss: Loss, head: Head, shape: Shape) -> tuple[int, int | None]:
        plan = plan_for(self.rule, settings.max_iter, loss, head, shape, norm=settings.norm)
        return plan.epochs, None if plan.full else plan.batch

    def solve(self, fit: Fit, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        plan = plan_for(
            self.rule,
            fit.settings.max_iter,
            fit.loss,
            fit.head,
            fit.shape,
            stream=fit.shards is not None,
            sampling=fit.sampling,
            norm=fit.norm,
        )
        fit = _besides_offset(fit).for_batches(plan.batch)
        kind = Descent if fit.shards is None else Buffered
        descent = kind(self.rule, fit, plan, new_state(fit.V, plan.optimizer), StepSize())
        descent.step_size.set_unit(fit)
        if self.rule.automatic:
            descent.step_size.measure(fit, plan.batch)
        return self.train(descent, monitor, rng)

    def train(self, descent: Descent, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        """Run epochs until the schedule ends, or until the watched value no longer falls."""
        fit, plan = descent.fit, descent.plan
        epochs, batches = plan.epochs, -(-fit.shape.n_rows // plan.batch)
        exact = plan.full and trait(fit.loss, "smooth") and fit.norm is None
        # noise hides the progress until the step has fallen
        noisy = self.rule.schedule in ENDING and not exact
        n_steps = epochs * batches if self.rule.schedule in ENDING and not plan.full else None
        step = descent.step_size.first(self.rule, fit, plan.optimizer, plan.full, n_steps)
        guard, control, order, stop = _Guard(descent), None, descent.order(None), False
        if plan.accelerated:
            control = _ExactSteps(descent, guard)
        monitor.start("epoch", epochs, "step")
        for epoch in range(epochs):
            monitor.begin()
            if self.rule.shuffle and not plan.full:
                order = descent.order(rng)
            factor = factors(self.rule.schedule, epoch * batches, batches, epochs * batches)
            objective, step = guard.run(order, step, factor)
            made = float(step * factor[-1])
            if control is not None:
                step = control.next_step(objective, step, monitor.watch)
            watched = monitor.record(descent.model, objective, step=made)
            if not (noisy and monitor.validation is None) and monitor.watch.stalled(watched):
                # noise may keep it from falling: only smaller steps can tell
                step /= 5
                monitor.watch.forget()
                anneals = noisy or self.rule.schedule == "adaptive"
                stop = not anneals or step < SMALLEST_STEP * monitor.history["step"][0]
            if monitor.end(descent.model) or stop:
                break
        else:
            if self.rule.schedule not in ENDING:
                monitor.warn(
                    f"max_iter={epochs} epochs were not enough to reach tol={monitor.watch.tol} with "
                    f"schedule={self.rule.schedule!r}; raise max_iter or tol, or use schedule='linear', "
                    "which ends by itself"
                )
        if control is not None:
            control.finish(order)
        outcome = monitor.outcome(descent.model)
        watched = monitor.validation is not None or fit.sampling is not None or fit.norm is not None
        if watched or outcome.n_iter < PROOF or not (proves(fit) and trait(fit.loss, "smooth")):
            return outcome
        return outcome._replace(gap=_gap(descent))


def epochs_of_sgd(fit: Fit) -> FloatArray:
    """Weights after a few epochs, from which exact solvers continue."""
    fit = _besides_offset(fit)
    silent = Monitor(fit.settings._replace(max_iter="auto", tol=None, verbose=0), None, None)
    rule, epochs = StepRule(), EPOCHS_SPARSE if fit.shape.is_sparse else EPOCHS_DENSE
    plan = plan_for(rule, epochs, fit.loss, fit.head, fit.shape)
    descent = Descent(rule, fit, plan, new_state(fit.V.copy(), plan.optimizer), StepSize())
    descent.step_size.set_unit(fit)
    descent.step_size.measure(fit, plan.batch)
    Stochastic(rule).train(descent, silent, np.random.RandomState(0))
    return descent.state.V


def _besides_offset(fit: Fit) -> Fit:
    """The fit from the best intercepts besides known scores, if nothing else says where it starts.

    If these are large, it is a long way to there.
    """
    if fit.V.any() or not fit.problem.offset.size:
        return fit
    return replace(fit, V=intercepts_alone(fit).astype(fit.V.dtype))


def new_state(V: FloatArray, optimizer: Optimizer) -> State:
    """The initial state of an optimizer."""
    slots = np.zeros((len(V), optimizer.n_slots, V.shape[1]), V.dtype)
    return State(V, np.zeros((0, 0), V.dtype), slots, np.zeros(1, np.int64))


def _gap(descent: Descent) -> float:
    """A bound on how far the objective lies above its minimum, from full gradients."""
    optimality = Optimality(objective_for(descent.fit))
    V = published_weights(descent.plan.optimizer, descent.state).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return gap(optimality, reached(optimality.objective, V))


class _Guard:
    """Runs epochs so that automatic steps cannot diverge: goes back to saved weights and halves the step."""

    def __init__(self, descent: Descent) -> None:
        V = descent.state.V
        # at zero weights the first batch tells the scale of the loss; at other scores nothing does
        self.from_zero = not (V.any() or descent.problem.offset.size)
        self.ceiling: float | None = None
        # zeros that are never used take no memory, unlike those of zeros_like
        self.safe = V.copy() if V.any() else np.zeros(V.shape, V.dtype)
        self.descent, self.epochs = descent, 0

    def run(self, order: IntArray, step: float, factor: FloatArray) -> tuple[float, float]:
        """One epoch; returns the objective and the step that it was made with."""
        descent, full = self.descent, self.descent.plan.full
        start, penalty = self.safe, 0.0
        for _ in range(100):
            # a full batch is measured before its only step, mini-batches along the way
            if full:
                start, penalty = descent.state.V.copy(), descent.penalty_value()
            total, first = descent.run(order, step * factor)
            if not full:
                penalty = descent.penalty_value()
            objective = total / descent.fit.shape.n_rows + penalty
            if not descent.rule.automatic:
                check_finite(descent, objective)
                return objective, step
            if self.ceiling is None:
                self.ceiling = 4 * (first if self.from_zero else max(first, min(objective, 1e300)))
            if objective <= self.ceiling:
                if full:
                    self.safe = start
                elif self.epochs % KEPT == 0:  # copy large arrays only now and then
                    self.safe[:] = descent.state.V
                self.epochs += 1
                return objective, step
            step /= 2
            descent.state.restart(self.safe)
        raise ValueError(OVERFLOW)


class _ExactSteps:
    """Step size and momentum if every gradient is exact: the objective decides about both.

    With up to `EXACT_ROWS` rows (or a batch size given by the user) it restarts momentum when the
    objective rises (O'Donoghue & Candes 2015), and halves the step if it rises again at once. With more
    rows it also looks for the longest step: it grows the step until the objective rises, and then goes
    back. This takes fewer epochs but carries rounding errors further.
    """

    def __init__(self, descent: Descent, guard: _Guard) -> None:
        self.descent, self.guard = descent, guard
        automatic = descent.rule.batch_size == "auto"
        self.grows = automatic and descent.fit.shape.n_rows > EXACT_ROWS
        self.rose, self.last, self.lowest = False, np.inf, guard.safe

    def next_step(self, objective: float, step: float, watch: Watch) -> float:
        """Called with the objective at guard.safe, after one more step from there."""
        rises = objective > self.last * (1 + ROUNDING)
        if not rises:
            self.rose, self.last, self.lowest = False, objective, self.guard.safe
            return step * LONGER if self.grows else step
        if self.grows:
            self.descent.state.restart(self.lowest)
        else:
            self.descent.state.forget_momentum()
            self.last = objective
        # the step after a restart has no momentum: if it rises, it was too long by itself
        if self.grows or self.rose:
            step /= 2
            watch.forget()
        self.rose = True
        return step

    def finish(self, order: IntArray) -> None:
        """If steps grow, the last one is measured (by a step of length 0) and may be undone."""
        if not self.grows:
            return
        state = self.descent.state
        V, slots, penalty = state.V.copy(), state.slots.copy(), self.descent.penalty_value()
        total, _ = self.descent.run(order, np.zeros(1))
        better = total / self.descent.fit.shape.n_rows + penalty <= self.last * (1 + ROUNDING)
        state.V[:] = V if better else self.lowest
        state.slots[:] = slots


def check_finite(descent: Descent, objective: float) -> None:
    if not (np.isfinite(objective) and np.isfinite(descent.state.V).all()):
        raise ValueError(
            f"learning_rate={descent.rule.learning_rate!r} made the weights overflow; use a "
            "smaller one, scale the features, or use learning_rate='auto'"
        )
