"""Mini-batches: the gradient of a batch is collected in an array and passed to the optimizer."""

from dataclasses import dataclass

from linclf._kernels import epoch
from linclf._kernels.problem import buffers_for
from linclf._training.descent import Descent
from linclf._training.sampling import Pass
from linclf._types import FloatArray, IntArray


@dataclass(frozen=True)
class Batches:
    def run(self, descent: Descent, order: IntArray, steps: FloatArray) -> Pass:
        problem, state, optimizer = descent.problem, descent.with_gradient(), descent.plan.optimizer
        buffers = buffers_for(problem, state.V, descent.plan.batch)
        return descent.in_calls(
            order, steps, lambda ids, part: epoch.epoch(problem, state, optimizer, buffers, ids, part)
        )
