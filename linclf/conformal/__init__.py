"""Prediction sets that contain the true class as often as asked for, around any classifier.

`ConformalClassifier` fits a classifier to a part of the rows and scores the others; a class is in the set of
a new row if it fits the row no worse than most of these rows fit their own class. How a class is scored
(`LAC`, `APS`, `RAPS`) and which classes share a threshold (`Marginal`, `ClassConditional`, `Clustered`) are
objects, and yours are accepted, too. ``SCORES`` and ``TAXONOMIES`` map names to classes.

This is split conformal prediction; cross-conformal methods (CV+, jackknife+) are not here.
"""

from linclf.conformal._names import SCORES, TAXONOMIES
from linclf.conformal.aps import APS
from linclf.conformal.class_conditional import ClassConditional
from linclf.conformal.classifier import ConformalClassifier
from linclf.conformal.clustered import Clustered
from linclf.conformal.lac import LAC
from linclf.conformal.marginal import Marginal
from linclf.conformal.raps import RAPS

__all__ = [
    "APS",
    "LAC",
    "RAPS",
    "SCORES",
    "TAXONOMIES",
    "ClassConditional",
    "Clustered",
    "ConformalClassifier",
    "Marginal",
]
