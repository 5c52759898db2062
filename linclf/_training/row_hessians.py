"""Second derivatives of the loss of each row."""

import numpy as np

from linclf._types import FloatArray, Loss
from linclf.losses._hessian import covariance, covariances, row_curvatures, row_matrices


def row_hessians(loss: Loss, copies: int, products: FloatArray, y: np.ndarray) -> FloatArray:
    """Hessians (n, K, K) for the products (n, K) of rows with weights; the products are overwritten.

    With two copies, K is 1, and the scores of a row are minus its product and its product.
    """
    n, n_classes = products.shape
    if copies == 2:
        scores, h = np.hstack([-products, products]).astype(np.float64, copy=False), np.empty(n)
        if covariance.find(type(loss)):
            covariances(loss, scores)
            first, second = scores.T
            totals = first + second
            return (4 * first * second / np.where(totals > 0, totals, 1))[:, None, None]
        row_curvatures(loss, scores, y, np.array([-1.0, 1.0]), np.empty(2), np.empty((2, 2)), h)
        return 2 * h[:, None, None]
    if covariance.find(type(loss)):
        covariances(loss, products)
        totals = products.sum(axis=1, keepdims=True)
        shares = products / np.where(totals > 0, totals, 1)
        H = -shares[:, :, None] * products[:, None, :]
        np.einsum("ikk->ik", H)[:] += products
        return H
    H = np.empty((n, n_classes, n_classes))
    row_matrices(loss, products.astype(np.float64, copy=False), y, np.empty((2, n_classes)), H)
    return H
