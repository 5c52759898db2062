"""What the threshold of a label is tuned for."""

from numbers import Real
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from scipy.special import betaincinv
from sklearn.utils._param_validation import Interval

from linclf._types import BoolArray, FloatArray

_SHARE = Interval(Real, 0, 1, closed="right")
_COST = Interval(Real, 0, None, closed="neither")
# how many times as many rows the next threshold predicts whose precision is to be shown. Factors from 1.05 to
# 1.3 find about the same recall; if each row were a step, a single false alarm could end the search
MORE = 1.1


class Outcomes(NamedTuple):
    """Weights of all rows, of those that have a label, and of those that get it and do or do not have it.

    The ones that get it are different for each threshold.
    """

    total: float
    positives: float
    found: FloatArray  # true positives
    alarms: FloatArray  # false positives
    expected: FloatArray  # true positives if the probabilities are right


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

    The precision of the held-out rows is optimistic, because the threshold is the best of many for these
    rows: that of new rows is below ``precision`` about half of the time, and far below if few rows are found.
    With a ``confidence``, such as 0.95, it is below in at most a share of ``1 - confidence`` of all fits,
    whatever the probabilities are. The lower bound by Clopper and Pearson must then be ``precision`` at
    least, for which ``log(1 - confidence) / log(precision)`` rows have to be found: 29 for 0.9 and 0.95.
    Of these thresholds, the one is tried first that would have the largest bound if the probabilities were
    right, then lower ones, each of which predicts a tenth more rows, until one fails. The order does not
    depend on the labels and the first failure ends it, so no correction for trying many is needed. The rows
    must be drawn as new rows are, and scored by the same classifier. With folds, the guarantee holds as far
    as the clones score like the classifier that is fitted to all rows.

    Parameters
    ----------
    precision : float in (0, 1]
        The least precision.
    confidence : float in (0, 1), default=None
        The share of all fits in which new rows have this precision at least. None asks for the precision
        of the held-out rows alone. Not with ``precision=1``, which no number of rows can show. Weights count
        as numbers of rows.

    References
    ----------
    Clopper & Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    1934. Angelopoulos, Bates, Candès, Jordan & Lei, "Learn then test: calibrating predictive algorithms to
    achieve risk control", 2021 (fixed sequences of tests).

    Examples
    --------
    >>> from linclf.decisions import RecallAtPrecision
    >>> RecallAtPrecision(0.9)
    RecallAtPrecision(precision=0.9, confidence=None)

    29 right ones of 29 show it with a confidence of 0.95, as ``0.9 ** 29 < 0.05``, and 28 of 28 do not:

    >>> import numpy as np
    >>> from linclf.decisions.criteria import Outcomes
    >>> for n in (28.0, 29.0):
    ...     outcomes = Outcomes(1000.0, 40.0, *np.array([[n], [0.0], [n]]))
    ...     print(*(RecallAtPrecision(0.9, confidence).value(outcomes) for confidence in (None, 0.95)))
    [0.7] [-inf]
    [0.725] [0.725]
    """

    precision: float
    confidence: float | None = None
    limits = {"precision": _SHARE, "confidence": Interval(Real, 0, 1, closed="neither")}

    def value(self, outcomes: Outcomes) -> FloatArray:
        """Recall, or -inf; predicting no row counts as a precision of 1."""
        found, predicted = outcomes.found, outcomes.found + outcomes.alarms
        if self.confidence is None:
            enough = found >= (self.precision - 1e-12) * predicted
        else:
            enough = (predicted == 0) | self._shown(outcomes, predicted, 1 - self.confidence)
        return np.where(enough, _share(found, outcomes.positives), -np.inf)

    def _shown(self, outcomes: Outcomes, predicted: FloatArray, risk: float) -> BoolArray:
        """Which thresholds have the precision, with this risk that one of them all has not."""
        bounds, hopes = (_bound(found, predicted, risk) for found in (outcomes.found, outcomes.expected))
        hopes[predicted < np.log(risk) / np.log(self.precision) - 1e-9] = -1  # too few to show anything
        shown, needed = [], predicted[hopes.argmax()]
        for at in np.argsort(predicted, kind="stable"):
            if predicted[at] < needed:
                continue
            if not bounds[at] >= self.precision:
                break
            shown.append(predicted[at])
            needed = MORE * predicted[at]
        return np.isin(predicted, shown)


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
        given = getattr(criterion, name)
        if given is None and criterion._field_defaults.get(name, ...) is None:
            continue
        if not limit.is_satisfied_by(given):
            raise ValueError(f"criterion={criterion!r}: {name} must be {limit}")
    if isinstance(criterion, RecallAtPrecision) and criterion.confidence and criterion.precision == 1:
        raise ValueError(
            f"criterion={criterion!r}: no number of rows can show a precision of 1; use a lower precision, "
            "such as 0.99, or confidence=None"
        )
    return criterion


def _bound(found: FloatArray, predicted: FloatArray, risk: float) -> FloatArray:
    """Lower bound of the precision by Clopper and Pearson; 0 if nothing is found."""
    found = np.minimum(found, predicted)
    return betaincinv(np.maximum(found, np.finfo(float).tiny), predicted - found + 1, risk)


def _share(part: FloatArray, whole: FloatArray | float) -> FloatArray:
    """The quotient, or 0 where the whole is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), whole)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
