"""The calibrations to compare, the classifiers that they calibrate, and the scores that judge them."""

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.measure.scores import SCORES, Outcome, Score, Weights, has_probabilities
from linclf import LinearClassifier
from linclf.calibration import CALIBRATORS
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.losses import LOSSES
from linclf.metrics import classwise_calibration_error, expected_calibration_error

NOTHING = "nothing"
# "auto" is an average of the others; docs/make_calibration_table.py compares it with them on few rows
METHODS = (NOTHING, *(name for name in CALIBRATORS if name != "auto"))
# all losses, and the estimators of linclf.large, which draw fewer classes here than there are
CLASSIFIERS = {
    **{name: LinearClassifier(loss=name) for name in LOSSES},
    "hierarchical softmax": HierarchicalSoftmaxClassifier(),
    "adaptive softmax": AdaptiveSoftmaxClassifier(),
    "sampled softmax": SampledSoftmaxClassifier(n_sampled=10),
    "noise-contrastive": NCEClassifier(n_sampled=10),
}


def _per_cent(metric: Callable[..., float], outcome: Outcome, weights: Weights = None) -> float:
    """A calibration error with the default of 15 bins."""
    p = outcome.probabilities
    return 100 * metric(outcome.y, p, labels=np.arange(p.shape[1]), sample_weight=weights)


_ece = partial(_per_cent, expected_calibration_error)
_classwise_ece = partial(_per_cent, classwise_calibration_error)
MEASURES = {
    **{name: SCORES[name] for name in ("accuracy", "log_loss")},
    "ece": Score("ECE, %", _ece, -1, has_probabilities),
    "classwise_ece": Score("classwise ECE, %", _classwise_ece, -1, has_probabilities),
}
