"""The proven bound on the distance of the objective to its minimum is never too small."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from linclf import LinearClassifier, SoftmaxClassifier
from linclf.optimizers import SGD, Averaged

CONVEX = ["softmax", "sparsemax", "entmax", "squared-weston-watkins", "squared-one-vs-rest"]


def problem(seed, n, d, n_classes):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-2, 2, d) + rng.normal(size=d)
    y = np.append(np.arange(n_classes), rng.integers(0, n_classes, n - n_classes))
    return X, y, rng.uniform(0.1, 3, n)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(8, 60),
    d=st.integers(1, 6),
    n_classes=st.integers(2, 4),
    alpha=st.sampled_from([1e-5, 1e-3, 1e-1, 10.0]),
    name=st.sampled_from(CONVEX),
    max_iter=st.integers(1, 4),
    solver=st.sampled_from(["newton", "lbfgs"]),
)
def test_never_below_the_true_distance(seed, n, d, n_classes, alpha, name, max_iter, solver):
    X, y, weights = problem(seed, n, d, n_classes)
    model = LinearClassifier(loss=name, alpha=alpha, solver=solver)
    rough = model.set_params(max_iter=max_iter, tol=None).fit(X, y, sample_weight=weights)
    reached, bound = rough.history_["objective"][-1], rough.optimality_gap_
    best = model.set_params(max_iter=500, tol=None, solver="newton").fit(X, y, sample_weight=weights)
    distance = reached - best.history_["objective"][-1]
    assert bound >= distance - 1e-12 * reached
    assert bound <= reached  # no loss is below 0


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
def test_it_shrinks_with_tol(load, alpha):
    X, y = load(return_X_y=True)
    gaps = [SoftmaxClassifier(alpha=alpha, tol=tol).fit(X, y).optimality_gap_ for tol in (1e-2, 1e-6, 1e-10)]
    few = 1e-12  # rounding decides below it, and small tables go on to it
    assert max(gaps[0], few) >= max(gaps[1], few) >= max(gaps[2], few)
    assert gaps[2] < 1e-6


def test_where_there_is_none():
    X, y = load_iris(return_X_y=True)
    model = SoftmaxClassifier(solver="newton").fit(X, y)
    assert model.optimality_gap_ > 0
    assert not hasattr(model.set_params(alpha=0.0, tol=1e-2).fit(X[:, :1], y), "optimality_gap_")
    few = model.set_params(alpha=1e-4, solver="sgd", tol=None, max_iter=15)
    assert not hasattr(few.fit(X, y), "optimality_gap_")
    assert few.set_params(max_iter=16).fit(X, y).optimality_gap_ > 0
    watched = model.set_params(max_iter="auto", early_stopping=True).fit(X, y)
    assert not hasattr(watched, "optimality_gap_")


def objective(model, X, y, alpha):
    """The objective in NumPy, for three classes or more."""
    scores = X @ model.coef_.T + model.intercept_
    losses = logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]
    return losses.mean() + alpha / 2 * np.square(model.coef_).sum()


@pytest.mark.parametrize("solver", ["sgd", "adam", Averaged(SGD())], ids=repr)
@pytest.mark.parametrize("batch_size", [16, "auto"])
def test_after_stochastic_steps(solver, batch_size):
    X, y, _ = problem(1, 300, 5, 3)
    settings = {"alpha": 1e-2, "solver": solver, "batch_size": batch_size, "random_state": 0}
    model = SoftmaxClassifier(**settings, max_iter=20, tol=None).fit(X, y)
    best = objective(SoftmaxClassifier(alpha=1e-2, tol=1e-12).fit(X, y), X, y, 1e-2)
    distance = objective(model, X, y, 1e-2) - best
    assert 0 < distance <= model.optimality_gap_ <= objective(model, X, y, 1e-2)
