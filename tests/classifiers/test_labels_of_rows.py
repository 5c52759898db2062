"""Several labels a row: the optimum of separate binary classifiers, forms of y, and what is refused."""

import io
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags

import linclf
from linclf import (
    LinearClassifier,
    LinearClassifierCV,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
)
from linclf._data.targets import Indicators
from linclf.losses import LOSSES, value_and_gradient
from linclf.losses._checks import differences
from linclf.losses._evaluation import evaluate
from linclf.losses._hessian import hessian_of_row
from linclf.losses._names import loss_of_labels

ALPHA = 1e-2
LOGISTIC = "one-vs-rest-logistic"
ABLE = [LOGISTIC, "one-vs-rest", "squared-one-vs-rest"]
FORMS = {"dense": np.asarray, "sparse": sparse.csr_array}


@pytest.fixture(scope="module")
def table():
    """300 rows of 12 features with 5 labels; some rows have none."""
    X, Y = make_multilabel_classification(300, 12, n_classes=5, random_state=0)
    X = X / 5
    assert (Y.sum(axis=1) == 0).any()
    return X, Y


def model(**given):
    return LinearClassifier(**{"loss": LOGISTIC, "alpha": ALPHA, "tol": 1e-9, "random_state": 0} | given)


def separate(X, Y, class_weight=None, sample_weight=None):
    """Weights and intercepts of one scikit-learn classifier for each label."""
    C = 1 / (ALPHA * (len(Y) if sample_weight is None else sample_weight.sum()))
    each = class_weight if isinstance(class_weight, list) else [class_weight] * Y.shape[1]
    fitted = [
        LogisticRegression(C=C, tol=1e-10, max_iter=10_000, class_weight=weights).fit(X, y, sample_weight)
        for y, weights in zip(Y.T, each, strict=True)
    ]
    return np.vstack([one.coef_ for one in fitted]), np.array([one.intercept_[0] for one in fitted])


# ---------------------------------------------------------------- losses


def naive_value(name, f, t, margin=1.0):
    z = np.sign(t) * f
    terms = {
        LOGISTIC: np.logaddexp(0, -z),
        "one-vs-rest": np.maximum(0, margin - z),
        "squared-one-vs-rest": np.maximum(0, margin - z) ** 2,
    }
    return (np.abs(t) * terms[name]).sum(axis=-1)


def signed(kind, n=30, n_labels=4, seed=0):
    rng = np.random.default_rng(seed)
    t = rng.choice([-1, 1], (n, n_labels))
    return t.astype(np.int8) if kind == "int8" else t * rng.uniform(0.1, 5, t.shape)


@pytest.mark.parametrize("kind", ["int8", "float64"])
@pytest.mark.parametrize("name", ABLE)
def test_values_and_gradients_of_labels(name, kind):
    loss, t = loss_of_labels(name), signed(kind)
    scores = np.round(3 * np.random.default_rng(1).normal(size=t.shape), 2) + 0.003  # off the kinks
    values, gradient = evaluate(loss, scores, t)
    np.testing.assert_allclose(values, naive_value(name, scores, t.astype(float)), rtol=1e-12)
    expected = differences(lambda f: naive_value(name, f, t.astype(float)), scores)
    np.testing.assert_allclose(gradient, expected, atol=1e-8)
    low, _ = evaluate(loss, scores.astype(np.float32), t.astype(np.int8 if kind == "int8" else np.float32))
    np.testing.assert_allclose(low, values, rtol=1e-5)


@pytest.mark.parametrize("name", [LOGISTIC, "squared-one-vs-rest"])
@pytest.mark.parametrize("kind", ["int8", "float64"])
def test_second_derivatives_of_labels(name, kind):
    loss, t = loss_of_labels(name), signed(kind)
    scores = np.round(2 * np.random.default_rng(1).normal(size=t.shape), 2) + 0.003
    direction = np.random.default_rng(2).normal(size=t.shape[1])
    step = 1e-6
    change = evaluate(loss, scores + step * direction, t)[1] - evaluate(loss, scores - step * direction, t)[1]
    for i, row in enumerate(scores):
        along = direction.copy()
        hessian_of_row(loss, row.copy(), t[i], along, np.empty((2, len(row))))
        np.testing.assert_allclose(along, change[i] / (2 * step), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logistic_of_labels_at_scores_of_any_size(dtype):
    scores = np.array([[1e30, -1e30, 0.0, 800.0], [-1e30, 1e30, -40.0, 3.0]], dtype)
    values, gradient = evaluate(loss_of_labels(LOGISTIC), scores, np.ones((2, 4), np.int8))
    assert np.isfinite(values).all()
    np.testing.assert_allclose(gradient[0], [0, -1, -0.5, 0], atol=1e-7)
    assert values[1] == pytest.approx(1e30, rel=1e-6)


def test_many_labels_of_one_row():
    """Logarithms are taken of products of a few hundred factors."""
    scores = np.random.default_rng(0).normal(size=(2, 1500))
    t = signed("int8", 2, 1500)
    values, _ = evaluate(loss_of_labels(LOGISTIC), scores, t)
    np.testing.assert_allclose(values, naive_value(LOGISTIC, scores, t.astype(float)), rtol=1e-12)


def test_best_constants_are_best():
    positive, negative = np.array([3.0, 1.0]), np.array([1.0, 4.0])
    for name in ABLE:
        loss = loss_of_labels(name)
        best = loss.best_constants(positive, negative)
        grid = np.concatenate([best[:, None], best[:, None] + np.linspace(-2, 2, 101)], axis=1)
        value = positive[:, None] * np.vectorize(
            lambda f, n=name: naive_value(n, np.array([f]), np.array([1.0]))
        )(grid)
        value += negative[:, None] * np.vectorize(
            lambda f, n=name: naive_value(n, np.array([f]), np.array([-1.0]))
        )(grid)
        assert (value[:, 0] <= value.min(axis=1) + 1e-12).all()


# ---------------------------------------------------------------- the optimum

BY_HAND = [{0: 1.0, 1: 4.0}, {1: 0.5}, {0: 2.0}, {}, {0: 0.3, 1: 3.0}]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
@pytest.mark.parametrize("class_weight", [None, "balanced", BY_HAND], ids=["none", "balanced", "by hand"])
def test_optimum_is_that_of_separate_classifiers(table, solver, form, class_weight):
    X, Y = table
    clf = model(solver=solver, class_weight=class_weight).fit(FORMS[form](X), Y)
    W, b = separate(X, Y, class_weight)
    np.testing.assert_allclose(clf.coef_, W, atol=2e-4)
    np.testing.assert_allclose(clf.intercept_, b, atol=2e-4)
    p = 1 / (1 + np.exp(-(X @ W.T + b)))
    np.testing.assert_allclose(clf.predict_proba(X), p, atol=1e-4)
    np.testing.assert_allclose(np.exp(clf.predict_log_proba(X)), clf.predict_proba(X), rtol=1e-12)
    assert clf.optimality_gap_ < 1e-6


def test_sample_weights(table):
    X, Y = table
    weights = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)
    clf = model().fit(X, Y, weights)
    W, _ = separate(X, Y, sample_weight=weights)
    np.testing.assert_allclose(clf.coef_, W, atol=2e-4)
    repeated = model().fit(
        np.repeat(X, weights.astype(int), axis=0), np.repeat(Y, weights.astype(int), axis=0)
    )
    np.testing.assert_allclose(clf.coef_, repeated.coef_, atol=1e-5)
    balanced = model(class_weight="balanced")
    W = balanced.fit(X, Y, weights).coef_
    counts = np.repeat(np.arange(len(X)), weights.astype(int))
    np.testing.assert_allclose(W, clone(balanced).fit(X[counts], Y[counts]).coef_, atol=1e-5)


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "sgd"])
def test_two_labels_are_two_problems(table, solver):
    """Also if each row has exactly one of them, as for two classes."""
    X, Y = table
    Y = np.column_stack([Y[:, 0], 1 - Y[:, 0]])
    settings = {} if solver != "sgd" else {"tol": "auto", "max_iter": 3000}
    clf = model(solver=solver, **settings).fit(X, Y)
    W, _ = separate(X, Y)
    np.testing.assert_allclose(clf.coef_, W, atol=2e-4 if solver != "sgd" else 2e-2)
    assert clf.coef_.shape == (2, 12)
    assert clf.decision_function(X).shape == clf.predict_proba(X).shape == clf.predict(X).shape == Y.shape
    np.testing.assert_array_equal(clf.predict(X), clf.decision_function(X) > 0)


def test_squared_hinge_is_linear_svc(table):
    X, Y = table
    clf = model(loss="squared-one-vs-rest", fit_intercept=False).fit(X, Y)
    for k in range(Y.shape[1]):
        C = 1 / (ALPHA * len(X))
        peer = LinearSVC(C=C, fit_intercept=False, tol=1e-8, max_iter=100_000).fit(X, Y[:, k])
        np.testing.assert_allclose(clf.coef_[k], peer.coef_[0], atol=1e-3)
    assert not hasattr(clf, "predict_proba")


def test_hinge_by_stochastic_steps(table):
    X, Y = table
    clf = SVMClassifier(multi_class="one-vs-rest", alpha=ALPHA, fit_intercept=False, random_state=0).fit(X, Y)
    assert clf.solver_ == "sgd"
    signs = 2 * Y - 1
    C = 1 / (ALPHA * len(X))
    best = np.vstack(
        [
            LinearSVC(loss="hinge", C=C, fit_intercept=False, tol=1e-6, max_iter=1_000_000).fit(X, y).coef_
            for y in Y.T
        ]
    )

    def objective(W):
        return np.maximum(0, 1 - signs * (X @ W.T)).sum(axis=1).mean() + ALPHA / 2 * (W**2).sum()

    assert objective(clf.coef_) == pytest.approx(objective(best), rel=5e-3)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_stochastic_steps_come_near_the_optimum(table, form, class_weight):
    X, Y = table
    exact = model(class_weight=class_weight).fit(X, Y)
    near = model(class_weight=class_weight, solver="sgd", tol="auto").fit(FORMS[form](X), Y)
    np.testing.assert_allclose(near.predict_proba(X), exact.predict_proba(X), atol=5e-3)


def test_float32_and_threads(table):
    X, Y = table
    rng = np.random.default_rng(0)
    X, Y = np.tile(X, (20, 1)) + 0.1 * rng.normal(size=(6000, 12)), np.tile(Y, (20, 1))
    exact = model().fit(X, Y)
    low = model().fit(X.astype(np.float32), Y)
    assert low.coef_.dtype == low.predict_proba(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(low.coef_, exact.coef_, atol=1e-3)
    for solver in ("lbfgs", "sgd"):
        one, four = (model(solver=solver, n_jobs=n_jobs, max_iter=5, tol=None).fit(X, Y) for n_jobs in (1, 4))
        np.testing.assert_array_equal(one.coef_, four.coef_)


# ---------------------------------------------------------------- forms of y


@given(
    n_labels=st.integers(2, 6),
    kind=st.sampled_from(
        [
            *("int8", "int64", "uint8", "bool", "list", "csr", "csc float", "frame", "bool frame", "object"),
            *("objects in a frame", "sparse frame", "nullable frame"),
        ]
    ),
    seed=st.integers(0, 20),
)
@settings(max_examples=25, deadline=None)
def test_every_form_of_y_gives_the_same_model(n_labels, kind, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 3))
    Y = (X @ rng.normal(size=(3, n_labels)) + rng.normal(size=(40, n_labels)) > 0).astype(int)
    Y[0], Y[1] = 0, 1
    forms = {
        "list": lambda: Y.tolist(),
        "csr": lambda: sparse.csr_matrix(Y),
        "csc float": lambda: sparse.csc_array(Y.astype(float)),
        "frame": lambda: pd.DataFrame(Y, columns=[f"c{n_labels - k}" for k in range(n_labels)]),
        "bool frame": lambda: pd.DataFrame(Y.astype(bool)),
        "objects in a frame": lambda: pd.DataFrame(Y).astype({0: object}),
        "sparse frame": lambda: pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(Y)),
        "nullable frame": lambda: pd.DataFrame(Y).astype("Int64"),
    }
    y = forms[kind]() if kind in forms else Y.astype(kind)
    clf = model(tol=1e-4).fit(X, y)
    np.testing.assert_array_equal(clf.coef_, model(tol=1e-4).fit(X, Y).coef_)
    np.testing.assert_array_equal(clf.classes_, np.arange(n_labels))
    assert clf.predict(X).shape == (40, n_labels)
    assert clf.predict(X).dtype == np.int64


def test_a_list_of_probabilities_may_begin_with_integers(table):
    X, _ = table
    q = [[1, 0, 0], *[[0.2, 0.3, 0.5]] * 299]
    for clf in (SoftmaxClassifier(), model()):
        np.testing.assert_array_equal(clf.fit(X, q).coef_, clone(clf).fit(X, np.array(q)).coef_)
        assert not hasattr(clf, "multilabel_")


def test_a_list_of_bools_and_integers_is_an_indicator(table):
    X, Y = table
    y = [row.astype(bool).tolist() if k % 2 else row.tolist() for k, row in enumerate(Y)]
    np.testing.assert_array_equal(model().fit(X, y).coef_, model().fit(X, Y).coef_)


def test_attributes_and_predictions(table):
    X, Y = table
    clf = model().fit(X, Y)
    assert clf.multilabel_ is True
    assert clf.coef_.shape == (5, 12)
    scores, p = clf.decision_function(X), clf.predict_proba(X)
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-scores)), rtol=1e-10)
    np.testing.assert_array_equal(clf.predict(X), p > 0.5)
    assert not np.allclose(p.sum(axis=1), 1)
    assert clf.score(X, Y) == np.mean((clf.predict(X) == Y).all(axis=1))
    np.testing.assert_array_equal(clf.predict_topk(X, 2), np.argsort(-scores, axis=1)[:, :2])
    np.testing.assert_allclose(clf.predict_proba_of(X, 3), p[:, 3])
    assert f1_score(Y, clf.predict(X), average="micro") > 0.5
    again = clf.fit(X, Y.argmax(axis=1))  # one label a row
    assert not hasattr(again, "multilabel_")
    assert again.predict(X).shape == (len(X),)
    np.testing.assert_allclose(again.predict_proba(X).sum(axis=1), 1)


def test_tags_follow_the_loss():
    for name in LOSSES:
        assert get_tags(LinearClassifier(loss=name)).classifier_tags.multi_label == (name in ABLE)
    assert get_tags(SVMClassifier(multi_class="one-vs-rest")).classifier_tags.multi_label
    assert get_tags(LinearClassifierCV(loss=LOGISTIC)).classifier_tags.multi_label
    for one in (SVMClassifier(), SoftmaxClassifier(), LinearClassifierCV()):
        assert not get_tags(one).classifier_tags.multi_label
    assert not get_tags(LinearClassifier(loss="nothing")).classifier_tags.multi_label
    assert not get_tags(SVMClassifier(multi_class="ovr")).classifier_tags.multi_label


def test_grid_search(table):
    X, Y = table
    search = GridSearchCV(model(tol="auto"), {"alpha": [1e-3, 1e-1]}, scoring="f1_micro", cv=3).fit(X, Y)
    assert search.best_score_ > 0.5


# ---------------------------------------------------------------- validation rows, and going on


def test_early_stopping(table):
    X, Y = table
    clf = model(early_stopping=True, validation_fraction=0.3, tol="auto").fit(X, Y)
    assert clf.solver_ == "sgd"
    assert len(clf.history_["validation_loss"]) == clf.n_iter_
    own = model(tol="auto").fit(X[:200], Y[:200], X_val=X[200:], y_val=Y[200:])
    best = int(np.argmin(own.history_["validation_loss"]))
    signs = (2 * Y[200:] - 1).astype(float)
    loss = naive_value(LOGISTIC, own.decision_function(X[200:]), signs).mean()
    assert own.history_["validation_loss"][best] == pytest.approx(loss, rel=1e-6)
    assert own.history_["validation_score"][best] == pytest.approx(own.score(X[200:], Y[200:]))


def test_a_rare_label_stays_in_training():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 3)), rng.integers(0, 2, (40, 3))
    Y[:, 0], Y[:, 1] = 0, 1
    Y[7, 0], Y[8, 1] = 1, 0
    for seed in range(5):
        clf = model(early_stopping=True, validation_fraction=0.9, tol="auto", random_state=seed).fit(X, Y)
        assert np.isfinite(clf.coef_).all()
    with pytest.raises(
        ValueError, match=r"cannot hold out any of 3 samples: rows with and without each label"
    ):
        model(early_stopping=True).fit(X[6:9], np.eye(3, dtype=int))


def test_validation_labels_have_the_form_of_y(table):
    X, Y = table
    with pytest.raises(
        ValueError, match=r"y_val must be an indicator as y is.*got ndarray of shape \(300,\)"
    ):
        model().fit(X, Y, X_val=X, y_val=Y[:, 0])
    with pytest.raises(
        ValueError, match=r"y_val is an indicator of several labels a row, and y has one label"
    ):
        model().fit(X, Y[:, 0] + Y[:, 1], X_val=X, y_val=Y)
    with pytest.raises(ValueError, match=r"y_val has 3 columns of labels, but there are 5 classes"):
        model().fit(X, Y, X_val=X, y_val=Y[:, :3])
    with pytest.raises(ValueError, match=r"y_val has rows of different lengths: row 0 is of length 1"):
        model().fit(X[:2], Y[:2, :2], X_val=X[:2], y_val=[[0], [0, 1]])
    frame = pd.DataFrame(Y, columns=list("abcde"))
    with pytest.raises(ValueError, match=r"y_val has the columns \['e', 'd', .* use the same order"):
        model().fit(X, frame, X_val=X, y_val=frame[list("edcba")])


def test_warm_start(table):
    X, Y = table
    clf = model(warm_start=True, solver="lbfgs").fit(X, Y)
    first = clf.n_iter_
    W = clf.coef_
    clf.fit(X, Y)
    assert clf.n_iter_ < first
    np.testing.assert_allclose(clf.coef_, W, atol=1e-4)
    with pytest.raises(ValueError, match=r"last fit, which had several labels a row; now it has one label"):
        clf.fit(X, Y.argmax(axis=1))
    with pytest.raises(ValueError, match=r"last fit, which had several labels a row; now it has one label"):
        clf.set_params(solver="sgd").partial_fit(X, Y.argmax(axis=1), classes=range(5))
    one = model(warm_start=True).fit(X, Y.argmax(axis=1))
    with pytest.raises(ValueError, match=r"which had one label a row; now it has several labels"):
        one.fit(X, Y)


def test_a_monitor_sees_the_form_of_this_fit(table):
    callback = pytest.importorskip("sklearn.callback")  # scikit-learn 1.9
    X, Y = table
    y, seen = Y.argmax(axis=1), []

    def scorer(estimator, X, y, **metadata):
        seen.append(estimator.predict(X).shape == y.shape)
        return {"any": 0.0}

    monitored = model(solver="lbfgs")
    for target in (Y, y, Y):
        monitored.set_callbacks(callback.ScoringMonitor(scoring=scorer)).fit(X, target)
    assert len(seen) > 3
    assert all(seen)


def test_files_and_copies(table):
    X, Y = table
    for n_labels in (2, 5):
        clf = model().fit(X, Y[:, :n_labels])
        file = io.BytesIO()
        linclf.save(clf, file)
        file.seek(0)
        again = linclf.load(file)
        np.testing.assert_array_equal(again.predict(X), clf.predict(X))
        np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
        assert not hasattr(clone(clf), "multilabel_")


def test_coefficients_are_shown(table):
    pytest.importorskip("matplotlib")
    X, Y = table
    from linclf.display import CoefficientsDisplay

    CoefficientsDisplay.from_estimator(model().fit(X, Y))


@pytest.mark.parametrize("n_labels", [2, 5])
@pytest.mark.parametrize("loss", [LOGISTIC, "squared-one-vs-rest"])
def test_onnx(table, n_labels, loss):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    X, Y = table
    clf = model(loss=loss).fit(X, Y[:, :n_labels])
    session = onnxruntime.InferenceSession(linclf.to_onnx(clf, top_k=2).SerializeToString())
    found = dict(zip([out.name for out in session.get_outputs()], session.run(None, {"X": X}), strict=True))
    np.testing.assert_array_equal(found["label"], clf.predict(X))
    np.testing.assert_array_equal(found["labels"], clf.predict_topk(X, 2))
    np.testing.assert_allclose(found["scores"], clf.decision_function(X), rtol=1e-10, atol=1e-12)
    if loss == LOGISTIC:
        np.testing.assert_allclose(found["probabilities"], clf.predict_proba(X), rtol=1e-10)
    else:
        assert "probabilities" not in found


# ---------------------------------------------------------------- what is refused


def _with(Y, row, column, value, dtype=int):
    Y = Y.astype(dtype)
    Y[row, column] = value
    return Y


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda Y: _with(Y, 3, 1, 2),
            r"y is an indicator of several labels a row, and has 2 in row 3, column 1",
        ),
        (lambda Y: sparse.csr_array(_with(Y, 3, 1, -1)), r"has -1 in row 3, column 1"),
        (lambda Y: _with(Y, 3, 1, 2, object), r"has 2 in row 3, column 1.*MultiOutputClassifier"),
        (
            lambda Y: pd.DataFrame(Y).astype("Int64").mask(lambda t: t.eq(t) & (t.index == 3)[:, None]),
            r"has <NA> in row 3, column 0; it must hold only 0 and 1. Drop this row, or fill the gap",
        ),
        (lambda Y: _with(Y, 3, 1, None, object), r"has None in row 3, column 1.* Drop this row"),
        (lambda Y: sparse.csr_array(Y * 0.2), r"has 0.2 in .* Pass class probabilities as a dense array"),
        (lambda Y: [[0], [0, 1]] * 150, r"y has rows of different lengths: row 0 is of length 1, and row 1"),
        (lambda Y: [[0, 1], [0]] * 150, r"y has rows of different lengths: row 0 is of length 2, and row 1"),
        (lambda Y: _with(Y, slice(None), 2, 0), r"In cross-validation, remove labels that are too rare"),
        (lambda Y: sparse.csr_array(_with(Y, 3, 1, np.nan, float)), r"has nan in row 3, column 1"),
        (lambda Y: _with(Y, slice(None), 2, 0), r"column 2 of y is never 1 in rows of positive weight, so"),
        (
            lambda Y: _with(Y, slice(None), [0, 4], 1),
            r"column 0 of y is never 0 .*weight, like 1 more columns",
        ),
        (lambda Y: Y[:-1], r"inconsistent numbers of samples: \[300, 299\]"),
        (
            lambda Y: Y.astype(float),
            r"y as class probabilities: row .*pass y.astype\(int\) if a row has several",
        ),
        (
            lambda Y: sparse.csr_array(Y[:, :1]),
            r"y is sparse with shape \(300, 1\), and an indicator has a column",
        ),
    ],
)
def test_bad_indicators(table, change, message):
    X, Y = table
    with pytest.raises(ValueError, match=message):
        model().fit(X, change(Y))


def test_a_label_that_has_no_weight(table):
    X, Y = table
    with pytest.raises(ValueError, match=r"column 1 of y is never 1 in rows of positive weight"):
        model().fit(X, Y, 1.0 - Y[:, 1])


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ABLE])
def test_losses_that_are_no_sum_over_the_classes(table, name):
    with pytest.raises(
        ValueError, match=r"needs a loss that is a sum over the classes.*use the loss 'one-vs-rest"
    ):
        LinearClassifier(loss=name).fit(*table)


def test_estimators_of_one_label(table):
    X, Y = table
    others = SoftmaxClassifierCV(), linclf.FocalClassifier(), linclf.large.NCEClassifier()
    for estimator in (SoftmaxClassifier(), *others):
        with pytest.raises(ValueError, match=r"and \w+ has one label a row; use LinearClassifier\(loss="):
            estimator.fit(X, Y)
    with pytest.raises(
        ValueError, match=r"SoftmaxClassifier has one label a row; use LinearClassifier\(loss="
    ):
        SoftmaxClassifier(solver="sgd").partial_fit(X, Y, classes=range(5))


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        (
            {0: 1.0, 1: 2.0},
            r"class_weight is \{0: 1.0, 1: 2.0\}, and y has 5 labels a row; use a list with a dict",
        ),
        ([{}] * 4, r"class_weight is a list of 4, and y has 5 labels"),
        ([{}] * 4 + [{2: 1.0}], r"class_weight\[4\]=\{2: 1.0\} must be a dict with the keys 0"),
        ([{1: 0.0}] * 5, r"class_weight\[0\]\[1\]=0.0 must be a positive number"),
        ([{1: np.nan}] * 5, r"class_weight\[0\]\[1\]=nan must be a positive number"),
    ],
)
def test_bad_class_weights(table, class_weight, message):
    with pytest.raises(ValueError, match=message):
        model(class_weight=class_weight).fit(*table)


def test_lists_of_class_weights_are_for_several_labels(table):
    X, Y = table
    with pytest.raises(ValueError, match=r"class_weight is a list, which is for several labels a row"):
        model(class_weight=[{}] * 5).fit(X, Y.argmax(axis=1))


@pytest.mark.parametrize("name", ["SoftmaxClassifier", "FocalClassifier", "NCEClassifier", "SVMClassifier"])
def test_lists_of_class_weights_elsewhere(table, name):
    X, Y = table
    clf = getattr(linclf, name, None) or getattr(linclf.large, name)
    with pytest.raises(ValueError, match=r"class_weight is a list, which is for several labels a row"):
        clf(class_weight=[{}] * 5).fit(X, Y.argmax(axis=1))


def test_parameters_that_are_set_after_the_fit(table):
    X, Y = table
    clf = model().fit(X, Y).set_params(loss="softmax")
    for method in (clf.predict_proba, clf.predict_log_proba):
        with pytest.raises(
            NotFittedError, match=r"the loss 'softmax' was set after this LinearClassifier was"
        ):
            method(X)
    clf.set_params(loss=LOGISTIC, calibration="platt")
    with pytest.raises(NotFittedError, match=r"calibration='platt' was set after this LinearClassifier was"):
        clf.predict_proba(X)
    assert clf.set_params(calibration=None).predict_proba(X).shape == Y.shape


def test_solvers_that_do_not_fit(table):
    X, Y = table
    with pytest.raises(ValueError, match=r"solver='dual' needs one label for each row, and y has several"):
        LinearClassifier(loss="one-vs-rest", solver="dual").fit(X, Y)


# ---------------------------------------------------------------- without a penalty


def test_separable_labels_have_no_minimum():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    mixed = rng.integers(0, 2, 60)
    with pytest.warns(ConvergenceWarning, match="alpha=0 and the classes are separable"):
        model(alpha=0, tol=1e-4).fit(X, np.column_stack([mixed, X[:, 0] > 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(alpha=0, tol=1e-4).fit(X, np.column_stack([mixed, rng.integers(0, 2, 60)]))


def test_classes_that_are_separable_only_together_have_a_minimum():
    """Three sectors of 120 degrees: the highest score is right for each row, but no class is apart."""
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False) + 0.01
    X, y = np.column_stack([np.cos(angles), np.sin(angles)]), (angles // (2 * np.pi / 3)).astype(int)
    X, y = np.vstack([X, 0.05 * X]), np.tile(y, 2)
    clf = model(alpha=0, tol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf.fit(X, y)
    assert clf.score(X, y) == 1.0


# ---------------------------------------------------------------- one label a row


@pytest.mark.parametrize("form", FORMS)
def test_one_label_a_row_is_one_vs_rest(table, form):
    X, Y = table
    y = Y.argmax(axis=1)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    clf = model().fit(FORMS[form](X), y, weights)
    W, b = separate(X, np.eye(5, dtype=int)[y], sample_weight=weights)
    np.testing.assert_allclose(clf.coef_, W, atol=2e-4)
    p = 1 / (1 + np.exp(-(X @ W.T + b)))
    np.testing.assert_allclose(clf.predict_proba(X), p / p.sum(axis=1, keepdims=True), atol=1e-4)


def test_soft_labels_are_the_mean_of_labels(table):
    X, _ = table
    q = np.random.default_rng(0).dirichlet(np.ones(3), len(X))
    clf = model().fit(X, q)
    copies = np.tile(X, (3, 1)), np.repeat(np.arange(3), len(X)), q.T.ravel()
    np.testing.assert_allclose(clf.coef_, model().fit(*copies).coef_, atol=1e-4)


def test_targets_of_labels():
    y = Indicators(np.array([[1, -1, 1], [-1, -1, 1]], np.int8))
    weights = np.array([2.0, 3.0])
    np.testing.assert_array_equal(y.mass(weights), [2, 0, 5])
    np.testing.assert_array_equal(y.masses(weights)[0], [3, 5, 0])
    np.testing.assert_array_equal(y.hits(np.array([[1.0, -1.0, 2.0], [-1.0, 0.5, 1.0]])), [True, False])
    np.testing.assert_array_equal(y.named(np.arange(3)), [[1, 0, 1], [0, 0, 1]])
    heavier = y.weighted((np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])))
    np.testing.assert_array_equal(heavier.signs, [[10, -2, 30], [-1, -2, 30]])
    np.testing.assert_array_equal(heavier.mass(weights), [20, 0, 150])
    assert heavier.cast(np.dtype(np.float32)).array.dtype == np.float32
    assert y.cast(np.dtype(np.float32)).array.dtype == np.int8
    assert value_and_gradient(LOGISTIC, [0.0, 0.0, 0.0], 1)[0] == pytest.approx(3 * np.log(2))
