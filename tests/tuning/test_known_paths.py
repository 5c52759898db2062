"""Offsets and priors along paths of penalties, in folds, on given rows and without single rows.

The reference is a loop: SciPy's optimum for each part and penalty, scored in NumPy.
"""

import numpy as np
import pytest
from optima import optimum, softmax, table
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from versions import SCORES_WITH_METADATA

from linclf import (
    LinearClassifierCV,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    path,
)

FORMS = {"dense": np.asarray, "csr": sparse.csr_array}
ALPHAS = np.array([1.0, 0.1, 0.01])
EXACT = {"solver": "newton", "tol": 1e-12}


def earlier(X, y, n_classes):
    """A model that has learnt to confuse the classes."""
    return SoftmaxClassifier(alpha=0.05).fit(X, (y + 1) % n_classes)


def scores_of(X, W, b, offset):
    f = X @ W.T + b
    return (f.ravel() if len(W) == 1 else f) + offset


def log_likelihoods(scores, y):
    f = np.column_stack([-scores / 2, scores / 2]) if scores.ndim == 1 else scores
    return -softmax(f, np.eye(f.shape[1])[y])[0]


def searched(X, y, weights, offset, prior, folds, alphas=ALPHAS):
    """The weighted mean log likelihood of each fold and penalty."""
    found = np.empty((len(folds), len(alphas)))
    W0 = None if prior is None else prior.coef_
    for i, (train, test) in enumerate(folds):
        for j, alpha in enumerate(alphas):
            W, b, _ = optimum("softmax", X[train], y[train], weights[train], alpha, offset[train], W0)
            values = log_likelihoods(scores_of(X[test], W, b, offset[test]), y[test])
            found[i, j] = np.average(values, weights=weights[test])
    return found


# ---------------------------------------------------------------- paths


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_each_model_of_a_path_is_the_optimum_of_scipy(solver, n_classes, form):
    X, y, weights, offset = table(n_classes)
    prior = earlier(X, y, n_classes)
    found = path(
        FORMS[form](X),
        y,
        ALPHAS,
        estimator=SoftmaxClassifier(solver=solver, tol=1e-12, alpha=0.0),
        sample_weight=weights,
        offset=offset,
        prior=prior,
    )
    for alpha, W, b, value in zip(found.alphas, found.coefs, found.intercepts, found.objectives, strict=True):
        expected, intercepts, least = optimum("softmax", X, y, weights, alpha, offset, prior.coef_)
        np.testing.assert_allclose(W, expected, atol=1e-5)
        np.testing.assert_allclose(b - b.mean() * (n_classes > 2), intercepts, atol=1e-5)
        assert value == pytest.approx(least, rel=1e-6)


def test_a_grid_begins_where_the_prior_is_left():
    """A prior that fits the rows leaves nothing to learn: the strongest penalty is far weaker."""
    X, y, weights, _ = table(3)
    prior = SoftmaxClassifier(alpha=0.1, **EXACT).fit(X, y, weights)
    with_prior, without = (path(X, y, 3, sample_weight=weights, prior=one) for one in (prior, None))
    assert with_prior.alphas[0] < 0.2 * without.alphas[0]
    np.testing.assert_allclose(with_prior.coefs[0], prior.coef_, atol=0.1)


# ---------------------------------------------------------------- folds, and rows of one's own


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("with_prior", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_folds_are_those_of_a_loop(n_classes, with_prior, form):
    X, y, weights, offset = table(n_classes, n=120)
    prior = earlier(X, y, n_classes) if with_prior else None
    cv = StratifiedKFold(3)
    expected = searched(X, y, weights, offset, prior, list(cv.split(X, y)))
    model = SoftmaxClassifierCV(alphas=ALPHAS, cv=cv, store_coef_path=True, **EXACT)
    model.fit(FORMS[form](X), y, weights, offset=offset, prior=prior)
    scores = np.array([model.cv_results_[f"split{fold}_test_score"] for fold in range(3)])
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert model.alpha_ == ALPHAS[expected.mean(axis=0).argmax()]
    W0 = None if prior is None else prior.coef_
    W, b, _ = optimum("softmax", X, y, weights, model.alpha_, offset, W0)
    np.testing.assert_allclose(model.coef_, W, atol=1e-5)
    np.testing.assert_allclose(model.coef_path_[ALPHAS.tolist().index(model.alpha_)], W, atol=1e-5)
    probabilities = model.predict_proba(FORMS[form](X), offset=offset)[np.arange(120), y]
    np.testing.assert_allclose(
        np.log(probabilities), log_likelihoods(scores_of(X, W, b, offset), y), atol=1e-4
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_given_rows_have_their_own_offset(n_classes):
    X, y, weights, offset = table(n_classes, n=120)
    prior, train, test = earlier(X, y, n_classes), slice(0, 80), slice(80, 120)
    expected = searched(X, y, weights, offset, prior, [(train, test)])[0]
    model = SoftmaxClassifierCV(alphas=ALPHAS, **EXACT)
    given = {"X_val": X[test], "y_val": y[test], "sample_weight_val": weights[test]}
    model.fit(
        X[train],
        y[train],
        weights[train],
        offset=offset[train],
        offset_val=offset[test],
        prior=prior,
        **given,
    )
    np.testing.assert_allclose(model.cv_results_["mean_test_score"], expected, atol=1e-5)
    with pytest.raises(ValueError, match="offset is given without offset_val"):
        model.fit(X[train], y[train], offset=offset[train], **given)
    with pytest.raises(ValueError, match="offset_val is given, but X_val and y_val are not"):
        model.fit(X[train], y[train], offset=offset[train], offset_val=offset[test])


@pytest.mark.parametrize("with_prior", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_rows_are_really_scored_without_themselves(n_classes, with_prior):
    """One step of Newton's method comes near the optimum without the row, offset and prior included."""
    X, y, weights, offset = table(n_classes, n=60, d=3)
    prior = earlier(X, y, n_classes) if with_prior else None
    folds = [(np.delete(np.arange(60), row), np.array([row])) for row in range(60)]
    exact = searched(X, y, weights, offset, prior, folds, [0.1])[:, 0]
    model = SoftmaxClassifierCV(alphas=[0.1], cv="loo", **EXACT)
    model.fit(X, y, weights, offset=offset, prior=prior)
    assert model.cv_results_["mean_test_score"][0] == pytest.approx(
        np.average(exact, weights=weights), rel=2e-3
    )
    check = model.loo_check_
    np.testing.assert_allclose(check["exact"], exact[check["rows"]], atol=1e-4)
    np.testing.assert_allclose(check["approximate"], check["exact"], rtol=0.1, atol=0.02)


@pytest.mark.parametrize("scoring", ["roc_auc", "neg_brier_score", "accuracy"])
def test_scorers_see_the_offset(scoring):
    """Also those of scikit-learn, which pass only rows to predict and its relatives."""
    X, y, weights, offset = table(2, n=120)
    cv = StratifiedKFold(3)
    model = SoftmaxClassifierCV(alphas=[0.1], cv=cv, scoring=scoring, **EXACT)
    model.fit(X, y, weights, offset=offset)
    for fold, (train, test) in enumerate(cv.split(X, y)):
        W, b, _ = optimum("softmax", X[train], y[train], weights[train], 0.1, offset[train])
        scores = scores_of(X[test], W, b, offset[test])
        p, w = 1 / (1 + np.exp(-scores)), weights[test]
        expected = {
            "roc_auc": roc_auc_score(y[test], scores, sample_weight=w),
            "neg_brier_score": -np.average((p - y[test]) ** 2, weights=w),
            "accuracy": np.average((p > 0.5) == y[test], weights=w),
        }[scoring]
        assert model.cv_results_[f"split{fold}_test_score"][0] == pytest.approx(expected, abs=1e-5)


def test_the_loss_of_the_last_fit_is_not_asked():
    """A loss on cosines takes no offset, also after a fit with softmax; softmax does, also after cosines."""
    X, y, _, offset = table(3, n=60)
    model = LinearClassifierCV(loss="softmax", alphas=[0.1], cv=3).fit(X, y)
    before = model.loss_
    model.set_params(loss="cosface", alphas=1, max_iter=5)
    with pytest.raises(ValueError, match=r"offset is for .* CosFace.* is a loss on cosines"):
        model.fit(X, y, offset=offset)
    assert model.loss_ == before
    model.fit(X, y)
    again = model.set_params(loss="softmax", alphas=[0.1], max_iter=100).fit(X, y, offset=offset)
    alone = LinearClassifierCV(loss="softmax", alphas=[0.1], cv=3, max_iter=100).fit(X, y, offset=offset)
    np.testing.assert_array_equal(again.coef_, alone.coef_)


def test_own_scorers_see_the_offset_in_every_method():
    X, y, weights, offset = table(3, n=120)
    seen = {}

    def score(model, X, y, sample_weight=None):
        every = np.tile(model.classes_, (len(y), 1))
        seen["topk"] = model.predict_topk(X, 1)[:, 0], model.predict(X)
        seen["some"] = model.predict_proba_of(X, every), model.predict_proba(X)
        return 0.0

    SoftmaxClassifierCV(alphas=[0.1], scoring=score, cv=3).fit(X, y, weights, offset=20 * offset)
    np.testing.assert_array_equal(*seen["topk"])
    np.testing.assert_allclose(*seen["some"], atol=1e-12)


def test_hinges_and_parameters_of_a_loss():
    X, y, weights, offset = table(3, n=120)
    cv = StratifiedKFold(3)
    svm = LinearClassifierCV(loss="squared-one-vs-rest", alphas=ALPHAS, cv=cv, **EXACT)
    svm.fit(X, y, weights, offset=offset)
    for fold, (train, test) in enumerate(cv.split(X, y)):
        for j, alpha in enumerate(ALPHAS):
            W, b, _ = optimum("squared-one-vs-rest", X[train], y[train], weights[train], alpha, offset[train])
            right = scores_of(X[test], W, b, offset[test]).argmax(axis=1) == y[test]
            expected = np.average(right, weights=weights[test])
            assert svm.cv_results_[f"split{fold}_test_score"][j] == pytest.approx(expected)
    focal = LinearClassifierCV(loss="focal", loss_grid={"gamma": [0.0, 1.0]}, alphas=ALPHAS, cv=cv, **EXACT)
    focal.fit(X, y, weights, offset=offset)
    plain = searched(X, y, weights, offset, None, list(cv.split(X, y)))
    np.testing.assert_allclose(focal.cv_results_["mean_test_score"][:3], plain.mean(axis=0), atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"logit_adjustment": 1.0}, {"standardize": True}, {"fit_intercept": False}]
)
def test_folds_are_fits_to_their_rows(options):
    """With the log class shares and standard deviations of the fold, and without a class of weight 0."""
    X, y, weights, offset = table(3, n=120)
    X = X * [1, 3, 1, 0.1, 1]
    prior = earlier(X, y, 3)
    options = {"class_weight": {0: 0.0, 1: 2.0}, **EXACT, **options}
    alone = SoftmaxClassifier(alpha=0.1, **options)
    cv = [(np.arange(60), np.arange(60, 120)), (np.arange(40, 120), np.arange(40))]
    model = SoftmaxClassifierCV(alphas=[0.1], cv=cv, **options)
    model.fit(X, y, weights, offset=offset, prior=prior)
    for fold, (train, test) in enumerate(cv):
        fitted = clone(alone).fit(X[train], y[train], weights[train], offset=offset[train], prior=prior)
        values = fitted.predict_log_proba(X[test], offset=offset[test])[np.arange(len(test)), y[test]]
        expected = np.average(np.maximum(values, np.log(np.finfo(float).eps)), weights=weights[test])
        assert model.cv_results_[f"split{fold}_test_score"][0] == pytest.approx(expected, abs=1e-5)


@SCORES_WITH_METADATA
def test_the_same_search_with_scikit_learn():
    X, y, _, offset = table(3, n=120)
    cv = StratifiedKFold(3)
    model = SoftmaxClassifierCV(alphas=ALPHAS, cv=cv, scoring="accuracy", **EXACT).fit(X, y, offset=offset)
    with config_context(enable_metadata_routing=True):
        alone = SoftmaxClassifier(**EXACT).set_fit_request(offset=True).set_score_request(offset=True)
        search = GridSearchCV(alone, {"alpha": ALPHAS}, cv=cv).fit(X, y, offset=offset)
        routed = SoftmaxClassifierCV(alphas=ALPHAS, cv=cv, scoring="accuracy", **EXACT)
        routed.fit(X, y, offset=offset)
    np.testing.assert_allclose(model.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(routed.coef_, model.coef_)


def test_what_a_search_refuses():
    X, y, _, offset = table(3, n=60)
    prior = SoftmaxClassifier().fit(X, y)
    model = SoftmaxClassifierCV(alphas=[1.0])
    with pytest.raises(ValueError, match=r"offset has shape \(60,\).*must be \(60, 3\)"):
        model.fit(X, y, offset=np.zeros(60))
    with pytest.raises(ValueError, match=r"offset has shape \(60,\).*must be \(60, 3\)"):
        path(X, y, offset=np.zeros(60))
    with pytest.raises(
        TypeError, match=r"unexpected arguments \['coef_init'\].*for the classifier without CV"
    ):
        model.fit(X, y, coef_init=prior.coef_)
    with pytest.raises(ValueError, match="was fitted with 5 features, and X has 4"):
        model.fit(X[:, :4], y, prior=prior)
    cosines = LinearClassifierCV(loss="cosface")
    for known in ({"offset": offset}, {"prior": prior}):
        with pytest.raises(ValueError, match="is a loss on cosines"):
            cosines.fit(X, y, **known)
        with pytest.raises(ValueError, match=r"is a loss on cosines|one linear score per class"):
            path(X, y, estimator=MarginSoftmaxClassifier(), **known)
    again = model.fit(X, y, offset=offset).fit(X, y, offset=offset, prior=model)
    assert np.isfinite(again.coef_).all()
