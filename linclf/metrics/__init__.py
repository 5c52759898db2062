"""How good probabilities and prediction sets are, and how doubtful a row is.

Metrics have the signature ``(y_true, y_prob, *, labels=None, sample_weight=None, ...)``, like those of
scikit-learn; smaller is better. ``sklearn.metrics.make_scorer(metric, response_method="predict_proba",
greater_is_better=False)`` turns them into scorers. Scores of doubt need only probabilities or scores.
Metrics of prediction sets take an array of memberships instead of probabilities, and `rejection_cost`
predicted labels.
"""

from linclf.metrics.calibration_error import (
    classwise_calibration_error,
    expected_calibration_error,
    label_calibration_errors,
    maximum_calibration_error,
)
from linclf.metrics.doubt import (
    DOUBT_SCORES,
    energy_doubt,
    entropy_doubt,
    margin_doubt,
    max_probability_doubt,
)
from linclf.metrics.prediction_sets import (
    class_coverage_gap,
    mean_set_size,
    set_coverage,
    size_stratified_coverage,
)
from linclf.metrics.proper import BrierDecomposition, brier_decomposition, brier_score, log_loss
from linclf.metrics.rejection import rejection_cost
from linclf.metrics.reliability import ReliabilityCurve, reliability_curve

__all__ = [
    "DOUBT_SCORES",
    "BrierDecomposition",
    "ReliabilityCurve",
    "brier_decomposition",
    "brier_score",
    "class_coverage_gap",
    "classwise_calibration_error",
    "energy_doubt",
    "entropy_doubt",
    "expected_calibration_error",
    "label_calibration_errors",
    "log_loss",
    "margin_doubt",
    "max_probability_doubt",
    "maximum_calibration_error",
    "mean_set_size",
    "rejection_cost",
    "reliability_curve",
    "set_coverage",
    "size_stratified_coverage",
]
