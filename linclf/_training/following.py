r"""Newton's method along a path of penalties.

The weights change smoothly with the logarithm of the penalty, so those of the next one are predicted from
the last three. What a prediction leaves is estimated by ``g' M^-1 g / 2``, with a preconditioner M for the
Hessian, times what the last step has fallen of such an estimate. Often that is little enough, and no step is
needed.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from linclf._training.fit import Fit
from linclf._training.monitor import OVERFLOW, Monitor, Outcome
from linclf._training.newton_steps import NewtonSteps
from linclf._training.optimality import warn_if_far
from linclf._training.prediction import Prediction
from linclf._training.threads import threads

CAUTION = 5  # times an estimate
ACCURACY = 0.05  # of a step, as a share of the gradient


def followed(fit: Fit, alphas: Sequence[float], max_iter: int) -> Iterator[Outcome]:
    """The outcome for each penalty."""
    n_jobs, prediction = fit.settings.n_jobs, Prediction()
    with threads(n_jobs, n_jobs) as pool:
        first = fit.with_alpha(alphas[0])
        steps = NewtonSteps(first, first.settings.tol or 0.0, pool)
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
    """From the weights at hand to the minimum, until the estimate is small enough."""

    def __init__(self, steps: NewtonSteps) -> None:
        self.steps, self.n_products = steps, 0
        self.model = steps.around(0)
        self.underestimated = 1.0  # what the last step has fallen, as a multiple of its estimate

    @np.errstate(over="ignore", invalid="ignore")
    def run(self, monitor: Monitor, max_iter: int) -> None:
        steps, optimality = self.steps, self.steps.optimality
        while True:
            estimate = self._estimate()
            left = CAUTION * self.underestimated * estimate
            near = optimality.suffices(left, steps.here.value)
            if near or monitor.n_iter >= max_iter:
                break
            self.model = steps.around(self.n_products)
            step = steps.step(self.model, ACCURACY)
            self.n_products = step.n_products
            moved = steps.move(step)
            monitor.record(steps.model, steps.here.value, gradient_norm=steps.flatter)
            if not moved:
                left = max(left, step.fall)
                break
            if estimate > 0:
                self.underestimated = max(step.fall / estimate, 1.0)
        if not np.isfinite(steps.here.steepness):
            raise ValueError(OVERFLOW)
        if not monitor.n_iter:
            monitor.record(steps.model, steps.here.value, gradient_norm=steps.flatter)
        if not optimality.suffices(left, steps.here.value):
            warn_if_far(optimality, monitor, max_iter, left, steps.here.value)

    def _estimate(self) -> float:
        G = self.steps.here.G
        return 0.5 * float(np.vdot(G, self.model.precondition(G)))
