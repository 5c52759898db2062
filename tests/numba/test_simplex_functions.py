"""Vectorised exp and log, compared with mpmath or NumPy in higher precision."""

import numpy as np
from numba import njit

from linclf._numba import simplex


@njit
def exponentials(x):
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = simplex.exp_negative_like(x[i])
    return out


def test_exponential_in_float32():
    """Over its whole range, and on both sides of each change of n."""
    edges = -np.arange(1, 126) * np.log(2) / 2
    x = np.concatenate([np.linspace(-87, 0, 20_001), edges - 1e-6, edges + 1e-6]).astype(np.float32)
    x = x[(x <= 0) & (x >= -87)]
    ours = exponentials(x)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, np.exp(x.astype(np.float64)), rtol=1.2e-7)
    np.testing.assert_array_equal(exponentials(np.float32([-87.5, -1e30, -np.inf, 0])), [0, 0, 0, 1])


def test_exponential_in_float64_is_the_exact_one():
    x = np.linspace(-700, 0, 101)
    np.testing.assert_array_equal(exponentials(x), [simplex.exp_negative(one) for one in x])


def test_logarithm():
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            rng.uniform(1, 2, 10_000),
            np.exp(rng.uniform(-700, 700, 10_000)),
            1 + np.logspace(-16, 0, 100),
            2.0 ** np.arange(-1000, 1000, 7),
            [np.sqrt(2), np.nextafter(np.sqrt(2), 2), 1.0],
        ]
    )
    ours = np.array([simplex.log_positive(one) for one in x])
    np.testing.assert_allclose(ours, np.log(x.astype(np.longdouble)).astype(float), rtol=4e-16, atol=0)
    assert simplex.log_positive(1.0) == 0
