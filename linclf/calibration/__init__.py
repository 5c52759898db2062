"""Probabilities you can act on: calibrators of scores, and a classifier around any classifier.

A calibrator is a scikit-learn estimator on scores, ``fit(scores, y)`` and ``predict_proba(scores)``:
fit it on rows that the classifier was not trained on. `CalibratedClassifier` does that by itself. For
isotonic regression use ``sklearn.calibration.CalibratedClassifierCV(method="isotonic")``: more than two
classes are one-vs-rest there too, and its steps give true zeros, whose log loss is infinite.
"""

from linclf.calibration._names import CALIBRATORS, resolve
from linclf.calibration.automatic import AutomaticCalibration
from linclf.calibration.classifier import CalibratedClassifier
from linclf.calibration.dirichlet import DirichletCalibration
from linclf.calibration.platt import PlattScaling
from linclf.calibration.temperature import TemperatureScaling
from linclf.calibration.vector import VectorScaling

__all__ = [
    "CALIBRATORS",
    "AutomaticCalibration",
    "CalibratedClassifier",
    "DirichletCalibration",
    "PlattScaling",
    "TemperatureScaling",
    "VectorScaling",
    "resolve",
]
