"""The reliability curve: the share of correct rows, by predicted probability."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import BoolArray, FloatArray
from linclf.metrics._bins import Strategy, binned
from linclf.metrics._forecasts import Forecasts, checked


class ReliabilityCurve(NamedTuple):
    """Predicted and observed frequencies for each bin; equal if the classifier is calibrated.

    Attributes
    ----------
    confidence : ndarray of shape (B,)
        Mean probability of the rows in a bin, NaN in an empty bin.
    accuracy : ndarray of shape (B,)
        Share of the rows in a bin that belong to the class, NaN in an empty bin.
    weight : ndarray of shape (B,)
        Sum of the sample weights in a bin, or the number of rows without weights. If the largest weight
        is outside 1e-30 to 1e30, all are first multiplied by a power of two.
    edges : ndarray of shape (B + 1,)
        Bin b holds probabilities p with ``edges[b] < p <= edges[b + 1]``; the first also holds 0.
    """

    confidence: FloatArray
    accuracy: FloatArray
    weight: FloatArray
    edges: FloatArray


def reliability_curve(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    class_of_interest: Any = None,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> ReliabilityCurve:
    """Mean confidence and accuracy in bins of the confidence.

    The confidence of a row is ``max_k p_k``. The predicted class is the first that reaches the maximum,
    and the row is correct if this is the true class. With ``class_of_interest=c`` the confidence is
    ``p_c`` instead, and a row is correct if its class is c.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    y_prob : array-like of shape (n, K) or (n,)
        Class probabilities, ``predict_proba(X)``; (n,) is the probability of the second of two classes.
    n_bins : int >= 1, default=15
        Number of bins B.
    strategy : {"uniform", "quantile"}, default="uniform"
        "uniform" makes the bins ``((b - 1) / B, b / B]``. "quantile" makes bins of equal weight, as
        nearly as whole rows allow; equal probabilities share a bin, so ties give fewer bins, all of
        them non-empty.
    class_of_interest : label, default=None
        The class whose probability is evaluated; None means the predicted class.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; k stands for k copies of a row.

    Returns
    -------
    ReliabilityCurve

    Raises
    ------
    ValueError
        If an argument is out of range, shapes do not match, a row is not a distribution, or a label
        is unknown.
    TypeError
        If n_bins is not an integer, or probabilities or weights are not real numbers.

    References
    ----------
    Murphy & Winkler, "Reliability of subjective probability forecasts of precipitation and
    temperature", 1977. Niculescu-Mizil & Caruana, "Predicting good probabilities with supervised
    learning", 2005.

    Examples
    --------
    >>> from linclf.metrics import reliability_curve
    >>> P = [[0.6, 0.4], [0.3, 0.7], [0.1, 0.9], [0.2, 0.8]]
    >>> curve = reliability_curve(["no", "no", "yes", "yes"], P, n_bins=4)
    >>> curve.edges
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    >>> curve.confidence.round(2), curve.accuracy, curve.weight
    (array([ nan,  nan, 0.65, 0.85]), array([nan, nan, 0.5, 1. ]), array([0., 0., 2., 2.]))
    """
    forecasts = checked(y_true, y_prob, labels, sample_weight)
    if class_of_interest is None:
        confidence, right = top_class(forecasts)
    elif class_of_interest in forecasts.classes:
        confidence, right = one_class(forecasts, forecasts.classes.index(class_of_interest))
    else:
        raise ValueError(
            f"class_of_interest={class_of_interest!r} is not a class: pass one of {forecasts.classes[:10]}"
        )
    bins = binned(confidence, forecasts.weights, n_bins, strategy)
    return ReliabilityCurve(bins.mean(confidence), bins.mean(right), bins.weight, bins.edges)


def top_class(forecasts: Forecasts) -> tuple[FloatArray, BoolArray]:
    """The probability of the predicted class, and whether it is the true one."""
    predicted = forecasts.p.argmax(axis=1)
    return forecasts.p[np.arange(len(predicted)), predicted].astype(np.float64), predicted == forecasts.codes


def one_class(forecasts: Forecasts, column: int) -> tuple[FloatArray, BoolArray]:
    """The probability of the class in a column, and whether it is the true one."""
    return forecasts.p[:, column].astype(np.float64), forecasts.codes == column
