"""``standardize=True`` gives the model of the same classifier behind a scaler, in the units of X."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from versions import HAS_CALLBACKS

import linclf
from linclf import (
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)
from linclf._data.dataset import Dataset
from linclf._data.targets import Labels
from linclf._training import coordinates
from linclf._training.left_out import Task
from linclf._training.settings import Settings
from linclf._training.solvers import LBFGS, Dual, Newton
from linclf._training.spread import spread_of
from linclf._training.train import fit_for
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.losses import Softmax, WestonWatkins

EXACT = ("newton", "lbfgs")
SMOOTH = (
    "softmax",
    "focal",
    "entmax",
    "sparsemax",
    "squared-weston-watkins",
    "squared-one-vs-rest",
)
HINGES = "weston-watkins", "crammer-singer", "one-vs-rest"
FACES = "normface", "cosface", "arcface", "sphereface"


@pytest.fixture(scope="module")
def wine():
    """178 rows of 13 columns with standard deviations between 0.1 and 314."""
    return load_wine(return_X_y=True)


@pytest.fixture(scope="module")
def uneven():
    """Overlapping classes; standard deviations from 1e-9 to 1e9, offsets up to 1e6, and a constant column."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 7)), rng.integers(0, 4, 400)
    X[np.arange(400), y] += 1.5
    X = X * np.array([1e-9, 1e-4, 1.0, 1.0, 30.0, 1e4, 1e9]) + np.array([0, 1, 1e6, -1e6, 0, 1e6, 0])
    X[:, 4] = 0.1
    return X, y


@pytest.fixture(params=["rotated", "as they are"])
def size(request, monkeypatch):
    """As a small table, and as one too large for a copy."""
    if request.param != "rotated":
        monkeypatch.setattr(coordinates, "ROTATED_VALUES", 0)


def scaled(X, with_mean=True, weights=None):
    """The twin's training rows, and the scale: StandardScaler's, or root mean squares for sparse rows."""
    if sparse.issparse(X):
        scale = np.sqrt(np.average(X.toarray().astype(np.float64) ** 2, axis=0, weights=weights))
        scale[scale == 0] = 1
        return sparse.csr_array(X @ sparse.diags_array(1 / scale)).astype(X.dtype), scale
    scaler = StandardScaler(with_mean=with_mean).fit(X.astype(np.float64), sample_weight=weights)
    return scaler.transform(X.astype(np.float64)).astype(X.dtype), scaler.scale_


def assert_twins(model, X, y, tolerance=1e-9, validation=None, **arguments):
    """With ``standardize=True`` on X, the model has the scores of the same model on scaled columns."""
    model = clone(model).set_params(standardize=True)
    twin = clone(model).set_params(standardize=False)
    Z, scale = scaled(X, model.fit_intercept, arguments.get("sample_weight"))
    if validation is not None:
        X_val, y_val = validation
        scaler = StandardScaler().fit(X)
        model.fit(X, y, X_val=X_val, y_val=y_val, **arguments)
        twin.fit(Z, y, X_val=scaler.transform(X_val), y_val=y_val, **arguments)
    else:
        model.fit(X, y, **arguments)
        twin.fit(Z, y, **arguments)
    expected = twin.decision_function(Z)
    np.testing.assert_allclose(
        model.decision_function(X), expected, rtol=0, atol=tolerance * np.abs(expected).max()
    )
    objective, of_twin = (each.history_["objective"][-1] for each in (model, twin))
    assert objective == pytest.approx(of_twin, rel=tolerance, abs=1e-300)
    assert model.coef_.dtype == X.dtype
    if hasattr(model, "optimality_gap_") or hasattr(twin, "optimality_gap_"):
        assert model.optimality_gap_ == pytest.approx(twin.optimality_gap_, rel=1e-3, abs=tolerance)
    return model, twin, scale


# ------------------------------------------------------------ the optimum


@pytest.mark.parametrize("loss", SMOOTH)
@pytest.mark.parametrize("solver", [*EXACT, "sgd"])
@pytest.mark.usefixtures("size")
def test_smooth_losses(wine, loss, solver):
    model = LinearClassifier(loss=loss, solver=solver, alpha=1e-2, max_iter=200, random_state=0)
    if solver == "newton" and loss in ("entmax", "sparsemax"):
        model.set_params(tol=1e-6)
    model, twin, scale = assert_twins(model, *wine, tolerance=1e-6)
    largest = np.abs(twin.coef_).max()
    np.testing.assert_allclose(model.coef_ * scale, twin.coef_, rtol=0, atol=1e-6 * largest)


@pytest.mark.parametrize("loss", HINGES)
@pytest.mark.parametrize("solver", ["dual", "sgd"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.usefixtures("size")
def test_hinges(wine, loss, solver, n_classes):
    X, y = wine
    model = LinearClassifier(loss=loss, solver=solver, alpha=1e-2, max_iter=100, random_state=0)
    assert_twins(model, X, np.minimum(y, n_classes - 1), tolerance=1e-6)


@pytest.mark.parametrize("solver", [*EXACT, "sgd"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_dense_rows(wine, solver, fit_intercept, dtype, n_classes):
    """Without an intercept, the twin does not centre either."""
    X, y = wine[0].astype(dtype), np.minimum(wine[1], n_classes - 1)
    model = SoftmaxClassifier(alpha=1e-2, solver=solver, fit_intercept=fit_intercept, random_state=0)
    assert_twins(model, X, y, tolerance=3e-3 if dtype == np.float32 else 1e-6)


@pytest.mark.parametrize("solver", [*EXACT, "sgd", "adam"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows(solver, fit_intercept, dtype):
    """By root mean squares, for few columns and for many."""
    rng = np.random.default_rng(0)
    for d in (20, 120):
        X = sparse.random_array((300, d), density=0.1, rng=rng, data_sampler=rng.standard_normal)
        X = sparse.csr_array(X @ sparse.diags_array(np.logspace(-2, 2, d))).astype(dtype)
        y = np.asarray((X @ rng.normal(size=(d, 3)) / np.logspace(-2, 2, d).mean()).argmax(axis=1))
        y[:60] = rng.integers(0, 3, 60)
        model = SoftmaxClassifier(alpha=1e-2, solver=solver, fit_intercept=fit_intercept, random_state=0)
        assert_twins(model, X, y, tolerance=5e-3 if dtype == np.float32 else 1e-6)


def test_sparse_hinges(wine):
    X, y = sparse.csr_array(wine[0]), wine[1]
    for solver in ("dual", "sgd"):
        assert_twins(SVMClassifier(alpha=1e-2, solver=solver, random_state=0), X, y, tolerance=1e-6)


def test_sparse_columns_that_lbfgs_could_not_scale():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5)) * (rng.random((200, 5)) < 0.3)
    y = (X[:, 0] > 0).astype(int)
    X[:, 1] *= 1e12
    assert_twins(SoftmaxClassifier(alpha=1e-2, solver="lbfgs"), sparse.csr_array(X), y, tolerance=1e-6)


@pytest.mark.parametrize("solver", [*EXACT, "sgd", "dual"])
@pytest.mark.usefixtures("size")
def test_scales_offsets_and_a_constant_column(uneven, solver):
    X, y = uneven
    loss = "one-vs-rest" if solver == "dual" else "softmax"
    model = LinearClassifier(loss=loss, alpha=1e-2, solver=solver, random_state=0)
    model, _, _ = assert_twins(model, X, y, tolerance=1e-5)
    np.testing.assert_allclose(model.coef_[:, 4], 0, atol=1e-12)


@pytest.mark.parametrize("solver", [*EXACT, "sgd"])
def test_offsets_cost_no_digits_of_single_precision(solver):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(300, 4)) + np.array([0, 1e5, -1e5, 0])).astype(np.float32)
    y = (X[:, 1] - 1e5 + rng.normal(size=300) > 0).astype(int)
    model = SoftmaxClassifier(alpha=1e-2, solver=solver, standardize=True, random_state=0).fit(X, y)
    Z = StandardScaler().fit_transform(X.astype(np.float64))
    twin = SoftmaxClassifier(alpha=1e-2, solver=solver, random_state=0).fit(Z, y)
    np.testing.assert_allclose(model.coef_, twin.coef_ / X.std(axis=0, dtype=np.float64), atol=2e-3)


def test_the_unit_of_a_column_does_not_matter(wine):
    X, y = wine
    units = np.logspace(-9, 9, 13)
    model = SoftmaxClassifier(alpha=1e-2, standardize=True)
    before = clone(model).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(clone(model).fit(X * units, y).predict_proba(X * units), before, atol=1e-9)


def test_accuracy_of_logistic_regression_behind_a_scaler(wine):
    X, y = wine
    n = len(y) * 4 / 5  # rows of a fold
    rival = make_pipeline(StandardScaler(), LogisticRegression(C=1 / (1e-2 * n), tol=1e-8, max_iter=1000))
    model = SoftmaxClassifier(alpha=1e-2, standardize=True)
    assert cross_val_score(model, X, y).mean() == pytest.approx(
        cross_val_score(rival, X, y).mean(), abs=1e-12
    )


def test_liblinear_behind_a_scaler(wine):
    """Without intercepts, which LIBLINEAR penalises."""
    X, y = wine[0], (wine[1] == 1).astype(int)
    Z = StandardScaler(with_mean=False).fit_transform(X)
    model = SVMClassifier(alpha=0.1, solver="dual", fit_intercept=False, standardize=True, tol=1e-8).fit(X, y)
    rival = LinearSVC(
        loss="hinge", C=1 / (0.1 * len(y)), fit_intercept=False, tol=1e-9, max_iter=1_000_000, random_state=0
    )
    expected = rival.fit(Z, y).decision_function(Z)
    np.testing.assert_allclose(model.decision_function(X), expected, atol=1e-4 * np.abs(expected).max())


def test_a_numeric_step_is_in_standardised_units(wine):
    for X in (wine[0], sparse.csr_array(wine[0])):
        model = SoftmaxClassifier(learning_rate=0.1, batch_size=16, max_iter=20, random_state=0)
        assert_twins(model, X, wine[1])


# ------------------------------------------------------------ what it is combined with


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_weights(wine, kind):
    """A weight of k is k copies, 0 removes a row, and the spread is that of the weighted rows."""
    X, y = wine
    weights = np.random.default_rng(0).integers(0, 3, len(y))  # 256 rows at most, for 7 digits
    copies = np.repeat(np.arange(len(y)), weights)
    for model in (SoftmaxClassifier(alpha=1e-2), SVMClassifier(alpha=1e-2), SoftmaxClassifier(solver="sgd")):
        model.set_params(standardize=True)
        weighted = clone(model).fit(kind(X), y, sample_weight=weights)
        repeated = clone(model).fit(kind(X[copies]), y[copies])
        largest = np.abs(repeated.decision_function(kind(X))).max()
        np.testing.assert_allclose(
            weighted.decision_function(kind(X)), repeated.decision_function(kind(X)), atol=1e-6 * largest
        )


def test_class_weights_count_in_the_spread(wine):
    X, y = wine
    model = SoftmaxClassifier(alpha=1e-2, class_weight={0: 3.0, 1: 1.0, 2: 0.5}, standardize=True).fit(X, y)
    weights = np.array([3.0, 1.0, 0.5])[y]
    twin, _, _ = assert_twins(SoftmaxClassifier(alpha=1e-2), X, y, sample_weight=weights)
    np.testing.assert_allclose(model.decision_function(X), twin.decision_function(X), atol=1e-9)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("loss", ["softmax", "normface"])
def test_held_out_rows_do_not_count(wine, kind, loss):
    """Even if they are far out: only training rows determine the spread."""
    X, y = wine
    model = LinearClassifier(loss=loss, early_stopping=True, standardize=True, max_iter=20, random_state=0)
    before = clone(model).fit(kind(X), y)
    test = linclf._data.dataset.split(
        Dataset(X, Labels(y, 3), np.ones(len(y))), 0.1, np.random.RandomState(0)
    )[1].chosen
    far = X.copy()
    far[test] *= 1 + 1e-3 * np.arange(13)  # so little that the best epoch does not change
    after = clone(model).fit(kind(far), y)
    assert after.n_iter_ == before.n_iter_
    np.testing.assert_allclose(after.coef_, before.coef_, rtol=1e-9)


def test_validation_rows_are_in_the_units_of_X(wine):
    X, y = wine
    model = SoftmaxClassifier(solver="sgd", max_iter=30, random_state=0)
    assert_twins(model, X[::2], y[::2], validation=(X[1::2], y[1::2]))
    model, _, _ = assert_twins(
        MarginSoftmaxClassifier(max_iter=30, random_state=0), X[::2], y[::2], validation=(X[1::2], y[1::2])
    )
    assert "validation_loss" in model.history_


def test_soft_labels_two_classes_and_calibration(wine):
    X, y = wine
    Y = np.eye(3)[y] * 0.8 + 0.2 / 3
    assert_twins(SoftmaxClassifier(alpha=1e-2), X, Y)
    model = SoftmaxClassifier(calibration="temperature", early_stopping=True, random_state=0)
    model.set_params(standardize=True).fit(X, y)
    assert model.score(X, y) > 0.95


def test_logit_adjustment(wine):
    model = SoftmaxClassifier(alpha=1e-2, logit_adjustment=1.0)
    rare = np.append(np.arange(150), 170)
    assert_twins(model, wine[0][rare], wine[1][rare])


@pytest.mark.parametrize("loss", ["softmax", "weston-watkins", "cosface"])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_warm_start_at_the_optimum_stays(wine, loss, kind):
    """Initial weights, and weights to continue from, are in the units of X."""
    X, y = kind(wine[0]), wine[1]
    solver = "lbfgs" if loss == "cosface" else "auto"
    model = LinearClassifier(
        loss=loss, alpha=1e-2, solver=solver, standardize=True, warm_start=True, tol=1e-5, random_state=0
    )
    before = model.fit(X, y).decision_function(X)
    reached = model.history_["objective"][-1]
    model.fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), before, atol=2e-2 * np.abs(before).max())
    assert max(model.history_["objective"]) <= reached * (1 + 1e-6)


def test_warm_start_between_units(wine):
    X, y = wine
    model = LinearClassifier(loss="softmax", alpha=1e-2, warm_start=True, tol=1e-8).fit(X, y)
    for standardize in (True, False):
        model.set_params(standardize=standardize).fit(X, y)
        anew = LinearClassifier(loss="softmax", alpha=1e-2, tol=1e-8, standardize=standardize).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(X), anew.predict_proba(X), atol=1e-4)
    Z = StandardScaler().fit_transform(X)
    model = MarginSoftmaxClassifier(warm_start=True, max_iter=5, random_state=0, standardize=True).fit(Z, y)
    model.set_params(standardize=False).fit(Z, y)
    assert not hasattr(model, "spread_")
    assert model.score(Z, y) > 0.9


def test_streams_are_refused(wine):
    with pytest.raises(AttributeError, match="partial_fit") as caught:
        SoftmaxClassifier(standardize=True).partial_fit(*wine, classes=[0, 1, 2])
    assert "standardize=True needs all rows at once" in str(caught.value.__cause__)


def test_file_and_parameters(wine, tmp_path):
    X, y = wine
    models = [
        SoftmaxClassifier(standardize=True),
        FocalClassifier(standardize=True),
        MarginSoftmaxClassifier(standardize=True, random_state=0),
        LinearClassifier(loss="arcface", standardize=True, random_state=0),
    ]
    for model in models:
        assert clone(model).get_params()["standardize"] is True
        linclf.save(model.fit(X, y), tmp_path / "model.linclf")
        read = linclf.load(tmp_path / "model.linclf")
        np.testing.assert_array_equal(read.decision_function(X), model.decision_function(X))
    assert "standardize" not in repr(SoftmaxClassifier())


class LastModel:
    """A callback that keeps the model of the last epoch."""

    def setup(self, estimator, context):
        pass

    teardown = setup

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        if context.task_name == "epoch":
            self.model = fitted_estimator


@HAS_CALLBACKS
@pytest.mark.parametrize("model", [SoftmaxClassifier(solver="sgd"), MarginSoftmaxClassifier()])
def test_callbacks_see_models_of_X(wine, model):
    X, y = wine
    seen = LastModel()
    model = clone(model).set_params(standardize=True, max_iter=3, random_state=0)
    model.set_callbacks(seen)
    model.fit(X, y)
    np.testing.assert_allclose(seen.model.decision_function(X), model.decision_function(X), rtol=1e-9)


# ------------------------------------------------------------ memory


@pytest.mark.parametrize("solver", [Newton(), LBFGS(), Dual()])
def test_large_dense_rows_are_not_copied(solver, uneven, monkeypatch):
    monkeypatch.setattr(coordinates, "ROTATED_VALUES", 0)
    X, y = uneven
    data = Dataset(X, Labels(y, 4), np.ones(len(y)))
    settings = Settings(1e-2, True, "auto", 1e-6, 5, 1, 0)
    loss = WestonWatkins() if isinstance(solver, Dual) else Softmax()
    task = Task(data, None, None, None, spread=spread_of(data, True))
    fit = fit_for(task, loss, solver, settings, None, np.random.RandomState(0))
    assert np.shares_memory(fit.problem.storage.X, X)
    np.testing.assert_allclose(fit.problem.penalty[:-1], 1e-2 * fit.coordinates.factor**2)


# ------------------------------------------------------------ cosines


@pytest.mark.parametrize("margin_type", FACES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_cosines_of_standardised_rows(wine, margin_type, fit_intercept, kind):
    model = MarginSoftmaxClassifier(margin_type=margin_type, fit_intercept=fit_intercept, random_state=0)
    X, y = kind(wine[0]), wine[1]
    model.set_params(max_iter=50)
    for labels in (y, np.minimum(y, 1)):
        model, _, scale = assert_twins(model, X, labels)
        np.testing.assert_allclose(model.spread_, scale)
        # in NumPy, from the fitted attributes
        rows = (wine[0] - model.mean_) / model.spread_
        lengths = np.sqrt(np.sum(rows**2, axis=1) + model.constant_**2)
        scores = (wine[0] @ model.coef_.T + model.intercept_) / lengths[:, None]
        np.testing.assert_allclose(model.decision_function(X), np.squeeze(scores), atol=1e-9)
        model = MarginSoftmaxClassifier(**model.get_params())


def test_cosines_of_sparse_rows_one_by_one():
    """For few rows, only features with values are used."""
    rng = np.random.default_rng(0)
    X = sparse.csr_array(
        sparse.random_array((80, 400), density=0.02, rng=rng, data_sampler=rng.standard_normal)
    )
    X = sparse.csr_array(X @ sparse.diags_array(np.logspace(-1, 1, 400)))
    y = rng.integers(0, 3, 80)
    model = MarginSoftmaxClassifier(standardize=True, random_state=0, max_iter=5).fit(X, y)
    one_by_one = np.vstack([model.decision_function(X[[i]]) for i in range(80)])
    np.testing.assert_allclose(one_by_one, model.decision_function(X), atol=1e-12)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_cosines_of_uneven_columns_warn(kind):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 4)), rng.integers(0, 2, 100)
    X[:, 1] = 0.0
    X[:, 2] *= 1000
    model = MarginSoftmaxClassifier(max_iter=2, random_state=0)
    with pytest.warns(UserWarning, match=r"\(column [03]\) to .* \(column 2\).*standardize=True"):
        clone(model).fit(kind(X), y)
    clone(model).set_params(standardize=True).fit(kind(X), y)
    X[:, 2] /= 100
    clone(model).fit(kind(X), y)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_rare_values_are_not_small_ones(kind):
    """Such as values of words, and of pixels at the border."""
    rng = np.random.default_rng(0)
    X = (rng.random((30_000, 2)) < [0.5, 1e-5]).astype(float)
    X[0, 1] = 1
    MarginSoftmaxClassifier(max_iter=1, random_state=0).fit(kind(X), rng.integers(0, 2, 30_000))


# ------------------------------------------------------------ many classes


@pytest.mark.parametrize(
    "model",
    [
        SampledSoftmaxClassifier(n_sampled=2),
        SampledSoftmaxClassifier(),
        NCEClassifier(n_sampled=5),
        HierarchicalSoftmaxClassifier(),
        AdaptiveSoftmaxClassifier(cutoffs=[2]),
        AdaptiveSoftmaxClassifier(cutoffs=[2], reduction=2.0),
        AdaptiveSoftmaxClassifier(),
        SampledSoftmaxClassifier(rank=2),
        AdaptiveSoftmaxClassifier(rank=3, cutoffs=[2]),
    ],
    ids=lambda model: repr(model),
)
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_many_classes(model, kind):
    rng = np.random.default_rng(0)
    n = 1500  # enough for hierarchical softmax to train row by row
    y = np.minimum(rng.geometric(0.4, n) - 1, 4)
    X = (rng.normal(size=(n, 6)) + 2 * rng.normal(size=(5, 6))[y]) * np.logspace(-2, 2, 6) + np.arange(6)
    X = kind(X)
    model = clone(model).set_params(alpha=1e-3, random_state=0, max_iter=5)
    if isinstance(model, AdaptiveSoftmaxClassifier):
        model.set_params(max_iter="auto")
    Z, _ = scaled(X)
    model.set_params(standardize=True).fit(X, y)
    twin = clone(model).set_params(standardize=False).fit(Z, y)
    np.testing.assert_allclose(model.predict_proba(X), twin.predict_proba(Z), atol=1e-6)
