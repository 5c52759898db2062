"""Targets of the rows: a class, or a probability of each class. Both have the same methods."""

from typing import NamedTuple, Self

import numpy as np
from scipy import sparse

from linclf._types import FloatArray, IntArray


class Labels(NamedTuple):
    """One class per row."""

    codes: IntArray  # (n,), indices into the classes
    n_classes: int

    soft = False

    @property
    def array(self) -> np.ndarray:
        """The array for kernels."""
        return self.codes

    @property
    def n_rows(self) -> int:
        return len(self.codes)

    @property
    def most_probable(self) -> IntArray:
        return self.codes

    @property
    def certain(self) -> bool:
        """Whether every row has one class with probability 1."""
        return True

    def take(self, ids: IntArray | slice) -> Self:
        return self._replace(codes=self.codes[ids])

    def cast(self, dtype: np.dtype) -> Self:
        """The targets in the dtype of the scores, if they are floats."""
        return self

    def mass(self, weights: FloatArray) -> FloatArray:
        """The weight of each class."""
        return np.bincount(self.codes, weights, self.n_classes).astype(np.float64, copy=False)

    def balanced(self, weights: FloatArray) -> FloatArray:
        """Class weights that give all classes the same total weight."""
        return _balanced(self.mass(weights))

    def expected(self, per_class: FloatArray) -> FloatArray:
        """The value of each row's class, or its expectation."""
        return per_class[self.codes]

    def of_each(self, values: FloatArray) -> FloatArray:
        """The value of each row's class from values (n, K), or its expectation."""
        return values[np.arange(len(self.codes)), self.codes]

    def indicator(self, weights: FloatArray) -> sparse.csr_array:
        """A matrix (n, K) with the weight of each row in the column of its class."""
        n = len(self.codes)
        return sparse.csr_array((weights, self.codes, np.arange(n + 1)), shape=(n, self.n_classes))

    def copies(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Rows with one label each, as (row, class, share of the row)."""
        return np.arange(len(self.codes)), self.codes, np.ones(len(self.codes))


class Probabilities(NamedTuple):
    """The probability of each class for each row."""

    p: FloatArray  # (n, K)

    soft = True

    @property
    def array(self) -> np.ndarray:
        return self.p

    @property
    def n_rows(self) -> int:
        return len(self.p)

    @property
    def n_classes(self) -> int:
        return self.p.shape[1]

    @property
    def most_probable(self) -> IntArray:
        return self.p.argmax(axis=1)

    @property
    def certain(self) -> bool:
        return bool((self.p.max(axis=1) == 1).all())

    def take(self, ids: IntArray | slice) -> Self:
        return self._replace(p=self.p[ids])

    def cast(self, dtype: np.dtype) -> Self:
        return self._replace(p=np.ascontiguousarray(self.p, dtype=dtype))

    def mass(self, weights: FloatArray) -> FloatArray:
        return weights @ self.p

    def balanced(self, weights: FloatArray) -> FloatArray:
        return _balanced(self.mass(weights))

    def expected(self, per_class: FloatArray) -> FloatArray:
        return self.p @ per_class

    def of_each(self, values: FloatArray) -> FloatArray:
        return np.einsum("ik,ik->i", self.p, values)

    def indicator(self, weights: FloatArray) -> FloatArray:
        return weights[:, None] * self.p

    def copies(self) -> tuple[IntArray, IntArray, FloatArray]:
        rows, classes = np.nonzero(self.p)
        return rows, classes, self.p[rows, classes]


def _balanced(mass: FloatArray) -> FloatArray:
    """scikit-learn's balanced weights for classes with weight; 1 for the others."""
    has_weight = mass > 0
    return np.where(
        has_weight, mass.sum() / (np.count_nonzero(has_weight) * np.where(has_weight, mass, 1)), 1.0
    )


Targets = Labels | Probabilities
