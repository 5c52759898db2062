r"""L-BFGS for smooth losses, in coordinates in which the Hessian is nearly a multiple of the identity.

L-BFGS runs in ``U = V L`` with a preconditioner ``M = L L'`` of a sample of the rows, first at the
start, where all rows have the same curvature, and again at a rough solution (found on the sample, if the
data are much larger), where rows that are classified with confidence hardly count. The objective is
unchanged, only the path to its minimum is another.
"""

from typing import NamedTuple

import numpy as np

from linclf._data.dataset import Dataset
from linclf._training.fit import Fit
from linclf._training.model import LinearModel
from linclf._training.monitor import OVERFLOW, Monitor, Outcome
from linclf._training.objective import Objective, Rows
from linclf._training.pairs import MOST, Point, inner_product
from linclf._training.plan import epochs_for
from linclf._training.preconditioner import CHOLESKY, Preconditioner, check_columns
from linclf._training.quasi_newton import descend
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._types import Loss
from linclf.heads import Head
from linclf.losses._registry import trait

SAMPLE, FEWEST = 4, 1000  # rows of the sample: a multiple of the features, and the least
ROUGH, ROUGH_ITERATIONS = 0.1, 30  # relative gradient norm, or iterations, before M is taken again
ROUNDING = 4  # eps of a value that sums of rows and penalty may be wrong by
# vectors of the size of the weights: the pairs, two points with their gradients, the direction, weights, the
# gradient of the rows, penalty and factor
VECTORS = 2 * MOST + 9


class LBFGS(NamedTuple):
    """Quasi-Newton steps on all rows; it has no parameters of its own."""

    streams = False
    automatic_tol = 1e-4  # of the gradient
    levels = True
    name = "lbfgs"
    automatic = True

    def check(self, loss: Loss, data: Dataset) -> None:
        if not trait(loss, "smooth"):
            raise ValueError(
                f"solver='lbfgs' needs a smooth loss, and {loss!r} has kinks; use solver='sgd', or the "
                "squared form of the loss"
            )
        if data.is_sparse and trait(loss, "head").equivariant:
            check_columns(data.X)

    def bytes_needed(self, shape: Shape) -> int:
        size = shape.dtype.itemsize if shape.is_sparse or shape.n_features > CHOLESKY else 8
        return shape.n_products * shape.n_features * size * VECTORS

    def extent(self, settings: Settings, loss: Loss, head: Head, shape: Shape) -> tuple[int, int | None]:
        return epochs_for(settings.max_iter, True, shape), None

    def solve(self, fit: Fit, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        everything = Rows(fit, fit.ids)
        size = max(SAMPLE * fit.problem.penalty.size, FEWEST)
        sample = everything.sample(size, rng)
        tol = monitor.watch.tol or 0.0
        max_iter, _ = self.extent(fit.settings, fit.loss, fit.head, fit.shape)
        monitor.start("iteration", max_iter, "gradient_norm")
        run = _Run(fit, everything, monitor, max_iter)
        if not run.V.any():
            rough = sample if 4 * size < everything.n_rows else everything
            run.minimise(rough, sample, ROUGH_ITERATIONS, max(tol, ROUGH))
        if not run.finished:
            run.minimise(everything, sample, max_iter, tol)
        return run.outcome()


class _Run:
    """The way from one set of weights to the next."""

    def __init__(self, fit: Fit, everything: Objective, monitor: Monitor, max_iter: int) -> None:
        self.fit, self.everything, self.monitor, self.max_iter = fit, everything, monitor, max_iter
        self.tol = monitor.watch.tol or 0.0
        self.V = fit.V
        self.finished, self.distance = False, np.inf
        self.norm = self.tried = np.inf  # of the gradient at the point reached, and at that evaluated last
        G = np.empty_like(fit.V)
        everything.value_and_gradient(fit.head.reference(fit.V), G)
        norm = np.sqrt(inner_product(G.ravel(), G.ravel()))
        # if labels and features have nothing to do with each other, rounding is all there is
        self.scale = norm if norm > 10 * np.finfo(fit.V.dtype).eps else np.inf

    def minimise(self, objective: Objective, sample: Objective, max_iter: int, tol: float) -> None:
        """Run L-BFGS on an objective from self.V to the best weights found, which are left there."""
        whole = objective is self.everything
        left = min(max_iter, self.max_iter - self.monitor.n_iter) if whole else max_iter
        if not left:
            return
        factor = Preconditioner(self.fit, sample, self.V)
        V = np.empty(self.V.shape, factor.dtype)

        def evaluate(point: Point) -> None:
            factor.weights(point.u, V)
            point.value = objective.value_and_gradient(V, point.gradient.reshape(V.shape))
            self.V, self.tried = V, np.sqrt(inner_product(point.gradient, point.gradient)) / self.scale
            factor.gradient(point.gradient)

        def reached(point: Point) -> bool:
            self.norm = self.tried
            self.finished = whole and self.norm <= self.tol
            if whole and self.record(point.value):
                self.finished = True
            return self.norm <= tol or self.finished

        u = factor.coordinates(self.V).astype(factor.dtype, copy=False)
        start, precision = Point(u, np.empty_like(u)), ROUNDING * float(np.finfo(self.fit.V.dtype).eps)
        with np.errstate(over="ignore", invalid="ignore"):  # `outcome` looks at the norm
            evaluate(start)
            self.norm = self.tried
            if self.norm <= tol:
                self.finished = whole
                if whole and not self.monitor.n_iter:
                    self.record(start.value)
                return
            end, self.distance = descend(evaluate, start, left, reached, precision)
            factor.weights(end.u, V)

    def model(self) -> LinearModel:
        return self.fit.model(self.V.astype(self.fit.V.dtype, copy=False))

    def record(self, value: float) -> bool:
        """An iteration is made; returns whether to stop."""
        monitor = self.monitor
        monitor.begin()
        watched = monitor.record(self.model, value, gradient_norm=self.norm)
        stop = monitor.validation is not None and monitor.watch.stalled(watched)
        return monitor.end(self.model) or stop

    def outcome(self) -> Outcome:
        """The weights reached, with a warning if they are not what was asked for."""
        outcome = self.monitor.outcome(self.model)
        if not np.isfinite(self.norm):
            raise ValueError(OVERFLOW)
        if not self.finished:
            why, remedy = "the line search found no lower point in the precision of X", "raise tol"
            if self.monitor.n_iter >= self.max_iter:
                why, remedy = f"max_iter={self.max_iter} iterations were not enough", "raise max_iter or tol"
            self.monitor.warn(
                f"{why}: the gradient norm is {self.norm:.1e} of that at {self.fit.head.reference_name} "
                f"(tol={self.monitor.watch.tol}), and the objective is estimated to be "
                f"{self.distance:.1e} above its minimum; {remedy}"
            )
        return outcome
