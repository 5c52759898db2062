r"""Scores of each row by the model without it, from one step of Newton's method (approximate leave-one-out).

With z_i the row in training coordinates, s_i its share of the weight, g_i and B_i the gradient and the
Hessian of its loss for the scores, H the Hessian of the objective and P the penalty, the step without row i
moves its scores by

    (I - A_i B_i)^-1 (A_i g_i + s_i z_i' H^-1 P V),    A_i = s_i z_i' H^-1 z_i   (K, K),

where the last term is due to the penalty, which is added to the mean over fewer rows.

References
----------
Rad & Maleki, "A scalable estimate of the out-of-sample prediction error via approximate leave-one-out
cross-validation", 2020.
"""

import numpy as np
from scipy.linalg.lapack import dpotri  # pyright: ignore[reportAttributeAccessIssue]
from scipy.sparse import issparse

from linclf._kernels.small_systems import solve_of_rows
from linclf._storage import read_only
from linclf._training.cholesky import factored
from linclf._training.fit import Fit, depends_on_differences
from linclf._training.row_hessians import row_hessians
from linclf._types import FloatArray
from linclf.heads import with_copies
from linclf.losses._registry import row_losses, trait

MOST = 1500  # weights up to which the Hessian is inverted
HELD = 2**17  # values of a block of rows, which stay in the cache


def inverts(fit: Fit) -> bool:
    """Whether the loss has one minimum, and there are few enough weights."""
    loss, n_weights = fit.loss, fit.shape.n_products * (fit.shape.n_trained + 1)
    smooth = trait(loss, "smooth") and trait(loss, "convex") and not trait(loss, "gradient_jumps")
    return smooth and fit.head.equivariant and n_weights <= MOST


class LeftOutRows:
    """The rows of a fit, to be scored without themselves."""

    def __init__(self, fit: Fit) -> None:
        problem, self.fit, ids = fit.problem, fit, fit.ids
        Z = problem.storage.rows(ids, fit.shape.n_trained, problem.head.intercept)
        self.Z = Z.toarray() if issparse(Z) else Z
        self.y, self.shares = read_only(problem.y[ids]), problem.weights[ids] / len(ids)
        self.offset = problem.offset[ids] if problem.offset.size else 0.0
        self.n_products, self.copies = fit.shape.n_products, fit.head.copies
        self.pairs = np.tril_indices(self.n_products)
        size = max(1, HELD // (len(self.pairs[0]) * self.Z.shape[1]))
        self.parts = [slice(start, start + size) for start in range(0, len(ids), size)]

    def scores(self, fit: Fit, V: FloatArray) -> FloatArray:
        """Scores (n, n_scores) of rows without themselves; V is the minimum of ``fit``, a row per product."""
        products = self.Z @ V.T + self.offset
        B = row_hessians(fit.loss, self.copies, products.copy(), self.y)
        gradients = self._gradients(products)
        penalty = self.copies * fit.head.penalised(fit.problem.penalty).astype(np.float64)
        inverse = self._inverse(B, penalty)
        K, p = self.n_products, self.Z.shape[1]
        pulls = self.Z @ (inverse.reshape(K * p, K * p) @ (penalty * V).ravel()).reshape(K, p).T
        first, second = self.pairs
        # columns j of the blocks of H^-1, one pair of products after the other
        across = inverse[first, :, second].transpose(1, 0, 2).reshape(p, -1)
        for part in self.parts:
            Z = self.Z[part]
            A = np.empty((len(Z), K, K))
            values = np.einsum("ipj,ij->ip", (Z @ across).reshape(len(Z), -1, p), Z)
            A[:, first, second] = A[:, second, first] = values * self.shares[part][:, None]
            moves = np.einsum("ikq,iq->ik", A, gradients[part]) + pulls[part] * self.shares[part][:, None]
            solve_of_rows(A, B[part], moves, np.empty((K, K)))
            products[part] += moves
        return with_copies(products, self.copies)

    def _gradients(self, products: FloatArray) -> FloatArray:
        """Gradient of the loss of each row for its products."""
        scores = np.ascontiguousarray(with_copies(products, self.copies)).copy()
        row_losses(self.fit.loss, scores, self.y, np.empty(len(scores)))
        return scores if self.copies == 1 else scores[:, 1:] - scores[:, :1]

    def _inverse(self, B: FloatArray, penalty: FloatArray) -> FloatArray:
        """The inverse of the Hessian, (K, p, K, p)."""
        K, p = self.n_products, self.Z.shape[1]
        first, second = self.pairs
        sums = np.zeros((p, len(first), p))
        for part in self.parts:
            Z, bends = self.Z[part], B[part][:, first, second] * self.shares[part][:, None]
            spread = np.multiply(bends[:, :, None], Z[:, None], order="C").reshape(len(Z), -1)
            sums += (Z.T @ spread).reshape(sums.shape)
        H = np.empty((K, p, K, p))
        H[first, :, second] = sums.transpose(1, 0, 2)
        H[second, :, first] = sums.transpose(1, 0, 2)
        if depends_on_differences(self.fit.loss) and self.copies == 1:
            # a shift of all intercepts changes nothing, and would make H singular
            H[:, -1, :, -1] += np.einsum("kpkp->", H) / (K * K * p) or 1.0
        H = H.reshape(K * p, K * p)
        np.einsum("jj->j", H)[:] += np.tile(penalty, K)
        inverse, _ = dpotri(factored(H), lower=True)
        return (np.tril(inverse) + np.tril(inverse, -1).T).reshape(K, p, K, p)
