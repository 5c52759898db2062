"""Compiled maps from scores to probabilities, in place on one row of K scores inside a kernel.

Their counterparts for arrays of any shape are in `linclf.functional`; prediction uses those, as they need
no compiler.
"""

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from linclf._numba.compile import compiled, compiled_fast
from linclf._numba.intrinsics import exponent, fraction, power_of_two

_LOG2_E = 1 / math.log(2)
# ln 2 in two parts, the first with 21 trailing zero bits, so that it times n is exact
_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
_ROUND = 1.5 * 2.0**52  # added to a number, it leaves the nearest integer in the last bits
_f = np.float32
_LOG2_E_32, _ROUND_32 = _f(_LOG2_E), _f(1.5 * 2.0**23)
_LN2_HIGH_32, _LN2_LOW_32 = _f(float.fromhex("0x1.63p-1")), _f(-2.12194440e-4)
_HALF_32, _ONE_32, _LEAST_32, _ZERO_32 = _f(0.5), _f(1), _f(-87.0), _f(0)
_THIRD, _FOURTH, _FIFTH, _SIXTH, _SEVENTH = (_f(1 / math.factorial(n)) for n in range(3, 8))


@compiled
def exp_negative(x):
    """exp(x) for x <= 0, to 3e-16 relative; 0 below -708, where the result is denormal.

    ``2^n * e^r`` with ``|r| <= ln(2)/2`` and the Taylor series of e^r to degree 13. Unlike
    ``math.exp``, it vectorises in a loop.
    """
    small = max(x, -708.0)
    rounded = small * _LOG2_E + _ROUND
    n = rounded - _ROUND
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
    return p * power_of_two(rounded) if x >= -708.0 else 0.0


@compiled
def exp_negative_32(x):
    """The same for a float32, to 1e-7 and degree 7; 0 below -87."""
    small = max(x, _LEAST_32)
    rounded = small * _LOG2_E_32 + _ROUND_32
    n = rounded - _ROUND_32
    r = (small - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    p = _SEVENTH * r + _SIXTH
    p = p * r + _FIFTH
    p = p * r + _FOURTH
    p = p * r + _THIRD
    p = p * r + _HALF_32
    p = p * r + _ONE_32
    p = p * r + _ONE_32
    return p * power_of_two(rounded) if x >= _LEAST_32 else _ZERO_32


@compiled
def log_positive(x):
    """log(x) of a normal positive float64, to 2e-16 relative, or absolute near 1; it vectorises in a loop.

    ``n log 2 + 2 atanh(t)`` with ``x = 2^n f`` and ``t = (f - 1)/(f + 1)``, f within sqrt(2) of 1.
    """
    f, n = fraction(x), exponent(x)
    large = f > 1.4142135623730951
    f, n = (0.5 * f if large else f), (n + 1.0 if large else n)
    t = (f - 1.0) / (f + 1.0)
    square = t * t
    p = 2 / 23.0
    p = p * square + 2 / 21.0
    p = p * square + 2 / 19.0
    p = p * square + 2 / 17.0
    p = p * square + 2 / 15.0
    p = p * square + 2 / 13.0
    p = p * square + 2 / 11.0
    p = p * square + 2 / 9.0
    p = p * square + 2 / 7.0
    p = p * square + 2 / 5.0
    p = p * square + 2 / 3.0
    return n * _LN2_HIGH + (2.0 * t + (t * (p * square) + n * _LN2_LOW))


def exp_negative_like(x: Any) -> Any:
    """exp(x) for x <= 0 in the precision of x."""
    return (exp_negative_32 if type(x) is np.float32 else exp_negative)(x)


@overload(exp_negative_like, strict=False)
def _exp_negative_like(x):
    return (lambda x: exp_negative_32(x)) if x == types.float32 else (lambda x: exp_negative(x))


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
    inverse = scores.dtype.type(1.0 / temperature)
    for k in range(scores.size):
        scores[k] = exp_negative_like((scores[k] - top) * inverse)
    total = _sum(scores)
    share = scores.dtype.type(1.0 / total)
    for k in range(scores.size):
        scores[k] *= share
    return top, math.log(total)


@compiled_fast
def _tsallis_sums(scores, shift, alpha):
    """Sums over k of ``p_k = x_k^(1/(alpha-1))`` and of ``p_k / x_k``; see `entmax_row`."""
    rate, total, slope = alpha - 1.0, 0.0, 0.0
    for k in range(scores.size):
        x = max(1.0 + rate * (scores[k] - shift), 0.0)
        if alpha == 2.0:
            total += x
            slope += 1.0 if x > 0.0 else 0.0
        elif alpha == 1.5:
            total += x * x
            slope += x
        elif x > 0.0:
            p = math.exp(math.log1p(rate * (scores[k] - shift)) / rate)
            total += p
            slope += p / x
    return total, slope


@compiled
def entmax_row(scores, alpha):
    """Overwrite scores with alpha-entmax, ``1 < alpha <= 2``; return (maximum, potential).

    The two add up to ``p.scores + H(p)`` with Tsallis entropy H, as `softmax_row`'s do for alpha = 1.

    With ``s = scores - maximum`` and ``x = max(0, 1 + (alpha - 1)(s - shift))``, p is
    ``x^(1/(alpha-1))``, with the shift at which it sums to 1. That is the root of
    ``sum(p)^(alpha-1) - 1``, which is convex and falling, so Newton's method from 0 never overshoots:
    it takes finitely many steps for alpha = 2, about six for others. Sorting the scores, which
    alpha = 2 and 1.5 allow, is slower.
    """
    top = scores[0]
    for k in range(1, scores.size):
        top = max(top, scores[k])
    for k in range(scores.size):
        scores[k] -= top
    rate, shift = alpha - 1.0, 0.0
    for _ in range(scores.size + 64):  # alpha = 2 drops a class per step; others converge quadratically
        total, slope = _tsallis_sums(scores, shift, alpha)
        move = -total * math.expm1(-rate * math.log(total)) / (rate * slope)
        if not move > 1e-16 * (1.0 + shift):
            break
        shift += move
    mean = 0.0
    for k in range(scores.size):
        u = rate * (scores[k] - shift)
        x = max(1.0 + u, 0.0)
        p = x
        if alpha == 1.5:
            p = x * x
        elif alpha != 2.0 and x > 0.0:
            p = math.exp(math.log1p(u) / rate)
        if p > 0.0:
            mean += p * scores[k]
        scores[k] = p
    return top, mean + (shift - mean) / alpha
