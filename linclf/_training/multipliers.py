r"""The method of multipliers for hinge losses with few weights, with Newton's method for its steps.

With dual variables g_i of the rows, the loss of a row with scores f is smoothed to

    max_g  g.f - loss*(g) - bend/2 |g - g_i|^2

and the sum, with the penalty, is minimised over the weights. The g at its minimum are the next g_i, and the
next bend is smaller (Rockafellar 1976). This is exact for any bend, and a few rounds are enough whatever the
scales of the features. The smoothed sum is quadratic except for kinks in its gradient, so Newton's method
needs only a few steps in each round (Li, Sun & Toh 2018). Intercepts need no special care.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from linclf._kernels.dual import smooth
from linclf._training.dual_point import DualProblem
from linclf._training.line_search import Trial, search
from linclf._types import FloatArray

MOST = 1000  # weights, as a step needs their whole Hessian
MOST_VALUES = 2**24  # of rows, and of variables, float64
SHRINK = 0.2  # factor of the bend from round to round; the first bend is the margin
RIDGE, MORE = 1e-12, 100.0  # share of the diagonal, as intercepts have no penalty, and its growth on failure
FARTHEST = 2.0  # largest change of scores in a step, as a multiple of scores plus margin
ROUNDING = 1e-14
CALL = 2**21  # scores of a call of a kernel


def suit(n_rows: int, n_features: int, n_products: int) -> bool:
    """Whether a problem is small enough."""
    width = n_features + 1
    return width * n_products <= MOST and n_rows * max(width, n_products) <= MOST_VALUES


class Multipliers:
    """Weights V (n_scores, n_features + 1) in training coordinates, and dual variables that follow them."""

    def __init__(self, dual: DualProblem, penalty: FloatArray, V: FloatArray, active: FloatArray) -> None:
        fit = dual.fit
        rows = fit.problem.storage.rows(dual.ids, fit.shape.n_trained, fit.head.intercept)
        self.Z = np.ascontiguousarray(rows.toarray() if fit.shape.is_sparse else rows)
        self.dual, self.loss, self.penalty, self.copies = dual, fit.loss, penalty, fit.head.copies
        self.margin = fit.loss._asdict()["margin"] / fit.head.copies
        self.bend = self.margin
        self.V, self.active = V, active.copy()
        self.tighten(1.0)

    def tighten(self, shrink: float = SHRINK) -> None:
        """Use the dual variables reached as multipliers."""
        self.bend *= shrink
        self.before = self.active.copy()
        self.g_before = self.dual.subgradients(self.before, self.dual.y)
        self.value, self.gradient, self.members = self._evaluate()

    @property
    def unsolved(self) -> float:
        """The part of the duality gap that is due to V not being the minimum of the smooth problem.

        For intercepts, it is roughly the cost of bringing the dual variables into balance.
        """
        felt = self.penalty[:-1] > 0
        squares = np.square(self.gradient[:, :-1][:, felt]) / self.penalty[:-1][felt]
        of_intercepts = self.margin * float(np.abs(self.gradient[:, -1]).sum())
        return self.copies * (0.5 * float(squares.sum()) + of_intercepts)

    def step(self) -> bool:
        """One step of Newton's method; returns whether there is a lower point."""
        V, value, gradient = self.V, self.value, self.gradient
        direction = self._shortened(-self._solve(gradient))

        def at(length: float) -> Trial:
            self.V = V + length * direction
            self.value, self.gradient, self.members = self._evaluate()
            slope = float(np.vdot(self.gradient, direction))
            return Trial(length, self.value, slope, float(np.vdot(self.gradient, self.gradient)))

        slope = float(np.vdot(gradient, direction))
        start = Trial(0.0, value, slope, float(np.vdot(gradient, gradient)))
        if slope < 0 and search(at, start, 1.0, ROUNDING * abs(value)):
            return True
        self.V = V
        self.value, self.gradient, self.members = self._evaluate()
        return False

    def _shortened(self, direction: FloatArray) -> FloatArray:
        """Limit a step: if few rows add curvature, the model says nothing about scores far away."""
        longest = float(np.abs(self.Z @ direction.T).max())
        most = FARTHEST * (self.margin + float(np.abs(self.Z @ self.V.T).max()))
        return direction * min(1.0, most / longest) if longest > 0 else direction

    def _evaluate(self) -> tuple[float, FloatArray, FloatArray]:
        """The smooth objective at V, its gradient, and the members of each row's Hessian."""
        dual, scores = self.dual, self.Z @ self.V.T
        change, members = scores.copy(), np.empty_like(scores)
        self.active[:] = self.before
        for start in range(0, len(scores), size := CALL // dual.n_scores + 1):
            part = slice(start, start + size)
            smooth(self.loss, dual.y[part], change[part], self.active[part], members[part], self.bend)
        g = self.g_before + change
        counted = self.active.sum(axis=1) if dual.separate else self.active[np.arange(len(g)), dual.y]
        losses = self.margin * counted + np.einsum("ik,ik->i", g, scores)
        losses -= 0.5 * self.bend * np.einsum("ik,ik->i", change, change)
        pull = self.penalty * self.V
        value = float(dual.shares @ losses) + 0.5 * float(np.vdot(pull, self.V))
        return value, (g * dual.shares[:, None]).T @ self.Z + pull, members

    def _solve(self, gradient: FloatArray) -> FloatArray:
        """H^-1 times the gradient."""
        H = self._hessian()
        at = np.diag_indices(len(H))
        diagonal, ridge = H[at].copy(), RIDGE
        while True:
            H[at] = diagonal + ridge * (diagonal + diagonal.mean())
            try:
                factor = cho_factor(H, lower=True)
                return cho_solve(factor, gradient.ravel()).reshape(gradient.shape)
            except LinAlgError:
                ridge *= MORE

    def _hessian(self) -> FloatArray:
        """Second derivatives of the smooth objective, the lower half; only rows with free variables count."""
        members, K, width = self.members, self.dual.n_scores, self.Z.shape[1]
        n_members = members.sum(axis=1)
        rows = np.flatnonzero(n_members > (0 if self.dual.separate else 1))
        Z, members, n_members = self.Z[rows], members[rows], n_members[rows]
        shares = self.dual.shares[rows] / self.bend
        H = np.zeros((K, width, K, width))
        for k in range(K):
            H[k, :, k] = np.diag(self.penalty)
            for other in range(k if self.dual.separate else 0, k + 1):
                h = shares * members[:, k] if k == other else np.zeros(len(rows))
                if not self.dual.separate:
                    h = h - shares * members[:, k] * members[:, other] / n_members
                some = np.flatnonzero(h)
                H[k, :, other] += (Z[some] * h[some, None]).T @ Z[some]
        return H.reshape(K * width, K * width)
