"""What the threshold of a label is tuned for."""

from numbers import Real
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._types import FloatArray

_SHARE = Interval(Real, 0, 1, closed="right")
_COST = Interval(Real, 0, None, closed="neither")


class Outcomes(NamedTuple):
    """Weights of all rows, of those that have a label, and of those that get it and do or do not have it."""

    total: float
    positives: float
    found: FloatArray  # true positives
    alarms: FloatArray  # false positives


class F1(NamedTuple):
    """F1, the harmonic mean of precision and recall.

    Examples
    --------
    The same as ``criterion="f1"``:

    >>> from linclf import SoftmaxClassifier
    >>> from linclf.decisions import F1, LabelThresholdClassifier
    >>> LabelThresholdClassifier(SoftmaxClassifier(), criterion=F1())
    LabelThresholdClassifier(criterion=F1(), estimator=SoftmaxClassifier())
    """

    limits = {}

    def value(self, outcomes: Outcomes) -> FloatArray:
        """F1; 0 if nothing is found."""
        return _share(2 * outcomes.found, outcomes.found + outcomes.alarms + outcomes.positives)


class ErrorCosts(NamedTuple):
    """Minus the mean cost of a row.

    If the probabilities are right, the best threshold is
    ``false_positive / (false_positive + false_negative)``.

    Parameters
    ----------
    false_positive : float > 0, default=1.0
        Cost of a label that is predicted and wrong.
    false_negative : float > 0, default=1.0
        Cost of a label that is missed.

    Examples
    --------
    >>> from linclf.decisions import ErrorCosts
    >>> ErrorCosts(false_negative=5.0)
    ErrorCosts(false_positive=1.0, false_negative=5.0)
    """

    false_positive: float = 1.0
    false_negative: float = 1.0
    limits = {"false_positive": _COST, "false_negative": _COST}

    def value(self, outcomes: Outcomes) -> FloatArray:
        """Minus the mean cost."""
        missed = outcomes.positives - outcomes.found
        return -(self.false_positive * outcomes.alarms + self.false_negative * missed) / outcomes.total


class RecallAtPrecision(NamedTuple):
    """The largest recall with a precision of at least ``precision``.

    If no threshold that finds a row reaches it on the held-out rows, the label is never predicted, with a
    warning.

    Parameters
    ----------
    precision : float in (0, 1]
        The least precision.

    Examples
    --------
    >>> from linclf.decisions import RecallAtPrecision
    >>> RecallAtPrecision(0.9)
    RecallAtPrecision(precision=0.9)
    """

    precision: float
    limits = {"precision": _SHARE}

    def value(self, outcomes: Outcomes) -> FloatArray:
        """Recall, or -inf; predicting no row counts as a precision of 1."""
        recall = _share(outcomes.found, outcomes.positives)
        enough = outcomes.found >= (self.precision - 1e-12) * (outcomes.found + outcomes.alarms)
        return np.where(enough, recall, -np.inf)


class PrecisionAtRecall(NamedTuple):
    """The largest precision with a recall of at least ``recall``.

    Parameters
    ----------
    recall : float in (0, 1]
        The least recall.

    Examples
    --------
    >>> from linclf.decisions import PrecisionAtRecall
    >>> PrecisionAtRecall(0.9)
    PrecisionAtRecall(recall=0.9)
    """

    recall: float
    limits = {"recall": _SHARE}

    def value(self, outcomes: Outcomes) -> FloatArray:
        """Precision, or -inf; 0 if no row has the label."""
        precision = _share(outcomes.found, outcomes.found + outcomes.alarms)
        return np.where(outcomes.found >= (self.recall - 1e-12) * outcomes.positives, precision, -np.inf)


CRITERIA = (F1, ErrorCosts, RecallAtPrecision, PrecisionAtRecall)
Criterion: TypeAlias = F1 | ErrorCosts | RecallAtPrecision | PrecisionAtRecall


def check_criterion(criterion: Any) -> Criterion:
    """The criterion, "f1" being short for `F1`, with numbers within their limits."""
    if isinstance(criterion, str) and criterion == "f1":
        return F1()
    if not isinstance(criterion, CRITERIA):
        raise ValueError(
            f"criterion={criterion!r}: pass 'f1', or an object such as ErrorCosts(false_negative=5), "
            "RecallAtPrecision(0.9) or PrecisionAtRecall(0.9) of linclf.decisions"
        )
    for name, limit in criterion.limits.items():
        if not limit.is_satisfied_by(getattr(criterion, name)):
            raise ValueError(f"criterion={criterion!r}: {name} must be {limit}")
    return criterion


def _share(part: FloatArray, whole: FloatArray | float) -> FloatArray:
    """The quotient, or 0 where the whole is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), whole)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
