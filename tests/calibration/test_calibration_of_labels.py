"""Calibration of several labels a row: scikit-learn's Platt scaling, a loop over the bins, files, ONNX."""

import io
import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.calibration import _SigmoidCalibration
from sklearn.datasets import make_multilabel_classification

import linclf
from linclf import LinearClassifier, SVMClassifier
from linclf.calibration import CALIBRATORS, PerLabelCalibration, PlattScaling, TemperatureScaling
from linclf.metrics import classwise_calibration_error, label_calibration_errors

LOGISTIC = "one-vs-rest-logistic"


@pytest.fixture(scope="module")
def table():
    X, Y = make_multilabel_classification(500, 8, n_classes=4, random_state=0)
    return X / 5, Y


@pytest.fixture(scope="module")
def scored(table):
    """Scores of rows that a classifier was not fitted to, and their labels."""
    X, Y = table
    clf = LinearClassifier(loss="squared-one-vs-rest", alpha=1e-3).fit(X[:200], Y[:200])
    return 3 * clf.decision_function(X[200:]), Y[200:]


def calibrated(loss=LOGISTIC, **given):
    """A classifier whose weights do not depend on the calibration rows."""
    given = {"calibration": "platt", "early_stopping": False, "alpha": 1e-3} | given
    return LinearClassifier(loss=loss, **given)


# ---------------------------------------------------------------- the calibrator


def test_platt_scaling_is_that_of_scikit_learn(scored):
    scores, Y = scored
    weights = np.random.default_rng(0).integers(1, 4, len(Y)).astype(float)
    p = PerLabelCalibration().fit(scores, Y, weights).predict_proba(scores)
    for k in range(4):
        copies = np.repeat(np.arange(len(Y)), weights.astype(int))
        peer = _SigmoidCalibration().fit(scores[copies, k], Y[copies, k])
        np.testing.assert_allclose(p[:, k], peer.predict(scores[:, k]), atol=1e-5)


def test_temperature_has_the_least_log_loss(scored):
    scores, Y = scored
    found = PerLabelCalibration(TemperatureScaling(alpha=0)).fit(scores, Y)
    for k in range(4):
        z = np.where(Y[:, k], scores[:, k], -scores[:, k])
        best = minimize_scalar(
            lambda T, z=z: np.logaddexp(0, -z / T).mean(), bounds=(0.1, 20), method="bounded"
        )
        assert found.calibrators_[k].temperature_ == pytest.approx(best.x, rel=1e-4)
        sigmoid = 1 / (1 + np.exp(-scores[:, k] / best.x))
        np.testing.assert_allclose(found.predict_proba(scores)[:, k], sigmoid, atol=1e-5)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, lambda Y: Y.astype(bool).tolist()])
@pytest.mark.parametrize("method", CALIBRATORS)
def test_labels_are_calibrated_one_by_one(scored, method, form):
    scores, Y = scored
    found = PerLabelCalibration(method).fit(scores, form(Y))
    p = found.predict_proba(scores)
    for k in range(4):
        one = CALIBRATORS[method]().fit(scores[:, k], Y[:, k]).predict_proba(scores[:, k])
        np.testing.assert_allclose(p[:, k], one[:, 1], rtol=1e-12)
    np.testing.assert_allclose(np.exp(found.predict_log_proba(scores)), p, rtol=1e-12)
    np.testing.assert_allclose(found.decision_function(scores), np.log(p) - np.log1p(-p), atol=1e-8)
    np.testing.assert_array_equal(found.classes_, np.arange(4))


def test_a_label_that_no_calibration_row_has(scored):
    scores, Y = scored
    Y = Y.copy()
    Y[:, 1], Y[:, 2] = 0, 1
    for method in CALIBRATORS:
        p = PerLabelCalibration(method).fit(scores, Y).predict_proba(scores)
        assert ((p > 0) & (p < 1)).all()
        if method != "temperature":  # which has no intercept
            assert p[:, 1].mean() < 0.35
            assert p[:, 2].mean() > 0.65


def test_decisions_are_finite():
    found = PerLabelCalibration(TemperatureScaling()).fit([[1.0, -1.0], [-1.0, 1.0]], [[1, 0], [0, 1]])
    decisions = found.decision_function([[1e80, -1e80]])
    assert np.isfinite(decisions).all()
    assert decisions[0, 0] > 1e29 > -1e29 > decisions[0, 1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[0.0, 1.0]], [0]), ValueError, r"y must be an indicator.* not list of shape \(1,\)"),
        (([[0.0, 1.0]], [[0.5, 0.5]]), ValueError, r"y must be an indicator"),
        (([[0.0, 1.0]], [[0, 1, 1]]), ValueError, r"scores has shape \(1, 2\), and y has 3 labels"),
        (([[0.0, 1.0]], [[0, 1], [1, 0]]), ValueError, r"scores have 1 rows, and y has 2"),
        (([0.0, 1.0], [[0, 1], [1, 0]]), ValueError, r"scores has shape \(2,\), and y has 2 labels"),
        (([[0.0, np.nan]], [[0, 1]]), ValueError, r"scores contains nan"),
        (([["a", "b"]], [[0, 1]]), TypeError, r"scores"),
    ],
)
def test_rows_that_do_not_calibrate(arguments, error, message):
    with pytest.raises(error, match=message):
        PerLabelCalibration().fit(*arguments)


def test_scores_of_other_labels(scored):
    scores, Y = scored
    with pytest.raises(ValueError, match=r"scores has shape \(300, 3\), and the calibrator has 4 labels"):
        PerLabelCalibration().fit(scores, Y).predict_proba(scores[:, :3])


# ---------------------------------------------------------------- the parameter of classifiers


@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("loss", [LOGISTIC, "squared-one-vs-rest"])
def test_classifiers_are_calibrated_on_validation_rows(table, loss, class_weight, n_labels):
    """By the rows as they are, without class weights."""
    X, Y = table[0], table[1][:, :n_labels]
    weights = np.random.default_rng(0).integers(1, 4, 300).astype(float)
    clf = calibrated(loss, class_weight=class_weight)
    clf.fit(X[:200], Y[:200], X_val=X[200:], y_val=Y[200:], sample_weight_val=weights)
    plain = calibrated(loss, class_weight=class_weight, calibration=None).fit(X[:200], Y[:200])
    by_hand = PerLabelCalibration().fit(plain.decision_function(X[200:]), Y[200:], weights)
    p = by_hand.predict_proba(plain.decision_function(X))
    np.testing.assert_allclose(clf.predict_proba(X), p, rtol=1e-6)
    np.testing.assert_array_equal(clf.predict(X), p > 0.5)
    np.testing.assert_array_equal(clf.predict(X), clf.decision_function(X) > 0)
    np.testing.assert_allclose(np.exp(clf.predict_log_proba(X)), clf.predict_proba(X), rtol=1e-12)
    np.testing.assert_array_equal(clf.predict_topk(X, 1)[:, 0], p.argmax(axis=1))
    assert clf.multilabel_ is True


@pytest.mark.parametrize("n_labels", [2, 4])
def test_known_scores_are_calibrated_with_the_others(table, n_labels):
    """Also of two labels, and of two rows: there is a column of the offset for each label."""
    X, Y = table[0], table[1][:, :n_labels]
    offset = np.random.default_rng(0).normal(size=Y.shape)
    for rows in (slice(300, 500), slice(498, 500)):
        given = {"X_val": X[rows], "y_val": Y[rows], "offset": offset[:300], "offset_val": offset[rows]}
        model = calibrated().fit(X[:300], Y[:300], **given)
        scores = X @ model.coef_.T + model.intercept_ + offset
        expected = PerLabelCalibration().fit(scores[rows], Y[rows])
        np.testing.assert_allclose(model.predict_proba(X, offset=offset), expected.predict_proba(scores))
        np.testing.assert_array_equal(model.predict(X, offset=offset), expected.decision_function(scores) > 0)


def test_rows_are_held_out_for_it(table):
    X, Y = table
    clf = SVMClassifier(
        multi_class="one-vs-rest", calibration="temperature", early_stopping=True, random_state=0
    ).fit(X, Y)
    assert clf.predict_proba(X).shape == Y.shape
    assert clf.calibrator_.calibrators_[0].temperature_ > 0
    with pytest.raises(ValueError, match=r"calibration='platt' needs validation rows"):
        calibrated().fit(X, Y)


def test_calibration_lowers_the_error_of_wrong_scores(table):
    X, Y = table
    balanced = {"class_weight": "balanced", "loss": LOGISTIC}
    clf = calibrated(**balanced).fit(X[:200], Y[:200], X_val=X[200:350], y_val=Y[200:350])
    raw = calibrated(**balanced, calibration=None).fit(X[:200], Y[:200])
    errors = [label_calibration_errors(Y[350:], one.predict_proba(X[350:]), n_bins=5) for one in (clf, raw)]
    assert errors[0].mean() < errors[1].mean()


@pytest.mark.parametrize("method", ["temperature", "platt", "auto"])
def test_files_copies_and_other_forms_of_y(table, method):
    X, Y = table
    clf = calibrated(calibration=method).fit(X[:200], Y[:200], X_val=X[200:], y_val=Y[200:])
    p = clf.predict_proba(X)
    file = io.BytesIO()
    linclf.save(clf, file)
    file.seek(0)
    for again in (linclf.load(file), pickle.loads(pickle.dumps(clf))):
        np.testing.assert_array_equal(again.predict_proba(X), p)
        np.testing.assert_array_equal(again.predict(X), clf.predict(X))
    one = clf.fit(X[:200], Y[:200, 0], X_val=X[200:], y_val=Y[200:, 0])
    assert one.predict_proba(X).shape == (500, 2)


def test_files_whose_parts_do_not_fit(table):
    X, Y = table
    clf = calibrated().fit(X[:200], Y[:200], X_val=X[200:], y_val=Y[200:])
    right = clf.calibrator_
    clf.calibrator_ = PlattScaling().fit(X[:4, :4], [0, 1, 2, 3])
    with pytest.raises(ValueError, match=r"calibrator_ of LinearClassifier is not for several labels"):
        linclf.save(clf, io.BytesIO())
    clf.calibrator_ = right
    right.calibrators_ = right.calibrators_[:3]
    with pytest.raises(ValueError, match=r"calibrators_ of PerLabelCalibration are not those of 4 labels"):
        linclf.save(clf, io.BytesIO())


@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize("method", CALIBRATORS)
def test_onnx(table, method, n_labels):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    X, Y = table[0], table[1][:, :n_labels]
    clf = calibrated(calibration=method).fit(X[:200], Y[:200], X_val=X[200:], y_val=Y[200:])
    session = onnxruntime.InferenceSession(linclf.to_onnx(clf, top_k=2).SerializeToString())
    found = dict(zip([out.name for out in session.get_outputs()], session.run(None, {"X": X}), strict=True))
    np.testing.assert_array_equal(found["label"], clf.predict(X))
    np.testing.assert_array_equal(found["labels"], clf.predict_topk(X, 2))
    np.testing.assert_allclose(found["scores"], clf.decision_function(X), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found["probabilities"], clf.predict_proba(X), rtol=1e-8)


def test_calibrators_that_do_not_fit(table):
    X, Y = table
    given = {"X_val": X[200:], "y_val": Y[200:]}
    with pytest.raises(ValueError, match=r"takes probabilities, but a classifier passes it the scores"):
        calibrated(calibration=PlattScaling(input="probabilities")).fit(X[:200], Y[:200], **given)
    clf = calibrated(calibration=PerLabelCalibration("temperature")).fit(X[:200], Y[:200], **given)
    assert isinstance(clf.calibrator_.calibrators_[0], TemperatureScaling)
    with pytest.raises(TypeError, match=r"its fit takes no classes"):
        clf.fit(X[:200], Y[:200, 0], X_val=X[200:], y_val=Y[200:, 0])
    with pytest.raises(AttributeError, match=r"calibration='platt' needs all rows"):
        _ = calibrated().partial_fit


# ---------------------------------------------------------------- the metric


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_errors_are_those_of_a_loop(scored, norm):
    scores, Y = scored
    p = 1 / (1 + np.exp(-scores))
    weights = np.random.default_rng(0).integers(0, 4, len(Y)).astype(float)
    found = label_calibration_errors(sparse.csr_array(Y), p, n_bins=4, norm=norm, sample_weight=weights)
    for k in range(4):
        bins, shares, gaps = np.minimum((4 * p[:, k]).astype(int), 3), [], []
        for b in range(4):
            here = (bins == b) & (weights > 0)
            if here.any():
                shares.append(weights[here].sum() / weights.sum())
                gaps.append(abs(np.average(Y[here, k] - p[here, k], weights=weights[here])))
        expected = max(gaps) if norm == np.inf else np.dot(shares, np.power(gaps, norm)) ** (1 / norm)
        assert found[k] == pytest.approx(expected, rel=1e-12)


def test_the_mean_error_of_one_label_a_row_is_classwise(scored):
    scores, Y = scored
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    y = Y.argmax(axis=1)
    each = label_calibration_errors(np.eye(4, dtype=int)[y], p)
    assert each.mean() == pytest.approx(classwise_calibration_error(y, p, labels=range(4)), rel=1e-12)


def test_errors_that_cannot_be_computed(scored):
    scores, Y = scored
    p = 1 / (1 + np.exp(-scores))
    with pytest.raises(ValueError, match=r"y_true is ndarray of shape \(300,\): pass an indicator"):
        label_calibration_errors(Y[:, 0], p)
    with pytest.raises(ValueError, match=r"y_prob has shape \(300, 3\) and y_true \(300, 4\)"):
        label_calibration_errors(Y, p[:, :3])
    with pytest.raises(ValueError, match=r"of y_prob is .*: pass probabilities from 0 to 1"):
        label_calibration_errors(Y, scores)
