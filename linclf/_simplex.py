"""Row maps from scores to probabilities.

Conventions: a *row* is a 1-D array of K scores. The compiled function works in place on one row
inside a kernel; the NumPy functions take (n, K) arrays and are what ``predict_proba`` uses, so
that predicting never waits for a compiler.
"""

import math

import numpy as np

from linclf._numba import compiled


@compiled
def softmax_row(scores, temperature):
    """Overwrite scores with softmax(scores / temperature); return (maximum, log of the sum).

    The two add up to logsumexp, but as a sum they would lose the small one at scores like 1e30.
    """
    top = scores[0]
    for k in range(1, scores.size):
        top = max(top, scores[k])
    total = 0.0
    for k in range(scores.size):
        scores[k] = math.exp((scores[k] - top) / temperature)
        total += scores[k]
    for k in range(scores.size):
        scores[k] /= total
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
