"""Known scores in `partial_fit`: as in `fit`, for each part; compared with SciPy, NumPy, and `fit`."""

import pickle

import numpy as np
import pytest
from optima import optimum, table
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone

import linclf
from linclf import LinearClassifier, MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier
from linclf.large import SampledSoftmaxClassifier

FORMS = {"dense": np.asarray, "csr": sparse.csr_array}


def parts(n, size):
    return [slice(start, start + size) for start in range(0, n, size)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", ["sgd", "momentum", "adam"])
def test_parts_are_batches_of_a_fit(solver, n_classes, form):
    """Without an intercept both start at 0; with one, `fit` starts at the best besides the offset."""
    X, y, _, offset = table(n_classes, n=320)
    X = FORMS[form](X)
    model = SoftmaxClassifier(
        solver=solver, learning_rate=0.05, schedule="constant", batch_size=32, shuffle=False, tol=None
    )
    model.set_params(fit_intercept=False, max_iter=1, alpha=0.01, random_state=0)
    whole, stream = clone(model).fit(X, y, np.ones(320), offset=offset), clone(model)
    for part in parts(320, 64):
        stream.partial_fit(X[part], y[part], np.unique(y), offset=offset[part])
    np.testing.assert_allclose(stream.coef_, whole.coef_, rtol=1e-9, atol=1e-12)
    assert np.abs(stream.coef_ - clone(model).fit(X, y).coef_).max() > 0.01


def test_a_step_in_numpy():
    """One batch, one step: the gradient of the loss at the known scores."""
    X, y, weights, offset = table(3, n=40)
    model = SoftmaxClassifier(learning_rate=0.1, schedule="constant", batch_size=40, alpha=0.0, solver="sgd")
    model.partial_fit(X, y, [0, 1, 2], weights, offset=offset)
    p = np.exp(offset - offset.max(axis=1, keepdims=True))
    G = (p / p.sum(axis=1, keepdims=True) - np.eye(3)[y]) * (weights / weights.sum())[:, None]
    np.testing.assert_allclose(model.coef_, -0.1 * G.T @ X, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, -0.1 * G.sum(axis=0), atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", ["softmax", "squared-one-vs-rest"])
def test_passes_over_the_parts_come_near_the_optimum_of_scipy(loss, n_classes, form):
    X, y, weights, offset = table(n_classes)
    W, b, _ = optimum(loss, X, y, weights, 0.05, offset)
    without = optimum(loss, X, y, weights, 0.05, 0 * offset)[0]
    model = LinearClassifier(loss=loss, alpha=0.05, solver="sgd", average=True, random_state=0)
    X = FORMS[form](X)
    for _ in range(100):
        for part in parts(200, 50):
            model.partial_fit(X[part], y[part], np.unique(y), weights[part], offset=offset[part])
    assert np.abs(model.coef_ - W).max() < 0.15 * np.abs(without - W).max()
    scores = X @ W.T + b
    scores = (scores.ravel() if n_classes == 2 else scores) + offset
    mine = model.decision_function(X, offset=offset)
    if n_classes > 2 and loss == "softmax":
        mine, scores = mine - mine.mean(axis=1, keepdims=True), scores - scores.mean(axis=1, keepdims=True)
    assert np.abs(mine - scores).max() < 0.3


def test_rows_of_weight_zero_go_with_their_offset():
    X, y, weights, offset = table(3, n=60)
    weights[::3] = 0
    kept = weights > 0
    model = SoftmaxClassifier(learning_rate=0.1, random_state=0)
    some = clone(model).partial_fit(X, y, [0, 1, 2], weights, offset=offset)
    alone = clone(model).partial_fit(X[kept], y[kept], [0, 1, 2], weights[kept], offset=offset[kept])
    np.testing.assert_array_equal(some.coef_, alone.coef_)


def test_a_part_without_an_offset_is_one_of_zeros():
    X, y, weights, offset = table(3, n=60)
    first = SoftmaxClassifier(random_state=0).partial_fit(X, y, [0, 1, 2], weights, offset=offset)
    zeros = pickle.loads(pickle.dumps(first)).partial_fit(X, y, offset=np.zeros((60, 3)))
    np.testing.assert_allclose(first.partial_fit(X, y).coef_, zeros.coef_, rtol=1e-9, atol=1e-12)


def test_new_classes_have_a_column_from_their_first_part_on():
    """Known scores that give the labels away leave next to nothing to learn."""
    X, y, _, _ = table(3, n=300)
    away = 40.0 * np.eye(3)[y]
    two = y < 2
    model = SoftmaxClassifier(on_new_class="add", learning_rate=0.1, alpha=0.0, random_state=0)
    model.partial_fit(X[two], y[two], offset=away[two, 1] - away[two, 0])
    with pytest.raises(ValueError, match=r"offset has shape \(300,\).*must be \(300, 3\)"):
        model.partial_fit(X, y, offset=np.zeros(300))
    assert model.classes_.tolist() == [0, 1]
    model.partial_fit(X, y, offset=away)
    np.testing.assert_allclose(model.coef_, 0, atol=1e-9)
    assert model.history_["objective"][-1] < 1e-9
    assert np.abs(clone(model).partial_fit(X, y).coef_).max() > 0.01


def test_a_saved_stream_continues(tmp_path):
    X, y, _, offset = table(2, n=100)
    model = SVMClassifier(solver="sgd", random_state=0).partial_fit(X, y, [0, 1], offset=offset)
    linclf.save(model, tmp_path / "model")
    again = linclf.load(tmp_path / "model").partial_fit(X, y, offset=offset)
    np.testing.assert_array_equal(again.coef_, model.partial_fit(X, y, offset=offset).coef_)


def test_a_prior_as_an_offset_is_the_pull_towards_it():
    """What the error of `prior` says: near the optimum of SciPy with the penalty on the difference."""
    X, y, weights, _ = table(3)
    prior = SoftmaxClassifier(alpha=0.01).fit(X, (y + 1) % 3)
    W, _, _ = optimum("softmax", X, y, weights, 0.05, np.zeros((200, 3)), prior.coef_)
    alone, _, _ = optimum("softmax", X, y, weights, 0.05, np.zeros((200, 3)))
    model = SoftmaxClassifier(alpha=0.05, solver="sgd", average=True, random_state=0)
    for _ in range(100):
        for part in parts(200, 50):
            known = prior.decision_function(X[part])
            model.partial_fit(X[part], y[part], [0, 1, 2], weights[part], offset=known)
    assert np.abs(model.coef_ + prior.coef_ - W).max() < 0.15 * np.abs(alone - W).max()


def test_offsets_are_routed_to_parts():
    with config_context(enable_metadata_routing=True):
        model = SoftmaxClassifier(random_state=0).set_partial_fit_request(offset=True)
        assert model.get_metadata_routing().partial_fit.requests["offset"] is True
        assert "not_offered" not in model.get_metadata_routing().partial_fit.requests


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (np.zeros(60), r"offset has shape \(60,\), and for these rows it must be \(60, 3\)"),
        (np.zeros((59, 3)), r"offset has shape \(59, 3\)"),
        (np.full((60, 3), np.nan), "offset contains NaN"),
    ],
)
def test_bad_offsets_are_refused_and_leave_the_stream_unchanged(offset, message):
    X, y, _, _ = table(3, n=60)
    model = SoftmaxClassifier(random_state=0).partial_fit(X, y, [0, 1, 2])
    before = model.coef_.copy()
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, y, offset=offset)
    np.testing.assert_array_equal(model.coef_, before)


def test_other_arguments_of_fit_say_what_to_do():
    X, y, _, offset = table(3, n=60)
    prior = SoftmaxClassifier().fit(X, y)
    with pytest.raises(TypeError, match=r"prior is no argument of partial_fit; .*offset=prior.decision_func"):
        SoftmaxClassifier().partial_fit(X, y, [0, 1, 2], prior=prior)
    with pytest.raises(TypeError, match=r"coef_init is no argument of partial_fit; start with fit"):
        SoftmaxClassifier().partial_fit(X, y, [0, 1, 2], coef_init=prior.coef_)
    with pytest.raises(TypeError, match="X_val is no argument of partial_fit"):
        SoftmaxClassifier().partial_fit(X, y, [0, 1, 2], X_val=X)
    for model in (MarginSoftmaxClassifier(), SampledSoftmaxClassifier()):
        with pytest.raises(ValueError, match="offset is for classifiers with one linear score per class"):
            model.partial_fit(X, y, [0, 1, 2], offset=offset)
