"""Rows of independent sigmoids: ``log(1 + exp(f))`` and its derivatives, exact for scores of any size."""

import math

import numpy as np

from linclf._numba import compiled, compiled_fast
from linclf._numba.simplex import exp_negative_like, log_positive
from linclf._types import FloatArray

TOGETHER = 512  # factors between 1 and 2 whose product is far from overflow


@compiled_fast
def softplus_sum(scores):
    """``sum_k log(1 + exp(f_k))``; logarithms are taken of products, as one takes as long as many factors."""
    total = 0.0
    for start in range(0, scores.size, TOGETHER):
        part, product = scores[start : start + TOGETHER], 1.0
        for k in range(part.size):
            total += max(part[k], 0.0)
            product *= 1.0 + exp_negative_like(-abs(part[k]))
        total += math.log(product)
    return total


@compiled_fast
def weighted_softplus_sum(scores, t):
    """``sum_k |t_k| log(1 + exp(f_k))``."""
    total = 0.0
    for k in range(scores.size):
        small = exp_negative_like(-abs(scores[k]))
        total += abs(t[k]) * (max(scores[k], 0.0) + log_positive(1.0 + small))
    return total


@compiled
def sigmoid_row(scores):
    """Overwrite scores f with ``1 / (1 + exp(-f))``, the derivatives of `softplus_sum`."""
    one = scores.dtype.type(1.0)
    for k in range(scores.size):
        small = exp_negative_like(-abs(scores[k]))
        scores[k] = (one if scores[k] >= 0.0 else small) / (one + small)


@compiled
def sigmoid_bends(scores):
    """Overwrite scores with the second derivatives ``p (1 - p)`` of `softplus_sum`, p the sigmoid."""
    one = scores.dtype.type(1.0)
    for k in range(scores.size):
        small = exp_negative_like(-abs(scores[k]))
        scores[k] = small / ((one + small) * (one + small))


def log_sigmoid(scores: FloatArray) -> FloatArray:
    """Logarithms of ``1 / (1 + exp(-f))`` in the dtype of the scores."""
    return -np.logaddexp(scores.dtype.type(0), -scores)
