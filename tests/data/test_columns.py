"""Sparse rows restricted to some of their features."""

import numpy as np
import pytest
from scipy import sparse

from linclf._data.columns import Columns, occurring, of_part


def rows(n, d, density, seed=0):
    return sparse.random_array((n, d), density=density, rng=np.random.default_rng(seed), format="csr")


@pytest.mark.parametrize(
    ("n", "d", "density"), [(5, 4000, 0.001), (40, 300, 0.01), (200, 30, 0.3), (3, 9, 0)]
)
def test_a_part_has_the_features_that_occur(n, d, density):
    X = rows(n, d, density)
    columns, narrow = of_part(X)
    dense = X.toarray()
    assert set(np.flatnonzero(dense.any(axis=0))) <= set(columns.at)
    np.testing.assert_array_equal(narrow.toarray(), dense[:, columns.at])
    assert narrow.indices.dtype == X.indices.dtype
    assert narrow.has_canonical_format
    wider, more = columns.including(np.array([0, d - 1]), narrow)
    assert {0, d - 1} <= set(wider.at)
    np.testing.assert_array_equal(more.toarray(), dense[:, wider.at])


def test_few_values_are_sorted_and_many_are_counted():
    few, many = rows(4, 10_000, 0.001), rows(400, 10_000, 0.001)
    for X in (few, many):
        np.testing.assert_array_equal(of_part(X)[0].at, np.unique(X.indices))
    everything = rows(400, 50, 0.5)
    columns, narrow = of_part(everything)
    assert narrow is everything
    np.testing.assert_array_equal(columns.at, np.arange(50))


def test_features_of_some_rows_and_rows_with_others():
    X = rows(30, 200, 0.02)
    chosen = np.arange(0, 30, 3)
    columns = occurring(X, chosen)
    np.testing.assert_array_equal(columns.at, np.unique(X[chosen].indices))
    narrow = columns.narrowed(X)
    assert narrow.nnz < X.nnz  # values of features that the chosen rows lack are dropped
    np.testing.assert_array_equal(narrow.toarray(), X.toarray()[:, columns.at])


def test_weights_of_other_features_are_zero():
    W = np.arange(6.0).reshape(2, 3)
    wide = Columns(np.array([1, 4, 5]), 7).widened(W)
    np.testing.assert_array_equal(wide[:, [1, 4, 5]], W)
    assert np.count_nonzero(wide) == np.count_nonzero(W)
