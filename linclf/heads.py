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

from linclf import _storage as _rows
from linclf._numba import generic


class Linear(NamedTuple):
    intercept: float = 1.0


class Cosine(NamedTuple):
    intercept: float = 1.0


class HeadWork(NamedTuple):
    """Buffers of one block: 1/|w_k|, the multiple of w_k in its gradient, and the cosines."""

    inverse_norm: np.ndarray
    radial: np.ndarray
    cosines: np.ndarray


def head_work(head, n_rows, n_classes, dtype):
    n_rows, n_classes = (n_rows, n_classes) if isinstance(head, Cosine) else (0, 0)
    return HeadWork(
        np.zeros(n_classes, dtype), np.zeros(n_classes, dtype), np.zeros((n_rows, n_classes), dtype)
    )


@generic
def normalise(head, rows, block, n_rows):
    """Change the rows of a block before they meet the weights."""


@generic
def to_scores(head, rows, V, block, n_rows, work):
    """Turn the products w_k . x in block.S into scores."""


@generic
def from_scores(head, block, n_rows, work):
    """Turn the gradient for scores into the one for products."""


@generic
def finish(head, rows, V, G, work):
    """Add to G what the products of a block do not show."""


@normalise.register(Linear)
def linear_normalise(head, rows, block, n_rows):
    pass


@to_scores.register(Linear)
def linear_scores(head, rows, V, block, n_rows, work):
    pass


@from_scores.register(Linear)
def linear_gradient(head, block, n_rows, work):
    pass


@finish.register(Linear)
def linear_finish(head, rows, V, G, work):
    pass


@normalise.register(Cosine)
def cosine_normalise(head, rows, block, n_rows):
    for r in range(n_rows):
        square = block.square_norms[r]
        _rows.scale_row(rows, block, r, 1.0 / np.sqrt(square) if square > 0.0 else 0.0)


@to_scores.register(Cosine)
def cosine_scores(head, rows, V, block, n_rows, work):
    _rows.square_norms(rows, V, work.inverse_norm)
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
def cosine_finish(head, rows, V, G, work):
    _rows.subtract_radial(rows, V, work.radial, G)
