"""Losses of rows with several labels: sums over the labels, each a binary problem of its own.

A loss of one label a row that is a sum over the classes names its form here by ``of_labels()``. The target
of a row is not a class but a number t_k for each label: positive if the row has the label, negative if not,
and its size is the weight of the term (int8 if all weights are 1). So weights of labels need no kernel of
their own, and two labels are never confused with two classes of one label.
"""

from typing import NamedTuple

import numpy as np

from linclf._types import FloatArray
from linclf.losses._hessian import diagonal
from linclf.losses._registry import soft_row_loss
from linclf.losses._sigmoid import (
    log_sigmoid,
    sigmoid_bends,
    sigmoid_row,
    softplus_sum,
    weighted_softplus_sum,
)


class LogisticOfLabels(NamedTuple):
    """``sum_k |t_k| log(1 + exp(-sign(t_k) f_k))``."""

    shift_invariant = False
    exclusive = False
    attained = False

    def curvature(self, n_labels: int) -> float:
        return 0.25

    def best_constants(self, positive: FloatArray, negative: FloatArray) -> FloatArray:
        return np.log(positive) - np.log(negative)

    def probabilities(self, scores: FloatArray) -> FloatArray:
        return np.exp(log_sigmoid(scores))

    def log_probabilities(self, scores: FloatArray) -> FloatArray:
        return log_sigmoid(scores)


class HingeOfLabels(NamedTuple):
    """``sum_k |t_k| max(0, D - sign(t_k) f_k)``."""

    margin: float = 1.0
    shift_invariant = False
    exclusive = False
    smooth = False

    def curvature(self, n_labels: int) -> float:
        return 1.0 / self.margin

    def best_constants(self, positive: FloatArray, negative: FloatArray) -> FloatArray:
        return np.where(positive > negative, self.margin, -self.margin)


class SquaredHingeOfLabels(NamedTuple):
    """``sum_k |t_k| max(0, D - sign(t_k) f_k)^2``."""

    margin: float = 1.0
    shift_invariant = False
    exclusive = False

    def curvature(self, n_labels: int) -> float:
        return 2.0

    def best_constants(self, positive: FloatArray, negative: FloatArray) -> FloatArray:
        return self.margin * (positive - negative) / (positive + negative)


OF_LABELS = LogisticOfLabels, HingeOfLabels, SquaredHingeOfLabels


@soft_row_loss.register(LogisticOfLabels)
def logistic_of_labels(loss, scores, t):
    for k in range(scores.size):
        scores[k] = -scores[k] if t[k] > 0 else scores[k]
    value = softplus_sum(scores) if t.itemsize == 1 else weighted_softplus_sum(scores, t)
    sigmoid_row(scores)
    for k in range(scores.size):
        scores[k] *= -scores.dtype.type(t[k])
    return value


@soft_row_loss.register(HingeOfLabels)
def hinge_of_labels(loss, scores, t):
    value = 0.0
    for k in range(scores.size):
        excess = loss.margin - (scores[k] if t[k] > 0 else -scores[k])
        if excess > 0.0:
            value += abs(t[k]) * excess
            scores[k] = -t[k]
        else:
            scores[k] = 0.0
    return value


@soft_row_loss.register(SquaredHingeOfLabels)
def squared_hinge_of_labels(loss, scores, t):
    value = 0.0
    for k in range(scores.size):
        excess = loss.margin - (scores[k] if t[k] > 0 else -scores[k])
        if excess > 0.0:
            value += abs(t[k]) * excess * excess
            scores[k] = -2.0 * t[k] * excess
        else:
            scores[k] = 0.0
    return value


@diagonal.register(LogisticOfLabels)
def logistic_bends(loss, scores, t):
    sigmoid_bends(scores)
    for k in range(scores.size):
        scores[k] *= abs(scores.dtype.type(t[k]))


@diagonal.register(SquaredHingeOfLabels)
def squared_hinge_bends(loss, scores, t):
    for k in range(scores.size):
        excess = loss.margin - (scores[k] if t[k] > 0 else -scores[k])
        scores[k] = 2.0 * abs(t[k]) if excess > 0.0 else 0.0
