"""What a fit publishes and what predicting computes with it, in NumPy and SciPy only."""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms, safe_sparse_dot

from linclf.heads import Cosine


def fitted(W, b, classes, session):
    """The attributes that predicting needs; for two classes the difference of the two rows."""
    b = b - session.offset
    if len(W) == 2:
        W, b = W[1:] - W[:1], b[1:] - b[:1]
    attributes = {"classes_": classes, "coef_": np.ascontiguousarray(W, session.dtype)}
    attributes["intercept_"] = b.astype(session.dtype)
    if isinstance(session.head, Cosine):
        attributes["constant_"] = session.head.intercept
    return attributes


def scores_of(X, W, b, head):
    """Scores (n, K) in NumPy and SciPy only, so that predicting waits for no compiler."""
    scores = safe_sparse_dot(X, W.T.astype(X.dtype, copy=False), dense_output=True)
    scores += b.astype(X.dtype, copy=False)
    if isinstance(head, Cosine):
        norms = np.sqrt(row_norms(X, squared=True) + X.dtype.type(head.intercept) ** 2)
        scores /= np.where(norms > 0, norms, 1)[:, None]
    return scores


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
    W = safe_sparse_dot(member.T, data.X, dense_output=True)
    lengths = np.linalg.norm(W, axis=1)
    lost = lengths <= 1e-12 * max(lengths.max(), 1e-300)
    W[lost] = rng.standard_normal((lost.sum(), W.shape[1]))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    return W, np.zeros(n_classes)
