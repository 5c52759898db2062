"""The factor of a matrix that rounding may have made indefinite."""

import numpy as np
import pytest
from scipy.linalg import LinAlgError

from linclf._training.cholesky import factored


def positive(dtype=np.float64):
    A = np.random.default_rng(0).normal(size=(30, 6))
    return (A.T @ A).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_units_of_the_columns_do_not_matter(dtype):
    units = np.exp2(np.array([0, 40, -40, 3, 0, -7])).astype(dtype)
    L = np.tril(factored(positive(dtype) * np.outer(units, units)))
    np.testing.assert_allclose(L / units[:, None], np.tril(factored(positive(dtype))), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("empty", [1.0, 0.0])
def test_what_is_singular_gets_a_ridge(dtype, empty):
    M = positive(dtype)
    M[-1], M[:, -1] = M[0] * dtype(empty), M[:, 0] * dtype(empty)  # the first column again, or nothing
    M[-1, -1] = M[0, 0] * dtype(empty)
    L = np.tril(factored(M.copy()))
    np.testing.assert_allclose(L @ L.T, M, atol=1e-4 * np.abs(M).max())
    assert np.isfinite(L).all()


def test_nothing_at_all_is_factored():
    np.testing.assert_array_less(0, np.diag(factored(np.zeros((3, 3)))))


def test_no_ridge_helps_what_is_not_finite():
    with pytest.raises(LinAlgError, match="not finite"):
        factored(np.full((2, 2), np.nan))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_empty_column_beside_tiny_ones_gets_a_ridge(dtype):
    M = positive(dtype) * dtype(1e-20)
    M[-1], M[:, -1] = 0, 0
    L = np.tril(factored(M.copy()))
    assert np.isfinite(L).all()
    assert (np.diag(L) > 0).all()
