"""Sparsemax and alpha-entmax: the softmax family with true zeros.

With the Tsallis entropy ``H(p) = sum_k (p_k - p_k^alpha) / (alpha (alpha - 1))`` the map is
``entmax(f) = argmax_p p.f + H(p)`` over the simplex, and the loss of class y is the Fenchel-Young
loss ``p.f + H(p) - f_y`` at ``p = entmax(f)``. Its gradient is ``p - e_y``; it is 0, with gradient 0,
once the true class leads every other one by ``1 / (alpha - 1)``. alpha -> 1 is softmax with
cross-entropy, alpha = 2 is sparsemax.
"""

from numbers import Real
from typing import NamedTuple

from sklearn.utils._param_validation import Interval

from linclf._numba import compiled
from linclf._numba.simplex import entmax_row
from linclf._types import FloatArray
from linclf.functional import entmax, sparsemax
from linclf.losses._hessian import covariance
from linclf.losses._registry import row_loss, soft_row_loss


class Sparsemax(NamedTuple):
    """The Fenchel-Young loss of sparsemax, ``-f_y + 1/2 sum_{j in S} (f_j^2 - tau^2) + 1/2``.

    ``sparsemax(f)_j = max(0, f_j - tau)`` is the Euclidean projection of the scores onto the simplex, and
    S the set of classes with a probability above 0. Equal to ``Entmax(alpha=2)``.

    References
    ----------
    Martins & Astudillo, "From softmax to sparsemax: a sparse model of attention and multi-label
    classification", 2016.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import Sparsemax
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = LinearClassifier(loss=Sparsemax()).fit(X, y)
    >>> clf.predict_proba(X[:1])
    array([[1., 0., 0.]])
    """

    def curvature(self, n_classes: int) -> float:
        return 1.0

    def probabilities(self, scores: FloatArray) -> FloatArray:
        return sparsemax(scores)


class Entmax(NamedTuple):
    """The Fenchel-Young loss of alpha-entmax, between softmax and sparsemax.

    ``entmax(f)_j = max(0, (alpha - 1) (f_j - tau))^(1 / (alpha - 1))`` with tau such that the sum is 1.

    Parameters
    ----------
    alpha : float in (1, 2], default=1.5
        Larger values give more probabilities of 0; 2 is `Sparsemax`. Not the L2 penalty.

    References
    ----------
    Peters, Niculae & Martins, "Sparse sequence-to-sequence models", 2019.
    Blondel, Martins & Niculae, "Learning with Fenchel-Young losses", 2020.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import Entmax
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = LinearClassifier(loss=Entmax(alpha=1.5)).fit(X, y)
    >>> bool((clf.predict_proba(X) == 0).any())
    True
    """

    alpha: float = 1.5

    limits = {"alpha": Interval(Real, 1, 2, closed="right")}

    def curvature(self, n_classes: int) -> float:
        # between K^(alpha - 2) (all classes share a row) and 2^(alpha - 2) (two do), the largest, to make
        # steps as long as possible, as for softmax
        return min(2.0 ** (self.alpha - 2), n_classes ** ((self.alpha - 2) / 2))

    def probabilities(self, scores: FloatArray) -> FloatArray:
        return entmax(scores, self.alpha)


@row_loss.register(Sparsemax)
def sparsemax_loss(loss, scores, y):
    target = scores[y]
    top, potential = entmax_row(scores, 2.0)
    scores[y] -= 1.0
    return max((top - target) + potential, 0.0)


@row_loss.register(Entmax)
def entmax_loss(loss, scores, y):
    target = scores[y]
    top, potential = entmax_row(scores, loss.alpha)
    scores[y] -= 1.0
    return max((top - target) + potential, 0.0)


@covariance.register(Sparsemax)
def sparsemax_covariance(loss, scores):
    entmax_row(scores, 2.0)
    for k in range(scores.size):
        scores[k] = 1.0 if scores[k] > 0.0 else 0.0


@covariance.register(Entmax)
def entmax_covariance(loss, scores):
    entmax_row(scores, loss.alpha)
    for k in range(scores.size):
        scores[k] = scores[k] ** (2.0 - loss.alpha) if scores[k] > 0.0 else 0.0


@compiled
def _entmax_soft(scores, q, alpha):
    """``sum_k q_k (p.f + H(p) - f_k)``, whose gradient is p - q."""
    top = scores[0]
    for k in range(1, scores.size):
        top = max(top, scores[k])
    gap = 0.0
    for k in range(scores.size):
        if q[k] > 0.0:
            gap += q[k] * (top - scores[k])
    _, potential = entmax_row(scores, alpha)
    for k in range(scores.size):
        scores[k] -= q[k]
    return max(gap + potential, 0.0)


@soft_row_loss.register(Sparsemax)
def sparsemax_soft_loss(loss, scores, q):
    return _entmax_soft(scores, q, 2.0)


@soft_row_loss.register(Entmax)
def entmax_soft_loss(loss, scores, q):
    return _entmax_soft(scores, q, loss.alpha)
