"""Proper scores: their mean is smallest for the true probabilities, so they can choose between models."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from linclf.metrics._bins import Strategy, binned
from linclf.metrics._forecasts import checked
from linclf.metrics.reliability import one_class


def log_loss(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean of ``-log p_y`` in nats, infinite if a true class has probability 0.

    ``sklearn.metrics.log_loss`` instead clips probabilities at the machine epsilon of their dtype,
    so a true class with probability 0 (possible with `linclf.functional.sparsemax`) costs 36 nats in
    float64 and 16 in float32. It also requires sorted labels. Otherwise the two are equal.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    y_prob : array-like of shape (n, K) or (n,)
        Class probabilities, ``predict_proba(X)``; (n,) is the probability of the second of two classes.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; k stands for k copies of a row.

    Returns
    -------
    loss : float
        From 0 to infinity.

    Raises
    ------
    ValueError
        If shapes do not match, a row is not a distribution, or a label is unknown.
    TypeError
        If probabilities or weights are not real numbers.

    References
    ----------
    Good, "Rational decisions", 1952.

    Examples
    --------
    >>> from linclf.metrics import log_loss
    >>> P = [[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    >>> round(log_loss(["a", "c"], P, labels=["a", "b", "c"]), 4)
    0.6931
    >>> log_loss(["c", "c"], P, labels=["a", "b", "c"])
    inf
    """
    p, codes, weights, _ = checked(y_true, y_prob, labels, sample_weight)
    with np.errstate(divide="ignore"):
        logs = np.log(p[np.arange(len(codes)), codes].astype(np.float64))
    return float(-(weights @ logs) / weights.sum() + 0.0)  # never -0.0


def brier_score(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean of ``sum_k (p_k - [y = k])^2`` over all K classes, as Brier defined it.

    For two classes both columns count, so this is twice ``sklearn.metrics.brier_score_loss``, which
    counts one by default; with ``scale_by_half=False`` the two are equal.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    y_prob : array-like of shape (n, K) or (n,)
        Class probabilities, ``predict_proba(X)``; (n,) is the probability of the second of two classes.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; k stands for k copies of a row.

    Returns
    -------
    score : float
        From 0 to 2.

    Raises
    ------
    ValueError
        If shapes do not match, a row is not a distribution, or a label is unknown.
    TypeError
        If probabilities or weights are not real numbers.

    References
    ----------
    Brier, "Verification of forecasts expressed in terms of probability", 1950.

    Examples
    --------
    >>> from linclf.metrics import brier_score
    >>> round(brier_score([0, 1], [[0.8, 0.2], [0.4, 0.6]]), 4)
    0.2
    """
    p, codes, weights, _ = checked(y_true, y_prob, labels, sample_weight)
    errors = p.astype(np.float64)
    errors[np.arange(len(codes)), codes] -= 1
    return float(weights @ np.einsum("ik,ik->i", errors, errors) / weights.sum())


class BrierDecomposition(NamedTuple):
    """Parts of the Brier score; their sum is `brier_score`.

    Attributes
    ----------
    calibration : float
        The gain from replacing predicted probabilities by observed frequencies.
    refinement : float
        The rest: how mixed the classes are among rows with the same forecast.
    within_bins : float
        The effect of different forecasts within a bin; negative if they help to tell classes apart.
    """

    calibration: float
    refinement: float
    within_bins: float


def brier_decomposition(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> BrierDecomposition:
    """The Brier score as calibration + refinement + a term within bins.

    For each class k the rows are grouped in bins b of ``p_k``. With ``w_kb`` the share of the weight
    in a bin, ``p_kb`` the mean probability and ``s_kb`` the share of rows of class k::

        calibration = sum_k sum_b w_kb (p_kb - s_kb)^2
        refinement  = sum_k sum_b w_kb s_kb (1 - s_kb)
        within_bins = sum_k sum_b w_kb (var_kb(p) - 2 cov_kb(p, [y = k]))

    The first two sum to the Brier score of the grouped forecasts, which are ``p_kb`` for each row of a
    bin; all three sum to the Brier score of the forecasts themselves. If each bin holds a single value,
    the third is 0. Murphy's resolution is the uncertainty ``1 - sum_k s_k^2`` of the class shares
    minus the refinement; calibration is K times the squared `classwise_calibration_error` of norm 2.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    y_prob : array-like of shape (n, K) or (n,)
        Class probabilities, ``predict_proba(X)``; (n,) is the probability of the second of two classes.
    n_bins : int >= 1, default=15
        Number of bins for each class.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or of equal weight; see `reliability_curve`.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; k stands for k copies of a row.

    Returns
    -------
    BrierDecomposition

    Raises
    ------
    ValueError
        If an argument is out of range, shapes do not match, a row is not a distribution, or a label
        is unknown.
    TypeError
        If n_bins is not an integer, or probabilities or weights are not real numbers.

    References
    ----------
    Murphy, "A new vector partition of the probability score", 1973. DeGroot & Fienberg, "The
    comparison and evaluation of forecasters", 1983. Stephenson, Coelho & Jolliffe, "Two extra
    components in the Brier score decomposition", 2008.

    Examples
    --------
    >>> from linclf.metrics import brier_decomposition
    >>> parts = brier_decomposition([0, 1, 1, 1], [0.2, 0.2, 0.8, 0.8])
    >>> [round(part, 4) for part in parts]
    [0.13, 0.25, 0.0]
    """
    forecasts = checked(y_true, y_prob, labels, sample_weight)
    parts = np.zeros(3)
    for column in range(forecasts.p.shape[1]):
        p, true = one_class(forecasts, column)
        bins = binned(p, forecasts.weights, n_bins, strategy)
        means, shares = np.nan_to_num(bins.mean(p)), np.nan_to_num(bins.mean(true))
        above = p - means[bins.bin_of_row]
        parts += [
            bins.weight @ (means - shares) ** 2,
            bins.weight @ (shares * (1 - shares)),
            forecasts.weights @ (above * (above - 2 * (true - shares[bins.bin_of_row]))),
        ]
    return BrierDecomposition(*(parts / forecasts.weights.sum()).tolist())
