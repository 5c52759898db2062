"""Entropy and divergences of distributions, in nats or bits."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, kl_div

from linclf._types import FloatArray, Floats
from linclf.functional._inputs import as_axis, as_floats, same_shape

_UNITS = {"nats": 1.0, "bits": np.log(2)}


def entropy(p: ArrayLike, axis: int = -1, *, unit: Literal["nats", "bits"] = "nats") -> Floats:
    r"""Shannon's entropy ``-sum_k p_k log p_k``, with ``0 log 0 = 0``.

    Parameters
    ----------
    p : array-like of shape (..., K, ...)
        Probabilities; their sums are not checked.
    axis : int, default=-1
        The axis of the K classes.
    unit : {"nats", "bits"}, default="nats"
        Base of the logarithm: e or 2.

    Returns
    -------
    ndarray without the axis, or a NumPy float for one distribution

    Raises
    ------
    ValueError
        If a probability is negative or NaN, the unit is unknown, or the axis is out of range or empty.
    TypeError
        If p does not hold real numbers.

    References
    ----------
    Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from linclf.functional import entropy
    >>> float(entropy([0.5, 0.25, 0.25, 0], unit="bits"))
    1.5
    """
    p, axis = _checked(p, axis, "p")
    return _summed(entr(p), axis, unit, p.dtype)


def cross_entropy(
    p: ArrayLike, q: ArrayLike, axis: int = -1, *, unit: Literal["nats", "bits"] = "nats"
) -> Floats:
    r"""Cross-entropy ``-sum_k p_k log q_k``: entropy of p plus KL divergence of q from p.

    Parameters
    ----------
    p, q : array-like of shape (..., K, ...)
        True and predicted probabilities; their sums are not checked.
    axis : int, default=-1
        The axis of the K classes.
    unit : {"nats", "bits"}, default="nats"
        Base of the logarithm: e or 2.

    Returns
    -------
    ndarray without the axis, or a NumPy float for one pair
        +inf if some ``p_k > 0`` has ``q_k = 0``.

    Raises
    ------
    ValueError
        If a probability is negative or NaN, the shapes differ, the unit is unknown, or the axis is
        out of range or empty.
    TypeError
        If p or q do not hold real numbers.

    References
    ----------
    Good, "Rational decisions", 1952.

    Examples
    --------
    >>> from linclf.functional import cross_entropy
    >>> float(cross_entropy([0.5, 0.5, 0], [0.25, 0.25, 0.5], unit="bits"))
    2.0
    """
    p, q, axis = _pair(p, q, axis)
    with np.errstate(divide="ignore"):
        logs = np.log(q)
    # the product of -inf and 0 would be NaN
    terms = np.multiply(p, logs, out=np.zeros(p.shape, np.result_type(p, q)), where=p > 0)
    return _summed(-terms, axis, unit, terms.dtype)


def kl_divergence(
    p: ArrayLike, q: ArrayLike, axis: int = -1, *, unit: Literal["nats", "bits"] = "nats"
) -> Floats:
    r"""Kullback-Leibler divergence ``sum_k p_k log(p_k / q_k)``: never negative, and 0 only if p = q.

    Computed as ``sum_k (p_k log(p_k / q_k) - p_k + q_k)``, which is the same if both sum to 1.

    The mean log loss of a model is, up to the entropy of the labels, this divergence of its predictions
    from the observed labels, so maximum likelihood minimises it.

    Parameters
    ----------
    p, q : array-like of shape (..., K, ...)
        True and predicted probabilities; their sums are not checked.
    axis : int, default=-1
        The axis of the K classes.
    unit : {"nats", "bits"}, default="nats"
        Base of the logarithm: e or 2.

    Returns
    -------
    ndarray without the axis, or a NumPy float for one pair
        +inf if some ``p_k > 0`` has ``q_k = 0``.

    Raises
    ------
    ValueError
        If a probability is negative or NaN, the shapes differ, the unit is unknown, or the axis is
        out of range or empty.
    TypeError
        If p or q do not hold real numbers.

    References
    ----------
    Kullback & Leibler, "On information and sufficiency", 1951.

    Examples
    --------
    >>> from linclf.functional import kl_divergence
    >>> float(kl_divergence([0.5, 0.5, 0], [0.25, 0.25, 0.5], unit="bits"))
    1.0
    """
    p, q, axis = _pair(p, q, axis)
    # the sums of rounded p and q differ, so sum p log(p / q) alone could be negative
    terms = np.maximum(kl_div(p, q, dtype=np.float64), 0)
    return _summed(terms, axis, unit, np.result_type(p, q))


def perplexity(p: ArrayLike, axis: int = -1) -> Floats:
    r"""``exp(entropy(p))``: the number of equally likely classes with the same entropy.

    Parameters
    ----------
    p : array-like of shape (..., K, ...)
        Probabilities; their sums are not checked.
    axis : int, default=-1
        The axis of the K classes.

    Returns
    -------
    ndarray without the axis, or a NumPy float for one distribution

    Raises
    ------
    ValueError
        If a probability is negative or NaN, or the axis is out of range or empty.
    TypeError
        If p does not hold real numbers.

    References
    ----------
    Jelinek et al., "Perplexity: a measure of the difficulty of speech recognition tasks", 1977.

    Examples
    --------
    >>> from linclf.functional import perplexity
    >>> float(perplexity([0.25, 0.25, 0.25, 0.25, 0]).round(12))
    4.0
    """
    return np.exp(entropy(p, axis))


def _checked(p: ArrayLike, axis: int, name: str) -> tuple[FloatArray, int]:
    p = as_floats(p, name)
    wrong = ~(p >= 0)
    if wrong.any():
        raise ValueError(f"{name} has {p[wrong].flat[0]}: pass probabilities, such as softmax(scores)")
    return p, as_axis(p, axis, name)


def _pair(p: ArrayLike, q: ArrayLike, axis: int) -> tuple[FloatArray, FloatArray, int]:
    p, axis = _checked(p, axis, "p")
    q = _checked(q, axis, "q")[0]
    same_shape(p, q, ("p", "q"))
    return p, q, axis


def _summed(
    terms: FloatArray, axis: int, unit: Literal["nats", "bits"], dtype: np.dtype[np.float32 | np.float64]
) -> Floats:
    if unit not in _UNITS:
        raise ValueError(f"unit={unit!r}: pass one of {', '.join(map(repr, _UNITS))}")
    # float64, because NumPy's sums of float32 along the first axis lose digits
    nats = terms.sum(axis=axis, dtype=np.float64)
    return (nats / _UNITS[unit] + 0.0).astype(dtype)  # never -0.0
