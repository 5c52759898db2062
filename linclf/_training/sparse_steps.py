r"""Steps of the proximal Newton method, for penalties that make weights exactly 0.

The objective is ``L(W, b) + sum_j limit_j |W_j| + ridge_j/2 |W_j|^2`` with the mean loss L and a norm of the
weights of each feature. A step minimises it with a quadratic model of L, by coordinate descent over a working
set of features: those with weights, and those that violate the conditions of a minimum most.

A bound on how far the objective lies above its minimum comes from Fenchel duality. With the gradients of the
rows, times ``c <= 1``, as the dual point, and with optimal intercepts, it is for every convex loss >= 0

    (1 - c) L + sum_j limit_j |W_j| + ridge_j/2 |W_j|^2 + c W_j . G_j + (|c G_j| - limit_j)_+^2 / (2 ridge_j)

where G is the gradient of L for the weights, and the last term has the dual norm.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from linclf._kernels import coordinates
from linclf._kernels.coordinates import Penalised, Within, Work
from linclf._kernels.norms import OfWeights, lengths
from linclf._kernels.row_models import Hessians, Quadratic
from linclf._training.columnwise import Columnwise
from linclf._training.fit import Fit
from linclf._training.model import LinearModel
from linclf._training.objective import Rows
from linclf._training.optimality import FAR, Optimality
from linclf._training.support_steps import Support
from linclf._types import BoolArray, FloatArray, IntArray

FEWEST, GROWTH = 64, 1.0  # violating features that join the working set: the least, and a share of its size
REACH = 4.0  # most change of a score by one weight, of a typical row that has the feature
SLOW = 0.3  # share of the last fall, above which the weights move together
SWEEPS = 50  # most sweeps of a step
LOWER, HALVINGS = 1e-3, 30  # least share of the fall of the model, and shortest steps
POLISH, NEGLIGIBLE = 5, 1e-2  # steps of the intercepts alone, and the share of a gap that they may leave


class Candidates(NamedTuple):
    """Features, sorted, and which of their weights (n_features, K) a step may move."""

    features: IntArray
    moves: BoolArray


class SparseSteps:
    """The weights reached, and what is known about the objective there."""

    def __init__(self, fit: Fit, tol: float, pool: ThreadPoolExecutor | None) -> None:
        self.rows = Columnwise(fit, pool)
        self.optimality = Optimality(Rows(fit, fit.ids), tol)
        by_classes = fit.problem.storage.by_classes
        self.inverse: FloatArray | None = None  # of the second derivatives of the intercepts, roughly
        self.penalise(fit)
        self._place(
            np.ascontiguousarray(by_classes(self.optimality.start.V).T, np.float64), self.rows.features
        )
        if fit.V.any():
            start, value = self.W, self.value
            self._place(np.ascontiguousarray(by_classes(fit.V).T, np.float64), self.rows.features)
            if not self.value < FAR * value:
                self._place(start, self.rows.features)

    def penalise(self, fit: Fit) -> None:
        """Switch to the penalty of another fit."""
        assert fit.norm is not None
        self.fit, self.norm = fit, fit.norm
        self.limits = fit.limits
        self.ridges = fit.head.copies * fit.head.penalised(fit.problem.penalty)[:-1].astype(np.float64)

    def model(self) -> LinearModel:
        """The model reached; if only differences of scores count, constants have the mean 0."""
        W = self.W.copy()
        if self.rows.shifts:
            W[-1] -= W[-1].mean()
        return self.fit.model(self.fit.problem.storage.by_classes(W.T))

    # ------------------------------------------------------------ the point

    def _place(self, W: FloatArray, support: IntArray) -> None:
        """Go to weights that are 0 but for some features."""
        self.W, self.support = W, support[W[support].any(axis=1)]
        self._look()

    def _look(self) -> None:
        self.F = self.rows.products(self.W, self.support)
        self.losses = self.rows.losses(self.F)

    @property
    def penalty(self) -> float:
        """The penalty of the weights."""
        some = self.support
        W, limits, ridges = self.W[some], self.limits[some], self.ridges[some]
        return self.norm.value(W, limits) + 0.5 * float(ridges @ np.square(W).sum(axis=1))

    @property
    def value(self) -> float:
        """The objective."""
        return self.losses.value + self.penalty

    def slopes(self, features: IntArray | None) -> FloatArray:
        """The gradient of the mean loss for some features, or all; the intercepts are moved to their best."""
        self._polish()
        return self.rows.slopes(self.losses.R, features)

    def _polish(self) -> None:
        if not self.rows.constant:
            return
        for number in range(POLISH):
            slopes = self.rows.constant * self.losses.R.sum(axis=0)
            if self.inverse is None or number == POLISH // 2:
                self.inverse = self._intercept_inverse(self.rows.hessians(self.F))
            move = -self.inverse @ slopes
            if -float(slopes @ move) <= NEGLIGIBLE * self.optimality.rounding(self.value):
                return
            before = self.W[-1].copy(), self.F, self.losses
            self.W[-1] += move
            self.F = self.F + (self.rows.constant * move)[:, None]
            self.losses = self.rows.losses(self.F)
            if not self.losses.value < before[2].value:
                self.W[-1], self.F, self.losses = before
                return

    def _intercept_inverse(self, hessians: Hessians) -> FloatArray:
        return np.linalg.pinv(self.rows.constant**2 * hessians.total(), rcond=1e-10, hermitian=True)

    def gap(self, G: FloatArray, features: IntArray | None) -> float:
        """A bound on how far the objective lies above its minimum, for a convex loss with slopes G.

        Weights of other features than the given ones are taken as if they had to be 0.
        """
        limits, ridges, W = self.limits, self.ridges, self.W[:-1]
        if features is not None:
            limits, ridges, W = limits[features], ridges[features], W[features]
        sizes = self._lengths(G)
        beyond, has = np.flatnonzero(sizes > limits), self._nonzero(features)
        along = float(np.vdot(W[has], G[has]))
        c = float(np.min(limits[beyond] / sizes[beyond], initial=1.0))
        bound = (1 - c) * self.losses.value + self.penalty + c * along
        if ridges.all():
            left = self.norm.beyond(G[beyond], limits[beyond]) / (2 * ridges[beyond])
            bound = min(bound, self.penalty + along + float(left.sum()))
        return min(max(bound, 0.0), self.value)

    def _nonzero(self, features: IntArray | None) -> IntArray:
        """Positions of the support among some features, which contain it."""
        return self.support if features is None else np.searchsorted(features, self.support)

    def _lengths(self, G: FloatArray) -> FloatArray:
        sizes = np.empty(len(G))
        lengths(self.norm, G, sizes)
        return sizes

    # ------------------------------------------------------------ steps

    def excess(self, G: FloatArray) -> FloatArray:
        """How far each feature is from optimal: the distance of its slopes from those of the penalty."""
        self.G, some = G, self.support
        excess, W = np.maximum(self._lengths(G) - self.limits, 0), self.W[some]
        excess[some] = self.norm.excess(G[some] + self.ridges[some, None] * W, W, self.limits[some])
        return excess

    def candidates(self, features: IntArray, G: FloatArray, share: float = 1.0) -> Candidates:
        """Those of some features that have weights, or slopes beyond a share of what the norm balances."""
        limits = share * self.limits
        at = self._lengths(G) > limits[features]
        at[np.searchsorted(features, self.support)] = True
        features = features[at]
        return Candidates(features, self.norm.may_move(G[at], self.W[features], limits[features]))

    def strong(self, alpha: float) -> Candidates:
        """The weights that the strong rule keeps, by the slopes for another penalty (Tibshirani 2012)."""
        ratio = alpha / self.fit.settings.alpha
        # slopes are not expected to change by more than the penalty
        return self.candidates(self.rows.features, self.G, 2 * ratio - 1)

    def strongest(self) -> float:
        """How many times as strong the penalty has to be for all weights to be 0, from weights of 0."""
        limits = np.where(self.limits > 0, self.limits, np.inf)
        return float((self._lengths(self.slopes(None)) / limits).max(initial=0))

    def working_set(self, excess: FloatArray) -> Candidates:
        """The features with weights, and those that are farthest from optimal."""
        excess, most = excess.copy(), max(FEWEST, int(GROWTH * len(self.support)))
        excess[self.support] = 0
        others = np.flatnonzero(excess)
        if len(others) > most:
            others = others[np.argpartition(excess[others], -most)[-most:]]
        features = np.union1d(self.support, others)
        return self.candidates(features, self.G[features])

    def step(self, some: Candidates, enough: float, share: float) -> float:
        """Minimise a model over the weights of some features; returns the fall of the objective.

        The model is left once a sweep lowers it by less than ``enough``, or by less than a share of the fall
        of the first.
        """
        features, hessians = some.features, self.rows.hessians(self.F)
        if self.rows.constant:
            self.inverse = self._intercept_inverse(hessians)
        U = np.zeros_like(self.F)
        model = Quadratic(np.ascontiguousarray(self.losses.R.T), U, np.zeros(U.shape[1]), hessians)
        before, start = self.W[features], self.W[-1].copy()
        value, expected = self.value, self._descend(model, some, enough, share)
        there, end = self.W[features], self.W[-1].copy()
        length = 1.0
        for _ in range(HALVINGS):
            self.W[features] = there if length == 1 else before + length * (there - before)
            self.W[-1] = start + length * (end - start)
            self._place(self.W, features)
            fall = value - self.value
            if fall >= LOWER * length * expected or abs(fall) <= self.optimality.rounding(value):
                return fall
            length /= 2
        self.W[features], self.W[-1] = before, start
        self._place(self.W, features)
        return 0.0

    def _descend(self, model: Quadratic, some: Candidates, enough: float, share: float) -> float:
        """Lower the model by sweeps through the features; returns by how much it fell."""
        rows, n, features = self.rows, self.F.shape[1], some.features
        penalised = Penalised(self.W, self.limits, self.ridges, rows.constant)
        work = Work(*(np.empty(n) for _ in range(3)))
        reach, W = (REACH / self.rows.lengths[features])[:, None], self.W[features]
        within = Within(some.moves, np.full(W.shape, -1.0), W - reach, W + reach)
        sweep = self._by_weights if isinstance(self.norm, OfWeights) else self._by_features(model)
        total, first, before, last = 0.0, 0.0, np.inf, np.inf
        for number in range(SWEEPS):
            fall = 0.0
            if number == 1:
                kept = self.W[features].any(axis=1)
                features, within = features[kept], within.of(kept)
                moves = np.broadcast_to(self.norm.moves(self.W[features]), within.moves.shape)
                within = within._replace(moves=np.ascontiguousarray(moves))
            if number > 1 and last > SLOW * before and len(features):
                fall += Support(rows, model, self.norm, penalised, features, within).step()
            fall += sweep(model, penalised, features, within, work)
            total += fall
            before, last = last, fall
            first = max(first, fall)
            if number and fall <= max(share * first, enough):
                break
        return total

    def _by_weights(
        self,
        model: Quadratic,
        penalised: Penalised,
        features: IntArray,
        within: Within,
        work: Work,
    ) -> float:
        rows, fall = self.rows, 0.0
        parts = list(rows.parts(features, 1))
        for k in range(len(model.R)):
            for part in parts:
                fall += coordinates.sweep_weights(
                    rows.columns, model, penalised, features[part], within.part(part), work, k
                )
        return fall

    def _by_features(self, model: Quadratic) -> Callable[..., float]:
        rows, bounds, slopes = self.rows, model.hessians.bounds(), np.empty(len(model.R))

        def sweep(
            model: Quadratic,
            penalised: Penalised,
            features: IntArray,
            within: Within,
            work: Work,
        ) -> float:
            fall = coordinates.move_constants(model, penalised, work)
            for part in rows.parts(features, 2 * len(model.R)):
                fall += coordinates.sweep_features(
                    rows.columns, model, penalised, features[part], within.part(part), bounds, slopes
                )
            return fall

        return sweep
