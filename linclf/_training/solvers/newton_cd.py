"""The proximal Newton method with coordinate descent, for penalties that make weights exactly 0."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np

from linclf._data.dataset import Dataset
from linclf._training.fit import Fit
from linclf._training.monitor import OVERFLOW, Monitor, Outcome
from linclf._training.optimality import proves, warn_if_far
from linclf._training.plan import epochs_for
from linclf._training.sampling import Sampling
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._training.sparse_steps import Candidates, SparseSteps
from linclf._training.threads import threads
from linclf._types import FloatArray, Loss
from linclf.heads import Head
from linclf.losses._registry import trait

VECTORS = 4  # of the size of the weights, float64
STEPS, STALLS = 10, 2  # most steps on a working set, and most working sets in a row that bring nothing
LEAVE = 0.5  # share of what is allowed that may be left for a working set
# a sweep ends a step with this share of the first fall, and of what is allowed; the next step is finer
ROUGH, FINER = 0.1, 0.1
EXACT_ROWS, EXACT = 256, 1e-8  # rows for which a weight of k equals k copies to 7 digits, the share for that
SURE, SMALL = 0.1, 1e-3  # shares of what is allowed and of a limit, believed without a proof


class NewtonCD(NamedTuple):
    """Steps from the second derivatives, by coordinate descent; it has no parameters."""

    needs_passes = True
    streams = False
    automatic_tol = 1e-4  # of the fall from the best intercepts
    levels = True
    name = "newton-cd"
    automatic = True

    def for_problem(
        self, loss: Loss, data: Dataset, alpha: float, watched: bool, sampling: Sampling | None
    ) -> Self:
        return self

    def for_shards(self, loss: Loss, watched: bool, shuffles: bool) -> Self:
        raise ValueError(
            "solver='newton-cd' goes through the columns of X, and needs all rows in memory; use solver='sgd'"
        )

    def check(self, loss: Loss, data: Dataset) -> None:
        if not trait(loss, "smooth"):
            raise ValueError(
                f"solver='newton-cd' needs a smooth loss, and {loss!r} has kinks; use solver='sgd', or the "
                "squared form of the loss"
            )
        if trait(loss, "gradient_jumps") and data.y.n_classes > 2:
            raise ValueError(
                f"solver='newton-cd' needs a gradient without jumps, and that of {loss!r} has them where two "
                "rivals tie; use solver='sgd', or the Weston-Watkins form of the loss"
            )

    def bytes_needed(self, shape: Shape) -> int:
        columns = shape.n_rows * (shape.stored or shape.n_features) * shape.dtype.itemsize  # a copy of X
        return int(8 * VECTORS * shape.n_products * (shape.n_features + shape.n_rows) + columns)

    def extent(self, settings: Settings, loss: Loss, head: Head, shape: Shape) -> tuple[int, int | None]:
        return epochs_for(settings.max_iter, True, shape), None

    def solve(self, fit: Fit, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        max_iter, _ = self.extent(fit.settings, fit.loss, fit.head, fit.shape)
        n_jobs = fit.settings.n_jobs
        # `outcome` checks the objective
        with threads(n_jobs, n_jobs) as pool, np.errstate(over="ignore", invalid="ignore"):
            steps = SparseSteps(fit, monitor.watch.tol or 0.0, pool)
            share = EXACT if len(fit.ids) <= EXACT_ROWS else 1.0
            return _Run(steps, monitor, max_iter, share).outcome(None)

    def follow(self, fit: Fit, alphas: Sequence[float]) -> Iterator[Outcome]:
        """The outcome for each of the decreasing penalties."""
        max_iter, _ = self.extent(fit.settings, fit.loss, fit.head, fit.shape)
        n_jobs, first = fit.settings.n_jobs, fit.with_alpha(alphas[0])
        with threads(n_jobs, n_jobs) as pool, np.errstate(over="ignore", invalid="ignore"):
            steps = SparseSteps(first, Monitor(fit.settings, None, None).watch.tol or 0.0, pool)
            some: Candidates | None = None
            for alpha in alphas:
                if alpha != alphas[0]:
                    some = steps.strong(alpha)
                    steps.penalise(fit.with_alpha(alpha))
                yield _Run(steps, Monitor(steps.fit.settings, None, None), max_iter).outcome(some)


class _Run:
    """The way to the minimum for one penalty, down to a share of what tol allows if digits suffice."""

    def __init__(self, steps: SparseSteps, monitor: Monitor, max_iter: int, share: float = 1.0) -> None:
        self.steps, self.monitor, self.max_iter, self.share = steps, monitor, max_iter, share
        self.proves, self.finished = proves(steps.fit), False
        self.left = np.inf
        monitor.start("iteration", max_iter, "gap")

    def outcome(self, some: Candidates | None) -> Outcome:
        """Go to the minimum, first over some features; a warning if tol is not reached."""
        steps, monitor, stalled, last = self.steps, self.monitor, 0, np.inf
        while True:
            if some is not None:
                before, last = steps.value, self._minimise(some)
                falls = before - steps.value > steps.optimality.rounding(steps.value)
                stalled = 0 if falls else stalled + 1
            G = steps.slopes(None)
            excess = steps.excess(G)
            self.left = self._left(G, excess, last)
            self.finished = steps.optimality.suffices(self.left, steps.value)
            stop = some is not None and self._record()
            near = self.finished and (stalled or self.share == 1 or self.left <= self._allowed())
            if near or stop or monitor.n_iter >= self.max_iter or stalled > STALLS:
                break
            some = steps.working_set(excess)
        if not np.isfinite(steps.value):
            raise ValueError(OVERFLOW)
        if not monitor.n_iter:
            self._record()
        outcome = monitor.outcome(steps.model)
        if self.proves and monitor.validation is None:
            outcome = outcome._replace(gap=self.left)
        if not self.finished:
            warn_if_far(steps.optimality, monitor, self.max_iter, self.left, steps.value)
        return outcome._replace(warnings=tuple(monitor.warnings))

    def _minimise(self, some: Candidates) -> float:
        """Steps on a working set, until little is left for it; returns the fall of the last one."""
        steps, last, features, share = self.steps, 0.0, some.features, ROUGH
        for _ in range(STEPS):
            last = steps.step(some, share * self._allowed(), share)
            allowed, G = LEAVE * self._allowed(), steps.slopes(features)
            left = steps.gap(G, features) if self.proves else last / SURE
            if last == 0 or left <= allowed:
                break
            some = steps.candidates(features, G)
            share = ROUGH if len(some.features) > len(steps.support) else share * FINER
        return last

    def _allowed(self) -> float:
        return self.share * self.steps.optimality.allowed(self.steps.value)

    def _left(self, G: FloatArray, excess: FloatArray, last: float) -> float:
        """How far the objective may still fall: a bound, or an estimate if there is none."""
        if self.proves:
            return self.steps.gap(G, None)
        limits = self.steps.limits
        return last / SURE if (excess <= SMALL * limits).all() else np.inf

    def _record(self) -> bool:
        """Record an iteration; returns whether to stop."""
        monitor, steps = self.monitor, self.steps
        monitor.begin()
        watched = monitor.record(steps.model, steps.value, gap=self.left)
        stop = monitor.validation is not None and monitor.watch.stalled(watched)
        return monitor.end(steps.model) or stop
