"""Row maps from scores to probabilities.

Conventions: a *row* is a 1-D array of K scores. The compiled function works in place on one row
inside a kernel; the NumPy functions take (n, K) arrays and are what ``predict_proba`` uses, so
that predicting never waits for a compiler.
"""

import math

import numpy as np
from numba import config, types
from numba.extending import intrinsic

from linclf._numba import compiled, compiled_fast


@intrinsic
def _as_float(typing_context, bits):
    """The float64 with the bits of an int64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


if config.DISABLE_JIT:

    def _as_float(bits):
        return np.int64(bits).view(np.float64)


_LOG2_E = 1 / math.log(2)
# ln 2 in two parts, the first with 21 trailing zero bits, so that it times n is exact
_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")


@compiled
def exp_negative(x):
    """exp(x) for x <= 0, to 3e-16 relative; 0 below -708, where the result is denormal.

    ``2^n * e^r`` with ``|r| <= ln(2)/2`` and the Taylor series of e^r to degree 13. Unlike
    ``math.exp``, a loop over it vectorises: 0.5 instead of 6 ns an element.
    """
    small = max(x, -708.0)
    n = math.floor(small * _LOG2_E + 0.5)
    r = (small - n * _LN2_HIGH) - n * _LN2_LOW
    p = 1 / 6227020800.0
    p = p * r + 1 / 479001600.0
    p = p * r + 1 / 39916800.0
    p = p * r + 1 / 3628800.0
    p = p * r + 1 / 362880.0
    p = p * r + 1 / 40320.0
    p = p * r + 1 / 5040.0
    p = p * r + 1 / 720.0
    p = p * r + 1 / 120.0
    p = p * r + 1 / 24.0
    p = p * r + 1 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    power = _as_float((np.int64(n) + 1023) << 52)
    return p * power if x >= -708.0 else 0.0


@compiled_fast
def _sum(values):
    total = 0.0
    for k in range(values.size):
        total += values[k]
    return total


@compiled
def softmax_row(scores, temperature):
    """Overwrite scores with softmax(scores / temperature); return (maximum, log of the sum).

    The two add up to logsumexp, but as a sum they would lose the small one at scores like 1e30.
    """
    top = scores[0]
    for k in range(1, scores.size):
        top = max(top, scores[k])
    for k in range(scores.size):
        scores[k] = exp_negative((scores[k] - top) / temperature)
    total = _sum(scores)
    share = scores.dtype.type(1.0 / total)
    for k in range(scores.size):
        scores[k] *= share
    return top, math.log(total)


def softmax(scores):
    """Softmax along the last axis of a float array; rows are shifted by their maximum first."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return shifted


def log_softmax(scores):
    """Logarithm of `softmax`, exact where the probability underflows."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
