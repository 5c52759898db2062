"""Steps of Newton's method: a direction by conjugate gradients, and how far to go along it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from linclf._training.conjugate_gradients import WORTHWHILE, Step, newton_step
from linclf._training.curvature import Model, curvature_of, objective_of
from linclf._training.fit import Fit, depends_on_differences
from linclf._training.line_search import Trial, search
from linclf._training.model import LinearModel
from linclf._training.optimality import Optimality, Reached, reached
from linclf._types import FloatArray

LOCAL = 0.25  # change of a score up to which the loss of its row is close to its quadratic model
HELD = 2**17  # values of a block of rows, which stay in the cache


class NewtonSteps:
    """The weights reached, and a model of the objective around them."""

    def __init__(self, fit: Fit, tol: float, pool: ThreadPoolExecutor | None) -> None:
        self.fit, self.objective = fit, objective_of(fit)
        self.optimality = Optimality(self.objective, tol)
        self.curvature = curvature_of(self.objective, pool)
        self.here = self.optimality.start.or_given(self.objective, fit.V)
        self.steepest = self.optimality.start.steepness or 1.0
        self.last: FloatArray | None = None  # the weights before the last step

    @property
    def flatter(self) -> float:
        """The length of the gradient, as a share of that at the best intercepts alone."""
        return self.here.steepness / self.steepest

    def model(self) -> LinearModel:
        return self.fit.model(self.here.V)

    def around(self, n_products: int) -> Model:
        """The quadratic model here, after a step that took ``n_products`` products."""
        return self.curvature.at(self.here.V, n_products)

    def step(self, model: Model, accuracy: float, worthwhile: float = WORTHWHILE) -> Step:
        step = newton_step(model.product, model.precondition, self.here.G, accuracy, worthwhile)
        if depends_on_differences(self.fit.loss) and self.fit.head.copies == 1:
            # their mean is only rounding
            intercepts = self.fit.problem.storage.by_classes(step.direction)[:, -1]
            intercepts -= intercepts.mean()
        return step

    def move(self, step: Step) -> bool:
        """Whether there are weights with a lower objective along the step; if so, they become self.here."""
        start, there = self.here, self.here

        def at(length: float) -> Trial:
            nonlocal there
            there = reached(self.objective, start.V + length * step.direction)
            slope = float(np.vdot(there.G, step.direction))
            return Trial(length, there.value, slope, float(np.vdot(there.G, there.G)))

        slope = float(np.vdot(start.G, step.direction))
        from_here = Trial(0.0, start.value, slope, float(np.vdot(start.G, start.G)))
        if not (slope < 0 and search(at, from_here, 1.0, self.optimality.rounding(start.value))):
            return False
        self.here, self.last = there, start.V
        return True

    def was_local(self) -> bool:
        """Whether the last step has left the score of every row nearly as it was.

        A row far from all others may block a direction in which the others would go a long way, and release
        it only over several steps that each bring nearly nothing (Bach 2010).
        """
        if self.last is None or self.fit.shards is not None:
            return True
        moved = self.fit.problem.storage.by_classes(self.here.V - self.last).T
        data = self.fit.data
        values = data.X.nnz // data.X.shape[0] if data.is_sparse else len(moved)
        blocks = self.objective.blocks(max(1, HELD // max(values, moved.shape[1])))
        return all(np.abs(block.Z @ moved).max() <= LOCAL for block in blocks)

    def towards(self, fit: Fit, prediction: FloatArray | None) -> None:
        """Switch to another penalty, and to the weights predicted for it if their objective is lower.

        Nothing is computed from the rows again, as only the penalty changes in value and gradient.
        """
        V, G, value = self.here
        by_classes, before = fit.problem.storage.by_classes, self.objective
        self.fit, self.objective = fit, before.with_penalty(fit)
        self.optimality = self.optimality.with_penalty(self.objective)
        self.curvature = self.curvature.for_objective(self.objective)
        pull = by_classes(by_classes(V) * (fit.head.copies * (self.objective.penalty - before.penalty)))
        self.here = Reached(V, G + pull, value + 0.5 * float(np.vdot(pull, V)))
        if prediction is not None:
            there = reached(self.objective, prediction)
            if there.value < self.here.value:
                self.here = there
