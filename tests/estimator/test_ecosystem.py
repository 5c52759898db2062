"""The estimators in scikit-learn's tools, with data frames, and after storing and loading.

scikit-learn's own checks of single estimators run in test_sklearn.py.
"""

import io
import os
import pathlib
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_wine, make_classification
from sklearn.ensemble import StackingClassifier
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from linclf import LinearClassifier, MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier
from linclf.losses import CrammerSinger
from linclf.optimizers import Adam

FAST = {"batch_size": 8, "max_iter": 30, "random_state": 0}


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return X[order], np.array(["barolo", "grignolino", "barbera"])[y[order]]


@pytest.fixture(scope="module")
def three_of_ten():
    """Only the first three of ten features matter."""
    return make_classification(
        400, 10, n_informative=3, n_redundant=0, n_classes=2, class_sep=2, shuffle=False, random_state=0
    )


# ---------------------------------------------------------------- meta-estimators


def test_pipeline_is_its_steps(wine):
    X, y = wine
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(**FAST)).fit(X, y)
    Z = StandardScaler().fit_transform(X)
    alone = SoftmaxClassifier(**FAST).fit(Z, y)
    np.testing.assert_array_equal(pipeline.predict_proba(X), alone.predict_proba(Z))
    assert pipeline.score(X, y) == alone.score(Z, y) >= 0.98


def test_grid_search_over_losses(wine):
    X, y = wine
    losses = ["softmax", "weston-watkins", CrammerSinger(margin=2.0)]
    search = GridSearchCV(LinearClassifier(**FAST), {"loss": losses, "alpha": [1e-3, 10.0]}, cv=3, n_jobs=2)
    search.fit(X, y)
    scores = search.cv_results_["mean_test_score"].reshape(2, 3)
    assert scores[0].min() >= 0.9 > scores[1].min()
    assert search.best_params_["alpha"] == 1e-3
    folds = StratifiedKFold(3).split(X, y)
    by_hand = [
        LinearClassifier(loss="weston-watkins", alpha=1e-3, **FAST).fit(X[a], y[a]).score(X[b], y[b])
        for a, b in folds
    ]
    assert np.mean(by_hand) == pytest.approx(scores[0, 1], rel=1e-12)


def test_calibrated_svm(wine):
    X, y = wine
    model = SVMClassifier(**FAST)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError) as caught:
        model.predict_proba(X)
    # scikit-learn's available_if says that the method is missing; its cause names the remedy
    assert "linclf.calibration.CalibratedClassifier around this estimator" in str(caught.value.__cause__)
    proba = CalibratedClassifierCV(model, cv=3).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert log_loss(y, proba) < 0.4


def test_one_vs_rest_is_a_binary_problem_for_each_class(wine):
    X, y = wine
    model = OneVsRestClassifier(SoftmaxClassifier(**FAST)).fit(X, y)
    for label, one in zip(model.classes_, model.estimators_, strict=True):
        alone = SoftmaxClassifier(**FAST).fit(X, (y == label).astype(int))
        np.testing.assert_array_equal(one.coef_, alone.coef_)
    assert model.score(X, y) >= 0.95


def test_stacking(wine):
    X, y = wine
    parts = [("softmax", SoftmaxClassifier(**FAST)), ("bayes", GaussianNB())]
    model = StackingClassifier(parts, SoftmaxClassifier(alpha=1e-2, **FAST), cv=3).fit(X, y)
    assert model.final_estimator_.n_features_in_ == 6
    assert model.score(X, y) >= 0.97


def test_feature_selection_finds_the_informative_features(three_of_ten):
    X, y = three_of_ten
    informative = np.arange(10) < 3
    selected = SelectFromModel(SoftmaxClassifier(alpha=1e-2, **FAST), max_features=3, threshold=-np.inf)
    np.testing.assert_array_equal(selected.fit(X, y).get_support(), informative)
    eliminated = RFE(SVMClassifier(alpha=1e-2, **FAST), n_features_to_select=3).fit(X, y)
    np.testing.assert_array_equal(eliminated.support_, informative)


def test_cross_val_predict_is_the_loop_over_folds(wine):
    X, y = wine
    model, folds = SoftmaxClassifier(**FAST), StratifiedKFold(3)
    expected = np.empty((len(y), 3))
    for train, test in folds.split(X, y):
        expected[test] = clone(model).fit(X[train], y[train]).predict_proba(X[test])
    found = cross_val_predict(model, X, y, cv=folds, method="predict_proba", n_jobs=2)
    np.testing.assert_array_equal(found, expected)


# ---------------------------------------------------------------- metadata routing


def test_sample_weight_is_routed(wine):
    X, y = wine
    weights = np.random.default_rng(0).uniform(0.1, 3, len(y))
    with config_context(enable_metadata_routing=True):
        model = (
            SoftmaxClassifier(**FAST)
            .set_fit_request(sample_weight=True)
            .set_score_request(sample_weight=True)
        )
        pipeline = Pipeline([("scale", MinMaxScaler()), ("model", model)])
        result = cross_validate(
            pipeline, X, y, cv=3, params={"sample_weight": weights}, return_estimator=True
        )
        folds = StratifiedKFold(3).split(X, y)
        for (train, test), fitted, score in zip(
            folds, result["estimator"], result["test_score"], strict=True
        ):
            scaler = MinMaxScaler().fit(X[train])
            alone = SoftmaxClassifier(**FAST)
            alone.fit(scaler.transform(X[train]), y[train], sample_weight=weights[train])
            np.testing.assert_array_equal(fitted[-1].coef_, alone.coef_)
            own = alone.score(scaler.transform(X[test]), y[test], sample_weight=weights[test])
            assert score == pytest.approx(own)


def test_validation_set_goes_through_the_pipeline(wine):
    X, y = wine
    X, y, X_val, y_val = X[:120], y[:120], X[120:], y[120:]
    with config_context(enable_metadata_routing=True):
        model = SoftmaxClassifier(**FAST).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline([("scale", StandardScaler()), ("model", model)], transform_input=["X_val"])
        pipeline.fit(X, y, X_val=X_val, y_val=y_val)
    scaler = StandardScaler().fit(X)
    alone = SoftmaxClassifier(**FAST)
    alone.fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)
    assert pipeline[-1].history_["validation_loss"] == alone.history_["validation_loss"]
    assert min(alone.history_["validation_loss"]) == pytest.approx(
        log_loss(y_val, pipeline.predict_proba(X_val)), rel=1e-9
    )


# ---------------------------------------------------------------- data frames


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames(frame):
    X, y = load_iris(return_X_y=True)
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    table = frame(dict(zip(names, X.T, strict=True)))
    labels = (pd.Series if frame is pd.DataFrame else pl.Series)(np.array(["s", "ve", "vi"])[y])
    model = SoftmaxClassifier(**FAST).fit(table, labels)
    plain = SoftmaxClassifier(**FAST).fit(X, y)
    assert list(model.feature_names_in_) == names
    assert list(model.classes_) == ["s", "ve", "vi"]
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.decision_function(table), plain.decision_function(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table[names[::-1]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)


# ---------------------------------------------------------------- stored and read again


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def through_skops(model):
    data = skops.io.dumps(model)
    unknown = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("linclf.") or name == "numpy.dtype" for name in unknown)
    return skops.io.loads(data, trusted=unknown)


STORES = [through_pickle, through_joblib, through_skops]


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    "model",
    [
        SoftmaxClassifier(**FAST),
        SoftmaxClassifier(solver=Adam(beta1=0.8), **FAST),
        SVMClassifier(**FAST),
        MarginSoftmaxClassifier(standardize=True, **FAST),
        LinearClassifier(loss=CrammerSinger(margin=2.0), **FAST),
    ],
    ids=str,
)
def test_stored_models_predict_the_same(wine, model, store):
    X, y = wine
    fitted = clone(model).fit(X, y)
    read = store(fitted)
    np.testing.assert_array_equal(read.decision_function(X), fitted.decision_function(X))
    np.testing.assert_array_equal(read.predict(X), fitted.predict(X))
    assert read.get_params() == fitted.get_params()
    assert read.history_ == fitted.history_
    again = read.fit(X, y)  # parameters keep their types
    np.testing.assert_array_equal(again.coef_, clone(model).fit(X, y).coef_)


@pytest.mark.parametrize("settings", [{}, {"solver": "adam", "average": True}], ids=str)
@pytest.mark.parametrize("store", STORES)
def test_stored_streams_go_on(wine, store, settings):
    X, y = wine
    model = SoftmaxClassifier(**FAST, **settings).partial_fit(X[:80], y[:80], classes=np.unique(y))
    read = store(model)
    np.testing.assert_array_equal(read.decision_function(X), model.decision_function(X))
    read.partial_fit(X[80:], y[80:])
    model.partial_fit(X[80:], y[80:])
    np.testing.assert_array_equal(read.coef_, model.coef_)
    assert read.n_iter_ == model.n_iter_ == 2


def test_clone_is_unfitted_and_equal(wine):
    model = LinearClassifier(loss=CrammerSinger(margin=2.0), solver=Adam(beta1=0.8), **FAST).fit(*wine)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not [name for name in vars(copy) if name.endswith("_")]
    np.testing.assert_array_equal(copy.fit(*wine).coef_, model.coef_)


PREDICT = """
import pickle, sys
import numpy as np
model, X = pickle.load(open(sys.argv[1], "rb"))
results = model.decision_function(X), model.predict(X), model.predict_proba(X), model.predict_log_proba(X)
kernels = [
    value
    for name, module in sys.modules.items() if name.startswith("linclf")
    for value in vars(module).values() if hasattr(value, "nopython_signatures")
]
assert len(kernels) > 5, kernels
assert not [kernel for kernel in kernels if kernel.nopython_signatures]
pickle.dump(results, open(sys.argv[2], "wb"))
"""


def test_prediction_in_a_fresh_process_compiles_nothing(wine, tmp_path):
    X, y = wine
    model = SoftmaxClassifier(**FAST).fit(X, y)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps((model, X)))
    command = [sys.executable, "-W", "error", "-c", PREDICT, "model.pkl", "results.pkl"]
    source = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).resolve().parents[2])}
    run = subprocess.run(command, cwd=tmp_path, env=source, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    results = pickle.loads((tmp_path / "results.pkl").read_bytes())
    expected = model.decision_function(X), model.predict(X), model.predict_proba(X)
    for found, value in zip(results, expected, strict=False):
        np.testing.assert_array_equal(found, value)
