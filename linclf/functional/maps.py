"""Softmax and related maps: its logarithm, its normaliser, and the linear map it replaced.

Every map accepts scores of any leading shape and works along one axis. Rows are first shifted by their
maximum, so adding a constant to all scores of a row changes nothing, and nothing overflows.
"""

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray, Floats
from linclf.functional._blocks import Kernel, blockwise, top, total
from linclf.functional._inputs import as_axis, as_floats, positive

NEAR = 1.001  # below this sum, its logarithm would lose digits of the smaller terms


def softmax(scores: ArrayLike, axis: int = -1, *, out: FloatArray | None = None) -> FloatArray:
    r"""Probabilities ``p_k = exp(f_k) / sum_j exp(f_j)``.

    Parameters
    ----------
    scores : array-like of shape (..., K, ...)
        float32 stays float32; integers become float64. A score of -inf has probability 0. A row of
        only -inf has no distribution and gives NaN, as does a row with +inf or NaN.
    axis : int, default=-1
        The axis of the K classes.
    out : ndarray, optional
        Array for the result, of its shape and dtype; it may be ``scores``.

    Returns
    -------
    ndarray of the shape of scores
        ``out``, if given.

    Raises
    ------
    ValueError
        If the axis is out of range or empty, or ``out`` does not fit.
    TypeError
        If the scores are not real numbers.

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.

    Examples
    --------
    >>> from linclf.functional import softmax
    >>> softmax([2, 4, 2, 1]).round(4)
    array([0.1025, 0.7573, 0.1025, 0.0377])
    >>> softmax([1e4, 1e4, float("-inf")])
    array([0.5, 0.5, 0. ])
    """
    return _mapped(_softmax, scores, axis, out)


def log_softmax(scores: ArrayLike, axis: int = -1, *, out: FloatArray | None = None) -> FloatArray:
    r"""Log-probabilities ``log p_k = f_k - logsumexp(f)``, accurate even if p underflows.

    Parameters
    ----------
    scores : array-like of shape (..., K, ...)
        float32 stays float32; integers become float64. A score of -inf gives -inf. A row of only
        -inf gives NaN, as does a row with +inf or NaN.
    axis : int, default=-1
        The axis of the K classes.
    out : ndarray, optional
        Array for the result, of its shape and dtype; it may be ``scores``.

    Returns
    -------
    ndarray of the shape of scores
        ``out``, if given.

    Raises
    ------
    ValueError
        If the axis is out of range or empty, or ``out`` does not fit.
    TypeError
        If the scores are not real numbers.

    References
    ----------
    Blanchard, Higham & Higham, "Accurately computing the log-sum-exp and softmax functions", 2021.

    Examples
    --------
    >>> from linclf.functional import log_softmax
    >>> log_softmax([1000.0, 0.0])
    array([    0., -1000.])
    """
    return _mapped(_log_softmax, scores, axis, out)


def logsumexp(scores: ArrayLike, axis: int = -1, *, keepdims: bool = False) -> Floats:
    r"""``log(sum_k exp(f_k))``, the log-normaliser of softmax and a smooth maximum.

    Parameters
    ----------
    scores : array-like of shape (..., K, ...)
        float32 stays float32; integers become float64. A row of only -inf gives -inf (an empty
        sum), a row with +inf gives +inf.
    axis : int, default=-1
        The axis to sum over.
    keepdims : bool, default=False
        Keep that axis, with length 1.

    Returns
    -------
    ndarray without the axis, or a NumPy float for one row

    Raises
    ------
    ValueError
        If the axis is out of range or empty.
    TypeError
        If the scores are not real numbers.

    References
    ----------
    Blanchard, Higham & Higham, "Accurately computing the log-sum-exp and softmax functions", 2021.

    Examples
    --------
    >>> from linclf.functional import logsumexp
    >>> float(logsumexp([1000.0, 1000.0]).round(4))
    1000.6931
    >>> print(logsumexp([0.0, -40.0]))
    4.248354255291589e-18
    """
    scores = as_floats(scores, "scores")
    axis = as_axis(scores, axis, "scores")
    shape = (*scores.shape[:axis], 1, *scores.shape[axis + 1 :])
    found = blockwise(_logsumexp, scores, np.empty(shape, scores.dtype), axis)
    return found if keepdims else found.squeeze(axis)[()]


def linear_normalization(scores: ArrayLike, axis: int = -1) -> FloatArray:
    r"""Shares ``p_k = f_k / sum_j f_j`` of non-negative scores.

    Unlike softmax, it depends on ratios of scores and not on their differences: multiplying all scores
    by a factor changes nothing, but adding a constant does.

    Parameters
    ----------
    scores : array-like of shape (..., K, ...)
        Finite and non-negative, not all zero in a row.
    axis : int, default=-1
        The axis of the K classes.

    Returns
    -------
    ndarray of the shape of scores

    Raises
    ------
    ValueError
        If a score is negative or not finite, a row is all zero, or the axis is out of range or empty.
    TypeError
        If the scores are not real numbers.

    References
    ----------
    Luce, "Individual choice behavior", 1959.

    Examples
    --------
    >>> from linclf.functional import linear_normalization
    >>> linear_normalization([2, 4, 2, 1]).round(4)
    array([0.2222, 0.4444, 0.2222, 0.1111])
    """
    scores = as_floats(scores, "scores")
    axis = as_axis(scores, axis, "scores")
    wrong = ~((scores >= 0) & (scores < np.inf))
    if wrong.any():
        raise ValueError(
            f"scores has {scores[wrong][0]}, and shares need finite scores that are not negative; "
            "use softmax for scores of any sign"
        )
    largest = top(scores, axis)
    if not largest.all():
        raise ValueError(
            "scores has a row of zeros, which has no shares; leave it out or add a small constant"
        )
    shares = scores / largest  # sums of very large scores would overflow
    return np.divide(shares, total(shares, axis), out=shares)


def gibbs(energies: ArrayLike, temperature: float = 1.0, axis: int = -1) -> FloatArray:
    r"""Gibbs (Boltzmann) distribution ``p_k = exp(-E_k / T) / sum_j exp(-E_j / T)``.

    Parameters
    ----------
    energies : array-like of shape (..., K, ...)
        An energy of +inf has probability 0; a row of only +inf gives NaN.
    temperature : float > 0, default=1.0
        Near 0 all mass is on the lowest energies; towards infinity the distribution becomes uniform.
        ``T = 1 / ln b`` uses powers of b instead of e.
    axis : int, default=-1
        The axis of the K states.

    Returns
    -------
    ndarray of the shape of energies

    Raises
    ------
    ValueError
        If the temperature is not finite and positive, or the axis is out of range or empty.
    TypeError
        If the energies are not real numbers.

    References
    ----------
    Gibbs, "Elementary principles in statistical mechanics", 1902.

    Examples
    --------
    >>> from linclf.functional import gibbs
    >>> gibbs([-2, -4, -2, -1], temperature=1).round(4)
    array([0.1025, 0.7573, 0.1025, 0.0377])
    """
    energies = as_floats(energies, "energies")
    axis = as_axis(energies, axis, "energies")
    temperature = positive(temperature, "temperature", energies.dtype.type)
    with np.errstate(all="ignore"):  # shifted first: energies / T may overflow even if differences do not
        scores = np.minimum.reduce(energies, axis=axis, keepdims=True) - energies
        scores /= scores.dtype.type(temperature)
    return softmax(scores, axis, out=scores)


def _mapped(kernel: Kernel, scores: ArrayLike, axis: int, out: FloatArray | None) -> FloatArray:
    scores = as_floats(scores, "scores")
    axis = as_axis(scores, axis, "scores")
    if out is None:
        return blockwise(kernel, scores, np.empty_like(scores), axis)
    if not isinstance(out, np.ndarray) or out.shape != scores.shape or out.dtype != scores.dtype:
        given = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ValueError(
            f"out is {given}: pass an array of {scores.dtype} with shape {scores.shape}, or None"
        )
    overlap = out.ctypes.data != scores.ctypes.data and np.may_share_memory(out, scores)
    if out.strides == scores.strides and not overlap:
        return blockwise(kernel, scores, out, axis)
    # a block would overwrite one that is not yet read, or be summed in another order
    np.copyto(out, blockwise(kernel, scores, np.empty_like(scores), axis))
    return out


def _softmax(source: FloatArray, work: FloatArray | None, out: FloatArray, axis: int) -> None:
    work = np.subtract(source, top(source, axis), out=work)
    np.exp(work, out=work)
    np.divide(work, total(work, axis), out=out)


def _log_softmax(source: FloatArray, work: FloatArray | None, out: FloatArray, axis: int) -> None:
    work = np.subtract(source, top(source, axis), out=work)
    terms = np.exp(work)
    # float32 does not need it: the logarithm of a float32 probability rounded to 1 is 0 too
    exact = terms.dtype == np.float64
    np.subtract(work, _log_of_sum(terms, axis) if exact else np.log(total(terms, axis)), out=out)


def _logsumexp(source: FloatArray, work: FloatArray | None, out: FloatArray, axis: int) -> None:
    shift = top(source, axis)
    shift[~np.isfinite(shift)] = 0
    terms = np.subtract(source, shift, out=work)
    np.exp(terms, out=terms)
    np.add(_log_of_sum(terms, axis), shift, out=out)


def _log_of_sum(terms: FloatArray, axis: int) -> FloatArray:
    """Logarithm of the sum of terms whose maximum is 1, accurate even if the result is nearly 0."""
    sums = total(terms, axis)
    found = np.log(sums)
    if terms.shape[axis] == 1:
        return found
    near = (sums >= 1) & (sums < NEAR)
    if near.any():
        rows = np.moveaxis(terms, axis, -1)[near.squeeze(axis)]
        rows[np.arange(len(rows)), rows.argmax(axis=1)] = 0
        found[near] = np.log1p(rows.sum(axis=1))
    return found
