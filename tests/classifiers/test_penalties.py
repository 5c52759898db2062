"""`penalty` and `l1_ratio` of the classifiers: what is refused, paths, choices, files, selected features."""

import pickle
import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, load_wine
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import linclf
from linclf import (
    LinearClassifier,
    LinearClassifierCV,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
    SVMClassifierCV,
)
from linclf.large import SampledSoftmaxClassifier
from linclf.optimizers import Momentum

PENALTIES = [("l1", None), ("elasticnet", 0.4), ("group", None), ("group", 0.6)]


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return StandardScaler().fit_transform(X), y


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"penalty": "l2", "l1_ratio": 0.5}, "l1_ratio=0.5 is for penalty='elasticnet' and 'group'"),
        ({"penalty": "l1", "l1_ratio": 0.5}, "l1_ratio=0.5 is for penalty='elasticnet' and 'group'"),
        ({"penalty": "elasticnet", "l1_ratio": 1.5}, "The 'l1_ratio' parameter of SoftmaxClassifier"),
        ({"penalty": "elasticnet", "l1_ratio": -0.1}, "The 'l1_ratio' parameter of SoftmaxClassifier"),
        ({"penalty": "lasso"}, "The 'penalty' parameter of SoftmaxClassifier must be a str among"),
        ({"solver": "newton-cd"}, "solver='newton-cd' is for penalties that make weights exactly 0"),
        ({"penalty": "l1", "solver": "lbfgs"}, "solver='lbfgs' minimises smooth objectives"),
        ({"penalty": "group", "solver": "newton"}, "solver='newton' minimises smooth objectives"),
        ({"penalty": "l1", "solver": "adam"}, "solver='adam' minimises smooth objectives"),
        ({"penalty": "l1", "solver": Momentum()}, "minimises smooth objectives, and penalty='l1' has kinks"),
        ({"penalty": "l1", "average": True}, "average=True publishes a mean of weights"),
        (
            {"penalty": "l1", "solver": "newton-cd", "batch_size": 5},
            "batch_size=5 has no meaning with solver='newton-cd'",
        ),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(wine, parameters, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SoftmaxClassifier(**parameters).fit(*wine)


def test_rows_in_parts_are_refused(wine):
    X, y = wine
    with pytest.raises(AttributeError, match=r"penalty='l1' needs all rows at once, or validation rows"):
        SoftmaxClassifier(penalty="l1").partial_fit(X, y, classes=[0, 1, 2])
    batches = linclf.Batches(lambda: [(X[:90], y[:90]), (X[90:], y[90:])])
    with pytest.raises(ValueError, match=r"penalty='l2' is the only one for rows that are not in memory"):
        SoftmaxClassifier(penalty="l1").fit(batches)


def test_cosines_are_refused(wine):
    with pytest.raises(ValueError, match="is a loss on cosines, to which the size of the weights means"):
        LinearClassifier(loss="arcface", penalty="l1").fit(*wine)
    for estimator in (MarginSoftmaxClassifier, SampledSoftmaxClassifier):
        with pytest.raises(TypeError, match="penalty"):
            estimator(penalty="l1")


# ---------------------------------------------------------------- equal penalties


def test_names_of_one_penalty_agree(wine):
    given = {"alpha": 0.02, "tol": 1e-9}
    l1 = SoftmaxClassifier(penalty="l1", **given).fit(*wine)
    for other in (
        SoftmaxClassifier(penalty="elasticnet", l1_ratio=1.0, **given),
        SoftmaxClassifier(penalty="l1", solver="newton-cd", **given),
    ):
        np.testing.assert_array_equal(other.fit(*wine).coef_, l1.coef_)
    half = SoftmaxClassifier(penalty="elasticnet", **given).fit(*wine)
    same = SoftmaxClassifier(penalty="elasticnet", l1_ratio=0.5, **given).fit(*wine)
    np.testing.assert_array_equal(half.coef_, same.coef_)
    smooth = SoftmaxClassifier(penalty="elasticnet", l1_ratio=0.0, **given).fit(*wine)
    np.testing.assert_array_equal(smooth.coef_, SoftmaxClassifier(**given).fit(*wine).coef_)
    descended = SoftmaxClassifier(penalty="elasticnet", l1_ratio=0.0, solver="newton-cd", **given).fit(*wine)
    np.testing.assert_allclose(descended.coef_, smooth.coef_, atol=1e-5)


def test_two_classes_have_the_penalty_on_their_difference(wine):
    """A group is then one weight."""
    X, y = wine[0], wine[1] == 1
    l1, group = (SoftmaxClassifier(penalty=name, alpha=0.02, tol=1e-10).fit(X, y) for name in ("l1", "group"))
    np.testing.assert_allclose(l1.coef_, group.coef_, atol=1e-6)
    np.testing.assert_array_equal(l1.coef_ == 0, group.coef_ == 0)


# ---------------------------------------------------------------- paths


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
def test_models_of_a_path_are_those_of_single_fits(penalty, l1_ratio, form):
    """Strong rules leave out features; none that has a weight may be missing."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 200)), np.arange(80) % 3
    X[:, :5] += rng.normal(size=(3, 5))[y]
    X = form(X * (rng.random(X.shape) < 0.3))
    # with squares in the penalty the bound is one of squared slopes
    tol = 1e-8 if l1_ratio is None else 1e-12
    estimator = SoftmaxClassifier(penalty=penalty, l1_ratio=l1_ratio, tol=tol)
    found = linclf.path(X, y, 8, estimator=estimator)
    assert not found.coefs[0].any()
    for alpha, W, objective in zip(found.alphas, found.coefs, found.objectives, strict=True):
        single = clone(estimator).set_params(alpha=alpha).fit(X, y)
        assert objective == pytest.approx(single.history_["objective"][-1], rel=1e-7)
        np.testing.assert_allclose(W, single.coef_, atol=1e-4)
        clear = (np.abs(W) > 1e-4) | (np.abs(single.coef_) > 1e-4)
        np.testing.assert_array_equal((W != 0) & clear, (single.coef_ != 0) & clear)
    assert found.coefs[-1].any(axis=0).sum() > 20


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
def test_a_grid_begins_where_all_weights_are_zero(wine, penalty, l1_ratio, n_classes):
    X, y = wine[0], wine[1] if n_classes == 3 else wine[1] == 1
    estimator = SoftmaxClassifier(penalty=penalty, l1_ratio=l1_ratio)
    first = linclf.path(X, y, 5, estimator=estimator).alphas[0]
    assert not clone(estimator).set_params(alpha=1.001 * first).fit(X, y).coef_.any()
    assert clone(estimator).set_params(alpha=0.98 * first).fit(X, y).coef_.any()


@pytest.mark.parametrize("estimator", [SoftmaxClassifierCV, SVMClassifierCV])
def test_choices_are_those_of_a_search_over_folds(wine, estimator):
    X, y = wine
    alphas, folds = [0.1, 0.03, 0.01], StratifiedKFold(4, shuffle=True, random_state=0)
    given = {"squared": True} if estimator is SVMClassifierCV else {}
    ours = estimator(alphas=alphas, cv=folds, penalty="l1", tol=1e-7, **given).fit(X, y)
    plain = SVMClassifier if given else SoftmaxClassifier
    scoring = "accuracy" if given else "neg_log_loss"
    search = GridSearchCV(
        plain(penalty="l1", tol=1e-7, **given), {"alpha": alphas}, scoring=scoring, cv=folds
    ).fit(X, y)
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"], rtol=1e-4
    )
    assert ours.alpha_ == search.best_params_["alpha"]
    np.testing.assert_allclose(ours.coef_, search.best_estimator_.coef_, atol=1e-3)
    assert 0 < np.count_nonzero(ours.coef_) < ours.coef_.size


def test_choices_without_folds_or_with_other_losses(wine):
    X, y = wine
    held = SoftmaxClassifierCV(penalty="group", alphas=4).fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert (held.coef_.any(axis=0) == held.coef_.all(axis=0)).all()
    chosen = LinearClassifierCV(
        loss="softmax", loss_grid={"label_smoothing": [0.0, 0.1]}, penalty="elasticnet", alphas=3
    ).fit(X, y)
    assert 0 < np.count_nonzero(chosen.coef_) < chosen.coef_.size


def test_a_fold_may_lack_a_class(wine):
    X, y = np.vstack([wine[0], wine[0][:1] + 5]), np.append(wine[1], 3)
    even, odd = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
    search = SoftmaxClassifierCV(penalty="l1", alphas=[0.05, 0.01], cv=[(odd, even), (even, odd)])
    with pytest.warns(UserWarning, match="a fold of cv trains on no row of class 3"):
        model = search.fit(X, y)
    assert model.coef_.shape == (4, X.shape[1])
    assert np.isfinite(model.cv_results_["mean_test_score"]).all()


def test_grid_search_over_l1_ratio(wine):
    grid = {"l1_ratio": [0, 0.5, 1]}
    search = GridSearchCV(SoftmaxClassifier(penalty="elasticnet", alpha=0.02), grid, cv=3).fit(*wine)
    zeros = [
        (SoftmaxClassifier(penalty="elasticnet", alpha=0.02, l1_ratio=share).fit(*wine).coef_ == 0).sum()
        for share in grid["l1_ratio"]
    ]
    assert zeros[0] == 0 < zeros[1] < zeros[2]
    assert search.best_score_ > 0.9


# ---------------------------------------------------------------- fitted models


def test_pickles_and_files_keep_the_zeros(wine, tmp_path):
    model = SoftmaxClassifier(penalty="group", l1_ratio=0.7, alpha=0.02).fit(*wine)
    linclf.save(model, tmp_path / "model.linclf")
    for again in (pickle.loads(pickle.dumps(model)), linclf.load(tmp_path / "model.linclf")):
        assert again.get_params() == model.get_params()
        np.testing.assert_array_equal(again.coef_, model.coef_)
        np.testing.assert_array_equal(again.predict_proba(wine[0]), model.predict_proba(wine[0]))


def test_onnx_has_the_same_probabilities(wine):
    runtime = pytest.importorskip("onnxruntime")
    model = SoftmaxClassifier(penalty="l1", alpha=0.02).fit(*wine)
    session = runtime.InferenceSession(linclf.to_onnx(model).SerializeToString())
    found = session.run(None, {session.get_inputs()[0].name: wine[0]})[1]
    np.testing.assert_allclose(found, model.predict_proba(wine[0]), atol=1e-9)


def test_columns_with_weights_are_selected():
    """scikit-learn's threshold for penalty="l1" is 1e-5, otherwise the mean of the weights."""
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), SelectFromModel(SoftmaxClassifier(penalty="l1", alpha=0.1)))
    model.fit(X, y)
    selector = model[-1]
    np.testing.assert_array_equal(selector.get_support(), selector.estimator_.coef_.any(axis=0))
    assert 0 < selector.get_support().sum() < 4
    assert selector.threshold_ == 1e-5
