"""Training coordinates: conversion in both directions, moments in hard cases, principal axes, the spread."""

import numpy as np
import pytest
from scipy import sparse

from linclf import SoftmaxClassifier
from linclf import _storage as _rows
from linclf._data.dataset import Dataset
from linclf._data.targets import Labels
from linclf._kernels.problem import Problem
from linclf._training.coordinates import (
    Coordinates,
    add_squares,
    identity,
    levelling,
    moments,
    rotated,
)
from linclf._training.step_size import spread
from linclf.heads import Cosine, Linear
from linclf.losses import Softmax


def correlated(n, d, seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    return size * rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 3 * rng.normal(size=d)


def random_weights(n, seed=1):
    weights = np.random.default_rng(seed).uniform(0.1, 2, n)
    return weights / weights.mean()


def covariance(X, weights, centred=True):
    Z = X - (np.average(X, axis=0, weights=weights) if centred else 0)
    return (Z * weights[:, None]).T @ Z / weights.sum()


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("constant", [1.0, 7.0])
def test_weights_there_and_back(turned, constant):
    rng, d, n_classes = np.random.default_rng(2), 6, 4
    rotation = np.linalg.qr(rng.normal(size=(d, d)))[0] if turned else None
    coordinates = Coordinates(rng.normal(size=d) * 100, np.logspace(-3, 3, d), rotation)
    W, b = rng.normal(size=(n_classes, d)), rng.normal(size=n_classes)
    V = coordinates.weights_from(W, b, constant)
    assert V.shape == (n_classes, d + 1)
    W_again, b_again = coordinates.published(V, constant)
    np.testing.assert_allclose(W_again, W, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(b_again, b, rtol=1e-12, atol=1e-10)

    # and they give the same scores
    X = rng.normal(size=(9, d))
    Z = (X - coordinates.centre) @ (rotation if turned else np.eye(d)) * coordinates.factor
    scores = np.column_stack([Z, np.full(9, constant)]) @ V.T
    np.testing.assert_allclose(scores, X @ W.T + b, rtol=1e-11, atol=1e-10)


def test_identity_keeps_weights():
    W, b = np.arange(6.0).reshape(2, 3), np.array([4.0, -1.0])
    V = identity(3).weights_from(W, b, 1.0)
    np.testing.assert_array_equal(V, np.column_stack([W, b]))
    # without an intercept its column is zero, and so is the published intercept
    V = identity(3).weights_from(W, np.zeros(2), 0.0)
    np.testing.assert_array_equal(V, np.column_stack([W, [0, 0]]))
    np.testing.assert_array_equal(identity(3).published(V, 0.0)[1], 0)


# ---------------------------------------------------------------- moments


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_moments_equal_numpy(dtype):
    X, weights = correlated(1000, 5).astype(dtype), random_weights(1000)
    total, mean, squares, _ = moments(X, weights)
    assert total == pytest.approx(weights.sum(), rel=1e-13)
    X = X.astype(np.float64)
    np.testing.assert_allclose(mean, np.average(X, axis=0, weights=weights), rtol=1e-12)
    np.testing.assert_allclose(squares, np.diag(covariance(X, weights)) * weights.sum(), rtol=1e-12)


@pytest.mark.parametrize("cuts", [[1], [500], [999], [10, 11, 700]])
def test_merged_moments_are_those_of_the_whole(cuts):
    X, weights = correlated(1000, 5), random_weights(1000)
    X[: cuts[0]] += 50
    parts = [moments(x, w) for x, w in zip(np.split(X, cuts), np.split(weights, cuts), strict=True)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merged(part)
    for ours, whole in zip(merged, moments(X, weights), strict=True):
        np.testing.assert_allclose(ours, whole, rtol=1e-11)


@pytest.mark.parametrize(
    ("offset", "size"), [(1e12, 1.0), (-1e12, 100.0), (0.0, 1e30), (1e35, 1e30), (0.0, 1e-30)]
)
def test_moments_of_large_numbers(offset, size):
    """The offset cancels before squaring; integers represent both exactly."""
    small = np.random.default_rng(0).integers(-50, 50, (2000, 3)).astype(float)
    weights = random_weights(2000)
    X = offset + size * small
    if offset == 1e35:  # the remaining digits of X
        small = (X - offset) / size
    _, mean, squares, _ = moments(X, weights)
    expected = np.average(small, axis=0, weights=weights)
    np.testing.assert_allclose((mean - offset) / size, expected, atol=1e-3 if offset else 1e-12)
    np.testing.assert_allclose(
        squares / size**2, np.diag(covariance(small, weights)) * weights.sum(), rtol=1e-9
    )


def test_moments_of_a_sorted_drift():
    """Rows far from the sample for the reference do not spoil the sums."""
    X = np.repeat(np.arange(5000.0), 2).reshape(-1, 2) * [1, 1e6] + 1e9
    _, mean, squares, _ = moments(X, np.ones(5000))
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(squares, X.var(axis=0) * 5000, rtol=1e-12)


@pytest.mark.parametrize("centred", [True, False])
def test_coordinates_of_moments_have_unit_variance_with_the_shift(centred):
    X, weights, shift = correlated(300, 4), random_weights(300), 0.5
    coordinates = moments(X, weights).coordinates(shift, centred)
    second = np.diag(covariance(X, weights, centred))
    np.testing.assert_allclose((second + shift) * coordinates.factor**2, 1, rtol=1e-12)
    np.testing.assert_allclose(
        coordinates.centre, np.average(X, axis=0, weights=weights) if centred else np.zeros(4)
    )


def test_constant_features_without_a_penalty_are_left_alone():
    X = np.column_stack([np.full(50, 5.0), np.arange(50.0)])
    coordinates = moments(X, np.ones(50)).coordinates(0.0, True)
    assert coordinates.factor[0] == 1
    assert coordinates.centre[0] == 5


# ---------------------------------------------------------------- principal axes


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_rotated_coordinates_diagonalise_the_covariance(centred, shift):
    X, weights = correlated(400, 6), random_weights(400)
    coordinates, turned = rotated(X, weights, shift, centred)
    # the result is X in these coordinates, without the factor
    np.testing.assert_allclose(
        turned, (X - coordinates.centre) @ coordinates.rotation, rtol=1e-10, atol=1e-11
    )
    variances = covariance(turned, weights, centred=False)
    factor = coordinates.factor
    np.testing.assert_allclose(
        variances * np.outer(factor, factor) + np.diag(shift * factor**2), np.eye(6), atol=1e-9
    )
    W, b = np.random.default_rng(1).normal(size=(3, 6)), np.ones(3) * centred
    V = coordinates.weights_from(W, b, 1.0)
    np.testing.assert_allclose((turned * factor) @ V[:, :-1].T + V[:, -1], X @ W.T + b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("rank", [1, 3])
def test_rank_deficient_data_keep_their_rank(rank):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, rank)) @ rng.normal(size=(rank, 6)) + rng.normal(size=6)
    coordinates, turned = rotated(X, np.ones(200), 0.0, True)
    assert turned.shape == (200, rank)
    assert np.isfinite(coordinates.factor).all()
    np.testing.assert_allclose((turned * coordinates.factor).std(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(turned @ coordinates.rotation.T + coordinates.centre, X, atol=1e-11)


def test_fewer_rows_than_features():
    X = correlated(5, 40)
    coordinates, turned = rotated(X, np.ones(5), 0.0, True)
    assert turned.shape == (5, 4)
    np.testing.assert_allclose(turned @ coordinates.rotation.T + coordinates.centre, X, atol=1e-9)


@pytest.mark.parametrize("X", [np.full((20, 3), 2.0), np.full((20, 3), 1e300) * np.arange(20)[:, None]])
def test_no_rotation_where_it_is_impossible(X):
    with np.errstate(over="ignore"):
        assert rotated(X, np.ones(20), 0.1, True) is None


def test_a_column_that_is_constant_up_to_rounding_is_no_axis():
    X = np.column_stack([np.random.default_rng(0).normal(size=(700, 2)), np.full(700, 0.1)])
    coordinates, turned = rotated(X, np.ones(700), 0.0, True)
    assert turned.shape == (700, 2)
    assert np.abs(coordinates.factor).max() < 2
    for solver in ("sgd", "lbfgs"):
        model = SoftmaxClassifier(solver=solver, alpha=0.0, tol=1e-2).fit(X, X[:, 0] + X[:, 1] > X[:, 0] ** 2)
        assert abs(model.coef_[0, 2]) < 1e-6


@pytest.mark.parametrize("mixed", [False, True])
def test_spreads_up_to_the_worst_ratio_stay_exact(mixed):
    """After mixing, the smallest eigenvalue of the covariance has four digits left."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)) * [1, 10, 1e3, 9e5]
    if mixed:
        X = X @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    coordinates, turned = rotated(X, np.ones(300), 0.0, True)
    Z = turned * coordinates.factor
    np.testing.assert_allclose((Z**2).mean(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(Z.T @ Z / 300, np.eye(4), atol=1e-4)


# ---------------------------------------------------------------- sparse columns


def test_squares_of_sparse_columns_add_up():
    X, weights = sparse.random_array((40, 9), density=0.3, rng=0, format="csr"), random_weights(40)
    squares = np.zeros(9)
    for part in (slice(0, 15), slice(15, 40)):
        add_squares(X[part], weights[part], squares)
    np.testing.assert_allclose(squares, weights @ X.toarray() ** 2, rtol=1e-14)


@pytest.mark.parametrize("d", [33, 50, 2000])
@pytest.mark.parametrize("powers", [0, 3, 60], ids=lambda powers: f"over {powers} powers of ten")
def test_no_sparse_column_has_more_than_its_share(d, powers):
    squares = 10.0 ** np.random.default_rng(d).uniform(-powers / 2, powers / 2, d)
    factor = levelling(squares, 0.1).factor
    levelled, longest = squares * factor**2, factor < 1
    assert (levelled <= levelled.sum() / 32 * (1 + 1e-12)).all()
    # shortened columns have exactly the share, and the others are unchanged
    np.testing.assert_allclose(levelled[longest], levelled.sum() / 32, rtol=1e-9)
    assert (factor[~longest] == 1).all()
    assert longest.sum() < 32
    if powers:
        assert squares[longest].min(initial=np.inf) > squares[~longest].max()


@pytest.mark.parametrize("d", [1, 5, 32])
def test_few_sparse_columns_get_the_same_square(d):
    squares = np.append(10.0 ** np.random.default_rng(d).uniform(-30, 30, d), np.zeros(100))
    factor = levelling(squares, 0.0).factor
    np.testing.assert_allclose(squares * factor**2, squares > 0, rtol=1e-14)
    assert (factor[d:] == 1).all()
    # if the penalty outweighs the data, it decides
    np.testing.assert_allclose(levelling(np.full(2, 1e-20), 4.0).factor, 0.5)


# ---------------------------------------------------------------- spread


def dense(X, centre=0.0, factor=1.0):
    d = X.shape[1]
    return _rows.dense_storage(X, np.full(d, centre), np.full(d, factor), 2)


def csr(X):
    return _rows.sparse_storage(X, 0.0, np.zeros(0, np.int64))


def spread_of(storage, head, X, weights, batch):
    """The spread of all rows; the labels do not matter."""
    y = np.zeros(len(weights), np.int64)
    problem = Problem(storage, head, Softmax(), y, weights, np.zeros(X.shape[1] + 1))
    return spread(problem, Dataset(X, Labels(y, 2), weights), np.arange(len(weights)), batch)


def second_moments(Z, weights):
    return (Z * weights[:, None]).T @ Z / weights.sum()


@pytest.mark.parametrize("constant", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("d", [2, 8, 30])
def test_spread_is_the_largest_eigenvalue(constant, d):
    """A full batch has no noise, so only the power method is tested: 95 % is enough for a step."""
    X, weights = correlated(500, d), random_weights(500)
    Z = np.column_stack([(X - 0.5) * 2, np.full(500, constant)])
    largest = np.linalg.eigvalsh(second_moments(Z, weights))[-1]
    ours, noise = spread_of(dense(X, 0.5, 2.0), Linear(constant), X, weights, np.inf)
    assert 0.95 * largest <= ours <= largest * (1 + 1e-9)
    assert noise == 0


@pytest.mark.parametrize("d", [2, 30])
def test_spread_of_sparse_rows(d):
    X = sparse.csr_array(correlated(500, d) * (np.random.default_rng(0).random((500, d)) < 0.2))
    weights = random_weights(500)
    Z = np.column_stack([X.toarray(), np.ones(500)])
    largest = np.linalg.eigvalsh(second_moments(Z, weights))[-1]
    ours, _ = spread_of(csr(X), Linear(1.0), X, weights, np.inf)
    assert 0.95 * largest <= ours <= largest * (1 + 1e-9)


def test_spread_of_cosines_leaves_out_the_mean_direction():
    X, weights = correlated(500, 6), random_weights(500)
    Z = np.column_stack([X, np.full(500, 2.0)])
    Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    largest = np.linalg.eigvalsh(covariance(Z, weights))[-1]
    ours, _ = spread_of(dense(X), Cosine(2.0), X, weights, np.inf)
    assert 0.95 * largest <= ours <= largest * (1 + 1e-9)


@pytest.mark.parametrize("batch", [1, 8, 64])
def test_noise_of_a_batch_is_the_mean_square_of_a_row(batch):
    X, ones = correlated(500, 6), np.ones(500)
    _, noise = spread_of(dense(X), Linear(1.0), X, ones, batch)
    assert noise == pytest.approx(((X**2).sum(axis=1) + 1).mean() / batch, rel=1e-10)


def test_spread_of_many_rows_is_measured_on_some():
    X = correlated(20_000, 5)
    Z = np.column_stack([X, np.ones(20_000)])
    largest = np.linalg.eigvalsh(Z.T @ Z / 20_000)[-1]
    ours, _ = spread_of(dense(X), Linear(1.0), X, np.ones(20_000), np.inf)
    assert ours == pytest.approx(largest, rel=0.1)


def test_spread_where_features_cancel():
    """x and 1 - x, as for a column with two categories: the axis (1, -1) sums to zero."""
    x = (np.random.default_rng(0).random(400) < 0.3).astype(float)
    X = np.column_stack([x, 1 - x])
    coordinates = moments(X, np.ones(400)).coordinates(0.0, True)
    rows = _rows.dense_storage(X, coordinates.centre, coordinates.factor, 2)
    assert spread_of(rows, Linear(1.0), X, np.ones(400), np.inf)[0] == pytest.approx(2, rel=1e-6)


def test_spread_of_nothing_is_positive():
    X = np.zeros((10, 2))
    assert spread_of(dense(X), Linear(0.0), X, np.ones(10), 8).sum() > 0
