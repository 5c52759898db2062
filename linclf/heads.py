"""Heads: how weights and a row become scores, and how the gradient of the scores goes back.

Every row has a constant last feature, whose weight is the intercept; ``intercept`` is the value of this
feature: 0 without an intercept, else 1, or for cosines the length of a typical row.

`Linear`  scores ``w_k . x``. For two classes and a loss that depends only on the difference of their
          scores, these are ``-w . x`` and ``w . x`` for one vector of weights, half of the published one.
`Cosine`  scores ``cos(x, w_k)``: rows and weights are normalised, the constant included. The
          gradient for ``w_k`` is ``sum_i g_ik (x^_i - c_ik w^_k) / |w_k|``, that is the linear one
          with ``g`` divided by ``|w_k|``, minus a multiple (``radial``) of ``w_k`` itself. A zero
          row or a zero weight has cosine 0 and gradient 0.

Both have the same interface; no other code asks which of the two a head is. A model may also have the head
`StandardisedCosine`, which is not used in training.
"""

from typing import Any, NamedTuple, Self

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms, safe_sparse_dot

from linclf._data.dataset import Dataset
from linclf._numba import generic
from linclf._storage import verbs
from linclf._types import FloatArray, Loss, Matrix

COPIED = 2**16  # values of dense rows that are standardised at once


class Linear(NamedTuple):
    """Scores ``w_k . x``; features may be centred and scaled if the weights are changed to match.

    ``copies`` is the number of scores per product: with 2, the second class has the product and the first
    its negative. A separate type for that would have Numba compile every kernel for both.
    """

    intercept: float = 1.0
    copies: int = 1

    # whether scores and their gradients stay the same if the coordinates of the features change
    equivariant = True
    bounded = False  # whether the scores have a largest value
    needs = ()  # fields that a loss on these scores must have
    reference_name = "zero weights"  # of `reference`

    def for_data(self, data: Dataset) -> Self:
        """The head with the constant that suits the rows."""
        return self

    def after(self, head: "Head | StandardisedCosine") -> Self:
        """The head with the constant of the model from which training continues."""
        return self

    def unit(self, n_features: int) -> float | None:
        """Typical size of a feature as seen by the weights, if the head determines it."""
        return None

    def attributes(self) -> dict[str, float]:
        """Attributes of the head that a fitted model publishes."""
        return {}

    def start(
        self, data: Dataset, n_outputs: int, rng: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """Weights and intercepts at which training starts."""
        return np.zeros((n_outputs, data.X.shape[1])), np.zeros(n_outputs)

    def reference(self, V: FloatArray) -> FloatArray:
        """Weights at which the gradient serves as a scale for other gradients."""
        return np.zeros(V.shape)

    def trained_from(self, V: FloatArray) -> FloatArray:
        """Weights of all scores in the form used in training, with the same differences between scores."""
        return V if self.copies == 1 else (V[1:] - V[:1]) / 2

    def penalised(self, penalty: FloatArray) -> FloatArray:
        """The penalty with which the objective has a minimum."""
        return penalty

    def weights(self, V: FloatArray, loss: Loss) -> FloatArray:
        """Weights of all scores, from whose products the loss computes probabilities."""
        return with_copies(V.T, self.copies).T

    def of_all_scores(self) -> Self:
        """The head of a model that has weights of all scores."""
        return self._replace(copies=1)

    def rows_seen(self, Z: Matrix, weights: FloatArray) -> tuple[Matrix, FloatArray, FloatArray]:
        """Rows as seen by the weights, their constants, and the point to take their moments around."""
        return Z, np.full(Z.shape[0], self.intercept), np.zeros(Z.shape[1] + 1)

    def divide(self, scores: FloatArray, X: Matrix) -> FloatArray:
        """Turn products of rows with the weights into scores, in place."""
        return scores


class Cosine(NamedTuple):
    """Scores ``cos(x, w_k)`` of rows ``[x, intercept]``."""

    intercept: float = 1.0

    copies = 1
    equivariant = False
    bounded = True
    needs = ("scale",)
    reference_name = "the start"

    def for_data(self, data: Dataset) -> Self:
        """The constant is as long as a typical row, so that the model does not depend on the unit of X."""
        if not self.intercept:
            return self
        length = np.sqrt(np.average(row_norms(data.X, squared=True), weights=data.weights))
        return self._replace(intercept=float(length) or 1.0)

    def after(self, head: "Head | StandardisedCosine") -> "Cosine":
        return head if isinstance(head, Cosine) else self

    def unit(self, n_features: int) -> float | None:
        return float(np.sqrt(n_features))  # weights are normalised instead

    def attributes(self) -> dict[str, float]:
        return {"constant_": self.intercept}

    def start(
        self, data: Dataset, n_outputs: int, rng: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """The mean direction of the rows of each class.

        A class without a direction (no rows yet, or rows that cancel) gets a random one.
        """
        norms = np.sqrt(row_norms(data.X, squared=True))
        share = np.divide(data.weights, norms, out=np.zeros_like(data.weights), where=norms > 0)
        member = data.y.indicator(share)
        if data.is_sparse:  # scikit-learn multiplies sparse matrices in one precision
            member = member.astype(data.X.dtype, copy=False)
        W = safe_sparse_dot(member.T, data.X, dense_output=True)
        lengths = np.linalg.norm(W, axis=1)
        lost = lengths <= max(1e-12, 64 * np.finfo(data.X.dtype).eps) * max(lengths.max(), 1e-300)
        W[lost] = rng.standard_normal((lost.sum(), W.shape[1]))
        W /= np.linalg.norm(W, axis=1, keepdims=True)
        return W, np.zeros(n_outputs)

    def reference(self, V: FloatArray) -> FloatArray:
        """Zero weights have no cosines, so the start serves as the scale."""
        return V

    def trained_from(self, V: FloatArray) -> FloatArray:
        norms = np.linalg.norm(V, axis=1, keepdims=True)
        return V / np.where(norms > 0, norms, 1)

    def penalised(self, penalty: FloatArray) -> FloatArray:
        """Cosines do not depend on the length of the weights, so with a penalty there is no minimum."""
        return np.zeros_like(penalty)

    def weights(self, V: FloatArray, loss: Any) -> FloatArray:  # a loss with a field scale
        norms = np.linalg.norm(V.astype(np.float64), axis=1, keepdims=True)
        return V * (loss.scale / np.where(norms > 0, norms, np.inf))

    def of_all_scores(self) -> Self:
        return self

    def rows_seen(self, Z: Matrix, weights: FloatArray) -> tuple[Matrix, FloatArray, FloatArray]:
        """Moments are taken around the mean: moving all weights along it changes no difference of scores."""
        constant = np.full(Z.shape[0], self.intercept)
        norms = np.sqrt(row_norms(Z, squared=True) + constant**2)
        share = 1 / np.where(norms > 0, norms, 1)
        Z, constant = sparse.diags_array(share) @ Z, constant * share
        return Z, constant, np.append(Z.T @ weights, constant @ weights)

    def divide(self, scores: FloatArray, X: Matrix) -> FloatArray:
        norms = np.sqrt(row_norms(X, squared=True) + X.dtype.type(self.intercept) ** 2)
        return _divided(scores, norms)


class StandardisedCosine(NamedTuple):
    """`Cosine` of rows ``[(x - centre) / scale, intercept]``, for models trained on such rows.

    Kernels never see it. Products use the original rows; the weights account for centre and scale.
    """

    intercept: float
    centre: FloatArray
    scale: FloatArray

    equivariant = False

    def attributes(self) -> dict[str, Any]:
        return {"constant_": self.intercept, "mean_": self.centre, "spread_": self.scale}

    def divide(self, scores: FloatArray, X: Matrix) -> FloatArray:
        squares = np.full(X.shape[0], self.intercept**2)
        if sparse.issparse(X):
            squares += row_norms(sparse.csr_array(X @ sparse.diags_array(1 / self.scale)), squared=True)
        else:
            size = max(1, COPIED // X.shape[1])
            for start in range(0, len(X), size):
                part = slice(start, start + size)
                squares[part] += row_norms((X[part] - self.centre) / self.scale, squared=True)
        return _divided(scores, np.sqrt(squares))


def _divided(scores: FloatArray, norms: FloatArray) -> FloatArray:
    """Divide products by the lengths of the rows; a length that overflows must not give a cosine of 0."""
    scores /= np.where(norms < np.inf, np.where(norms > 0, norms, 1), np.nan)[:, None]
    return scores


def with_copies(products: FloatArray, copies: int) -> FloatArray:
    """Scores of rows from their products with the trained weights."""
    return products if copies == 1 else np.hstack([-products, products])


HEADS = (Linear, Cosine)
Head = Linear | Cosine


def published_head(attributes: dict) -> Head | StandardisedCosine:
    """The head of a fitted model, from its published attributes."""
    if "spread_" in attributes:
        return StandardisedCosine(attributes["constant_"], attributes["mean_"], attributes["spread_"])
    return Cosine(attributes["constant_"]) if "constant_" in attributes else Linear()


class HeadWork(NamedTuple):
    """Buffers of one block: 1/|w_k|, the multiple of w_k in its gradient, and the cosines."""

    inverse_norm: FloatArray
    radial: FloatArray
    cosines: FloatArray


def head_work(head: Head, n_rows: int, n_classes: int, dtype: np.dtype) -> HeadWork:
    """Empty buffers, of the size that the head needs."""
    if head.equivariant:  # scores need nothing but the products
        n_rows = n_classes = 0
    return HeadWork(
        np.zeros(n_classes, dtype), np.zeros(n_classes, dtype), np.zeros((n_rows, n_classes), dtype)
    )


@generic
def normalise(head, storage, block, n_rows):
    """Change the rows of a block before they meet the weights."""


@generic
def to_scores(head, storage, V, block, n_rows, work):
    """Turn the products w_k . x in block.S into scores."""


@generic
def from_scores(head, block, n_rows, work):
    """Turn the gradient for the scores into the one for the products."""


@generic
def finish(head, storage, V, G, work):
    """Add to G the terms that the products of a block do not contain."""


@normalise.register(Linear)
def linear_normalise(head, storage, block, n_rows):
    pass


@to_scores.register(Linear)
def linear_scores(head, storage, V, block, n_rows, work):
    if head.copies == 2:
        S = block.S
        for pair in range(S.shape[1] // 2 - 1, -1, -1):  # the last one first, as pairs take more room
            for r in range(n_rows):
                product = S[r, pair]
                S[r, 2 * pair] = -product
                S[r, 2 * pair + 1] = product


@from_scores.register(Linear)
def linear_gradient(head, block, n_rows, work):
    """The gradient of half the loss, as each copy of the weights has its own penalty."""
    if head.copies == 2:
        S, half = block.S, block.S.dtype.type(0.5)
        for pair in range(S.shape[1] // 2):
            for r in range(n_rows):
                S[r, pair] = half * (S[r, 2 * pair + 1] - S[r, 2 * pair])


@finish.register(Linear)
def linear_finish(head, storage, V, G, work):
    pass


@normalise.register(Cosine)
def cosine_normalise(head, storage, block, n_rows):
    for r in range(n_rows):
        square = block.square_norms[r]
        verbs.scale_row(storage, block, r, 1.0 / np.sqrt(square) if square > 0.0 else 0.0)


@to_scores.register(Cosine)
def cosine_scores(head, storage, V, block, n_rows, work):
    verbs.square_norms(storage, V, work.inverse_norm)
    for k in range(work.radial.size):
        square = work.inverse_norm[k]
        work.inverse_norm[k] = 1.0 / np.sqrt(square) if square > 1e-60 else 0.0
        work.radial[k] = 0.0
    for r in range(n_rows):
        for k in range(work.radial.size):
            cosine = max(-1.0, min(1.0, block.S[r, k] * work.inverse_norm[k]))
            block.S[r, k] = cosine
            work.cosines[r, k] = cosine


@from_scores.register(Cosine)
def cosine_gradient(head, block, n_rows, work):
    for r in range(n_rows):
        for k in range(work.radial.size):
            inverse = work.inverse_norm[k]
            work.radial[k] += block.S[r, k] * work.cosines[r, k] * inverse * inverse
            block.S[r, k] *= inverse


@finish.register(Cosine)
def cosine_finish(head, storage, V, G, work):
    verbs.subtract_radial(storage, V, work.radial, G)
