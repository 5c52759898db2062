"""What the classifiers of this room share: an estimator inside, fitted with routed parameters."""

from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import _routing_enabled

from linclf._data.labels import index_of
from linclf._types import FloatArray
from linclf.calibration._folds import (
    Given,
    HeldOut,
    Use,
    fitted_to,
    held_out_scores,
    scores_of,
    warn_of_weights,
)
from linclf.calibration._meta import WeightedMetaClassifier

REMEDY = "; pass rows of the classes that the FrozenEstimator was fitted to"
OTHER_ROWS = "FrozenEstimator and other rows to decide on"  # what to do without folds


class BaseDecision(WeightedMetaClassifier):
    """A classifier that decides by the probabilities or scores of another one."""

    _is_decision = True

    def _fit_inside(self, given: Given, held_out: str | None) -> Any:
        """The estimator, fitted to all rows, or as it is if it is frozen.

        ``held_out`` says what else the weights are for; without that, an estimator that does not take
        weights is refused.
        """
        weights = given.weights
        if isinstance(self.estimator, FrozenEstimator):
            estimator = self._frozen(given)
            if given.y.ndim == 1:
                index_of(given.y[given.rows], estimator.classes_, REMEDY)
            return estimator
        if weights is None or "sample_weight" in given.params:
            return fitted_to(self.estimator, given, np.arange(len(given.y)))
        if held_out is not None:
            warn_of_weights(self.estimator, given, held_out)
        elif not _routing_enabled() and np.ptp(weights) > 0:
            raise ValueError(
                f"sample_weight is given, and fit of {self.estimator!r} takes none; leave it out, or "
                "pass it in the name of the step of a pipeline, such as logisticregression__sample_weight"
            )
        return fitted_to(self.estimator, given, given.rows)


def need_probabilities(estimator: Any) -> None:
    """Refuse an estimator without ``predict_proba``."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"estimator={estimator!r} has no predict_proba; use "
            "linclf.calibration.CalibratedClassifier around it, or calibration='auto' for a classifier of "
            "linclf"
        )


def held_out(owner: BaseDecision, fitted: Any, given: Given, response: str, purpose: str) -> HeldOut:
    """Scores (n, n_classes) of all rows with weight, as by `held_out_scores`; columns as of ``fitted``.

    A frozen estimator scores all rows. The ``purpose`` is named in warnings.
    """
    rows, classes = given.rows, fitted.classes_
    if isinstance(owner.estimator, FrozenEstimator):
        return HeldOut(_columns(scores_of(fitted, response, given.X_of(rows))), rows)
    if len(np.unique(given.y[rows])) == 1:
        return HeldOut(np.empty((0, len(classes))), rows[:0])  # one class with weight: nothing to decide
    found = held_out_scores(owner, given, classes, response, Use(f"do not count for {purpose}", OTHER_ROWS))
    return HeldOut(_columns(found.scores), found.rows)


def _columns(scores: FloatArray) -> FloatArray:
    """A column for each class: two for a ``decision_function`` of two classes."""
    return np.column_stack([-scores, scores]) / 2 if scores.ndim == 1 else scores
