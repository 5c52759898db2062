r"""What L-BFGS knows about the curvature: the last steps s and the changes y of the gradient along them.

The approximate inverse Hessian is kept in its compact form (Byrd, Nocedal & Schnabel 1994). With S and Y in
columns, oldest first, R the upper triangle of ``S'Y``, D its diagonal and ``c = s'y / y'y`` of the last pair,

    H = c I + [S, c Y] [R^-T (D + c Y'Y) R^-1, -R^-T; -R^-1, 0] [S, c Y]'.

The two-loop recursion computes the same, but here the vectors are read twice per iteration, not four times:
once for their inner products with the new pair and the new gradient, once for their sum.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from linclf._kernels.pairs import combination, inner_products
from linclf._types import FloatArray

MOST = 10  # pairs


@dataclass
class Point:
    """Coordinates, and the value and the gradient there."""

    u: FloatArray  # (size,)
    gradient: FloatArray
    value: float = np.inf


def products(x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[float, float]:
    """x . y and x . z, added up in float64."""
    sums = np.zeros((2, 1))
    inner_products(x.reshape(1, -1), y, z, sums)
    return float(sums[0, 0]), float(sums[1, 0])


def inner_product(x: FloatArray, y: FloatArray) -> float:
    """x . y, added up in float64."""
    return products(x, y, y)[0]


class Pairs:
    """The last pairs of vectors of this size."""

    def __init__(self, size: int, dtype: np.dtype) -> None:
        self.vectors = np.empty((MOST, 2, size), dtype)  # s and y of each
        self.across = np.zeros((MOST, MOST))  # s_i . y_j
        self.changes = np.zeros((MOST, MOST))  # y_i . y_j
        self.slopes = np.zeros((MOST, 2))  # s_i . g and y_i . g of the gradient reached
        self.order: list[int] = []  # slots, oldest first

    def forget(self) -> None:
        self.order = []

    def add(self, old: Point, new: Point) -> None:
        """Add the pair of a move."""
        if len(self.order) == MOST:
            del self.order[0]
        slot = min(set(range(MOST)) - set(self.order))
        step, change = self.vectors[slot]
        np.subtract(new.u, old.u, out=step)
        np.subtract(new.gradient, old.gradient, out=change)
        used = max([slot, *self.order]) + 1
        sums = np.zeros((2, 2 * used))
        inner_products(self.vectors[:used].reshape(2 * used, -1), change, new.gradient, sums)
        with_change, self.slopes[:used] = sums.reshape(2, used, 2)
        self.across[:used, slot] = with_change[:, 0]
        self.changes[slot, :used] = self.changes[:used, slot] = with_change[:, 1]
        if self.across[slot, slot] > 0:
            self.order.append(slot)
        else:  # rounding
            self.vectors[slot] = 0

    def direction(self, gradient: FloatArray, out: FloatArray) -> float:
        """out = -H gradient, for the gradient that `add` saw last; returns the slope along it."""
        if not self.order:
            np.negative(gradient, out=out)
            return -inner_product(gradient, gradient)
        order = np.array(self.order)
        R = np.triu(self.across[np.ix_(order, order)])
        D, last = np.diag(R), order[-1]
        c = self.across[last, last] / self.changes[last, last]
        along, changed = self.slopes[order].T
        inner = solve_triangular(R, along)
        outer = D * inner + c * (self.changes[np.ix_(order, order)] @ inner - changed)
        used = order.max() + 1
        shares = np.zeros((used, 2))
        shares[order, 0] = -solve_triangular(R, outer, trans=1)
        shares[order, 1] = c * inner
        vectors = self.vectors[:used].reshape(2 * used, -1)
        combination(vectors, shares.ravel().astype(out.dtype), gradient, out.dtype.type(-c), out)
        return inner_product(gradient, out)
