"""partial_fit with several labels a row: the steps of a NumPy twin and of fit, files, more columns."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification

import linclf
from linclf import LinearClassifier, SoftmaxClassifier, SVMClassifier
from linclf.losses._names import loss_for, loss_of_labels
from linclf.losses.labels import HingeOfLabels

LOGISTIC = "one-vs-rest-logistic"
ABLE = [LOGISTIC, "one-vs-rest", "squared-one-vs-rest"]
FORMS = {"dense": np.asarray, "sparse": sparse.csr_array}
INDICATORS = {"dense": np.asarray, "sparse": sparse.csr_array, "list": lambda Y: Y.tolist()}
ALPHA, STEP, BATCH = 1e-2, 0.05, 10
STEPS = {"solver": "sgd", "learning_rate": STEP, "batch_size": BATCH, "schedule": "constant"}


@pytest.fixture(scope="module")
def table():
    """200 rows of 8 features with 4 labels."""
    X, Y = make_multilabel_classification(200, 8, n_classes=4, random_state=0)
    return X / 10, Y


def stream(loss=LOGISTIC, **given):
    """Plain steps of one length, so that each is the formula."""
    return LinearClassifier(**{"loss": loss, "alpha": ALPHA, "random_state": 0} | STEPS | given)


def in_parts(model, X, Y, n_parts=4, weights=None, **given):
    for part in np.array_split(np.arange(X.shape[0]), n_parts):
        own = None if weights is None else weights[part]
        model.partial_fit(X[part], Y[part], sample_weight=own, **given)
    return model


def naive_slopes(name, f, t):
    z = np.sign(t) * f
    slopes = {
        LOGISTIC: -1 / (1 + np.exp(z)),
        "one-vs-rest": -(z < 1).astype(float),
        "squared-one-vs-rest": -2 * np.maximum(0, 1 - z),
    }
    return t * slopes[name]


def naive_steps(name, X, T, weights, W, b):
    """Steps along the mean gradient of each batch, with the penalty taken at its end."""
    for start in range(0, len(X), BATCH):
        rows = slice(start, start + BATCH)
        G = naive_slopes(name, X[rows] @ W.T + b, T[rows]) * weights[rows, None] / BATCH
        W, b = (W - STEP * G.T @ X[rows]) / (1 + STEP * ALPHA), b - STEP * G.sum(axis=0)
    return W, b


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("y_form", INDICATORS)
@pytest.mark.parametrize("name", ABLE)
def test_steps_are_those_of_the_formula(table, name, y_form, form):
    X, Y = table
    W, b = naive_steps(name, X, 2.0 * Y - 1, np.ones(len(X)), np.zeros((4, 8)), np.zeros(4))
    clf = stream(name)
    for start in range(0, 200, 50):
        rows = slice(start, start + 50)
        clf.partial_fit(FORMS[form](X[rows]), INDICATORS[y_form](Y[rows]), classes=range(4))
    np.testing.assert_allclose(clf.coef_, W, atol=1e-12)
    np.testing.assert_allclose(clf.intercept_, b, atol=1e-12)
    assert clf.multilabel_ is True
    np.testing.assert_array_equal(clf.classes_, np.arange(4))
    np.testing.assert_array_equal(clf.predict(X), X @ W.T + b > 0)


def test_weights_of_rows_and_of_labels(table):
    X, Y = table
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(X))
    weights *= len(X) / weights.sum()
    by_label = [{0: 0.5, 1: 3.0}, {1: 2.0}, {}, {0: 1.5}]
    without, with_label = np.array([0.5, 1.0, 1.0, 1.5]), np.array([3.0, 2.0, 1.0, 1.0])
    T = np.where(Y, with_label, -without)
    W, b = naive_steps(LOGISTIC, X, T, weights, np.zeros((4, 8)), np.zeros(4))
    clf = stream(class_weight=by_label).partial_fit(X, Y, sample_weight=weights)
    np.testing.assert_allclose(clf.coef_, W, atol=1e-12)
    np.testing.assert_allclose(clf.intercept_, b, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ABLE)
@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_parts_are_the_batches_of_fit(table, solver, n_labels, name, form):
    X, Y = FORMS[form](table[0]), table[1][:, :n_labels]
    clf = stream(name, solver=solver)
    whole = clone(clf).set_params(shuffle=False, max_iter=1, tol=None).fit(X, Y)
    parts = in_parts(clf, X, Y)
    np.testing.assert_allclose(parts.coef_, whole.coef_, atol=1e-12)
    np.testing.assert_allclose(parts.intercept_, whole.intercept_, atol=1e-12)
    assert parts.coef_.shape == (n_labels, 8)


def test_two_labels_are_not_two_classes(table):
    """Also if each row has exactly one of them."""
    X, Y = table
    labels = in_parts(stream(), X, np.column_stack([1 - Y[:, 0], Y[:, 0]]))
    assert labels.decision_function(X).shape == (200, 2)
    np.testing.assert_allclose(labels.coef_[0], -labels.coef_[1], atol=1e-12)
    one = stream().partial_fit(X, Y[:, 0], classes=[0, 1])
    assert one.coef_.shape == (1, 8)
    assert not hasattr(one, "multilabel_")


@pytest.mark.parametrize("form", FORMS)
def test_automatic_steps_are_those_of_separate_streams(table, form):
    """A label is a softmax of two classes, and the labels do not change each other's steps."""
    X, Y = FORMS[form](table[0]), table[1]
    clf = in_parts(LinearClassifier(loss=LOGISTIC, random_state=0), X, Y)
    for k in range(4):
        one = in_parts(SoftmaxClassifier(random_state=0), X, Y[:, k], classes=[0, 1])
        np.testing.assert_allclose(clf.coef_[k], one.coef_[0], rtol=1e-6)
        np.testing.assert_allclose(clf.intercept_[k], one.intercept_[0], rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ABLE)
@pytest.mark.parametrize("n_labels", [2, 4])
def test_files_and_copies_go_on(table, n_labels, name, form):
    X, Y = FORMS[form](table[0]), table[1][:, :n_labels]
    clf = LinearClassifier(loss=name, random_state=0).partial_fit(X[:100], Y[:100])
    file = io.BytesIO()
    linclf.save(clf, file)
    file.seek(0)
    again = [linclf.load(file), pickle.loads(pickle.dumps(clf))]
    W = clf.partial_fit(X[100:], Y[100:]).coef_
    for other in again:
        assert other.multilabel_ is True
        np.testing.assert_array_equal(other.partial_fit(X[100:], Y[100:]).coef_, W)
        np.testing.assert_array_equal(other.predict(X), clf.predict(X))


def test_a_file_whose_stream_is_for_one_label_is_refused(table):
    X, Y = table
    clf = SVMClassifier(multi_class="one-vs-rest", random_state=0).partial_fit(X, Y)
    clf._stream.loss = loss_for("one-vs-rest", 4)
    with pytest.raises(ValueError, match="loss is a OneVsRest"):
        linclf.save(clf, io.BytesIO())


@pytest.mark.parametrize("form", FORMS)
def test_after_a_fit_it_goes_on_from_the_weights(table, form):
    X, Y = table
    clf = LinearClassifier(loss=LOGISTIC, alpha=ALPHA, solver="lbfgs", random_state=0)
    clf.fit(FORMS[form](X), Y)
    W, b = naive_steps(LOGISTIC, X, 2.0 * Y - 1, np.ones(len(X)), clf.coef_, clf.intercept_)
    clf.set_params(**STEPS).partial_fit(FORMS[form](X), Y)
    np.testing.assert_allclose(clf.coef_, W, atol=1e-12)
    np.testing.assert_allclose(clf.intercept_, b, atol=1e-12)


def test_another_loss_keeps_the_weights(table):
    X, Y = table
    clf = stream("squared-one-vs-rest").partial_fit(X, Y)
    W, b = naive_steps(LOGISTIC, X, 2.0 * Y - 1, np.ones(len(X)), clf.coef_, clf.intercept_)
    clf.set_params(loss=LOGISTIC).partial_fit(X, Y)
    np.testing.assert_allclose(clf.coef_, W, atol=1e-12)
    np.testing.assert_allclose(clf.intercept_, b, atol=1e-12)


def test_a_part_may_lack_a_label_and_tables_are_read(table):
    X, Y = table
    Y = Y.copy()
    Y[:50, 2], Y[:50, 3] = 0, 1
    frame = pd.DataFrame(Y.astype(bool), columns=list("dcba"))
    clf = stream()
    for part in np.array_split(np.arange(200), 4):
        clf.partial_fit(X[part], frame.iloc[part])
    np.testing.assert_array_equal(clf.coef_, in_parts(stream(), X, Y).coef_)
    assert np.isfinite(clf.predict_proba(X)).all()


# ---------------------------------------------------------------- more columns


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ABLE)
def test_further_columns_are_new_labels(table, name, form):
    """The others go on as if nothing had happened; a new label starts at their mean, as a new class does."""
    X, Y = table
    first, rest = slice(0, 100), slice(100, 200)
    clf = stream(name, on_new_class="add").partial_fit(FORMS[form](X[first]), Y[first, :2])
    W, b = (np.concatenate([own, [own.mean(axis=0)] * 2]) for own in (clf.coef_, clf.intercept_))
    W, b = naive_steps(name, X[rest], 2.0 * Y[rest] - 1, np.ones(100), W, b)
    clf.partial_fit(FORMS[form](X[rest]), Y[rest])
    np.testing.assert_allclose(clf.coef_, W, atol=1e-12)
    np.testing.assert_allclose(clf.intercept_, b, atol=1e-12)
    np.testing.assert_array_equal(clf.classes_, np.arange(4))
    few = in_parts(stream(name), FORMS[form](X), Y[:, :2], 2)
    np.testing.assert_allclose(clf.coef_[:2], few.coef_, atol=1e-12)


def test_after_a_fit_further_columns_are_new_labels(table):
    X, Y = table
    clf = LinearClassifier(loss=LOGISTIC, alpha=ALPHA, solver="lbfgs", on_new_class="add")
    clf.fit(X, Y[:, :3])
    W, b = (np.concatenate([own, [own.mean(axis=0)]]) for own in (clf.coef_, clf.intercept_))
    W, b = naive_steps(LOGISTIC, X, 2.0 * Y - 1, np.ones(200), W, b)
    clf.set_params(**STEPS).partial_fit(X, Y)
    np.testing.assert_allclose(clf.coef_, W, atol=1e-12)
    np.testing.assert_allclose(clf.intercept_, b, atol=1e-12)


# ---------------------------------------------------------------- what is refused


def test_columns_that_do_not_fit(table):
    X, Y = table
    clf = stream().partial_fit(X, Y[:, :3])
    W = clf.coef_
    with pytest.raises(ValueError, match=r"4 columns of labels, and had 3 .* with on_new_class='add'"):
        clf.partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"2 columns of labels, and had 3 .*use the columns of the first"):
        clf.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match=r"classes=\[1, 2, 3\], and y is an indicator of 3.*range\(3\)"):
        clf.partial_fit(X, Y[:, :3], classes=[1, 2, 3])
    np.testing.assert_array_equal(clf.coef_, W)


def test_one_label_and_several_do_not_mix(table):
    X, Y = table
    one, several = Y.argmax(axis=1), stream().partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"which had several labels a row; now it has one label"):
        several.partial_fit(X, one)
    for names in (np.arange(4), np.array(list("abcd"))):
        clf = stream().partial_fit(X, names[one], classes=names)
        with pytest.raises(ValueError, match=r"which had one label a row; now it has several labels"):
            clf.partial_fit(X, Y)
    several.set_params(loss="softmax")
    with pytest.raises(ValueError, match=r"needs a loss that is a sum over the classes"):
        several.partial_fit(X, Y)


def test_parameters_that_do_not_fit(table):
    X, Y = table
    with pytest.raises(ValueError, match=r"'balanced' needs all labels at once.*a list with a dict \{0"):
        stream(class_weight="balanced").partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"class_weight is a list of 1, and y has 4 labels"):
        stream(class_weight=[{}]).partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"has 2 in row 0, column 0; it must hold only 0 and 1"):
        stream().partial_fit(X, 2 * np.ones_like(Y))
    with pytest.raises(ValueError, match=r"SoftmaxClassifier has one label a row; use LinearClassifier"):
        SoftmaxClassifier().partial_fit(X, Y)


def test_a_loss_of_labels_says_that_they_do_not_exclude_each_other(monkeypatch):
    monkeypatch.setattr(HingeOfLabels, "exclusive", True)
    with pytest.raises(TypeError, match=r"returns HingeOfLabels\(margin=1.0\), whose class has to say excl"):
        loss_of_labels("one-vs-rest")
