"""predict_topk and predict_proba_of against a stable argsort and a gathered predict_proba."""

import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

from linclf import FocalClassifier, MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier
from linclf._estimator import predicting as _predicting
from linclf._estimator.top_k import largest

SETTINGS = {"max_iter": 5, "tol": None, "schedule": "constant", "random_state": 0}
MODELS = [
    SoftmaxClassifier(**SETTINGS),
    FocalClassifier(**SETTINGS),
    MarginSoftmaxClassifier(**SETTINGS),
    SVMClassifier(**SETTINGS),
    SVMClassifier(calibration="platt", early_stopping=True, **SETTINGS),
    SoftmaxClassifier(calibration="vector", early_stopping=True, **SETTINGS),
]
WITH_PROBABILITIES = [model for model in MODELS if hasattr(model, "predict_proba")]


def by_sorting(scores, k):
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X.astype(np.float32)[:600], np.array([f"digit {label}" for label in y])[:600]


def fitted(model, X, y, n_classes=10):
    names = np.unique(y)[:n_classes]
    rows = np.isin(y, names)
    return model.fit(X[rows], y[rows])


# ---------------------------------------------------------------- the search itself


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3, 7, 40, 41, 100, 997, 3000])
@pytest.mark.parametrize("values", [None, 1, 2, 5, 50])
def test_the_largest_are_those_of_a_stable_sort(dtype, n_classes, values):
    """With few distinct values nearly all are ties, within chunks and across them."""
    rng = np.random.default_rng(n_classes)
    scores = rng.standard_normal((60, n_classes)).astype(dtype)
    if values is not None:
        scores = rng.integers(0, values, scores.shape).astype(dtype)
    for k in {k for k in (1, 2, 3, 10, n_classes // 4, n_classes // 2, n_classes - 1, n_classes) if k >= 1}:
        if k <= n_classes:
            np.testing.assert_array_equal(largest(scores, k), by_sorting(scores, k))


def test_ties_of_a_few_among_many():
    """Rows with one tie, at or next to the k-th place, at every distance of the two."""
    rng = np.random.default_rng(0)
    scores = rng.permuted(np.tile(np.arange(700.0), (699, 1)), axis=1)
    for row in range(699):
        place = rng.integers(0, 12)
        first, second = np.argsort(-scores[row])[[place, place + 1]]
        scores[row, second] = scores[row, first]
    for k in (2, 5, 10):
        np.testing.assert_array_equal(largest(scores, k), by_sorting(scores, k))


def test_infinities_and_signed_zeros():
    rng = np.random.default_rng(0)
    scores = rng.choice([-np.inf, np.inf, -0.0, 0.0, 1.0], (200, 300))
    for k in (1, 5, 40):
        np.testing.assert_array_equal(largest(scores, k), by_sorting(scores, k))


# ---------------------------------------------------------------- estimators


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_top_k_ranks_as_predict_does(model, n_classes, storage, digits, monkeypatch):
    X, y = digits
    model, X = fitted(model, X, y, n_classes), storage(X)
    ranking = model.decision_function(X)
    if ranking.ndim == 1:
        ranking = np.column_stack([np.zeros_like(ranking), ranking])
    for blocks in (False, True):
        if blocks:
            monkeypatch.setattr(_predicting, "BLOCK", 4 * 7 * n_classes)
            monkeypatch.setattr(_predicting, "PROBABILITIES", 7 * n_classes)
        for k in range(1, n_classes + 1):
            labels = model.predict_topk(X, k)
            assert labels.shape == (X.shape[0], k)
            assert labels.dtype == model.classes_.dtype
            np.testing.assert_array_equal(labels, model.classes_[by_sorting(ranking, k)])
            np.testing.assert_array_equal(labels[:, 0], model.predict(X))


@pytest.mark.parametrize("n_classes", [2, 10])
def test_equal_scores_are_in_class_order(digits, n_classes):
    X, y = digits
    model = fitted(SoftmaxClassifier(**SETTINGS), X, y, n_classes)
    model.coef_ = np.zeros_like(model.coef_)
    model.intercept_ = np.zeros_like(model.intercept_)
    for k in (1, 2):
        assert (model.predict_topk(X, k) == model.classes_[:k]).all()


@pytest.mark.parametrize("k", [0, -1, 11, 2.0, "3", None, True])
def test_k_that_is_no_number_of_classes(digits, k):
    model = fitted(SoftmaxClassifier(**SETTINGS), *digits)
    message = f"k={k!r} must be an integer between 1 and the number of classes, which is 10"
    with pytest.raises(ValueError, match=re.escape(message)):
        model.predict_topk(digits[0], k)


@pytest.mark.parametrize("model", WITH_PROBABILITIES, ids=str)
@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_given_classes(model, n_classes, dtype, digits, monkeypatch):
    X, y = digits
    model, X = fitted(model, X, y, n_classes), X.astype(dtype)
    P, rng = model.predict_proba(X), np.random.default_rng(0)
    rows, columns = np.arange(len(X))[:, None], rng.integers(0, n_classes, (len(X), 3))
    labels = model.classes_[columns]
    for blocks in (False, True):
        if blocks:
            monkeypatch.setattr(_predicting, "PROBABILITIES", 7 * n_classes)
        for given, expected in (
            (labels, P[rows, columns]),
            (labels[:, 0], P[rows[:, 0], columns[:, 0]]),
            (labels[:, 0].tolist(), P[rows[:, 0], columns[:, 0]]),
            (labels[:1], P[rows, columns[:1]]),
            (labels[0, 0], P[:, columns[0, 0]]),
            (model.predict_topk(X, 2), np.sort(P, axis=1)[:, :-3:-1]),
        ):
            found = model.predict_proba_of(X, given)
            assert found.dtype == P.dtype
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        model.predict_proba_of(X[:1], model.classes_[1]), P[:1, 1], rtol=1e-4, atol=1e-6
    )


def test_a_loss_without_probabilities_has_none_of_a_class(digits):
    model = fitted(SVMClassifier(**SETTINGS), *digits)
    with pytest.raises(AttributeError, match="has no attribute 'predict_proba_of'"):
        model.predict_proba_of(digits[0], "digit 0")


@pytest.mark.parametrize(
    ("labels", "given", "message"),
    [
        (np.array(["a", "b", "c"]), ["a", "z", "y", "z"], r"not in classes_: \['z', 'y'\]"),
        (np.array(["a", "b", "c"]), 1, r"not in classes_: \[1\]"),
        (np.array(["a", "b", "c"], object), [[1, "a"]], r"not in classes_: \['1'\]|not in classes_: \[1"),
        (np.array([1, 2, 3]), "1", r"not in classes_: \['1'\]"),
        (np.array([1, 2, 3]), [[1.5, np.nan, 2.0]], r"not in classes_: \[1.5, nan\]"),
        (np.array([1, 2, 3]), [np.arange(20)], r"not in classes_: \[0, 4, 5, 6, 7\] and 12 more"),
        (np.array([0, 1, 2**63 + 5], np.uint64), [[-1, 1]], r"not in classes_: \[-1\]"),
        (np.array([1, 2, 3]), [1, 2, 3], r"shape \(3,\), and X has 4 rows; pass .* \(1, m\)"),
        (np.array([1, 2, 3]), [[1], [2], [3]], r"shape \(3, 1\), and X has 4 rows"),
        (np.array([1, 2, 3]), np.ones((4, 1, 1), int), r"shape \(4, 1, 1\)"),
    ],
)
def test_classes_that_cannot_be_looked_up(labels, given, message):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), labels[np.arange(60) % 3]
    model = SoftmaxClassifier(**SETTINGS).fit(X, y)
    with pytest.raises(ValueError, match=message):
        model.predict_proba_of(X[:4], given)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2**62, 2**62 + 1, 2**62 + 2]),
        np.array([0, 1, 2**63 + 5], np.uint64),
        np.array(["a", "b", "c"], object),
        np.array([False, True]),
        np.array([-1.0, 0.0, 7.0]),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_are_looked_up_as_they_are(labels):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), labels[np.arange(60) % len(labels)]
    model = SoftmaxClassifier(**SETTINGS).fit(X, y)
    for k, label in enumerate(labels.tolist()):
        np.testing.assert_allclose(model.predict_proba_of(X, label), model.predict_proba(X)[:, k], rtol=1e-12)
    np.testing.assert_allclose(
        model.predict_proba_of(X, [labels.tolist()]), model.predict_proba(X), rtol=1e-12
    )
