r"""Coordinates in which the Hessian of the objective is nearly a multiple of the identity.

With rows z in training coordinates (the constant included), the Hessian for one class, averaged over the
classes, is

    M = mean_i h_i z_i z_i' + penalty,      h_i = trace of the Hessian of row i's loss / K.

If two scores are -v z_i and v z_i, h_i is twice that, and M half of the Hessian for v. If the loss is a sum
over the classes and M is diagonal, each class has its own M: rare classes have much less curvature.
"""

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.linalg.lapack import dpotrs  # pyright: ignore[reportAttributeAccessIssue]

from linclf._data.scale import LARGEST_SPARSE
from linclf._storage import read_only
from linclf._training.fit import Fit
from linclf._training.objective import Objective, spread
from linclf._types import FloatArray, Loss, Matrix
from linclf.heads import with_copies
from linclf.losses._hessian import diagonal, diagonals, row_curvatures

CHOLESKY = 4096  # features up to which the Hessian is factored
LEAST = 1e-3  # least curvature of a row in M, as a share of that of the loss
DIRECTIONS = 16  # most directions in which the curvature of a loss is measured
CHUNK, SPARSE_CHUNK = 256, 4096  # rows of the sample that are copied at once
WORST_FACTOR = 1e8  # root mean square of a sparse column over that of a typical feature


def check_columns(X: Matrix) -> None:
    """Refuse huge sparse columns: they are not scaled for L-BFGS, and float64 has only so many digits."""
    if max(X.data.max(initial=0), -X.data.min(initial=0)) <= LARGEST_SPARSE:
        return
    squares = np.bincount(X.indices, np.square(X.data, dtype=np.float64), X.shape[1])
    counts = np.bincount(X.indices, X.data != 0, X.shape[1])
    typical = max(1.0, np.quantile(np.sqrt(squares[counts > 0] / counts[counts > 0]), 0.25))
    column = int(np.argmax(squares))
    ratio = np.sqrt(squares[column] / X.shape[0]) / typical
    if ratio > WORST_FACTOR:
        raise ValueError(
            f"column {column} of sparse X has the root mean square {ratio * typical:.3g}, {ratio:.1g} times "
            "that of a typical feature or of the constant 1, and solver='lbfgs' would learn nothing from the "
            "others; scale the columns, as sklearn.preprocessing.MaxAbsScaler does, or use solver='sgd'"
        )


class Preconditioner:
    """L with ``M = L L'``, and the conversion between weights V and coordinates ``u = V L``, which are flat.

    L is a Cholesky factor for dense rows of up to `CHOLESKY` features, else the diagonal. With a diagonal the
    coordinates have the precision of X, with a factor they are float64.
    """

    def __init__(self, fit: Fit, sample: Objective, V: FloatArray) -> None:
        self.shape, n_features = V.shape, len(sample.penalty)
        self.diagonal = fit.shape.is_sparse or n_features > CHOLESKY or not fit.head.equivariant
        self.dtype = fit.shape.dtype if self.diagonal else np.dtype(np.float64)
        if not fit.head.equivariant:
            self.factors = np.ones(1, self.dtype)
            return
        apart = self.diagonal and diagonal.find(type(fit.loss)) is not None
        n_rows = fit.shape.n_products if apart else n_features
        M, mass = np.zeros(n_features if self.diagonal and not apart else (n_rows, n_features)), 0.0
        floor = LEAST * fit.curvature / (fit.shape.n_products * fit.head.copies)
        across = fit.problem.storage.by_classes(V).T
        for block in sample.blocks(SPARSE_CHUNK if fit.shape.is_sparse else CHUNK):
            products = block.Z.astype(across.dtype, copy=False) @ across
            products += block.offset
            scores = with_copies(products, fit.head.copies)
            scores = scores.astype(np.float64, copy=False)
            if apart:
                scores = np.ascontiguousarray(scores)
                diagonals(fit.loss, scores, read_only(block.y))
                M += ((block.Z**2).T @ ((scores + floor) * block.weights[:, None])).T
            else:
                h = (fit.head.copies * row_curvature(fit.loss, scores, block.y) + floor) * block.weights
                M += self._second_moments(block.Z, h)
            mass += block.weights.sum()
        M /= mass
        if self.diagonal:
            M += sample.penalty
            factors = 1 / np.sqrt(M + 1e-9 * (M.max() or 1.0))
            self.factors = spread(fit, factors, self.dtype)
        else:
            M[np.diag_indices(n_features)] += sample.penalty + 1e-10 * (np.trace(M) / n_features or 1.0)
            self.L = cholesky(M.T, lower=True, overwrite_a=True)  # by columns, to overwrite M

    def _second_moments(self, Z: Matrix, h: FloatArray) -> FloatArray:
        if self.diagonal:
            return (Z**2).T @ h
        Z *= np.sqrt(h)[:, None]
        return Z.T @ Z

    def weights(self, u: FloatArray, V: FloatArray) -> None:
        """V = u L^-1."""
        if self.diagonal:
            np.multiply(u, self.factors, out=V.ravel())
        else:
            V[:] = solve_triangular(
                self.L, u.reshape(self.shape).T, lower=True, trans=1, check_finite=False
            ).T

    def gradient(self, G: FloatArray) -> None:
        """Replace the gradient for the weights by that for the coordinates."""
        if self.diagonal:
            G *= self.factors
        else:
            G[:] = solve_triangular(self.L, G.reshape(self.shape).T, lower=True, check_finite=False).T.ravel()

    def solve(self, R: FloatArray) -> FloatArray:
        """M^-1 R for each class, which is roughly H^-1 R."""
        if self.diagonal:
            return (R.ravel() * self.factors**2).reshape(R.shape)
        return dpotrs(self.L, R.T, lower=True)[0].T

    def coordinates(self, V: FloatArray) -> FloatArray:
        return V.ravel() / self.factors if self.diagonal else (V @ self.L).ravel()


def row_curvature(loss: Loss, scores: FloatArray, y: np.ndarray) -> FloatArray:
    """Mean diagonal of the Hessian of the loss of each row.

    For many classes it is estimated from directions of random signs (Hutchinson 1989), the same for all
    rows, so that their order does not matter.
    """
    n_classes = scores.shape[1]
    directions = np.eye(n_classes)
    if n_classes > DIRECTIONS:
        directions = np.random.default_rng(0).choice([-1.0, 1.0], (DIRECTIONS, n_classes))
    curvature, work = np.empty(len(scores)), np.empty((2, n_classes))
    row_curvatures(
        loss, scores.copy(), read_only(y), directions.ravel(), np.empty(directions.size), work, curvature
    )
    return np.maximum(curvature, 0)
