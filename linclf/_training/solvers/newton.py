r"""Newton's method for smooth losses: few steps, each to the minimum of a quadratic model of the objective.

The step solves ``H d = -g`` roughly, by conjugate gradients; a product with the Hessian costs less than a
pass over the rows. A line search handles losses that are not convex, and steps that are too long.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np

from linclf._data.dataset import Dataset
from linclf._training.conjugate_gradients import WORTHWHILE, Step
from linclf._training.fit import Fit
from linclf._training.following import followed
from linclf._training.monitor import OVERFLOW, Monitor, Outcome
from linclf._training.newton_steps import NewtonSteps
from linclf._training.optimality import Reached, gap, proves, warn_if_far
from linclf._training.plan import epochs_for
from linclf._training.sampling import Sampling
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._training.solvers.dual import for_kinks
from linclf._training.threads import threads
from linclf._types import Loss
from linclf.heads import Head
from linclf.losses._registry import trait

ACCURACY = 0.1  # of a step, as a share of the gradient, at first
# share of what is allowed at which an estimate is believed without a proof, if the last step was thorough;
# steps are thorough from NEAR times that share on
SURE, NEAR = 0.3, 10
# accuracy of a thorough step, and the share of the average so far that a product has to bring
THOROUGH, LEAST = 1e-3, 0.1
# rows up to which a weight of k equals k copies to 7 digits: steps go on until only the share EXACT is left,
# or until STALLS falls in a row were larger than STALLED times the fall before
EXACT_ROWS, EXACT = 256, 1e-16
STALLED, STALLS = 0.5, 4
# share of what is allowed at which an estimate is believed even if a row is still on its way
NOTHING = 1e-6
FLAT = 1e-2  # share of the gradient at the start, below which their steps are accurate
VECTORS = 12  # of the size of the weights, float64


class Newton(NamedTuple):
    """Steps from the second derivatives; it has no parameters."""

    needs_passes = True
    streams = False
    automatic_tol = 1e-4  # of the fall from the best intercepts
    levels = True
    name = "newton"
    automatic = True

    def for_problem(
        self, loss: Loss, data: Dataset, alpha: float, watched: bool, sampling: Sampling | None
    ) -> Self:
        return self

    def for_shards(self, loss: Loss, watched: bool, shuffles: bool) -> Self:
        return self

    def check(self, loss: Loss, data: Dataset) -> None:
        if not trait(loss, "smooth"):
            raise ValueError(
                f"solver='newton' needs a smooth loss, and {loss!r} has kinks; use {for_kinks(loss)}, or "
                "the squared form of the loss"
            )
        if trait(loss, "gradient_jumps") and data.y.n_classes > 2:
            raise ValueError(
                f"solver='newton' needs a gradient without jumps, and that of {loss!r} has them where two "
                "rivals tie; use solver='lbfgs' or 'sgd', or the Weston-Watkins form of the loss"
            )
        if not trait(loss, "head").equivariant:
            raise ValueError(
                f"solver='newton' needs scores that are linear in the weights, and {loss!r} is a loss on "
                "cosines; use solver='lbfgs' or 'sgd'"
            )

    def bytes_needed(self, shape: Shape) -> int:
        return shape.n_products * shape.n_features * 8 * VECTORS

    def extent(self, settings: Settings, loss: Loss, head: Head, shape: Shape) -> tuple[int, int | None]:
        return epochs_for(settings.max_iter, True, shape), None

    def solve(self, fit: Fit, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        max_iter, _ = self.extent(fit.settings, fit.loss, fit.head, fit.shape)
        monitor.start("iteration", max_iter, "gradient_norm")
        n_jobs = fit.settings.n_jobs
        # `outcome` checks the gradient
        with threads(n_jobs, n_jobs) as pool, np.errstate(over="ignore", invalid="ignore"):
            run = _Run(NewtonSteps(fit, monitor.watch.tol or 0.0, pool), monitor)
            run.minimise(max_iter)
        return run.outcome(max_iter)

    def follow(self, fit: Fit, alphas: Sequence[float]) -> Iterator[Outcome]:
        return followed(fit, alphas, self.extent(fit.settings, fit.loss, fit.head, fit.shape)[0])


class _Run:
    """The weights on the way to the minimum."""

    def __init__(self, steps: NewtonSteps, monitor: Monitor) -> None:
        self.steps, self.monitor = steps, monitor
        self.optimality, self.proves = steps.optimality, proves(steps.fit)
        self.exact = steps.objective.n_rows <= EXACT_ROWS
        self.left = np.inf  # how far the objective may still fall
        self.gap: float | None = None  # a bound on that, once it is proven to be small enough
        self.finished, self.stalls, self.thorough = False, 0, False

    @property
    def here(self) -> Reached:
        return self.steps.here

    def minimise(self, max_iter: int) -> None:
        """Take steps from self.here until the minimum is near enough."""
        n_products, fall, ratio = 0, np.inf, 1.0
        while not (self.finished or self._is_near()) and self.monitor.n_iter < max_iter:
            step = self._step(n_products)
            if not self.steps.move(step):
                bound = self.optimality.of_weights(self.here.G) if self.proves else np.inf
                # a direction that is mostly rounding says less than the steps before it
                before = self.left if self.thorough else np.inf
                self.left = min(step.fall if step.accuracy <= ACCURACY else before, bound)
                self.finished = self.optimality.suffices(self.left, self.here.value)
                return
            # falls shrink at the last rate or faster if steps are thorough, else at one of the last two rates
            ratio, last = (step.fall / fall if np.isfinite(fall) else 1.0), ratio
            exact = step.accuracy <= THOROUGH
            n_products, fall, worst = step.n_products, step.fall, ratio if exact else max(ratio, last)
            self.thorough |= exact
            self.left = fall * worst / (1 - worst) if worst < 1 else np.inf
            self.stalls = self.stalls + 1 if ratio > STALLED else 0
            if step.fall <= self.optimality.rounding(self.here.value):
                self.stalls = STALLS
            self.finished = self._record()

    def _is_near(self) -> bool:
        """Whether it is proven, or estimated with some caution, that little enough is left."""
        allowed = self.optimality.allowed(self.here.value)
        bound = self.optimality.of_weights(self.here.G) if self.proves else np.inf
        if self.exact:
            digits = (bound if self.proves else self.left) <= EXACT * allowed
            self.finished |= digits or (self.stalls >= STALLS and self.left <= SURE * allowed)
            return self.finished
        if 2 * bound <= allowed:
            proven = gap(self.optimality, self.here)
            if proven <= allowed:
                self.gap, self.finished = proven, True
        believed = self.thorough and self.left <= SURE * allowed
        believed = believed and (self.left <= NOTHING * allowed or self.steps.was_local())
        self.thorough = self.left <= NEAR * SURE * allowed
        return self.finished or believed

    def _step(self, n_products: int) -> Step:
        flatter = self.steps.flatter
        accuracy, worthwhile = min(ACCURACY, np.sqrt(flatter)), WORTHWHILE
        if self.exact and flatter < FLAT:
            worthwhile = 0.0
        elif self.thorough:
            accuracy, worthwhile = min(accuracy, THOROUGH), LEAST
        return self.steps.step(self.steps.around(n_products), accuracy, worthwhile)

    def _record(self) -> bool:
        """Record an iteration; returns whether to stop."""
        monitor = self.monitor
        monitor.begin()
        watched = monitor.record(self.steps.model, self.here.value, gradient_norm=self.steps.flatter)
        stop = monitor.validation is not None and monitor.watch.stalled(watched)
        return monitor.end(self.steps.model) or stop

    def outcome(self, max_iter: int) -> Outcome:
        """The weights reached, with a warning if they do not reach tol."""
        if not np.isfinite(self.here.steepness):
            raise ValueError(OVERFLOW)
        if not self.monitor.n_iter:
            self._record()
        outcome = self.monitor.outcome(self.steps.model)
        if self.proves and self.monitor.validation is None:
            outcome = outcome._replace(gap=gap(self.optimality, self.here) if self.gap is None else self.gap)
        if not self.finished:
            left = self.left / SURE if outcome.gap is None else min(outcome.gap, self.left / SURE)
            warn_if_far(self.optimality, self.monitor, max_iter, left, self.here.value)
        return outcome
