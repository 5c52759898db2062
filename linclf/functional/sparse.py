"""Sparsemax and alpha-entmax: relatives of softmax that give exact zeros.

One method for every alpha: Newton's iteration on the threshold of a row, for many rows at once.
"""

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray
from linclf.functional._blocks import COPIED_BYTES, SHORT, blockwise, top, total
from linclf.functional._inputs import as_axis, as_floats, same_shape


def sparsemax(scores: ArrayLike, axis: int = -1) -> FloatArray:
    r"""Euclidean projection of the scores onto the simplex: ``p_k = max(0, f_k - tau)``.

    Parameters
    ----------
    scores : array-like of shape (..., K, ...)
        float32 stays float32; integers become float64. A score of -inf has probability 0. A row of
        only -inf gives NaN, as does a row with +inf or NaN.
    axis : int, default=-1
        The axis of the K classes.

    Returns
    -------
    ndarray of the shape of scores
        Scores that are 1 or more below the largest always have probability 0.

    Raises
    ------
    ValueError
        If the axis is out of range or empty.
    TypeError
        If the scores are not real numbers.

    References
    ----------
    Martins & Astudillo, "From softmax to sparsemax", 2016.

    Examples
    --------
    >>> from linclf.functional import sparsemax
    >>> sparsemax([2, 4, 2, 1])
    array([0., 1., 0., 0.])
    >>> sparsemax([2.5, 3, 2.5, 1])
    array([0.16666667, 0.66666667, 0.16666667, 0.        ])
    """
    return entmax(scores, 2.0, axis)


def entmax(scores: ArrayLike, alpha: float = 1.5, axis: int = -1) -> FloatArray:
    r"""alpha-entmax, between softmax and sparsemax.

    ``p_k = max(0, 1 + (alpha - 1) (f_k - max f - c)) ^ (1 / (alpha - 1))``, with the c >= 0 for which
    they sum to 1. This p maximises ``p.f + H(p)``, where H is the Tsallis entropy
    ``sum_k (p_k - p_k^alpha) / (alpha (alpha - 1))``.

    Parameters
    ----------
    scores : array-like of shape (..., K, ...)
        float32 stays float32; integers become float64. A score of -inf has probability 0. A row of
        only -inf gives NaN, as does a row with +inf or NaN.
    alpha : float in (1, 2], default=1.5
        2 is sparsemax; the limit at 1 is softmax.
    axis : int, default=-1
        The axis of the K classes.

    Returns
    -------
    ndarray of the shape of scores
        Scores that are ``1 / (alpha - 1)`` or more below the largest always have probability 0.

    Raises
    ------
    ValueError
        If alpha is not in (1, 2], or the axis is out of range or empty.
    TypeError
        If the scores are not real numbers.

    References
    ----------
    Peters, Niculae & Martins, "Sparse sequence-to-sequence models", 2019.
    Blondel, Martins & Niculae, "Learning with Fenchel-Young losses", 2020.

    Examples
    --------
    >>> from linclf.functional import entmax
    >>> entmax([2, 3, 2, 0]).round(4)
    array([0.1299, 0.7403, 0.1299, 0.    ])
    >>> entmax([2, 4, 2, 1], alpha=1.01).round(4)  # softmax has 0.1025, 0.7573, 0.1025, 0.0377
    array([0.1006, 0.7628, 0.1006, 0.036 ])
    """
    scores = as_floats(scores, "scores")
    axis = as_axis(scores, axis, "scores")
    alpha = _checked(alpha)
    reach = -1 / (alpha - 1)

    def kernel(source: FloatArray, work: FloatArray | None, out: FloatArray, axis: int) -> None:
        largest = top(source, axis)
        shifted = np.subtract(source, largest, out=work)
        if axis == 0 or shifted.shape[axis] < SHORT:
            columns = shifted if axis == 0 else np.moveaxis(shifted, axis, 0)
            columns = np.ascontiguousarray(columns)
            p = _newton(columns.reshape(len(columns), -1), alpha).reshape(columns.shape)
            out[...] = p if axis == 0 else np.moveaxis(p, 0, axis)
        else:
            rows = np.moveaxis(shifted, axis, -1)
            p = _among_candidates(rows.reshape(-1, rows.shape[-1]), alpha, reach).reshape(rows.shape)
            out[...] = np.moveaxis(p, -1, axis)
        wrong = ~np.isfinite(largest)
        if wrong.any():
            np.copyto(out, np.nan, where=wrong)

    return blockwise(kernel, scores, np.empty_like(scores), axis, block=COPIED_BYTES)


def sparsemax_jvp(p: ArrayLike, direction: ArrayLike, axis: int = -1) -> FloatArray:
    r"""Derivative of `sparsemax` in a direction, from its output: v minus its mean on the support.

    Parameters
    ----------
    p : array-like of shape (..., K, ...)
        Output of `sparsemax`.
    direction : array-like of the same shape
        The v of J v. The Jacobian J is symmetric, so v may also be a gradient to backpropagate.
    axis : int, default=-1
        The axis of the K classes.

    Returns
    -------
    ndarray of the shape of p
        If a score is exactly at the threshold, sparsemax has a kink, and this is one of the one-sided
        derivatives.

    Raises
    ------
    ValueError
        If the shapes differ, or the axis is out of range or empty.
    TypeError
        If p or the direction do not hold real numbers.

    References
    ----------
    Martins & Astudillo, "From softmax to sparsemax", 2016.

    Examples
    --------
    >>> from linclf.functional import sparsemax, sparsemax_jvp
    >>> sparsemax_jvp(sparsemax([2.5, 3, 2.5, 1]), [1, 0, 0, 5])
    array([ 0.66666667, -0.33333333, -0.33333333,  0.        ])
    """
    return entmax_jvp(p, direction, 2.0, axis)


def entmax_jvp(p: ArrayLike, direction: ArrayLike, alpha: float = 1.5, axis: int = -1) -> FloatArray:
    r"""Derivative of `entmax` in a direction, from its output.

    ``J v = s * v - s (s.v) / sum(s)``, with ``s_k = p_k ^ (2 - alpha)`` on the support and 0 elsewhere.

    Parameters
    ----------
    p : array-like of shape (..., K, ...)
        Output of `entmax`.
    direction : array-like of the same shape
        The v of J v. The Jacobian J is symmetric, so v may also be a gradient to backpropagate.
    alpha : float in (1, 2], default=1.5
        The alpha of p.
    axis : int, default=-1
        The axis of the K classes.

    Returns
    -------
    ndarray of the shape of p
        A row of NaN gives NaN.

    Raises
    ------
    ValueError
        If alpha is not in (1, 2], the shapes differ, or the axis is out of range or empty.
    TypeError
        If p or the direction do not hold real numbers.

    References
    ----------
    Peters, Niculae & Martins, "Sparse sequence-to-sequence models", 2019.

    Examples
    --------
    >>> from linclf.functional import entmax, entmax_jvp
    >>> entmax_jvp(entmax([2, 3, 2, 0]), [1, 0, 0, 0]).round(4)
    array([ 0.2782, -0.1961, -0.0821,  0.    ])
    """
    p, direction = as_floats(p, "p"), as_floats(direction, "direction")
    same_shape(p, direction, ("p", "direction"))
    axis = as_axis(p, axis, "p")
    alpha = _checked(alpha)
    p = np.maximum(p, 0)
    s = np.sign(p) if alpha == 2 else p ** p.dtype.type(2 - alpha)
    direction = np.where(p == 0, 0, direction)  # it may be infinite off the support
    terms = s * direction
    sums = [np.sum(a, axis=axis, dtype=np.float64, keepdims=True) for a in (terms, s)]
    mean = (sums[0] / sums[1]).astype(terms.dtype)
    return np.where(p == 0, 0, s * (direction - mean))


def _checked(alpha: float) -> float:
    try:
        number = float(alpha)
    except (TypeError, ValueError):
        raise TypeError(f"alpha={alpha!r}: pass a number in (1, 2]") from None
    if not 1 < number <= 2:
        raise ValueError(f"alpha={alpha!r}: pass a number in (1, 2]; the limit at 1 is softmax")
    return number


def _among_candidates(rows: FloatArray, alpha: float, reach: float) -> FloatArray:
    """p of rows with maximum 0, from the entries above ``reach`` (< 0)."""
    n, length = rows.shape
    at = np.flatnonzero(rows > reach)
    if 4 * len(at) > rows.size:
        return _newton(rows.T.copy(), alpha).T
    row = at // length
    counts = np.bincount(row, minlength=n)
    # the candidates of a row become the first entries of a column
    place = (np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)) * n + row
    columns = np.full((counts.max(), n), -np.inf, rows.dtype)
    columns.reshape(-1)[place] = rows.reshape(-1)[at]
    p = np.zeros(rows.size, rows.dtype)
    p[at] = _newton(columns, alpha).reshape(-1)[place]
    return p.reshape(rows.shape)


def _newton(s: FloatArray, alpha: float) -> FloatArray:
    """p of the columns of s, whose maxima are 0; s is overwritten.

    With s and the threshold multiplied by alpha - 1, let ``x_k = max(0, 1 + s_k - d)``, m = 1 / (alpha - 1)
    and S(d) the sum of ``p_k = x_k^m``. The iteration finds the root of ``S^(1/m) - 1``, an m-norm minus 1:
    convex and decreasing in d, and non-negative at d = 0. So Newton's steps from there increase d and never
    overshoot, and for alpha = 2 there are at most as many as classes.
    """
    if alpha < 2:
        s *= s.dtype.type(alpha - 1)
    threshold = np.zeros(s.shape[1], s.dtype)
    d, part, columns = threshold, s, None
    rounding = s.dtype.type(1 + 4 * np.finfo(s.dtype).eps)
    for _ in range(len(s) + 64):
        S, step = _step(part, d, alpha)
        new = d + step
        moves = (rounding < S) & (d < new)
        left = np.count_nonzero(moves)
        if not left:
            break
        d = np.where(moves, new, d)
        if columns is None:
            threshold = d
        else:
            threshold[columns] = d
        if 2 * left < len(d):
            rest = np.flatnonzero(moves)
            columns = rest if columns is None else columns[rest]
            part, d = part.take(rest, axis=1), d[rest]
    p = _power(np.subtract(s, threshold, out=s), alpha)[0]
    p *= 1 / total(p, 0)
    return p


def _step(s: FloatArray, d: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    """The sums S at d, and Newton's step from there, ``(S - S^(2 - alpha)) / sum_k p_k / x_k``."""
    p, x = _power(s - d, alpha)
    S = total(p, 0)[0]
    if alpha == 2:
        return S, (S - 1) / total(np.ceil(x, out=x), 0)[0]  # x <= 1: the size of the support
    if alpha == 1.5:
        return S, (S - np.sqrt(S)) / total(x, 0)[0]
    excess = -S * np.expm1(S.dtype.type(1 - alpha) * np.log(S))
    return S, excess / total(np.divide(p, x, out=x), 0)[0]


def _power(u: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    """(p, x) with ``x = max(0, 1 + u)`` and ``p = x^(1 / (alpha - 1))``; u is overwritten."""
    if alpha in (1.5, 2):
        u += 1
        x = np.maximum(u, 0, out=u)
        return (x * x if alpha == 1.5 else x), x
    np.maximum(u, -1, out=u)
    # log1p, because the exponent would amplify the rounding error of 1 + u
    p = np.log1p(u)
    p *= p.dtype.type(1 / (alpha - 1))
    np.exp(p, out=p)
    u += 1
    return p, np.maximum(u, np.finfo(u.dtype).tiny, out=u)
