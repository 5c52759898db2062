"""Kernels of coordinate descent against NumPy: models of rows, products with columns, sweeps, norms."""

import numpy as np
import pytest
from scipy import sparse

from linclf._kernels import coordinates, norms
from linclf._kernels.coordinates import Penalised, Within, Work
from linclf._kernels.norms import OfFeatures, OfWeights
from linclf._kernels.row_models import Covariances, Diagonals, Matrices, Quadratic
from linclf._storage.columns import dense_columns, sparse_columns

N, D, K = 30, 7, 3
HESSIANS = ["covariances", "diagonals", "matrices"]


def rows(is_sparse, dtype=np.float64):
    """Rows with zeros, and their columns."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(N, D)) * (rng.random((N, D)) < 0.6)).astype(dtype)
    if is_sparse:
        return X, sparse_columns(sparse.csr_array(X))
    return X, dense_columns(X, np.zeros(D), np.ones(D))


def hessians(kind):
    """Some Hessians, and the same as (n, K, K)."""
    rng = np.random.default_rng(1)
    S = rng.random((K, N)) / N
    if kind == "covariances":
        whole = (
            np.einsum("kn,kl->nkl", S, np.eye(K)) - np.einsum("kn,ln->nkl", S, S) / S.sum(0)[:, None, None]
        )
        return Covariances(S, 1 / S.sum(axis=0)), whole
    if kind == "diagonals":
        return Diagonals(S), np.einsum("kn,kl->nkl", S, np.eye(K))
    half = rng.normal(size=(N, K, K)) / N
    whole = half @ half.transpose(0, 2, 1)
    return Matrices(np.ascontiguousarray(whole.transpose(1, 2, 0))), whole


def problem(kind, share=1.0):
    """A model without a move, weights to start from, and work space."""
    rng = np.random.default_rng(2)
    own, whole = hessians(kind)
    R = rng.normal(size=(K, N)) / N
    R -= R.mean(axis=0)  # as for losses of differences of scores: else covariances have no minimum
    model = Quadratic(R, np.zeros((K, N)), np.zeros(N), own)
    W = rng.normal(size=(D + 1, K)) * (rng.random((D + 1, K)) < 0.5)
    limits = share * np.linspace(0.005, 0.08, D)
    penalised = Penalised(W, limits, rng.uniform(0.02, 0.05, D), 0.7)
    reach = np.full((D, K), 50.0)
    within = Within(np.ones((D, K), bool), np.full((D, K), -1.0), W[:-1] - reach, W[:-1] + reach)
    return model, whole, penalised, within, Work(*(np.empty(N) for _ in range(3)))


def value(norm, X, model, whole, start, W, penalised):
    """The model with the penalty, and the move of the scores that W makes."""
    U = (np.column_stack([X, np.full(N, penalised.constant)]) @ (W - start)).T
    quadratic = np.vdot(model.R, U) + 0.5 * np.einsum("kn,nkl,ln->", U, whole, U)
    squares = 0.5 * penalised.ridges @ np.square(W[:-1]).sum(axis=1)
    return quadratic + squares + norm.value(W[:-1], penalised.limits), U


@pytest.mark.parametrize("kind", HESSIANS)
def test_products_with_hessians(kind):
    own, whole = hessians(kind)
    U = np.random.default_rng(3).normal(size=(K, N))
    np.testing.assert_allclose(own.applied(U), np.einsum("nkl,ln->kn", whole, U), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(own.total(), whole.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(own.diagonal(), np.einsum("nkk->kn", whole), rtol=1e-12)
    for i in range(N):  # the bound less the Hessian has no negative eigenvalue
        assert np.linalg.eigvalsh(np.diag(own.bounds()[:, i]) - whole[i]).min() > -1e-15


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_with_columns(is_sparse, dtype):
    X, columns = rows(is_sparse, dtype)
    rng, features = np.random.default_rng(4), np.array([1, 4, 5])
    W, R = rng.normal(size=(3, K)) * [[1.0], [0.0], [2.0]], rng.normal(size=(N, K))
    part, double = X[:, features], {"rtol": 1e-12, "atol": 1e-14}
    products, slopes, masked, squares = np.ones((K, N)), *(np.empty((3, K)) for _ in range(3))
    coordinates.add_products(columns, features, W, products)
    np.testing.assert_allclose(products, 1 + (part.astype(float) @ W).T, **double)
    coordinates.all_slopes(columns, features, R, slopes)
    np.testing.assert_allclose(slopes, part.T.astype(float) @ R, **double)
    moves, T = W > 0, np.ascontiguousarray(R.T)
    coordinates.some_slopes(columns, features, T, moves, masked)
    np.testing.assert_allclose(masked, moves * (part.T.astype(float) @ R), **double)
    coordinates.squares(columns, features, T, squares)
    np.testing.assert_allclose(squares, np.square(part.T.astype(float)) @ R, rtol=1e-6, atol=1e-6)
    assert list(columns.stored(features)) == [np.count_nonzero(x) if is_sparse else N for x in part.T]
    sizes = columns.typical_sizes()[features]
    expected = [np.sqrt(np.mean(np.square(x[x != 0] if is_sparse else x))) for x in part.T]
    np.testing.assert_allclose(sizes, expected, rtol=1e-6)


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("kind", HESSIANS)
def test_a_sweep_over_weights_falls_as_it_says_and_ends_at_the_minimum(kind, is_sparse):
    X, columns = rows(is_sparse)
    model, whole, penalised, within, work = problem(kind)
    norm, start, W = OfWeights(1.0), penalised.W.copy(), penalised.W
    for number in range(60):
        before, _ = value(norm, X, model, whole, start, W, penalised)
        fall = sum(
            coordinates.sweep_weights(
                columns,
                model,
                penalised,
                np.arange(D),
                within._replace(moves=within.moves & ((W[:-1] != 0) | (number % 3 != 1))),
                work,
                k,
            )
            for k in range(K)
        )
        after, U = value(norm, X, model, whole, start, W, penalised)
        assert fall == pytest.approx(before - after, rel=1e-9, abs=1e-13)
        np.testing.assert_allclose(model.U, U, rtol=1e-9, atol=1e-11)
    G = X.T @ (model.R + model.hessians.applied(model.U)).T + penalised.ridges[:, None] * W[:-1]
    free = np.abs(W[:-1] - within.lowest).min() > 0 and np.abs(W[:-1] - within.highest).min() > 0
    assert free
    assert 0 < np.count_nonzero(W[:-1]) < W[:-1].size
    assert norm.excess(G, W[:-1], penalised.limits).max() < 1e-6


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("kind", HESSIANS)
def test_a_sweep_over_features_falls_as_it_says_and_ends_at_the_minimum(kind, is_sparse):
    X, columns = rows(is_sparse)
    model, whole, penalised, within, work = problem(kind, share=2.0)
    norm, start, W, bounds = OfFeatures(1.0), penalised.W.copy(), penalised.W, model.hessians.bounds()
    for _ in range(400):
        before, _ = value(norm, X, model, whole, start, W, penalised)
        fall = coordinates.move_constants(model, penalised, work)
        fall += coordinates.sweep_features(
            columns, model, penalised, np.arange(D), within, bounds, np.empty(K)
        )
        after, U = value(norm, X, model, whole, start, W, penalised)
        # the fall of a function above the model is at most that of the model
        assert fall <= before - after + 1e-12
        np.testing.assert_allclose(model.U, U, rtol=1e-9, atol=1e-11)
    G = X.T @ (model.R + model.hessians.applied(model.U)).T + penalised.ridges[:, None] * W[:-1]
    has = W[:-1].any(axis=1)
    assert 0 < np.count_nonzero(has) < D
    assert norm.excess(G[has], W[:-1][has], penalised.limits[has]).max() < 1e-5
    assert (np.linalg.norm(G[~has], axis=1) <= penalised.limits[~has] + 1e-9).all()


def test_weights_go_no_farther_than_they_may_where_there_is_no_curvature():
    """A row far on its side has neither slope nor curvature, and its weights go back by the penalty alone."""
    _, columns = rows(False)
    model, _, penalised, within, work = problem("diagonals")
    model = Quadratic(np.zeros((K, N)), model.U, model.mixed, Diagonals(np.zeros((K, N))))
    penalised = penalised._replace(ridges=np.zeros(D), W=np.where(penalised.W != 0, 9.0, 0.0))
    within = Within(np.ones((D, K), bool), np.full((D, K), -1.0), penalised.W[:-1] - 4, penalised.W[:-1] + 4)
    had = penalised.W[:-1] != 0
    for k in range(K):
        coordinates.sweep_weights(columns, model, penalised, np.arange(D), within, work, k)
    np.testing.assert_array_equal(penalised.W[:-1], np.where(had, 5.0, 0.0))


@pytest.mark.parametrize("norm", [OfWeights(1.0), OfFeatures(1.0)])
def test_norms(norm):
    rng = np.random.default_rng(5)
    W, lengths = rng.normal(size=(40, K)), rng.random(40) * 2
    U = norm.proximal(W, lengths)
    assert 0 < np.count_nonzero(U) < U.size

    def objective(V):
        return 0.5 * np.square(V - W).sum() + norm.value(V, lengths)

    for _ in range(50):  # no other point is lower
        assert objective(U) <= objective(U + 0.01 * rng.normal(size=W.shape))
    sizes = np.empty(40)
    norms.lengths(norm, W, sizes)
    expected = np.abs(W).max(axis=1) if isinstance(norm, OfWeights) else np.linalg.norm(W, axis=1)
    np.testing.assert_allclose(sizes, expected, rtol=1e-14)
    step, at = 1e-6, rng.normal(size=(40, K))
    slope = norm.slope(at, lengths)
    moved = rng.normal(size=at.shape)
    ahead, behind = norm.value(at + step * moved, lengths), norm.value(at - step * moved, lengths)
    assert (ahead - behind) / (2 * step) == pytest.approx(np.vdot(slope, moved), rel=1e-6)
    bent = (norm.slope(at + step * moved, lengths) - norm.slope(at - step * moved, lengths)) / (2 * step)
    np.testing.assert_allclose(norm.bend(at, lengths)(moved), bent, rtol=1e-4, atol=1e-6)
