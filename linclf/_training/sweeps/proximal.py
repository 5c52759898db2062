"""Mini-batches with a penalty that makes weights exactly 0: each step ends with its proximal map."""

from dataclasses import dataclass

import numpy as np

from linclf._kernels import epoch
from linclf._training.descent import Descent
from linclf._training.gradients import mean_gradient
from linclf._training.sampling import Pass
from linclf._training.threads import threads
from linclf._types import FloatArray, IntArray


@dataclass(frozen=True)
class Proximal:
    def run(self, descent: Descent, order: IntArray, steps: FloatArray) -> Pass:
        problem, state, plan = descent.problem, descent.with_gradient(), descent.plan
        norm, by_classes = descent.fit.norm, problem.storage.by_classes
        assert norm is not None
        # of the gradient of one copy of the weights
        limits = descent.fit.limits / descent.fit.head.copies
        ridges = descent.fit.head.penalised(problem.penalty)[:-1].astype(np.float64)
        total, first = 0.0, 0.0
        with threads(descent.settings.n_jobs, plan.n_pieces) as pool:
            for number, (ids, step) in enumerate(descent.batches(order, steps)):
                loss, state.G[:] = mean_gradient(
                    problem, state.V, ids, plan.n_pieces, pool, step, descent.row_limit
                )
                epoch.advance(problem, state, plan.optimizer, step)
                W = by_classes(state.V)[:, :-1]
                W[:] = norm.proximal(W.T, step * limits / (1 + step * ridges)).T
                total += loss
                if number == 0:
                    first = loss / problem.weights[ids].sum()
        return Pass(total, first)
