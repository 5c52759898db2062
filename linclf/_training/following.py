r"""Newton's method along a path of penalties.

The weights change smoothly with the logarithm of the penalty, so those for the next one are predicted from
the last three. The distance left to the minimum is estimated by ``g' M^-1 g / 2``, with a preconditioner M
for the Hessian, times the ratio of the fall in the last step to its estimate. Often that is little enough,
and no step is needed.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from linclf._training.fit import Fit
from linclf._training.monitor import OVERFLOW, Monitor, Outcome
from linclf._training.newton_steps import NewtonSteps
from linclf._training.optimality import warn_if_far
from linclf._training.prediction import Prediction
from linclf._training.threads import threads
from linclf.losses._hessian import covariance

CAUTION = 5  # factor of an estimate
ACCURACY = 0.05  # of a step, as a share of the gradient
LASTS = 2.0  # factor by which the penalty may fall before an estimate needs a new model
MANY_PRODUCTS = 1000  # enough to have the preconditioner renewed


def followed(fit: Fit, alphas: Sequence[float], max_iter: int) -> Iterator[Outcome]:
    """The outcome for each penalty."""
    n_jobs, prediction = fit.settings.n_jobs, Prediction()
    with threads(n_jobs, n_jobs) as pool:
        first = fit.with_alpha(alphas[0])
        tol = Monitor(first.settings, None, None).watch.tol
        steps = NewtonSteps(first, tol or 0.0, pool)
        to_minimum = _ToMinimum(steps)
        for alpha in alphas:
            at = float(np.log(alpha))
            if alpha != alphas[0]:
                steps.towards(fit.with_alpha(alpha), prediction.at(at))
            monitor = Monitor(steps.fit.settings, None, None)
            monitor.start("iteration", max_iter, "gradient_norm")
            to_minimum.run(monitor, max_iter)
            prediction.add(at, steps.here.V)
            yield monitor.outcome(steps.model)._replace(warnings=tuple(monitor.warnings))


class _ToMinimum:
    """Goes from the current weights to the minimum, until the estimate is small enough."""

    def __init__(self, steps: NewtonSteps) -> None:
        self.steps, self.n_products = steps, 0
        self.model = steps.around(0)
        self.underestimated = 1.0  # fall of the last step, as a multiple of its estimate
        self.made_for = steps.fit.settings.alpha
        # the Hessian of hinges jumps, so the error of a prediction is known only after a step
        self.jumps = covariance.find(type(steps.fit.loss)) is None

    @np.errstate(over="ignore", invalid="ignore")  # the norm of the gradient is checked in the end
    def run(self, monitor: Monitor, max_iter: int) -> None:
        steps, optimality = self.steps, self.steps.optimality
        estimate = self._estimate()
        while not self._is_near(estimate, monitor.n_iter) and monitor.n_iter < max_iter:
            self._look(self.n_products)
            step = steps.step(self.model, ACCURACY)
            self.n_products = step.n_products
            moved = steps.move(step)
            monitor.record(steps.model, steps.here.value, gradient_norm=steps.flatter)
            if estimate > 0:
                self.underestimated = max(step.fall / estimate, 1.0)
            estimate = self._estimate()
            if not moved:
                estimate = max(estimate, step.fall)
                break
        if not np.isfinite(steps.here.steepness):
            raise ValueError(OVERFLOW)
        if not monitor.n_iter:
            monitor.record(steps.model, steps.here.value, gradient_norm=steps.flatter)
        left = CAUTION * self.underestimated * estimate
        if not optimality.suffices(left, steps.here.value):
            warn_if_far(optimality, monitor, max_iter, left, steps.here.value)

    def _is_near(self, estimate: float, n_iter: int) -> bool:
        def near(estimate: float) -> bool:
            left = CAUTION * self.underestimated * estimate
            return self.steps.optimality.suffices(left, self.steps.here.value)

        if not near(estimate) or (self.jumps and not n_iter):
            return False
        if self.jumps or self.steps.fit.settings.alpha * LASTS <= self.made_for:
            self._look(MANY_PRODUCTS)
        return near(self._estimate())

    def _look(self, n_products: int) -> None:
        """Renew the quadratic model."""
        self.model, self.made_for = self.steps.around(n_products), self.steps.fit.settings.alpha

    def _estimate(self) -> float:
        G = self.steps.here.G
        return 0.5 * float(np.vdot(G, self.model.precondition(G)))
