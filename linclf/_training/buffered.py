"""Stochastic training on rows that are not in memory: many at a time, shuffled among themselves."""

from dataclasses import replace

import numpy as np

from linclf._training.descent import Descent
from linclf._training.sampling import Pass
from linclf._types import FloatArray, IntArray


class Buffered(Descent):
    """Goes through the shards, and applies the planned sweep to the rows that are in memory."""

    def order(self, rng: np.random.RandomState | None) -> IntArray:
        """A seed for the order, or nothing for the order of the source."""
        return np.zeros(0, np.int64) if rng is None else rng.randint(2**31, size=1)

    def run(self, order: IntArray, steps: FloatArray) -> Pass:
        shards, formulation, fit = self.fit.shards, self.fit.formulation, self.fit
        assert shards is not None
        assert formulation is not None
        rng = np.random.RandomState(order[0]) if len(order) else None
        total, first, at = 0.0, 0.0, 0
        for data, ids in shards.shuffled(rng):
            part = replace(fit, data=data, problem=formulation.problem(data), shards=None)
            descent = Descent(self.rule, part, self.plan, self.state, self.step_size)
            # the last batch of each part may be smaller than the others
            numbers = np.arange(at, at + -(-len(ids) // self.plan.batch))
            found = self.plan.sweep.run(descent, ids, steps[np.minimum(numbers, len(steps) - 1)])
            self.state, total = descent.state, total + found.total
            first, at = (found.first if at == 0 else first), at + len(numbers)
        return Pass(total, first)
