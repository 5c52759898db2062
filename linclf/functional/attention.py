"""Attention (softmax over the keys of a query), and softmax within groups of rows."""

from math import prod, sqrt
from numbers import Integral
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray, IntArray
from linclf.functional._inputs import as_floats

# a tile of scores is a few megabytes; smaller tiles are not faster
QUERIES, KEYS = 512, 1024


def attention(
    queries: ArrayLike,
    keys: ArrayLike,
    values: ArrayLike,
    *,
    scale: float | None = None,
    causal: bool = False,
) -> FloatArray:
    r"""Scaled dot-product attention, ``softmax(Q K' / sqrt(d)) V``.

    The matrix of weights is never formed: keys are processed in blocks, with a running maximum and sum
    for each query, so memory is linear in the number of queries and keys.

    Parameters
    ----------
    queries : array-like of shape (..., n, d)
    keys : array-like of shape (..., m, d)
    values : array-like of shape (..., m, e)
        Leading dimensions broadcast. If all are float32 the result is float32; integers become float64.
    scale : float, optional
        Factor of the dot products; ``1 / sqrt(d)`` by default.
    causal : bool, default=False
        Query i attends only to the keys 0 to i.

    Returns
    -------
    ndarray of shape (..., n, e)
        NaN for a query whose dot products are all -inf, or include +inf or NaN.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are no keys, or the scale is not a finite number.
    TypeError
        If an argument does not hold real numbers.

    References
    ----------
    Vaswani et al., "Attention is all you need", 2017.
    Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018.
    Rabe & Staats, "Self-attention does not need O(n^2) memory", 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.functional import attention
    >>> X = np.eye(3)
    >>> attention(X, X, X, scale=1.0).round(4)
    array([[0.5761, 0.2119, 0.2119],
           [0.2119, 0.5761, 0.2119],
           [0.2119, 0.2119, 0.5761]])
    >>> attention(X, X, X, scale=1.0, causal=True).round(4)
    array([[1.    , 0.    , 0.    ],
           [0.2689, 0.7311, 0.    ],
           [0.2119, 0.2119, 0.5761]])
    """
    Q, K, V = as_floats(queries, "queries"), as_floats(keys, "keys"), as_floats(values, "values")
    batch = _batch_shape(Q, K, V)
    scale = 1 / sqrt(Q.shape[-1]) if scale is None else _checked_scale(scale)
    out = np.empty((*batch, Q.shape[-2], V.shape[-1]), np.result_type(Q, K, V))
    if not out.size:
        return out
    with np.errstate(under="ignore", invalid="ignore"):  # undefined results are NaN
        part = _part(V)
        if part < 1:
            V = V * V.dtype.type(part)
        Q, K, V = (np.broadcast_to(a, (*batch, *a.shape[-2:])) for a in (Q, K, V))
        _attend(Q, K, V, out, out.dtype.type(scale), causal)
        if part < 1:
            out /= out.dtype.type(part)
    return out


def segment_softmax(scores: ArrayLike, segments: ArrayLike, n_segments: int | None = None) -> FloatArray:
    r"""One softmax for each group of rows: ``p_i = exp(f_i) / sum_{j: s_j = s_i} exp(f_j)``.

    Parameters
    ----------
    scores : array-like of shape (n, ...)
        float32 stays float32; integers become float64. A score of -inf has probability 0. A group of
        only -inf gives NaN, as does one with +inf or NaN. Entries along further axes are independent.
    segments : array-like of int of shape (n,)
        The group of each row, in any order; for example the node that an edge of a graph points to.
    n_segments : int, optional
        Number of groups; ids at or above it are an error. Groups may be empty.

    Returns
    -------
    ndarray of the shape of scores

    Raises
    ------
    ValueError
        If the shapes do not fit or an id is out of range.
    TypeError
        If the scores are not real numbers or the ids not integers.

    References
    ----------
    Velickovic et al., "Graph attention networks", 2018.

    Examples
    --------
    >>> from linclf.functional import segment_softmax
    >>> segment_softmax([2, 0, 4, 2, 0, 1], [1, 0, 1, 1, 0, 1]).round(4)
    array([0.1025, 0.5   , 0.7573, 0.1025, 0.5   , 0.0377])
    """
    scores, ids = as_floats(scores, "scores"), _checked_segments(segments, n_segments)
    if not scores.ndim or ids.shape != scores.shape[:1]:
        raise ValueError(
            f"segments has shape {ids.shape} and scores {scores.shape}: pass one id for each row of scores"
        )
    if not scores.size:
        return scores.copy()
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.r_[True, ids[order][1:] != ids[order][:-1]])
    lengths = np.diff(starts, append=len(ids))
    p = scores[order]
    with np.errstate(all="ignore"):  # undefined results are NaN
        p -= np.repeat(np.maximum.reduceat(p, starts, axis=0), lengths, axis=0)
        np.exp(p, out=p)
        sums = np.add.reduceat(p, starts, axis=0, dtype=np.float64)
        p /= np.repeat(sums.astype(p.dtype), lengths, axis=0)
    result = np.empty_like(p)
    result[order] = p
    return result


def _checked_scale(scale: float) -> float:
    try:
        number = float(scale)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(f"scale={scale!r}: pass a finite number, or None for 1 / sqrt(d)")
    return number


def _part(values: FloatArray) -> float:
    """A factor for the values that keeps their sum from overflowing before the division by weights."""
    n = values.shape[-2]
    return 1.0 if np.abs(values).max() <= np.finfo(values.dtype).max / n else 0.5 ** n.bit_length()


def _batch_shape(Q: FloatArray, K: FloatArray, V: FloatArray) -> tuple[int, ...]:
    for name, array in (("queries", Q), ("keys", K), ("values", V)):
        if array.ndim < 2:
            raise ValueError(f"{name} has shape {array.shape}: pass at least two axes, rows and features")
    if Q.shape[-1] != K.shape[-1] or not Q.shape[-1]:
        raise ValueError(
            f"queries has {Q.shape[-1]} features and keys {K.shape[-1]}: pass equally many, at least one"
        )
    if K.shape[-2] != V.shape[-2] or not K.shape[-2]:
        raise ValueError(
            f"keys has {K.shape[-2]} rows and values {V.shape[-2]}: pass equally many, at least one"
        )
    try:
        return np.broadcast_shapes(Q.shape[:-2], K.shape[:-2], V.shape[:-2])
    except ValueError:
        shapes = ", ".join(str(a.shape) for a in (Q, K, V))
        raise ValueError(
            f"queries, keys and values have shapes {shapes}: pass leading axes that broadcast"
        ) from None


def _attend(
    Q: FloatArray, K: FloatArray, V: FloatArray, out: FloatArray, scale: np.float32 | np.float64, causal: bool
) -> None:
    """Fill ``out``, several small problems at a time, large ones one by one."""
    n, m = Q.shape[-2], K.shape[-2]
    each = prod(Q.shape[1:-2]) * min(n, QUERIES) * min(m, KEYS)
    if Q.ndim > 2 and len(Q) * each > QUERIES * KEYS:
        step = max(1, QUERIES * KEYS // each)
        for i in range(0, len(Q), step):
            part = i if step == 1 else slice(i, i + step)
            _attend(Q[part], K[part], V[part], out[part], scale, causal)
        return
    for i in range(0, n, QUERIES):
        rows = slice(i, min(i + QUERIES, n))
        seen = min(rows.stop, m) if causal else m
        out[..., rows, :] = _weighted_mean(Q[..., rows, :] * scale, K, V, seen, i if causal else None)


def _weighted_mean(Q: FloatArray, K: FloatArray, V: FloatArray, seen: int, first: int | None) -> FloatArray:
    """Attention of some queries; with a causal mask, ``first`` is the position of the first query."""
    top, total, mean = -np.inf, 0, 0
    for j in range(0, seen, KEYS):
        keys = slice(j, min(j + KEYS, seen))
        scores = Q @ np.swapaxes(K[..., keys, :], -1, -2)
        if first is not None and keys.stop > first + 1:
            hidden = np.arange(j, keys.stop) > first + np.arange(Q.shape[-2])[:, None]
            np.copyto(scores, -np.inf, where=hidden)
        new = np.maximum(top, np.maximum.reduce(scores, axis=-1, keepdims=True))
        # if all scores so far are -inf, later blocks may still have finite ones
        shift = np.where(new == -np.inf, new.dtype.type(0), new)
        scores -= shift
        weights = np.exp(scores, out=scores)
        kept = np.exp(top - shift)
        total = total * kept + np.add.reduce(weights, axis=-1, keepdims=True)
        mean = mean * kept + weights @ V[..., keys, :]
        top = new
    return cast("FloatArray", mean / total)  # plain numbers only before the first block


def _checked_segments(segments: ArrayLike, n_segments: int | None) -> IntArray:
    ids = np.asarray(segments)
    if n_segments is not None and (not isinstance(n_segments, Integral) or n_segments < 1):
        raise ValueError(f"n_segments={n_segments!r}: pass the number of groups, an integer above 0, or None")
    if ids.dtype.kind not in "iu" and ids.size:
        raise TypeError(f"segments has dtype {ids.dtype}: pass integers, one id for each row of scores")
    bound = np.inf if n_segments is None else n_segments
    wrong = (ids < 0) | (ids >= bound)
    if wrong.any():
        allowed = "ids that are not negative" if n_segments is None else f"ids from 0 to {n_segments - 1}"
        raise ValueError(f"segments has {ids[wrong][0]}: pass {allowed}")
    return ids
