"""Scores of doubt: how far a row is from those that a classifier knows.

Each function takes the probabilities or the scores of n rows and returns larger values for more doubtful
rows, so ``roc_auc_score(is_unknown, doubt)`` measures how well it detects rows of unknown classes.
"""

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray
from linclf.functional import entropy, logsumexp
from linclf.functional._inputs import as_floats, positive
from linclf.metrics._forecasts import check_distributions


def max_probability_doubt(p: ArrayLike) -> FloatArray:
    """``1 - max_k p_k``, the probability that the predicted class is wrong.

    Parameters
    ----------
    p : array-like of shape (n, K)
        Class probabilities, ``predict_proba(X)``.

    Returns
    -------
    doubt : ndarray of shape (n,)
        From 0 to ``1 - 1/K``.

    Raises
    ------
    ValueError
        If p is not (n, K) with K >= 2, or a row is not a distribution.

    References
    ----------
    Hendrycks & Gimpel, "A baseline for detecting misclassified and out-of-distribution examples in
    neural networks", 2017.

    Examples
    --------
    >>> from linclf.metrics import max_probability_doubt
    >>> max_probability_doubt([[0.9, 0.1, 0.0], [0.4, 0.3, 0.3]]).round(2)
    array([0.1, 0.6])
    """
    return 1 - _probabilities(p).max(axis=1)


def entropy_doubt(p: ArrayLike) -> FloatArray:
    """Entropy ``-sum_k p_k log p_k`` of the class probabilities, in nats.

    Parameters
    ----------
    p : array-like of shape (n, K)
        Class probabilities, ``predict_proba(X)``.

    Returns
    -------
    doubt : ndarray of shape (n,)
        From 0 to log K.

    Raises
    ------
    ValueError
        If p is not (n, K) with K >= 2, or a row is not a distribution.

    References
    ----------
    Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from linclf.metrics import entropy_doubt
    >>> entropy_doubt([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]).round(3)
    array([0.   , 0.693])
    """
    return np.asarray(entropy(_probabilities(p)))


def margin_doubt(scores: ArrayLike) -> FloatArray:
    """Minus the lead of the best class over the second.

    Parameters
    ----------
    scores : array-like of shape (n, K) or (n,)
        Scores or class probabilities; (n,) is the ``decision_function`` of two classes.

    Returns
    -------
    doubt : ndarray of shape (n,)
        0 or less; -1 or more for probabilities.

    Raises
    ------
    ValueError
        If scores are neither (n,) nor (n, K) with K >= 2.

    References
    ----------
    Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction", 2001.

    Examples
    --------
    >>> from linclf.metrics import margin_doubt
    >>> margin_doubt([[3.0, 1.0, 0.5], [2.0, 1.5, 1.0]])
    array([-2. , -0.5])
    """
    scores = _both_scores(scores)
    second, best = np.partition(scores, -2, axis=1)[:, -2:].T
    return second - best


def energy_doubt(scores: ArrayLike, temperature: float = 1.0) -> FloatArray:
    """Energy ``-T logsumexp(f / T)``: high if no class has a high score.

    Unlike the other doubt scores, it changes when a constant is added to all scores of a row.

    Parameters
    ----------
    scores : array-like of shape (n, K) or (n,)
        ``decision_function(X)``; (n,), for two classes, stands for the scores (0, f).
    temperature : float > 0, default=1.0
        The T of the formula.

    Returns
    -------
    doubt : ndarray of shape (n,)
        In the unit of the scores.

    Raises
    ------
    ValueError
        If scores are neither (n,) nor (n, K) with K >= 2, or the temperature is not positive.

    References
    ----------
    Liu et al., "Energy-based out-of-distribution detection", 2020.

    Examples
    --------
    >>> from linclf.metrics import energy_doubt
    >>> energy_doubt([[5.0, 0.0, 0.0], [0.0, 0.0, 0.0]]).round(3)
    array([-5.013, -1.099])
    """
    scores = _both_scores(scores)
    T = scores.dtype.type(positive(temperature, "temperature", scores.dtype.type))
    largest = scores.max(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):  # a class with an infinite gap does not count
        gaps = (scores - largest[:, None]) / T
    return -(largest + T * logsumexp(gaps))


# name -> (function, its input: "predict_proba" or "decision_function")
DOUBT_SCORES = {
    "max_probability": (max_probability_doubt, "predict_proba"),
    "entropy": (entropy_doubt, "predict_proba"),
    "margin": (margin_doubt, "decision_function"),
    "energy": (energy_doubt, "decision_function"),
}


def _probabilities(p: ArrayLike) -> FloatArray:
    p = as_floats(p, "p")
    if p.ndim != 2 or p.shape[1] < 2:
        raise ValueError(f"p has shape {p.shape}: pass class probabilities (n, K), such as predict_proba(X)")
    check_distributions(p, "p")
    return p


def _both_scores(scores: ArrayLike) -> FloatArray:
    scores = as_floats(scores, "scores")
    if scores.ndim == 1:
        scores = np.column_stack([np.zeros_like(scores), scores])
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(
            f"scores have shape {scores.shape}: pass (n, K) with K >= 2, or (n,) for two classes"
        )
    return scores
