"""Focal loss: cross-entropy with less weight on rows that are already well classified."""

from numbers import Real
from typing import NamedTuple

from sklearn.utils._param_validation import Interval

from linclf._numba.simplex import softmax_row
from linclf._types import FloatArray
from linclf.functional import log_softmax, softmax
from linclf.losses._registry import row_loss


class Focal(NamedTuple):
    r"""Focal loss ``-(1 - p_y)^gamma log p_y`` on softmax probabilities.

    Parameters
    ----------
    gamma : float >= 0, default=2.0
        Focusing exponent; 0 is the cross-entropy. The loss is not convex for gamma > 0.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", 2017.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import Focal
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(LinearClassifier(loss=Focal(gamma=1.0)).fit(X, y).score(X, y)) > 0.95
    True
    """

    gamma: float = 2.0

    limits = {"gamma": Interval(Real, 0, None, closed="left")}
    convex = attained = False

    def curvature(self, n_classes: int) -> float:
        # the largest second derivative of the binary loss over p lies below this line for every
        # gamma >= 0 (tabulated in tests/losses/test_losses.py)
        return 0.5 * (1.0 + 0.625 * self.gamma)

    def probabilities(self, scores: FloatArray) -> FloatArray:
        return softmax(scores)

    def log_probabilities(self, scores: FloatArray) -> FloatArray:
        return log_softmax(scores)


@row_loss.register(Focal)
def focal_loss(loss, scores, y):
    gamma, target = loss.gamma, scores[y]
    top, log_sum = softmax_row(scores, 1.0)
    log_u = target - top - log_sum
    u = scores[y]
    q = 0.0  # 1 - u, as a sum that keeps its digits when u rounds to 1
    for k in range(scores.size):
        if k != y:
            q += scores[k]
    power = q**gamma
    # g u (1-u)^(g-1) log u - (1-u)^g, with log(u)/(1-u) -> -1 where u -> 1
    ratio = log_u / q if q > 1e-12 else -1.0
    factor = power - gamma * u * power * ratio if u > 0.0 else power
    scores[y] -= 1.0
    for k in range(scores.size):
        scores[k] *= factor
    return -power * log_u
