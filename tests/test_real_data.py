"""Accuracy and distance to the optimum on real data with default settings; needs a folder of data.

``LINCLF_DATA=../shared/data pytest -m data``
"""

import importlib.util

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from linclf import MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def load(data_folder):
    """The folder's own loaders."""
    spec = importlib.util.spec_from_file_location("linclf_data_load", data_folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mnist(load):
    return load.mnist()


@pytest.mark.parametrize("estimator", [SoftmaxClassifier, SVMClassifier])
def test_mnist(mnist, estimator):
    X_train, y_train, X_test, y_test = mnist
    model = estimator(random_state=0).fit(X_train, y_train)
    assert model.coef_.dtype == np.float32
    assert model.score(X_test, y_test) >= 0.92


def test_clinc150(load):
    texts, y_train, test_texts, y_test = load.clinc150()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    X_train = vectorizer.fit_transform(texts)
    model = SoftmaxClassifier(alpha=1e-6, random_state=0).fit(X_train, y_train)
    assert len(model.classes_) == 150
    assert model.score(vectorizer.transform(test_texts), y_test) >= 0.91


@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
def test_pendigits_unscaled(load, alpha, distance_left):
    rows, y = load.arff("pendigits")
    X = np.array(rows, dtype=np.float64)
    model = SoftmaxClassifier(alpha=alpha, random_state=0).fit(X, y)  # and no warning
    assert -1e-6 <= distance_left(model, X, y) <= 5e-3


def test_eye_features(load):
    X_train, y_train, X_test, y_test = load.eye()
    model = MarginSoftmaxClassifier(random_state=0).fit(X_train, y_train)
    assert model.score(X_test, y_test) >= 0.80
