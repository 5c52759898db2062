"""Plain SGD: a step is added directly to the weights that its batch touches."""

from dataclasses import dataclass

from linclf._kernels import epoch
from linclf._kernels.problem import buffers_of_rows
from linclf._training.descent import Descent
from linclf._training.sampling import Pass
from linclf._types import FloatArray, IntArray


@dataclass(frozen=True)
class Direct:
    def run(self, descent: Descent, order: IntArray, steps: FloatArray) -> Pass:
        problem, state = descent.problem, descent.state
        buffers = buffers_of_rows(problem, state.V, descent.plan.batch)
        return descent.in_calls(
            order, steps, lambda ids, part: epoch.epoch_direct(problem, state, buffers, ids, part)
        )
