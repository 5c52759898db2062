r"""L-BFGS for smooth losses, in coordinates in which the Hessian is nearly a multiple of the identity.

L-BFGS runs in ``U = V L`` with a preconditioner ``M = L L'`` from a sample of the rows, taken first at the
start, where all rows have the same curvature, and again at a rough solution, where rows that are classified
with confidence hardly count. With many rows, a few epochs of stochastic steps find the rough solution sooner.
The objective is unchanged; only the path to its minimum differs.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np

from linclf._data.dataset import Dataset
from linclf._training.fit import Fit
from linclf._training.model import LinearModel
from linclf._training.monitor import OVERFLOW, Monitor, Outcome
from linclf._training.optimality import Optimality, gap, proves, reached, warn_if_far
from linclf._training.pairs import MOST, Point, inner_product
from linclf._training.plan import epochs_for
from linclf._training.preconditioner import CHOLESKY, Preconditioner, check_columns
from linclf._training.prediction import Prediction
from linclf._training.quasi_newton import descend
from linclf._training.sampling import Sampling
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._training.sharded import objective_for
from linclf._training.solvers.dual import for_kinks
from linclf._training.solvers.stochastic import epochs_of_sgd
from linclf._types import FloatArray, Loss
from linclf.heads import Head
from linclf.losses._hessian import covariance
from linclf.losses._registry import trait

SAMPLE, FEWEST = 4, 1000  # rows of the sample: a multiple of the features, and the least
ROUGH, ROUGH_ITERATIONS = 0.1, 30  # relative gradient norm, or iterations, before M is taken again
MANY, FEW = 4, 1000  # dense rows, in samples, and sparse rows beyond which SGD finds the rough solution
# factor of the distance shown by pairs, which know only a few directions; number of recent iterations
CAUTION, LATELY = 5, 5
# multiples of an estimated distance that must still be allowed before a Cholesky factor is believed at given
# weights, and before pairs are believed at predicted ones
SURE, SURER = 10, 200
LASTS = 5  # iterations after which the next penalty gets a new preconditioner
TAIL, SLOWEST = 2.5, 0.85  # factor of what is left if falls go on shrinking, and the least ratio of falls
# vectors of the size of the weights: the pairs, two points with their gradients, the direction, weights, the
# gradient of the rows, penalty and factor
VECTORS = 2 * MOST + 9


class LBFGS(NamedTuple):
    """Quasi-Newton steps on all rows; it has no parameters."""

    needs_passes = True
    streams = False
    automatic_tol = 1e-4  # of the fall from the best intercepts
    levels = True
    name = "lbfgs"
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
                f"solver='lbfgs' needs a smooth loss, and {loss!r} has kinks; use {for_kinks(loss)}, or "
                "the squared form of the loss"
            )
        if data.is_sparse and trait(loss, "head").equivariant:
            check_columns(data.X)

    def bytes_needed(self, shape: Shape) -> int:
        size = shape.dtype.itemsize if shape.is_sparse or shape.n_features > CHOLESKY else 8
        return shape.n_products * shape.n_features * size * VECTORS

    def extent(self, settings: Settings, loss: Loss, head: Head, shape: Shape) -> tuple[int, int | None]:
        return epochs_for(settings.max_iter, True, shape), None

    def solve(self, fit: Fit, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        run = _Run(fit, monitor)
        run.minimise_from_start()
        return run.outcome(proven=True)

    def follow(self, fit: Fit, alphas: Iterable[float]) -> Iterator[Outcome]:
        run, prediction = None, Prediction()
        for alpha in alphas:
            there, at = fit.with_alpha(alpha), float(np.log(alpha))
            monitor = Monitor(there.settings, None, None)
            if run is None:
                run = _Run(there, monitor)
                run.minimise_from_start()
            else:
                run.towards(there, monitor, prediction.at(at))
                run.minimise(run.max_iter)
            prediction.add(at, run.V.copy())
            yield run.outcome()._replace(warnings=tuple(monitor.warnings))


class _Run:
    """The weights on the way to the minimum."""

    def __init__(self, fit: Fit, monitor: Monitor) -> None:
        self.rows = objective_for(fit)
        self.sample_size = max(SAMPLE * fit.problem.penalty.size, FEWEST)
        self.sample = self.rows.sample(self.sample_size, np.random.RandomState(0))
        self.optimality = Optimality(self.rows, monitor.watch.tol or 0.0)
        self.factor: Preconditioner | None = None
        self.underestimated = 1.0  # the last fall, as a multiple of the factor's estimate before it
        self.jumps = covariance.find(type(fit.loss)) is None  # whether the Hessian jumps, as for hinges
        # from what a sample has reached it continues in any case
        sampled = fit.V.any() and fit.shards is not None
        here = fit.V if sampled else self.optimality.start.or_given(self.rows, fit.V).V
        self.cold = not fit.V.any() or here is self.optimality.start.V
        self._start(fit, monitor, here)
        norm = self.optimality.start.steepness
        # if labels do not depend on the features, the gradient is only rounding
        self.scale = norm if norm > 10 * np.finfo(fit.V.dtype).eps else np.inf

    def _start(self, fit: Fit, monitor: Monitor, V: FloatArray) -> None:
        self.fit, self.monitor, self.V = fit, monitor, V
        self.max_iter = epochs_for(fit.settings.max_iter, True, fit.shape)
        monitor.start("iteration", self.max_iter, "gradient_norm")
        self.value = self.optimality.start.value
        self.finished, self.distance = False, np.inf
        self.unpredicted: tuple[FloatArray, float] | None = None  # weights to use if a prediction is bad
        if self.fit.shards is not None:  # a sample may be too small to tell anything
            self.unpredicted = self.optimality.start.V, self.value
        self.lately: deque[float] = deque(maxlen=LATELY)  # recent distances shown by the pairs
        self.values: deque[float] = deque(maxlen=2 * LATELY + 1)
        self.norm = self.tried = np.inf  # of the gradient at the point reached, and at that evaluated last

    def towards(self, fit: Fit, monitor: Monitor, prediction: FloatArray | None) -> None:
        """Switch to another penalty, and to the weights predicted for it."""
        V, value, before, n_iter = self.V, self.value, self.rows.penalty, self.monitor.n_iter
        self._start(fit, monitor, V)
        if n_iter > LASTS:
            self.factor = None
        self.rows, self.sample = self.rows.with_penalty(fit), self.sample.with_penalty(fit)
        self.optimality = self.optimality.with_penalty(self.rows)
        if prediction is not None:
            by_classes = fit.problem.storage.by_classes
            pull = by_classes(V) * (self.rows.penalty - before)
            value += 0.5 * fit.head.copies * float(np.vdot(pull, by_classes(V)))
            self.V, self.unpredicted = prediction, (V, value)

    def minimise_from_start(self) -> None:
        """Minimise; if no weights are given, or far ones, a rough solution comes first."""
        fit, n_rows = self.fit, self.rows.n_rows
        if self.cold and fit.head.equivariant:
            if n_rows > (FEW if fit.shape.is_sparse else MANY * self.sample_size):
                self.begin_at(epochs_of_sgd(replace(fit, V=np.zeros_like(fit.V))))
            else:
                self.minimise(ROUGH_ITERATIONS, rough=True)
        if not self.finished:
            self.minimise(self.max_iter)

    def begin_at(self, V: FloatArray) -> None:
        """Begin at these weights, if their objective is lower."""
        if self.rows.value_and_gradient(V, np.empty_like(V)) < self.optimality.start.value:
            self.V = V

    def minimise(self, max_iter: int, rough: bool = False) -> None:
        """Run L-BFGS from self.V, which becomes the best weights found."""
        before = self.monitor.n_iter
        left = min(max_iter, self.max_iter - before)
        if left <= 0:
            return
        if self.factor is None or self.unpredicted is None:
            self.factor = Preconditioner(self.fit, self.sample, self.V)
        factor = self.factor
        V = np.empty(self.V.shape, factor.dtype)

        def evaluate(point: Point) -> None:
            factor.weights(point.u, V)
            point.value = self.rows.value_and_gradient(V, point.gradient.reshape(V.shape))
            self.V, self.tried = V, np.sqrt(inner_product(point.gradient, point.gradient)) / self.scale
            factor.gradient(point.gradient)

        def reached(point: Point, distance: float) -> bool:
            self.norm = self.tried
            self.lately.append(distance)
            self.values.append(point.value)
            self.distance = max(CAUTION * max(self.lately), TAIL * self.tail())
            allowed = self.optimality.allowed(point.value)
            self.finished = self.distance <= allowed and len(self.lately) == LATELY
            # from a prediction a few iterations suffice, and the pairs need not show a trend
            shown = self.unpredicted is not None and not self.jumps
            self.finished |= shown and SURER * self.underestimated * distance <= allowed
            if self.record(point.value):
                self.finished = True
            return self.finished or (rough and self.norm <= ROUGH)

        def starting_at(V: FloatArray) -> Point:
            u = factor.coordinates(V).astype(factor.dtype, copy=False)
            start = Point(u, np.empty_like(u))
            evaluate(start)
            return start

        with np.errstate(over="ignore", invalid="ignore"):  # `outcome` checks the norm
            start = starting_at(self.V)
            if self.unpredicted is not None and not start.value <= self.unpredicted[1]:
                start = starting_at(self.unpredicted[0])
            self.norm = self.tried
            estimate = 0.5 * inner_product(start.gradient, start.gradient)
            self.distance = CAUTION * self.underestimated * estimate
            # a factor knows roughly how far the minimum is, a diagonal does not
            knows = not factor.diagonal and not (self.jumps and self.unpredicted is not None)
            if knows and SURE * self.distance <= self.optimality.allowed(start.value):
                self.finished = True
                self.record(start.value)
                return
            end = descend(evaluate, start, left, reached, self.optimality.precision)
            factor.weights(end.u, V)
            self.underestimated = max((start.value - end.value) / estimate, 1.0) if estimate else 1.0
            if before < self.monitor.n_iter < before + left:
                # no lower point was found; earlier estimates, which prevent an early end, are of other points
                self.distance = CAUTION * self.lately[-1]

    def tail(self) -> float:
        """The fall that is left if falls go on shrinking as they did recently."""
        now, *earlier = list(self.values)[::-LATELY]
        if not earlier:
            return np.inf
        fall, before = earlier[0] - now, earlier[1] - earlier[0] if len(earlier) > 1 else np.inf
        if not 0 < fall < before:
            return 0.0 if fall <= 0 else np.inf
        ratio = max(SLOWEST, fall / before)
        return fall * ratio / (1 - ratio)

    def model(self) -> LinearModel:
        return self.fit.model(self.V.astype(self.fit.V.dtype, copy=False))

    def record(self, value: float) -> bool:
        """Record an iteration; returns whether to stop."""
        monitor, self.value = self.monitor, value
        monitor.begin()
        watched = monitor.record(self.model, value, gradient_norm=self.norm)
        stop = monitor.validation is not None and monitor.watch.stalled(watched)
        return monitor.end(self.model) or stop

    def outcome(self, proven: bool = False) -> Outcome:
        """The weights reached, with a warning if they do not reach tol, and a bound if it is ``proven``."""
        if not np.isfinite(self.norm):
            raise ValueError(OVERFLOW)
        if not self.monitor.n_iter:
            self.record(self.value)
        outcome = self.monitor.outcome(self.model)
        if proven and proves(self.fit) and self.monitor.validation is None:
            outcome = outcome._replace(gap=gap(self.optimality, reached(self.rows, self.V)))
        if not self.finished:
            warn_if_far(self.optimality, self.monitor, self.max_iter, self.distance, self.value)
        return outcome
