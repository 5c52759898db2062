"""The rows of a fit by columns: scores, losses and derivatives, for weights (n_features + 1, K).

Arrays of rows are stored class by class, (K, n): coordinate descent stays with a class, whose numbers then
fit into the cache.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from linclf._kernels import coordinates
from linclf._kernels.row_models import Covariances, Diagonals, Hessians, Matrices
from linclf._storage import read_only
from linclf._storage.columns import Columns, DenseColumns, dense_columns, sparse_columns
from linclf._training.fit import Fit, depends_on_differences
from linclf._training.row_hessians import row_hessians
from linclf._types import FloatArray, IntArray
from linclf.heads import with_copies
from linclf.losses._hessian import covariance, covariances, diagonal, diagonals
from linclf.losses._registry import row_losses, trait

ROWS = 1024  # whose losses are computed at once
CALL = 5e7  # multiply-adds of a call of a kernel, so that Ctrl-C is noticed


class Losses(NamedTuple):
    """The mean loss of the rows, and its gradient for the products (n, K) of each."""

    value: float
    R: FloatArray


class Columnwise:
    """The mean loss of the rows, without a penalty."""

    def __init__(self, fit: Fit, pool: ThreadPoolExecutor | None) -> None:
        self.fit, self.pool, self.constant = fit, pool, fit.head.intercept
        ids, problem = fit.ids, fit.problem
        everything = len(ids) == fit.data.X.shape[0]
        X = fit.data.X if everything else fit.data.X[ids]
        self.columns: Columns
        if fit.data.is_sparse:
            self.columns = sparse_columns(X)
        else:
            self.columns = dense_columns(X, *fit.coordinates.of_rows)
        self.y, self.shares = read_only(problem.y[ids]), problem.weights[ids] / len(ids)
        self.offset = problem.offset[ids].T.astype(np.float64) if problem.offset.size else 0.0
        self.n_products = fit.shape.n_products
        # whether nothing changes if all products of a row grow by the same
        self.shifts = fit.head.copies == 1 and depends_on_differences(fit.loss)
        self.features = np.arange(self.columns.n_features)
        self.lengths = self.columns.typical_sizes()

    def parts(self, features: IntArray, n_classes: int) -> Iterator[slice]:
        """Parts of some features, each for one call of a kernel."""
        work = np.cumsum(self.columns.stored(features)) * (float(n_classes) / CALL)
        edges = np.flatnonzero(np.diff(work.astype(np.int64))) + 1
        for start, stop in zip([0, *edges.tolist()], [*edges.tolist(), len(features)], strict=True):
            yield slice(start, stop)

    def products(self, W: FloatArray, features: IntArray) -> FloatArray:
        """Products (K, n) of the rows with weights that are 0 except for these features and the constant."""
        return self.moves(W[features], W[-1], features) + self.offset

    def moves(self, D: FloatArray, constant: FloatArray, features: IntArray) -> FloatArray:
        """Products (K, n) with weights for some features, and for the constant."""
        U = np.empty((self.n_products, len(self.shares)))
        U[:] = (self.constant * constant)[:, None]
        for part in self.parts(features, self.n_products):
            coordinates.add_products(self.columns, features[part], D[part], U)
        return U

    def slopes(self, R: FloatArray, features: IntArray | None = None) -> FloatArray:
        """``sum_i x_ij R[i]`` for some features, or all."""
        if isinstance(self.columns, DenseColumns):
            Z = self.columns.values if features is None else self.columns.values[features]
            return (Z @ R.astype(Z.dtype, copy=False)).astype(np.float64, copy=False)
        some = self.features if features is None else features
        G = np.empty((len(some), R.shape[1]))

        def of_part(part: slice) -> None:
            coordinates.all_slopes(self.columns, some[part], R, G[part])

        each = map if self.pool is None else self.pool.map
        list(each(of_part, self.parts(some, self.n_products)))
        return G

    def losses(self, F: FloatArray) -> Losses:
        """Losses at these products."""
        n, copies, loss = F.shape[1], self.fit.head.copies, self.fit.loss
        scores, values = np.array(with_copies(F.T, copies), order="C"), np.empty(n)

        def of_part(start: int) -> None:
            part = slice(start, start + ROWS)
            row_losses(loss, scores[part], self.y[part], values[part])

        each = map if self.pool is None else self.pool.map
        list(each(of_part, range(0, n, ROWS)))
        R = scores if copies == 1 else scores[:, 1:] - scores[:, :1]
        R *= self.shares[:, None]
        return Losses(float(self.shares @ values), R)

    def hessians(self, F: FloatArray) -> Hessians:
        """Second derivatives of the loss of each row, times its share."""
        loss, shares, copies = self.fit.loss, self.shares, self.fit.head.copies
        if copies == 1 and covariance.find(type(loss)) is not None:
            S = np.array(F.T, order="C")
            covariances(loss, S)
            S = np.ascontiguousarray(S.T) * shares
            totals = S.sum(axis=0)
            return Covariances(S, np.divide(1, totals, where=totals > 0, out=np.zeros_like(totals)))
        if copies == 1 and diagonal.find(type(loss)) is not None:
            S = np.array(F.T, order="C")
            diagonals(loss, S, self.y)
            return Diagonals(np.ascontiguousarray(S.T) * shares)
        H = row_hessians(loss, copies, np.array(F.T, order="C"), self.y)
        if not trait(loss, "convex"):
            values, axes = np.linalg.eigh(H)
            H = np.einsum("ikm,im,ilm->ikl", axes, np.maximum(values, 0), axes)
        H = np.ascontiguousarray(H.transpose(1, 2, 0)) * shares
        return Diagonals(H[0]) if len(H) == 1 else Matrices(H)
