"""The parameter ``calibration`` of the classifiers: the rows that it uses, and its effects."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split

from linclf import LinearClassifier, SoftmaxClassifier, SVMClassifier
from linclf.calibration import (
    CALIBRATORS,
    DirichletCalibration,
    PlattScaling,
    TemperatureScaling,
    VectorScaling,
)
from linclf.functional import softmax
from linclf.losses import LOSSES


def three_parts(n_classes):
    """Training, validation and test rows of overlapping classes, the labels as text."""
    X, y = make_classification(
        1600, 8, n_informative=5, n_classes=n_classes, n_clusters_per_class=1, class_sep=0.7, random_state=0
    )
    y = np.array([f"class {k}" for k in range(n_classes)])[y]
    return X[:400], y[:400], X[400:1000], y[400:1000], X[1000:], y[1000:]


@pytest.fixture(scope="module", params=[2, 4])
def parts(request):
    return three_parts(request.param)


@pytest.mark.parametrize("method", CALIBRATORS)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_it_is_the_calibrator_of_the_validation_scores(parts, method, form):
    X, y, X_val, y_val, X_test, _ = parts
    weights = np.random.default_rng(0).uniform(0, 2, len(y_val))
    model = SoftmaxClassifier(calibration=method, max_iter=20, random_state=0)
    model.fit(form(X), y, X_val=form(X_val), y_val=y_val, sample_weight_val=weights)
    plain = SoftmaxClassifier(max_iter=20, random_state=0)
    plain.fit(form(X), y, X_val=form(X_val), y_val=y_val, sample_weight_val=weights)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    expected = CALIBRATORS[method]()
    if method in ("platt", "auto"):
        expected.set_params(input="logits")
    expected.fit(plain.decision_function(form(X_val)), y_val, weights)
    p = model.predict_proba(form(X_test))
    np.testing.assert_allclose(p, expected.predict_proba(plain.decision_function(form(X_test))), rtol=1e-9)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(form(X_test))), p, rtol=1e-9)
    np.testing.assert_array_equal(model.predict(form(X_test)), model.classes_[p.argmax(axis=1)])
    assert type(model.calibrator_) is CALIBRATORS[method]


@pytest.mark.parametrize("name", ["sparsemax", "weston-watkins", "squared-one-vs-rest", "cosface"])
def test_losses_of_every_kind_get_probabilities(name):
    X, y, X_val, y_val, X_test, y_test = three_parts(4)
    model = LinearClassifier(loss=name, calibration="vector", random_state=0)
    model.fit(X.astype(np.float32), y, X_val=X_val.astype(np.float32), y_val=y_val)
    p = model.predict_proba(X_test.astype(np.float32))
    assert p.dtype == np.float64  # float32 would round to 1, with logarithm 0
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    assert log_loss(y_test, p) < 0.9 * np.log(4)


def test_hinges_have_probabilities_and_overconfidence_is_mended():
    X, y, X_val, y_val, X_test, y_test = three_parts(2)
    svm = SVMClassifier(calibration="platt", random_state=0).fit(X, y, X_val=X_val, y_val=y_val)
    assert log_loss(y_test, svm.predict_proba(X_test)) < 0.65
    sure = SoftmaxClassifier(temperature=0.2, random_state=0, early_stopping=False)  # f/T is five times f
    p = clone(sure).fit(X, y).decision_function(X_test) * 25
    mended = sure.set_params(calibration="temperature", temperature=1.0).fit(X, y, X_val=X_val, y_val=y_val)
    p = softmax(np.column_stack([np.zeros(len(p)), p]))
    assert log_loss(y_test, mended.predict_proba(X_test)) < log_loss(y_test, p) - 0.1


def test_rows_held_out_by_early_stopping(parts):
    X, y = parts[:2]
    model = SoftmaxClassifier(calibration="temperature", early_stopping=True, random_state=0).fit(X, y)
    assert model.calibrator_.temperature_ > 0
    assert "validation_loss" in model.history_


def test_validation_rows_for_the_calibrator_alone(parts):
    """early_stopping=False with X_val: there is no early stopping, and the rows are used for calibration."""
    X, y, X_val, y_val, *_ = parts
    model = SoftmaxClassifier(calibration="temperature", early_stopping=False, random_state=0)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert "validation_loss" not in model.history_
    np.testing.assert_array_equal(model.coef_, SoftmaxClassifier(random_state=0).fit(X, y).coef_)


def test_class_weights_do_not_count():
    """They shift the scores; the probabilities are those of the unweighted rows."""
    X, y, X_val, y_val, *_ = three_parts(2)
    heavy = {"class 0": 1.0, "class 1": 20.0}
    model = SoftmaxClassifier(calibration="platt", class_weight=heavy, random_state=0)
    p = model.fit(X, y, X_val=X_val, y_val=y_val).predict_proba(X_val)
    assert p[:, 1].mean() == pytest.approx((y_val == "class 1").mean(), abs=0.02)


def test_class_weights_of_soft_labels_do_not_count_either():
    X, y, X_val, y_val, *_ = three_parts(2)
    soft = 0.8 * np.eye(2)[(y == "class 1").astype(int)] + 0.1
    soft_val = 0.8 * np.eye(2)[(y_val == "class 1").astype(int)] + 0.1
    model = SoftmaxClassifier(calibration="platt", class_weight={0: 1.0, 1: 20.0}, random_state=0)
    p = model.fit(X, soft, X_val=X_val, y_val=soft_val).predict_proba(X_val)
    assert p[:, 1].mean() == pytest.approx(soft_val[:, 1].mean(), abs=0.02)


@pytest.mark.parametrize("name", LOSSES)
def test_platt_takes_scores_alone_where_they_mean_something_alone(name):
    """That is for one-vs-rest; all other losses depend on differences of scores."""
    X, y, X_val, y_val, *_ = three_parts(4)
    model = LinearClassifier(loss=name, calibration="platt", max_iter=5, random_state=0)
    found = model.fit(X, y, X_val=X_val, y_val=y_val).calibrator_.input
    assert found == ("scores" if "one-vs-rest" in name else "logits")
    own = clone(model).set_params(calibration=PlattScaling()).fit(X, y, X_val=X_val, y_val=y_val)
    assert own.calibrator_.input == "scores"


def test_few_validation_rows_in_which_all_is_right_make_no_certainty():
    """A temperature with the least log loss would have been infinitely confident."""
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=1, stratify=y, test_size=0.4)
    plain = SoftmaxClassifier(early_stopping=True, random_state=0)
    nothing = log_loss(y_test, plain.fit(X, y).predict_proba(X_test))
    for name in CALIBRATORS:
        model = clone(plain).set_params(calibration=name).fit(X, y)
        assert log_loss(y_test, model.predict_proba(X_test)) < 1.5 * nothing + 0.1


def test_soft_labels_are_weighted_copies():
    X, y, X_val, y_val, *_ = three_parts(4)
    codes, codes_val = (np.unique(labels, return_inverse=True)[1] for labels in (y, y_val))
    Y, Y_val = np.eye(4)[codes] * 0.9 + 0.025, np.eye(4)[codes_val] * 0.9 + 0.025
    # with more shrinkage, the shares of the classes would not be matched
    model = SoftmaxClassifier(calibration=VectorScaling(shrinkage=1.0), random_state=0)
    model.fit(X, Y, X_val=X_val, y_val=Y_val)
    np.testing.assert_allclose(
        model.predict_proba(X_val).mean(axis=0), Y_val.mean(axis=0), atol=2e-3
    )  # up to the penalty


def test_a_class_that_the_validation_rows_lack():
    X, y, X_val, y_val, *_ = three_parts(4)
    few = y_val != "class 3"
    model = SoftmaxClassifier(calibration="temperature", random_state=0)
    model.fit(X, y, X_val=X_val[few], y_val=y_val[few])
    assert model.predict_proba(X_val).shape == (600, 4)


def test_search_over_calibrations_and_storage(parts):
    X, y, X_test = parts[0], parts[1], parts[4]
    grid = {"calibration": [None, "temperature", DirichletCalibration()]}
    search = GridSearchCV(
        SoftmaxClassifier(early_stopping=True, max_iter=20, random_state=0),
        grid,
        scoring="neg_log_loss",
        cv=3,
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    model = clone(search.best_estimator_).set_params(calibration=TemperatureScaling()).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X_test), model.predict_proba(X_test))
    assert not hasattr(model.get_params()["calibration"], "temperature_")  # a clone of it was fitted


def test_fitting_again_without_it_forgets_it(parts):
    X, y, X_val, y_val, *_ = parts
    model = SoftmaxClassifier(solver="sgd", calibration="platt", max_iter=5, random_state=0).fit(
        X, y, X_val=X_val, y_val=y_val
    )
    model.set_params(calibration=None).fit(X, y)
    assert not hasattr(model, "calibrator_")


def test_refusals(parts):
    X, y, X_val, y_val, *_ = parts
    with pytest.raises(
        ValueError, match=r"calibration='platt' needs validation rows .*X_val.*early_stopping=True"
    ):
        SVMClassifier(calibration="platt").fit(X, y)
    with pytest.raises(ValueError, match="'calibration' parameter of SVMClassifier must be"):
        SVMClassifier(calibration="isotonic").fit(X, y)
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'") as caught:
        SVMClassifier(calibration="platt").partial_fit(X, y, classes=np.unique(y))
    assert "calibration='platt' needs" in str(caught.value.__cause__)
    wrong = DirichletCalibration(input="probabilities")
    with pytest.raises(ValueError, match=r"takes probabilities.*use input='scores'"):
        SVMClassifier(calibration=wrong, solver="sgd", max_iter=5).fit(X, y, X_val=X_val, y_val=y_val)
    with pytest.raises(NotFittedError, match=r"calibration='platt' was set after this SVM.* was fitted"):
        SVMClassifier(solver="sgd", max_iter=5).fit(X, y).set_params(calibration="platt").predict_proba(X)
    with pytest.raises(AttributeError, match="no attribute 'predict_proba'"):
        SVMClassifier().predict_proba(X)
    with pytest.raises(ValueError, match="class_weight leaves out class 'class 0', whose rows"):
        SVMClassifier(calibration="platt", class_weight={"class 0": 0.0}).fit(X, y, X_val=X_val, y_val=y_val)
    with pytest.raises(TypeError, match="its fit takes no classes"):
        SVMClassifier(calibration=LogisticRegression()).fit(X, y, X_val=X_val, y_val=y_val)


def test_a_temperature_keeps_the_predictions_also_where_scores_are_no_better_than_chance(parts):
    X, y, X_val, y_val, *_ = parts
    wrong = np.random.default_rng(0).permutation(y_val)
    model = SoftmaxClassifier(calibration="temperature", random_state=0).fit(X, y, X_val=X_val, y_val=wrong)
    scores = model.decision_function(X)
    index = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[index])
    assert hasattr(model.set_params(calibration=None), "predict_proba")
