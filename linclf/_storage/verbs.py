"""What a kernel does with rows of X, whatever their storage: each verb has a form for each storage.

Rows are those of the indices ``ids``. ``S (n_rows, n_scores)`` of a block holds in its first columns the
products of its rows with the weights, of which a head makes scores, then the gradients for them.
"""

from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike

from linclf._numba import generic
from linclf._types import FloatArray, IntArray, Matrix

IN_CACHE = 2**20  # bytes of weights that stay in the cache from batch to batch
BLOCK, WIDE_BLOCK, WIDE = 64, 256, 32  # rows of a block, and those from so many classes on


class Storage(Protocol):
    """What Python asks of a storage, beside the verbs that kernels use."""

    @staticmethod
    def by_classes(V: FloatArray, /) -> FloatArray:
        """Weights with a row for each class, from the layout of V or to it."""
        ...

    @staticmethod
    def penalty_of(squares: FloatArray, penalty: FloatArray, part: slice) -> float:
        """The penalty of a part of the rows of V, from their squares."""
        ...

    def rows(self, ids: IntArray, n_features: int, constant: float, dtype: DTypeLike = np.float64) -> Matrix:
        """Rows in training coordinates, with the constant."""
        ...

    def scaled(self, Z: Matrix) -> Matrix:
        """Rows of X, float64, in training coordinates; Z may be overwritten."""
        ...

    def weakest(self, penalty: FloatArray) -> float:
        """The smallest penalty of a feature."""
        ...

    def with_penalty(self, ratio: float) -> Self:
        """For a penalty that is so many times as strong."""
        ...

    def feature_shares(self, n_features: int) -> FloatArray:
        """The share of the rows in which each feature occurs."""
        ...

    def longest_row(self, width: int) -> int:
        """The most weights of a class that one row touches; a row of V has ``width``."""
        ...

    def copied(self) -> "Storage":
        """With rows whose contents are in a block; sparse ones are read in place all the same."""
        ...

    def with_factor(self, factor: FloatArray) -> "Storage":
        """With another factor of dense rows; sparse ones have none."""
        ...

    def block_rows(self, n_classes: int) -> int:
        """Rows of a block: few enough for the cache."""
        ...

    def block(
        self, n_rows: int, n_features: int, n_classes: int, dtype: np.dtype, copies: int = 1
    ) -> "Block":
        """Empty buffers for ``n_rows`` rows; each of ``n_classes`` weights makes ``copies`` scores."""
        ...


class Block(NamedTuple):
    """Buffers for a block of rows.

    Of each row: contents (if copied), scores, factor, squared norm, loss, and three numbers more
    (``lanes``) for losses that are taken class by class; ``row`` is for one row of scores. For gradients
    and steps: ``G`` has the block's gradient (if copied), ``W`` the weights as rows in place meet them, and
    ``features`` what a step needs of each feature.
    """

    Z: FloatArray
    S: FloatArray
    factors: FloatArray
    square_norms: FloatArray
    values: FloatArray
    lanes: FloatArray
    row: FloatArray
    G: FloatArray
    W: FloatArray
    features: FloatArray


class Row(NamedTuple):
    """One row of a gathered block: its index in X, its contents (dense), and its constant feature."""

    id: int
    z: FloatArray
    constant: float


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written, so that kernels have one signature for both kinds."""
    view = array.view()
    view.flags.writeable = False
    return view


def rows_for_blas(n_classes: int) -> int:
    """Rows of a block: few, so that they stay in the cache, but enough for BLAS."""
    return WIDE_BLOCK if n_classes >= WIDE else BLOCK


def empty_block(n_rows: int, n_classes: int, dtype: np.dtype) -> Block:
    """Without what only some storages need."""
    nothing = np.zeros((0, 0), dtype)
    return Block(
        np.zeros((n_rows, 0), dtype),
        np.zeros((n_rows, n_classes), dtype),
        np.ones(n_rows, dtype),
        np.zeros(n_rows, dtype),
        np.zeros(n_rows),
        np.zeros((3, n_rows), dtype),
        np.zeros(n_classes, dtype),
        nothing,
        nothing,
        nothing,
    )


@generic
def gather(storage, constant, ids, block):
    """Bring rows ``ids`` into the block: contents if dense, squared norms."""


@generic
def scale_row(storage, block, r, factor):
    """Multiply row r of the block, the constant included."""


@generic
def fold(storage, V, block):
    """Before any products: take in weights as the rows meet them."""


@generic
def products(storage, constant, ids, coming, V, block):
    """block.S[r, k] = w_k . x_r for the rows gathered; the rows ``coming`` are next."""


@generic
def gradient(storage, constant, ids, block, G, first):
    """Add the gradient of the block to G, with block.S that for the products; the first one overwrites G."""


@generic
def unfold(storage, G):
    """After the gradients of all blocks: make G that of the weights."""


@generic
def descend(storage, constant, ids, block, V, step, penalty):
    """Plain SGD: V <- (V - step * gradient) / (1 + step * penalty), up to what `settle` leaves to do."""


@generic
def settle(storage, V, block):
    """After `descend`: leave V as the weights themselves, nothing held back."""


@generic
def square_norms(storage, V, out):
    """out[k] = |w_k|^2."""


@generic
def subtract_radial(storage, V, radial, G):
    """G_k -= radial_k w_k."""


@generic
def update(storage, state, optimizer, step, penalty):
    """One step of an optimizer on all weights, with the gradient state.G."""


@generic
def product_of(storage, row, V, k):
    """w_k . x for one row and one class."""


@generic
def update_class(storage, row, slope, state, k, optimizer, step, work):
    """One step of an optimizer on the weights of class k that a row touches; their gradient is slope * x.

    The penalty of feature j there is ``work.classes[k] * work.features[j]``.
    """


@generic
def load_row(storage, i, z):
    """Bring row i without constant into z, float64, if it is dense; returns its squared length."""


@generic
def row_products(storage, i, z, W, scores):
    """scores[k] = w_k . x for the row loaded, with float64 weights laid out for the storage, no constant."""


@generic
def add_row(storage, i, z, shares, W):
    """w_k += shares_k x for the row loaded."""
