r"""Dual ascent for hinges that are not squared, until the gap to a lower bound is small enough.

Each row has dual variables, a subgradient g_i of its loss, and the weights follow from them:
``W = -sum_i s_i g_i x_i' / alpha`` with shares s_i. The best g_i for fixed others is known exactly
(`losses._dual`), and rows take turns (Hsieh 2008, Keerthi 2008, Dogan 2016). Intercepts, which have no
penalty, get a small one around a centre that follows them. If there are few weights, `multipliers` finishes
the work, as ascent takes long if the features are correlated or of several scales.
"""

from typing import NamedTuple, Self

import numpy as np

from linclf._data.dataset import Dataset
from linclf._kernels.dual import Ascent, Pull, ascend, mean_squares
from linclf._training.dual_point import DualProblem
from linclf._training.fit import Fit, depends_on_differences
from linclf._training.model import LinearModel
from linclf._training.monitor import OVERFLOW, Monitor, Outcome
from linclf._training.multipliers import Multipliers, suit
from linclf._training.objective import Rows
from linclf._training.optimality import Optimality, reached
from linclf._training.plan import epochs_for
from linclf._training.sampling import Sampling
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._types import FloatArray, Loss
from linclf.heads import Head
from linclf.losses._dual import dual_step
from linclf.losses._registry import trait

VECTORS = 8  # of the size of the weights, float64
COPIES = 2  # of the variables, at least
PASSES = 2  # over the rows, before the gap is computed again
CALM, LONGEST = 2, 16  # visits without a change after which a row is left out, and the most passes of that
PULL = 0.05  # of the constant at the dual variables, as a share of that of all features together
TURNS = 30  # most iterations of ascent before multipliers take over, if there are few weights
# they take over earlier if the gap falls by less than LEAST_FALL in SOME iterations and Newton's method is
# cheap: CHEAP times the squared number of weights is at most the number of rows
LEAST_FALL, SOME, CHEAP = 0.5, 3, 1 / 24
EXACT_ROWS, EXACT = 256, 1e-9  # rows for which a weight of k equals k copies to 7 digits, the share for that
PATIENCE = 30  # steps that do not halve the gap, after which it is accepted if it is small enough
ROUNDING = 32  # of a gap between two values, as a multiple of that of a value
# multipliers are renewed once the unsolved part of the gap is at most this share of the rest, and of the
# lowest gap: dual variables that are far from balance have a large rest, too
SOLVED = 0.3


class Dual(NamedTuple):
    """Ascent in the dual variables of the rows; it has no parameters."""

    needs_passes = True
    streams = False
    automatic_tol = 1e-4  # of the fall from the best intercepts
    levels = True
    name = "dual"
    automatic = True

    def for_problem(
        self, loss: Loss, data: Dataset, alpha: float, watched: bool, sampling: Sampling | None
    ) -> Self:
        return self

    def for_shards(self, loss: Loss, watched: bool, shuffles: bool) -> Self:
        raise ValueError(
            "solver='dual' keeps a number for each row and needs all of them in memory; use the squared form "
            "of the loss, or solver='auto', which trains hinges from Batches by stochastic steps"
        )

    def check(self, loss: Loss, data: Dataset) -> None:
        if not trait(loss, "exclusive"):
            raise ValueError(
                "solver='dual' needs one label for each row, and y has several; use solver='sgd', or "
                "solver='auto' with the squared form of the loss"
            )
        if not knows(loss):
            raise ValueError(
                f"solver='dual' needs a hinge loss that is not squared, and {loss!r} is not one; use "
                "solver='auto'"
            )
        if data.y.soft:
            raise ValueError(
                "solver='dual' needs a label for each row, and y has probabilities; use solver='sgd'"
            )
        if data.offset is not None:
            raise ValueError(
                "solver='dual' knows no scores besides those of the weights, and an offset or a prior is "
                "given; use solver='sgd' or 'auto'"
            )

    def bytes_needed(self, shape: Shape) -> int:
        """Bytes of the weights, and of the variables of each row with their previous values."""
        variables = shape.n_products * (VECTORS * shape.n_features + COPIES * shape.n_rows)
        held = suit(shape.n_rows, shape.n_features, shape.n_products)
        return 8 * (variables + held * shape.n_rows * (shape.n_features + 1))

    def extent(self, settings: Settings, loss: Loss, head: Head, shape: Shape) -> tuple[int, int | None]:
        return epochs_for(settings.max_iter, True, shape), None

    def solve(self, fit: Fit, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        if not fit.settings.alpha > 0:
            raise ValueError(
                f"solver='dual' needs alpha > 0, and alpha={fit.settings.alpha}: without a penalty there is "
                "no dual problem; use solver='sgd'"
            )
        max_iter, _ = self.extent(fit.settings, fit.loss, fit.head, fit.shape)
        monitor.start("iteration", max_iter, "gap")
        with np.errstate(over="ignore", invalid="ignore"):  # `outcome` checks the objective
            run = _Run(fit, monitor, max_iter)
            run.ascend()
            run.tighten()
        return run.outcome()


def knows(loss: Loss) -> bool:
    """Whether the dual problem of a loss is known."""
    return dual_step.find(type(loss)) is not None


def for_kinks(loss: Loss) -> str:
    """The solvers for a loss with kinks, for messages."""
    return "solver='dual', solver='sgd'" if knows(loss) else "solver='sgd'"


class _Run:
    """The dual variables on the way to the minimum, the best weights, and the highest bound."""

    def __init__(self, fit: Fit, monitor: Monitor, max_iter: int) -> None:
        self.fit, self.monitor, self.max_iter = fit, monitor, max_iter
        self.objective, self.dual = Rows(fit, fit.ids), DualProblem(fit)
        self.optimality = Optimality(self.objective, monitor.watch.tol or 0.0)
        start = self.optimality.start
        given = start.or_given(self.objective, fit.V)
        self.best, self.bound = min(start, given, key=lambda point: point.value), 0.0
        self.active = np.zeros((len(fit.ids), self.dual.n_scores))
        self.multipliers = suit(len(fit.ids), fit.shape.n_trained, fit.shape.n_products)
        self.share = EXACT if self.multipliers and len(fit.ids) <= EXACT_ROWS else 1.0
        self.finished = False

    @property
    def gap(self) -> float:
        return max(self.best.value - self.bound, 0.0)

    @property
    def goes_on(self) -> bool:
        return not self.finished and self.monitor.n_iter < self.max_iter

    def ascend(self) -> None:
        """Rows take turns, in a new order in each pass; those that do not change are left out for a while."""
        fit, dual, rng = self.fit, self.dual, np.random.RandomState(0)
        n, intercept = len(fit.ids), bool(fit.head.intercept)
        centre = fit.problem.storage.by_classes(self.optimality.start.V)[:, -1] * fit.head.intercept
        ascent = Ascent(self.active, dual.empty_weights(), centre.copy(), np.zeros(n, np.int64))
        square = mean_squares(dual.storage, dual.ids, dual.shares, dual.buffers.z)
        of_all = square / dual.alpha if square > 0 else fit.loss._asdict()["margin"]
        pull = Pull(1 / dual.alpha, PULL * of_all if intercept else 0.0)
        problem = fit.problem._replace(storage=dual.storage)
        sleeps_until, n_passes = np.zeros(n, np.int64), 0
        while self.goes_on and not (self.multipliers and self._slows()):
            for _ in range(PASSES):
                order = rng.permutation(np.flatnonzero(sleeps_until <= n_passes))
                for start in range(0, len(order), dual.rows_of_call):
                    part = order[start : start + dual.rows_of_call]
                    ascend(problem, dual.ids, part, ascent, pull, dual.buffers)
                n_passes += 1
                calm = np.minimum(ascent.calm[order] - CALM, LONGEST)
                sleeps_until[order] = n_passes + np.where(calm >= 0, np.minimum(2.0**calm, LONGEST), 0)
                # the method of multipliers: intercepts move on by their distance from the centre
                shift, centre = ascent.b - centre, ascent.b.copy()
                ascent.b[:] += shift
            W = dual.storage.by_classes(ascent.W) / fit.coordinates.factor
            b = centre / fit.head.intercept if intercept else np.zeros(len(centre))
            self._look(np.column_stack([W, b]))

    def _slows(self) -> bool:
        gaps, shape = self.monitor.history["gap"], self.fit.shape
        slow = len(gaps) > SOME and gaps[-1] > (1 - LEAST_FALL) * gaps[-1 - SOME]
        return len(gaps) >= TURNS or (slow and CHEAP * shape.n_weights**2 <= shape.n_rows)

    def tighten(self) -> None:
        """Finish with multipliers, if there are few weights."""
        if not (self.goes_on and self.multipliers):
            return
        V = self.fit.problem.storage.by_classes(self.best.V).copy()
        steps = Multipliers(self.dual, self.objective.penalty, V, self.active)
        moved, lowest, since = True, self.gap, 0
        while self.goes_on:
            could, moved = moved, steps.step()
            self.active[:] = steps.active
            gap, unsolved = self._look(steps.V), steps.unsolved
            lowest, since = (self.gap, 0) if self.gap < 0.5 * lowest else (lowest, since + 1)
            if not (could or moved) or (since >= PATIENCE and self.gap <= self._enough()):
                break
            if not moved or unsolved <= SOLVED * min(gap - unsolved, self.gap):
                steps.tighten()

    def _look(self, V: FloatArray) -> float:
        """Look at the weights V, by class, and the dual variables of an iteration; returns their gap."""
        V = V.copy()
        if depends_on_differences(self.fit.loss) and self.fit.head.copies == 1:
            V[:, -1] -= V[:, -1].mean()  # nothing else determines it
        here = reached(self.objective, np.ascontiguousarray(self.fit.problem.storage.by_classes(V)))
        bound = self.dual.value(self.active)
        if here.value < self.best.value:
            self.best = here
        self.bound = max(self.bound, bound)
        self.finished = self.gap <= self._enough(self.share)
        self.finished = self._record() or self.finished
        return here.value - bound

    def _enough(self, share: float = 1.0) -> float:
        """The gap to reach: a share of what is allowed, or rounding if nothing lower can be found."""
        value = self.best.value
        rounding = ROUNDING * self.optimality.precision * abs(value) if self.optimality.tol else 0.0
        return max(share * self.optimality.allowed(value), rounding)

    def model(self) -> LinearModel:
        return self.fit.model(self.best.V)

    def _record(self) -> bool:
        """Record an iteration; returns whether to stop."""
        monitor = self.monitor
        monitor.begin()
        watched = monitor.record(self.model, self.best.value, gap=self.gap)
        stop = monitor.validation is not None and monitor.watch.stalled(watched)
        return monitor.end(self.model) or stop

    def outcome(self) -> Outcome:
        """The best weights, with a warning if they do not reach tol."""
        if not np.isfinite(self.best.value):
            raise ValueError(OVERFLOW)
        outcome = self.monitor.outcome(self.model)
        if self.monitor.validation is None:
            outcome = outcome._replace(gap=self.gap)
        if not (self.finished or self.gap <= self._enough()):
            why, remedy = "no step closes the gap further in the precision of X", "raise tol"
            if self.monitor.n_iter >= self.max_iter:
                why, remedy = f"max_iter={self.max_iter} iterations were not enough", "raise max_iter or tol"
            allowed = self.optimality.allowed(self.best.value)
            self.monitor.warn(
                f"{why}: the objective is at most {self.gap:.1e} above its minimum, and "
                f"tol={self.monitor.watch.tol} allows {allowed:.1e}; {remedy}, or scale the columns of X"
            )
        return outcome
