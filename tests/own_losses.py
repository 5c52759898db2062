"""Custom losses, as users would write them."""

from typing import NamedTuple

import numpy as np
from numba import njit

from linclf.losses import row_loss


class OwnSoftmax(NamedTuple):
    """The cross-entropy again, without any optional attributes."""

    temperature: float = 1.0


@row_loss.register(OwnSoftmax)
def own_softmax(loss, scores, y):
    scores /= loss.temperature
    scores -= scores.max()
    target = scores[y]
    scores[:] = np.exp(scores)
    total = scores.sum()
    scores /= total * loss.temperature
    scores[y] -= 1 / loss.temperature
    return np.log(total) - target


class OwnHinge(NamedTuple):
    margin: float = 1.0
    smooth = False

    def curvature(self, n_classes):
        return 1.0 / self.margin


@row_loss.register(OwnHinge)
def own_hinge(loss, scores, y):
    value = 0.0
    for k in range(scores.size):
        if k != y:
            value = max(value, scores[k] - scores[y] + loss.margin)
    active = -1
    for k in range(scores.size):
        if k != y and value > 0 and scores[k] - scores[y] + loss.margin == value and active < 0:
            active = k
    scores[:] = 0
    if active >= 0:
        scores[active], scores[y] = 1, -1
    return value


def registered(function, **attributes):
    """A loss without parameters, with this row function and these class attributes."""
    cls = type("Own", (NamedTuple("Own", [("gamma", float)]),), {"__slots__": (), **attributes})
    row_loss.register(cls)(function)
    return cls(1.0)


cross_entropy, hinge = njit(own_softmax), njit(own_hinge)


def plain(loss, scores, y):
    return cross_entropy(OwnSoftmax(1.0), scores, y)
