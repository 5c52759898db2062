"""Steps of Newton's method by conjugate gradients, cut short when more products would not pay."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from linclf._types import FloatArray

MOST = 500  # products
WORTHWHILE = 0.25  # share of the mean fall of the model that one more product has to bring


class Step(NamedTuple):
    """A direction, the fall of the quadratic model along it, and the number of products it took."""

    direction: FloatArray
    fall: float
    n_products: int
    accuracy: float  # the residual that it leaves, as a share of the gradient


def newton_step(
    product: Callable[[FloatArray], FloatArray],
    precondition: Callable[[FloatArray], FloatArray],
    gradient: FloatArray,
    accuracy: float,
    worthwhile: float = WORTHWHILE,
) -> Step:
    """Roughly ``-H^-1 g`` (Steihaug 1983), for a Hessian H that is given by its products.

    It ends when the residual has fallen to ``accuracy`` times the gradient; when a product brings less than a
    share of the average so far (Nash & Sofer 1990), because of rounding or directions of little curvature; or
    when the curvature is not positive. In that case the direction found so far, or else the preconditioned
    gradient, is one of descent.
    """
    residual, direction, fall = -gradient, np.zeros_like(gradient), 0.0
    towards = precondition(residual)
    along, square = towards, float(np.vdot(residual, towards))
    start, n = square, 0
    for n in range(1, MOST + 1):
        bent = product(along)
        curvature = float(np.vdot(along, bent))
        if not curvature > 0:
            if n == 1:
                return Step(along, 0.5 * square, n, 1.0)
            break
        length = square / curvature
        direction += length * along
        residual -= length * bent
        gained = 0.5 * length * square
        fall += gained
        towards = precondition(residual)
        square, last = float(np.vdot(residual, towards)), square
        if square <= accuracy**2 * start or n * gained <= worthwhile * fall:
            break
        along = towards + (square / last) * along
    return Step(direction, fall, n, float(np.sqrt(square / start)))
