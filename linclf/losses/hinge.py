"""Multiclass hinge losses: Weston-Watkins, Crammer-Singer and one-vs-rest, plain and squared.

D is the margin. For two classes the three forms are the same problem (with the penalty written for
two score columns), so one-vs-rest is then trained as Weston-Watkins.
"""

from numbers import Real
from typing import NamedTuple

from sklearn.utils._param_validation import Interval

from linclf.losses._dual import (
    apart,
    below_one,
    dual_members,
    dual_step,
    excesses,
    exchange,
    free,
    on_simplex,
)
from linclf.losses._hessian import row_hessian
from linclf.losses._registry import row_loss
from linclf.losses.labels import HingeOfLabels, SquaredHingeOfLabels

ALL = 1 - 1e-9  # a sum of dual variables from here on is at its bound of 1, up to rounding
_LIMITS = {"margin": Interval(Real, 0, None, closed="neither")}


class WestonWatkins(NamedTuple):
    """``sum_{j != y} max(0, f_j - f_y + D)``: every rival class within the margin counts.

    Parameters
    ----------
    margin : float > 0, default=1.0
        The distance D by which the true class has to lead.

    References
    ----------
    Weston & Watkins, "Support vector machines for multi-class pattern recognition", 1999.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import WestonWatkins
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(LinearClassifier(loss=WestonWatkins()).fit(X, y).score(X, y)) > 0.9
    True
    """

    margin: float = 1.0
    limits = _LIMITS
    smooth = False

    def curvature(self, n_classes: int) -> float:
        # no curvature, but K - 1 rivals can pull at a row at once
        return (n_classes / 2) ** 0.5 / self.margin


class SquaredWestonWatkins(NamedTuple):
    """``sum_{j != y} max(0, f_j - f_y + D)^2``, the smooth form of `WestonWatkins`.

    Parameters
    ----------
    margin : float > 0, default=1.0
        The distance D by which the true class has to lead.

    References
    ----------
    Weston & Watkins, "Support vector machines for multi-class pattern recognition", 1999.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import SquaredWestonWatkins
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(LinearClassifier(loss=SquaredWestonWatkins()).fit(X, y).score(X, y)) > 0.9
    True
    """

    margin: float = 1.0
    limits = _LIMITS

    def curvature(self, n_classes: int) -> float:
        # at most 2 K, if all rivals are active; few are
        return 4.0 * (n_classes / 2) ** 0.5


class CrammerSinger(NamedTuple):
    """``max(0, max_{j != y} f_j - f_y + D)``: only the strongest rival counts.

    Parameters
    ----------
    margin : float > 0, default=1.0
        The distance D by which the true class has to lead.

    References
    ----------
    Crammer & Singer, "On the algorithmic implementation of multiclass kernel-based vector
    machines", 2001.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import CrammerSinger
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(LinearClassifier(loss=CrammerSinger()).fit(X, y).score(X, y)) > 0.9
    True
    """

    margin: float = 1.0
    limits = _LIMITS
    smooth = False

    def curvature(self, n_classes: int) -> float:
        return 1.0 / self.margin


class SquaredCrammerSinger(NamedTuple):
    """``max(0, max_{j != y} f_j - f_y + D)^2``, the square of `CrammerSinger`.

    For K > 2 its gradient jumps where two rivals tie. It is trained like the smooth losses, but not by
    Newton's method.

    Parameters
    ----------
    margin : float > 0, default=1.0
        The distance D by which the true class has to lead.

    References
    ----------
    Crammer & Singer, "On the algorithmic implementation of multiclass kernel-based vector
    machines", 2001.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import SquaredCrammerSinger
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(LinearClassifier(loss=SquaredCrammerSinger()).fit(X, y).score(X, y)) > 0.9
    True
    """

    margin: float = 1.0
    limits = _LIMITS
    gradient_jumps = True

    def curvature(self, n_classes: int) -> float:
        return 4.0


class OneVsRest(NamedTuple):
    """``sum_k max(0, D - t_k f_k)`` with t = +1 for the true class and -1 for the others.

    Parameters
    ----------
    margin : float > 0, default=1.0
        The margin D of each of the K binary problems.

    References
    ----------
    Rifkin & Klautau, "In defense of one-vs-all classification", 2004.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import OneVsRest
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(LinearClassifier(loss=OneVsRest()).fit(X, y).score(X, y)) > 0.9
    True
    """

    margin: float = 1.0
    limits = _LIMITS
    shift_invariant = False
    smooth = False

    def curvature(self, n_classes: int) -> float:
        return 1.0 / self.margin

    def resolved(self, n_classes: int) -> "WestonWatkins | OneVsRest":
        return WestonWatkins(self.margin) if n_classes == 2 else self

    def of_labels(self) -> HingeOfLabels:
        return HingeOfLabels(self.margin)


class SquaredOneVsRest(NamedTuple):
    """``sum_k max(0, D - t_k f_k)^2``, the loss of scikit-learn's ``LinearSVC``.

    Parameters
    ----------
    margin : float > 0, default=1.0
        The margin D of each of the K binary problems.

    References
    ----------
    Rifkin & Klautau, "In defense of one-vs-all classification", 2004.
    Fan et al., "LIBLINEAR: a library for large linear classification", 2008.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import SquaredOneVsRest
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(LinearClassifier(loss=SquaredOneVsRest()).fit(X, y).score(X, y)) > 0.9
    True
    """

    margin: float = 1.0
    limits = _LIMITS
    shift_invariant = False

    def curvature(self, n_classes: int) -> float:
        return 2.0

    def resolved(self, n_classes: int) -> "SquaredWestonWatkins | SquaredOneVsRest":
        return SquaredWestonWatkins(self.margin) if n_classes == 2 else self

    def of_labels(self) -> SquaredHingeOfLabels:
        return SquaredHingeOfLabels(self.margin)


@row_loss.register(WestonWatkins)
def weston_watkins(loss, scores, y):
    edge, value, count = scores[y] - loss.margin, 0.0, 0
    for k in range(scores.size):
        excess = scores[k] - edge
        if k != y and excess > 0.0:
            value += excess
            count += 1
            scores[k] = 1.0
        else:
            scores[k] = 0.0
    scores[y] = -count
    return value


@row_loss.register(SquaredWestonWatkins)
def squared_weston_watkins(loss, scores, y):
    edge, value, total = scores[y] - loss.margin, 0.0, 0.0
    for k in range(scores.size):
        excess = scores[k] - edge
        if k != y and excess > 0.0:
            value += excess * excess
            total += 2.0 * excess
            scores[k] = 2.0 * excess
        else:
            scores[k] = 0.0
    scores[y] = -total
    return value


@row_loss.register(CrammerSinger)
def crammer_singer(loss, scores, y):
    rival = 0 if y != 0 else 1
    for k in range(scores.size):
        if k != y and scores[k] > scores[rival]:
            rival = k
    excess = scores[rival] - (scores[y] - loss.margin)
    scores[:] = 0.0
    if excess <= 0.0:
        return 0.0
    scores[rival] = 1.0
    scores[y] = -1.0
    return excess


@row_loss.register(SquaredCrammerSinger)
def squared_crammer_singer(loss, scores, y):
    rival = 0 if y != 0 else 1
    for k in range(scores.size):
        if k != y and scores[k] > scores[rival]:
            rival = k
    excess = scores[rival] - (scores[y] - loss.margin)
    scores[:] = 0.0
    if excess <= 0.0:
        return 0.0
    scores[rival] = 2.0 * excess
    scores[y] = -2.0 * excess
    return excess * excess


@row_loss.register(OneVsRest)
def one_vs_rest(loss, scores, y):
    value = 0.0
    for k in range(scores.size):
        sign = 1.0 if k == y else -1.0
        excess = loss.margin - sign * scores[k]
        if excess > 0.0:
            value += excess
            scores[k] = -sign
        else:
            scores[k] = 0.0
    return value


@row_loss.register(SquaredOneVsRest)
def squared_one_vs_rest(loss, scores, y):
    value = 0.0
    for k in range(scores.size):
        sign = 1.0 if k == y else -1.0
        excess = loss.margin - sign * scores[k]
        if excess > 0.0:
            value += excess * excess
            scores[k] = -2.0 * sign * excess
        else:
            scores[k] = 0.0
    return value


@row_hessian.register(SquaredWestonWatkins)
def squared_weston_watkins_hessian(loss, scores, y, along, work):
    """``2 (t_k - t_y)`` for the rivals k within the margin, and minus their sum for y."""
    edge, n_classes = scores[y] - loss.margin, scores.size
    for start in range(0, along.size, n_classes):
        own, total = along[start + y], 0.0
        for k in range(n_classes):
            if k != y and scores[k] > edge:
                along[start + k] = 2.0 * (along[start + k] - own)
                total += along[start + k]
            else:
                along[start + k] = 0.0
        along[start + y] = -total


@row_hessian.register(SquaredOneVsRest)
def squared_one_vs_rest_hessian(loss, scores, y, along, work):
    n_classes = scores.size
    for k in range(n_classes):
        within = scores[k] < loss.margin if k == y else scores[k] > -loss.margin
        for at in range(k, along.size, n_classes):
            along[at] = 2.0 * along[at] if within else 0.0


@dual_step.register(WestonWatkins)
def weston_watkins_dual(loss, scores, y, active, bend):
    """Each rival has a variable between 0 and 1."""
    if excesses(loss.margin, scores, y, active, bend) <= 0.0 and active[y] == 0.0:
        scores[:] = 0.0
        return False
    return exchange(scores, y, active, below_one(scores, y, active[y]), 1.0, False)


@dual_step.register(CrammerSinger)
def crammer_singer_dual(loss, scores, y, active, bend):
    """The variables of the rivals are at least 0 and sum to at most 1."""
    top = excesses(loss.margin, scores, y, active, bend)
    if top <= 0.0 and active[y] == 0.0:
        scores[:] = 0.0
        return False
    return exchange(scores, y, active, on_simplex(scores, y, top), 1.0, True)


@dual_step.register(OneVsRest)
def one_vs_rest_dual(loss, scores, y, active, bend):
    return apart(loss.margin, scores, y, active, bend)


@dual_members.register(WestonWatkins)
def weston_watkins_members(loss, y, active, members):
    free(active, 1.0, members)
    members[y] = 1.0


@dual_members.register(CrammerSinger)
def crammer_singer_members(loss, y, active, members):
    free(active, 2.0, members)
    members[y] = 1.0 if active[y] < ALL else 0.0


@dual_members.register(OneVsRest)
def one_vs_rest_members(loss, y, active, members):
    free(active, 1.0, members)
