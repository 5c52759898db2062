"""Newton's method for the weights that are not 0, where the penalty is smooth.

Coordinate descent finds these weights in a few sweeps, but takes long to their values if features are
correlated. Here they move together, along a direction by conjugate gradients. Those whose sign would change
become 0, and a sweep decides whether they stay there.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from linclf._kernels import coordinates
from linclf._kernels.coordinates import Penalised, Within
from linclf._kernels.norms import Norm
from linclf._kernels.row_models import Quadratic
from linclf._storage.columns import DenseColumns
from linclf._training.cholesky import factored
from linclf._training.columnwise import Columnwise
from linclf._training.conjugate_gradients import newton_step
from linclf._types import FloatArray, IntArray

ACCURACY = 0.03  # of a direction
TRIALS = 4  # lengths of a step: 1, 1/2, ...
FACTORED = 2**22  # squared numbers of weights of a class, together, up to which their Hessians are factored


class Support:
    """Some features with weights, and the quadratic model of the objective for them."""

    def __init__(
        self,
        rows: Columnwise,
        model: Quadratic,
        norm: Norm,
        penalised: Penalised,
        features: IntArray,
        within: Within,
    ) -> None:
        self.rows, self.model, self.norm, self.features = rows, model, norm, features
        self.within = within
        self.penalised, self.W = penalised, penalised.W[features]
        self.limits, self.ridges = penalised.limits[features], penalised.ridges[features][:, None]
        self.moves = np.broadcast_to(norm.moves(self.W), self.W.shape)
        columns = rows.columns
        self.Z = columns.values[features] if isinstance(columns, DenseColumns) else None

    def step(self) -> float:
        """Move the weights; returns by how much the model falls."""
        rows, model, some, W = self.rows, self.model, self.features, self.W
        bend = self.norm.bend(W, self.limits)

        def product(D: FloatArray) -> FloatArray:
            H = self._slopes(model.hessians.applied(self._products(D)), D[:-1])
            H[:-1] += bend(D[:-1]) * self.moves
            return H

        gradients = model.R + model.hessians.applied(model.U)
        slopes = self._slopes(gradients, W)
        slopes[:-1] += self.norm.slope(W, self.limits) * self.moves
        direction = newton_step(product, self._precondition(), slopes, ACCURACY).direction
        before = self._penalty(W)
        for trial in range(TRIALS):
            there = np.clip(W + 0.5**trial * direction[:-1], self.within.lowest, self.within.highest)
            there = self.norm.on_the_same_side(W, there)
            constant = 0.5**trial * direction[-1]
            U = rows.moves(there - W, constant, some)
            along = gradients + 0.5 * model.hessians.applied(U)
            fall = before - self._penalty(there) - float(np.vdot(U, along))
            if fall > 0:
                self.penalised.W[some] = there
                self.penalised.W[-1] += constant
                model.U[:] += U
                model.mixed[:] += model.hessians.mixed(U)
                return fall
        return 0.0

    def _penalty(self, W: FloatArray) -> float:
        return self.norm.value(W, self.limits) + 0.5 * float(np.vdot(self.ridges * W, W))

    def _products(self, D: FloatArray) -> FloatArray:
        """Products (K, n) of the rows with a direction (n_features + 1, K)."""
        if self.Z is None:
            return self.rows.moves(D[:-1], D[-1], self.features)
        U = (D[:-1].T.astype(self.Z.dtype) @ self.Z).astype(np.float64, copy=False)
        U += (self.rows.constant * D[-1])[:, None]
        return U

    def _slopes(self, T: FloatArray, D: FloatArray) -> FloatArray:
        """The gradient (n_features + 1, K) of the model, for gradients T (K, n) of the rows and weights D."""
        rows, G = self.rows, np.empty((len(D) + 1, len(T)))
        G[-1] = rows.constant * T.sum(axis=1)
        if self.Z is None:
            for part in rows.parts(self.features, len(T)):
                some = self.features[part]
                coordinates.some_slopes(rows.columns, some, T, self.moves[part], G[:-1][part])
        else:
            G[:-1] = self.Z @ T.T.astype(self.Z.dtype)
        G[:-1] += self.ridges * D
        G[:-1] *= self.moves
        return G

    def _precondition(self) -> Callable[[FloatArray], FloatArray]:
        """An approximate inverse of the Hessian: a matrix for each class, or only the diagonal."""
        bends, Z, constant = self.model.hessians.diagonal(), self.Z, self.rows.constant
        counts = self.moves.sum(axis=0, dtype=np.float64)
        if Z is None or counts @ counts > FACTORED:
            return self._by_diagonal(bends)
        factors: list[tuple[NDArray, FloatArray]] = []
        for k, bend in enumerate(bends):
            at = np.flatnonzero(self.moves[:, k])
            rows = np.vstack([Z[at], np.full((1, Z.shape[1]), constant, Z.dtype)])
            M = ((rows * bend.astype(Z.dtype)) @ rows.T).astype(np.float64)
            M.ravel()[:: len(M) + 1][:-1] += self.ridges[at, 0]
            factors.append((np.append(at, len(self.moves)), factored(M)))

        def inverse(G: FloatArray) -> FloatArray:
            D = np.zeros_like(G)
            for k, (at, L) in enumerate(factors):
                D[at, k] = cho_solve((L, True), G[at, k], check_finite=False)
            D[-1] *= bool(constant)
            return self._apart(D)

        return inverse

    def _by_diagonal(self, bends: FloatArray) -> Callable[[FloatArray], FloatArray]:
        rows, own = self.rows, np.empty((len(self.moves) + 1, len(bends)))
        own[-1] = rows.constant**2 * bends.sum(axis=1)
        for part in rows.parts(self.features, len(bends)):
            coordinates.squares(rows.columns, self.features[part], bends, own[:-1][part])
        own[:-1] += self.ridges
        return lambda G: self._apart(np.divide(G, own, where=own > 0, out=np.zeros_like(G)))

    def _apart(self, D: FloatArray) -> FloatArray:
        """Without what the constants share, if nothing depends on that: conjugate gradients drift there."""
        if self.rows.shifts:
            D[-1] -= D[-1].mean()
        return D
