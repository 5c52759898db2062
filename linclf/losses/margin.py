"""Additive and multiplicative margins on cosines: NormFace, CosFace, ArcFace, SphereFace.

All are the softmax cross-entropy of ``s * c_k`` in which the cosine of the true class is replaced
by a smaller one, ``psi(theta_y)`` with ``theta = arccos(c)``. The scores of these losses are the
cosines that `heads.Cosine` computes. Prediction uses no margin: ``softmax(s * c)``.

psi is continuous and decreasing on all of [0, pi]:

* CosFace ``c - m``
* ArcFace ``cos(theta + m)``, continued past ``theta + m = pi`` by ``c + cos(m) - 1``
* SphereFace ``(-1)^k cos(m theta) - 2k`` on ``[k pi/m, (k+1) pi/m]``

The derivative of psi with respect to c divides by sin(theta), which is kept above 1e-6.
"""

import math
from numbers import Real
from typing import NamedTuple, TypeAlias

from sklearn.utils._param_validation import Interval, StrOptions

from linclf._numba import compiled
from linclf._numba.simplex import softmax_row
from linclf._types import FloatArray
from linclf.functional import log_softmax, softmax
from linclf.heads import Cosine
from linclf.losses._registry import row_loss

_SCALE = [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})]


def automatic_scale(n_classes: int) -> float:
    """Five times the scale at which a perfectly placed row gets a probability of 0.999.

    With K unit vectors spread evenly, the true cosine is 1 and the others are -1/(K-1), which gives
    ``(K-1)/K * log(999 (K-1))`` (Wang 2017, proposition 2), 8 for ten classes. Rows of a fixed
    representation do not use the whole sphere, hence the factor of five.
    """
    rivals = n_classes - 1
    return 5.0 * rivals / n_classes * math.log(rivals * 999.0)


# NamedTuples cannot inherit, so each of the four classes assigns these shared functions in its body.


def _curvature(self: "Face", n_classes: int) -> float:
    return 0.5 * float(self.scale) ** 2  # a number once the loss is resolved


def _resolved(self: "Face", n_classes: int) -> "Face":
    return self._replace(scale=automatic_scale(n_classes)) if self.scale == "auto" else self


def _watched(self: "Face") -> "NormFace":
    return NormFace(self.scale)


def _probabilities(self: "Face", scores: FloatArray) -> FloatArray:
    return softmax(scores)


def _log_probabilities(self: "Face", scores: FloatArray) -> FloatArray:
    return log_softmax(scores)


class NormFace(NamedTuple):
    """Softmax of scaled cosines, without a margin.

    Parameters
    ----------
    scale : float > 0 or "auto", default="auto"
        The factor s; "auto" is `automatic_scale`.

    References
    ----------
    Wang et al., "NormFace: L2 hypersphere embedding for face verification", 2017.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import NormFace
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> float(LinearClassifier(loss=NormFace()).fit(X, y).score(X, y)) > 0.95
    True
    """

    scale: float | str = "auto"
    limits = {"scale": _SCALE}
    head = Cosine
    curvature, resolved, watched = _curvature, _resolved, _watched
    probabilities, log_probabilities = _probabilities, _log_probabilities


class CosFace(NamedTuple):
    """Softmax of scaled cosines with ``cos(theta_y) - margin`` for the true class.

    Parameters
    ----------
    scale : float > 0 or "auto", default="auto"
        The factor s; "auto" is `automatic_scale`.
    margin : float in [0, 1], default=0.05
        Amount subtracted from the cosine of the true class.

    References
    ----------
    Wang et al., "CosFace: large margin cosine loss for deep face recognition", 2018.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import CosFace
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> float(LinearClassifier(loss=CosFace(margin=0.1)).fit(X, y).score(X, y)) > 0.95
    True
    """

    scale: float | str = "auto"
    margin: float = 0.05
    limits = {"scale": _SCALE, "margin": Interval(Real, 0, 1, closed="both")}
    head = Cosine
    curvature, resolved, watched = _curvature, _resolved, _watched
    probabilities, log_probabilities = _probabilities, _log_probabilities


class ArcFace(NamedTuple):
    """Softmax of scaled cosines with ``cos(theta_y + margin)`` for the true class.

    Parameters
    ----------
    scale : float > 0 or "auto", default="auto"
        The factor s; "auto" is `automatic_scale`.
    margin : float in [0, pi/2], default=0.05
        Angle in radians added to the true angle. Past ``theta + margin = pi`` the cosine continues
        as ``cos(theta) + cos(margin) - 1``, which is continuous and still decreasing in theta.

    References
    ----------
    Deng et al., "ArcFace: additive angular margin loss for deep face recognition", 2019.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import ArcFace
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> float(LinearClassifier(loss=ArcFace(margin=0.1)).fit(X, y).score(X, y)) > 0.95
    True
    """

    scale: float | str = "auto"
    margin: float = 0.05
    limits = {"scale": _SCALE, "margin": Interval(Real, 0, math.pi / 2, closed="both")}
    head = Cosine
    convex = shift_invariant = False
    curvature, resolved, watched = _curvature, _resolved, _watched
    probabilities, log_probabilities = _probabilities, _log_probabilities


class SphereFace(NamedTuple):
    """Softmax of scaled cosines with a multiplied angle, ``cos(margin * theta_y)``.

    Parameters
    ----------
    scale : float > 0 or "auto", default="auto"
        The factor s; "auto" is `automatic_scale`.
    margin : float in [1, 4], default=1.05
        Factor of the true angle; 1 is NormFace. Past ``theta = pi / margin`` the cosine continues
        as ``(-1)^k cos(margin * theta) - 2k``.

    References
    ----------
    Liu et al., "SphereFace: deep hypersphere embedding for face recognition", 2017.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import SphereFace
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> float(LinearClassifier(loss=SphereFace()).fit(X, y).score(X, y)) > 0.95
    True
    """

    scale: float | str = "auto"
    margin: float = 1.05
    limits = {"scale": _SCALE, "margin": Interval(Real, 1, 4, closed="both")}
    head = Cosine
    convex = shift_invariant = False
    curvature, resolved, watched = _curvature, _resolved, _watched
    probabilities, log_probabilities = _probabilities, _log_probabilities


Face: TypeAlias = NormFace | CosFace | ArcFace | SphereFace


@compiled
def _cross_entropy(scores, y, scale, replaced, slope):
    """Cross-entropy of ``scale * cosines`` with ``replaced`` for the true one, slope d psi/d c."""
    scores[y] = replaced
    target = scores[y]  # as rounded to the dtype of the scores, so that the loss is not negative
    top, log_sum = softmax_row(scores, 1.0 / scale)
    for k in range(scores.size):
        scores[k] *= scale
    scores[y] = (scores[y] - scale) * slope
    return scale * (top - target) + log_sum


@compiled
def _angle(cosine):
    cosine = max(-1.0, min(1.0, cosine))
    return math.acos(cosine), max(math.sqrt((1.0 - cosine) * (1.0 + cosine)), 1e-6)


@row_loss.register(NormFace)
def normface(loss, scores, y):
    return _cross_entropy(scores, y, loss.scale, scores[y], 1.0)


@row_loss.register(CosFace)
def cosface(loss, scores, y):
    return _cross_entropy(scores, y, loss.scale, scores[y] - loss.margin, 1.0)


@row_loss.register(ArcFace)
def arcface(loss, scores, y):
    margin = loss.margin
    theta, sine = _angle(scores[y])
    if theta + margin <= math.pi:
        return _cross_entropy(
            scores, y, loss.scale, math.cos(theta + margin), math.sin(theta + margin) / sine
        )
    return _cross_entropy(scores, y, loss.scale, scores[y] + math.cos(margin) - 1.0, 1.0)


@row_loss.register(SphereFace)
def sphereface(loss, scores, y):
    factor = loss.margin
    theta, sine = _angle(scores[y])
    turn = math.floor(theta * factor / math.pi)
    sign = 1.0 if turn % 2 == 0 else -1.0
    psi = sign * math.cos(factor * theta) - 2.0 * turn
    return _cross_entropy(scores, y, loss.scale, psi, sign * factor * math.sin(factor * theta) / sine)
