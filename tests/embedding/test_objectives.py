"""Losses on z: values against NumPy twins and the package's InfoNCE, gradients against finite differences."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import logsumexp

from linclf.embedding import Center, NTXent, SupCon
from linclf.embedding._classified import OnCosines, OnScores
from linclf.embedding._names import criterion_for
from linclf.embedding._rows import features_of
from linclf.embedding.contrastive import supervised_contrastive
from linclf.functional import info_nce, nt_xent
from linclf.losses import LOSSES

rng = np.random.default_rng(0)
N, D, Q, K = 12, 7, 3, 4
X = rng.normal(size=(N, D)) * (rng.uniform(size=(N, D)) > 0.3) + 0.1 * (np.arange(D) > 3)
Y = np.arange(N) % K
V = rng.normal(size=(Q, D))
IDS = np.arange(N)


def objective_of(loss, Z):
    found = criterion_for(loss).objective(Z, Y, K, np.random.RandomState(0))
    if len(found.head):
        found.head = found.head + 0.3 * rng.normal(size=found.head.shape)
    return found


def finite_differences(value, at):
    gradient, step = np.empty_like(at), 1e-6
    for index in np.ndindex(at.shape):
        moved = [at.copy(), at.copy()]
        moved[0][index] += step
        moved[1][index] -= step
        gradient[index] = (value(moved[0]) - value(moved[1])) / (2 * step)
    return gradient


SMOOTH = ["softmax", "focal", "cosface", "arcface", "sphereface", "normface", "one-vs-rest-logistic"]


@pytest.mark.parametrize("loss", [*SMOOTH, "center", Center(2.0, rate=0.0), "supcon", "nt-xent"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_gradients_are_those_of_finite_differences(loss, form):
    features = features_of(form(X), True)
    rows = features.rows(IDS)
    objective = objective_of(loss, rows.products(V))
    centers = objective.attributes().get("centers_")
    kept = None if centers is None else centers.copy()
    rows = objective.views(rows, np.random.RandomState(0))

    def value(V, head=objective.head):
        if kept is not None:
            objective.centers[:] = kept
        objective.head = head
        return objective.gradient(rows.products(V), IDS)[0]

    head = objective.head
    _, G, of_head = objective.gradient(rows.products(V), IDS)
    np.testing.assert_allclose(rows.gradient(G), finite_differences(value, V), rtol=1e-5, atol=1e-8)
    expected = finite_differences(lambda moved: value(V, moved), head)
    np.testing.assert_allclose(of_head, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_of_the_package_has_an_objective(loss):
    objective = objective_of(loss, X @ V.T)
    assert type(objective) is (
        OnCosines if loss in ("normface", "cosface", "arcface", "sphereface") else OnScores
    )
    value, G, of_head = objective.gradient(X @ V.T, IDS)
    assert value > 0
    assert np.abs(G).max() > 0
    assert of_head.shape == objective.head.shape


def naive_center(Z, y, W, b, centers, weight, rate):
    """Equations 5 to 7 of Wen et al., row by row."""
    total, moves, counts = 0.0, np.zeros_like(centers), np.zeros(len(centers))
    for z, label in zip(Z, y, strict=True):
        scores = W @ z + b
        total += logsumexp(scores) - scores[label] + weight / 2 * ((z - centers[label]) ** 2).sum()
        moves[label] += centers[label] - z
        counts[label] += 1
    return total / len(Z), centers - rate * moves / (1 + counts)[:, None]


def test_center_loss_and_its_centres():
    Z = rng.normal(size=(N, Q))
    objective = objective_of(Center(0.7, rate=0.4), Z)
    before, ids = objective.centers.copy(), np.array([0, 4, 8, 1, 2])  # none of class 3
    np.testing.assert_allclose(before, [Z[k == Y].mean(axis=0) for k in range(K)])
    W, b = objective.head[:, :-1], objective.head[:, -1]
    moved = Z[ids] + rng.normal(size=(len(ids), Q))
    value, centers = naive_center(moved, Y[ids], W, b, before, 0.7, 0.4)
    np.testing.assert_allclose(objective.gradient(moved, ids)[0], value)
    np.testing.assert_allclose(objective.centers, centers)
    np.testing.assert_array_equal(objective.centers[3], before[3])
    assert objective.attributes()["centers_"] is objective.centers


def unit(Z):
    return Z / np.linalg.norm(Z, axis=1, keepdims=True)


def test_nt_xent_of_a_batch_is_the_infonce_of_each_view():
    """The partner of a view is its positive key, and all other views are negative keys."""
    Z = rng.normal(size=(2 * N, Q))
    value = objective_of(NTXent(temperature=0.3), Z).gradient(Z, IDS)[0]
    views, each = unit(Z), []
    for i in range(2 * N):
        partner = (i + N) % (2 * N)
        others = [j for j in range(2 * N) if j not in (i, partner)]
        each.append(info_nce(views[[i]], views[[partner, *others]], 0.3)[0])
    assert value == pytest.approx(np.mean(each), rel=1e-12)


def test_supervised_contrastive_loss_of_pairs_is_nt_xent():
    Z = rng.normal(size=(2 * N, Q))
    value, G = supervised_contrastive(Z, np.tile(IDS, 2), 0.4)
    expected, gradients = nt_xent(Z[:N], Z[N:], 0.4)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(G, np.concatenate(gradients), rtol=1e-10, atol=1e-14)


def naive_supcon(Z, y, temperature):
    """Equation 2 of Khosla et al., row by row; rows without a partner do not count."""
    views, each = unit(Z), []
    for i in range(len(Z)):
        others = [j for j in range(len(Z)) if j != i]
        partners = [j for j in others if y[j] == y[i]]
        if partners:
            below = logsumexp([views[i] @ views[j] / temperature for j in others])
            each.append(np.mean([below - views[i] @ views[p] / temperature for p in partners]))
    return np.mean(each)


def test_supervised_contrastive_loss():
    y = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 2, 1])  # one row of class 3
    Z = rng.normal(size=(N, Q))
    value, G = supervised_contrastive(Z, y, 0.2)
    assert value == pytest.approx(naive_supcon(Z, y, 0.2), rel=1e-12)
    expected = finite_differences(lambda moved: naive_supcon(moved, y, 0.2), Z)
    np.testing.assert_allclose(G, expected, rtol=1e-5, atol=1e-8)


def test_a_batch_without_partners_changes_nothing():
    value, G = supervised_contrastive(rng.normal(size=(3, Q)), np.arange(3), 0.2)
    assert value == 0
    assert not G.any()


def test_a_row_of_zeros_has_no_direction():
    Z = rng.normal(size=(N, Q))
    Z[0] = 0
    for loss in ("cosface", "supcon"):
        _, G, _ = objective_of(loss, Z).gradient(Z, IDS)
        assert np.isfinite(G).all()
        assert not G[0].any()


def test_batches_of_supcon_are_filled_with_pairs():
    y = np.repeat(np.arange(50), 3)
    objective = SupCon().objective(rng.normal(size=(150, Q)), y, 50, np.random.RandomState(0))
    order = objective.order(np.random.RandomState(1))
    assert sorted(order) == list(range(150))
    pairs = order[:100].reshape(-1, 2)
    np.testing.assert_array_equal(y[pairs[:, 0]], y[pairs[:, 1]])
    assert (np.diff(y[pairs[:, 0]]) < 0).any()  # not in the order of the classes


def test_views_drop_a_share_of_the_features():
    rows = features_of(X, True).rows(IDS)
    views = rows.dropped_twice(0.25, np.random.RandomState(0)).matrix.reshape(2, N, D)
    kept = views == rows.matrix
    assert (views[~kept] == 0).all()
    assert 0.6 < kept.mean() < 0.9
    assert (kept[0] != kept[1]).any()
    rows = features_of(sparse.csr_array(X), True).rows(IDS)
    views = rows.dropped_twice(0.25, np.random.RandomState(0)).matrix.toarray().reshape(2, N, D)
    kept = views == rows.matrix.toarray()
    assert (views[~kept] == 0).all()
    assert (kept[0] != kept[1]).any()


@pytest.mark.parametrize("standardize", [True, False])
def test_dense_and_sparse_rows_have_the_same_products(standardize):
    dense, csr = features_of(X, standardize), features_of(sparse.csr_array(X), standardize)
    np.testing.assert_allclose(csr.mean, dense.mean, atol=1e-15)
    np.testing.assert_allclose(csr.spread, dense.spread, rtol=1e-12)
    spread = X.std(axis=0)
    np.testing.assert_allclose(dense.spread, spread if standardize else np.sqrt(np.mean(spread**2)))
    G = rng.normal(size=(N, Q))
    dense, csr = dense.rows(IDS), csr.rows(IDS)
    np.testing.assert_allclose(csr.products(V), dense.products(V), atol=1e-12)
    np.testing.assert_allclose(csr.gradient(G), dense.gradient(G), atol=1e-12)
    np.testing.assert_allclose(dense.products(V).mean(axis=0), 0, atol=1e-12)
