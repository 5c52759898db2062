"""Weighted sums over rows, from which training coordinates are computed."""

import numpy as np

from linclf._numba import compiled_fast, kernel


@compiled_fast
def _add_row(x, reference, weight, sums, squares):
    for j in range(x.size):
        shifted = np.float64(x[j]) - reference[j]
        sums[j] += weight * shifted
        squares[j] += weight * shifted * shifted


@kernel
def sums_around(X, weights, reference, sums, squares):
    for i in range(weights.size):
        _add_row(X[i], reference, weights[i], sums, squares)


@kernel
def column_squares(data, indices, indptr, weights, squares):
    for i in range(weights.size):
        for at in range(indptr[i], indptr[i + 1]):
            value = np.float64(data[at])
            squares[indices[at]] += weights[i] * value * value
