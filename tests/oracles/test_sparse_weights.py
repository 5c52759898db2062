"""Optima with penalties that make weights zero: NumPy, and the packages that solve the same problem.

Numbers of classes are odd, or two: with "l1" and an even number the optimum need not be unique, see
`sparse_optima.py`. Objectives agree to 1e-6 of their value, and the same weights are exactly zero.
"""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sparse_optima import PENALTIES, largest_alpha, penalised_objective, sparse_optimum, sparse_table
from versions import elastic_net

from benchmarks.peers import adelie_process
from linclf import LinearClassifier, SoftmaxClassifier

FORMS = {"dense": np.asarray, "csr": sparse.csr_array}
SHARE = 0.1  # of the smallest alpha at which all weights are zero


def fitted(X, y, weights, penalty, alpha, l1_ratio, cls=SoftmaxClassifier, **parameters):
    if penalty != "l1":
        parameters["l1_ratio"] = l1_ratio
    return cls(penalty=penalty, alpha=alpha, tol=1e-8, **parameters).fit(X, y, weights)


def assert_same_optimum(model, W, b, problem, loss="softmax", zero=0.0):
    """The objectives of both, and which weights are zero; some are and some are not."""
    ours = penalised_objective(loss, model.coef_, model.intercept_, *problem)
    theirs = penalised_objective(loss, W, b, *problem)
    assert ours == pytest.approx(theirs, rel=1e-6)
    np.testing.assert_array_equal(model.coef_ != 0, np.abs(W) > zero)
    assert 0 < np.count_nonzero(model.coef_) < model.coef_.size


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
@pytest.mark.parametrize("loss", ["softmax", "squared-one-vs-rest"])
def test_optimum_is_that_of_proximal_gradient_steps(loss, penalty, l1_ratio, n_classes, form):
    X, y, weights = sparse_table(n_classes)
    alpha = SHARE * largest_alpha(loss, X, y, weights, penalty, l1_ratio)
    problem = X, y, weights, penalty, alpha, l1_ratio
    W, b, _ = sparse_optimum(loss, *problem)
    model = fitted(FORMS[form](X), *problem[1:], cls=LinearClassifier, loss=loss)
    assert_same_optimum(model, W, b, problem, loss)
    np.testing.assert_allclose(model.coef_, W, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
def test_weights_are_zero_from_the_largest_alpha_on(penalty, l1_ratio, n_classes):
    X, y, weights = sparse_table(n_classes)
    most = largest_alpha("softmax", X, y, weights, penalty, l1_ratio)
    for share, expected in ((1.001, False), (0.99, True)):
        model = fitted(X, y, weights, penalty, share * most, l1_ratio)
        assert model.coef_.any() == expected


@pytest.mark.oracle
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("penalty", "l1_ratio"), [pair for pair in PENALTIES if pair[0] != "group"])
def test_optimum_is_that_of_saga(penalty, l1_ratio, n_classes):
    X, y, weights = sparse_table(n_classes)
    alpha = SHARE * largest_alpha("softmax", X, y, weights, penalty, l1_ratio)
    C = 1 / (alpha * weights.sum())
    saga = LogisticRegression(
        solver="saga", C=C, tol=1e-12, max_iter=20_000, random_state=0, **elastic_net(l1_ratio)
    ).fit(X, y, weights)
    problem = X, y, weights, penalty, alpha, l1_ratio
    assert_same_optimum(fitted(*problem), saga.coef_, saga.intercept_, problem)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:.*is faster on contiguous arrays")  # a kernel of skglm
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
def test_optimum_is_that_of_skglm(penalty, l1_ratio):
    """Two classes without weights: a group is then one weight, so "group" is "l1"."""
    skglm = pytest.importorskip("skglm")
    X, y, _ = sparse_table(2)
    weights = np.ones(len(y))
    alpha = SHARE * largest_alpha("softmax", X, y, weights, penalty, l1_ratio)
    theirs = skglm.SparseLogisticRegression(alpha=alpha, l1_ratio=l1_ratio, tol=1e-12, max_iter=1000)
    theirs.fit(X, y)
    problem = X, y, weights, penalty, alpha, l1_ratio
    assert_same_optimum(fitted(*problem), theirs.coef_, theirs.intercept_, problem)


@pytest.mark.oracle
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("penalty", ["l1", "group"])
def test_optimum_is_that_of_cyanure(penalty, n_classes):
    """Its penalty "l1l2" on many classes is "group"; for two classes both are "l1"."""
    estimators = pytest.importorskip("cyanure.estimators")
    X, y, _ = sparse_table(n_classes)
    weights = np.ones(len(y))
    alpha = SHARE * largest_alpha("softmax", X, y, weights, penalty, 1.0)
    theirs = estimators.Classifier(
        loss="logistic",
        penalty="l1l2" if penalty == "group" and n_classes > 2 else "l1",
        lambda_1=alpha,
        fit_intercept=True,
        max_iter=5000,
        tol=1e-13,
        verbose=False,
    ).fit(X.copy(), y)
    W, b = np.atleast_2d(theirs.coef_), np.ravel(theirs.intercept_)
    problem = X, y, weights, penalty, alpha, 1.0
    assert_same_optimum(fitted(*problem), W if len(W) == len(b) else W.T, b, problem)


@pytest.mark.oracle
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
def test_optimum_is_that_of_cvxpy(penalty, l1_ratio, n_classes):
    """An interior point method: its zeros are small numbers."""
    cp = pytest.importorskip("cvxpy")
    X, y, weights = sparse_table(n_classes, n=60, d=8)
    alpha = SHARE * largest_alpha("softmax", X, y, weights, penalty, l1_ratio)
    rows = 1 if n_classes == 2 else n_classes
    W, b = cp.Variable((rows, X.shape[1])), cp.Variable((1, rows))
    scores = X @ W.T + np.ones((len(y), 1)) @ b
    if rows == 1:
        losses = cp.logistic(cp.multiply(1 - 2 * y, scores[:, 0]))
    else:
        losses = cp.log_sum_exp(scores, axis=1) - cp.sum(cp.multiply(np.eye(n_classes)[y], scores), axis=1)
    R = cp.sum(cp.norm(W, 2, axis=0)) if penalty == "group" else cp.sum(cp.abs(W))
    mean = weights / weights.sum() @ losses
    objective = mean + alpha * (l1_ratio * R + (1 - l1_ratio) / 2 * cp.sum_squares(W))
    exact = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
    cp.Problem(cp.Minimize(objective)).solve(solver="CLARABEL", **exact)
    problem = X, y, weights, penalty, alpha, l1_ratio
    assert_same_optimum(fitted(*problem), W.value, b.value[0], problem, zero=1e-5)


@pytest.mark.oracle
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("penalty", "l1_ratio"), PENALTIES)
def test_optima_along_a_path_are_those_of_adelie(penalty, l1_ratio, n_classes, form):
    try:
        adelie_process.version()
    except RuntimeError as fault:
        pytest.skip(str(fault))
    X, y, weights = sparse_table(n_classes)
    alphas = largest_alpha("softmax", X, y, weights, penalty, l1_ratio) * np.array([0.5, 0.2, 0.05])
    theirs = adelie_process.path(
        FORMS[form](X), y, alphas, penalty, l1_ratio=l1_ratio, sample_weight=weights, tol=1e-13
    )
    for alpha, W, b in zip(alphas, theirs.coefs, theirs.intercepts, strict=True):
        problem = X, y, weights, penalty, alpha, l1_ratio
        assert_same_optimum(fitted(*problem), W.toarray(), b, problem)
