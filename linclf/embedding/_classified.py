"""Losses of the package: a linear classifier on z, trained together with z."""

import numpy as np

from linclf._types import FloatArray, IntArray, Loss
from linclf.embedding._objective import Plain, class_means
from linclf.losses._evaluation import evaluate


class OnScores(Plain):
    """A loss on the scores ``W z + b``; the head is (K, q + 1)."""

    def __init__(self, loss: Loss, Z: FloatArray, y: IntArray, n_classes: int) -> None:
        super().__init__(len(Z), Z.dtype)
        self.loss, self.y = loss, y
        self.head = np.zeros((n_classes, Z.shape[1] + 1), Z.dtype)

    def gradient(self, Z: FloatArray, ids: IntArray) -> tuple[float, FloatArray, FloatArray]:
        W, b = self.head[:, :-1], self.head[:, -1]
        values, G = evaluate(self.loss, Z @ W.T + b, self.y[ids])
        G /= G.dtype.type(len(Z))
        return float(values.mean()), G @ W, np.column_stack([G.T @ Z, G.sum(axis=0)])


class OnCosines(Plain):
    """A loss on the cosines of z and the rows of the head (K, q)."""

    def __init__(
        self, loss: Loss, Z: FloatArray, y: IntArray, n_classes: int, rng: np.random.RandomState
    ) -> None:
        super().__init__(len(Z), Z.dtype)
        self.loss, self.y = loss, y
        means = class_means(Z, y, n_classes)
        lost = np.linalg.norm(means, axis=1) <= 1e-6 * np.linalg.norm(means)
        means[lost] = rng.standard_normal((lost.sum(), Z.shape[1]))
        self.head = normalised(means)[0]

    def gradient(self, Z: FloatArray, ids: IntArray) -> tuple[float, FloatArray, FloatArray]:
        (rows, of_rows), (weights, of_weights) = normalised(Z), normalised(self.head)
        values, G = evaluate(self.loss, rows @ weights.T, self.y[ids])
        G /= G.dtype.type(len(Z))
        return (
            float(values.mean()),
            along_sphere(G @ weights, rows, of_rows),
            along_sphere(G.T @ rows, weights, of_weights),
        )


def normalised(Z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rows of length 1, and the inverse lengths (n, 1) before; both are 0 for a row of zeros."""
    lengths = np.linalg.norm(Z, axis=1, keepdims=True)
    inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return Z * inverse, inverse


def along_sphere(G: FloatArray, rows: FloatArray, inverse: FloatArray) -> FloatArray:
    """The gradient before rows were normalised, from the one after it."""
    return (G - np.einsum("ij,ij->i", G, rows)[:, None] * rows) * inverse
