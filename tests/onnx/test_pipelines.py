"""Pipelines with our classifiers in them, converted by skl2onnx."""

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import linclf
from linclf import SoftmaxClassifier, SoftmaxClassifierCV, SVMClassifier
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
    StackingClassifier([("softmax", SoftmaxClassifier()), ("svm", SVMClassifier())]),
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
    assert (labels == pipeline.predict(X)).mean() > 0.99


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
@pytest.mark.parametrize("model", OURS, ids=str)
def test_a_classifier_at_the_end(model, load, dtype):
    X, y = load(return_X_y=True)
    same(model, X, y, dtype)
    same(model, X, np.array(["first", "second", "third"])[y], dtype)


@pytest.mark.parametrize("model", AROUND_OURS, ids=str)
def test_meta_estimators_around_a_classifier(model):
    X, y = load_wine(return_X_y=True)
    same(model, X, y, np.float64, options={id(model): {"zipmap": False}})


def test_dicts_of_probabilities_are_refused():
    X, y = load_wine(return_X_y=True)
    linclf.register_onnx_converters()
    model = SoftmaxClassifier().fit(X, y)
    with pytest.raises((NameError, ValueError), match="zipmap"):
        skl2onnx.to_onnx(model, X[:1], options={id(model): {"zipmap": True}})
