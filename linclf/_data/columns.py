"""Restriction of sparse rows to the features that occur, so that the others cost nothing."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from linclf._types import FloatArray, IntArray, Matrix

SORTED = 16  # sorting a value costs as much as checking this many features


class Columns(NamedTuple):
    """The sorted features that are the columns of narrowed rows."""

    at: IntArray
    n_features: int  # of the original rows

    def narrowed(self, X: Matrix) -> Matrix:
        """The rows with only these features."""
        if not sparse.issparse(X):
            return X[:, self.at]
        position = np.full(self.n_features, -1, X.indices.dtype)
        position[self.at] = np.arange(len(self.at))
        indices = position[X.indices]
        if indices.min(initial=0) >= 0:
            return _rows(X.data, indices, X.indptr, len(self.at))
        kept = np.flatnonzero(indices >= 0)
        starts = np.searchsorted(kept, X.indptr).astype(X.indptr.dtype)
        return _rows(X.data[kept], indices[kept], starts, len(self.at))

    def widened(self, W: FloatArray) -> FloatArray:
        """Weights of all features, with 0 for the others."""
        whole = np.zeros((len(W), self.n_features), W.dtype)
        whole[:, self.at] = W
        return whole

    def without(self, values: np.ndarray) -> np.ndarray:
        """The values of the other features, given one value per feature."""
        return np.delete(values, self.at)

    def including(self, features: IntArray, X: Matrix) -> "tuple[Columns, Matrix]":
        """Add features, and give the narrowed rows columns for them."""
        at = np.union1d(self.at, features)
        if len(at) == len(self.at):
            return self, X
        indices = np.searchsorted(at, self.at).astype(X.indices.dtype)[X.indices]
        return Columns(at, self.n_features), _rows(X.data, indices, X.indptr, len(at))


def occurring(X: Matrix, rows: IntArray | None = None) -> Columns:
    """The features of many rows, in time linear in the stored values plus the features."""
    seen, indices = np.zeros(X.shape[1], bool), X.indices
    if rows is not None:
        chosen = np.zeros(X.shape[0], bool)
        chosen[rows] = True
        indices = indices[np.repeat(chosen, np.diff(X.indptr))]
    seen[indices] = True
    return Columns(np.flatnonzero(seen), X.shape[1])


def of_part(X: Matrix) -> tuple[Columns, Matrix]:
    """The features of a part of a stream, and narrowed rows; few values need no pass over all features."""
    n_features = X.shape[1]
    if X.nnz * SORTED > n_features:
        columns = occurring(X)
        if 2 * len(columns.at) < n_features:
            return columns, columns.narrowed(X)
        return Columns(np.arange(n_features), n_features), X
    at, indices = np.unique(X.indices, return_inverse=True)
    if not len(at):  # rows without a value
        at = np.zeros(1, X.indices.dtype)
    return Columns(at.astype(np.int64), n_features), _rows(
        X.data, indices.astype(X.indices.dtype), X.indptr, len(at)
    )


def _rows(data: FloatArray, indices: IntArray, indptr: IntArray, width: int) -> Matrix:
    """CSR rows from arrays known to be valid, without the checks of SciPy's constructor."""
    rows: Any = sparse.csr_array((len(indptr) - 1, width), dtype=data.dtype)
    rows.data, rows.indices, rows.indptr = data, indices, indptr
    return rows
