"""Offsets, starts and priors that are far from the rows, overflow, or belong to classes without rows."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import SGDClassifier

from linclf import LinearClassifier, SoftmaxClassifier, SVMClassifier
from linclf._data.dataset import Dataset
from linclf._data.targets import Labels
from linclf._training.left_out import Task
from linclf._training.objective import Rows
from linclf._training.optimality import Optimality, gap, reached
from linclf._training.settings import Settings
from linclf._training.solvers import LBFGS
from linclf._training.train import fit_for
from linclf.losses import Softmax


def rows(n_classes):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 6))
    y = (X @ rng.normal(size=(6, 3)) + rng.normal(size=(200, 3))).argmax(axis=1)
    return X, (y > 0).astype(int) if n_classes == 2 else y


def objective(model, X, y, offset=0.0):
    """Mean log loss of two classes plus the penalty, in NumPy."""
    margins = np.where(y == 1, 1, -1) * (X @ model.coef_[0] + model.intercept_[0] + offset)
    return np.logaddexp(0, -margins).mean() + model.alpha / 2 * (model.coef_**2).sum()


# ---------------------------------------------------------------- far starts and large offsets


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_exact_solvers_leave_starts_that_are_worse_than_intercepts(solver):
    """Where the scores of all rows are far apart there is no curvature, and Newton's method fails."""
    X, y = load_iris(return_X_y=True)
    model = SoftmaxClassifier(solver=solver)
    best = clone(model).fit(X, y).history_["objective"][-1]
    for start in (
        {"intercept_init": [0.0, 40.0, 0.0]},
        {"coef_init": 100 * np.ones((3, 4)) * [[0], [1], [2]]},
    ):
        found = clone(model).fit(X, y, **start)
        assert found.history_["objective"][-1] == pytest.approx(best, rel=1e-3)
    warm = clone(model).set_params(warm_start=True).fit(X, y)
    warm.intercept_ = np.array([0.0, 40.0, 0.0])
    assert warm.fit(X, y).history_["objective"][-1] == pytest.approx(best, rel=1e-3)


def test_weights_of_another_model_of_unscaled_rows_are_a_start():
    X, y = load_breast_cancer(return_X_y=True)
    other = SGDClassifier(loss="log_loss", random_state=0).fit(X, y)
    best = SoftmaxClassifier().fit(X, y).history_["objective"][-1]
    model = SoftmaxClassifier().fit(X, y, coef_init=other.coef_, intercept_init=other.intercept_)
    assert model.history_["objective"][-1] == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "sgd"])
def test_the_gap_is_a_bound_if_no_row_has_curvature(solver):
    """Here the intercepts alone are wrong, by as much as they could be."""
    X, y = rows(2)
    model = SoftmaxClassifier(alpha=0.05, solver=solver, random_state=0)
    least = objective(clone(model).set_params(solver="newton", tol=1e-10).fit(X, y), X, y)
    for known in ({"offset": np.full(200, 1e4)}, {"intercept_init": [1000.0]}):
        found = clone(model).fit(X, y, **known)
        above = objective(found, X, y, known.get("offset", 0.0)) - least
        assert above <= found.optimality_gap_ + 1e-9
        assert above < 1e-3


def test_a_slope_without_curvature_gives_no_small_gap():
    X, y = rows(2)
    settings = Settings(0.05, True, 10, None, 1, 1, 0)
    task = Task(Dataset(X, Labels(y, 2), np.ones(len(y))))
    fit = fit_for(task, Softmax(), LBFGS(), settings, None, np.random.RandomState(0))
    rows_of = Rows(fit, fit.ids)
    V = np.zeros(fit.V.shape)
    fit.problem.storage.by_classes(V)[:, -1] = 1e4
    there = reached(rows_of, V)
    assert there.value > 1000
    assert gap(Optimality(rows_of), there) == there.value


@pytest.mark.parametrize("squared", [True, False])
def test_stochastic_steps_start_beside_a_large_offset(squared):
    """A constant offset only moves the intercept, and rows on the wrong side of a hinge show no way back."""
    X, y = rows(2)
    model = SVMClassifier(squared=squared, solver="sgd", alpha=0.05, random_state=0)
    plain, moved = clone(model).fit(X, y), clone(model).fit(X, y, offset=np.full(200, 500.0))
    np.testing.assert_allclose(moved.intercept_ + 500, plain.intercept_, atol=0.2)
    signs = np.where(y == 1, 1, -1)
    losses = [
        np.maximum(0, 1 - signs * (m.decision_function(X) + c)).mean() for m, c in ((plain, 0), (moved, 500))
    ]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_stochastic_steps_start_beside_the_intercepts_of_a_prior():
    X, y = rows(3)
    prior = SoftmaxClassifier(alpha=0.01).fit(X, y)
    score = prior.score(X, y)
    prior.intercept_ = np.array([0.0, 2000.0, 0.0])
    model = SVMClassifier(solver="sgd", random_state=0).fit(X, y, prior=prior)
    assert model.score(X, y) > score - 0.1


def lowest(X, y, prior, alpha):
    """The objective at its minimum: Newton's method on ever steeper versions of the loss, in NumPy."""
    Z, start = np.c_[X, np.ones(len(y))], np.r_[prior.coef_[0], prior.intercept_]
    Z, pull, theta = Z * np.where(y == 1, 1, -1)[:, None], np.r_[np.ones(X.shape[1]), 0], start.copy()

    def value(theta, width):
        losses = width * np.logaddexp(0, -Z @ theta / width)
        return losses.mean() + alpha / 2 * (pull * (theta - start) ** 2).sum()

    for width in np.geomspace(1e7, 1, 60):
        for _ in range(200):
            q = expit(-Z @ theta / width)
            g = alpha * pull * (theta - start) - Z.T @ q / len(y)
            H = (Z.T * (q * (1 - q) / width / len(y))) @ Z + alpha * np.diag(pull)
            unit = np.sqrt(np.diag(H))
            step = -np.linalg.lstsq(H / np.outer(unit, unit), g / unit, rcond=1e-14)[0] / unit
            length, here = 1.0, value(theta, width)
            while length > 1e-12 and value(theta + length * step, width) > here + 1e-4 * length * (g @ step):
                length /= 2
            if length <= 1e-12 or -g @ step < 1e-10 * max(here, 1):
                break
            theta = theta + length * step
    return value(theta, 1.0)


def test_a_prior_whose_scores_are_far_apart():
    """Scores up to 4e6, of weights for unscaled rows: hardly a row has curvature on the way."""
    X, y = load_breast_cancer(return_X_y=True)
    prior = SGDClassifier(loss="log_loss", random_state=0).fit(X, y)
    assert np.abs(prior.decision_function(X)).max() > 1e6
    for alpha in (1e-4, 1e-2):
        model, expected = SoftmaxClassifier(alpha=alpha).fit(X, y, prior=prior), lowest(X, y, prior, alpha)
        pulled = alpha / 2 * ((model.coef_ - prior.coef_) ** 2).sum()
        reached = objective(model, X, y) - alpha / 2 * (model.coef_**2).sum() + pulled
        assert model.solver_ == "lbfgs"
        assert reached == pytest.approx(expected, rel=1e-4)
        assert model.history_["objective"][-1] == pytest.approx(reached)


# ---------------------------------------------------------------- classes without weight


def test_a_prior_for_rows_of_one_class():
    X, y = rows(3)
    prior = SoftmaxClassifier(alpha=0.01).fit(X + 1, y)
    model = SoftmaxClassifier().fit(X, y, (y == 0) * 1.0, prior=prior)
    assert (model.predict(X) == 0).all()
    np.testing.assert_allclose(model.coef_[0], prior.coef_[0])
    kept = SoftmaxClassifier(fit_intercept=False).fit(X, y, (y == 0) * 1.0, prior=prior)
    np.testing.assert_array_equal(kept.coef_, prior.coef_)
    np.testing.assert_array_equal(kept.intercept_, prior.intercept_)


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "sgd"])
def test_without_intercepts_classes_without_weight_keep_the_prior(solver):
    X, y = rows(3)
    prior, weights = SoftmaxClassifier(alpha=0.01).fit(X + 1, y), np.where(y == 2, 0, 1.0)
    model = SoftmaxClassifier(fit_intercept=False, solver=solver, random_state=0)
    strong = clone(model).set_params(alpha=1e6).fit(X, y, weights, prior=prior)
    np.testing.assert_allclose(strong.predict_proba(X), prior.predict_proba(X), atol=1e-5)
    weak = clone(model).set_params(alpha=0.05).fit(X, y, weights, prior=prior)
    np.testing.assert_array_equal(weak.coef_[2], prior.coef_[2])
    assert weak.intercept_[2] == prior.intercept_[2]
    assert np.abs(weak.coef_[:2] - prior.coef_[:2]).max() > 0.01


def test_growth_after_a_fit_to_one_of_two_classes():
    """All intercepts start at 0, not at that of the class that had rows."""
    X, y = load_iris(return_X_y=True)
    first = y < 2
    model = LinearClassifier(
        loss="one-vs-rest-logistic", on_new_class="add", solver="sgd", learning_rate=1e-9, random_state=0
    )
    model.fit(X[first], y[first], (y[first] == 0) * 1.0)
    model.partial_fit(X, y)
    np.testing.assert_allclose(model.intercept_, 0, atol=1e-3)


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize("offset", [None, np.zeros((200, 3))])
def test_one_weight_for_all_validation_rows(offset):
    X, y = rows(3)
    model, known = SoftmaxClassifier(random_state=0), {"offset": offset, "offset_val": offset}
    one = clone(model).fit(X, y, X_val=X, y_val=y, sample_weight_val=2.0, **known)
    each = clone(model).fit(X, y, X_val=X, y_val=y, sample_weight_val=np.full(200, 2.0), **known)
    np.testing.assert_array_equal(one.coef_, each.coef_)
    two = clone(model).fit(X, y, 2.0, offset=offset)
    np.testing.assert_array_equal(two.coef_, clone(model).fit(X, y, np.full(200, 2.0), offset=offset).coef_)


def test_a_model_as_its_own_prior_knows_its_columns():
    pd = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    table = pd.DataFrame(X, columns=list("abcd"))
    model = SoftmaxClassifier(alpha=10.0).fit(table, y)
    with pytest.raises(ValueError, match="column 0 of X is 'd', but prior was fitted with 'a' there"):
        model.fit(table[list("dcba")], y, prior=model)
    before = model.coef_
    other = clone(model).fit(table, y, prior=model)
    np.testing.assert_array_equal(model.fit(table, y, prior=model).coef_, other.coef_)
    assert not np.array_equal(model.coef_, before)


def test_a_stream_does_not_drop_the_intercepts_of_a_prior():
    X, y = rows(3)
    prior = SoftmaxClassifier(alpha=0.01).fit(X + 1, y)
    model = SoftmaxClassifier(fit_intercept=False, random_state=0).fit(X, y, prior=prior)
    with pytest.raises(ValueError, match=r"the last fit has intercepts that reach .*use fit_intercept=True"):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(model.intercept_, prior.intercept_)
    model.set_params(fit_intercept=True).partial_fit(X, y)


def test_scores_that_overflow_the_rows_are_refused():
    X, y = rows(3)
    single, large = X.astype(np.float32), np.full((200, 3), -1e39)
    model = SoftmaxClassifier()
    with pytest.raises(ValueError, match=r"offset reaches 1e\+39, and scores of float32 rows hold"):
        model.fit(single, y, offset=large)
    model.fit(single, y)
    with pytest.raises(ValueError, match=r"offset reaches 1e\+39, and scores of float32 rows hold"):
        model.predict(single, offset=large)
    assert model.fit(X, y).predict(X, offset=large).shape == y.shape
    model.coef_ = np.full((3, 6), 1e39)
    with pytest.raises(ValueError, match=r"weights of prior reach 1e\+39, and its scores overflow float32"):
        SoftmaxClassifier().fit(single, y, prior=model)
