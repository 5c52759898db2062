r"""The dual problem of hinge losses, and the bound that its variables prove.

With a_i the dual variables of row i (`losses._dual`), g_i the subgradient that they define, and s_i the
shares of the rows, which add up to 1,

    F(W, b) >= D(g) = margin * sum_i s_i |a_i| - alpha/2 |W(g)|^2,    W(g) = -sum_i s_i g_i x_i' / alpha

for all W and b, if ``sum_i s_i g_i = 0``. Without intercepts this condition is not needed.
"""

import numpy as np
from scipy import sparse

from linclf._kernels.dual import add_rows, row_buffers
from linclf._training.fit import Fit, depends_on_differences, penalty_factor
from linclf._types import FloatArray

CALL = 2**24  # multiply-adds of a call of a kernel, some 10 ms
ROUNDS = 20  # of closing flows that cannot be balanced
SINGULAR = 1e-12


class DualProblem:
    """The dual problem of a fit. If two classes share a vector of weights, a row has one variable."""

    def __init__(self, fit: Fit) -> None:
        self.fit, self.ids = fit, fit.ids
        # without the factors of training coordinates the penalty is the same for all features
        _, factor = fit.coordinates.of_rows
        self.storage = fit.problem.storage.copied().with_factor(factor / fit.coordinates.factor)
        self.y = fit.data.y.array[self.ids]
        self.shares = fit.problem.weights[self.ids] / len(self.ids)
        self.n_classes, self.n_scores = fit.data.y.n_classes, fit.shape.n_products
        self.alpha = fit.settings.alpha * penalty_factor(fit.loss, self.n_classes)
        self.separate = self.n_scores == 1 or not depends_on_differences(fit.loss)
        self.buffers = row_buffers(fit.shape.n_trained, self.n_scores)
        stored = fit.shape.n_trained if fit.shape.stored is None else fit.shape.stored
        self.rows_of_call = int(max(1, CALL // ((stored + 1) * self.n_scores)))

    def empty_weights(self) -> FloatArray:
        """Zero weights for rows without factors, float64 and laid out for the storage."""
        W = np.zeros((self.n_scores, self.fit.shape.n_trained))
        return np.ascontiguousarray(self.storage.by_classes(W))

    def subgradients(self, active: FloatArray, y: np.ndarray) -> FloatArray:
        """g of some rows: a, with the opposite sign for their class."""
        g, rows = active.copy(), np.arange(len(y))
        if self.n_scores == 1:
            g[y == 1] *= -1
        else:
            g[rows, y] *= -1
        return g

    def value(self, active: FloatArray) -> float:
        """D for variables near ``active`` that satisfy the constraint."""
        factors, W, mass = self._factors(active), self.empty_weights(), 0.0
        for start in range(0, len(self.ids), self.rows_of_call):
            part = slice(start, start + self.rows_of_call)
            y = self.y[part]
            a = active[part] * factors[y]
            if not self.separate:
                rows = np.arange(len(y))
                a[rows, y] = 0
                a[rows, y] = a.sum(axis=1)
                mass += self.shares[part] @ a[rows, y]
            else:
                mass += self.shares[part] @ a.sum(axis=1)
            pulls = self.subgradients(a, y) * (self.shares[part] / -self.alpha)[:, None]
            add_rows(self.storage, self.ids[part], pulls, W, self.buffers)
        # with a shared vector, both copies have the penalty and half of the loss
        return float(
            self.fit.loss._asdict()["margin"] * mass - 0.5 * self.fit.head.copies * self.alpha * np.vdot(W, W)
        )

    def _factors(self, active: FloatArray) -> FloatArray:
        """Factors <= 1 for the variables, by class of the row and score, that satisfy the constraint."""
        n, shape = len(self.ids), (self.n_classes, self.n_scores)
        if not self.fit.head.intercept:
            return np.ones(shape)
        members = sparse.csr_array((self.shares, self.y, np.arange(n + 1)), shape=(n, self.n_classes))
        mass = np.asarray(members.T @ active)
        if self.n_scores == 1:
            return mass.min() / np.where(mass > 0, mass, 1)
        return _of_sides(mass) if self.separate else _of_flows(mass)


def _of_sides(mass: FloatArray) -> FloatArray:
    """For each score, the rows of its class must weigh as much as those of the other classes."""
    own = np.diag(mass).copy()
    others = mass.sum(axis=0) - own
    least = np.minimum(own, others)
    factors = np.tile(least / np.where(others > 0, others, 1), (len(mass), 1))
    np.fill_diagonal(factors, least / np.where(own > 0, own, 1))
    return factors


def _of_flows(mass: FloatArray) -> FloatArray:
    """Each class must give as much as it gets: ``mass[y, k]`` flows from y to k.

    Potentials p that balance ``mass[y, k] (1 - p_y + p_k)`` change all flows only a little. A flow that would
    reverse is closed, and all is done again.
    """
    flow = mass * (1 - np.eye(len(mass)))
    factors = np.ones_like(flow)
    for _ in range(ROUNDS):
        gets, gives = flow.sum(axis=0), flow.sum(axis=1)
        lost = (gets == 0) != (gives == 0)
        if lost.any():
            factors[lost], factors[:, lost] = 0, 0
            flow[lost], flow[:, lost] = 0, 0
            continue
        laplacian = np.diag(gets + gives) - flow - flow.T
        p = np.linalg.lstsq(laplacian, gives - gets, rcond=SINGULAR)[0]
        change = np.where(flow > 0, 1 - p[:, None] + p, 0)
        turned = change.min() < 0
        change = np.maximum(change, 0) / max(1.0, change.max())
        factors *= change
        flow *= change
        if not turned:
            return factors
    return np.zeros_like(factors)
