"""`to_onnx`: onnxruntime gives the results of the classifier, for every classifier, loss and calibrator."""

import functools
import sys
from typing import NamedTuple

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB

import linclf
from linclf import (
    EntmaxClassifier,
    FocalClassifier,
    LinearClassifier,
    LinearClassifierCV,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SparsemaxClassifier,
    SVMClassifier,
    SVMClassifierCV,
)
from linclf.calibration import CALIBRATORS, CalibratedClassifier, TemperatureScaling
from linclf.decisions import CostSensitiveClassifier
from linclf.functional import softmax
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.losses import LOSSES, Softmax, row_loss

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

MODELS = [
    *(LinearClassifier(loss=name, random_state=0) for name in LOSSES),
    LinearClassifier(loss=Softmax(temperature=3.0)),
    EntmaxClassifier(entmax_alpha=2.0),
    SoftmaxClassifier(fit_intercept=False),
    SoftmaxClassifier(standardize=True),
    SoftmaxClassifierCV(alphas=3),
    SVMClassifierCV(alphas=3),
    LinearClassifierCV(alphas=3),
    MarginSoftmaxClassifier(standardize=True, random_state=0),
    MarginSoftmaxClassifier(fit_intercept=False, random_state=0),
    FocalClassifier(),
    SparsemaxClassifier(),
    SampledSoftmaxClassifier(random_state=0),
    NCEClassifier(random_state=0),
    HierarchicalSoftmaxClassifier(random_state=0),
    HierarchicalSoftmaxClassifier(random_state=0, tree="balanced", rank=3),
    SampledSoftmaxClassifier(random_state=0, rank=3),
    AdaptiveSoftmaxClassifier(random_state=0, cutoffs=[2, 5]),
    AdaptiveSoftmaxClassifier(random_state=0, cutoffs=[4], reduction=2, rank=8),
    *(SoftmaxClassifier(calibration=m, early_stopping=True, random_state=0) for m in CALIBRATORS),
    *(SVMClassifier(calibration=m, early_stopping=True, random_state=0) for m in CALIBRATORS),
    *(CalibratedClassifier(SVMClassifier(random_state=0), method=m) for m in CALIBRATORS),
    CalibratedClassifier(SoftmaxClassifier(), method=TemperatureScaling(input="probabilities")),
    CalibratedClassifier(SparsemaxClassifier(), method="platt"),
]


def data(n_classes, dtype):
    """Scaled data with few rows, so that probabilities are not 0 or 1."""
    load = {2: load_breast_cancer, 3: load_iris, 10: load_digits}[n_classes]
    X, y = load(return_X_y=True)
    X = X[:300] / np.maximum(X.std(axis=0), 1e-3)
    return X.astype(dtype), np.array([f"class {k}" for k in range(n_classes)])[y[:300]]


def run(model, X, **options):
    graph = linclf.to_onnx(model, **options)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"X": X}), strict=True))


def same(model, X, tolerance, **options):
    found = run(model, X, **options)
    sure = np.ones(len(X), bool)
    if hasattr(model, "predict_proba"):
        p = model.predict_proba(X)
        np.testing.assert_allclose(found["probabilities"], p, rtol=0, atol=tolerance)
        assert found["probabilities"].dtype == p.dtype
        assert found["probabilities"].shape == p.shape
        top = np.sort(p, axis=1)
        sure = top[:, -1] - top[:, -2] > 2 * tolerance
    if hasattr(model, "decision_function"):
        f = model.decision_function(X)
        scale = max(1.0, np.abs(f[np.abs(f) < 1e20]).max())
        np.testing.assert_allclose(found["scores"] / scale, f / scale, rtol=tolerance, atol=tolerance)
        assert found["scores"].shape == f.shape
        top = np.sort(f if f.ndim == 2 else np.column_stack([0 * f, f]), axis=1)
        sure &= top[:, -1] - top[:, -2] > 2 * tolerance * scale
    else:
        assert "scores" not in found
    assert sure.mean() > 0.8
    np.testing.assert_array_equal(found["label"][sure], model.predict(X)[sure])
    return found


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_onnxruntime_returns_what_the_classifier_does(model, n_classes):
    if getattr(model, "cutoffs", "auto") != "auto" and n_classes < 10:
        model = model.__class__(**model.get_params() | {"cutoffs": [1]})
    X, y = data(n_classes, np.float64)
    same(model.fit(X, y), X, 1e-9)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_rows_of_float32(model):
    X, y = data(10, np.float32)
    model.fit(X, y)
    found = same(model, X, 2e-6)
    assert "scores" not in found or found["scores"].dtype == model.decision_function(X).dtype


@pytest.mark.parametrize("labels", [[0, 5, 7], [False, True], [0.0, 1.0, 4.0], ["a", "ß", "中"]], ids=str)
def test_labels_of_any_kind(labels):
    X, y = data(len(labels), np.float64)
    labels = np.array(labels)
    index = np.searchsorted(np.unique(y), y)
    for given in (labels, labels.astype(object)):
        model = SoftmaxClassifier().fit(X, given[index])
        found = run(model, X)["label"]
        np.testing.assert_array_equal(found, model.predict(X))
        assert found.dtype == (object if labels.dtype.kind == "U" else labels.dtype)


@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize(
    "model", [SoftmaxClassifier(), SVMClassifier(early_stopping=True, calibration="platt", random_state=0)]
)
def test_best_labels(model, n_classes):
    X, y = data(n_classes, np.float64)
    model.fit(X, y)
    np.testing.assert_array_equal(run(model, X, top_k=2)["labels"], model.predict_topk(X, 2))


def test_another_dtype_than_that_of_the_weights():
    X, y = data(10, np.float64)
    model = SoftmaxClassifier().fit(X, y)
    rows = X.astype(np.float32)
    found = run(model, rows, dtype="float32")
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), rtol=0, atol=1e-5)
    assert found["scores"].dtype == np.float32


@pytest.mark.parametrize("calibration", [None, *CALIBRATORS])
@pytest.mark.parametrize("present", [[0], [0, 1], [1, 2], [0, 2]], ids=str)
def test_classes_of_weight_0(calibration, present):
    X, y = data(3, np.float64)
    weights = 1.0 * np.isin(y, np.unique(y)[present])
    model = SoftmaxClassifier(early_stopping=calibration is not None, calibration=calibration, random_state=0)
    model.fit(X, y, sample_weight=weights)
    found = run(model, X)
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), rtol=0, atol=1e-9)
    assert (np.delete(found["probabilities"], present, axis=1) == 0).all()
    f = model.decision_function(X)
    np.testing.assert_allclose(found["scores"], f, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found["label"], model.predict(X))


@pytest.mark.parametrize("method", [*CALIBRATORS, TemperatureScaling(input="probabilities")], ids=str)
@pytest.mark.parametrize("present", [[0], [0, 1], [1, 2], [0, 2]], ids=str)
def test_classes_of_weight_0_in_a_calibrated_classifier(method, present):
    X, y = data(3, np.float64)
    model = CalibratedClassifier(SoftmaxClassifier(), method=method)
    model.fit(X, y, sample_weight=1.0 * np.isin(y, np.unique(y)[present]))
    same(model, X, 1e-9)


def test_a_class_that_is_never_predicted_in_float32():
    """Its intercept is beyond float32, and is clipped to the largest float32."""
    X, y = data(2, np.float64)
    model = MarginSoftmaxClassifier(random_state=0).fit(X, y, sample_weight=1.0 * (y == "class 1"))
    assert np.abs(model.intercept_).max() > 1e100
    found = run(model, X.astype(np.float32), dtype="float32")
    np.testing.assert_array_equal(found["probabilities"], model.predict_proba(X))
    np.testing.assert_array_equal(found["label"], model.predict(X))


def test_weights_that_float32_does_not_hold():
    X, y = data(2, np.float64)
    model = SoftmaxClassifier(alpha=0.0, max_iter=3, tol=None).fit(X * 1e-50, y)
    with pytest.raises(ValueError, match=r"weights reach .* and overflow float32; use float64"):
        linclf.to_onnx(model, dtype="float32")


def test_a_frozen_classifier():
    X, y = data(3, np.float64)
    inner = SVMClassifier().fit(X[::2], y[::2])
    model = CalibratedClassifier(FrozenEstimator(inner), method="vector").fit(X[1::2], y[1::2])
    same(model, X, 1e-9)


def test_scores_that_are_far_apart():
    """Exponentials underflow, and the shift by the largest score avoids overflow."""
    X, y = data(10, np.float64)
    model = SoftmaxClassifier(early_stopping=True, calibration="platt", random_state=0).fit(X, y)
    far = 1e3 * X
    np.testing.assert_allclose(run(model, far)["probabilities"], model.predict_proba(far), atol=1e-9)


@pytest.mark.parametrize("opset", [18, 20, 21, None])
def test_the_opset_is_the_one_asked_for(opset):
    X, y = data(3, np.float64)
    model = SparsemaxClassifier().fit(X, y)
    graph = linclf.to_onnx(model, target_opset=opset)
    assert graph.opset_import[0].version == (opset or 18)
    same(model, X, 1e-9, target_opset=opset)
    assert graph.producer_name == f"linclf {linclf.__version__}"


class Square(NamedTuple):
    """A custom loss."""

    def probabilities(self, scores):
        return softmax(scores)


@row_loss.register(Square)
def square(loss, scores, y):
    scores[y] -= 1.0
    return 0.5 * (scores**2).sum()


def _fitted(model, labels=("a", "b", "c")):
    X, y = load_iris(return_X_y=True)
    return model.fit(X, np.array(labels, dtype=object)[y])


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (
            SoftmaxClassifier(),
            {"target_opset": 17},
            ValueError,
            "target_opset=17 must be an integer",
        ),
        (SoftmaxClassifier(), {"target_opset": 999}, ValueError, "the newest of the onnx that is installed"),
        (SoftmaxClassifier(), {"dtype": "float16"}, ValueError, "dtype='float16' must be 'float32'"),
        (SoftmaxClassifier(), {"top_k": 4}, ValueError, "top_k=4 must be an integer between 1 and 3"),
        (EntmaxClassifier(entmax_alpha=1.2), {}, ValueError, "alpha=1.2 has no finite graph"),
        (LinearClassifier(loss=Square(), solver="sgd"), {}, TypeError, "Square is a custom loss"),
        (HierarchicalSoftmaxClassifier(beam_width=2), {}, ValueError, r"set_params\(beam_width=None\)"),
        (GaussianNB(), {}, TypeError, "no classifier of linclf; skl2onnx converts"),
        (CalibratedClassifier(GaussianNB()), {}, TypeError, "no classifier of linclf"),
    ],
)
def test_what_has_no_form_in_onnx_is_refused(model, options, error, message):
    with pytest.raises(error, match=message):
        linclf.to_onnx(_fitted(model), **options)


def test_what_is_no_classifier_is_named_by_its_type():
    with pytest.raises(TypeError, match=r"^ndarray is no classifier of linclf"):
        linclf.to_onnx(np.zeros((3, 2)))


def test_a_decision_is_refused_with_what_to_apply_instead():
    clf = _fitted(CostSensitiveClassifier(SoftmaxClassifier()))
    with pytest.raises(TypeError, match="export its estimator_, and apply costs_ to its probabilities"):
        linclf.to_onnx(clf)
    linclf.to_onnx(clf.estimator_)


def test_labels_that_onnx_does_not_have():
    model = _fitted(SoftmaxClassifier(), [b"a", b"b", b"c"])
    with pytest.raises(TypeError, match="ONNX has labels of strings, floats and integers"):
        linclf.to_onnx(model)


def test_integers_beyond_int64_are_refused():
    X, y = load_iris(return_X_y=True)
    model = SoftmaxClassifier().fit(X, np.array([1, 2, 2**63 + 5], np.uint64)[y])
    with pytest.raises(TypeError, match=r"integers below 2\^63 only"):
        linclf.to_onnx(model)


def test_a_classifier_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        linclf.to_onnx(SoftmaxClassifier())
    later = _fitted(SVMClassifier()).set_params(calibration="platt")
    with pytest.raises(NotFittedError, match="was set after this SVMClassifier was fitted; fit again"):
        linclf.to_onnx(later)


def test_weights_that_a_file_does_not_hold(monkeypatch):
    monkeypatch.setattr("linclf._onnx.graph.LARGEST", 50)
    with pytest.raises(ValueError, match=r"the weights take .* GiB, and an ONNX file holds 2"):
        linclf.to_onnx(_fitted(SoftmaxClassifier()))


@pytest.mark.parametrize("package", ["onnx", "skl2onnx"])
def test_what_is_not_installed_is_named(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    call = linclf.register_onnx_converters
    if package == "onnx":
        call = functools.partial(linclf.to_onnx, _fitted(SoftmaxClassifier()))
    with pytest.raises(ImportError, match=rf'needs {package}; use pip install "linclf\[onnx\]"'):
        call()
