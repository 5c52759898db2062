"""Probabilities you can act on: calibrators of scores, and a classifier around any classifier.

A calibrator is a scikit-learn estimator on scores, with ``fit(scores, y)`` and ``predict_proba(scores)``.
Fit it on rows that the classifier was not trained on; `CalibratedClassifier` does this for you. For
isotonic regression use ``sklearn.calibration.CalibratedClassifierCV(method="isotonic")``. It treats more
than two classes as one-vs-rest, and gives probabilities of exactly 0, for which the log loss is infinite.
"""

from linclf.calibration._names import CALIBRATORS, resolve
from linclf.calibration.automatic import AutomaticCalibration
from linclf.calibration.classifier import CalibratedClassifier
from linclf.calibration.dirichlet import DirichletCalibration
from linclf.calibration.per_label import PerLabelCalibration
from linclf.calibration.platt import PlattScaling
from linclf.calibration.temperature import TemperatureScaling
from linclf.calibration.vector import VectorScaling

__all__ = [
    "CALIBRATORS",
    "AutomaticCalibration",
    "CalibratedClassifier",
    "DirichletCalibration",
    "PerLabelCalibration",
    "PlattScaling",
    "TemperatureScaling",
    "VectorScaling",
    "resolve",
]
