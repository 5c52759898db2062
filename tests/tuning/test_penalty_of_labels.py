"""Penalties for several labels a row: fits of each fold and penalty by themselves, scikit-learn, refusals."""

import io

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold

import linclf
from linclf import LinearClassifier, LinearClassifierCV, SVMClassifier, SVMClassifierCV
from linclf.losses import OneVsRest, OneVsRestLogistic

LOGISTIC = "one-vs-rest-logistic"
ALPHAS = [1.0, 1e-1, 1e-2, 1e-3]
FORMS = {"dense": np.asarray, "sparse": sparse.csr_array}
BY_HAND = [{0: 1.0, 1: 4.0}, {1: 0.5}, {0: 2.0}, {}]


@pytest.fixture(scope="module")
def table():
    """160 rows of 8 features with 4 labels."""
    X, Y = make_multilabel_classification(160, 8, n_classes=4, random_state=0)
    return X / 5, Y


def log_likelihood(scores, Y, weights=None):
    return np.average(-np.logaddexp(0, -(2 * Y - 1) * scores).sum(axis=1), weights=weights)


def splits_of(model):
    return np.array([model.cv_results_[f"split{k}_test_score"] for k in range(5)])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize("name", ["plain", "balanced", "by hand", "standardised"])
def test_scores_are_those_of_fits_from_nothing(table, name, n_labels, form):
    X, Y = FORMS[form](table[0]), table[1][:, :n_labels]
    given = {
        "plain": {},
        "balanced": {"class_weight": "balanced"},
        "by hand": {"class_weight": BY_HAND[:n_labels]},
        "standardised": {"standardize": True},
    }[name]
    weights = np.random.default_rng(0).integers(0, 3, len(Y)).astype(float)
    given = {"loss": LOGISTIC, "tol": 1e-10, **given}
    rows = np.flatnonzero(weights)
    model = LinearClassifierCV(alphas=ALPHAS, **given).fit(X, Y, weights)
    expected = np.empty((5, len(ALPHAS)))
    for k, (train, test) in enumerate(KFold(5).split(rows)):
        train, test = rows[train], rows[test]
        for j, alpha in enumerate(ALPHAS):
            fold = LinearClassifier(alpha=alpha, **given).fit(X[train], Y[train], weights[train])
            expected[k, j] = log_likelihood(fold.decision_function(X[test]), Y[test], weights[test])
    np.testing.assert_allclose(splits_of(model), expected, rtol=1e-5)
    best = int(expected.mean(axis=0).argmax())
    assert model.alpha_ == ALPHAS[best]
    again = LinearClassifier(alpha=ALPHAS[best], **given).fit(X, Y, weights)
    np.testing.assert_allclose(model.coef_, again.coef_, atol=1e-5)
    assert model.multilabel_ is True
    np.testing.assert_array_equal(model.predict(X), model.decision_function(X) > 0)


def test_scores_are_those_of_scikit_learn(table):
    X, Y = table
    model = LinearClassifierCV(loss=LOGISTIC, alphas=ALPHAS, tol=1e-10).fit(X, Y)
    for k, (train, test) in enumerate(KFold(5).split(X)):
        for j, alpha in enumerate(ALPHAS):
            one = LogisticRegression(C=1 / (alpha * len(train)), tol=1e-10, max_iter=10_000)
            scores = [one.fit(X[train], y[train]).decision_function(X[test]) for y in Y.T]
            expected = log_likelihood(np.column_stack(scores), Y[test])
            assert splits_of(model)[k, j] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("scoring", ["f1_micro", "accuracy", "f1_macro"])
def test_scorers_are_those_of_a_grid_search(table, scoring):
    X, Y = table
    search = GridSearchCV(
        LinearClassifier(loss=LOGISTIC, tol=1e-10), {"alpha": ALPHAS}, scoring=scoring, cv=5
    ).fit(X, Y)
    model = LinearClassifierCV(loss=LOGISTIC, alphas=ALPHAS, scoring=scoring, tol=1e-10).fit(X, Y)
    np.testing.assert_allclose(model.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"])


@pytest.mark.parametrize("cls", [LinearClassifierCV, SVMClassifierCV])
def test_hinges_are_judged_by_f1(table, cls):
    X, Y = table
    given = {"loss": "squared-one-vs-rest"} if cls is LinearClassifierCV else {"squared": True}
    given |= {"multi_class": "one-vs-rest"} if cls is SVMClassifierCV else {}
    plain = LinearClassifier if cls is LinearClassifierCV else SVMClassifier
    model = cls(alphas=ALPHAS, tol=1e-10, **given).fit(X, Y)
    for k, (train, test) in enumerate(KFold(5).split(X)):
        for j, alpha in enumerate(ALPHAS):
            fold = plain(alpha=alpha, tol=1e-10, **given).fit(X[train], Y[train])
            expected = f1_score(Y[test], fold.predict(X[test]), average="micro")
            assert splits_of(model)[k, j] == pytest.approx(expected)


def test_automatic_penalties_are_those_of_the_rows(table):
    """The strongest of the grid leaves little to the weights, the weakest nearly nothing to the penalty."""
    X, Y = table
    model = LinearClassifierCV(loss=LOGISTIC, alphas=5).fit(X, Y)
    shares = Y.mean(axis=0)
    alone = -(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).sum()
    strong = LinearClassifier(loss=LOGISTIC, alpha=model.alphas_[0]).fit(X, Y)
    reached = -log_likelihood(strong.decision_function(X), Y) + model.alphas_[0] / 2 * (strong.coef_**2).sum()
    assert 0.99 * alone <= reached < alone
    assert model.alphas_[0] / model.alphas_[-1] >= 1e8 * 0.999
    assert len(LinearClassifierCV(loss=LOGISTIC, alphas="auto").fit(X, Y).alphas_) > 9


def test_own_validation_rows(table):
    X, Y = table
    model = LinearClassifierCV(loss=LOGISTIC, alphas=ALPHAS, tol=1e-10)
    model.fit(X[:100], Y[:100], X_val=X[100:], y_val=sparse.csr_array(Y[100:]))
    for j, alpha in enumerate(ALPHAS):
        fitted = LinearClassifier(loss=LOGISTIC, alpha=alpha, tol=1e-10).fit(X[:100], Y[:100])
        expected = log_likelihood(fitted.decision_function(X[100:]), Y[100:])
        assert model.cv_results_["split0_test_score"][j] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match=r"y_val must be an indicator as y is"):
        model.fit(X[:100], Y[:100], X_val=X[100:], y_val=Y[100:, 0])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_labels", [2, 4])
def test_held_out_rows_have_a_column_of_the_offset_for_each_label(table, n_labels, form):
    """Two labels are no pair whose difference counts; the last fold has two rows, as many as labels."""
    X, Y = FORMS[form](table[0]), table[1][:, :n_labels]
    offset = 2 * np.random.default_rng(0).normal(size=Y.shape)
    folds = [(np.arange(60, 160), np.arange(60)), (np.arange(158), np.array([158, 159]))]
    given = {"loss": LOGISTIC, "tol": 1e-10}
    scorers = {None: log_likelihood, "f1_micro": lambda f, Y: f1_score(Y, f > 0, average="micro")}
    for scoring, score in scorers.items():
        model = LinearClassifierCV(alphas=ALPHAS, cv=folds, scoring=scoring, **given).fit(X, Y, offset=offset)
        for k, (train, test) in enumerate(folds):
            for j, alpha in enumerate(ALPHAS):
                fold = LinearClassifier(alpha=alpha, **given).fit(X[train], Y[train], offset=offset[train])
                expected = score(fold.decision_function(X[test]) + offset[test], Y[test])
                found = model.cv_results_[f"split{k}_test_score"][j]
                assert found == pytest.approx(expected, rel=1e-5)
    given |= {"X_val": X[100:], "y_val": Y[100:], "offset": offset[:100], "offset_val": offset[100:]}
    model = LinearClassifierCV(loss=given.pop("loss"), tol=given.pop("tol"), alphas=[0.1])
    model.fit(X[:100], Y[:100], **given)
    expected = log_likelihood(model.decision_function(X[100:]) + offset[100:], Y[100:])
    assert model.cv_results_["mean_test_score"][0] == pytest.approx(expected)


@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize("given", [{}, {"class_weight": "balanced"}])
def test_rows_that_are_left_out_one_by_one(table, given, n_labels):
    X, Y = table[0][:60], table[1][:60, :n_labels]
    given = {"loss": LOGISTIC, **given}
    model = LinearClassifierCV(alphas=[1e-1, 1e-2], cv="loo", **given).fit(X, Y)
    without, totals = np.empty((60, 2)), (60 / (2 * (60 - Y.sum(axis=0))), 60 / (2 * Y.sum(axis=0)))
    if given.get("class_weight"):  # those of all rows, as the weights of the others are not computed anew
        given["class_weight"] = [{0: a, 1: b} for a, b in zip(*totals, strict=True)]
    for i in range(60):
        others = np.delete(np.arange(60), i)
        for j, alpha in enumerate([1e-1, 1e-2]):
            one = LinearClassifier(alpha=alpha, tol=1e-10, **given).fit(X[others], Y[others])
            without[i, j] = log_likelihood(one.decision_function(X[[i]]), Y[[i]])
    np.testing.assert_allclose(model.cv_results_["mean_test_score"], without.mean(axis=0), rtol=2e-3)
    best, check = [1e-1, 1e-2].index(model.alpha_), model.loo_check_
    np.testing.assert_allclose(check["exact"], without[check["rows"], best], rtol=1e-3)


def test_parameters_of_the_loss(table):
    X, Y = table
    given = {"alphas": [1e-1], "random_state": 0}
    model = LinearClassifierCV(loss="one-vs-rest", loss_grid={"margin": [0.5, 2.0]}, **given).fit(X, Y)
    for j, margin in enumerate([0.5, 2.0]):
        each = []
        for train, test in KFold(5).split(X):
            fold = LinearClassifier(loss=OneVsRest(margin), alpha=1e-1, random_state=0)
            fold.fit(X[train], Y[train])
            each.append(f1_score(Y[test], fold.predict(X[test]), average="micro"))
        assert model.cv_results_["mean_test_score"][j] == pytest.approx(np.mean(each), abs=0.02)
    assert model.loss_ in (OneVsRest(0.5), OneVsRest(2.0))


@pytest.mark.parametrize("n_labels", [2, 4])
def test_files_and_fits_to_another_form(table, n_labels):
    """Two classes are trained as another loss, which is not the parameter of a later fit to labels."""
    X, Y = table[0], table[1][:, :n_labels]
    model = LinearClassifierCV(loss=LOGISTIC, alphas=ALPHAS)
    fresh = LinearClassifierCV(loss=LOGISTIC, alphas=ALPHAS).fit(X, Y)
    for scoring in (None, "accuracy", "f1_micro"):
        one = model.set_params(scoring=scoring if scoring != "f1_micro" else "f1_weighted").fit(X, Y[:, 0])
        assert one.predict(X).shape == (160,)
        assert not hasattr(one, "multilabel_")
        model.set_params(scoring=scoring).fit(X, Y)
        assert model.loss_ == OneVsRestLogistic()
        assert model.coef_.shape == (n_labels, 8)
    np.testing.assert_array_equal(model.set_params(scoring=None).fit(X, Y).coef_, fresh.coef_)
    file = io.BytesIO()
    linclf.save(model, file)
    file.seek(0)
    np.testing.assert_array_equal(linclf.load(file).predict_proba(X), fresh.predict_proba(X))


@pytest.mark.parametrize("form", FORMS)
def test_path(table, form):
    X, Y = table
    found = linclf.path(FORMS[form](X), Y, ALPHAS, estimator=LinearClassifier(loss=LOGISTIC, tol=1e-10))
    np.testing.assert_array_equal(found.classes, np.arange(4))
    for j, alpha in enumerate(ALPHAS):
        one = LinearClassifier(loss=LOGISTIC, alpha=alpha, tol=1e-10).fit(X, Y)
        np.testing.assert_allclose(found.coefs[j], one.coef_, atol=1e-4)
        np.testing.assert_allclose(found.intercepts[j], one.intercept_, atol=1e-4)
    model = LinearClassifierCV(loss=LOGISTIC, alphas=ALPHAS, store_coef_path=True, tol=1e-10).fit(X, Y)
    np.testing.assert_allclose(model.coef_path_, found.coefs, atol=1e-4)


def test_a_splitter_sees_the_indicator(table):
    X, Y = table
    seen = []

    class Splitter(KFold):
        def split(self, X, y=None, groups=None):
            seen.append(y)
            return super().split(X, y, groups)

    LinearClassifierCV(loss=LOGISTIC, alphas=[1e-1], cv=Splitter(3)).fit(X, sparse.csr_array(Y))
    np.testing.assert_array_equal(seen[0], Y)
    with pytest.raises(ValueError, match=r"multilabel-indicator"):
        LinearClassifierCV(loss=LOGISTIC, cv=StratifiedKFold(3)).fit(X, Y)


def test_labels_that_are_too_rare_for_the_folds(table):
    X, Y = table[0], table[1].copy()
    Y[:, 2] = 0
    Y[5:9, 2] = 1
    model = LinearClassifierCV(loss=LOGISTIC, alphas=[1e-1])
    with pytest.raises(ValueError, match=r"column 2 of y is never 1 in the rows that a fold of cv trains on"):
        model.fit(X, Y)
    assert model.set_params(cv=KFold(5, shuffle=True, random_state=0)).fit(X, Y).alpha_ == 0.1
    Y[6:9, 2] = 0
    with pytest.raises(ValueError, match=r"'loo' needs two rows with each label.* column 2 of y has fewer"):
        model.set_params(cv="loo").fit(X, Y)
    with pytest.raises(ValueError, match=r"cv=200 needs 200 rows, and 160 have weight"):
        model.set_params(cv=200).fit(X, Y)


def test_scores_that_need_probabilities(table):
    with pytest.raises(ValueError, match=r"needs probabilities, and SquaredHinge.*or a logistic loss"):
        LinearClassifierCV(loss="squared-one-vs-rest", scoring="neg_log_loss").fit(*table)
