"""The penalty on the difference from an earlier model."""

import numpy as np
import pytest
from optima import optimum, table
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from linclf import (
    Batches,
    EpochCallback,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)
from linclf.large import AdaptiveSoftmaxClassifier

FORMS = {"dense": np.asarray, "csr": sparse.csr_array}
EXACT = {"solver": "newton", "tol": 1e-10}


def earlier(X, n_classes, seed=5):
    """A model of other labels for the same features."""
    rng = np.random.default_rng(seed)
    y = (X @ rng.normal(size=(X.shape[1], n_classes))).argmax(axis=1)
    return SoftmaxClassifier(alpha=0.01).fit(X, y)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", ["softmax", "squared-one-vs-rest"])
def test_optimum_is_that_of_scipy(loss, n_classes, form):
    """With weights and other known scores, for each solver."""
    X, y, weights, offset = table(n_classes)
    prior = earlier(X, n_classes)
    W, b, least = optimum(loss, X, y, weights, 0.05, offset, prior.coef_)
    assert np.abs(W - optimum(loss, X, y, weights, 0.05, offset)[0]).max() > 0.05
    for solver, close in (("newton", 1e-6), ("lbfgs", 1e-6), ("auto", 1e-4), ("sgd", 3e-3)):
        model = LinearClassifier(loss=loss, alpha=0.05, solver=solver, tol=1e-9, max_iter=500, random_state=0)
        model.fit(FORMS[form](X), y, weights, offset=offset, prior=prior)
        np.testing.assert_allclose(model.coef_, W, atol=close, err_msg=solver)
        shift = model.intercept_.mean() if n_classes > 2 and loss == "softmax" else 0.0
        np.testing.assert_allclose(model.intercept_ - shift, b, atol=close, err_msg=solver)
        assert model.history_["objective"][-1] == pytest.approx(least, rel=1e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_standard_deviations_are_the_units_of_the_pull(n_classes):
    """The same as on standardised rows, from the same earlier model of these."""
    X, y, weights, offset = table(n_classes)
    mean = np.average(X, axis=0, weights=weights)
    Z = X / np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights))
    X = Z * np.r_[100.0, 0.01, np.ones(X.shape[1] - 2)]
    prior = earlier(X, n_classes)
    in_units = prior.coef_ * (X / Z)[0]
    W, _, _ = optimum("softmax", Z, y, weights, 0.05, np.zeros_like(offset), in_units)
    model = SoftmaxClassifier(alpha=0.05, standardize=True, **EXACT)
    model.fit(X, y, weights, prior=prior)
    np.testing.assert_allclose(model.coef_ * (X / Z)[0], W, atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", ["newton", "lbfgs", "sgd"])
def test_a_large_penalty_gives_the_prior_and_a_small_one_the_rows(n_classes, solver):
    X, y, weights, _ = table(n_classes)
    prior = earlier(X, n_classes)
    model = SoftmaxClassifier(solver=solver, max_iter=300, random_state=0)
    strong = clone(model).set_params(alpha=1e6).fit(X, y, weights, prior=prior)
    np.testing.assert_allclose(strong.coef_, prior.coef_, atol=1e-4)
    if solver != "sgd":
        model.set_params(alpha=1e-7, tol=1e-10)
        weak = [clone(model).fit(X, y, weights, prior=one) for one in (prior, None)]
        np.testing.assert_allclose(weak[0].coef_, weak[1].coef_, atol=1e-3)


def test_rows_that_the_prior_fits_leave_it_as_it_is():
    """The gradient of the rows is 0 at the optimum of their loss, so a fit with this prior stays there."""
    X, y, weights, _ = table(3)
    there = SoftmaxClassifier(alpha=1e-9, **EXACT).fit(X, y, weights)
    for alpha in (1e-3, 1.0):
        again = SoftmaxClassifier(alpha=alpha, **EXACT).fit(X, y, weights, prior=there)
        np.testing.assert_allclose(again.coef_, there.coef_, atol=1e-5)
        np.testing.assert_allclose(again.predict_proba(X), there.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_models_of_scikit_learn(n_classes):
    """Their weights are taken as they are; a LogisticRegression is a softmax for more than two classes."""
    X, y, _, _ = table(n_classes)
    for prior in (
        LogisticRegression().fit(X, y),
        LinearSVC(random_state=0).fit(X, y),
        RidgeClassifier(fit_intercept=False).fit(X, y),
        SGDClassifier(random_state=0).fit(X, y),
        SGDClassifier(penalty="l1", alpha=0.01, random_state=0).fit(X, y).sparsify(),
        SVMClassifier(random_state=0).fit(X, y),
    ):
        model = SoftmaxClassifier(alpha=1e7, solver="newton").fit(X, y, prior=prior)
        dense = prior.coef_.toarray() if sparse.issparse(prior.coef_) else prior.coef_
        np.testing.assert_allclose(model.coef_, np.atleast_2d(dense), atol=1e-4)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    with pytest.raises(TypeError, match=r"prior is a Pipeline; pass its last step, prior\[-1\]"):
        SoftmaxClassifier().fit(X, y, prior=pipeline)


def test_a_prior_is_an_offset():
    """Its scores as an offset give the difference from it."""
    X, y, weights, _ = table(3)
    prior = earlier(X, 3)
    model = SoftmaxClassifier(alpha=0.05, **EXACT)
    besides = clone(model).fit(X, y, weights, offset=prior.decision_function(X))
    pulled = clone(model).fit(X, y, weights, prior=prior)
    np.testing.assert_allclose(pulled.coef_, prior.coef_ + besides.coef_, atol=1e-8)
    np.testing.assert_allclose(pulled.intercept_, prior.intercept_ + besides.intercept_, atol=1e-8)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_an_intercept_those_of_the_prior_are_kept(n_classes):
    X, y, weights, _ = table(n_classes)
    prior = earlier(X + 1, n_classes)
    model = SoftmaxClassifier(alpha=0.05, fit_intercept=False, **EXACT).fit(X, y, weights, prior=prior)
    np.testing.assert_array_equal(model.intercept_, prior.intercept_)
    assert np.abs(model.intercept_).max() > 0.01
    known = SoftmaxClassifier(alpha=0.05, fit_intercept=False, **EXACT)
    known.fit(X, y, weights, offset=prior.decision_function(X))
    np.testing.assert_allclose(model.coef_, prior.coef_ + known.coef_, atol=1e-8)
    again = SoftmaxClassifier(fit_intercept=False, warm_start=True).fit(X, y, prior=prior)
    with pytest.raises(ValueError, match=r"the last fit has intercepts that reach .*pass the prior again"):
        again.fit(X, y)  # without the prior there would be no intercept
    np.testing.assert_array_equal(again.fit(X, y, prior=prior).intercept_, prior.intercept_)
    plain = SoftmaxClassifier(fit_intercept=False, warm_start=True).fit(X, y)
    assert not plain.fit(X, y).intercept_.any()


def test_sparse_features_that_do_not_occur_keep_the_weights_of_the_prior():
    rng = np.random.default_rng(0)
    X = sparse.random_array((60, 500), density=0.01, format="csr", rng=rng)
    y = rng.integers(0, 3, 60)
    W = rng.normal(size=(3, 500))
    prior = SoftmaxClassifier(alpha=1.0).fit(sparse.csr_array(rng.normal(size=(30, 500))), np.arange(30) % 3)
    prior.coef_ = W
    model = SoftmaxClassifier(alpha=0.1, solver="lbfgs").fit(X, y, prior=prior)
    absent = np.asarray(abs(X).sum(axis=0)).ravel() == 0
    assert absent.sum() > 200
    np.testing.assert_array_equal(model.coef_[:, absent], W[:, absent])
    assert np.abs(model.coef_ - W)[:, ~absent].max() > 1e-3


def test_early_stopping_and_validation_rows_see_the_whole_model():
    """With no step to speak of, the validation loss is that of the prior."""
    X, y, _, _ = table(3, n=600)
    prior = SoftmaxClassifier(alpha=1e-3, **EXACT).fit(X, y)
    model = SoftmaxClassifier(solver="sgd", learning_rate=1e-12, max_iter=1, tol=None, random_state=0)
    model.set_params(early_stopping=True, fit_intercept=False)
    model.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:], prior=prior)
    expected = log_loss(y[400:], prior.predict_proba(X[400:]))
    assert model.history_["validation_loss"] == pytest.approx([expected], rel=1e-6)
    np.testing.assert_allclose(model.coef_, prior.coef_, atol=1e-9)
    split = clone(model).set_params(learning_rate="auto", max_iter=5).fit(X, y, prior=prior)
    assert max(split.history_["validation_loss"]) < expected + 0.3


def test_warm_starts_and_given_starts_are_points_of_the_whole_model():
    """They only say where training begins; with no step to speak of it ends there."""
    X, y, weights, _ = table(3)
    prior, other = earlier(X, 3), earlier(X, 3, seed=6)
    still = SoftmaxClassifier(solver="sgd", learning_rate=1e-12, max_iter=1, tol=None, random_state=0)
    model = clone(still).fit(
        X, y, weights, prior=prior, coef_init=other.coef_, intercept_init=other.intercept_
    )
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-8)
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X), atol=1e-8)
    again = clone(still).set_params(warm_start=True)
    again.fit(X, y, weights, prior=other)
    np.testing.assert_allclose(again.fit(X, y, weights, prior=prior).coef_, other.coef_, atol=1e-8)
    pulled = SoftmaxClassifier(alpha=0.05, **EXACT)
    fits = [
        clone(pulled).fit(X, y, weights, prior=prior, **start) for start in ({}, {"coef_init": other.coef_})
    ]
    np.testing.assert_allclose(fits[0].coef_, fits[1].coef_, atol=1e-7)


def test_classes_without_rows_yet():
    """Rows of weight 0 name them. They are not trained, and their probability is 0."""
    X, y, _, _ = table(3)
    prior = earlier(X, 3)
    weights = (y != 2).astype(float)
    model = SoftmaxClassifier(alpha=0.05, **EXACT).fit(X, y, weights, prior=prior)
    rows = y != 2
    W = prior.coef_[1:2] - prior.coef_[:1]
    expected, _, _ = optimum("softmax", X[rows], y[rows], np.ones(rows.sum()), 0.05, np.zeros(rows.sum()), W)
    np.testing.assert_allclose(model.coef_[1] - model.coef_[0], expected[0], atol=1e-6)
    assert model.predict_proba(X)[:, 2].max() == 0
    later = clone(model).fit(X, y, prior=model)  # its third class starts at the mean of the others
    np.testing.assert_array_less(0.5, later.predict_proba(X)[:, 2].max())
    assert np.isfinite(later.coef_).all()


def test_logit_adjustment_is_not_part_of_the_prior():
    """A prior pulls the published model, also if training adds the log class shares to its scores.

    The best intercepts make the mean probability of each class, as trained, its share.
    """
    X, y, weights, _ = table(3)
    prior, shares = earlier(X, 3), np.bincount(y, weights) / weights.sum()
    for solver in ("newton", "sgd"):
        model = SoftmaxClassifier(alpha=1e6, solver=solver, random_state=0, logit_adjustment=1.0)
        model.fit(X, y, weights, prior=prior)
        np.testing.assert_allclose(model.coef_, prior.coef_, atol=1e-5)
        p = softmax(model.decision_function(X) + np.log(shares), axis=1)
        np.testing.assert_allclose(np.average(p, axis=0, weights=weights), shares, atol=1e-3)


def test_few_rows_gain_from_a_prior():
    """Digits that are moved by half a pixel: with 60 rows of these, the old model helps."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    moved = (X + np.roll(X.reshape(-1, 8, 8), 1, axis=2).reshape(-1, 64)) / 2
    prior = SoftmaxClassifier(alpha=1e-3).fit(X[:900], y[:900])
    rows, test = slice(900, 960), slice(960, None)
    old = prior.score(moved[test], y[test])
    found = {}
    for name, one in (("alone", None), ("pulled", prior)):
        alphas = (1e-3, 1e-2, 1e-1, 1.0)  # the best of each
        fits = [SoftmaxClassifier(alpha=alpha).fit(moved[rows], y[rows], prior=one) for alpha in alphas]
        found[name] = max(model.score(moved[test], y[test]) for model in fits)
    assert found["pulled"] > max(found["alone"], old) + 0.02


def wrong(kind):
    X, y = load_iris(return_X_y=True)
    return {
        "unfitted": lambda: SoftmaxClassifier(),
        "class": lambda: SoftmaxClassifier,
        "cosine": lambda: MarginSoftmaxClassifier(random_state=0).fit(X, y),
        "adaptive": lambda: AdaptiveSoftmaxClassifier(random_state=0).fit(X, y),
        "pairs": lambda: SVC(kernel="linear").fit(X, y),
        "fewer": lambda: SoftmaxClassifier().fit(X, y == 1),
        "names": lambda: SoftmaxClassifier().fit(X, np.array(["a", "b", "c"])[y]),
        "features": lambda: SoftmaxClassifier().fit(X[:, :2], y),
    }[kind]()


WRONG = [
    ("unfitted", NotFittedError, r"prior=SoftmaxClassifier\(\) is not fitted; call its fit first"),
    ("class", TypeError, "is not a fitted classifier"),
    ("cosine", TypeError, "has scores that are cosines"),
    ("adaptive", TypeError, "has (no coef_|other scores)"),
    ("pairs", TypeError, "other scores than one linear score per class"),
    ("fewer", ValueError, r"does not know \[2\]|of other classes"),
    ("names", ValueError, r"does not know \[0, 1, 2\] and also knows \['a', 'b', 'c'\]"),
    ("features", ValueError, "was fitted with 2 features, and X has 4"),
]


@pytest.mark.parametrize(("kind", "error", "message"), WRONG)
def test_other_models_are_refused(kind, error, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(error, match=message):
        SoftmaxClassifier().fit(X, y, prior=wrong(kind))


def test_what_means_nothing_is_refused():
    pd = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    prior = SoftmaxClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"prior is given with alpha=0.0: without a penalty"):
        SoftmaxClassifier(alpha=0.0).fit(X, y, prior=prior)
    with pytest.raises(ValueError, match="prior is given besides Batches"):
        SoftmaxClassifier().fit(Batches(X, target=y), prior=prior)
    with pytest.raises(ValueError, match="prior is for classifiers with one linear score per class"):
        MarginSoftmaxClassifier().fit(X, y, prior=prior)
    with pytest.raises(ValueError, match="an offset or a prior is given"):
        SVMClassifier(squared=False, solver="dual").fit(X, y, prior=prior)
    table = pd.DataFrame(X, columns=list("abcd"))
    named = SoftmaxClassifier().fit(table, y)
    SoftmaxClassifier().fit(table, y, prior=named)
    SoftmaxClassifier().fit(X, y, prior=named)
    with pytest.raises(ValueError, match="column 0 of X is 'b', but prior was fitted with 'a' there"):
        SoftmaxClassifier().fit(table[list("bacd")], y, prior=named)


def test_callbacks_see_the_whole_model():
    """With no step to speak of, that is the prior, also of sparse features that do not occur."""
    pytest.importorskip("sklearn.callback")  # scikit-learn 1.9
    rng = np.random.default_rng(0)
    X = sparse.random_array((60, 500), density=0.01, format="csr", rng=rng)
    y = np.arange(60) % 3
    prior, seen = SoftmaxClassifier(solver="lbfgs").fit(X, y), []
    model = SoftmaxClassifier(solver="sgd", learning_rate=1e-12, max_iter=2, tol=None, random_state=0)
    model.set_callbacks(EpochCallback(lambda _, reached: seen.append(reached.coef_)))
    model.fit(X, y, prior=prior)
    assert len(seen) == 2
    np.testing.assert_allclose(seen[0], prior.coef_, atol=1e-9)
