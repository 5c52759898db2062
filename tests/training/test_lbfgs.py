"""solver="lbfgs": the optimum at any scale of the data, stopping, and refusals."""

import re

import numpy as np
import pytest
from reference import logistic_regression, softmax_optimum
from scipy import sparse
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from versions import HAS_CALLBACKS

from linclf import (
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)
from linclf._training.objective import Rows
from linclf._training.preconditioner import CHOLESKY, row_curvature
from linclf.losses import LOSSES
from linclf.losses._registry import trait

EXACT = {"solver": "lbfgs", "tol": 1e-12, "max_iter": 5000, "random_state": 0}


@pytest.fixture(scope="module")
def tall():
    """More rows than four times the sample, so that the rough solution comes from a part."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4500, 6)) * [1, 2, 5, 10, 50, 1e3] + [0, 1, 2, 3, 4, 1e4]
    scores = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.normal(size=(6, 4)) * 2
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


# ---------------------------------------------------------------- the optimum


@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_unscaled_tables(load, alpha, distance_left):
    """With the default tol; LogisticRegression needs thousands of iterations here."""
    X, y = load(return_X_y=True)
    model = SoftmaxClassifier(solver="lbfgs", alpha=alpha).fit(X, y)
    assert distance_left(model, X, y) < 1e-4
    assert model.n_iter_ < 60


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_more_rows_than_the_sample(tall, storage, weighted):
    X, y = tall
    weights = np.random.default_rng(1).uniform(0.1, 5, len(y)) if weighted else np.ones(len(y))
    if storage is not np.asarray:
        X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = SoftmaxClassifier(alpha=1e-3, **EXACT).fit(storage(X), y, sample_weight=weights)
    W, b = softmax_optimum(X, np.eye(4)[y], weights, 1e-3)
    np.testing.assert_allclose(model.coef_, W, rtol=1e-4, atol=1e-5 * np.abs(W).max())
    np.testing.assert_allclose(model.intercept_ - model.intercept_.mean(), b - b.mean(), rtol=1e-3, atol=1e-3)


def test_correlated_features_that_are_not_rotated(monkeypatch):
    """The use of the Cholesky factor: 6 iterations, and more than 1,000 with only its diagonal."""
    monkeypatch.setattr("linclf._training.coordinates.ROTATED_VALUES", 0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 30)) @ rng.normal(size=(30, 30)) * np.logspace(-2, 3, 30)
    X += 1e3 * rng.normal(size=(1500, 1))
    y = (X[:, :3] / X[:, :3].std(axis=0) @ rng.normal(size=(3, 3)) + rng.gumbel(size=(1500, 3))).argmax(
        axis=1
    )
    model = SoftmaxClassifier(solver="lbfgs", alpha=1e-6, tol=1e-4).fit(X, y)
    assert model.n_iter_ < 30


def test_float32_reaches_its_precision(tall):
    X, y = tall
    exact = SoftmaxClassifier(alpha=1e-3, **EXACT).fit(X, y)
    single = SoftmaxClassifier(alpha=1e-3, solver="lbfgs", random_state=0).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    objectives = [model.history_["objective"][-1] for model in (exact, single)]
    assert objectives[1] == pytest.approx(objectives[0], rel=1e-5)


def test_soft_labels_and_no_intercept():
    X, _ = load_iris(return_X_y=True)
    Q = np.random.default_rng(0).dirichlet([0.5, 0.5, 0.5], len(X))
    model = SoftmaxClassifier(alpha=1e-2, **EXACT).fit(X, Q)
    W, _ = softmax_optimum(X, Q, np.ones(len(X)), 1e-2)
    np.testing.assert_allclose(model.coef_, W, rtol=1e-5, atol=1e-6)
    y = Q.argmax(axis=1)
    model = SoftmaxClassifier(alpha=1e-2, fit_intercept=False, **EXACT).fit(X, y)
    peer = logistic_regression(1e-2 * len(y), fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-4, atol=1e-6)
    assert not model.intercept_.any()


def test_squared_hinge_reaches_linear_svc():
    X, y = load_digits(return_X_y=True)
    X, y = X[:500] / 16, y[:500]
    model = SVMClassifier(multi_class="one-vs-rest", squared=True, alpha=1e-2, fit_intercept=False, **EXACT)
    peer = LinearSVC(C=1 / (1e-2 * 500), dual=False, fit_intercept=False, tol=1e-9, max_iter=10_000).fit(X, y)
    model.set_params(tol=1e-13).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-4, atol=1e-6)


def test_focal_is_a_local_minimum():
    """SciPy, started at our solution, finds nothing lower."""
    X, y = load_iris(return_X_y=True)
    model = FocalClassifier(gamma=2.0, alpha=1e-2, **EXACT).fit(X, y)

    def objective(parameters):
        W, b = np.split(parameters, [12])
        scores = X @ W.reshape(3, 4).T + b
        p = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))[np.arange(150), y]
        return np.mean(-((1 - p) ** 2) * np.log(p)) + 0.005 * W @ W

    start = np.append(model.coef_, model.intercept_)
    assert model.history_["objective"][-1] == pytest.approx(objective(start), rel=1e-9)
    assert minimize(objective, start).fun > objective(start) - 1e-7


@pytest.mark.parametrize("margin_type", ["normface", "cosface"])
def test_cosines_end_where_the_loss_is_flat(margin_type):
    X, y = load_iris(return_X_y=True)
    model = MarginSoftmaxClassifier(margin_type=margin_type, solver="lbfgs", tol=1e-11).fit(X, y)
    assert model.history_["gradient_norm"][-1] <= 1e-6
    sgd = MarginSoftmaxClassifier(margin_type=margin_type, random_state=0).fit(X, y)
    assert model.history_["objective"][-1] <= sgd.history_["objective"][-1]
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("name", [name for name in LOSSES if trait(LOSSES[name], "smooth")])
def test_every_smooth_loss(name):
    """With a tol that even the squared Crammer-Singer hinge reaches, which has kinks where rivals tie."""
    X, y = load_wine(return_X_y=True)
    model = LinearClassifier(loss=name, solver="lbfgs", alpha=1e-2, tol=1e-2, max_iter=500)
    on_cosines = not trait(LOSSES[name], "head").equivariant  # else the largest column would dominate
    model.set_params(standardize=on_cosines).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.history_["objective"][-1] < model.history_["objective"][0]


@pytest.mark.parametrize("n_features", [5, CHOLESKY + 10])
def test_more_features_than_a_factor_takes(n_features):
    """Without a Cholesky factor, the diagonal is used; the optimum is that of the other solver."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, n_features)) / np.sqrt(n_features)
    y = (X[:, :3].sum(axis=1) > 0).astype(int)
    peer = logistic_regression(1e-2 * 300).fit(X, y)
    model = SoftmaxClassifier(alpha=1e-2, **EXACT).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-3, atol=1e-5 * np.abs(peer.coef_).max())


def test_row_curvature_equals_p_times_one_minus_p():
    """The row weights of the preconditioner, which have a closed form for softmax."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(50, 5)) * 3
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    found = row_curvature(LOSSES["softmax"](), scores, rng.integers(0, 5, 50))
    np.testing.assert_allclose(found, (p * (1 - p)).mean(axis=1), rtol=1e-4, atol=1e-8)


# ---------------------------------------------------------------- stopping


def test_too_few_iterations_say_what_is_left(tall):
    X, y = tall
    with pytest.warns(
        ConvergenceWarning, match=r"max_iter=3 iterations.*above its minimum, and tol=0\.0001 allows"
    ):
        model = SoftmaxClassifier(solver="lbfgs", max_iter=3, random_state=0).fit(X, y)
    assert model.n_iter_ == 3
    assert set(map(len, model.history_.values())) == {3}
    quiet = SoftmaxClassifier(solver="lbfgs", max_iter=3, tol=None, random_state=0).fit(X, y)
    np.testing.assert_array_equal(quiet.coef_, model.coef_)


def test_a_tolerance_below_rounding_is_reported():
    X, y = load_iris(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="in the precision of X"):
        SoftmaxClassifier(solver="lbfgs", tol=0.0, alpha=1e-2).fit(X, y)


def test_what_is_left_is_what_stops(tall, distance_left):
    X, y = tall
    counts = []
    for tol in (1e-2, 1e-4, 1e-8):
        model = SoftmaxClassifier(solver="lbfgs", tol=tol, random_state=0).fit(X, y)
        assert distance_left(model, X, y) <= tol
        counts.append(model.n_iter_)
    assert counts[0] < counts[1] < counts[2]


def test_warm_start_at_the_optimum_stays(tall):
    X, y = tall
    model = SoftmaxClassifier(solver="lbfgs", warm_start=True, random_state=0).fit(X, y)
    before = model.coef_.copy()
    model.fit(X, y)
    assert model.n_iter_ <= 2
    np.testing.assert_allclose(model.coef_, before, rtol=1e-2, atol=1e-3 * np.abs(before).max())


def test_validation_set_stops_and_keeps_the_best():
    rng = np.random.default_rng(0)
    X, X_val = rng.normal(size=(60, 50)), rng.normal(size=(500, 50))
    y, y_val = (X[:, 0] > 0).astype(int), (X_val[:, 0] > 0).astype(int)
    model = SoftmaxClassifier(solver="lbfgs", alpha=0.0, max_iter=200).fit(X, y, X_val=X_val, y_val=y_val)
    losses = model.history_["validation_loss"]
    assert len(losses) < 200
    assert min(losses) < losses[-1]
    p = model.predict_proba(X_val)[np.arange(500), y_val]
    assert -np.log(p).mean() == pytest.approx(min(losses), rel=1e-9)


@HAS_CALLBACKS
def test_callbacks_see_each_iteration_and_can_stop():
    class Stop:
        scores = []

        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
            if context.task_name == "epoch":
                self.scores.append(fitted_estimator.score(X, y))
            return len(self.scores) == 3

    X, y = load_iris(return_X_y=True)
    model = SoftmaxClassifier(solver="lbfgs", alpha=1e-4).set_callbacks(Stop()).fit(X, y)
    assert model.n_iter_ == len(Stop.scores) == 3
    assert model.score(X, y) == Stop.scores[-1]


def test_verbose_prints_iterations(capsys):
    X, y = load_iris(return_X_y=True)
    model = SoftmaxClassifier(solver="lbfgs", verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    assert lines[0].startswith("iteration 1/1000: objective ")


# ---------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", 0.1), ("schedule", "constant"), ("batch_size", 8), ("average", True)],
)
def test_parameters_of_other_solvers(name, value):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=rf"{name}={value!r} has no meaning with solver='lbfgs'"):
        SoftmaxClassifier(solver="lbfgs", **{name: value}).fit(X, y)


def test_losses_with_kinks():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"needs a smooth loss, and WestonWatkins.*solver='sgd'"):
        SVMClassifier(solver="lbfgs").fit(X, y)


def test_streams():
    model = SoftmaxClassifier(solver="lbfgs")
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        model.partial_fit([[0.0], [1.0]], [0, 1], classes=[0, 1])
    assert hasattr(SoftmaxClassifier(), "partial_fit")


# ---------------------------------------------------------------- where rounding ends it


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(6))
def test_rounding_of_the_value_leaves_gradients_their_digits(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 6)) * (rng.random((30, 6)) < 0.6), rng.integers(0, 3, 30)
    model = SoftmaxClassifier(solver="lbfgs", tol=1e-30, max_iter=1000).fit(sparse.csr_array(X), y)
    assert model.history_["gradient_norm"][-1] < 1e-13


def test_a_trial_that_overflows_is_not_the_point_reached(monkeypatch):
    """A failed line search ends with a warning and the last good weights."""
    X, y = load_iris(return_X_y=True)
    of_rows, calls = Rows.value_and_gradient, []

    def fails_later(self, V, G):
        value = of_rows(self, V, G)
        calls.append(value)
        if len(calls) > 8:
            G[:] = np.inf
            return np.inf
        return value

    monkeypatch.setattr(Rows, "value_and_gradient", fails_later)
    with pytest.warns(ConvergenceWarning, match="line search found no lower point"):
        model = SoftmaxClassifier(solver="lbfgs", tol=1e-9).fit(X, y)
    assert model.history_["objective"][-1] in calls[:8]
    assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize(
    ("n", "d", "n_classes"), [(150, 60, 3), (600, 300, 10), (1000, 300, 5), (1500, 300, 5)]
)
def test_falls_that_shrink_ever_more_slowly_do_not_end_it(n, d, n_classes, distance_left):
    """Few rows, correlated features, a tiny penalty: 1.8e-4 was left where 1e-4 was requested."""
    X, y = correlated(n, d, n_classes)
    model = SoftmaxClassifier(alpha=1e-6, solver="lbfgs").fit(X, y)
    assert distance_left(model, X, y) < 1e-4


@pytest.mark.parametrize("max_iter", [8, 13, 18, 24])
def test_no_iterations_are_enough_in_silence(max_iter, distance_left):
    """The stopping reason also decides about the warning: some of these gave none, with 5e-4 left."""
    X, y = correlated(150, 60, 3)
    with pytest.warns(ConvergenceWarning, match=f"max_iter={max_iter} iterations were not enough"):
        model = SoftmaxClassifier(alpha=1e-6, solver="lbfgs", max_iter=max_iter).fit(X, y)
    assert distance_left(model, X, y) > 1e-4


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_the_distance_in_a_warning_is_at_most_the_objective(solver):
    """After one iteration the distance is unknown, but no loss is below 0."""
    X, y = correlated(150, 60, 3)
    with pytest.warns(ConvergenceWarning) as said:
        model = SoftmaxClassifier(alpha=1e-6, solver=solver, max_iter=1).fit(X, y)
    distance = float(re.search(r"estimated to be (\S+) above", str(said[0].message))[1])
    log_loss = -model.predict_log_proba(X)[np.arange(150), y].mean()
    assert 0 < distance <= 1.05 * (log_loss + 0.5e-6 * (model.coef_**2).sum())


def correlated(n, d, n_classes):
    """Standardised Gaussian classes."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(d, d)) * np.geomspace(1, 0.05, d)
    centres = rng.normal(size=(n_classes, d)) * 4 / np.sqrt(2 * d)
    y = rng.permutation(np.arange(n) % n_classes)
    X = (centres[y] + rng.normal(size=(n, d))) @ mixing.T
    return (X - X.mean(axis=0)) / X.std(axis=0), y
