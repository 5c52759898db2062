"""solver="newton-cd": the conditions of a minimum with weights of exactly 0, for any loss and any rows.

Derivatives are those of losses in NumPy; tests/oracles/test_sparse_weights.py compares with other solvers.
"""

import naive
import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import approx_fprime
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sparse_optima import penalised_objective, sparse_optimum

from linclf import FocalClassifier, LinearClassifier, SoftmaxClassifier, SVMClassifier, path

EXACT = {"tol": 1e-7}  # of a bound that is proportional to the error of the slopes: weights have 7 digits
SQUARED = {"tol": 1e-12}  # with squares in the penalty the bound is one of squared slopes
PENALTIES = [("l1", None), ("elasticnet", 0.4), ("group", None), ("group", 0.6)]
LOSSES = {
    "softmax": lambda f, y: naive.cross_entropy(f, y, 0.0, 1.0),
    "one-vs-rest-logistic": naive.one_vs_rest_logistic,
    "squared-one-vs-rest": lambda f, y: naive.squared_one_vs_rest(f, y, 1.0),
    "squared-weston-watkins": lambda f, y: naive.squared_weston_watkins(f, y, 1.0),
    "sparsemax": naive.sparsemax_loss,
    "entmax": lambda f, y: naive.entmax_loss(f, y, 1.5),
    "focal": lambda f, y: naive.focal(f, y, 2.0),
}
OF_DIFFERENCES = {"squared-one-vs-rest": "squared-weston-watkins", "one-vs-rest-logistic": "softmax"}


def table(n_classes=3, n=80, d=10, seed=0):
    """Rows, labels, weights; three of the features say something about the class."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, d)), np.r_[np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)]
    X[:, :3] += 1.5 * rng.normal(size=(n_classes, 3))[y]
    return X, y, rng.uniform(0.2, 3, n)


def slopes_of(loss, scores, y):
    """Derivatives of the losses of the rows by their scores, by differences; two classes have one score."""
    if scores.shape[1] > 1:
        return np.array(
            [
                approx_fprime(f, lambda f, own=own: loss(f, own), 1e-7)
                for f, own in zip(scores, y, strict=True)
            ]
        )
    return np.array(
        [
            approx_fprime(f, lambda f, own=own: loss(np.array([-f[0], f[0]]) / 2, own), 1e-7)
            for f, own in zip(scores, y, strict=True)
        ]
    )


def excess(W, G, penalty, alpha, share):
    """How far the conditions of a minimum are from true, for the gradient G (K, n_features) of the loss."""
    limit, G = alpha * share, G + alpha * (1 - share) * W
    if penalty == "group":
        sizes = np.linalg.norm(W, axis=0)
        at_zero = np.maximum(np.linalg.norm(G, axis=0) - limit, 0)
        return np.where(sizes > 0, np.linalg.norm(G + limit * W / np.where(sizes, sizes, 1), axis=0), at_zero)
    return np.where(W == 0, np.maximum(np.abs(G) - limit, 0), np.abs(G + limit * np.sign(W)))


def share_of(penalty, l1_ratio):
    return {"l1": 1.0, "elasticnet": 0.5, "group": 1.0}[penalty] if l1_ratio is None else l1_ratio


def strongest(model, X, y, weights):
    """The alpha from which all weights are 0."""
    return path(X, y, 1, estimator=model, sample_weight=weights).alphas[0]


def exact(penalty, l1_ratio):
    return EXACT if share_of(penalty, l1_ratio) == 1 else SQUARED


# ---------------------------------------------------------------- the conditions of a minimum


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
@pytest.mark.parametrize("name", LOSSES)
def test_slopes_are_those_that_the_penalty_balances(name, penalty, l1_ratio, n_classes):
    X, y, weights = table(n_classes)
    model = LinearClassifier(loss=name, penalty=penalty, l1_ratio=l1_ratio, **exact(penalty, l1_ratio))
    alpha = 0.3 * strongest(model, X, y, weights)
    model.set_params(alpha=alpha).fit(X, y, sample_weight=weights)
    W, b, w = model.coef_, model.intercept_, weights / weights.sum()
    loss = LOSSES[OF_DIFFERENCES.get(name, name) if n_classes == 2 else name]
    R = slopes_of(loss, X @ W.T + b, y) * w[:, None]
    assert excess(W, R.T @ X, penalty, alpha, share_of(penalty, l1_ratio)).max() < 2e-6
    assert np.abs(R.sum(axis=0)).max() < 2e-6
    assert 0 < np.count_nonzero(W) < W.size
    assert model.solver_ == "newton-cd"


@pytest.mark.parametrize("penalty", ["l1", "group"])
def test_slopes_with_label_smoothing_soft_labels_and_offsets(penalty):
    X, y, weights = table(3)
    rng, w = np.random.default_rng(1), weights / weights.sum()
    Y, offset, alpha = rng.dirichlet(np.ones(3), len(y)), rng.normal(size=(len(y), 3)), 0.05

    def check(model, Y, offset=0.0):
        F = X @ model.coef_.T + model.intercept_ + offset
        P = np.exp(F - F.max(axis=1, keepdims=True))
        R = (P / P.sum(axis=1, keepdims=True) - Y) * w[:, None]
        assert excess(model.coef_, R.T @ X, penalty, alpha, 1.0).max() < 1e-6
        assert np.abs(R.sum(axis=0)).max() < 1e-6
        assert 0 < np.count_nonzero(model.coef_) < model.coef_.size

    given = {"penalty": penalty, "alpha": alpha, **EXACT}
    smoothed = SoftmaxClassifier(label_smoothing=0.2, **given).fit(X, y, sample_weight=weights)
    check(smoothed, 0.7 * np.eye(3)[y] + 0.1)  # the other classes have 0.1 each
    check(SoftmaxClassifier(**given).fit(X, 0.5 * Y + 0.5 * np.eye(3)[y], sample_weight=weights),
          0.5 * Y + 0.5 * np.eye(3)[y])  # fmt: skip
    known = SoftmaxClassifier(**given).fit(X, y, sample_weight=weights, offset=offset)
    check(known, np.eye(3)[y], offset)


def test_prior_is_a_known_score_and_the_penalty_is_on_the_difference():
    X, y, weights = table(3)
    prior = SoftmaxClassifier(alpha=0.1).fit(X[::2], y[::2])
    given = {"penalty": "l1", "alpha": 0.02, **EXACT}
    after = SoftmaxClassifier(**given).fit(X, y, sample_weight=weights, prior=prior)
    known = SoftmaxClassifier(**given).fit(X, y, sample_weight=weights, offset=prior.decision_function(X))
    np.testing.assert_allclose(after.coef_, prior.coef_ + known.coef_, atol=1e-6)
    assert np.count_nonzero(after.coef_ == prior.coef_) == np.count_nonzero(known.coef_ == 0) > 0


@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_several_labels_are_problems_of_their_own_but_for_groups(n_classes, penalty, l1_ratio):
    X, _, weights = table(3)
    member = (X[:, :n_classes] + np.random.default_rng(0).normal(size=(len(X), n_classes)) > 0).astype(int)
    given = {"penalty": penalty, "l1_ratio": l1_ratio, **exact(penalty, l1_ratio)}
    model = LinearClassifier(loss="one-vs-rest-logistic", **given)
    alpha = 0.3 * strongest(model, X, member, weights)
    model.set_params(alpha=alpha).fit(X, member, sample_weight=weights)
    W, w = model.coef_, weights / weights.sum()
    R = (1 / (1 + np.exp(-X @ W.T - model.intercept_)) - member) * w[:, None]
    assert excess(W, R.T @ X, penalty, alpha, share_of(penalty, l1_ratio)).max() < 1e-6
    assert 0 < np.count_nonzero(W) < W.size
    if penalty == "l1":
        alone = SoftmaxClassifier(penalty="l1", alpha=alpha, **EXACT).fit(X, member[:, 0], weights)
        np.testing.assert_allclose(alone.coef_[0], W[0], atol=1e-6)


# ---------------------------------------------------------------- the bound


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
@pytest.mark.parametrize("loss", ["softmax", "squared-one-vs-rest"])
def test_gap_is_a_bound(loss, penalty, l1_ratio, n_classes):
    X, y, weights = table(n_classes)
    problem = X, y, weights, penalty, 0.02, share_of(penalty, l1_ratio)
    least = sparse_optimum(loss, *problem)[2]
    given = {"loss": loss, "penalty": penalty, "l1_ratio": l1_ratio, "alpha": 0.02}
    for tol in (0.5, 0.1, 1e-2, 1e-4):
        model = LinearClassifier(tol=tol, **given).fit(X, y, weights)
        above = penalised_objective(loss, model.coef_, model.intercept_, *problem) - least
        assert -1e-12 < above <= model.optimality_gap_ + 1e-12
        assert model.history_["objective"][-1] == pytest.approx(least + above, abs=1e-12)


def test_no_bound_without_convexity():
    X, y, _ = table()
    assert not hasattr(FocalClassifier(penalty="l1", alpha=0.005).fit(X, y), "optimality_gap_")


@pytest.mark.parametrize("loss", ["softmax", "squared-one-vs-rest", "sparsemax"])
def test_real_tables_converge(loss):
    """No warnings; iris with softmax once ended at 0.343, as moves of all intercepts together went astray."""
    for load in (load_iris, load_wine, load_breast_cancer):
        X, y = load(return_X_y=True)
        for alpha in (0.1, 0.02, 1e-3):
            for penalty in ("l1", "group"):
                model = LinearClassifier(loss=loss, penalty=penalty, alpha=alpha).fit(X, y)
                assert model.optimality_gap_ <= 1e-4 * 3  # the losses of the best intercepts are below 3


def test_iris_reaches_its_minimum():
    X, y = load_iris(return_X_y=True)
    model = SoftmaxClassifier(penalty="l1", alpha=0.02).fit(X, y)
    least = sparse_optimum("softmax", X - X.mean(axis=0), y, np.ones(len(y)), "l1", 0.02, 1.0)[2]
    assert model.history_["objective"][-1] == pytest.approx(least, rel=2e-4)


# ---------------------------------------------------------------- forms of the rows


@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_dense_sparse_and_float32_rows_have_one_minimum(n_classes, penalty, l1_ratio):
    X, y, weights = table(n_classes, n=120)
    X[np.random.default_rng(0).random(X.shape) < 0.95] = 0  # stays sparse
    X[:, 0] += y
    given = {"penalty": penalty, "l1_ratio": l1_ratio, "alpha": 0.005, **exact(penalty, l1_ratio)}
    dense = SoftmaxClassifier(**given).fit(X, y, weights)
    for form in (sparse.csr_array, sparse.csr_matrix, sparse.csc_array):
        model = SoftmaxClassifier(**given).fit(form(X), y, weights)
        np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-5)
        np.testing.assert_array_equal(model.coef_ == 0, dense.coef_ == 0)
    assert (dense.coef_ == 0).any()
    for form in (np.asarray, sparse.csr_array):
        single = SoftmaxClassifier(**{**given, "tol": 1e-5}).fit(form(X.astype(np.float32)), y, weights)
        assert single.history_["objective"][-1] == pytest.approx(dense.history_["objective"][-1], rel=1e-5)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("penalty", ["l1", "group"])
def test_weights_of_rows_are_copies(form, penalty):
    X, y, _ = table(n=60)
    counts = np.random.default_rng(0).integers(0, 4, len(y))
    given = {"penalty": penalty, "alpha": 0.02, **EXACT}
    weighted = SoftmaxClassifier(**given).fit(form(X), y, sample_weight=counts)
    copies = SoftmaxClassifier(**given).fit(form(np.repeat(X, counts, axis=0)), np.repeat(y, counts))
    np.testing.assert_allclose(weighted.coef_, copies.coef_, atol=1e-6)
    np.testing.assert_array_equal(weighted.coef_ == 0, copies.coef_ == 0)
    shares = {0: 1.0, 1: 2.0, 2: 0.5}
    by_class = SoftmaxClassifier(class_weight=shares, **given).fit(form(X), y)
    by_row = SoftmaxClassifier(**given).fit(form(X), y, sample_weight=[shares[label] for label in y])
    np.testing.assert_allclose(by_class.coef_, by_row.coef_, atol=1e-9)


@pytest.mark.parametrize("penalty", ["l1", "group"])
def test_standardize_is_a_scaler_before(penalty):
    X, y = load_wine(return_X_y=True)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    given = {"penalty": penalty, "alpha": 0.02, **EXACT}
    ours = SoftmaxClassifier(standardize=True, **given).fit(X, y)
    scaled = SoftmaxClassifier(**given).fit(Z, y)
    np.testing.assert_allclose(ours.coef_ * X.std(axis=0), scaled.coef_, atol=1e-6)
    assert (ours.coef_ == 0).any()


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("penalty", ["l1", "group"])
def test_results_do_not_depend_on_threads(form, penalty):
    X, y = load_digits(return_X_y=True)
    one, two = (
        SoftmaxClassifier(penalty=penalty, alpha=0.02, n_jobs=n, tol=1e-2).fit(form(X), y) for n in (1, 2)
    )
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.intercept_, two.intercept_)


# ---------------------------------------------------------------- extremes


@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_all_weights_are_zero_with_the_best_intercepts(n_classes, penalty, l1_ratio):
    X, y, weights = table(n_classes)
    model = SoftmaxClassifier(penalty=penalty, l1_ratio=l1_ratio, alpha=1e3).fit(X, y, weights)
    assert not model.coef_.any()
    shares = np.bincount(y, weights) / weights.sum()
    np.testing.assert_allclose(model.predict_proba(X[:1])[0], shares, atol=1e-6)


def test_without_a_penalty_it_is_the_minimum_of_the_loss():
    X, y, weights = table(3, n=200, d=4)
    ours = SoftmaxClassifier(penalty="l1", alpha=0.0).fit(X, y, weights)
    smooth = SoftmaxClassifier(alpha=0.0).fit(X, y, weights)
    np.testing.assert_array_equal(ours.coef_, smooth.coef_)
    assert ours.solver_ == "newton"
    tiny = SoftmaxClassifier(penalty="l1", alpha=1e-5).fit(X, y, weights)
    np.testing.assert_allclose(tiny.predict_proba(X), smooth.predict_proba(X), atol=1e-2)
    with pytest.raises(ValueError, match=r"solver='newton-cd' is for penalties .* and alpha=0.0"):
        SoftmaxClassifier(penalty="l1", alpha=0.0, solver="newton-cd").fit(X, y)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("penalty", ["l1", "group"])
def test_columns_that_say_nothing_have_no_weight(form, penalty):
    X, y, weights = table(3)
    X[:, 4], X[:, 5] = 0, 7.0
    model = SoftmaxClassifier(penalty=penalty, alpha=0.01).fit(form(X), y, weights)
    assert not model.coef_[:, 4].any()
    if form is np.asarray:
        assert not model.coef_[:, 5].any()
    assert model.coef_.any()


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("penalty", ["l1", "group"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_more_features_than_rows_and_features_on_all_scales(n_classes, penalty, form):
    X, y, weights = table(n_classes, n=40, d=150)
    X *= np.geomspace(1e-4, 1e4, X.shape[1])
    for alpha in (1.0, 1e-2, 1e-4):
        model = SoftmaxClassifier(penalty=penalty, alpha=alpha).fit(form(X), y, weights)
        assert model.optimality_gap_ <= 1e-4 * np.log(n_classes) + 1e-9
    assert 0 < model.coef_.any(axis=0).sum() < 75


@pytest.mark.parametrize("penalty", ["l1", "group"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_one_feature(n_classes, penalty):
    X, y, weights = table(n_classes, d=3)
    problem = X[:, :1], y, weights, penalty, 0.02, 1.0
    W, _, least = sparse_optimum("softmax", *problem)
    model = SoftmaxClassifier(penalty=penalty, alpha=0.02, tol=1e-5).fit(X[:, :1], y, weights)
    np.testing.assert_allclose(model.coef_, W, atol=1e-6)
    assert model.history_["objective"][-1] == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("penalty", ["l1", "group"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_features_of_a_single_row_end_where_the_loss_is_flat(n_classes, penalty):
    """Once the row is far on its side, its loss has no curvature, and steps were without bound."""
    n = 60
    y = np.arange(n) % n_classes
    X = sparse.hstack([sparse.eye_array(n), sparse.csr_array(np.eye(n_classes)[y][:, :1])], format="csr")
    for alpha in (1e-3, 1e-6):
        model = SoftmaxClassifier(penalty=penalty, alpha=alpha).fit(X, y)
        assert np.isfinite(model.coef_).all()
        assert model.optimality_gap_ <= 1e-4 * np.log(n_classes)
        assert model.score(X, y) == 1.0


@pytest.mark.parametrize("loss", ["softmax", "squared-one-vs-rest", "one-vs-rest-logistic"])
@pytest.mark.parametrize("penalty", ["l1", "group"])
def test_separable_classes(penalty, loss):
    X, y, _ = table(3)
    X[:, :3] += 30 * np.eye(3)[y]
    for alpha in (1e-2, 1e-4):
        model = LinearClassifier(loss=loss, penalty=penalty, alpha=alpha).fit(X, y)
        assert model.score(X, y) == 1.0
        assert model.optimality_gap_ <= 1e-4 * 3


def test_too_few_iterations_warn():
    X, y = load_digits(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="max_iter=1 iterations were not enough"):
        model = SoftmaxClassifier(penalty="l1", alpha=1e-4, max_iter=1, tol=1e-9).fit(X, y)
    assert model.n_iter_ == 1


def test_warm_start_needs_fewer_iterations_and_ends_at_the_minimum():
    X, y, weights = table(3)
    given = {"penalty": "l1", "tol": 1e-9}
    model = SoftmaxClassifier(alpha=0.02, warm_start=True, **given).fit(X, y, weights)
    again = model.set_params(alpha=0.01).fit(X, y, weights)
    fresh = SoftmaxClassifier(alpha=0.01, **given).fit(X, y, weights)
    np.testing.assert_allclose(again.coef_, fresh.coef_, atol=1e-6)
    np.testing.assert_array_equal(again.coef_ == 0, fresh.coef_ == 0)


def test_rows_held_out_are_watched():
    X, y, _ = table(3, n=200)
    model = SoftmaxClassifier(penalty="l1", alpha=1e-4, early_stopping=True).fit(
        X[:120], y[:120], X_val=X[120:], y_val=y[120:]
    )
    losses = model.history_["validation_loss"]
    assert len(losses) == model.n_iter_
    own = np.log(model.predict_proba(X[120:])[np.arange(80), y[120:]])
    assert -own.mean() == pytest.approx(min(losses), rel=1e-6)


# ---------------------------------------------------------------- stochastic steps


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("penalty", ["l1", "group"])
def test_stochastic_steps_come_near_and_have_zeros(penalty, n_classes, form):
    X, y, weights = table(n_classes, n=300)
    given = {"penalty": penalty, "alpha": 0.02}
    best = SoftmaxClassifier(**given).fit(form(X), y, weights)
    near = SoftmaxClassifier(solver="sgd", random_state=0, **given).fit(form(X), y, weights)
    share = share_of(penalty, None)
    of = [penalised_objective("softmax", m.coef_, m.intercept_, X, y, weights, penalty, 0.02, share)
          for m in (best, near)]  # fmt: skip
    assert of[0] <= of[1] < of[0] + 0.02 * (np.log(n_classes) - of[0])
    assert 0 < np.count_nonzero(near.coef_) < near.coef_.size


def test_hinges_have_stochastic_steps_only():
    X, y, _ = table(3)
    model = SVMClassifier(penalty="l1", alpha=0.02, random_state=0).fit(X, y)
    assert model.solver_ == "sgd"
    assert 0 < np.count_nonzero(model.coef_) < model.coef_.size
    with pytest.raises(ValueError, match=r"solver='newton-cd' needs a smooth loss, and .* has kinks"):
        SVMClassifier(penalty="l1", solver="newton-cd").fit(X, y)
    jumps = SVMClassifier(penalty="l1", solver="newton-cd", squared=True, multi_class="crammer-singer")
    with pytest.raises(ValueError, match="needs a gradient without jumps"):
        jumps.fit(X, y)
