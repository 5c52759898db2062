"""Pipelines with linclf classifiers, converted by skl2onnx."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import linclf
from linclf import (
    FocalClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SparsemaxClassifier,
    SVMClassifier,
)
from linclf.calibration import CalibratedClassifier
from linclf.large import HierarchicalSoftmaxClassifier

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")

OURS = [
    SoftmaxClassifier(),
    SVMClassifier(),
    SoftmaxClassifierCV(alphas=3),
    HierarchicalSoftmaxClassifier(alpha=1e-2, random_state=0),
    CalibratedClassifier(SVMClassifier(), method="platt"),
    SoftmaxClassifier(early_stopping=True, calibration="vector", random_state=0),
]
AROUND_OURS = [
    GridSearchCV(SoftmaxClassifier(), {"alpha": [1e-3, 1e-1]}),
    BaggingClassifier(SoftmaxClassifier(), 3, random_state=0),
    OneVsRestClassifier(SoftmaxClassifier()),
    StackingClassifier([("softmax", SoftmaxClassifier()), ("focal", FocalClassifier())]),
    CalibratedClassifierCV(SoftmaxClassifier(), cv=3, ensemble=False),
    CalibratedClassifierCV(SVMClassifier(), cv=3),
]


def same(model, X, y, dtype, **options):
    linclf.register_onnx_converters()
    scaled = make_column_transformer((StandardScaler(), list(range(5))), remainder=MinMaxScaler())
    pipeline = make_pipeline(scaled, model).fit(X, y)
    graph = skl2onnx.to_onnx(pipeline, X[:1].astype(dtype), **options)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    labels, numbers = session.run(None, {"X": X.astype(dtype)})
    method = pipeline.predict_proba if hasattr(pipeline, "predict_proba") else pipeline.decision_function
    expected = method(X)
    tolerance = 1e-9 if dtype == np.float64 else 5e-6 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(numbers, expected, rtol=0, atol=tolerance)
    assert numbers.dtype == dtype
    ranking = np.sort(expected if expected.ndim == 2 else np.column_stack([0 * expected, expected]), axis=1)
    sure = ranking[:, -1] - ranking[:, -2] > 2 * tolerance
    assert sure.mean() > 0.9
    assert (labels == pipeline.predict(X))[sure].all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
@pytest.mark.parametrize("model", OURS, ids=str)
def test_a_classifier_at_the_end(model, load, dtype):
    X, y = load(return_X_y=True)
    same(model, X, y, dtype)
    same(model, X, np.array(["first", "second", "third"])[y], dtype)


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
@pytest.mark.parametrize("model", AROUND_OURS, ids=str)
def test_meta_estimators_around_a_classifier(model, load):
    X, y = load(return_X_y=True)
    same(model, X, y, np.float64, options={id(model): {"zipmap": False}})


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
@pytest.mark.parametrize(
    "model",
    [
        OneVsRestClassifier(SVMClassifier()),
        BaggingClassifier(SVMClassifier(), 2, random_state=0),
    ],
    ids=str,
)
def test_meta_estimators_around_scores_alone_are_refused(model, load):
    """skl2onnx would treat them as probabilities: for two classes, half of the labels were wrong."""
    X, y = load(return_X_y=True)
    linclf.register_onnx_converters()
    with pytest.raises(ValueError, match="has no probabilities, which the estimator around it needs"):
        skl2onnx.to_onnx(model.fit(X, y), X[:1], options={id(model): {"zipmap": False}})


def test_a_table_has_an_input_for_each_column():
    X, y = load_wine(return_X_y=True, as_frame=True)
    linclf.register_onnx_converters()
    model = SoftmaxClassifier().fit(X, y)
    graph = skl2onnx.to_onnx(model, X[:1])
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    rows = {given.name: X.to_numpy()[:, [k]] for k, given in enumerate(session.get_inputs())}
    assert len(rows) == 13
    np.testing.assert_allclose(session.run(None, rows)[1], model.predict_proba(X), rtol=0, atol=1e-9)


def test_operators_that_are_too_old_are_refused():
    X, y = load_wine(return_X_y=True)
    linclf.register_onnx_converters()
    with pytest.raises(ValueError, match="target_opset=17 must be an integer between 18"):
        skl2onnx.to_onnx(SparsemaxClassifier().fit(X, y), X[:1], target_opset=17)


def test_dicts_of_probabilities_are_refused():
    X, y = load_wine(return_X_y=True)
    linclf.register_onnx_converters()
    model = SoftmaxClassifier().fit(X, y)
    with pytest.raises((NameError, ValueError), match="zipmap"):
        skl2onnx.to_onnx(model, X[:1], options={id(model): {"zipmap": True}})
