"""Streams: what they keep from part to part."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from linclf import SoftmaxClassifier, SVMClassifier
from linclf.large import HierarchicalSoftmaxClassifier, SampledSoftmaxClassifier


def test_a_stream_keeps_the_dtype_of_its_first_part():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), rng.integers(0, 3, 60)
    single = X[:30].astype(np.float32)
    for first, second, dtype in (
        (single, X[30:], np.float32),
        (X[:30], X[30:].astype(np.float32), np.float64),
    ):
        model = SoftmaxClassifier(random_state=0).partial_fit(first, y[:30], classes=[0, 1, 2])
        model.partial_fit(second, y[30:])
        assert (model.coef_.dtype, model.intercept_.dtype) == (dtype, dtype)


@pytest.mark.parametrize("solver", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("automatic_first", [False, True])
def test_a_stream_whose_learning_rate_becomes_automatic_begins_anew(storage, solver, automatic_first):
    """The coordinates are others, of whose features nothing is known yet; and the other way round."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 6)) * (rng.random((300, 6)) < 0.6), rng.integers(0, 3, 300)
    rates = ["auto", 0.05] if automatic_first else [0.05, "auto"]
    model = SoftmaxClassifier(solver=solver, learning_rate=rates[0], batch_size=10, random_state=0)
    model.partial_fit(storage(X[:100]), y[:100], classes=[0, 1, 2])
    first, reached = model._stream, (model.coef_, model.intercept_)
    assert first.state.n_steps[0] == 10
    model.set_params(learning_rate=rates[1]).partial_fit(storage(X[100:]), y[100:])
    assert model._stream.state.n_steps[0] == 20  # of the second part only
    assert model._stream.seen.rows == 200
    assert model.n_iter_ == 2
    assert np.isfinite(model.coef_).all()
    # the same as a model that starts from these weights
    other = SoftmaxClassifier(solver=solver, learning_rate=rates[1], batch_size=10, random_state=0)
    other.partial_fit(storage(X[:100]), y[:100], classes=[0, 1, 2])
    other.coef_, other.intercept_ = reached
    del other._stream
    other.partial_fit(storage(X[100:]), y[100:])
    np.testing.assert_array_equal(model.coef_, other.coef_)
    np.testing.assert_array_equal(model.intercept_, other.intercept_)


@pytest.mark.parametrize(
    "model", [SampledSoftmaxClassifier(n_sampled=5), HierarchicalSoftmaxClassifier(tree="balanced")]
)
def test_a_stream_of_soft_labels_trains_on_each_class_of_each_row(model):
    """They are trained as weighted copies of the rows, of which there are more than rows."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 3)), rng.dirichlet(np.ones(4), 40)
    rows, labels = np.nonzero(Y)
    soft = clone(model).set_params(random_state=0).partial_fit(X, Y, classes=np.arange(4))
    copies = clone(model).set_params(random_state=0)
    copies.partial_fit(X[rows], labels, classes=np.arange(4), sample_weight=Y[rows, labels])
    np.testing.assert_allclose(soft.coef_, copies.coef_, rtol=1e-12)
    assert soft.history_["objective"] == pytest.approx(copies.history_["objective"], rel=1e-12)


def test_rotation_leaves_the_batch_to_the_features_of_x():
    """Weights of 800 features do not fit into the cache, those of the 599 axes of 600 rows would."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 800)).astype(np.float32), np.arange(600) % 400
    model = SVMClassifier(max_iter=1, random_state=0).fit(X, y)
    first = SVMClassifier(max_iter=1, random_state=0, batch_size=256).fit(X, y)
    np.testing.assert_array_equal(model.coef_, first.coef_)
