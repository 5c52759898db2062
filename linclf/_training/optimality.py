r"""How far weights are from a minimum: what `tol` allows, and a proven bound.

The bound is a duality gap. With the gradients g_i of the rows' losses as the dual point, and with optimal
intercepts (``sum_i w_i g_i = 0``), Fenchel's equality reduces it to

    F(W, b) - F* <= sum_j |dF/dW_j|^2 / (2 alpha_j)

for every convex loss, where alpha_j is the penalty of feature j. It is loose along directions in which the
loss is curved much more than the penalty.
"""

import copy
from typing import NamedTuple, Self

import numpy as np

from linclf._training.fit import Fit
from linclf._training.intercepts import intercept_hessian, intercepts_alone
from linclf._training.monitor import Monitor
from linclf._training.objective import Rows
from linclf._types import FloatArray
from linclf.losses._registry import trait

ROUNDING = 4  # relative error of sums over rows plus penalty, in eps
DIGITS = ROUNDING * float(np.finfo(np.float64).eps)
ROUNDS, NEGLIGIBLE = 6, 1e-3  # most moves of the intercepts, and the share of a bound that they may leave
FAR = 2.0  # times the objective of the best intercepts alone, above which given weights are no start


class Reached(NamedTuple):
    """Weights, their gradient and the objective there."""

    V: FloatArray
    G: FloatArray
    value: float

    @property
    def steepness(self) -> float:
        return float(np.sqrt(np.vdot(self.G, self.G)))

    def or_given(self, objective: Rows, V: FloatArray) -> "Reached":
        """The given weights, if these are not all 0 and not far from here, else this point.

        Where scores are so far apart that rows on the wrong side have no curvature, Newton's method fails.
        If the objective is not convex, they may be near another minimum, and are taken. What a sample has
        reached may be worse for all rows than this point.
        """
        if not V.any():
            return self
        given, fit = reached(objective, V.astype(np.float64)), objective.fit
        convex = trait(fit.loss, "convex") and fit.head.equivariant
        most = (1 if fit.shards is not None else FAR) * self.value
        return given if given.value < most or not convex else self


class Optimality:
    """The fall from the best intercepts alone to the minimum, and how much of it may be left."""

    def __init__(self, objective: Rows, tol: float = 0.0) -> None:
        self.tol, self.precision = tol, ROUNDING * float(np.finfo(objective.dtype).eps)
        self._penalised(objective)
        self.start = reached(objective, intercepts_alone(objective.fit))

    def _penalised(self, objective: Rows) -> None:
        self.objective = objective
        penalty = objective.penalty[:-1]
        self.free = penalty == 0  # features whose gradient gives no bound
        self.of_squares = np.divide(
            0.5 / objective.fit.head.copies, penalty, where=~self.free, out=0 * penalty
        )

    def with_penalty(self, objective: Rows) -> Self:
        """The same for another penalty; the start stays, as intercepts have none."""
        other = copy.copy(self)
        other._penalised(objective)
        return other

    def allowed(self, value: float) -> float:
        """How far the objective may lie above its minimum."""
        return self.tol * max(self.start.value - value, 0.0)

    def suffices(self, left: float, value: float) -> bool:
        """Whether no more than that is left, or no more than rounding."""
        return left <= max(self.allowed(value), self.rounding(value) if self.tol else 0.0)

    def rounding(self, value: float) -> float:
        """Rounding error of a value, which is a difference of scores, and small only if they cancel.

        A loss itself is a difference of numbers of about 1, in float64.
        """
        return max(self.precision * max(abs(value), abs(self.start.value)), DIGITS)

    def of_weights(self, G: FloatArray) -> float:
        """The bound, if the intercepts are optimal."""
        G = self.objective.fit.problem.storage.by_classes(G)
        squares = np.einsum("kj,kj->j", G, G)[: len(self.free)]
        if squares[self.free].any():
            return np.inf
        return float(squares @ self.of_squares)


def proves(fit: Fit) -> bool:
    """Whether there is a bound."""
    return fit.settings.alpha > 0 and trait(fit.loss, "convex") and fit.head.equivariant


def warn_if_far(optimality: Optimality, monitor: Monitor, max_iter: int, left: float, value: float) -> None:
    """Warn that more may be left than tol allows, or than rounding if no lower point was found."""
    left = min(left, value)  # no loss is below 0, whatever the estimate
    allowed, enough = optimality.allowed(value), optimality.suffices(left, value)
    why, remedy = "the line search found no lower point in the precision of X", "raise tol"
    if monitor.n_iter >= max_iter:
        why, remedy = f"max_iter={max_iter} iterations were not enough", "raise max_iter or tol"
        enough = left <= allowed
    if not enough:
        monitor.warn(
            f"{why}: the objective is estimated to be {left:.1e} above its minimum, and "
            f"tol={monitor.watch.tol} allows {allowed:.1e}; {remedy}"
        )


def reached(objective: Rows, V: FloatArray) -> Reached:
    G = np.empty_like(V)
    return Reached(V, G, objective.value_and_gradient(V, G))


def gap(optimality: Optimality, point: Reached) -> float:
    """A bound on how far the objective lies above its minimum, which is at least 0 as losses are.

    The bound holds for the best intercepts, so those of a copy are moved there.
    """
    objective, best = optimality.objective, point
    fit, by_classes = objective.fit, objective.fit.problem.storage.by_classes
    bend: FloatArray | None = None
    for _ in range(ROUNDS):
        of_weights, slopes = optimality.of_weights(best.G), by_classes(best.G)[:, -1]
        move, of_intercepts = np.zeros(len(slopes)), 0.0
        if fit.head.intercept and slopes.any():
            bend = intercept_hessian(objective, best.V) if bend is None else bend
            move = -np.linalg.lstsq(bend, slopes, rcond=1e-10)[0]
            of_intercepts = -float(slopes @ move)  # twice their distance from the best
            left = np.abs(slopes + bend @ move).max()
            least = np.sqrt(optimality.precision) * optimality.start.steepness  # below, it may be rounding
            if left > max(NEGLIGIBLE * np.abs(slopes).max(), least):
                break  # a slope without curvature, as of rows far on the wrong side: it may go on for long
        if of_intercepts <= max(NEGLIGIBLE * of_weights, optimality.precision * abs(best.value)):
            return min(point.value - min(best.value, point.value) + of_weights + of_intercepts, point.value)
        V = best.V.copy()
        by_classes(V)[:, -1] += move
        better = reached(objective, V)
        if not better.value < best.value + optimality.precision * abs(best.value):
            break
        best = better
    return point.value
