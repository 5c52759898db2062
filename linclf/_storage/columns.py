"""Rows of X by columns, for solvers that change the weights of one feature at a time."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from linclf._numba import generic
from linclf._types import FloatArray, IntArray


class DenseColumns(NamedTuple):
    """``values (n_features, n_rows)``."""

    values: FloatArray

    @property
    def n_features(self) -> int:
        """The number of columns."""
        return len(self.values)

    def stored(self, features: IntArray) -> IntArray:
        """The number of values of each of the features."""
        return np.full(len(features), self.values.shape[1])

    def typical_sizes(self) -> FloatArray:
        """The root mean square of the values of each column, 1 if they are all 0."""
        squares = np.einsum("ji,ji->j", self.values, self.values, dtype=np.float64)
        return np.sqrt(squares / max(self.values.shape[1], 1)) + (squares == 0)


class SparseColumns(NamedTuple):
    """Column j has ``values[starts[j] : starts[j + 1]]`` in these ``rows``."""

    values: FloatArray
    rows: IntArray
    starts: IntArray

    @property
    def n_features(self) -> int:
        """The number of columns."""
        return len(self.starts) - 1

    def stored(self, features: IntArray) -> IntArray:
        """The number of values of each of the features."""
        return self.starts[features + 1] - self.starts[features]

    def typical_sizes(self) -> FloatArray:
        """The root mean square of the stored values of each column, 1 if there are none but 0."""
        columns = np.repeat(np.arange(self.n_features), np.diff(self.starts))
        squares = np.bincount(columns, np.square(self.values, dtype=np.float64), self.n_features)
        return np.sqrt(squares / np.maximum(np.diff(self.starts), 1)) + (squares == 0)


Columns = DenseColumns | SparseColumns


def dense_columns(X: FloatArray, centre: FloatArray, factor: FloatArray) -> DenseColumns:
    """The columns of ``(X - centre) * factor``."""
    values = np.empty(X.shape[::-1], X.dtype)
    for j in range(len(values)):
        values[j] = (X[:, j] - centre[j]) * factor[j]
    return DenseColumns(values)


def sparse_columns(X: sparse.csr_array) -> SparseColumns:
    """The columns of sparse rows."""
    columns: Any = X.tocsc()
    columns.sort_indices()
    return SparseColumns(
        columns.data, columns.indices.astype(np.int32, copy=False), columns.indptr.astype(np.int64)
    )


@generic(fast=True)
def dot(columns, j, v):
    """``sum_i x_ij v_i``."""


@generic(fast=True)
def square_dot(columns, j, v):
    """``sum_i x_ij^2 v_i``."""


@generic
def add(columns, j, move, v):
    """``v_i += move * x_ij``."""


@generic
def add_weighted(columns, j, move, weights, v):
    """``v_i += move * x_ij * weights_i``."""


@generic
def add_rows(columns, j, R, sums):
    """``sums += sum_i x_ij R[i]``."""


@dot.register(DenseColumns)
def dense_dot(columns, j, v):
    x, total = columns.values[j], 0.0
    for i in range(v.size):
        total += x[i] * v[i]
    return total


@square_dot.register(DenseColumns)
def dense_square_dot(columns, j, v):
    x, total = columns.values[j], 0.0
    for i in range(v.size):
        total += x[i] * x[i] * v[i]
    return total


@add.register(DenseColumns)
def dense_add(columns, j, move, v):
    x = columns.values[j]
    for i in range(v.size):
        v[i] += move * x[i]


@add_weighted.register(DenseColumns)
def dense_add_weighted(columns, j, move, weights, v):
    x = columns.values[j]
    for i in range(v.size):
        v[i] += move * x[i] * weights[i]


@add_rows.register(DenseColumns)
def dense_add_rows(columns, j, R, sums):
    x = columns.values[j]
    for i in range(x.size):
        for k in range(sums.size):
            sums[k] += x[i] * R[i, k]


@dot.register(SparseColumns)
def sparse_dot(columns, j, v):
    total = 0.0
    for at in range(columns.starts[j], columns.starts[j + 1]):
        total += columns.values[at] * v[columns.rows[at]]
    return total


@square_dot.register(SparseColumns)
def sparse_square_dot(columns, j, v):
    total = 0.0
    for at in range(columns.starts[j], columns.starts[j + 1]):
        x = columns.values[at]
        total += x * x * v[columns.rows[at]]
    return total


@add.register(SparseColumns)
def sparse_add(columns, j, move, v):
    for at in range(columns.starts[j], columns.starts[j + 1]):
        v[columns.rows[at]] += move * columns.values[at]


@add_weighted.register(SparseColumns)
def sparse_add_weighted(columns, j, move, weights, v):
    for at in range(columns.starts[j], columns.starts[j + 1]):
        i = columns.rows[at]
        v[i] += move * columns.values[at] * weights[i]


@add_rows.register(SparseColumns)
def sparse_add_rows(columns, j, R, sums):
    for at in range(columns.starts[j], columns.starts[j + 1]):
        i, x = columns.rows[at], columns.values[at]
        for k in range(sums.size):
            sums[k] += x * R[i, k]


@generic
def first(columns, j):
    """The position of the first value of column j."""


@generic
def last(columns, j):
    """The position after its last value."""


@generic
def row_of(columns, at):
    """The row of the value at a position."""


@generic
def value_of(columns, j, at):
    """The value at a position of column j."""


@first.register(DenseColumns)
def dense_first(columns, j):
    return 0


@last.register(DenseColumns)
def dense_last(columns, j):
    return columns.values.shape[1]


@row_of.register(DenseColumns)
def dense_row(columns, at):
    return at


@value_of.register(DenseColumns)
def dense_value(columns, j, at):
    return columns.values[j, at]


@first.register(SparseColumns)
def sparse_first(columns, j):
    return columns.starts[j]


@last.register(SparseColumns)
def sparse_last(columns, j):
    return columns.starts[j + 1]


@row_of.register(SparseColumns)
def sparse_row(columns, at):
    return columns.rows[at]


@value_of.register(SparseColumns)
def sparse_value(columns, j, at):
    return columns.values[at]
