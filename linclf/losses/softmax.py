"""Softmax cross-entropy with temperature, label smoothing and soft labels."""

from numbers import Real
from typing import NamedTuple, Self

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._numba.simplex import exp_negative_like, log_positive, softmax_row
from linclf._types import FloatArray
from linclf.functional import log_softmax, softmax
from linclf.losses._hessian import block_hessian, covariance
from linclf.losses._registry import label_block_loss, row_loss, soft_row_loss


class Softmax(NamedTuple):
    r"""Softmax cross-entropy ``logsumexp(f/T) - q.f/T``, the multinomial log loss.

    The target q has ``1 - label_smoothing`` on the true class and ``label_smoothing / (K - 1)`` on
    each of the others. (PyTorch's ``label_smoothing=e'`` spreads over all K: ``e = e' (K - 1) / K``.)

    Parameters
    ----------
    label_smoothing : float in [0, 1), default=0.0
        Probability taken from the true class. Soft labels are smoothed in the same way.
    temperature : float > 0, default=1.0
        Divides the scores before the softmax, in training and in ``predict_proba``.

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
    Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import Softmax
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(LinearClassifier(loss=Softmax(label_smoothing=0.05)).fit(X, y).score(X, y)) > 0.95
    True
    """

    label_smoothing: float = 0.0
    temperature: float = 1.0

    limits = {
        "label_smoothing": Interval(Real, 0, 1, closed="left"),
        "temperature": Interval(Real, 0, None, closed="neither"),
    }

    @property
    def attained(self) -> bool:
        return self.label_smoothing > 0

    def curvature(self, n_classes: int) -> float:
        # between 1/K (all classes share a row) and 1/2 (two do), to make steps as long as possible
        return min(0.5, max(n_classes**-0.5, 0.033)) / self.temperature**2

    def watched(self) -> Self:
        return self._replace(label_smoothing=0.0)

    def best_scores(self, shares: FloatArray) -> FloatArray:
        smoothing = self.label_smoothing
        each = smoothing / (len(shares) - 1)
        return self.temperature * np.log(np.maximum(shares * (1 - smoothing - each) + each, 1e-12))

    def probabilities(self, scores: FloatArray) -> FloatArray:
        return softmax(scores / scores.dtype.type(self.temperature))

    def log_probabilities(self, scores: FloatArray) -> FloatArray:
        return log_softmax(scores / scores.dtype.type(self.temperature))


@row_loss.register(Softmax)
def softmax_loss(loss, scores, y):
    temperature, smoothing = loss.temperature, loss.label_smoothing
    target = scores[y]
    rest = 0.0
    if smoothing > 0.0:
        for k in range(scores.size):
            rest += scores[k] - target  # scores relative to the true one: 0 for y itself
    top, log_sum = softmax_row(scores, temperature)
    each = smoothing / (scores.size - 1)
    for k in range(scores.size):
        scores[k] = (scores[k] - each) / temperature
    scores[y] -= (1.0 - smoothing - each) / temperature
    return (top - target) / temperature + log_sum - each * rest / temperature


@label_block_loss.register(Softmax)
def softmax_block_loss(loss, labels, ids, block):
    """Class by class for all rows: row by row, a few classes would leave SIMD lanes idle."""
    S, values = block.S, block.values
    # tuple unpacking would keep Numba from vectorising the loops
    top, target, rest = block.lanes[0], block.lanes[1], block.lanes[2]
    n, n_classes, kind = ids.size, S.shape[1], S.dtype.type
    smoothing, inverse = loss.label_smoothing, 1.0 / loss.temperature
    each = smoothing / (n_classes - 1)
    for r in range(n):
        target[r] = S[r, labels[ids[r]]]
        top[r] = S[r, 0]
        rest[r] = 0
        values[r] = 0
    if smoothing > 0.0:
        for k in range(n_classes):
            for r in range(n):
                rest[r] += S[r, k] - target[r]
    for k in range(1, n_classes):
        for r in range(n):
            top[r] = np.maximum(top[r], S[r, k])  # vectorises, unlike max
    scale = kind(inverse)
    for k in range(n_classes):
        for r in range(n):
            S[r, k] = exp_negative_like((S[r, k] - top[r]) * scale)
        for r in range(n):
            values[r] += S[r, k]
    for r in range(n):
        share = kind(inverse / values[r])
        values[r] = (top[r] - target[r] - each * rest[r]) * inverse + log_positive(values[r])
        top[r] = share
    shift = kind(each * inverse)
    for k in range(n_classes):
        for r in range(n):
            S[r, k] = S[r, k] * top[r] - shift
    own = kind((1.0 - smoothing - each) * inverse)
    for r in range(n):
        S[r, labels[ids[r]]] -= own


@soft_row_loss.register(Softmax)
def softmax_soft_loss(loss, scores, q):
    temperature, smoothing = loss.temperature, loss.label_smoothing
    each = smoothing / (scores.size - 1)
    top = scores[0]
    for k in range(1, scores.size):
        top = max(top, scores[k])
    value = 0.0
    for k in range(scores.size):
        weight = q[k] * (1.0 - smoothing - each) + each
        if weight > 0.0:
            value += weight * (top - scores[k])
    _, log_sum = softmax_row(scores, temperature)
    for k in range(scores.size):
        weight = q[k] * (1.0 - smoothing - each) + each
        scores[k] = (scores[k] - weight) / temperature
    return value / temperature + log_sum


@covariance.register(Softmax)
def softmax_covariance(loss, scores):
    softmax_row(scores, loss.temperature)
    for k in range(scores.size):
        scores[k] /= loss.temperature * loss.temperature


@block_hessian.register(Softmax)
def softmax_block_hessian(loss, targets, ids, S, T, work):
    n, n_classes, scale = ids.size, S.shape[1], S.dtype.type(1.0 / loss.temperature)
    top, total = S[:, 0].copy(), np.zeros(S.shape[0], S.dtype)
    for k in range(1, n_classes):
        for r in range(n):
            top[r] = np.maximum(top[r], S[r, k])
    for k in range(n_classes):
        for r in range(n):
            S[r, k] = exp_negative_like((S[r, k] - top[r]) * scale)
        for r in range(n):
            total[r] += S[r, k]
    for k in range(n_classes):
        for r in range(n):
            S[r, k] *= scale / total[r]
    for start in range(0, T.shape[1], n_classes):
        top[:] = 0
        for k in range(n_classes):
            for r in range(n):
                top[r] += S[r, k] * T[r, start + k]
        for k in range(n_classes):
            for r in range(n):
                T[r, start + k] = S[r, k] * (scale * T[r, start + k] - top[r])
