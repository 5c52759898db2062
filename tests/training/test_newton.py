"""solver="newton": the optimum of every smooth loss, for any format, scale and class share."""

import naive
import numpy as np
import pytest
from reference import softmax_optimum
from scipy import sparse
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning

from linclf import (
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)
from linclf._training import explicit, held
from linclf._training.newton_steps import NewtonSteps
from linclf._training.objective import Rows
from linclf.losses import LOSSES
from linclf.losses._registry import trait

EXACT = {"solver": "newton", "tol": 1e-13}
SMOOTH = [name for name, loss in LOSSES.items() if trait(loss, "smooth") and trait(loss, "head").equivariant]
LINEAR = [name for name in SMOOTH if not trait(LOSSES[name], "gradient_jumps")]
NAIVE = {
    "softmax": lambda f, y: naive.cross_entropy(f, y, 0.0, 1.0),
    "one-vs-rest-logistic": naive.one_vs_rest_logistic,
    "focal": lambda f, y: naive.focal(f, y, 2.0),
    "sparsemax": naive.sparsemax_loss,
    "entmax": lambda f, y: naive.entmax_loss(f, y, 1.5),
    "squared-weston-watkins": lambda f, y: naive.squared_weston_watkins(f, y, 1.0),
    "squared-one-vs-rest": lambda f, y: naive.squared_one_vs_rest(f, y, 1.0),
}


@pytest.fixture(params=["explicit", "held", "by rows"])
def each_model(request, monkeypatch):
    """The explicit Hessian, rows held in memory, and a new pass over the rows for each product."""
    if request.param != "explicit":
        monkeypatch.setattr(explicit, "MOST", 0)
    if request.param == "by rows":
        monkeypatch.setattr(held, "MOST", 0)


def table(n_classes=3, n=90, d=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.logspace(-1, 2, d) + 3
    scores = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.normal(size=(d, n_classes))
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1), rng.uniform(0.2, 3, n)


# ---------------------------------------------------------------- the optimum


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", LINEAR)
def test_nothing_lower_is_found(name, n_classes, each_model):
    """SciPy, with a NumPy objective and started at the solution, finds nothing lower."""
    X, y, weights = table(n_classes)
    model = LinearClassifier(loss=name, alpha=1e-2, **EXACT).fit(X, y, sample_weight=weights)
    # two classes are trained with two columns, and their difference is published
    W, b, alpha = model.coef_, model.intercept_, 1e-2
    if n_classes == 2:
        W, b, alpha = np.vstack([-W, W]) / 2, np.append(-b, b) / 2, 2e-2
    start, loss = np.column_stack([W, b]).ravel(), NAIVE[name]
    if n_classes == 2:  # the same problem, with one vector of weights
        resolved = {"squared-one-vs-rest": "squared-weston-watkins", "one-vs-rest-logistic": "softmax"}
        loss = NAIVE[resolved.get(name, name)]

    def objective(parameters):
        V = parameters.reshape(n_classes, -1)
        scores = X @ V[:, :-1].T + V[:, -1]
        losses = np.array([loss(f, label) for f, label in zip(scores, y, strict=True)])
        return weights @ losses / weights.sum() + alpha / 2 * np.sum(V[:, :-1] ** 2)

    assert model.history_["objective"][-1] == pytest.approx(objective(start), rel=1e-9)
    assert minimize(objective, start, options={"maxiter": 20}).fun > objective(start) - 1e-9


@pytest.mark.parametrize("alpha", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_unscaled_tables(load, alpha, distance_left):
    X, y = load(return_X_y=True)
    model = SoftmaxClassifier(alpha=alpha).fit(X, y)
    assert model.solver_ == "newton"
    assert distance_left(model, X, y) < 1e-4
    assert model.n_iter_ < 30


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "csr"])
def test_formats_and_weights(form, dtype, each_model):
    X, y, weights = table(4, n=300)
    model = SoftmaxClassifier(alpha=1e-3, **EXACT).fit(form(X.astype(dtype)), y, sample_weight=weights)
    W, b = softmax_optimum(X.astype(dtype).astype(float), np.eye(4)[y], weights, 1e-3)
    rtol = 1e-6 if dtype == np.float64 else 2e-3
    np.testing.assert_allclose(model.coef_, W, rtol=rtol, atol=rtol * np.abs(W).max())
    np.testing.assert_allclose(model.intercept_ - model.intercept_.mean(), b - b.mean(), atol=10 * rtol)


def test_wide_sparse_rows():
    """Too many features for a factor, too sparse to be filled: the diagonal is used."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((400, 2000), density=0.01, format="csr", rng=rng)
    y = (X @ rng.normal(size=(2000, 3)) + 0.1 * rng.gumbel(size=(400, 3))).argmax(axis=1)
    newton, lbfgs = (
        SoftmaxClassifier(solver=solver, alpha=1e-4, tol=1e-9).fit(sparse.csr_array(X), y)
        for solver in ("newton", "lbfgs")
    )
    assert newton.history_["objective"][-1] == pytest.approx(lbfgs.history_["objective"][-1], rel=1e-8)
    np.testing.assert_allclose(newton.coef_, lbfgs.coef_, atol=1e-3 * np.abs(newton.coef_).max())


def test_nearly_full_sparse_rows_are_trained_as_dense_ones():
    X, y = load_wine(return_X_y=True)
    dense, filled = (SoftmaxClassifier().fit(form(X), y) for form in (np.asarray, sparse.csr_array))
    np.testing.assert_array_equal(dense.coef_, filled.coef_)
    np.testing.assert_array_equal(dense.intercept_, filled.intercept_)


def test_soft_labels_and_no_intercept():
    X, _ = load_iris(return_X_y=True)
    Q = np.random.default_rng(0).dirichlet([0.5, 0.5, 0.5], len(X))
    model = SoftmaxClassifier(alpha=1e-2, **EXACT).fit(X, Q)
    W, _ = softmax_optimum(X, Q, np.ones(len(X)), 1e-2)
    np.testing.assert_allclose(model.coef_, W, rtol=1e-6, atol=1e-8)
    without = SoftmaxClassifier(alpha=1e-2, fit_intercept=False, **EXACT).fit(X, Q)
    p = without.predict_proba(X)
    # the weights satisfy the first-order conditions
    np.testing.assert_allclose(without.coef_, (Q - p).T @ X / len(X) / 1e-2, rtol=1e-5, atol=1e-7)


def test_squared_hinges_take_soft_labels_by_differences():
    X, y, _ = table(3)
    Q = np.eye(3)[y]
    soft, hard = (SVMClassifier(squared=True, alpha=1e-2, **EXACT).fit(X, labels) for labels in (Q, y))
    np.testing.assert_allclose(soft.coef_, hard.coef_, rtol=1e-5, atol=1e-7)


def test_fewer_rows_than_features():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(72, 7129)).astype(np.float32), np.arange(72) % 3
    model = SoftmaxClassifier(alpha=1e-2).fit(X, y)
    assert model.solver_ == "newton"
    p = model.predict_proba(X).astype(float)
    np.testing.assert_allclose(model.coef_, (np.eye(3)[y] - p).T @ X / 72 / 1e-2, atol=2e-4)


# ---------------------------------------------------------------- what used to stop early, or late


def test_probabilities_of_a_rare_class_add_up_to_its_rows():
    """29 of 400,000 rows in a real case: the gradient at zero weights says nothing about its weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60_000, 6))
    odds = 1.5 * X[:, 0] - X[:, 1] + 0.8 * X[:, 2] - 9.5
    y = (rng.random(len(X)) < 1 / (1 + np.exp(-odds))).astype(int)
    assert 5 < y.sum() < 60
    for solver in ("newton", "lbfgs"):
        model = SoftmaxClassifier(solver=solver, alpha=1e-7).fit(X, y)
        assert model.predict_proba(X)[:, 1].sum() == pytest.approx(y.sum(), rel=1e-2)


def test_heavy_tails_are_no_obstacle(distance_left):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 12))
    X[:, :6] = np.exp(2 * X[:, :6])
    y = (np.log(X[:, :3]) + rng.gumbel(size=(5000, 3)) * 2).argmax(axis=1)
    assert distance_left(SoftmaxClassifier(alpha=1e-4).fit(X, y), X, y) < 1e-4


@pytest.mark.parametrize("value", [1e3, 1e5])
def test_one_value_far_from_all_others_does_not_cost_its_column(value, distance_left):
    """Such as -99999 for missing: steps are short until the row is classified with confidence.

    scikit-learn's issues 15556 and 7486 report fits that end early because of such values.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 5))
    y = (X @ rng.normal(size=(5, 3)) * 2 + rng.gumbel(size=(600, 3))).argmax(axis=1)
    X[7, 3], X[20, 4] = value, -value
    assert distance_left(SoftmaxClassifier(alpha=1e-4, solver="newton").fit(X, y), X, y) < 1e-4


def test_scores_of_wide_sparse_rows_are_looked_at_many_rows_at_once(monkeypatch):
    """The size of blocks follows the stored values: with 8 values of 20,000, they used to have six rows."""
    looked, sizes, blocks = NewtonSteps.was_local, [], Rows.blocks

    def was_local(steps):
        with monkeypatch.context() as patched:
            patched.setattr(Rows, "blocks", lambda rows, size: sizes.append(size) or blocks(rows, size))
            return looked(steps)

    monkeypatch.setattr(NewtonSteps, "was_local", was_local)
    monkeypatch.setattr("linclf._training.solvers.newton.NOTHING", 0.0)  # so that it is called
    X = sparse.random_array((3_000, 20_000), density=8 / 20_000, rng=np.random.default_rng(0), format="csr")
    SoftmaxClassifier(solver="newton").fit(X, np.arange(3_000) % 3)
    assert min(sizes) >= 3_000


@pytest.mark.parametrize("n", [1024, 1025])
def test_one_row_more_is_no_cliff(n):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, 64)) / 8
    y = np.arange(n) % 20
    X = (centres[y] + 1.5 * rng.normal(size=(n, 64)) / 8).astype(np.float32)
    model = SoftmaxClassifier().fit(X, y)
    assert model.solver_ == "newton"
    assert model.n_iter_ < 20


# ---------------------------------------------------------------- stopping


def test_tol_is_the_share_of_the_way_that_may_be_left(distance_left):
    X, y = load_digits(return_X_y=True)
    counts = []
    for tol in (1e-1, 1e-3, 1e-6):
        model = SoftmaxClassifier(solver="newton", tol=tol).fit(X, y)
        assert distance_left(model, X, y) <= tol
        counts.append(model.n_iter_)
    assert counts[0] < counts[1] < counts[2]


def test_too_few_iterations_say_what_is_left():
    X, y = load_digits(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match=r"max_iter=3 iterations were not enough.*raise max_iter"):
        model = SoftmaxClassifier(solver="newton", max_iter=3).fit(X, y)
    assert model.n_iter_ == 3
    quiet = SoftmaxClassifier(solver="newton", max_iter=3, tol=None).fit(X, y)
    np.testing.assert_array_equal(quiet.coef_, model.coef_)


def test_digits_of_float32_excuse_no_early_end():
    """Few weights are trained in float64, for any dtype of X."""
    X, y, _ = table(3, n=300, d=3)
    with pytest.warns(ConvergenceWarning, match="max_iter=3 iterations were not enough"):
        SoftmaxClassifier(solver="newton", tol=1e-12, max_iter=3).fit(X.astype(np.float32), y)


def test_sparse_columns_that_float32_cannot_hold():
    """The inverse of a sample is float32, where a column of 1e39 was infinite."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((1800, 20), density=0.05, rng=rng)
    y = (X @ rng.normal(size=(20, 3)) + 0.1 * rng.gumbel(size=(1800, 3))).argmax(axis=1)
    unit = np.ones(20)
    unit[3] = 1e39
    plain, long = (
        SoftmaxClassifier(solver="newton", alpha=1e-3).fit(sparse.csr_array(X * units), y)
        for units in (np.where(unit > 1, 0.0, 1.0), unit)
    )
    assert np.isfinite(long.coef_).all()
    assert long.history_["objective"][-1] <= plain.history_["objective"][-1] * (1 + 1e-4)


@pytest.mark.parametrize("spread", [1e-6, 1e-10])
def test_a_column_of_little_spread_slows_no_step(spread):
    """The ridge was a share of the mean curvature, most of which was the penalty of that column: 50 steps."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 60))
    X[:, 0] *= spread
    y = (X @ rng.normal(size=(60, 8)) + rng.normal(size=(2000, 8))).argmax(axis=1)
    assert SoftmaxClassifier(solver="newton", alpha=1e-3).fit(X, y).n_iter_ <= 8


def test_axes_of_nothing_but_rounding_slow_no_step():
    """Columns of 60 digits depend on each other, so that rotated ones have spreads of 1e-14: 86 steps."""
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:60]
    assert SoftmaxClassifier(alpha=1e-3).fit(X[rows] / 16, y[rows]).n_iter_ <= 20


def test_warm_start_at_the_optimum_stays():
    X, y = load_digits(return_X_y=True)
    model = SoftmaxClassifier(solver="newton", tol=1e-8, warm_start=True).fit(X, y)
    before = model.coef_.copy()
    model.fit(X, y)
    assert model.n_iter_ <= 3
    np.testing.assert_allclose(model.coef_, before, atol=1e-4 * np.abs(before).max())


def test_labels_that_say_nothing_end_at_once():
    """Every row occurs twice, once in each class: the prior is the optimum, without a warning."""
    X = np.random.default_rng(0).normal(size=(50, 4))
    model = SoftmaxClassifier(solver="newton").fit(np.vstack([X, X]), np.repeat([0, 1], 50))
    assert np.abs(model.coef_).max() < 1e-12
    assert model.n_iter_ == 1


def test_a_loss_that_is_not_convex_goes_down_all_the_same():
    X, y, _ = table(3, n=400)
    model = FocalClassifier(gamma=4.0, alpha=1e-4, solver="newton").fit(X, y)
    objective = model.history_["objective"]
    assert objective == sorted(objective, reverse=True)
    assert not hasattr(model, "optimality_gap_")


# ---------------------------------------------------------------- what it refuses


def test_rounding_at_the_minimum_of_a_loss_that_is_not_convex_is_no_alarm():
    """Conjugate gradients of pure rounding mean nothing; scikit-learn's issue 18074 reports such cases."""
    X, y = load_iris(return_X_y=True)
    for seed in range(30):  # for some of them the last direction had no correct digits
        rng = np.random.RandomState(seed)
        rows = rng.choice(150, rng.randint(30, 150), replace=False)
        FocalClassifier(alpha=10.0 ** rng.randint(-5, 0)).fit(X[rows], y[rows])  # a warning is an error


def test_losses_with_kinks_and_on_cosines():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"needs a smooth loss, and WestonWatkins"):
        SVMClassifier(solver="newton").fit(X, y)
    with pytest.raises(ValueError, match=r"a gradient without jumps, and that of SquaredCrammerSinger"):
        LinearClassifier(loss="squared-crammer-singer", solver="newton").fit(X, y)
    with pytest.raises(ValueError, match=r"linear in the weights, and CosFace.*solver='lbfgs' or 'sgd'"):
        MarginSoftmaxClassifier(solver="newton").fit(X, y)


@pytest.mark.parametrize(
    ("settings", "solver"),
    [
        ({}, "newton"),
        ({"early_stopping": True}, "sgd"),
        ({"learning_rate": 0.1}, "sgd"),
        ({"batch_size": 8}, "sgd"),
        ({"average": True}, "sgd"),
        ({"shuffle": False}, "sgd"),
        ({"solver": "lbfgs"}, "lbfgs"),
        ({"solver": "adam"}, "adam"),
    ],
    ids=repr,
)
def test_what_auto_takes(settings, solver):
    X, y = load_iris(return_X_y=True)
    assert SoftmaxClassifier(**settings).fit(X, y).solver_ == solver


@pytest.mark.parametrize(
    ("settings", "solver"),
    [
        ({}, "dual"),
        ({"squared": True}, "newton"),
        ({"alpha": 0.0}, "sgd"),
        ({"early_stopping": True}, "sgd"),
        ({"batch_size": 8}, "sgd"),
    ],
    ids=repr,
)
def test_what_auto_takes_of_hinges(settings, solver):
    X, y = load_iris(return_X_y=True)
    assert SVMClassifier(**settings).fit(X, y).solver_ == solver


def test_hinges_of_many_rows_and_of_soft_labels():
    X, y = load_iris(return_X_y=True)
    assert SVMClassifier(max_iter=2).fit(np.repeat(X, 200, axis=0), np.repeat(y, 200)).solver_ == "sgd"
    assert SVMClassifier().fit(X, np.eye(3)[y]).solver_ == "sgd"


def test_what_auto_takes_of_wide_rows_and_of_cosines():
    rng = np.random.default_rng(0)
    X = sparse.random_array((1200, 900), density=0.02, format="csr", rng=rng)
    y = np.arange(1200) % 3
    assert SoftmaxClassifier(alpha=1e-2).fit(sparse.csr_array(X), y).solver_ == "lbfgs"
    assert MarginSoftmaxClassifier(max_iter=2).fit(X, y).solver_ == "sgd"


@pytest.mark.parametrize(("n_classes", "solver"), [(128, "newton"), (129, "lbfgs")])
def test_what_auto_takes_of_many_classes(n_classes, solver):
    X = np.random.default_rng(0).normal(size=(2 * n_classes, 8))
    assert SoftmaxClassifier(alpha=1e-2).fit(X, np.arange(len(X)) % n_classes).solver_ == solver
