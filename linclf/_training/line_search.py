"""A step along a direction that lowers the objective enough, and after which it falls less steeply."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

LOWER, FLATTER = 1e-3, 0.9  # shares of the slope at the start: the least fall, and the steepest slope left
WIDER = 4.0  # factor of the step while the objective still falls as steeply
MARGIN = 0.1  # share of the bracket that the next step keeps from its ends
EVALUATIONS = 20


class Trial(NamedTuple):
    step: float
    value: float
    slope: float
    steepness: float  # squared length of the gradient


def search(evaluate: Callable[[float], Trial], start: Trial, step: float, rounding: float) -> bool:
    """Whether there is such a step (the weak conditions of Wolfe 1969); it is the one evaluated last.

    The slope at the start is negative. A value that is not finite is too high. If values differ by no more
    than ``rounding``, gradients still have digits left: a step is then good if it makes the gradient shorter.
    """
    low, high = start, None
    for _ in range(EVALUATIONS):
        trial = evaluate(step)
        change = trial.value - start.value
        lower = change < 0 and change <= LOWER * step * start.slope
        flatter = abs(change) <= rounding and trial.steepness < start.steepness
        if not (lower or flatter):
            high = trial
        elif trial.slope < FLATTER * start.slope:
            low = trial
        else:
            return True
        step = WIDER * step if high is None else _between(low, high)
        if step == low.step:
            return False
    return False


def _between(low: Trial, high: Trial) -> float:
    """The minimum of the cubic through both, or the middle; never close to an end."""
    width, where = high.step - low.step, 0.5
    with np.errstate(over="ignore", invalid="ignore"):
        bend = low.slope + high.slope - 3 * (high.value - low.value) / width
        root = np.sqrt(np.maximum(bend * bend - low.slope * high.slope, 0.0))
        below = high.slope - low.slope + 2 * root
        if np.isfinite(below) and below > 0:
            where = 1 - (high.slope + root - bend) / below
    return low.step + width * float(np.clip(where, MARGIN, 1 - MARGIN))
