"""Batches that are large enough for threads: cut by rows, each piece with its own gradient array."""

from dataclasses import dataclass

from linclf._kernels import epoch
from linclf._training.descent import Descent
from linclf._training.gradients import mean_gradient
from linclf._training.sampling import Pass
from linclf._training.threads import threads
from linclf._types import FloatArray, IntArray


@dataclass(frozen=True)
class Pieces:
    def run(self, descent: Descent, order: IntArray, steps: FloatArray) -> Pass:
        problem, state, plan = descent.problem, descent.with_gradient(), descent.plan
        limit, total, first = descent.row_limit, 0.0, 0.0
        with threads(descent.settings.n_jobs, plan.n_pieces) as pool:
            for number, (ids, step) in enumerate(descent.batches(order, steps)):
                loss, state.G[:] = mean_gradient(problem, state.V, ids, plan.n_pieces, pool, step, limit)
                epoch.advance(problem, state, plan.optimizer, step)
                total += loss
                if number == 0:
                    first = loss / problem.weights[ids].sum()
        return Pass(total, first)
