"""What answers cost if a classifier may also abstain."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from linclf._data.labels import labels_of
from linclf.metrics._forecasts import counting


def rejection_cost(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    cost: float,
    reject_label: Any,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Chow's cost: 1 for an error, ``cost`` for a rejected row, 0 for a right one; the mean of all rows.

    What `linclf.decisions.RejectClassifier` with the same ``cost`` makes small.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    y_pred : array-like of shape (n,)
        Predicted labels, or ``reject_label``.
    cost : float in [0, 1]
        Cost of a rejected row, if an error costs 1.
    reject_label : label
        That of rejected rows, ``reject_label_`` of the classifier; none of the classes.
    labels : array-like of shape (K,), default=None
        The classes. If given, other predictions than these and ``reject_label`` are refused; None counts them
        as errors.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more.

    Returns
    -------
    cost : float
        From 0 to 1; rejecting every row costs ``cost``.

    Raises
    ------
    ValueError
        If shapes do not match, the cost is not from 0 to 1, a label is not in ``labels``, or ``reject_label``
        is a class or not of the kind of the classes.

    References
    ----------
    Chow, "On optimum recognition error and reject tradeoff", 1970.

    Examples
    --------
    Two of five rows are right, one is wrong, two are rejected: (1 + 2 * 0.3) / 5.

    >>> from linclf.metrics import rejection_cost
    >>> rejection_cost([0, 1, 2, 0, 1], [0, 1, 0, -1, -1], cost=0.3, reject_label=-1)
    0.32

    A scorer for GridSearchCV, of which larger is better:

    >>> from sklearn.metrics import make_scorer
    >>> scorer = make_scorer(rejection_cost, cost=0.3, reject_label=-1, greater_is_better=False)
    """
    y, found = labels_of(y_true, "y_true"), labels_of(y_pred, "y_pred")
    if len(y) != len(found) or not len(y):
        raise ValueError(f"y_true has {len(y)} rows and y_pred {len(found)}: pass equally many, one at least")
    if not isinstance(cost, Real) or isinstance(cost, (bool, np.bool_)) or not 0 <= cost <= 1:
        raise ValueError(f"cost={cost!r} must lie between 0 and 1, the cost of an error")
    known = set(y.tolist() if labels is None else labels_of(labels, "labels").tolist())
    if reject_label in known:
        raise ValueError(f"reject_label={reject_label!r} is one of the classes; pass that of rejected rows")
    if any(isinstance(label, str) != isinstance(reject_label, str) for label in (*known, *found.tolist())):
        raise ValueError(
            f"reject_label={reject_label!r} is of another kind than the labels, such as {y.tolist()[0]!r} "
            f"and {found.tolist()[0]!r}; pass reject_label_ of the classifier"
        )
    if labels is not None:
        for name, given in (("y_true", set(y.tolist())), ("y_pred", set(found.tolist()) - {reject_label})):
            if unknown := sorted(given - known):
                raise ValueError(f"{name} has the label {unknown[0]!r}, which is not in labels")
    rows, weights = counting(sample_weight, len(y))
    y, found = y[rows], found[rows]
    return float(np.average(np.where(found == reject_label, float(cost), found != y), weights=weights))
