"""The result of training: the optimum that LogisticRegression, LinearSVC and SciPy find.

The path of training (schedules, stopping, streams) is tested in test_training.py; single losses and
their gradients are tested elsewhere.
"""

import numpy as np
import pytest
from reference import logistic_regression, softmax_objective, softmax_optimum
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.svm import LinearSVC

from linclf import FocalClassifier, SoftmaxClassifier, SVMClassifier

ALPHA = 1e-2
LONG = {"alpha": ALPHA, "max_iter": 20_000, "tol": 1e-13, "random_state": 0}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:500] / 16, y[:500]


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def text_like(n_classes):
    """300 short documents of 60 words, rows of norm 1, as CSR; the labels follow a linear rule."""
    rng = np.random.default_rng(n_classes)
    X = sparse.random_array((300, 60), density=0.15, format="csr", rng=rng)
    X = sparse.diags_array(1 / sparse.linalg.norm(X, axis=1)) @ X
    scores = X @ rng.normal(size=(60, n_classes)) + rng.gumbel(size=(300, n_classes)) / 4
    return sparse.csr_array(X), scores.argmax(axis=1)


def svm_objective(W, X, y, alpha, multi_class):
    """Squared one-vs-rest or Crammer-Singer hinge without intercept, as LIBLINEAR defines them."""
    scores, rows = X @ W.T, np.arange(len(y))
    if len(W) == 1:
        losses = np.maximum(0, 1 - np.where(y == 1, 1, -1) * scores[:, 0]) ** 2
    elif multi_class == "one-vs-rest":
        signs = np.where(np.arange(len(W)) == y[:, None], 1, -1)
        losses = np.sum(np.maximum(0, 1 - signs * scores) ** 2, axis=1)
    else:
        rivals = scores - scores[rows, y][:, None] + 1
        rivals[rows, y] = 0
        losses = rivals.max(axis=1)
    return losses.mean() + alpha / 2 * np.sum(W**2)


# ---------------------------------------------------------------- logistic regression


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("rows", ["dense", "csr"])
def test_full_gradient_reaches_logistic_regression(rows, n_classes, weighted):
    X, y = text_like(n_classes)
    if rows == "dense":  # offset and unequal scales, to test centring and scaling
        X = X.toarray() * np.geomspace(1, 30, 60) + 3
    n, rng = len(y), np.random.default_rng(0)
    sample_weight = rng.uniform(0.1, 3, n) if weighted else None
    class_weight = {k: 1.0 + k for k in range(n_classes)} if weighted else None
    weights = np.ones(n) if sample_weight is None else sample_weight * (1.0 + y)
    model = SoftmaxClassifier(batch_size=n, class_weight=class_weight, **LONG)
    model.fit(X, y, sample_weight=sample_weight)
    peer = logistic_regression(ALPHA * weights.sum(), class_weight=class_weight)
    peer.fit(X, y, sample_weight=sample_weight)
    assert model.coef_.shape == peer.coef_.shape == (1 if n_classes == 2 else 3, 60)
    assert np.abs(model.coef_ - peer.coef_).max() <= 1e-3 * np.abs(peer.coef_).max()
    # scikit-learn leaves the mean of the multinomial intercepts open
    shift = 0 if n_classes == 2 else np.mean(model.intercept_ - peer.intercept_)
    np.testing.assert_allclose(model.intercept_ - shift, peer.intercept_, rtol=1e-3, atol=1e-3)
    problem = X @ np.eye(60), np.eye(n_classes)[y], weights, ALPHA
    least = softmax_objective(*softmax_optimum(*problem), *problem)
    assert softmax_objective(model.coef_, model.intercept_, *problem) == pytest.approx(least, rel=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize("binary", [True, False])
def test_mini_batches_reach_logistic_regression(digits, binary):
    X, y = digits[0], (digits[1] > 4).astype(int) if binary else digits[1]
    peer = logistic_regression(ALPHA * len(y)).fit(X, y)
    model = SoftmaxClassifier(alpha=ALPHA, batch_size=8, max_iter=1000, random_state=0).fit(X, y)
    assert np.abs(model.coef_ - peer.coef_).max() <= 2e-2 * np.abs(peer.coef_).max()
    Y, ones = np.eye(len(peer.classes_))[y], np.ones(len(y))
    least = softmax_objective(peer.coef_, peer.intercept_, X, Y, ones, ALPHA)
    reached = softmax_objective(model.coef_, model.intercept_, X, Y, ones, ALPHA)
    assert reached == pytest.approx(least, rel=3e-4)


def test_no_intercept(digits):
    X, y = digits
    peer = logistic_regression(ALPHA * len(y), fit_intercept=False)
    model = SoftmaxClassifier(fit_intercept=False, batch_size=len(y), **LONG).fit(X, y)
    assert not model.intercept_.any()
    assert np.abs(model.coef_ - peer.fit(X, y).coef_).max() <= 1e-3 * np.abs(peer.coef_).max()


@pytest.mark.parametrize("temperature", [0.5, 4.0])
def test_temperature_is_a_change_of_scale(iris, temperature):
    """W / T solves the problem without temperature and with penalty alpha T^2."""
    X, y = iris
    model = SoftmaxClassifier(temperature=temperature, **LONG).fit(X, y)
    peer = logistic_regression(ALPHA * temperature**2 * len(y)).fit(X, y)
    assert np.abs(model.coef_ / temperature - peer.coef_).max() <= 1e-3 * np.abs(peer.coef_).max()
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_label_smoothing_optimum(iris, n_classes):
    X, y = (part[iris[1] < n_classes] for part in iris)
    model = SoftmaxClassifier(label_smoothing=0.3, **LONG).fit(X, y)
    smoothed = np.where(np.eye(n_classes)[y] == 1, 0.7, 0.3 / (n_classes - 1))
    W, b = softmax_optimum(X, smoothed, np.ones(len(y)), ALPHA)
    assert model.coef_.shape == W.shape
    assert np.abs(model.coef_ - W).max() <= 1e-3 * np.abs(W).max()
    np.testing.assert_allclose(model.intercept_ - model.intercept_.mean(), b - b.mean(), atol=1e-2)


def test_focal_optimum(iris):
    X, y = iris[0] - iris[0].mean(axis=0), iris[1]

    def objective(v):
        W, b = v[:12].reshape(3, 4), v[12:]
        log_p = log_softmax(X @ W.T + b, axis=1)[np.arange(150), y]
        return np.mean(-((1 - np.exp(log_p)) ** 2) * log_p) + ALPHA / 2 * np.sum(W**2)

    model = FocalClassifier(gamma=2.0, **LONG).fit(X, y)
    found = minimize(objective, np.zeros(15), method="BFGS", options={"gtol": 1e-6})
    assert objective(np.append(model.coef_, model.intercept_)) == pytest.approx(found.fun, rel=1e-6)
    np.testing.assert_allclose(model.coef_, found.x[:12].reshape(3, 4), atol=1e-3 * np.abs(found.x).max())


def test_huge_penalty(iris):
    """alpha = 1e5 is an ordinary problem: tiny weights, and the prior in the intercept."""
    X, y = iris[0][20:], iris[1][20:]
    peer = logistic_regression(1e5 * len(y)).fit(X, y)
    for settings in ({}, {"learning_rate": 0.5, "schedule": "constant", "max_iter": 500, "tol": None}):
        model = SoftmaxClassifier(alpha=1e5, random_state=0, **settings).fit(X, y)
        assert np.abs(model.coef_ - peer.coef_).max() <= 1e-2 * np.abs(peer.coef_).max()
        np.testing.assert_allclose(model.predict_proba(X[:1]), [[30 / 130, 50 / 130, 50 / 130]], atol=1e-3)


# ---------------------------------------------------------------- support vector machines


@pytest.mark.parametrize("margin", [1.0, 2.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_squared_one_vs_rest_reaches_linear_svc(iris, n_classes, margin):
    """Squared losses are homogeneous: with margin D the solution is D times that of margin 1."""
    X, y = (part[iris[1] != (0 if n_classes == 2 else -1)] for part in iris)
    y = y - y.min()
    peer = LinearSVC(C=1 / (ALPHA * len(y)), dual=False, fit_intercept=False, tol=1e-10, max_iter=10_000)
    model = SVMClassifier(
        multi_class="one-vs-rest", squared=True, margin=margin, fit_intercept=False, **LONG
    ).fit(X, y)
    W = model.coef_ / margin
    assert W.shape == peer.fit(X, y).coef_.shape
    least = svm_objective(peer.coef_, X, y, ALPHA, "one-vs-rest")
    assert svm_objective(W, X, y, ALPHA, "one-vs-rest") == pytest.approx(least, rel=1e-3)
    assert np.abs(W - peer.coef_).max() <= 1e-2 * np.abs(peer.coef_).max()
    np.testing.assert_array_equal(model.predict(X), peer.predict(X))


def test_crammer_singer_reaches_linear_svc(iris):
    X, y = iris
    peer = LinearSVC(
        C=1 / (ALPHA * len(y)),
        multi_class="crammer_singer",
        fit_intercept=False,
        tol=1e-8,
        max_iter=100_000,
        random_state=0,
    ).fit(X, y)
    model = SVMClassifier(
        multi_class="crammer-singer",
        fit_intercept=False,
        alpha=ALPHA,
        batch_size=8,
        max_iter=3000,
        random_state=0,
    ).fit(X, y)
    least = svm_objective(peer.coef_, X, y, ALPHA, "crammer-singer")
    assert svm_objective(model.coef_, X, y, ALPHA, "crammer-singer") == pytest.approx(least, rel=1e-3)
    assert np.mean(model.predict(X) == peer.predict(X)) >= 0.99


# ---------------------------------------------------------------- soft labels


def test_one_hot_rows_are_labels(iris):
    X, y = iris
    hard = SoftmaxClassifier(random_state=0).fit(X, y)
    soft = SoftmaxClassifier(random_state=0).fit(X, np.eye(3)[y])
    np.testing.assert_array_equal(soft.classes_, [0, 1, 2])
    np.testing.assert_allclose(soft.coef_, hard.coef_, rtol=1e-6)
    np.testing.assert_allclose(soft.history_["objective"], hard.history_["objective"], rtol=1e-9)


def test_mixtures_are_weighted_copies(iris):
    """A row with probabilities q is K copies of it, one for each class, with weights q."""
    X = iris[0]
    Q = np.random.default_rng(0).dirichlet([0.3, 0.3, 0.3], len(X))
    soft = SoftmaxClassifier(batch_size=450, alpha=ALPHA, random_state=0).fit(X, Q)
    copies = SoftmaxClassifier(batch_size=450, alpha=ALPHA, random_state=0)
    copies.fit(np.repeat(X, 3, axis=0), np.tile([0, 1, 2], len(X)), sample_weight=Q.ravel())
    np.testing.assert_allclose(soft.coef_, copies.coef_, rtol=1e-6, atol=1e-9)
    W, _ = softmax_optimum(X, Q, np.ones(len(X)), ALPHA)
    assert np.abs(soft.coef_ - W).max() <= 1e-3 * np.abs(W).max()


# ---------------------------------------------------------------- the defaults


@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_defaults_on_unscaled_features(load, alpha, distance_left):
    X, y = load(return_X_y=True)
    model = SoftmaxClassifier(alpha=alpha, random_state=0).fit(X, y)  # and no warning
    assert -1e-6 <= distance_left(model, X, y) <= 5e-3


def test_dense_and_sparse_reach_the_same_optimum(digits, distance_left):
    X, y = digits
    settings = {"alpha": ALPHA, "max_iter": 500, "random_state": 0}
    dense = SoftmaxClassifier(**settings).fit(X, y)
    csr = SoftmaxClassifier(**settings).fit(sparse.csr_array(X), y)
    assert distance_left(dense, X, y) <= 1e-3
    assert distance_left(csr, X, y) <= 1e-3
    np.testing.assert_array_equal(dense.predict(X), csr.predict(X))


def test_average_follows_its_recurrence(iris):
    """Step t has weight 2 / (t + 1) in the average of the weights after each step."""
    X, y = iris[0][::3], iris[1][::3]
    settings = {"learning_rate": 0.05, "schedule": "constant", "batch_size": 8, "shuffle": False, "tol": None}
    path, mean = SoftmaxClassifier(**settings), np.zeros((3, 4))
    for t, start in enumerate([*range(0, 50, 8)] * 2, 1):
        path.partial_fit(X[start : start + 8], y[start : start + 8], classes=[0, 1, 2])
        mean += 2 / (t + 1) * (path.coef_ - mean)
    averaged = SoftmaxClassifier(average=True, max_iter=2, **settings).fit(X, y)
    np.testing.assert_allclose(averaged.coef_, mean, rtol=1e-10)


def test_average_is_closer_under_a_constant_step(digits, distance_left):
    X, y = digits
    settings = {"learning_rate": 1.0, "schedule": "constant", "batch_size": 8, "max_iter": 20, "tol": None}
    last = SoftmaxClassifier(alpha=ALPHA, random_state=0, **settings).fit(X, y)
    mean = SoftmaxClassifier(alpha=ALPHA, random_state=0, average=True, **settings).fit(X, y)
    assert distance_left(mean, X, y) < 0.3 * distance_left(last, X, y)
