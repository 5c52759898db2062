"""Calibration errors: how far predicted probabilities are from observed frequencies.

All of them depend on the bins, and all are 0 for a constant forecast of the class shares. Choose models
by a proper score (`log_loss`, `brier_score`), and use these to find what is wrong.
"""

import numbers
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from linclf._data.indicators import indicator_of, is_indicator
from linclf._types import BoolArray, FloatArray
from linclf.functional._inputs import as_floats
from linclf.metrics._bins import Bins, Strategy, binned
from linclf.metrics._forecasts import Forecasts, checked
from linclf.metrics.reliability import one_class, top_class


def expected_calibration_error(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    norm: float = 1,
    debiased: bool = False,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""ECE of the predicted class, ``(sum_b w_b |accuracy_b - confidence_b|^q)^(1/q)``.

    ``w_b`` is the share of the weight in bin b of the top-class confidence, and q the norm; see
    `reliability_curve` for the bins. With few rows per bin, the noise of the accuracies alone makes
    the error positive; ``debiased=True`` subtracts its expected square.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    y_prob : array-like of shape (n, K) or (n,)
        Class probabilities, ``predict_proba(X)``; (n,) is the probability of the second of two classes.
    n_bins : int >= 1, default=15
        Number of bins.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or of equal weight (the adaptive error).
    norm : float >= 1, default=1
        The q of the formula; ``np.inf`` gives the largest difference over all bins with rows.
    debiased : bool, default=False
        Subtract ``s_b^2 / n_b`` from each squared difference, where ``s_b^2`` is the sample variance
        of confidence minus correctness and ``n_b`` the number of rows. If all confidences of a bin
        are equal this is ``accuracy_b (1 - accuracy_b) / (n_b - 1)``, as in Kumar et al. The square of
        the error is then unbiased, except that a bin with one row counts 0 and a negative sum gives 0.
        Only for ``norm=2`` and integer weights.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; k stands for k copies of a row.

    Returns
    -------
    error : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If an argument is out of range, shapes do not match, a row is not a distribution, a label is
        unknown, or ``debiased=True`` has another norm or fractional weights.
    TypeError
        If n_bins is not an integer, or norm, probabilities or weights are not real numbers.

    References
    ----------
    Naeini, Cooper & Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
    2015. Guo et al., "On calibration of modern neural networks", 2017. Kumar, Liang & Ma, "Verified
    uncertainty calibration", 2019.

    Examples
    --------
    >>> from linclf.metrics import expected_calibration_error
    >>> P = [[0.6, 0.4], [0.3, 0.7], [0.1, 0.9], [0.2, 0.8]]
    >>> round(expected_calibration_error(["no", "no", "yes", "yes"], P, n_bins=4), 4)
    0.15
    """
    forecasts = checked(y_true, y_prob, labels, sample_weight)
    return _error(forecasts, [top_class(forecasts)], n_bins, strategy, norm, debiased)


def maximum_calibration_error(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """MCE of the predicted class, ``max_b |accuracy_b - confidence_b|`` over bins with rows.

    This is `expected_calibration_error` with ``norm=np.inf``. A single row alone in a bin can determine
    it; ``strategy="quantile"`` avoids such bins.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    y_prob : array-like of shape (n, K) or (n,)
        Class probabilities, ``predict_proba(X)``; (n,) is the probability of the second of two classes.
    n_bins : int >= 1, default=15
        Number of bins.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or of equal weight.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; they affect the averages within bins, which rows are dropped, and the
        edges of the bins of "quantile".

    Returns
    -------
    error : float
        From 0 to 1.

    Raises
    ------
    ValueError, TypeError
        As `expected_calibration_error`.

    References
    ----------
    Naeini, Cooper & Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", 2015.

    Examples
    --------
    >>> from linclf.metrics import maximum_calibration_error
    >>> P = [[0.6, 0.4], [0.3, 0.7], [0.1, 0.9], [0.3, 0.7]]
    >>> round(maximum_calibration_error(["no", "no", "yes", "yes"], P, n_bins=4), 4)
    0.1
    """
    return expected_calibration_error(
        y_true,
        y_prob,
        n_bins=n_bins,
        strategy=strategy,
        norm=np.inf,
        labels=labels,
        sample_weight=sample_weight,
    )


def classwise_calibration_error(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    norm: float = 1,
    debiased: bool = False,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""Classwise ECE, ``(1/K sum_k sum_b w_kb |share_kb - p_kb|^q)^(1/q)``.

    Each class k has separate bins b of its probabilities; ``w_kb`` is the share of the weight in a bin,
    ``p_kb`` the mean probability and ``share_kb`` the share of rows of class k. With ``norm=1`` it is the
    mean of the errors of the classes, with ``np.inf`` the largest difference. With many classes most
    probabilities are near 0, and so is the error.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    y_prob : array-like of shape (n, K) or (n,)
        Class probabilities, ``predict_proba(X)``; (n,) is the probability of the second of two classes.
    n_bins : int >= 1, default=15
        Number of bins for each class.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or of equal weight (the adaptive error).
    norm : float >= 1, default=1
        The q of the formula.
    debiased : bool, default=False
        As in `expected_calibration_error`, only for ``norm=2`` and integer weights.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true. Classes that
        are missing from y_true count too.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; k stands for k copies of a row.

    Returns
    -------
    error : float
        From 0 to 1.

    Raises
    ------
    ValueError, TypeError
        As `expected_calibration_error`.

    References
    ----------
    Kull et al., "Beyond temperature scaling: obtaining well-calibrated multiclass probabilities with
    Dirichlet calibration", 2019. Nixon et al., "Measuring calibration in deep learning", 2019.

    Examples
    --------
    >>> from linclf.metrics import classwise_calibration_error
    >>> P = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]
    >>> round(classwise_calibration_error(["a", "b", "c", "c"], P, n_bins=2), 4)
    0.1833
    """
    forecasts = checked(y_true, y_prob, labels, sample_weight)
    columns = (one_class(forecasts, column) for column in range(forecasts.p.shape[1]))
    return _error(forecasts, columns, n_bins, strategy, norm, debiased)


def label_calibration_errors(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    norm: float = 1,
    debiased: bool = False,
    sample_weight: ArrayLike | None = None,
) -> FloatArray:
    r"""Calibration error of each of several labels a row, ``(sum_b w_kb |share_kb - p_kb|^q)^(1/q)``.

    For label k, ``w_kb`` is the share of the weight in bin b of its probabilities, ``p_kb`` their mean and
    ``share_kb`` the share of rows that have the label. The error of a rare label is small if its
    probabilities are, so compare it with the share of the rows that have it.

    Parameters
    ----------
    y_true : {array-like, sparse matrix} of shape (n, n_labels)
        An indicator: 1 for each label of a row, else 0.
    y_prob : array-like of shape (n, n_labels)
        Probabilities of the labels, ``predict_proba(X)``; rows need not sum to 1.
    n_bins : int >= 1, default=15
        Number of bins for each label.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or of equal weight.
    norm : float >= 1, default=1
        The q of the formula; ``np.inf`` gives the largest difference over all bins with rows.
    debiased : bool, default=False
        As in `expected_calibration_error`, only for ``norm=2`` and integer weights.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; k stands for k copies of a row.

    Returns
    -------
    errors : ndarray of shape (n_labels,)
        From 0 to 1.

    Raises
    ------
    ValueError, TypeError
        As `expected_calibration_error`, or if y_true is no indicator.

    References
    ----------
    Naeini, Cooper & Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", 2015.

    Examples
    --------
    >>> from linclf.metrics import label_calibration_errors
    >>> Y = [[1, 0], [1, 0], [0, 1], [1, 0]]
    >>> label_calibration_errors(Y, [[0.8, 0.3], [0.8, 0.3], [0.8, 0.3], [0.8, 0.3]], n_bins=2).round(2)
    array([0.05, 0.05])
    """
    p = as_floats(y_prob, "y_prob")
    if not is_indicator(y_true):
        raise ValueError(
            f"y_true is {type(y_true).__name__} of shape {np.shape(y_true)}: pass an indicator, integers or "
            "bools (n, n_labels) or a sparse matrix; for one label a row use classwise_calibration_error"
        )
    has = indicator_of(y_true, "y_true") > 0
    if p.shape != has.shape:
        raise ValueError(
            f"y_prob has shape {p.shape} and y_true {has.shape}: pass a probability for each row and label"
        )
    pairs = zip(has.T, p.T, strict=True)
    each = [checked(own, column, [False, True], sample_weight) for own, column in pairs]
    return np.array([_error(one, [one_class(one, 1)], n_bins, strategy, norm, debiased) for one in each])


def _error(
    forecasts: Forecasts,
    events: Iterable[tuple[FloatArray, BoolArray]],
    n_bins: int,
    strategy: Strategy,
    norm: float,
    debiased: bool,
) -> float:
    """The norm of the differences over the bins of all events, each a pair (probability, outcome)."""
    _check_norm(norm, debiased, forecasts.weights)
    differences, weights, noise = [], [], []
    for probability, true in events:
        bins = binned(probability, forecasts.weights, n_bins, strategy)
        filled = bins.weight > 0
        excess = probability - true
        mean = bins.mean(excess)
        differences.append(np.abs(mean[filled]))
        weights.append(bins.weight[filled])
        if debiased:
            noise.append(_squared_noise(bins, excess, mean)[filled])
    differences, weights = np.concatenate(differences), np.concatenate(weights)
    shares = weights / weights.sum()
    if debiased:
        squares = np.where(weights > 1, differences**2 - np.concatenate(noise), 0.0)
        return float(np.sqrt(max(shares @ squares, 0.0)))
    largest = differences.max()
    if norm == np.inf or largest == 0:
        return float(largest)
    # relative to the largest, because 0.01 ** 200 underflows
    return float(largest * (shares @ (differences / largest) ** norm) ** (1 / norm))


def _squared_noise(bins: Bins, excess: FloatArray, mean: FloatArray) -> FloatArray:
    """The estimated variance of the mean excess of each bin; not used for bins with one row."""
    spread = bins.mean((excess - mean[bins.bin_of_row]) ** 2)
    return spread / np.maximum(bins.weight - 1, 1)


def _check_norm(norm: float, debiased: bool, weights: FloatArray) -> None:
    if not isinstance(norm, numbers.Real):
        raise TypeError(f"norm={norm!r}: pass a number, 1 or more, or np.inf")
    if not norm >= 1:
        raise ValueError(f"norm={norm!r}: pass 1 or more, such as 1, 2 or np.inf")
    if not debiased:
        return
    if norm != 2:
        raise ValueError(
            f"debiased=True is known for squared differences only, not for norm={norm!r}: pass norm=2"
        )
    if (weights != np.round(weights)).any():
        fraction = weights[weights != np.round(weights)][0]
        raise ValueError(
            f"debiased=True counts the rows of each bin, and sample_weight has {fraction}: pass whole "
            "weights of 1e30 at most"
        )
