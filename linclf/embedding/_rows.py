r"""Rows in training coordinates, ``u = (x - mean) / spread``, dense or sparse.

Both have the products ``U V'`` with a matrix (q, d), the gradient ``G' U`` of these products, and copies in
which some of the features are dropped. Sparse rows are centred in the products, so they stay sparse.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from linclf._training.coordinates import add_squares, moments
from linclf._types import FloatArray, IntArray, Matrix

ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of a mean: the deviation that a constant column may show


class Rows(Protocol):
    """A batch."""

    @property
    def matrix(self) -> Matrix:
        """The rows (n, d); sparse ones are not centred."""
        ...

    def products(self, V: FloatArray) -> FloatArray:
        """``U V'`` (n, q)."""
        ...

    def gradient(self, G: FloatArray) -> FloatArray:
        """``G' U`` (q, d), in C order."""
        ...

    def dropped_twice(self, share: float, rng: np.random.RandomState) -> "Rows":
        """Two copies, one after the other, each without a random share of the features of each row."""
        ...


class DenseRows(NamedTuple):
    matrix: FloatArray

    def products(self, V: FloatArray) -> FloatArray:
        return self.matrix @ V.T

    def gradient(self, G: FloatArray) -> FloatArray:
        return G.T @ self.matrix

    def dropped_twice(self, share: float, rng: np.random.RandomState) -> Rows:
        """A feature that is dropped has its mean, 0."""
        twice = np.concatenate([self.matrix, self.matrix])
        twice *= rng.random_sample(twice.shape) >= share
        return DenseRows(twice)


class SparseRows(NamedTuple):
    """Rows ``X - centre``, where X is sparse."""

    matrix: Matrix
    centre: FloatArray

    def products(self, V: FloatArray) -> FloatArray:
        return self.matrix @ V.T - V @ self.centre

    def gradient(self, G: FloatArray) -> FloatArray:
        found = np.ascontiguousarray((self.matrix.T @ G).T)
        found -= np.outer(G.sum(axis=0), self.centre)
        return found

    def dropped_twice(self, share: float, rng: np.random.RandomState) -> Rows:
        """A value that is dropped is 0: values that are not stored stay as they are."""
        twice = sparse.vstack([self.matrix, self.matrix], format="csr")
        twice.data *= rng.random_sample(twice.data.shape) >= share
        return self._replace(matrix=twice)


class Features(NamedTuple):
    """X, and the coordinates of its columns."""

    X: Matrix
    mean: FloatArray
    spread: FloatArray

    def rows(self, ids: IntArray, dtype: DTypeLike | None = None) -> Rows:
        """The rows with these numbers, in the dtype of X unless one is given."""
        kind: Any = dtype or self.X.dtype
        if not sparse.issparse(self.X):
            # the difference has the digits of X in float64
            return DenseRows(((self.X[ids] - self.mean) / self.spread).astype(kind))
        X = self.X[ids]
        X.data = (X.data / self.spread[X.indices]).astype(kind)
        return SparseRows(X, (self.mean / self.spread).astype(kind))


def features_of(X: Matrix, standardize: bool) -> Features:
    """The columns in units of their standard deviations, or of the root mean square of these.

    A column that does not vary has an infinite unit: it is 0 for all rows, and so are its weights.
    """
    n, n_features = X.shape
    if sparse.issparse(X):
        squares, mean = np.zeros(n_features), np.asarray(X.sum(axis=0, dtype=np.float64)).ravel() / n
        add_squares(X, np.ones(n), squares)
        deviation = np.sqrt(np.maximum(squares / n - mean**2, 0))
    else:
        found = moments(X, np.ones(n))
        mean, deviation = found.mean, np.sqrt(found.squares / n)
    varies = deviation > ROUNDING * np.abs(mean)
    if not standardize:
        deviation = np.full(n_features, np.sqrt(np.square(deviation[varies]).sum() / n_features))
    return Features(X, mean, np.where(varies, deviation, np.inf))
