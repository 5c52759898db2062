"""`fit(Batches)` equals `fit(X, y)` on the same rows: the optimum, every parameter, any blocks and threads.

Reading of sources is tested in `test_reading`.
"""

import threading
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reference import softmax_objective
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from linclf import (
    Batches,
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
    load,
    save,
)
from linclf._sources import formats
from linclf._training.shards import Encoding, OnDisk
from linclf._training.survey import Question
from linclf.large import SampledSoftmaxClassifier

TIGHT = {"tol": 1e-12, "max_iter": 500}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    """Use many small pieces."""
    monkeypatch.setattr(formats, "PIECE", 2**13)
    monkeypatch.setattr(formats, "SPARSE_PIECE", 128)


def table(n=3000, d=6, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.logspace(-1, 2, d) + 3
    scores = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.normal(size=(d, n_classes))
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1), rng.uniform(0.2, 3, n)


def sparse_table(n=2000, d=300, seed=0):
    rng = np.random.default_rng(seed)
    X = sparse.random_array((n, d), density=0.03, rng=rng, format="csr")
    scores = X @ rng.normal(size=(d, 3)) * 6
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def assert_same(model, expected, X, y, atol=1e-6):
    np.testing.assert_array_equal(model.classes_, expected.classes_)
    scale = (
        np.abs(expected.coef_ * X.std(axis=0)).max()
        if not sparse.issparse(X)
        else np.abs(expected.coef_).max()
    )
    spread = X.std(axis=0) if not sparse.issparse(X) else 1.0
    np.testing.assert_allclose(model.coef_ * spread, expected.coef_ * spread, atol=atol * scale)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=10 * atol)


# ---------------------------------------------------------------- the same model


@pytest.mark.parametrize("solver", ["auto", "lbfgs", "newton"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_optimum_of_all_rows(solver, n_classes):
    X, y, weights = table(n_classes=n_classes)
    one = SoftmaxClassifier(alpha=1e-3, solver=solver, **TIGHT).fit(Batches(X, y, weights))
    all_rows = SoftmaxClassifier(alpha=1e-3, solver="newton", **TIGHT).fit(X, y, sample_weight=weights)
    assert one.solver_ == ("lbfgs" if solver == "auto" else solver)
    assert_same(one, all_rows, X, y)
    np.testing.assert_allclose(one.history_["objective"][-1], all_rows.history_["objective"][-1], rtol=1e-9)
    assert 0 <= one.optimality_gap_ < 1e-9


@pytest.mark.parametrize(
    "params",
    [
        {"class_weight": "balanced"},
        {"class_weight": {0: 3.0, 1: 0.5, 2: 1.0}},
        {"standardize": True},
        {"standardize": True, "class_weight": "balanced"},
        {"fit_intercept": False},
        {"label_smoothing": 0.1},
        {"logit_adjustment": 1.0},
        {"temperature": 2.0},
        {"alpha": 0.0},
    ],
    ids=str,
)
def test_every_parameter_counts(params):
    X, y, weights = table()
    model = SoftmaxClassifier(**{"alpha": 1e-2, "solver": "lbfgs", **TIGHT, **params})
    one, all_rows = clone(model).fit(Batches(X, y, weights)), clone(model).fit(X, y, sample_weight=weights)
    assert_same(one, all_rows, X, y, atol=1e-5)


@pytest.mark.parametrize("loss", ["focal", "entmax", "squared-weston-watkins", "squared-one-vs-rest"])
def test_other_losses(loss):
    X, y, _ = table()
    model = LinearClassifier(loss=loss, alpha=1e-2, solver="lbfgs", **TIGHT)
    one, all_rows = clone(model).fit(Batches(X, y)), clone(model).fit(X, y)
    np.testing.assert_allclose(one.history_["objective"][-1], all_rows.history_["objective"][-1], rtol=1e-8)
    np.testing.assert_allclose(one.decision_function(X), all_rows.decision_function(X), atol=2e-3)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", ["lbfgs", "newton"])
def test_sparse_rows(solver, standardize):
    X, y = sparse_table()
    model = SoftmaxClassifier(alpha=1e-3, solver=solver, standardize=standardize, **TIGHT)
    assert_same(clone(model).fit(Batches(X, y)), clone(model).fit(X, y), X, y, atol=1e-5)


def test_float32_stays_float32():
    X, y, _ = table()
    X = X.astype(np.float32)
    one = SoftmaxClassifier(alpha=1e-3).fit(Batches(X, y))
    all_rows = SoftmaxClassifier(alpha=1e-3).fit(X, y)
    assert one.coef_.dtype == np.float32
    np.testing.assert_allclose(one.predict_proba(X), all_rows.predict_proba(X), atol=2e-2)


def test_probabilities_instead_of_labels():
    X, y, weights = table()
    p = np.random.default_rng(1).dirichlet([1, 2, 3], len(y))
    model = SoftmaxClassifier(alpha=1e-3, solver="lbfgs", **TIGHT)
    one, all_rows = clone(model).fit(Batches(X, p, weights)), clone(model).fit(X, p, sample_weight=weights)
    assert_same(one, all_rows, X, p)


@pytest.mark.parametrize("labels", [["b", "a", "c"], [10, -5, 7], [True, False]], ids=str)
def test_labels_of_any_kind(labels, tmp_path):
    X, y, _ = table(n_classes=len(labels))
    named = np.array(labels)[y]
    pq.write_table(
        pa.Table.from_pandas(pd.DataFrame(X, columns=list("abcdef")).assign(y=named)),
        tmp_path / "a.parquet",
        row_group_size=400,
    )
    model = SoftmaxClassifier(alpha=1e-2, solver="lbfgs", **TIGHT)
    expected = clone(model).fit(X, named)
    for batches in (Batches(tmp_path / "a.parquet"), Batches(X, named)):
        found = clone(model).fit(batches)
        assert found.classes_.dtype.kind == expected.classes_.dtype.kind
        vars(found).pop("feature_names_in_", None)  # rows without names would cause a warning
        assert_same(found, expected, X, y)
        np.testing.assert_array_equal(found.predict(X), expected.predict(X))
    assert found.predict(Batches(X, None)).dtype.kind == named.dtype.kind


def test_weight_zero_is_no_row():
    X, y, _ = table()
    weights = np.ones(len(y))
    weights[::3] = 0
    y[::3] = 7  # a class without weight
    one = SoftmaxClassifier(solver="lbfgs", **TIGHT).fit(Batches(X, y, weights))
    kept = weights > 0
    expected = SoftmaxClassifier(solver="lbfgs", **TIGHT).fit(X[kept], y[kept])
    assert one.classes_.tolist() == [0, 1, 2, 7]
    p = one.predict_proba(X)
    assert (p[:, 3] == 0).all()
    np.testing.assert_allclose(p[:, :3], expected.predict_proba(X), atol=1e-6)


# ---------------------------------------------------------------- whatever the blocks


@pytest.mark.parametrize("params", [{}, {"solver": "sgd", "shuffle": False}, {"solver": "newton"}], ids=str)
def test_bitwise_for_any_block_and_thread(params):
    X, y, weights = table()

    def cut(*places):
        def blocks():
            for part in np.split(np.arange(len(y)), places):
                yield X[part], y[part], weights[part]

        return Batches(blocks)

    model = SoftmaxClassifier(random_state=0, **params)
    first = clone(model).fit(cut())
    for batches, n_jobs in (
        (cut(1, 2, 1000), 1),
        (cut(*range(37, 3000, 37)), 4),
        (Batches(X, y, weights), 2),
    ):
        again = clone(model).set_params(n_jobs=n_jobs).fit(batches)
        np.testing.assert_array_equal(again.coef_, first.coef_)
        np.testing.assert_array_equal(again.intercept_, first.intercept_)


# ---------------------------------------------------------------- stochastic steps


def test_stochastic_steps_are_as_good():
    X, y, _ = table(n=20_000)
    one = SoftmaxClassifier(solver="sgd", random_state=0).fit(Batches(X, y))
    all_rows = SoftmaxClassifier(solver="sgd", random_state=0).fit(X, y)
    assert one.solver_ == "sgd"
    losses = [log_loss(y, model.predict_proba(X)) for model in (one, all_rows)]
    assert losses[0] < losses[1] * 1.002


@pytest.mark.parametrize(
    "model",
    [
        SVMClassifier(),
        MarginSoftmaxClassifier(),
        SoftmaxClassifier(solver="adam"),
        SoftmaxClassifier(solver="sgd", learning_rate=0.01, batch_size=100),
        FocalClassifier(solver="sgd", average=True),
    ],
    ids=str,
)
def test_whatever_streams(model):
    X, y, _ = table(n=6000)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    one, all_rows = (clone(model).set_params(random_state=0) for _ in range(2))
    assert one.fit(Batches(X, y)).score(X, y) > all_rows.fit(X, y).score(X, y) - 0.01


def test_sparse_stochastic_steps():
    X, y = sparse_table(n=6000)
    one = SoftmaxClassifier(solver="sgd", random_state=0).fit(Batches(X, y))
    all_rows = SoftmaxClassifier(solver="sgd", random_state=0).fit(X, y)
    losses = [log_loss(y, model.predict_proba(X)) for model in (one, all_rows)]
    assert losses[0] < losses[1] * 1.01


def test_held_out_rows_end_training_and_calibrate():
    X, y, _ = table(n=6000)
    model = SoftmaxClassifier(early_stopping=True, calibration="temperature", random_state=0)
    one = clone(model).fit(Batches(X, y))
    assert one.solver_ == "sgd"
    assert len(one.history_["validation_loss"]) == one.n_iter_
    assert 0.5 < one.calibrator_.temperature_ < 2
    assert one.score(X, y) > clone(model).fit(X, y).score(X, y) - 0.01


def test_held_out_rows_are_neither_sampled_nor_trained_on():
    X, y, _ = table()
    X[:, 0] = np.arange(len(y))
    rows, apart = OnDisk(Batches(X, y)), (5, 0.1)
    found = rows.survey(Question("a model", False, rows.memory, apart, 1), 2)
    encoding = Encoding(found.n_rows, found.classes, found.lookup, None, apart)
    shards = rows.shards(encoding, found.mass, found.moments)
    trained = shards.total(lambda data: data.X[data.weights > 0, 0], lambda a, b: np.concatenate([a, b]), 2)
    held_out = found.held_out.X[:, 0]
    assert 200 < len(held_out) < 400
    np.testing.assert_array_equal(np.sort(np.concatenate([trained, held_out])), np.arange(len(y)))
    assert found.n_rows == len(trained) == found.mass.sum()
    assert not np.isin(found.sample.X[:, 0], held_out).any()


def test_rows_of_ones_own_for_validation():
    X, y, _ = table(n=6000)
    one = SoftmaxClassifier(early_stopping=True, random_state=0)
    one.fit(Batches(X[1000:], y[1000:]), X_val=X[:1000], y_val=y[:1000])
    best = min(one.history_["validation_loss"])
    assert abs(log_loss(y[:1000], one.predict_proba(X[:1000])) - best) < 1e-6


# ---------------------------------------------------------------- predicting


def test_predicting_block_by_block(tmp_path):
    X, y, _ = table()
    model = SoftmaxClassifier().fit(X, y)
    batches = Batches(X, None)
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        method = getattr(model, name)
        np.testing.assert_allclose(method(batches), method(X), rtol=1e-12, atol=1e-12)
        parts = list(batches.apply(method))
        assert len(parts) > 5
        np.testing.assert_allclose(np.concatenate(parts), method(X), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(model.predict_topk(batches, 2), model.predict_topk(X, 2))


def test_names_of_columns(tmp_path):
    X, y, _ = table()
    data = pd.DataFrame(X, columns=list("abcdef")).assign(y=y)
    pq.write_table(pa.Table.from_pandas(data), tmp_path / "a.parquet")
    model = SoftmaxClassifier().fit(Batches(tmp_path / "a.parquet"))
    assert model.feature_names_in_.tolist() == list("abcdef")
    assert model.n_features_in_ == 6
    expected = model.predict(data[list("abcdef")])
    np.testing.assert_array_equal(
        model.predict(Batches(tmp_path / "a.parquet", target=None, features=list("abcdef"))), expected
    )
    with pytest.raises(ValueError, match=r"column 0 of .* is 'b', but SoftmaxClassifier was fitted with 'a'"):
        model.predict(Batches(tmp_path / "a.parquet", features=list("bacdef")))
    with pytest.raises(ValueError, match="X has 2 features, but SoftmaxClassifier is expecting 6"):
        model.predict(Batches(tmp_path / "a.parquet", features=["a", "b"]))
    save(model, tmp_path / "m.linclf")
    np.testing.assert_array_equal(load(tmp_path / "m.linclf").predict(data[list("abcdef")]), expected)


# ---------------------------------------------------------------- what goes wrong


def changing(first, second):
    """A function that yields different blocks after the format was read and the first pass was made."""
    calls = iter(range(1000))

    def blocks():
        yield from (first if next(calls) < 3 else second)

    return blocks


def test_a_source_that_changes_between_passes(tmp_path):
    X, y, _ = table()
    with pytest.raises(ValueError, match="had 3,000 rows in the first pass and has 2,900 now"):
        SoftmaxClassifier().fit(Batches(changing([(X, y)], [(X[:2900], y[:2900])])))
    with pytest.raises(ValueError, match="a label that no row had in the first pass"):
        SoftmaxClassifier().fit(Batches(changing([(X, y)], [(X, y + 1)])))

    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    batches = Batches(tmp_path / "X.npy", tmp_path / "y.npy")
    stamps = iter(range(1000))
    batches._source.stamp = lambda: next(stamps) > 2
    with pytest.raises(ValueError, match="has changed since the first pass"):
        SoftmaxClassifier().fit(batches)


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "contains NaN: row 1234, column 2"), (np.inf, "contains infinity: row 1234, column 2")],
)
def test_values_that_are_none(value, message):
    X, y, _ = table()
    X[1234, 2] = value
    model = SoftmaxClassifier()
    with pytest.raises(ValueError, match=message):
        model.fit(Batches(X, y))
    assert not hasattr(model, "classes_")
    fitted = SoftmaxClassifier().fit(*table()[:2])
    with pytest.raises(ValueError, match=message):
        fitted.predict(Batches(X, None))
    S = sparse.csr_array(X)
    with pytest.raises(ValueError, match=message):
        SoftmaxClassifier().fit(Batches(S, y))


def test_values_that_are_too_large():
    X, y, _ = table()
    X[7, 3] = 1e200
    with pytest.raises(ValueError, match=r"X reaches 1e\+200 in column 3"):
        SoftmaxClassifier().fit(Batches(X, y))


REFUSED = [
    (SoftmaxClassifierCV(), {}, TypeError, "SoftmaxClassifierCV needs all rows in memory"),
    (SampledSoftmaxClassifier(), {}, TypeError, "SampledSoftmaxClassifier needs all rows in memory"),
    (SVMClassifier(solver="dual"), {}, ValueError, "solver='dual' keeps a number for each row"),
    (SoftmaxClassifier(warm_start=True), {}, ValueError, "warm_start=True"),
    (SoftmaxClassifier(), {"y": [1]}, ValueError, "y is given besides Batches"),
    (SoftmaxClassifier(), {"sample_weight": [1]}, ValueError, "sample_weight is given besides Batches"),
    (SoftmaxClassifier(calibration="temperature"), {}, ValueError, "needs validation rows"),
    (MarginSoftmaxClassifier(standardize=True), {}, ValueError, "standardize=True with a loss on cosines"),
    (SVMClassifier(solver="lbfgs"), {}, ValueError, "solver='lbfgs' needs a smooth loss"),
]


@pytest.mark.parametrize(
    ("model", "arguments", "kind", "message"), REFUSED, ids=lambda value: str(value)[:40]
)
def test_what_needs_all_rows(model, arguments, kind, message):
    X, y, _ = table()
    with pytest.raises(kind, match=message):
        model.fit(Batches(X, y), **arguments)


def test_refused_rows():
    X, y, weights = table()
    for batches, message in (
        (Batches(X, None), "has no target"),
        (Batches(X, np.zeros(len(y), int)), "only one class"),
        (Batches(X, y, -weights), "the weight of row 0 is -"),
        (Batches(X, y, 0 * weights), "no row with a positive weight"),
    ):
        with pytest.raises(ValueError, match=message):
            SoftmaxClassifier().fit(batches)
    rows, labels = np.ones((18_000, 1000)) * np.arange(18_000)[:, None], np.arange(18_000) % 2
    model = SoftmaxClassifier(early_stopping=True, validation_fraction=0.5)
    with pytest.raises(ValueError, match="a quarter of memory"):
        model.fit(Batches(rows, labels, memory="256MiB"))


def test_too_few_iterations_are_said():
    X, y, _ = table()
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        SoftmaxClassifier(solver="lbfgs", max_iter=1, tol=1e-10, alpha=1e-6).fit(Batches(X, y))


def test_separable_rows_without_a_penalty():
    X = np.linspace(-1, 1, 2000)[:, None]
    with pytest.warns(ConvergenceWarning, match="separable"):
        SoftmaxClassifier(alpha=0.0, max_iter=20).fit(Batches(X, (X[:, 0] > 0.001).astype(int)))


def test_no_thread_outlives_a_fit():
    X, y, _ = table()
    X[2999, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        SoftmaxClassifier().fit(Batches(X, y))
    for _ in range(50):
        names = [thread.name for thread in threading.enumerate()]
        if "linclf-reader" not in names:
            return
        time.sleep(0.1)
    pytest.fail("a thread still reads")


def test_an_error_of_the_source_comes_out():
    X, y, _ = table()
    calls = iter(range(1000))

    def blocks():
        yield X, y
        if next(calls) > 1:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        SoftmaxClassifier().fit(Batches(blocks))


def test_two_fits_at_once():
    X, y, _ = table()
    batches, found = Batches(X, y), {}

    def fit(number):
        found[number] = SoftmaxClassifier(random_state=0).fit(batches).coef_

    workers = [threading.Thread(target=fit, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_the_objective_of_the_model(tmp_path):
    """Compared with an independent formula, in the units of X."""
    X, y, weights = table()
    model = SoftmaxClassifier(alpha=1e-2, solver="lbfgs", **TIGHT).fit(Batches(X, y, weights))
    value = softmax_objective(model.coef_, model.intercept_, X, np.eye(3)[y], weights, 1e-2)
    np.testing.assert_allclose(model.history_["objective"][-1], value, rtol=1e-9)
