"""Targets of the rows: a class, a probability of each class, or several labels, with the same methods."""

from typing import NamedTuple, Self

import numpy as np
from scipy import sparse

from linclf._types import FloatArray, IntArray

SUMMED = 4096  # rows with several labels that are summed at once


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

    def named(self, classes: np.ndarray) -> np.ndarray:
        """The targets as a user gives them, without probabilities."""
        return classes[self.codes]

    def hits(self, scores: FloatArray) -> np.ndarray:
        """Whether the prediction from these scores (n, K) is right, for each row."""
        return scores.argmax(axis=1) == self.codes

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

    def named(self, classes: np.ndarray) -> np.ndarray:
        return classes[self.most_probable]

    def hits(self, scores: FloatArray) -> np.ndarray:
        return scores.argmax(axis=1) == self.most_probable

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


class Indicators(NamedTuple):
    """Any number of labels per row.

    A number t_k for each label: positive if the row has it, else negative, and its size is the weight of the
    term in the loss (int8 if all weights are 1).
    """

    signs: np.ndarray  # (n, L)

    soft = True

    @property
    def array(self) -> np.ndarray:
        return self.signs

    @property
    def n_rows(self) -> int:
        return len(self.signs)

    @property
    def n_classes(self) -> int:
        return self.signs.shape[1]

    @property
    def most_probable(self) -> IntArray:
        """The first label of each row, or 0."""
        return self.signs.argmax(axis=1)

    @property
    def certain(self) -> bool:
        return True

    def named(self, classes: np.ndarray) -> np.ndarray:
        return (self.signs > 0).astype(np.int64)

    def hits(self, scores: FloatArray) -> np.ndarray:
        return ((scores > 0) == (self.signs > 0)).all(axis=1)

    def take(self, ids: IntArray | slice) -> Self:
        return self._replace(signs=self.signs[ids])

    def cast(self, dtype: np.dtype) -> Self:
        kind = dtype if self.signs.dtype.kind == "f" else self.signs.dtype
        return self._replace(signs=np.ascontiguousarray(self.signs, dtype=kind))

    def weighted(self, of_labels: tuple[FloatArray, FloatArray] | None) -> Self:
        """The same with weights for each label of the rows without it, and of those with it."""
        if of_labels is None:
            return self
        without, with_label = of_labels
        return self._replace(signs=np.where(self.signs > 0, with_label, -without))

    def masses(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The weight of the rows without and with each label."""
        total = np.zeros((2, self.n_classes))
        for start in range(0, self.n_rows, SUMMED):
            signs, here = self.signs[start : start + SUMMED], weights[start : start + SUMMED]
            total += here @ np.maximum(-signs, 0), here @ np.maximum(signs, 0)
        return total[0], total[1]

    def mass(self, weights: FloatArray) -> FloatArray:
        return self.masses(weights)[1]

    def balanced(self, weights: FloatArray) -> FloatArray:
        return _balanced(self.mass(weights))

    def expected(self, per_class: FloatArray) -> FloatArray:
        """The sum of the values of each row's labels."""
        return (self.signs > 0) @ per_class

    def of_each(self, values: FloatArray) -> FloatArray:
        return np.einsum("ik,ik->i", self.signs > 0, values)

    def log_likelihoods(self, p: FloatArray, least: float) -> FloatArray:
        """Log likelihood of all labels of each row, for their probabilities; no term is below ``least``."""
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(np.where(self.signs > 0, p, 1 - p)), least).sum(axis=1)

    def indicator(self, weights: FloatArray) -> FloatArray:
        return weights[:, None] * (self.signs > 0)

    def copies(self) -> tuple[IntArray, IntArray, FloatArray]:
        """A copy of a row for each of its labels."""
        rows, labels = np.nonzero(self.signs > 0)
        return rows, labels, np.ones(len(rows))


def _balanced(mass: FloatArray) -> FloatArray:
    """scikit-learn's balanced weights for classes with weight; 1 for the others."""
    has_weight = mass > 0
    return np.where(
        has_weight, mass.sum() / (np.count_nonzero(has_weight) * np.where(has_weight, mass, 1)), 1.0
    )


Targets = Labels | Probabilities | Indicators
