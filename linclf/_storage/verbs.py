"""Operations of kernels on rows of X: each verb has an implementation for each storage.

``ids`` are the indices of rows. The first columns of ``S (n_rows, n_scores)`` of a block hold the products
of its rows with the weights; a head turns them into scores, and the gradients for these replace the scores.
"""

from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike

from linclf._numba import generic
from linclf._types import FloatArray, IntArray, Matrix

IN_CACHE = 2**20  # bytes of weights that stay in the cache from batch to batch
BLOCK, WIDE_BLOCK, WIDE = 64, 256, 32  # rows of a block; WIDE_BLOCK is for WIDE classes or more


class Storage(Protocol):
    """The Python interface of a storage, besides the verbs that kernels use."""

    @staticmethod
    def by_classes(V: FloatArray, /) -> FloatArray:
        """Weights with a row for each class: converts from the layout of V, or to it."""
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
        """The storage for a penalty that is ``ratio`` times as strong."""
        ...

    def feature_shares(self, n_features: int) -> FloatArray:
        """The share of the rows in which each feature occurs."""
        ...

    def longest_row(self, width: int) -> int:
        """The largest number of weights of a class that one row touches; a row of V has ``width``."""
        ...

    def copied(self) -> "Storage":
        """The storage that copies rows into a block; sparse rows are still read in place."""
        ...

    def with_factor(self, factor: FloatArray) -> "Storage":
        """The storage with another factor of dense rows; sparse rows have none."""
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

    For each row: contents (if copied), scores, factor, squared norm, loss, and three more numbers
    (``lanes``) for losses that are computed class by class; ``row`` is for one row of scores. For gradients
    and steps: ``G`` holds the gradient of the block (if copied), ``W`` the weights as seen by rows in place,
    and ``features`` the numbers that a step needs for each feature.
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
    """A read-only view, so that kernels have one signature for writable and read-only arrays."""
    view = array.view()
    view.flags.writeable = False
    return view


def rows_for_blas(n_classes: int) -> int:
    """Rows of a block: few, so that they stay in the cache, but enough for BLAS."""
    return WIDE_BLOCK if n_classes >= WIDE else BLOCK


def empty_block(n_rows: int, n_classes: int, dtype: np.dtype) -> Block:
    """A block without the buffers that only some storages need."""
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
    """Before any products: take in the weights, in the form that the rows need."""


@generic
def products(storage, constant, ids, coming, V, block):
    """block.S[r, k] = w_k . x_r for the rows gathered; the rows ``coming`` are next."""


@generic
def gradient(storage, constant, ids, block, G, first):
    """Add the gradient of the block to G, from that for its products in block.S; the first overwrites G."""


@generic
def unfold(storage, G):
    """After the gradients of all blocks: turn G into the gradient of the weights."""


@generic
def descend(storage, constant, ids, block, V, step, penalty):
    """Plain SGD: V <- (V - step * gradient) / (1 + step * penalty), up to what `settle` completes."""


@generic
def settle(storage, V, block):
    """After `descend`: make V the weights themselves."""


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
    """scores[k] = w_k . x for the loaded row, with float64 weights laid out for the storage, no constant."""


@generic
def add_row(storage, i, z, shares, W):
    """w_k += shares_k x for the loaded row."""
