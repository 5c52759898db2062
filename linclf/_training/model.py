"""The result of training: weights, and the scores that they give."""

from typing import NamedTuple, Self

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import safe_sparse_dot

from linclf._types import FloatArray, Loss, Matrix
from linclf.heads import Head, StandardisedCosine
from linclf.losses._registry import trait

FEW = 4  # a block of sparse rows is small if it touches fewer than a quarter of the features


class LinearModel(NamedTuple):
    """The result of training: weights (K, d), intercepts (K,), and the head that they are for."""

    W: FloatArray
    b: FloatArray
    head: Head | StandardisedCosine

    def scores(self, X: Matrix) -> FloatArray:
        """Scores (n, K) in NumPy and SciPy only, so that prediction waits for no compiler."""
        W = self.W.astype(X.dtype, copy=False)
        few, W = _met(X, W) if sparse.issparse(X) else (X, W)
        scores = safe_sparse_dot(few, W.T, dense_output=True)
        scores += self.b.astype(X.dtype, copy=False)
        return self.head.divide(scores, X)

    def laid_out_for(self, X: Matrix) -> Self:
        """The model with weights in the dtype and layout that suit many blocks of rows like X."""
        order = "F" if sparse.issparse(X) else "K"
        return self._replace(W=self.W.astype(X.dtype, order=order, copy=False))

    @property
    def n_outputs(self) -> int:
        return len(self.W)

    def one_of_two(self) -> Self:
        """The model of the difference of two scores, which alone decides between two classes."""
        return self._replace(W=self.W[1:] - self.W[:1], b=self.b[1:] - self.b[:1])

    def two_of_one(self) -> Self:
        """The model of two scores with this one as their difference, from which training starts."""
        return self._replace(W=np.vstack([-self.W, self.W]) / 2, b=np.append(-self.b, self.b) / 2)

    def rounded(self, dtype: np.dtype) -> Self:
        """The model in the dtype of X; an error names the column that overflows."""
        with np.errstate(over="ignore"):
            W, b = np.ascontiguousarray(self.W, dtype), self.b.astype(dtype)
        reach = max(self.W.max(), -self.W.min())  # NaN is not below the limit either
        if not (np.isfinite(b).all() and reach <= np.finfo(dtype).max):
            largest = np.abs(self.W).max(axis=0)
            raise ValueError(
                f"the coefficients of column {largest.argmax()} reach {largest.max():.1e} and overflow "
                f"{dtype}; scale the columns of X, or use a larger alpha"
            )
        return self._replace(W=W, b=b)


def decisions(scores: FloatArray, loss: Loss) -> FloatArray:
    """Scores as ``decision_function`` returns them: for two classes one, positive for the second."""
    class_scores = trait(loss, "class_scores")
    scores = scores if class_scores is None else class_scores(scores)
    if scores.shape[1] == 2:
        return scores[:, 1] - scores[:, 0]
    return scores.ravel() if scores.shape[1] == 1 else scores


def columns(scores: FloatArray) -> FloatArray:
    """One score per class, even if two classes share one score."""
    return scores if scores.ndim == 2 else np.column_stack([np.zeros_like(scores), scores])


def _met(X: Matrix, W: FloatArray) -> tuple[Matrix, FloatArray]:
    """Sparse rows and weights; for few rows, only with the features that occur in them.

    SciPy copies all weights if ``W.T`` is not in C order: for one row that takes 100 times as long as the
    product.
    """
    if W.T.flags.c_contiguous or FEW * X.nnz > X.shape[1]:
        return X, W
    columns, indices = np.unique(X.indices, return_inverse=True)
    indices = indices.astype(X.indptr.dtype)
    return sparse.csr_array((X.data, indices, X.indptr), shape=(X.shape[0], len(columns))), W[:, columns]


def row_blocks(n_rows: int, n_scores: float, limit: float) -> list[slice]:
    """Slices of rows that have ``limit`` scores together, ``n_scores`` per row; at least one row each."""
    size = max(1, int(min(limit / n_scores, n_rows)))
    return [slice(start, start + size) for start in range(0, n_rows, size)]
