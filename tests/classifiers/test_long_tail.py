"""Class weights in every loss, effective numbers of rows, and logit adjustment."""

import naive
import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.metrics import balanced_accuracy_score

from linclf import LinearClassifier, SoftmaxClassifier, effective_number_weights
from linclf.losses import LOSSES


@pytest.fixture(scope="module")
def tail():
    """600 rows of four overlapping classes: 400, 150, 40 and 10."""
    X, y = make_classification(
        4000, 6, n_informative=4, n_classes=4, class_sep=0.8, n_clusters_per_class=1, random_state=0
    )
    rows = np.concatenate([np.flatnonzero(y == k)[:count] for k, count in enumerate((400, 150, 40, 10))])
    rest = np.setdiff1d(np.arange(4000), rows)
    return X[rows], y[rows], X[rest], y[rest]


# ---------------------------------------------------------------- class weights


# in the default run, because each compilation takes a second
SPARSE_TOO = {"softmax", "weston-watkins", "cosface"}
DENSE_TOO = {*SPARSE_TOO, "sparsemax", "focal", "squared-one-vs-rest"}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *(
            pytest.param(name, np.asarray, marks=() if name in DENSE_TOO else pytest.mark.exhaustive)
            for name in LOSSES
        ),
        *(
            pytest.param(name, sparse.csr_array, marks=() if name in SPARSE_TOO else pytest.mark.exhaustive)
            for name in LOSSES
        ),
    ],
)
def test_a_class_weight_of_two_is_a_second_copy_of_its_rows(name, form):
    """For every loss; up to 64 rows form a single exact batch."""
    X, y = load_iris(return_X_y=True)
    X, y = X[::5], y[::5]
    model = LinearClassifier(loss=name, max_iter=30, random_state=0)
    weighted = model.set_params(class_weight={0: 1, 1: 2, 2: 1}).fit(form(X), y)
    scores = weighted.decision_function(form(X))
    copies = np.r_[np.arange(len(y)), np.flatnonzero(y == 1)]
    copied = model.set_params(class_weight=None).fit(form(X[copies]), y[copies])
    np.testing.assert_allclose(scores, copied.decision_function(form(X)), rtol=1e-6, atol=1e-6)
    half = {0: 0.5, 1: 1, 2: 0.5}  # a common factor does not matter
    again = model.set_params(class_weight=half).fit(form(X), y)
    np.testing.assert_allclose(scores, again.decision_function(form(X)), rtol=1e-6, atol=1e-6)


@pytest.mark.exhaustive
@pytest.mark.parametrize("loss", ["sparsemax", "entmax"])
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_weighted_optimum_of_the_sparse_maps(tail, loss, solver):
    """The optimum equals SciPy's minimum of the twin's weighted loss."""
    X, y = tail[:2]
    class_weight = np.array([1.0, 2.0, 3.0, 10.0])
    twin = {"sparsemax": naive.sparsemax_loss, "entmax": lambda f, y: naive.entmax_loss(f, y, 1.5)}[loss]
    alphas = {"sparsemax": 2.0, "entmax": 1.5}
    w, alpha = class_weight[y], 1e-2

    def objective(theta):
        W, b = theta[:24].reshape(4, 6), theta[24:]
        f = X @ W.T + b
        p = np.array([naive.entmax(row, alphas[loss]) for row in f])
        G = w[:, None] * (p - np.eye(4)[y]) / w.sum()
        value = w @ [twin(row, k) for row, k in zip(f, y, strict=True)] / w.sum()
        return value + alpha / 2 * np.sum(W**2), np.r_[(G.T @ X + alpha * W).ravel(), G.sum(axis=0)]

    least = minimize(objective, np.zeros(28), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    model = LinearClassifier(
        loss=loss, alpha=alpha, solver=solver, class_weight=dict(enumerate(class_weight)), random_state=0
    ).fit(X, y)
    reached = objective(np.r_[model.coef_.ravel(), model.intercept_])[0]
    assert reached <= least.fun * (1 + 1e-4)
    assert reached >= least.fun * (1 - 1e-6)


def test_effective_numbers_by_the_definition():
    """Cui et al., equation 2: E_n = (1 - beta^n) / (1 - beta), weights 1 / E_n, here with a mean of 1."""
    y = np.repeat(["a", "b", "c"], [1, 10, 5000])
    for beta in (0.0, 0.9, 0.999, 0.9999):
        E = np.array([sum(beta**i for i in range(n)) for n in (1, 10, 5000)])
        expected = (1 / E) / np.mean(1 / E)
        weights = effective_number_weights(y, beta=beta)
        assert list(weights) == ["a", "b", "c"]
        np.testing.assert_allclose(list(weights.values()), expected, rtol=1e-9)


def test_effective_numbers_tend_to_balanced_and_count_weights():
    y = np.repeat([0, 1], [30, 3])
    weights = effective_number_weights(y, beta=1 - 1e-12)
    assert weights[1] / weights[0] == pytest.approx(10, rel=1e-3)
    heavy = effective_number_weights([0, 1], beta=0.99, sample_weight=[30.0, 3.0])
    assert heavy == pytest.approx(effective_number_weights(y, beta=0.99), rel=1e-12)
    SoftmaxClassifier(class_weight=weights).fit(np.arange(33.0)[:, None], y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beta": 1.0}, r"'beta' parameter .* Got 1\.0 instead"),
        ({"beta": -0.1}, r"'beta' parameter .* Got -0\.1 instead"),
        ({"sample_weight": [1.0, 1.0, 0.0]}, "sample_weight is 0 for every row of class 'b'"),
        ({"sample_weight": [1.0, -1.0, 1.0]}, "[Nn]egative"),
    ],
)
def test_effective_numbers_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        effective_number_weights(["a", "a", "b"], **arguments)


@pytest.mark.parametrize("labels", [["0", "1", "10"], [True, False], [2.0, 3.0, -1.0], ["b", "a"]], ids=str)
def test_effective_numbers_are_the_weights_of_any_labels(labels):
    """Including numbers as text, which scikit-learn's lookup confuses with numbers."""
    y = np.repeat(labels, np.arange(3, 3 + len(labels)))
    X = np.random.default_rng(0).standard_normal((len(y), 2))
    weights = effective_number_weights(y, beta=0.9)
    model = SoftmaxClassifier(class_weight=weights).fit(X, y)
    expected = SoftmaxClassifier().fit(X, y, sample_weight=[weights[label] for label in y.tolist()])
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)


def test_effective_numbers_of_nothing():
    with pytest.raises(ValueError, match="y is empty"):
        effective_number_weights([])


def test_a_dict_of_weights_names_what_it_misses():
    X, y = np.arange(4.0)[:, None], np.array(["a", "a", "b", "b"])
    with pytest.raises(ValueError, match=r"keys that are no classes, \['c'\], and no weight for \['b'\]"):
        SoftmaxClassifier(class_weight={"a": 1.0, "c": 2.0}).fit(X, y)
    extra = SoftmaxClassifier(class_weight={"a": 1.0, "b": 2.0, "c": 9.0}).fit(
        X, y
    )  # a fold may lack a class
    exact = SoftmaxClassifier(class_weight={"b": 2.0}).fit(X, y)
    np.testing.assert_array_equal(extra.coef_, exact.coef_)


# ---------------------------------------------------------------- logit adjustment


def adjusted_optimum(X, Y, weights, alpha, tau):
    """Menon et al., equation 10, literally: tau * log(prior) is added to the scores in training."""
    d, K = X.shape[1], Y.shape[1]
    prior = weights @ Y / weights.sum()

    def objective(theta):
        W, b = theta[: K * d].reshape(K, d), theta[K * d :]
        f = X @ W.T + b + tau * np.log(prior)
        p = np.exp(f - logsumexp(f, axis=1, keepdims=True))
        G = weights[:, None] * (p - Y) / weights.sum()
        value = weights @ (logsumexp(f, axis=1) - (Y * f).sum(axis=1)) / weights.sum()
        return value + alpha / 2 * np.sum(W**2), np.r_[(G.T @ X + alpha * W).ravel(), G.sum(axis=0)]

    options = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9}
    theta = minimize(objective, np.zeros(K * d + K), jac=True, method="L-BFGS-B", options=options).x
    return theta[: K * d].reshape(K, d), theta[K * d :]


@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_adjusted_model_is_the_optimum_of_the_adjusted_scores(tail, tau, weighted, solver):
    X, y = tail[:2]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else np.ones(len(y))
    W, b = adjusted_optimum(X, np.eye(4)[y], weights, 1e-2, tau)
    model = SoftmaxClassifier(logit_adjustment=tau, alpha=1e-2, solver=solver, tol=1e-10, random_state=0)
    model.fit(X, y, sample_weight=weights)
    expected, found = X @ W.T + b, model.decision_function(X)
    expected, found = (f - f.mean(axis=1, keepdims=True) for f in (expected, found))
    np.testing.assert_allclose(found, expected, atol=2e-2 if solver == "sgd" else 2e-4)


def test_adjustment_of_soft_labels_and_of_two_classes(tail):
    X, y = tail[:2]
    Y = 0.8 * np.eye(4)[y] + 0.05
    W, b = adjusted_optimum(X, Y, np.ones(len(y)), 1e-2, 1.0)
    soft = SoftmaxClassifier(logit_adjustment=1.0, alpha=1e-2, solver="lbfgs", tol=1e-10).fit(X, Y)
    expected, found = X @ W.T + b, soft.decision_function(X)
    np.testing.assert_allclose(np.diff(found), np.diff(expected), atol=2e-4)
    two = y < 2
    W, b = adjusted_optimum(X[two], np.eye(2)[y[two]], np.ones(two.sum()), 2e-2, 1.0)
    binary = SoftmaxClassifier(logit_adjustment=1.0, alpha=1e-2, solver="lbfgs", tol=1e-10).fit(
        X[two], y[two]
    )
    np.testing.assert_allclose(binary.decision_function(X), X @ (W[1] - W[0]) + b[1] - b[0], atol=2e-4)


def test_adjustment_moves_the_intercepts_only(tail):
    X, y = tail[:2]
    plain, adjusted = (
        SoftmaxClassifier(logit_adjustment=tau, random_state=0).fit(X, y) for tau in (0.0, 1.5)
    )
    np.testing.assert_array_equal(adjusted.coef_, plain.coef_)
    prior = np.bincount(y) / len(y)
    np.testing.assert_allclose(adjusted.intercept_, plain.intercept_ - 1.5 * np.log(prior), rtol=1e-12)
    assert adjusted.history_["objective"] == plain.history_["objective"]


@pytest.mark.parametrize("smoothing", [0.1, 0.3])
def test_adjustment_of_smoothed_labels_is_that_of_the_same_soft_labels(tail, smoothing):
    X, y = tail[:2]
    Y = np.eye(len(np.unique(y)))[np.unique(y, return_inverse=True)[1]]
    each = smoothing / (Y.shape[1] - 1)
    model = SoftmaxClassifier(logit_adjustment=1.0, solver="lbfgs", tol=1e-7)
    soft = clone(model).fit(X, Y * (1 - smoothing - each) + each)
    smoothed = model.set_params(label_smoothing=smoothing).fit(X, y)
    np.testing.assert_allclose(smoothed.coef_, soft.coef_, atol=1e-5)
    np.testing.assert_allclose(smoothed.intercept_, soft.intercept_, atol=1e-5)


def test_adjustment_aims_at_the_balanced_error(tail):
    X, y, X_test, y_test = tail
    scores = [
        balanced_accuracy_score(y_test, SoftmaxClassifier(logit_adjustment=tau).fit(X, y).predict(X_test))
        for tau in (0.0, 1.0)
    ]
    assert scores[1] > scores[0] + 0.05


def test_adjustment_watches_the_adjusted_loss_on_validation_rows(tail):
    """Validation rows have the class shares of the training rows, so the adjusted scores are evaluated."""
    X, y, X_val, y_val = tail
    plain, adjusted = (
        SoftmaxClassifier(logit_adjustment=tau, random_state=0).fit(X, y, X_val=X_val, y_val=y_val)
        for tau in (0.0, 1.0)
    )
    assert adjusted.history_["validation_loss"] == plain.history_["validation_loss"]


@pytest.mark.parametrize("two", [False, True])
def test_warm_start_goes_on_where_the_last_fit_ended(tail, two):
    X, y = tail[:2]
    if two:
        X, y = X[y < 2], y[y < 2]
    model = SoftmaxClassifier(logit_adjustment=1.0, solver="lbfgs", tol=1e-6, warm_start=True).fit(X, y)
    before = model.intercept_.copy()
    assert model.fit(X, y).n_iter_ == 1
    np.testing.assert_allclose(model.intercept_, before, rtol=1e-6)


@pytest.mark.parametrize("T", [0.25, 4.0])
def test_adjustment_is_in_units_of_the_temperature(tail, T):
    """Probabilities come from f/T, so a temperature changes only the scores."""
    X, y = tail[:2]
    plain = SoftmaxClassifier(logit_adjustment=1.0, alpha=1e-2, solver="lbfgs", tol=1e-8).fit(X, y)
    scaled = SoftmaxClassifier(
        logit_adjustment=1.0, temperature=T, alpha=1e-2 / T**2, solver="lbfgs", tol=1e-8
    ).fit(X, y)
    np.testing.assert_allclose(scaled.predict_proba(X), plain.predict_proba(X), atol=1e-5)


def test_balanced_weights_leave_nothing_to_adjust(tail):
    """Class shares are those of the weighted rows, so the imbalance is not corrected twice."""
    X, y = tail[:2]
    both, balanced = (
        SoftmaxClassifier(class_weight="balanced", logit_adjustment=tau, random_state=0).fit(X, y)
        for tau in (1.0, 0.0)
    )
    np.testing.assert_allclose(both.predict_proba(X), balanced.predict_proba(X), atol=1e-12)


def test_a_class_without_a_share_has_the_probability_0(tail):
    X, y = tail[0][:2], np.array([[0.5, 0.5, 0.0], [0.1, 0.9, 0.0]])
    p = SoftmaxClassifier(logit_adjustment=1.0).fit(X, y).predict_proba(X)
    others = SoftmaxClassifier(logit_adjustment=1.0).fit(X, y[:, :2]).predict_proba(X)
    np.testing.assert_allclose(p, np.column_stack([others, np.zeros(2)]), atol=1e-6)


def test_adjustment_refuses_what_it_cannot_do(tail):
    X, y = tail[:2]
    with pytest.raises(ValueError, match=r"logit_adjustment=1\.0 acts on the intercepts.*fit_intercept=True"):
        SoftmaxClassifier(logit_adjustment=1.0, fit_intercept=False).fit(X, y)
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'") as caught:
        SoftmaxClassifier(logit_adjustment=1.0).partial_fit(X, y, classes=np.unique(y))
    assert "logit_adjustment=1.0 needs all rows at once" in str(caught.value.__cause__)
    with pytest.raises(ValueError, match=r"'logit_adjustment' parameter .* Got -1 instead"):
        SoftmaxClassifier(logit_adjustment=-1).fit(X, y)
