"""From probabilities to decisions: costs, tuned thresholds, abstention, around any classifier.

Each class is a scikit-learn estimator around another one. `CostSensitiveClassifier` predicts the class of
least expected cost, `ThresholdClassifier` tunes an offset for each class, `LabelThresholdClassifier` a
threshold for each of several labels, and `RejectClassifier` abstains from rows it is not sure of.
"""

from linclf.decisions.costs import CostSensitiveClassifier
from linclf.decisions.criteria import F1, ErrorCosts, PrecisionAtRecall, RecallAtPrecision
from linclf.decisions.label_thresholds import LabelThresholdClassifier
from linclf.decisions.rejection import RejectClassifier
from linclf.decisions.thresholds import ThresholdClassifier

__all__ = [
    "F1",
    "CostSensitiveClassifier",
    "ErrorCosts",
    "LabelThresholdClassifier",
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "RejectClassifier",
    "ThresholdClassifier",
]
