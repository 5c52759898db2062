"""L-BFGS (Liu & Nocedal 1989): steps along directions that follow from the last pairs."""

from collections.abc import Callable

import numpy as np

from linclf._training.line_search import Trial, search
from linclf._training.pairs import Pairs, Point, inner_product, products


def descend(
    evaluate: Callable[[Point], None],
    start: Point,
    max_iter: int,
    reached: Callable[[Point, float], bool],
    precision: float,
) -> Point:
    """Descend from a point with its value and gradient; returns the last point.

    ``evaluate`` sets value and gradient of a point. After each iteration ``reached`` gets the point, which is
    the one evaluated last, and how much lower the minimum of the quadratic model is; it returns whether to
    stop. ``precision`` is that of the values.
    """
    here, there = start, Point(np.empty_like(start.u), np.empty_like(start.gradient))
    pairs = Pairs(start.u.size, start.u.dtype)
    direction = np.empty_like(start.u)

    def at(step: float) -> Trial:
        np.multiply(direction, direction.dtype.type(step), out=there.u)
        there.u += here.u
        evaluate(there)
        return Trial(step, there.value, *products(there.gradient, direction, there.gradient))

    slope, iteration, stop = pairs.direction(here.gradient, direction), 0, False
    while iteration < max_iter and not stop:
        square = inner_product(here.gradient, here.gradient)
        first = 1.0 if pairs.order else 1 / max(1.0, np.sqrt(square))
        from_here = Trial(0.0, here.value, slope, square)
        if slope < 0 and search(at, from_here, first, precision * abs(here.value)):
            pairs.add(here, there)
            here, there = there, here
            iteration += 1
            slope = pairs.direction(here.gradient, direction)
            stop = reached(here, -0.5 * slope)
        elif pairs.order:
            pairs.forget()
            slope = pairs.direction(here.gradient, direction)
        else:
            break
    return here
