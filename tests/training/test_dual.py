"""solver="dual": the minimum for plain hinges, the proof by the duality gap, and refusals."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, LinearSVC

from linclf import LinearClassifier, SVMClassifier
from linclf._training import multipliers
from linclf._training.dual_point import _of_flows, _of_sides
from linclf.losses import CrammerSinger, OneVsRest, WestonWatkins, row_loss
from linclf.losses._dual import dual_step

FORMS = {"weston-watkins": WestonWatkins, "crammer-singer": CrammerSinger, "one-vs-rest": OneVsRest}
of_each_form = pytest.mark.parametrize("form", FORMS)
EXACT = {"solver": "dual", "tol": 1e-7, "max_iter": 5000}


def blobs(n=60, d=4, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    return rng.normal(size=(n, d)) + 1.5 * np.eye(n_classes, d)[y] + 3.0, y


def losses(form, scores, y, margin):
    """The loss of each row, written independently."""
    rows = np.arange(len(y))
    if form == "one-vs-rest" and scores.shape[1] > 2:
        signs = np.where(np.arange(scores.shape[1]) == y[:, None], 1, -1)
        return np.maximum(0, margin - signs * scores).sum(axis=1)
    excess = np.maximum(0, scores - scores[rows, y][:, None] + margin)
    excess[rows, y] = 0
    return excess.max(axis=1) if form == "crammer-singer" else excess.sum(axis=1)


def objective(model, X, y, weights=None):
    scores, W = model.decision_function(X), model.coef_
    if scores.ndim == 1:
        scores, W = np.column_stack([-scores, scores]) / 2, np.vstack([-W, W]) / np.sqrt(2)
    mean = np.average(losses(model.multi_class, scores, y, model.margin), weights=weights)
    return mean + model.alpha / 2 * (W**2).sum()


def optimum(form, X, y, alpha, weights, margin=1.0, intercept=True):
    """The value of the quadratic program with slack variables, by SLSQP."""
    (n, d), K = X.shape, y.max() + 1
    share, rows = weights / weights.sum(), np.arange(n)
    width = d + intercept
    Z = np.column_stack([X, np.ones(n)]) if intercept else X
    pairs = [(i, k) for i in rows for k in range(K) if form == "one-vs-rest" or k != y[i]]
    n_slack = n if form == "crammer-singer" else len(pairs)
    A, cost = np.zeros((len(pairs), K * width + n_slack)), np.zeros(K * width + n_slack)
    for at, (i, k) in enumerate(pairs):  # margin of the pair + slack >= D
        slack = i if form == "crammer-singer" else at
        A[at, K * width + slack] = 1
        cost[K * width + slack] = share[i]
        if form == "one-vs-rest":
            A[at, k * width : (k + 1) * width] = Z[i] if k == y[i] else -Z[i]
        else:
            A[at, y[i] * width : (y[i] + 1) * width] = Z[i]
            A[at, k * width : (k + 1) * width] = -Z[i]
    pull = np.zeros(K * width + n_slack)
    pull[: K * width] = np.tile(np.r_[np.full(d, alpha), np.zeros(width - d)], K)
    start = np.zeros(K * width + n_slack)
    start[K * width :] = margin
    result = minimize(
        lambda v: (cost @ v + 0.5 * pull @ v**2, cost + pull * v),
        start,
        jac=True,
        method="SLSQP",
        bounds=[(None, None)] * (K * width) + [(0, None)] * n_slack,
        constraints={"type": "ineq", "fun": lambda v: A @ v - margin, "jac": lambda v: A},
        options={"maxiter": 1000, "ftol": 1e-13},
    )
    assert result.success
    return result.fun


# ---------------------------------------------------------------- the optimum


@of_each_form
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("margin", [1.0, 0.3])
def test_quadratic_program(form, intercept, margin):
    X, y = blobs(30)
    weights = np.random.default_rng(1).uniform(0.2, 3, len(y))
    model = SVMClassifier(multi_class=form, alpha=0.05, margin=margin, fit_intercept=intercept, **EXACT)
    model.fit(X, y, sample_weight=weights)
    best = optimum(form, X, y, 0.05, weights, margin, intercept)
    assert objective(model, X, y, weights) == pytest.approx(best, rel=1e-6)
    assert model.history_["objective"][-1] == pytest.approx(best, rel=1e-6)


@of_each_form
@pytest.mark.parametrize("alpha", [1e-1, 1e-3])
def test_two_classes_are_the_svm_of_libsvm(form, alpha):
    """LIBSVM's intercept has no penalty either."""
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = SVMClassifier(multi_class=form, alpha=alpha, **EXACT).fit(X, y)
    reference = SVC(kernel="linear", C=1 / (alpha * len(y)), tol=1e-8).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(model.intercept_, reference.intercept_, rtol=2e-3, atol=2e-3)


def test_without_an_intercept_they_are_the_svm_of_liblinear():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = SVMClassifier(alpha=1e-2, fit_intercept=False, **EXACT).fit(X, y)
    reference = LinearSVC(
        C=1 / (1e-2 * len(y)), loss="hinge", fit_intercept=False, tol=1e-8, max_iter=10**6, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=2e-3, atol=2e-3)


@of_each_form
@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_unscaled_tables(load, alpha, form):
    """With the default tol, and features of scales from 1e-3 to 1e3."""
    X, y = load(return_X_y=True)
    model = SVMClassifier(multi_class=form, alpha=alpha, solver="dual").fit(X, y)
    assert model.n_iter_ < 200
    share = np.bincount(y).min() / len(y)
    start = 2 * share if len(np.unique(y)) == 2 else 0.9  # at most about that of the best intercepts
    assert model.optimality_gap_ <= 1e-3 * max(start, len(np.unique(y)))
    exact = SVMClassifier(multi_class=form, alpha=alpha, **EXACT | {"tol": 1e-5}).fit(X, y)
    assert objective(model, X, y) - objective(exact, X, y) <= model.optimality_gap_ + 1e-9


@pytest.mark.parametrize(("seed", "alpha", "n_features"), [(140, 1e-4, 30), (65, 1e-4, 30), (3, 1e-6, 10)])
def test_drawn_rows_of_an_unscaled_table(seed, alpha, n_features):
    """A few rows decide, which multipliers of an unsolved problem do not find: they stall far above."""
    X, y = load_breast_cancer(return_X_y=True)
    counts = np.bincount(np.random.default_rng(seed).integers(0, len(y), len(y)), minlength=len(y))
    model = SVMClassifier(alpha=alpha).fit(X[:, :n_features], y, sample_weight=counts)
    assert model.solver_ == "dual"
    assert model.n_iter_ < 100


@of_each_form
def test_many_rows_of_few_features(form):
    """Correlated, with scales from 1e-2 to 1e2: coordinate ascent alone takes hundreds of passes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 8)) @ rng.normal(size=(8, 8)) * 10.0 ** rng.integers(-2, 3, 8)
    scores = X / X.std(axis=0) @ rng.normal(size=(8, 3))
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    model = SVMClassifier(multi_class=form, solver="dual").fit(X.astype(np.float32), y)
    exact = SVMClassifier(multi_class=form, **EXACT).fit(X, y)
    assert model.n_iter_ < 50
    assert -1e-4 < objective(model, X, y) - objective(exact, X, y) <= model.optimality_gap_ + 1e-4


@of_each_form
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_ascent_alone_reaches_it_too(form, storage, monkeypatch):
    X, y = blobs(200, 6, 4)
    X = X - X.mean(axis=0)
    exact = SVMClassifier(multi_class=form, alpha=1e-2, **EXACT).fit(X, y)
    monkeypatch.setattr(multipliers, "MOST", 0)
    monkeypatch.setattr("linclf._training.train.SMALL", 0)  # small sparse rows would become dense
    model = SVMClassifier(multi_class=form, alpha=1e-2, solver="dual", tol=1e-5, max_iter=2000)
    model.fit(storage(X), y)
    assert model.n_iter_ > 10
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=0.02)
    assert objective(model, X, y) == pytest.approx(objective(exact, X, y), rel=1e-4)


@of_each_form
def test_sparse_rows_of_many_features(form):
    """More weights than the method of multipliers is used for."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((300, 2000), density=0.02, rng=rng, format="csr")
    y = np.asarray((X @ rng.normal(size=(2000, 5))).argmax(axis=1))
    model = SVMClassifier(multi_class=form, alpha=1e-3, solver="dual").fit(X, y)
    dense = SVMClassifier(multi_class=form, alpha=1e-3, solver="dual").fit(X.toarray(), y)
    gap = max(model.optimality_gap_, dense.optimality_gap_)
    assert gap < 5e-3
    assert objective(model, X, y) == pytest.approx(objective(dense, X, y), abs=gap)


# ---------------------------------------------------------------- what the gap proves


@of_each_form
@pytest.mark.parametrize("max_iter", [1, 2, 5, 8])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_gap_is_a_bound(form, max_iter, n_classes):
    X, y = blobs(90, 4, n_classes)
    common = {"multi_class": form, "alpha": 1e-3}
    exact = SVMClassifier(**common, **EXACT).fit(X, y)
    with pytest.warns(ConvergenceWarning, match=r"max_iter=\d+ iterations were not enough"):
        model = SVMClassifier(**common, solver="dual", max_iter=max_iter, tol=1e-9).fit(X, y)
    assert model.n_iter_ == max_iter
    left = objective(model, X, y) - objective(exact, X, y)
    assert -1e-8 <= left <= model.optimality_gap_ + 1e-8
    assert model.history_["gap"][-1] == model.optimality_gap_


def test_without_tol_nothing_warns():
    X, y = blobs()
    assert SVMClassifier(solver="dual", max_iter=3, tol=None).fit(X, y).n_iter_ == 3


def test_flows_in_balance():
    rng = np.random.default_rng(0)
    for n_classes in (2, 3, 10):
        for change in (1e-3, 0.1, 0.5):
            mass = rng.uniform(size=(n_classes, n_classes)) * (rng.random((n_classes, n_classes)) < 0.7)
            mass = mass + mass.T
            mass *= 1 + change * rng.uniform(-1, 1, mass.shape)
            factors = _of_flows(mass)
            flow = mass * factors * (1 - np.eye(n_classes))
            assert ((factors >= 0) & (factors <= 1)).all()
            np.testing.assert_allclose(flow.sum(axis=0), flow.sum(axis=1), atol=1e-12)
            if change == 1e-3:
                assert flow.sum() > 0.99 * (mass.sum() - np.trace(mass))


def test_a_class_that_gives_nothing_gets_nothing():
    mass = np.array([[0.0, 1.0, 0.3], [1.0, 0.0, 0.2], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(_of_flows(mass)[:2, :2] * mass[:2, :2], [[0, 1], [1, 0]])
    assert not _of_flows(mass)[:2, 2].any()


def test_sides_in_balance():
    mass = np.array([[0.5, 0.1, 0.2], [0.2, 0.0, 0.1], [0.1, 0.3, 0.2]])
    left = mass * _of_sides(mass)
    np.testing.assert_allclose(2 * np.diag(left), left.sum(axis=0))
    assert left[0, 0] == pytest.approx(0.3)


# ---------------------------------------------------------------- the step of a row


@pytest.mark.parametrize("loss", [WestonWatkins(0.7), CrammerSinger(0.7), OneVsRest(0.7)])
def test_step_of_a_row(loss):
    """The new variables are a subgradient at the new scores, so Fenchel's equality holds."""
    rng = np.random.default_rng(0)
    coupled = not isinstance(loss, OneVsRest)
    for _ in range(300):
        n_classes = rng.integers(2, 25)
        y, bend = rng.integers(n_classes), 10 ** rng.uniform(-4, 2)
        scores = rng.normal(size=n_classes) * 10 ** rng.uniform(-2, 2)
        active = rng.uniform(size=n_classes) * (rng.random(n_classes) < 0.5)
        if coupled:
            active /= n_classes if isinstance(loss, CrammerSinger) else 1
            active[y] = 0
            active[y] = active.sum()
        before, change = active.copy(), scores.copy()
        before[y] *= -1
        dual_step(loss, change, y, active, bend)
        g = active.copy()
        g[y] *= -1
        np.testing.assert_allclose(g - before, change, atol=1e-12)
        reached = scores - bend * change
        value = row_loss(loss, reached.copy(), y)
        mass = active[y] if coupled else active.sum()
        assert value == pytest.approx(g @ reached + loss.margin * mass, rel=1e-7, abs=1e-7)


# ---------------------------------------------------------------- rows


@of_each_form
def test_weights_are_copies(form):
    X, y = blobs(40)
    weights = np.arange(40) % 4 + 1
    weights[::7] = 0
    common = {"multi_class": form, "alpha": 1e-2, **EXACT, "tol": 1e-9}
    weighted = SVMClassifier(**common).fit(X, y, sample_weight=weights)
    copied = SVMClassifier(**common).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.coef_, copied.coef_, atol=2e-4)
    assert weighted.history_["objective"][-1] == pytest.approx(copied.history_["objective"][-1], rel=1e-8)


@of_each_form
@pytest.mark.parametrize("n_classes", [2, 4])
def test_single_precision(form, n_classes):
    X, y = blobs(100, 5, n_classes)
    double = SVMClassifier(multi_class=form, alpha=1e-2, **EXACT).fit(X, y)
    single = SVMClassifier(multi_class=form, alpha=1e-2, solver="dual", tol=1e-4)
    single.fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    assert objective(single, X, y) == pytest.approx(objective(double, X, y), rel=1e-3)


@of_each_form
def test_a_class_without_weight(form):
    X, y = blobs()
    model = SVMClassifier(multi_class=form, alpha=1e-2, solver="dual", class_weight={2: 0.0}).fit(X, y)
    assert set(model.predict(X)) == {0, 1}
    assert model.optimality_gap_ < 5e-3


@of_each_form
@pytest.mark.parametrize("intercept", [True, False])
def test_odd_rows(form, intercept):
    """Rows of zeros, copies, one row per class, and rows without spread."""
    common = {"multi_class": form, "alpha": 1e-2, "solver": "dual", "fit_intercept": intercept}
    X, y = blobs()
    X[:6], X[6:12] = 0, X[12:18]
    model = SVMClassifier(**common).fit(X, y)
    assert objective(model, X, y) == pytest.approx(model.history_["objective"][-1], rel=1e-9)
    assert SVMClassifier(**common).fit(np.eye(4), np.arange(4)).score(np.eye(4), np.arange(4)) == 1
    constant = SVMClassifier(**common).fit(np.zeros((9, 2)), np.array([0, 0, 0, 0, 1, 1, 1, 2, 2]))
    assert not constant.coef_.any()
    assert constant.optimality_gap_ == pytest.approx(0, abs=1e-6)


@of_each_form
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_of_the_features(form, scale):
    """The problem is the same if alpha is scaled accordingly."""
    X, y = blobs(100)
    common = {"multi_class": form, "solver": "dual", "tol": 1e-6}
    model = SVMClassifier(alpha=1e-2, **common).fit(X, y)
    scaled = SVMClassifier(alpha=1e-2 * scale**2, **common).fit(X * scale, y)
    np.testing.assert_allclose(scaled.coef_ * scale, model.coef_, atol=5e-3)


def test_the_same_model_each_time():
    X, y = blobs(200, 6, 4)
    one, two = (
        SVMClassifier(solver="dual", random_state=seed, n_jobs=jobs).fit(X, y)
        for seed, jobs in [(0, 1), (1, 2)]
    )
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_warm_start_loses_nothing():
    X, y = blobs(200, 6, 4)
    model = SVMClassifier(solver="dual", alpha=1e-3, tol=1e-6, warm_start=True).fit(X, y)
    first = objective(model, X, y)
    with pytest.warns(ConvergenceWarning):
        model.set_params(max_iter=1).fit(X, y)
    assert objective(model, X, y) <= first * (1 + 1e-9)


# ---------------------------------------------------------------- what it refuses


def test_refusals():
    X, y = blobs()
    with pytest.raises(ValueError, match=r"solver='dual' needs a hinge loss.*Softmax.*solver='auto'"):
        LinearClassifier(loss="softmax", solver="dual").fit(X, y)
    with pytest.raises(ValueError, match=r"solver='dual' needs a hinge loss.*Squared"):
        SVMClassifier(squared=True, solver="dual").fit(X, y)
    with pytest.raises(ValueError, match=r"needs alpha > 0, and alpha=0.0.*solver='sgd'"):
        SVMClassifier(alpha=0.0, solver="dual").fit(X, y)
    with pytest.raises(ValueError, match=r"a label for each row.*solver='sgd'"):
        LinearClassifier(loss="weston-watkins", solver="dual").fit(X, np.eye(3)[y])
    with pytest.raises(ValueError, match=r"has kinks; use solver='dual', solver='sgd', or the squared"):
        SVMClassifier(solver="newton").fit(X, y)
    with pytest.raises(ValueError, match=r"batch_size=8 has no meaning with solver='dual'"):
        SVMClassifier(solver="dual", batch_size=8).fit(X, y)
