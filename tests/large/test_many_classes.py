"""Many classes: memory does not grow with rows times classes, and too much is refused before allocation."""

import copy
import re
import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest
from scipy import sparse

from linclf import (
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)
from linclf._data.dataset import Dataset
from linclf._data.targets import Labels, Probabilities
from linclf._estimator import predicting as _predicting
from linclf._training import memory as _memory
from linclf._training import validation as _validation
from linclf._training.model import LinearModel
from linclf._training.shape import Shape
from linclf._training.solvers import LBFGS
from linclf.calibration import TemperatureScaling
from linclf.heads import Linear
from linclf.losses import Softmax, row_loss
from linclf.losses._evaluation import evaluate

ONE = {"solver": "sgd", "max_iter": 1, "random_state": 0}


def peak_of(function):
    """Peak number of bytes allocated during a call, beyond those before it."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def with_weights(model, n_classes, n_features, dtype=np.float32, seed=0):
    """A fitted model of any size, without training."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((2 * n_classes, 2), dtype=np.float32), np.arange(2 * n_classes) % n_classes
    model.fit(X, y)
    model.n_features_in_ = n_features
    rows = 1 if n_classes == 2 else n_classes
    model.coef_ = rng.standard_normal((rows, n_features)).astype(dtype)
    model.intercept_ = rng.standard_normal(rows).astype(dtype)
    return model


# ---------------------------------------------------------------- predicting in blocks


@pytest.fixture(scope="module")
def wide():
    rng = np.random.default_rng(0)
    return with_weights(SoftmaxClassifier(**ONE), 500, 16), rng.standard_normal((200_000, 16), np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda model, X: model.predict(X),
        lambda model, X: model.predict_topk(X, 5),
        lambda model, X: model.predict_proba_of(X, 7),
    ],
    ids=["predict", "predict_topk", "predict_proba_of"],
)
def test_scores_of_all_rows_are_never_held(wide, call):
    """All scores would be 400 MB; the result and class indices take 16 MB here."""
    model, X = wide
    assert peak_of(lambda: call(model, X)) < 130e6


def test_calibrated_predictions_in_little_memory(wide):
    model, X = wide
    calibrated, scores = copy.copy(model), model.decision_function(X[:2000])
    labels = model.classes_[scores.argmax(axis=1)]
    calibrated.calibrator_ = TemperatureScaling().fit(scores, labels, classes=model.classes_)
    assert peak_of(lambda: calibrated.predict(X)) < 260e6  # in float64
    np.testing.assert_array_equal(calibrated.predict(X[:5000]), model.predict(X[:5000]))


@pytest.mark.parametrize("n_classes", [2, 30])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "model", [SoftmaxClassifier(**ONE), MarginSoftmaxClassifier(**ONE), SVMClassifier(**ONE)], ids=str
)
def test_blocks_give_what_all_rows_give(model, dtype, storage, n_classes, monkeypatch):
    """Even if the weights and the rows have different dtypes."""
    model = with_weights(model, n_classes, 12)
    rng = np.random.default_rng(1)
    X = storage(rng.standard_normal((101, 12)).astype(dtype) * (rng.random((101, 12)) < 0.3))
    scores = model.decision_function(X)
    expected = (scores > 0).astype(int) if n_classes == 2 else scores.argmax(axis=1)
    for size in (1, 7, 101, 1000):
        monkeypatch.setattr(_predicting, "BLOCK", size * n_classes * np.dtype(dtype).itemsize)
        np.testing.assert_array_equal(model.predict(X), expected)
    assert model.coef_.dtype == np.float32
    assert model.coef_.flags.c_contiguous


@pytest.mark.parametrize("n_classes", [2, 30])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 50, 100])
@pytest.mark.parametrize("model", [SoftmaxClassifier(**ONE), MarginSoftmaxClassifier(**ONE)], ids=str)
def test_nan_and_infinity_in_any_block(model, n_classes, storage, value, at, monkeypatch):
    """Even if one or all weights are zero."""
    model = with_weights(model, n_classes, 12)
    X = np.ones((101, 12), np.float32)
    X[at, 3] = value
    X = storage(X)
    methods = [model.predict, model.decision_function, lambda X: model.predict_topk(X, 2)]
    methods += [model.predict_proba, lambda X: model.predict_proba_of(X, 0)]
    for factor in (1, 0):
        model.coef_[:, 3] *= factor
        model.coef_ *= factor
        for size in (10, 1000):
            monkeypatch.setattr(_predicting, "BLOCK", 4 * size * n_classes)
            for method in methods:
                with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
                    method(X)


def test_rows_are_looked_at_again_only_where_scores_are_not_finite(wide, monkeypatch):
    model, X = wide
    calls, check_X = [], _predicting.check_X

    def counted(*args, **settings):
        calls.append(settings)
        return check_X(*args, **settings)

    monkeypatch.setattr(_predicting, "check_X", counted)
    model.predict(X[:50_000])
    assert len(calls) == 1


def test_few_sparse_rows_meet_the_weights_of_their_features_only():
    model = with_weights(SoftmaxClassifier(**ONE), 50, 20_000)
    rng = np.random.default_rng(0)
    X = sparse.random_array((5, 20_000), density=1e-3, format="csr", dtype=np.float32, rng=rng)
    np.testing.assert_allclose(
        model.decision_function(X), X.toarray() @ model.coef_.T + model.intercept_, rtol=1e-3, atol=1e-4
    )
    assert peak_of(lambda: model.predict(X)) < 0.2 * model.coef_.nbytes


# ---------------------------------------------------------------- the validation set


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_validation_in_blocks_is_that_of_all_rows(soft, storage, monkeypatch):
    rng = np.random.default_rng(0)
    X, W, b = rng.standard_normal((9000, 7)), rng.standard_normal((11, 7)), rng.standard_normal(11)
    y = rng.dirichlet(np.ones(11), 9000) if soft else rng.integers(0, 11, 9000)
    weights, X, loss = rng.random(9000), storage(X), Softmax()
    model = LinearModel(W, b, Linear())
    scores = model.scores(X)
    truth = y.argmax(axis=1) if soft else y
    accuracy = np.average(scores.argmax(axis=1) == truth, weights=weights)
    expected = np.average(evaluate(loss, scores, y)[0], weights=weights), accuracy
    targets = Probabilities(y) if soft else Labels(y, 11)
    validation = _validation.Validation(Dataset(X, targets, weights), loss)
    np.testing.assert_allclose(validation.measure(model), expected, rtol=1e-13)
    monkeypatch.setattr(_validation, "MEASURED", 11 * 100)
    monkeypatch.setattr(_validation, "COPIED", 11 * 30)
    np.testing.assert_allclose(validation.measure(model), expected, rtol=1e-13)


def test_validation_scores_are_never_held_for_all_rows():
    rng = np.random.default_rng(0)
    X, y = rng.random((20_000, 4), np.float32), Labels(rng.integers(0, 2000, 20_000), 2000)
    model = LinearModel(rng.standard_normal((2000, 4)), np.zeros(2000), Linear())
    validation = _validation.Validation(Dataset(X, y, np.ones(20_000)), Softmax())
    validation._replace(data=validation.data.take(np.arange(10))).measure(model)  # compiles
    assert peak_of(lambda: validation.measure(model)) < 40e6  # of 160 MB


class Reversed(NamedTuple):
    """A loss with scores in another order than its classes."""

    def class_scores(self, scores):
        return scores[:, ::-1]


@row_loss.register(Reversed)
def reversed_loss(loss, scores, y):
    return 1.0


def test_a_loss_may_decide_between_classes_by_itself():
    rng = np.random.default_rng(0)
    X, W, b = rng.standard_normal((500, 3)), rng.standard_normal((4, 3)), np.zeros(4)
    y = (X @ W.T)[:, ::-1].argmax(axis=1)
    validation = _validation.Validation(Dataset(X, Labels(y, 4), np.ones(500)), Reversed())
    assert validation.measure(LinearModel(W, b, Linear())) == (1.0, 1.0)


# ---------------------------------------------------------------- weights that do not fit


N_FEATURES = 2**23


def huge():
    """Rows of 10,000 classes in which hardly any feature occurs: the weights would take 313 GiB."""
    n = 20_000
    X = sparse.csr_array(
        (np.ones(n, np.float32), np.arange(n, dtype=np.int32), np.arange(n + 1, dtype=np.int32)),
        shape=(n, N_FEATURES),
    )
    return X, np.arange(n) % 10_000


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_absurd_sizes_are_refused_before_anything_is_allocated(solver, stream):
    X, y = huge()
    if stream and solver == "lbfgs":
        return
    model = LinearClassifier(solver=solver)
    before = dict(vars(model))

    def attempt():
        with pytest.raises(
            MemoryError, match=r"10,000 classes x 8,388,608 features need 312\.5 GiB"
        ) as fault:
            model.partial_fit(X, y, classes=np.arange(10_000)) if stream else model.fit(X, y)
        assert ("or solver='sgd'" in str(fault.value)) == (solver != "sgd")

    # arrays of the size of a class or a feature are allowed
    assert peak_of(attempt) < 5 * 8 * N_FEATURES
    assert vars(model) == before


def test_the_message_says_how_much_and_what_to_do(monkeypatch):
    monkeypatch.setattr(_memory, "available_bytes", lambda: 3 * 2**29)
    message = (
        "10,000 classes x 8,388,608 features need 312.5 GiB for weights and 628.7 GiB with the state of "
        "solver='adam' and published arrays, but 1.5 GiB are available; use fewer features (a hashing "
        "vectoriser with fewer columns, feature selection), a low-rank head (linclf.large, rank=...), or "
        "solver='sgd'"
    )
    with pytest.raises(MemoryError, match=f"^{re.escape(message)}$"):
        SoftmaxClassifier(solver="adam").fit(*huge())
    monkeypatch.setattr(_memory, "available_bytes", lambda: None)
    shape = Shape(1, 10**9, 10**9, 10**9, np.dtype(np.float64))
    _memory.check_bytes(10**19, shape, LBFGS())  # the available memory is unknown


def test_a_fitted_model_is_as_it_was(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 50_000), np.float32), np.arange(300) % 149
    model = SoftmaxClassifier(solver="sgd", max_iter=1, random_state=0).partial_fit(
        X, y, classes=np.unique(y)
    )
    before = dict(vars(model))
    monkeypatch.setattr(_memory, "available_bytes", lambda: 2**26)
    for call in (model.fit, model.partial_fit):
        with pytest.raises(MemoryError, match=r"0\.1 GiB are available"):
            call(X, y)
        assert vars(model) == before
    model.set_params(solver="adam")
    with pytest.raises(MemoryError, match="solver='adam'"):
        model.partial_fit(X, y)


@pytest.mark.parametrize("n_classes", [2, 40])
@pytest.mark.parametrize("part", [False, True])
def test_weights_to_start_from_are_not_copied_before_the_check(n_classes, part, monkeypatch):
    n_features = 2**22 if n_classes == 2 else 2**18
    model = with_weights(SoftmaxClassifier(solver="sgd", max_iter=1, warm_start=True), n_classes, n_features)
    X = sparse.random_array((50, n_features), density=1e-5, rng=np.random.default_rng(0), dtype=np.float32)
    X, y = sparse.csr_array(X), np.arange(50) % n_classes
    monkeypatch.setattr(_memory, "available_bytes", lambda: 2**20)

    def attempt():
        with pytest.raises(MemoryError, match=r"0\.0 GiB are available"):
            model.partial_fit(X, y, classes=np.arange(n_classes)) if part else model.fit(X, y)

    assert peak_of(attempt) < 8 * 2 * n_features * min(n_classes, 4)


def test_a_stream_that_goes_on_is_checked_if_a_part_copies_all_weights(monkeypatch):
    rng = np.random.default_rng(0)
    X = sparse.csr_array(sparse.random_array((150, 50_000), density=1e-3, rng=rng, dtype=np.float32))
    y = np.arange(150)
    for solver, copied in (("sgd", False), ("adam", True)):
        model = SoftmaxClassifier(solver=solver, random_state=0, batch_size=150)
        model.partial_fit(X, y, classes=y)
        with monkeypatch.context() as patch:
            patch.setattr(_memory, "available_bytes", lambda: 2**20)
            if copied:
                with pytest.raises(MemoryError):
                    model.partial_fit(X, y)
                continue
            model.partial_fit(X, y)
            copy.copy(model)
            with pytest.raises(MemoryError):  # another object shares the arrays
                model.partial_fit(X, y)


# ---------------------------------------------------------------- how much there is


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setattr(_memory, "ROOT", tmp_path)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    write("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    return write


def test_memory_of_the_machine(machine):
    assert _memory.available_bytes() == 8000 * 1024


def test_memory_of_a_control_group(machine):
    machine("proc/self/cgroup", "0::/jobs/mine\n")
    machine("sys/fs/cgroup/jobs/mine/memory.max", "max\n")
    machine("sys/fs/cgroup/jobs/mine/memory.current", "5000\n")
    assert _memory.available_bytes() == 8000 * 1024
    machine("sys/fs/cgroup/jobs/memory.max", "1000000\n")
    machine("sys/fs/cgroup/jobs/memory.current", "600000\n")
    assert _memory.available_bytes() == 400_000
    machine("sys/fs/cgroup/jobs/memory.stat", "anon 3\ninactive_file 50000\nactive_file 1000\nfile_dirty 9\n")
    assert _memory.available_bytes() == 451_000
    machine("sys/fs/cgroup/jobs/mine/memory.max", "4000\n")
    assert _memory.available_bytes() == 0


def test_memory_of_a_control_group_of_the_first_version(machine):
    machine("proc/self/cgroup", "4:memory:/docker/abc\n0::/\n")
    machine("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    machine("sys/fs/cgroup/memory/memory.usage_in_bytes", "123\n")
    assert _memory.available_bytes() == 8000 * 1024
    machine("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n")
    assert _memory.available_bytes() == 1877


@pytest.mark.parametrize("text", ["", "nonsense", "MemAvailable:", "MemAvailable: lots kB", "0::", "\xff"])
def test_files_that_cannot_be_read_are_no_limit(machine, text, monkeypatch, tmp_path):
    for name in (
        "proc/meminfo",
        "proc/self/cgroup",
        "sys/fs/cgroup/memory.max",
        "sys/fs/cgroup/memory.current",
    ):
        machine(name, text)
    (tmp_path / "proc/self/cgroup").write_bytes(b"\xff\xfe")
    pages = {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(_memory.os, "sysconf", pages.__getitem__)
    assert _memory.available_bytes() == 4_096_000
    monkeypatch.delattr(_memory.os, "sysconf")
    assert _memory.available_bytes() is None
