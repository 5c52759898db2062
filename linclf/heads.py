"""Heads: how weights and a row become scores, and how a score gradient goes back.

Every row carries a last, constant feature whose weight is the intercept; ``intercept`` is the
value of that constant: 0 without an intercept, else 1, and for cosines the length of a typical row.

`Linear`  scores ``w_k . x``.
`Cosine`  scores ``cos(x, w_k)``: rows and weights are normalised, the constant included. The
          gradient for ``w_k`` is ``sum_i g_ik (x^_i - c_ik w^_k) / |w_k|``, that is the linear one
          with ``g`` divided by ``|w_k|``, minus a multiple (``radial``) of ``w_k`` itself. A zero
          row or a zero weight has cosine 0 and gradient 0.
"""

from typing import NamedTuple

import numpy as np

from linclf._numba import generic


class Linear(NamedTuple):
    intercept: float = 1.0


class Cosine(NamedTuple):
    intercept: float = 1.0


class HeadWork(NamedTuple):
    """Buffers of one batch: 1/|w_k|, the multiple of w_k in its gradient, and the cosines."""

    inverse_norm: np.ndarray
    radial: np.ndarray
    cosines: np.ndarray


def head_work(head, n_rows, n_classes, dtype):
    n_rows, n_classes = (n_rows, n_classes) if isinstance(head, Cosine) else (0, 0)
    return HeadWork(
        np.zeros(n_classes, dtype), np.zeros(n_classes, dtype), np.zeros((n_rows, n_classes), dtype)
    )


@generic
def row_factor(head, square_norm):
    """What a row is multiplied with, given its squared norm (the constant included)."""


@row_factor.register(Linear)
def linear_row_factor(head, square_norm):
    return 1.0


@row_factor.register(Cosine)
def cosine_row_factor(head, square_norm):
    return 1.0 / np.sqrt(square_norm) if square_norm > 0.0 else 0.0


@generic
def begin_batch(head, square_norms, work):
    """Take the squared norms of the weights of each class before a batch."""


@begin_batch.register(Linear)
def linear_begin(head, square_norms, work):
    pass


@begin_batch.register(Cosine)
def cosine_begin(head, square_norms, work):
    for k in range(square_norms.size):
        square = square_norms[k]
        work.inverse_norm[k] = 1.0 / np.sqrt(square) if square > 1e-60 else 0.0
        work.radial[k] = 0.0


@generic
def to_scores(head, products, n_rows, work):
    """Turn the products w_k . x of a block of rows into scores, in place."""


@to_scores.register(Linear)
def linear_scores(head, products, n_rows, work):
    pass


@to_scores.register(Cosine)
def cosine_scores(head, products, n_rows, work):
    for r in range(n_rows):
        for k in range(products.shape[1]):
            cosine = max(-1.0, min(1.0, products[r, k] * work.inverse_norm[k]))
            products[r, k] = cosine
            work.cosines[r, k] = cosine


@generic
def from_scores(head, gradient, n_rows, work):
    """Turn the gradient for scores into the one for products, in place."""


@from_scores.register(Linear)
def linear_gradient(head, gradient, n_rows, work):
    pass


@from_scores.register(Cosine)
def cosine_gradient(head, gradient, n_rows, work):
    for r in range(n_rows):
        for k in range(gradient.shape[1]):
            inverse = work.inverse_norm[k]
            work.radial[k] += gradient[r, k] * work.cosines[r, k] * inverse * inverse
            gradient[r, k] *= inverse
