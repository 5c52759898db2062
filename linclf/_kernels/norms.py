"""Norms of weights that make some of them exactly 0, and what coordinate descent does with them.

Weights are (n_features, K): a row for each feature. ``limits`` holds the factor of the norm for each feature.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from linclf._numba import compiled, generic, kernel
from linclf._types import BoolArray, FloatArray


class OfWeights(NamedTuple):
    """``sum_jk |W_jk|``; ``share`` is the share of the norm in the whole penalty."""

    share: float

    def of_two(self) -> float:
        """Factor for two scores with opposite weights: the norm of half their difference, twice."""
        return 1.0

    def value(self, W: FloatArray, limits: FloatArray) -> float:
        """The sum over the features."""
        return float(limits @ np.abs(W).sum(axis=1))

    def excess(self, G: FloatArray, W: FloatArray, limits: FloatArray) -> FloatArray:
        """The distance of ``-G`` from the subdifferential, for each feature."""
        at_zero = np.maximum(np.abs(G) - limits[:, None], 0)
        return np.where(W == 0, at_zero, np.abs(G + self.slope(W, limits))).max(axis=1, initial=0)

    def beyond(self, G: FloatArray, limits: FloatArray) -> FloatArray:
        """The square of the part of each row of G that the norm does not balance."""
        return np.square(np.maximum(np.abs(G) - limits[:, None], 0)).sum(axis=1)

    def moves(self, W: FloatArray) -> BoolArray:
        """Which weights are not at a kink."""
        return W != 0

    def may_move(self, G: FloatArray, W: FloatArray, limits: FloatArray) -> BoolArray:
        """Which weights are not at a kink, or are not held there."""
        return (np.abs(G) > limits[:, None]) | (W != 0)

    def slope(self, W: FloatArray, limits: FloatArray) -> FloatArray:
        """The gradient, where there is one."""
        return np.sign(W) * limits[:, None]

    def bend(self, W: FloatArray, limits: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Products with the second derivatives."""
        return np.zeros_like

    def on_the_same_side(self, W: FloatArray, there: FloatArray) -> FloatArray:
        """The weights there, 0 for those that are beyond the kink."""
        return np.where(W * there > 0, there, 0)

    def proximal(self, W: FloatArray, lengths: FloatArray) -> FloatArray:
        """``argmin_U |U - W|^2 / 2 + sum_j lengths_j |U_j|_1``."""
        return np.copysign(np.maximum(np.abs(W) - lengths[:, None], 0), W)


class OfFeatures(NamedTuple):
    """``sum_j sqrt(sum_k W_jk^2)``: the weights of a feature are 0 for all classes together."""

    share: float

    def of_two(self) -> float:
        """Factor for two scores with opposite weights: the length of half their difference, twice."""
        return float(np.sqrt(2))

    def value(self, W: FloatArray, limits: FloatArray) -> float:
        """The sum over the features."""
        return float(limits @ np.linalg.norm(W, axis=1))

    def excess(self, G: FloatArray, W: FloatArray, limits: FloatArray) -> FloatArray:
        """The distance of ``-G`` from the subdifferential, for each feature with weights."""
        return np.linalg.norm(G + self.slope(W, limits), axis=1)

    def beyond(self, G: FloatArray, limits: FloatArray) -> FloatArray:
        """The square of the part of each row of G that the norm does not balance."""
        return np.square(np.maximum(np.linalg.norm(G, axis=1) - limits, 0))

    def moves(self, W: FloatArray) -> BoolArray:
        """Which weights are not at a kink."""
        return np.asarray(W.any(axis=1, keepdims=True))

    def may_move(self, G: FloatArray, W: FloatArray, limits: FloatArray) -> BoolArray:
        """Those of all features: they move together."""
        return np.ones(W.shape, bool)

    def slope(self, W: FloatArray, limits: FloatArray) -> FloatArray:
        """The gradient, where there is one."""
        lengths = np.linalg.norm(W, axis=1)
        return W * (limits / np.where(lengths > 0, lengths, np.inf))[:, None]

    def bend(self, W: FloatArray, limits: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Products with the second derivatives."""
        lengths = np.linalg.norm(W, axis=1, keepdims=True)
        lengths = np.where(lengths > 0, lengths, np.inf)
        units, factors = W / lengths, limits[:, None] / lengths
        return lambda D: factors * (D - units * (units * D).sum(axis=1, keepdims=True))

    def on_the_same_side(self, W: FloatArray, there: FloatArray) -> FloatArray:
        """The weights there, 0 for features that are beyond the kink."""
        return np.where((W * there).sum(axis=1, keepdims=True) > 0, there, 0)

    def proximal(self, W: FloatArray, lengths: FloatArray) -> FloatArray:
        """``argmin_U |U - W|^2 / 2 + sum_j lengths_j |U_j|``."""
        norms = np.linalg.norm(W, axis=1)
        shares = np.maximum(1 - lengths / np.where(norms > 0, norms, np.inf), 0)
        return W * np.where(norms > 0, shares, 0)[:, None]


Norm = OfWeights | OfFeatures


@compiled
def largest(row):
    """The largest absolute value."""
    size = 0.0
    for k in range(row.size):
        size = max(size, abs(row[k]))
    return size


@compiled
def euclidean(row):
    """The length."""
    square = 0.0
    for k in range(row.size):
        square += row[k] * row[k]
    return np.sqrt(square)


@generic
def length(norm, row):
    """The dual norm of the gradient of a feature."""


@length.register(OfWeights)
def largest_entry(norm, row):
    return largest(row)


@length.register(OfFeatures)
def euclidean_length(norm, row):
    return euclidean(row)


@kernel
def lengths(norm, G, out):
    """The dual norm of each row of G."""
    for j in range(out.size):
        out[j] = length(norm, G[j])
