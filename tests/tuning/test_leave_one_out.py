"""cv="loo": compared with leaving out each row, and the warning if the approximation is poor."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.metrics import log_loss
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.preprocessing import StandardScaler

from linclf import LinearClassifierCV, SoftmaxClassifier, SoftmaxClassifierCV, SVMClassifier, SVMClassifierCV


def scaled(load):
    X, y = load(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def exact(X, y, alpha, **parameters):
    """The mean log loss of rows that were really left out."""
    model = SoftmaxClassifier(alpha=alpha, tol=1e-8, **parameters)
    return log_loss(y, cross_val_predict(model, X, y, cv=LeaveOneOut(), method="predict_proba"))


@pytest.mark.parametrize("load", [load_iris, load_wine])
@pytest.mark.parametrize("alpha", [1e-1, 1e-2])
def test_all_rows_left_out(load, alpha):
    X, y = scaled(load)
    model = SoftmaxClassifierCV(alphas=[alpha], cv="loo", tol=1e-8).fit(X, y)
    assert -model.cv_results_["mean_test_score"][0] == pytest.approx(exact(X, y, alpha), rel=0.01)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_the_penalty_it_chooses_is_as_good_as_the_best(load):
    """Within 1 % of the smallest exact log loss among nearby penalties."""
    X, y = scaled(load)
    model = SoftmaxClassifierCV(alphas=np.geomspace(1, 1e-4, 9), cv="loo").fit(X, y)
    near = model.alpha_ * np.array([1 / np.sqrt(10), 1, np.sqrt(10)])
    left_out = [exact(X, y, alpha) for alpha in near]
    assert left_out[1] <= 1.01 * min(left_out)


@pytest.mark.parametrize("storage", [np.asarray, np.float32, sparse.csr_array])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"fit_intercept": False},
        {"label_smoothing": 0.1},
        {"class_weight": "balanced"},
        {"standardize": True},
        {"logit_adjustment": 1.0},
    ],
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_of_each_parameter(n_classes, parameters, storage):
    X, y = scaled(load_wine)
    rows = np.flatnonzero(y < n_classes)[::2]
    X, y = X[rows], y[rows]
    model = SoftmaxClassifierCV(alphas=[1e-2], cv="loo", tol=1e-8, **parameters).fit(storage(X), y)
    expected = exact(X, y, 1e-2, **parameters)
    # class weights, priors and spreads are those of all rows, not of all but one
    digits = 0.05 if {"class_weight", "logit_adjustment", "standardize"} & set(parameters) else 0.01
    assert -model.cv_results_["mean_test_score"][0] == pytest.approx(expected, rel=digits)


@pytest.mark.parametrize("squared", ["squared-weston-watkins", "squared-one-vs-rest"])
def test_squared_hinges(squared):
    X, y = scaled(load_iris)
    X, y = X[::2], y[::2]
    model = LinearClassifierCV(loss=squared, alphas=[1e-1, 1e-2], cv="loo").fit(X, y)
    form = squared.removeprefix("squared-")
    plain = SVMClassifier(multi_class=form, squared=True, alpha=1e-1)
    hits = (cross_val_predict(plain, X, y, cv=LeaveOneOut()) == y).mean()
    assert model.cv_results_["mean_test_score"][0] == pytest.approx(hits, abs=1.5 / len(y))


def test_more_features_than_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 90))
    y = (X[:, :3] + rng.gumbel(size=(40, 3))).argmax(axis=1)
    model = SoftmaxClassifierCV(alphas=[1.0], cv="loo", tol=1e-8).fit(X, y)
    assert -model.cv_results_["mean_test_score"][0] == pytest.approx(exact(X, y, 1.0), rel=0.03)


def test_a_few_rows_are_really_left_out():
    X, y = scaled(load_iris)
    model = SoftmaxClassifierCV(alphas=[1e-2], cv="loo", tol=1e-8).fit(X, y)
    check = model.loo_check_
    for row, score in zip(check["rows"], check["exact"], strict=True):
        others = np.delete(np.arange(len(y)), row)
        p = SoftmaxClassifier(alpha=1e-2, tol=1e-8).fit(X[others], y[others]).predict_proba(X[[row]])
        assert score == pytest.approx(np.log(p[0, y[row]]), abs=1e-3)
    np.testing.assert_allclose(check["approximate"], check["exact"], rtol=0.05)


def test_rows_that_hold_a_weight_alone_are_really_left_out():
    X = np.zeros((20, 2))
    X[:, 0] = np.tile([-1.0, 1.0], 10)
    X[3] = [1.0, 40.0]
    y = (X[:, 0] > 0).astype(int)
    y[[1, 2]] = 1 - y[[1, 2]]
    y[3] = 0
    model = SoftmaxClassifierCV(alphas=[1e-4], cv="loo", tol=1e-8).fit(X, y)
    check = model.loo_check_
    assert abs(check["approximate"] - check["exact"]).max() > 3
    assert -model.cv_results_["mean_test_score"][0] == pytest.approx(exact(X, y, 1e-4), rel=0.01)


def test_a_poor_approximation_is_said():
    """More features than rows and a tiny penalty: each row has its own weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 50))
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)
    with pytest.warns(UserWarning, match=r"cv='loo' is poor here: of the 8 rows that matter most"):
        SoftmaxClassifierCV(alphas=[1e-6], cv="loo").fit(X, y)


def test_the_standard_error_is_that_of_the_rows():
    X, y = scaled(load_iris)
    model = SoftmaxClassifierCV(alphas=[1e-2], cv="loo", scoring="accuracy").fit(X, y)
    mean = model.cv_results_["mean_test_score"][0]
    error = np.sqrt(mean * (1 - mean) / (len(y) - 1))
    assert model.cv_results_["standard_error"][0] == pytest.approx(error)
    strong = SoftmaxClassifierCV(cv="loo", rule="1se").fit(X, y)
    assert strong.alpha_ > SoftmaxClassifierCV(cv="loo").fit(X, y).alpha_


def test_what_has_no_approximation():
    X, y = scaled(load_iris)
    with pytest.raises(ValueError, match=r"cv='loo' needs a smooth convex loss.*cv=5"):
        SVMClassifierCV(cv="loo").fit(X, y)
    with pytest.raises(ValueError, match=r"cv='loo' needs a smooth convex loss.*cv=5"):
        LinearClassifierCV(loss="focal", cv="loo").fit(X, y)
    for sparse_weights in ("l1", "elasticnet", "group"):
        with pytest.raises(ValueError, match=r"cv='loo' takes one step of Newton's method.*cv=5"):
            SoftmaxClassifierCV(cv="loo", penalty=sparse_weights).fit(X, y)
    wide = np.random.default_rng(0).normal(size=(700, 600))
    with pytest.raises(ValueError, match=r"at most 1,500 weights; Softmax.* has 1,803 here"):
        SoftmaxClassifierCV(cv="loo").fit(wide, np.arange(700) % 3)
    with pytest.raises(ValueError, match="scoring='f1_macro' scores fitted classifiers"):
        SoftmaxClassifierCV(cv="loo", scoring="f1_macro").fit(X, y)
    with pytest.raises(ValueError, match="cv='loo' makes folds, and X_val are rows"):
        SoftmaxClassifierCV(cv="loo").fit(X, y, X_val=X, y_val=y)


def test_bitwise_for_any_number_of_threads():
    X, y = scaled(load_wine)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = (SoftmaxClassifierCV(cv="loo", n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
