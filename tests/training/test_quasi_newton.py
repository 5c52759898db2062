"""The parts of L-BFGS: directions by the two-loop recursion, steps by their conditions, sparse axes."""

import numpy as np
import pytest
from reference import logistic_regression
from scipy import sparse

from linclf import SoftmaxClassifier
from linclf._kernels.pairs import BLOCK
from linclf._training.coordinates import folded
from linclf._training.line_search import FLATTER, LOWER, Trial, search
from linclf._training.pairs import MOST, Pairs, Point, inner_product, products
from linclf._training.quasi_newton import descend


def two_loops(pairs, gradient):
    """-H gradient by Algorithm 7.4 of Nocedal and Wright."""
    q, shares = gradient.astype(np.float64), []
    for s, y in reversed(pairs):
        shares.append(s @ q / (s @ y))
        q = q - shares[-1] * y
    if pairs:
        s, y = pairs[-1]
        q = q * (s @ y) / (y @ y)
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        q = q + (share - y @ q / (s @ y)) * s
    return -q


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [7, 2 * BLOCK + 5])
def test_directions_are_those_of_the_two_loop_recursion(size, dtype):
    """Until there are more pairs than are kept, including one without positive curvature."""
    rng = np.random.default_rng(size)
    curvature = np.logspace(-1, 1, size)
    pairs, kept, out = Pairs(size, np.dtype(dtype)), [], np.empty(size, dtype)
    u = rng.normal(size=size).astype(dtype)
    old = Point(u, (curvature * u).astype(dtype))
    tolerance = 2e-3 if dtype == np.float32 else 1e-9
    for number in range(MOST + 5):
        u = rng.normal(size=size).astype(dtype)
        sign = -1 if number == 4 else 1
        new = Point(u, (old.gradient + sign * curvature * (u - old.u)).astype(dtype))
        s, y = (new.u - old.u).astype(np.float64), (new.gradient - old.gradient).astype(np.float64)
        pairs.add(old, new)
        if number != 4:
            kept = [*kept, (s, y)][-MOST:]
        slope = pairs.direction(new.gradient, out)
        expected = two_loops(kept, new.gradient)
        np.testing.assert_allclose(out, expected, atol=tolerance * np.abs(expected).max())
        assert slope == pytest.approx(float(new.gradient.astype(float) @ expected), rel=tolerance)
        old = new
    assert len(pairs.order) == MOST
    pairs.forget()
    pairs.direction(old.gradient, out)
    np.testing.assert_array_equal(out, -old.gradient)


def test_products_are_added_up_in_float64():
    x = np.full(2**22, 1.1, np.float32)
    assert inner_product(x, x) == pytest.approx(2**22 * float(x[0]) ** 2, rel=1e-6)
    assert products(x[:3], x[:3], 2 * x[:3]) == pytest.approx((3 * 1.21, 6 * 1.21), rel=1e-6)


@pytest.mark.parametrize("first", [1e-6, 0.1, 1.0, 1e4])
@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (lambda t: (t - 1) ** 2, lambda t: 2 * (t - 1)),
        (lambda t: np.cosh(t - 3) + t, lambda t: np.sinh(t - 3) + 1),
        (lambda t: -np.log(t + 1e-3) + t, lambda t: 1 - 1 / (t + 1e-3)),
    ],
)
def test_a_step_is_lower_and_flatter(value, slope, first):
    seen = []

    def evaluate(step):
        with np.errstate(over="ignore"):
            seen.append(Trial(step, value(step), slope(step), slope(step) ** 2))
        return seen[-1]

    start = evaluate(0.0)
    assert search(evaluate, start, first, 0.0)
    assert seen[-1].value <= start.value + LOWER * seen[-1].step * start.slope
    assert seen[-1].slope >= FLATTER * start.slope


def test_no_step_if_nothing_is_lower():
    for wrong in (1.0, np.nan, np.inf):
        assert not search(
            lambda step, wrong=wrong: Trial(step, wrong, -1.0, 1.0), Trial(0, 0, -1.0, 1.0), 1.0, 0.0
        )


def test_gradients_decide_where_values_are_rounding():
    """The search goes on to the zero of the gradient, and ends there."""
    target, norms, lefts = np.linspace(-1, 1, 30), [], []

    def evaluate(point):
        point.value = 1.0 + 0.5 * np.sum((point.u - target) ** 2) * 1e-17
        point.gradient[:] = np.arange(1, 31) * (point.u - target)

    def reached(point, left):
        norms.append(np.linalg.norm(point.gradient))
        lefts.append(left)
        return False

    start = Point(np.zeros(30), np.zeros(30))
    evaluate(start)
    end = descend(evaluate, start, 1000, reached, np.finfo(float).eps)
    assert len(norms) < 200
    assert norms == sorted(norms, reverse=True)
    np.testing.assert_allclose(end.u, target, atol=1e-12)
    assert 0 <= lefts[-1] < 1e-20


@pytest.fixture(scope="module")
def rare():
    """Rows with empty columns, and columns with a value in a single row, of either sign."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 200)) * (rng.random((80, 200)) < 0.015)
    X[:, :10] += rng.normal(size=(80, 10))
    y = (X[:, 0] + 0.3 * rng.normal(size=80) > 0).astype(int) + (X[:, 1] > 1)
    return X, y


def test_axes_span_the_rows_with_fewer_columns(rare):
    X, _ = rare
    counts = np.count_nonzero(X, axis=0)
    axes = folded(sparse.csr_array(X))
    dense = axes.toarray()
    assert (counts == 0).any()
    assert (counts == 1).sum() > dense.shape[1] - (counts > 1).sum()
    np.testing.assert_allclose(dense.T @ dense, np.eye(dense.shape[1]), atol=1e-12)
    np.testing.assert_allclose(X @ dense @ dense.T, X, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rare_columns_have_the_weights_of_the_optimum(rare, dtype):
    X, y = rare
    model = SoftmaxClassifier(solver="lbfgs", alpha=1e-2, tol=1e-6, max_iter=2000)
    model.fit(sparse.csr_array(X.astype(dtype)), y)
    peer = logistic_regression(1e-2 * len(y)).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-4 * np.abs(peer.coef_).max())
    assert not model.coef_[:, np.count_nonzero(X, axis=0) == 0].any()
    again = model.set_params(warm_start=True).fit(sparse.csr_array(X.astype(dtype)), y)
    assert again.n_iter_ <= 3
