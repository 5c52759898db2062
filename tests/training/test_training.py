"""The path of training: steps, streams, stopping, history, callbacks, randomness, weights.

Its end is tested in test_optimum.py. The tests use small data with a numeric ``learning_rate``, because
then every step can be recomputed in NumPy.
"""

from importlib import import_module

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from versions import HAS_CALLBACKS

from linclf import SoftmaxClassifier, SVMClassifier
from linclf._estimator.base import KEPT_PARTS

NUMERIC = {"learning_rate": 0.05, "batch_size": 8, "tol": None, "random_state": 0}


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return X[order], y[order]


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def noisy(digits):
    """Training rows with wrong labels, so that long training is harmful, and clean rows."""
    X, y = digits[0] / 16, digits[1].copy()
    y[:300:2] = np.random.default_rng(0).integers(0, 10, 150)
    return X[:300], y[:300], X[300:600], y[300:600]


def attributes(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


# ---------------------------------------------------------------- steps


def steps_of(schedule, n_steps, first):
    t = np.arange(n_steps)
    return (
        first
        * {
            "constant": np.ones(n_steps),
            "linear": 1 - t / n_steps,
            "cosine": (1 + np.cos(np.pi * t / n_steps)) / 2,
            "invscaling": (t + 1.0) ** -0.25,
        }[schedule]
    )


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "invscaling"])
def test_path_is_that_of_numpy(iris, schedule):
    """Plain SGD with a numeric step: no centring, no scaling, and an implicit penalty."""
    X, y, alpha = iris[0][:20], iris[1][:20], 0.1
    model = SoftmaxClassifier(alpha=alpha, schedule=schedule, max_iter=4, shuffle=False, **NUMERIC).fit(X, y)
    W, b, steps = np.zeros((3, 4)), np.zeros(3), steps_of(schedule, 12, 0.05)
    starts = [0, 8, 16] * 4
    for start, step in zip(starts, steps, strict=True):
        part = slice(start, start + 8)
        residual = (softmax(X[part] @ W.T + b, axis=1) - np.eye(3)[y[part]]) / len(X[part])
        W, b = (W - step * residual.T @ X[part]) / (1 + step * alpha), b - step * residual.sum(axis=0)
    np.testing.assert_allclose(model.coef_, W, rtol=1e-9)
    np.testing.assert_allclose(model.intercept_, b, rtol=1e-9)
    np.testing.assert_allclose(model.history_["step"], steps[2::3], rtol=1e-12)


def test_adaptive_schedule_divides_by_five_until_it_ends(iris):
    settings = {**NUMERIC, "tol": 1e-3, "n_iter_no_change": 3}
    model = SoftmaxClassifier(alpha=1e-2, schedule="adaptive", max_iter=2000, **settings).fit(*iris)
    steps = np.array(model.history_["step"])
    ratios = steps[1:] / steps[:-1]
    assert steps[0] == 0.05
    # 5^-4 of the first step is the last one above a thousandth of it
    assert sorted(np.unique(ratios.round(12))) == [0.2, 1.0]
    assert steps[-1] == pytest.approx(0.05 / 5**4)
    assert model.n_iter_ < 2000


def test_too_large_learning_rate_says_so(digits):
    model = SVMClassifier(squared=True, learning_rate=10.0, max_iter=50, random_state=0)
    with pytest.raises(ValueError, match=r"learning_rate=10\.0 made the weights overflow; use a smaller one"):
        model.fit(*digits)
    assert not attributes(model)
    model.set_params(learning_rate=1e-5).fit(*digits)
    before = attributes(model)
    with pytest.raises(ValueError, match="learning_rate"):
        model.set_params(learning_rate=10.0).fit(*digits)
    after = attributes(model)
    assert before.keys() == after.keys()
    assert all(after[name] is before[name] for name in before)


@pytest.mark.parametrize("rows", ["cauchy", "outliers"])
@pytest.mark.parametrize("estimator", [SoftmaxClassifier(), SVMClassifier(squared=True)], ids=str)
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_automatic_step_never_diverges(estimator, rows, storage):
    rng = np.random.default_rng(0)
    X = rng.standard_cauchy((600, 10)) if rows == "cauchy" else rng.normal(size=(600, 10))
    y = (np.sign(X[:, 0]) + np.sign(X[:, 1]) + 2).astype(int) // 2
    if rows == "outliers":
        X[rng.choice(600, 20), rng.choice(10, 20)] = 1e6
    model = estimator.set_params(random_state=0).fit(storage(X), y)
    scores = model.decision_function(X)
    if isinstance(model, SoftmaxClassifier):
        loss, start = log_loss(y, softmax(scores, axis=1)), np.log(3)
    else:
        rivals = np.maximum(0, scores - scores[np.arange(600), y][:, None] + 1) ** 2
        loss, start = rivals.sum(axis=1).mean() - 1, 2
    assert loss + model.alpha / 2 * np.sum(model.coef_**2) < start


# ---------------------------------------------------------------- streams


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule": "constant"},
        {"schedule": "invscaling"},
        {"schedule": "invscaling", "solver": "momentum"},
        {"schedule": "constant", "solver": "adam"},
        {"schedule": "invscaling", "average": True},
    ],
    ids=str,
)
def test_partial_fit_is_fit_on_the_same_batches(iris, settings):
    X, y = iris
    model = SoftmaxClassifier(shuffle=False, max_iter=2, **NUMERIC, **settings).fit(X, y)
    stream = SoftmaxClassifier(**NUMERIC, **settings)
    for part in [slice(0, 64), slice(64, 120), slice(120, 150)] * 2:
        stream.partial_fit(X[part], y[part], classes=[0, 1, 2])
    np.testing.assert_array_equal(stream.coef_, model.coef_)
    np.testing.assert_array_equal(stream.intercept_, model.intercept_)


def test_partial_fit_is_fit_on_sparse_rows(iris):
    """Up to rounding: the factor that holds the penalty is multiplied in at the end of each call."""
    X, y = sparse.csr_array(iris[0]), iris[1]
    settings = {"schedule": "constant", "alpha": 0.1, **NUMERIC}
    model = SoftmaxClassifier(shuffle=False, max_iter=1, **settings).fit(X, y)
    stream = SoftmaxClassifier(**settings)
    for part in (slice(0, 64), slice(64, 120), slice(120, 150)):
        stream.partial_fit(X[part], y[part], classes=[0, 1, 2])
    np.testing.assert_allclose(stream.coef_, model.coef_, rtol=1e-10)


@pytest.mark.parametrize("size", [1, 7, 500])
def test_partial_fit_learns_with_an_automatic_step(digits, size):
    X, y = digits
    model = SoftmaxClassifier(random_state=0)
    for start in range(0, 1200, size):
        part = slice(start, min(start + size, 1200))
        model.partial_fit(X[part], y[part], classes=range(10))
    assert model.score(X[1200:], y[1200:]) >= 0.85
    assert model.n_iter_ == -(-1200 // size)
    assert len(model.history_["objective"]) == min(model.n_iter_, KEPT_PARTS)


def test_partial_fit_goes_on_after_fit(iris):
    X, y = iris
    model = SoftmaxClassifier(random_state=0, alpha=1e-2).fit(X, y)
    before = model.coef_
    model.partial_fit(X[:8], y[:8])
    assert not np.array_equal(model.coef_, before)
    assert model.score(X, y) >= 0.9


def test_partial_fit_wants_its_classes(iris):
    X, y = iris
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        SoftmaxClassifier().partial_fit(X, y)
    model = SoftmaxClassifier(**NUMERIC).partial_fit(X[:20], y[:20], classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\] is not the same as on the first call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="class_weight='balanced'"):
        SoftmaxClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])


# ---------------------------------------------------------------- early stopping


def test_own_validation_set_keeps_the_best_epoch(noisy):
    X, y, X_val, y_val = noisy
    settings = {"alpha": 0.0, "schedule": "constant", "max_iter": 200, "random_state": 0}
    settings |= {"learning_rate": 0.5, "batch_size": 8, "n_iter_no_change": 10, "tol": 0.0}
    weights = np.random.default_rng(1).uniform(0.1, 2, len(y_val))
    model = SoftmaxClassifier(**settings)
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)  # the default "auto" does this
    losses, proba = model.history_["validation_loss"], model.predict_proba(X_val)
    best = int(np.argmin(losses))
    assert best < len(losses) - 1
    assert model.n_iter_ == best + 1 + 10 < 200
    assert log_loss(y_val, proba, sample_weight=weights) == pytest.approx(losses[best], rel=1e-9)
    score = accuracy_score(y_val, model.predict(X_val), sample_weight=weights)
    assert score == pytest.approx(model.history_["validation_score"][best], rel=1e-12)
    # the validation set does not influence the path; without it, the last model is kept
    longer = SoftmaxClassifier(**settings | {"tol": None, "max_iter": model.n_iter_}).fit(X, y)
    assert longer.history_["objective"] == model.history_["objective"]
    assert log_loss(y_val, longer.predict_proba(X_val)) > log_loss(y_val, proba)


@HAS_CALLBACKS
def test_validation_rows_are_a_stratified_part(noisy):
    X, y = noisy[:2]
    record = Recorder()
    model = SoftmaxClassifier(early_stopping=True, validation_fraction=0.2, max_iter=5, random_state=0)
    model.set_callbacks(record)
    model.fit(X, y)
    assert len(record.y) == 240
    assert np.abs(np.bincount(record.y) - 0.8 * np.bincount(y)).max() <= 1
    seen = {row.tobytes() for row in record.X}
    held_out = np.array([row.tobytes() not in seen for row in X])
    assert held_out.sum() == 60
    assert log_loss(y[held_out], model.predict_proba(X[held_out])) == pytest.approx(
        min(model.history_["validation_loss"]), rel=1e-9
    )


def test_validation_arguments(iris):
    X, y = iris
    with pytest.raises(
        ValueError, match="early_stopping=False and calibration=None; use early_stopping=True"
    ):
        SoftmaxClassifier(early_stopping=False).fit(X, y, X_val=X, y_val=y)
    with pytest.raises(ValueError, match="y_val was not provided"):
        SoftmaxClassifier().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="X_val was not provided"):
        SoftmaxClassifier().fit(X, y, y_val=y)
    with pytest.raises(ValueError, match="sample_weight_val is provided, but X_val"):
        SoftmaxClassifier().fit(X, y, sample_weight_val=np.ones(150))
    with pytest.raises(ValueError, match="5 features"):
        SoftmaxClassifier().fit(X, y, X_val=np.ones((4, 5)), y_val=[0, 1, 2, 0])


# ---------------------------------------------------------------- stopping and history


def test_history(iris):
    X, y = iris
    model = SoftmaxClassifier(batch_size=150, alpha=1e-2, random_state=0).fit(X, y)
    assert set(model.history_) == {"objective", "step", "seconds"}
    assert all(len(values) == model.n_iter_ for values in model.history_.values())
    objective = model.history_["objective"]
    assert objective[0] == pytest.approx(np.log(3))  # a full gradient is measured before its step
    final = log_loss(y, model.predict_proba(X)) + 1e-2 / 2 * np.sum(model.coef_**2)
    assert objective[-1] == pytest.approx(final, rel=1e-4)
    assert np.all(np.diff(model.history_["seconds"]) >= 0)
    assert min(model.history_["step"]) > 0

    model = SoftmaxClassifier(early_stopping=True, max_iter=7, random_state=0).fit(X, y)
    assert set(model.history_) == {"objective", "step", "seconds", "validation_loss", "validation_score"}
    assert all(len(values) == model.n_iter_ for values in model.history_.values())


def test_objective_falls_over_mini_batches(digits):
    objective = SoftmaxClassifier(random_state=0, alpha=1e-3).fit(*digits).history_["objective"]
    quarters = [np.mean(part) for part in np.array_split(objective, 4)]
    assert quarters == sorted(quarters, reverse=True)
    assert objective[-1] == min(objective)  # the schedule has removed the noise


@pytest.mark.parametrize("patience", [1, 4])
def test_tol_and_patience(iris, patience):
    settings = {**NUMERIC, "tol": 1e-2, "n_iter_no_change": patience}
    model = SoftmaxClassifier(schedule="constant", max_iter=1000, **settings).fit(*iris)
    best, since, stop = np.inf, 0, None
    for epoch, value in enumerate(model.history_["objective"], 1):
        best, since = (value, 0) if value < best * (1 - 1e-2) or best == np.inf else (best, since + 1)
        stop = epoch if since == patience and stop is None else stop
    assert model.n_iter_ == stop < 1000
    assert SoftmaxClassifier(**NUMERIC, schedule="constant", max_iter=60).fit(*iris).n_iter_ == 60


def test_warning_where_max_iter_was_not_enough(iris):
    settings = {**NUMERIC, "tol": 1e-6, "schedule": "constant", "max_iter": 3}
    with pytest.warns(ConvergenceWarning, match="max_iter=3 epochs were not enough to reach tol=1e-06"):
        SoftmaxClassifier(**settings).fit(*iris)


def test_warm_start(iris):
    X, y = iris
    settings = {"alpha": 1e-2, "batch_size": 150, "max_iter": 5000, "random_state": 0}
    cold = SoftmaxClassifier(tol=1e-10, **settings).fit(X, y)
    warm = SoftmaxClassifier(tol=1e-10, warm_start=True, **settings).fit(X, y)
    again = warm.fit(X, y).history_["objective"]
    assert again[0] == pytest.approx(cold.history_["objective"][-1], rel=1e-6)
    assert warm.n_iter_ < cold.n_iter_ / 2
    np.testing.assert_allclose(warm.coef_, cold.coef_, atol=1e-3 * np.abs(cold.coef_).max())
    said = r"needs the classes and features of the last fit, 3 classes \(0, 1, 2\) .* got 2 \(1, 2\) and 4"
    with pytest.raises(ValueError, match=said):
        warm.fit(X[y > 0], y[y > 0])
    assert cold.fit(X, y).history_["objective"][0] == pytest.approx(np.log(3))


def test_verbose_prints_a_line_for_each_epoch(iris, capsys):
    model = SoftmaxClassifier(verbose=1, max_iter=4, **NUMERIC).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"epoch {i}/4" for i in (1, 2, 3, 4)]
    assert f"objective {model.history_['objective'][-1]:.6g}" in lines[-1]
    SoftmaxClassifier(max_iter=4, **NUMERIC).fit(*iris)
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------- callbacks


class Recorder:
    """Records the score of each epoch's model, and asks to stop (or fails) after some epochs."""

    def __init__(self, stop_after=np.inf, fault=None):
        self.stop_after, self.fault = stop_after, fault
        self.scores, self.events = [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.events.append(f"begin {context.task_name}")
        self.X, self.y = X, y

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.events.append(f"end {context.task_name}")
        if context.task_name != "epoch":
            return False
        self.scores.append(fitted_estimator.score(X, y))
        if self.fault is not None and len(self.scores) >= self.stop_after:
            raise self.fault
        return len(self.scores) >= self.stop_after


@HAS_CALLBACKS
def test_callback_sees_each_epoch_and_stops_training(iris):
    X, y = iris
    full = SoftmaxClassifier(max_iter=6, **NUMERIC).fit(X, y)
    record = Recorder(stop_after=3)
    model = SoftmaxClassifier(max_iter=6, **NUMERIC)
    model.set_callbacks(record)
    model.fit(X, y)
    assert model.n_iter_ == 3
    assert model.history_["objective"] == full.history_["objective"][:3]
    assert record.scores[-1] == model.score(X, y)
    assert record.events == [
        "setup",
        "begin fit",
        *["begin epoch", "end epoch"] * 3,
        "end fit",
        "teardown",
    ]


@HAS_CALLBACKS
def test_interrupted_fit_leaves_the_estimator_as_it_was(iris):
    X, y = iris
    model = SoftmaxClassifier(max_iter=6, **NUMERIC).fit(X, y)
    before, record = attributes(model), Recorder(stop_after=2, fault=KeyboardInterrupt())
    model.set_callbacks(record)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :3], y)
    after = attributes(model)
    assert before.keys() == after.keys()
    assert all(after[name] is before[name] for name in before)
    assert record.events[-1] == "teardown"


@HAS_CALLBACKS
def test_scoring_monitor(iris):
    X, y = iris
    monitor = import_module("sklearn.callback").ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    model = SoftmaxClassifier(max_iter=5, **NUMERIC)
    model.set_callbacks(monitor)
    model.fit(X, y)
    log = [row for row in monitor.get_logs(select="most_recent").data if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in log] == [0, 1, 2, 3, 4]
    assert log[-1]["accuracy"] == model.score(X, y)
    assert log[-1]["neg_log_loss"] == pytest.approx(-log_loss(y, model.predict_proba(X)))
    assert log[0]["neg_log_loss"] < log[-1]["neg_log_loss"]


@HAS_CALLBACKS
def test_progress_bar_through_pipeline_and_grid_search(iris, capsys):
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(max_iter=3, **NUMERIC))
    search = GridSearchCV(pipeline, {"softmaxclassifier__alpha": [1e-2, 1e-1]}, cv=2)
    plain = GridSearchCV(pipeline, {"softmaxclassifier__alpha": [1e-2, 1e-1]}, cv=2).fit(*iris)
    search.set_callbacks(import_module("sklearn.callback").ProgressBar(max_propagation_depth=None))
    search.fit(*iris)
    out = capsys.readouterr().out
    assert "SoftmaxClassifier - fit" in out
    assert "100%" in out
    np.testing.assert_array_equal(
        search.best_estimator_[-1].coef_,
        plain.best_estimator_[-1].coef_,
    )


# ---------------------------------------------------------------- randomness and weights


@pytest.mark.parametrize("settings", [{}, {"solver": "adam"}, {"early_stopping": True}], ids=str)
def test_same_seed_same_model(digits, settings):
    X, y = digits[0][:600], digits[1][:600]

    def fit(seed):
        return SoftmaxClassifier(max_iter=5, batch_size=8, random_state=seed, **settings).fit(X, y).coef_

    np.testing.assert_array_equal(fit(3), fit(3))
    np.testing.assert_array_equal(fit(3), fit(np.random.RandomState(3)))
    assert not np.array_equal(fit(3), fit(4))


def test_weight_zero_is_removal(iris):
    X, y = iris
    weights = np.random.default_rng(0).integers(0, 2, len(y)).astype(float)
    kept = weights > 0
    for settings in ({}, {"batch_size": 8, "max_iter": 10}):  # a full gradient, mini-batches
        weighted = SoftmaxClassifier(random_state=0, **settings).fit(X, y, sample_weight=weights)
        removed = SoftmaxClassifier(random_state=0, **settings).fit(X[kept], y[kept])
        np.testing.assert_array_equal(weighted.coef_, removed.coef_)


def test_integer_weights_are_copies(iris):
    X, y = iris
    weights = np.random.default_rng(0).integers(1, 4, len(y))
    weighted = SoftmaxClassifier(batch_size=450, alpha=1e-2).fit(X, y, sample_weight=weights)
    copies = SoftmaxClassifier(batch_size=450, alpha=1e-2)
    copies.fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.coef_, copies.coef_, rtol=1e-7)
    np.testing.assert_allclose(weighted.intercept_, copies.intercept_, rtol=1e-7)
    # the scale of the weights does not matter
    tiny = SoftmaxClassifier(batch_size=450, alpha=1e-2).fit(X, y, sample_weight=weights * 1e-300)
    np.testing.assert_allclose(tiny.coef_, weighted.coef_, rtol=1e-7)


def test_class_weight_is_sample_weight():
    X, y = load_wine(return_X_y=True)
    by_class = SoftmaxClassifier(class_weight={0: 1, 1: 2, 2: 0.5}, random_state=0).fit(X, y)
    by_row = SoftmaxClassifier(random_state=0).fit(X, y, sample_weight=np.array([1, 2, 0.5])[y])
    np.testing.assert_array_equal(by_class.coef_, by_row.coef_)
    balanced = SoftmaxClassifier(class_weight="balanced", random_state=0).fit(X, y)
    by_row = SoftmaxClassifier(random_state=0).fit(X, y, sample_weight=(178 / 3 / np.bincount(y))[y])
    # the weights differ in their last digits, and unscaled wine leaves seven of sixteen
    np.testing.assert_allclose(balanced.coef_, by_row.coef_, rtol=1e-6)


@pytest.mark.parametrize("n", [200, 500])
def test_one_epoch_of_a_full_batch_trains(n):
    """If the step grows, training does not measure the last one."""
    X, y = load_breast_cancer(return_X_y=True)
    model = SoftmaxClassifier(solver="sgd", max_iter=1, tol=None, warm_start=True).fit(X[:n], y[:n])
    assert model.coef_.any()
    first = model.history_["objective"][0]
    for _ in range(5):
        model.fit(X[:n], y[:n])
    assert model.history_["objective"][0] < first / 2
