"""What a fit publishes and what predicting computes with it, in NumPy and SciPy only."""

import math

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms, safe_sparse_dot

from linclf.heads import Cosine

IN_CACHE = 2**20  # scores of the rows whose largest are looked for at once
FEW = 4  # a sparse block is small where it has no value of so many features for each that it has


def fitted(W, b, classes, session):
    """The attributes that predicting needs; for two classes the difference of the two rows."""
    b = b - session.offset
    if len(W) == len(classes) == 2:
        W, b = W[1:] - W[:1], b[1:] - b[:1]
    with np.errstate(over="ignore"):
        attributes = {"classes_": classes, "coef_": np.ascontiguousarray(W, session.dtype)}
        attributes["intercept_"] = b.astype(session.dtype)
    largest = np.abs(W).max(axis=0)
    if not (np.isfinite(attributes["intercept_"]).all() and largest.max() <= np.finfo(session.dtype).max):
        raise ValueError(
            f"the coefficients of column {largest.argmax()} reach {largest.max():.1e} and overflow "
            f"{session.dtype}; scale the columns of X, or use a larger alpha"
        )
    if isinstance(session.head, Cosine):
        attributes["constant_"] = session.head.intercept
    return attributes


def scores_of(X, W, b, head):
    """Scores (n, K) in NumPy and SciPy only, so that predicting waits for no compiler."""
    W = W.astype(X.dtype, copy=False)
    if sparse.issparse(X):
        X, W = _met(X, W)
    scores = safe_sparse_dot(X, W.T, dense_output=True)
    scores += b.astype(X.dtype, copy=False)
    if isinstance(head, Cosine):
        norms = np.sqrt(row_norms(X, squared=True) + X.dtype.type(head.intercept) ** 2)
        # a norm that overflows must not look like a cosine of 0
        scores /= np.where(norms < np.inf, np.where(norms > 0, norms, 1), np.nan)[:, None]
    return scores


def decisions(scores, loss):
    """What ``decision_function`` makes of the scores: for two classes one, positive for the second."""
    scores = loss.class_scores(scores) if hasattr(loss, "class_scores") else scores
    if scores.shape[1] == 2:
        return scores[:, 1] - scores[:, 0]
    return scores.ravel() if scores.shape[1] == 1 else scores


def _met(X, W):
    """Sparse rows and weights without the features that few rows do not have.

    SciPy copies all weights where ``W.T`` is not in C order: for one row it takes 100 times the product.
    """
    if W.T.flags.c_contiguous or FEW * X.nnz > X.shape[1]:
        return X, W
    columns, indices = np.unique(X.indices, return_inverse=True)
    indices = indices.astype(X.indptr.dtype)
    return sparse.csr_array((X.data, indices, X.indptr), shape=(X.shape[0], len(columns))), W[:, columns]


def weights_for(X, W):
    """Weights in the dtype of the rows, and laid out for them: once, where they are met in many blocks."""
    return W.astype(X.dtype, order="F" if sparse.issparse(X) else "K", copy=False)


def row_blocks(n_rows, n_scores, limit):
    """Slices of rows that have ``limit`` scores together, ``n_scores`` a row; one row at least."""
    size = max(1, int(min(limit / n_scores, n_rows)))
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def largest(scores, k):
    """Indices (n, k) of the k largest scores of each row, best first, ties in the order of the classes."""
    n, K = scores.shape
    if k == 1:
        return scores.argmax(axis=1)[:, None]
    found = np.empty((n, k), np.intp)
    for part in row_blocks(n, K, IN_CACHE):
        found[part] = _largest(scores[part], k)
    return found


def _largest(scores, k):
    """The same for rows that stay in the cache.

    A partition of all scores costs as much as the matrix product that they come from. So the classes
    are cut into chunks (class j is in chunk j mod C, so that maxima are taken over contiguous rows),
    and what is among the k largest is in one of the k chunks of the largest maxima.
    """
    n, K = scores.shape
    if 4 * k > K:
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]
    size = math.isqrt(K // k)
    C = K // size  # at least 2k, as K >= 4k
    maxima = scores[:, : size * C].reshape(n, size, C).max(axis=1)
    chunks = np.argpartition(maxima, C - k - 1, axis=1)[:, C - k - 1 :]
    columns = (chunks[:, 1:, None] + C * np.arange(size)).reshape(n, -1)
    rest = np.broadcast_to(np.arange(size * C, K), (n, K - size * C))
    columns = np.concatenate([columns, rest], axis=1)
    candidates = np.take_along_axis(scores, columns, axis=1)
    first = columns.shape[1] - k - 1
    best = np.argpartition(candidates, first, axis=1)[:, first:]
    # the largest that is left out, of the chunks and of the candidates: a tie with it is for class order
    left_out = np.maximum(
        np.take_along_axis(maxima, chunks[:, :1], axis=1), np.take_along_axis(candidates, best[:, :1], axis=1)
    )
    found = np.sort(np.take_along_axis(columns, best[:, 1:], axis=1), axis=1)
    values = np.take_along_axis(scores, found, axis=1)
    for row in np.flatnonzero(values.min(axis=1) == left_out[:, 0]):
        found[row] = _first_of_ties(scores[row], k, left_out[row, 0])
        values[row] = scores[row, found[row]]
    return np.take_along_axis(found, np.argsort(-values, axis=1, kind="stable"), axis=1)


def _first_of_ties(scores, k, last):
    """The k largest scores of a row in class order, where the k-th has the value ``last``."""
    above = np.flatnonzero(scores > last)
    return np.sort(np.append(above, np.flatnonzero(scores == last)[: k - len(above)]))


def class_means(data, n_classes, rng):
    """Mean direction of the rows of each class, where the cosine losses start.

    A class without a direction (no rows yet, or rows that cancel) gets a random one.
    """
    norms = np.sqrt(row_norms(data.X, squared=True))
    share = np.divide(data.weights, norms, out=np.zeros_like(data.weights), where=norms > 0)
    member = data.y * share[:, None] if data.y.ndim == 2 else None
    if member is None:
        n = len(share)
        member = sparse.csr_array((share, data.y, np.arange(n + 1)), shape=(n, n_classes))
    if sparse.issparse(data.X):  # whose products scikit-learn makes in one precision
        member = member.astype(data.X.dtype, copy=False)
    W = safe_sparse_dot(member.T, data.X, dense_output=True)
    lengths = np.linalg.norm(W, axis=1)
    lost = lengths <= max(1e-12, 64 * np.finfo(data.X.dtype).eps) * max(lengths.max(), 1e-300)
    W[lost] = rng.standard_normal((lost.sum(), W.shape[1]))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    return W, np.zeros(n_classes)
