"""Newton's method with conjugate gradients, for the convex losses of calibration.

A *function* here is ``function(x) -> Point``. A calibration map has from 2 to K * (K + 1) parameters,
so its Hessian is not formed, only multiplied by vectors.
"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from linclf._types import FloatArray

TOLERANCE = 1e-8
# rounding error of a value of 1 after sums over many rows, and of smaller values as differences of scores:
# changes below it are noise, and only the gradient shows progress
ROUNDING = 1e-14


class Point(NamedTuple):
    """Value, gradient, product with the Hessian, and the diagonal of the Hessian."""

    value: float
    gradient: FloatArray
    product: Callable[[FloatArray], FloatArray]
    diagonal: FloatArray


def minimise(function: Callable[[FloatArray], Point], x: FloatArray, max_iter: int = 200) -> FloatArray:
    """The x at which the norm of the gradient is at most 1e-8; the value never rises on the way."""
    x, norm = descend(function, x, TOLERANCE, max_iter)
    if norm > TOLERANCE:
        warnings.warn(
            f"the calibration stopped at a gradient norm of {norm:.1e} instead of {TOLERANCE:.0e}; scores of "
            "very different sizes may be why, and more rows or a larger penalty help",
            ConvergenceWarning,
            stacklevel=4,
        )
    return x


def descend(
    function: Callable[[FloatArray], Point], x: FloatArray, tolerance: float, max_iter: int = 200
) -> tuple[FloatArray, float]:
    """Return x and its gradient norm, which is at most the tolerance unless no step helps."""
    here = function(x)
    for _ in range(max_iter):
        norm = np.linalg.norm(here.gradient)
        if norm <= tolerance:
            break
        step = _newton_step(here, forcing=min(0.1, np.sqrt(norm)))
        moved = _line_search(function, x, here, step)
        if moved is None:
            break
        x, here = moved
    return x, float(np.linalg.norm(here.gradient))


def _newton_step(point: Point, forcing: float) -> FloatArray:
    """About -H^-1 g, by conjugate gradients scaled by the diagonal of H."""
    scale = 1 / np.where(point.diagonal > 0, point.diagonal, 1)
    step, residual = np.zeros_like(point.gradient), -point.gradient
    scaled = scale * residual
    direction, inner = scaled, residual @ scaled
    goal = forcing * np.linalg.norm(residual)
    for _ in range(len(residual) + 10):
        image = point.product(direction)
        curvature = direction @ image
        if curvature <= 1e-16 * (direction @ (direction / scale)):  # flat: the gradient is as good
            return step if step.any() else direction
        rate = inner / curvature
        step = step + rate * direction
        residual = residual - rate * image
        if np.linalg.norm(residual) <= goal:
            break
        scaled = scale * residual
        before, inner = inner, residual @ scaled
        direction = scaled + inner / before * direction
    return step


def _line_search(
    function: Callable[[FloatArray], Point], x: FloatArray, here: Point, step: FloatArray
) -> tuple[FloatArray, Point] | None:
    """The next x and its point, or None if no fraction of the step is lower."""
    slope = here.gradient @ step
    norm = np.linalg.norm(here.gradient)
    fraction = 1.0
    for _ in range(40):
        there = function(x + fraction * step)
        lower = there.value <= here.value + 1e-4 * fraction * slope
        level = there.value <= here.value + ROUNDING * max(1.0, abs(here.value))
        if lower or (level and np.linalg.norm(there.gradient) < norm / 2):
            return x + fraction * step, there
        fraction /= 2
    return None
