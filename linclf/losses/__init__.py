"""Losses, by name in ``LOSSES`` or as objects, and how to write a custom one.

A loss is a NamedTuple of float parameters with a row function. Any script, notebook or module can define one:

>>> from typing import NamedTuple
>>> import numpy as np
>>> from linclf import LinearClassifier
>>> from linclf.functional import softmax
>>> from linclf.losses import check_loss, row_loss
>>> class GeneralizedCrossEntropy(NamedTuple):
...     q: float = 0.7
...     convex = False
...     def probabilities(self, scores):
...         return softmax(scores)
>>> @row_loss.register(GeneralizedCrossEntropy)
... def generalized_cross_entropy(loss, scores, y):
...     p = np.exp(scores - scores.max())
...     p /= p.sum()
...     power = p[y] ** loss.q
...     scores[:] = power * p  # the gradient takes the place of the scores
...     scores[y] -= power
...     return (1 - power) / loss.q
>>> check_loss(GeneralizedCrossEntropy())
>>> from sklearn.datasets import load_iris
>>> X, y = load_iris(return_X_y=True)
>>> float(LinearClassifier(loss=GeneralizedCrossEntropy(0.5)).fit(X, y).score(X, y)) > 0.9
True

Optional class attributes are listed in docs/losses.md. The kernels of a custom loss are compiled like those
of the package but not cached on disk, as the cache would not notice changes to its module.
"""

from linclf.losses._checks import check_loss
from linclf.losses._evaluation import value_and_gradient
from linclf.losses._names import LOSSES
from linclf.losses._registry import row_loss, soft_row_loss
from linclf.losses.entmax import Entmax, Sparsemax
from linclf.losses.focal import Focal
from linclf.losses.hinge import (
    CrammerSinger,
    OneVsRest,
    SquaredCrammerSinger,
    SquaredOneVsRest,
    SquaredWestonWatkins,
    WestonWatkins,
)
from linclf.losses.logistic import OneVsRestLogistic
from linclf.losses.margin import ArcFace, CosFace, NormFace, SphereFace
from linclf.losses.softmax import Softmax

__all__ = [
    "LOSSES",
    "ArcFace",
    "CosFace",
    "CrammerSinger",
    "Entmax",
    "Focal",
    "NormFace",
    "OneVsRest",
    "OneVsRestLogistic",
    "Softmax",
    "Sparsemax",
    "SphereFace",
    "SquaredCrammerSinger",
    "SquaredOneVsRest",
    "SquaredWestonWatkins",
    "WestonWatkins",
    "check_loss",
    "row_loss",
    "soft_row_loss",
    "value_and_gradient",
]
