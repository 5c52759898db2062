"""Weights for the next penalty, from those of the last ones."""

from collections import deque

import numpy as np

from linclf._types import FloatArray

LAST = 3  # weights that a prediction is based on


class Prediction:
    """A polynomial through the last weights, as functions of the logarithm of the penalty."""

    def __init__(self) -> None:
        self.known: deque[tuple[float, FloatArray]] = deque(maxlen=LAST)

    def add(self, at: float, V: FloatArray) -> None:
        self.known.append((at, V))

    def at(self, there: float) -> FloatArray | None:
        """The predicted weights, or None if too few are known."""
        if len(self.known) < 2:
            return None
        total = np.zeros_like(self.known[-1][1])
        for here, V in self.known:
            share = 1.0
            for other, _ in self.known:
                if other != here:
                    share *= (there - other) / (here - other)
            total += share * V
        return total
