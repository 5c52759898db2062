"""Dense rows: the code that is the same whether they are read in place or copied."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from linclf._numba import bare, compiled_fast, kernel
from linclf._types import FloatArray, IntArray
from linclf.optimizers import step_row


class Dense(NamedTuple):
    """C-ordered X for rows ``[(x - centre) * factor, constant]``, and |(x - centre) * factor|^2 of each."""

    X: FloatArray
    centre: FloatArray
    factor: FloatArray
    square_norms: FloatArray

    @staticmethod
    def by_classes(V: FloatArray) -> FloatArray:
        return V

    @staticmethod
    def penalty_of(squares: FloatArray, penalty: FloatArray, part: slice) -> float:
        return float((squares @ penalty).sum())

    def rows(
        self, ids: IntArray, n_features: int, constant: float, dtype: DTypeLike = np.float64
    ) -> FloatArray:
        # subtract with all digits of X, even if fewer are kept; whole rows at once, as parts take longer
        Z = np.empty((len(ids), n_features + 1), np.result_type(self.X, dtype))
        Z[:, :-1], Z[:, -1] = self.X[ids], 0
        Z -= np.append(self.centre, -constant).astype(Z.dtype)
        Z *= np.append(self.factor, 1).astype(Z.dtype)
        return Z.astype(dtype, copy=False)

    def scaled(self, Z: FloatArray) -> FloatArray:
        Z -= self.centre
        Z *= self.factor
        return Z

    def with_factor(self, factor: FloatArray) -> Self:
        return self._replace(factor=factor.astype(self.X.dtype))

    def weakest(self, penalty: FloatArray) -> float:
        return penalty[:-1].min(initial=np.inf)

    def with_penalty(self, ratio: float) -> Self:
        return self

    def feature_shares(self, n_features: int) -> FloatArray:
        return np.ones(n_features)

    def longest_row(self, width: int) -> int:
        return width


@compiled_fast
def _square_norm(x, centre, factor):
    square = x.dtype.type(0)
    for j in range(x.size):
        value = (x[j] - centre[j]) * factor[j]
        square += value * value
    return square


@kernel
def fill_square_norms(X, centre, factor, out):
    for i in range(out.size):
        out[i] = _square_norm(X[i], centre, factor)


@bare
def square_norms_dense(storage, V, out):
    for k in range(out.size):
        total = 0.0
        for j in range(V.shape[1]):
            total += V[k, j] * V[k, j]
        out[k] = total


@bare
def subtract_radial_dense(storage, V, radial, G):
    for k in range(radial.size):
        for j in range(V.shape[1]):
            G[k, j] -= radial[k] * V[k, j]


@bare
def update_dense(storage, state, optimizer, step, penalty):
    V, G, slots, count = state.V, state.G, state.slots, state.n_steps[0]
    for k in range(V.shape[0]):
        step_row(optimizer, V[k], G[k], slots[k], step, count, penalty)
