"""Streams: the state that they keep from part to part."""

import copy
import pickle
import sys
import threading
import time

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from linclf import LinearClassifier, SoftmaxClassifier, SVMClassifier
from linclf._training import stream as streams
from linclf._training.frames import Levelled
from linclf.large import HierarchicalSoftmaxClassifier, SampledSoftmaxClassifier


def test_a_stream_keeps_the_dtype_of_its_first_part():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), rng.integers(0, 3, 60)
    single = X[:30].astype(np.float32)
    for first, second, dtype in (
        (single, X[30:], np.float32),
        (X[:30], X[30:].astype(np.float32), np.float64),
    ):
        model = SoftmaxClassifier(random_state=0).partial_fit(first, y[:30], classes=[0, 1, 2])
        model.partial_fit(second, y[30:])
        assert (model.coef_.dtype, model.intercept_.dtype) == (dtype, dtype)


@pytest.mark.parametrize("solver", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("automatic_first", [False, True])
def test_a_stream_whose_learning_rate_becomes_automatic_begins_anew(storage, solver, automatic_first):
    """The new coordinates need features that are not known yet; and vice versa."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 6)) * (rng.random((300, 6)) < 0.6), rng.integers(0, 3, 300)
    rates = ["auto", 0.05] if automatic_first else [0.05, "auto"]
    model = SoftmaxClassifier(solver=solver, learning_rate=rates[0], batch_size=10, random_state=0)
    model.partial_fit(storage(X[:100]), y[:100], classes=[0, 1, 2])
    first, reached = model._stream, (model.coef_, model.intercept_)
    assert first.state.n_steps[0] == 10
    model.set_params(learning_rate=rates[1]).partial_fit(storage(X[100:]), y[100:])
    assert model._stream.state.n_steps[0] == 20  # only of the second part
    assert model._stream.seen.rows == 200
    assert model.n_iter_ == 2
    assert np.isfinite(model.coef_).all()
    # the same as a model that starts from these weights
    other = SoftmaxClassifier(solver=solver, learning_rate=rates[1], batch_size=10, random_state=0)
    other.partial_fit(storage(X[:100]), y[:100], classes=[0, 1, 2])
    other.coef_, other.intercept_ = reached
    del other._stream
    other.partial_fit(storage(X[100:]), y[100:])
    np.testing.assert_array_equal(model.coef_, other.coef_)
    np.testing.assert_array_equal(model.intercept_, other.intercept_)


@pytest.mark.parametrize(
    "model", [SampledSoftmaxClassifier(n_sampled=5), HierarchicalSoftmaxClassifier(tree="balanced")]
)
def test_a_stream_of_soft_labels_trains_on_each_class_of_each_row(model):
    """They are trained as weighted copies of the rows, so there are more copies than rows."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 3)), rng.dirichlet(np.ones(4), 40)
    rows, labels = np.nonzero(Y)
    soft = clone(model).set_params(random_state=0).partial_fit(X, Y, classes=np.arange(4))
    copies = clone(model).set_params(random_state=0)
    copies.partial_fit(X[rows], labels, classes=np.arange(4), sample_weight=Y[rows, labels])
    np.testing.assert_allclose(soft.coef_, copies.coef_, rtol=1e-12)
    assert soft.history_["objective"] == pytest.approx(copies.history_["objective"], rel=1e-12)


def test_rotation_leaves_the_batch_to_the_features_of_x():
    """Weights of 800 features do not fit into the cache; those of the 599 axes of 600 rows would."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 800)).astype(np.float32), np.arange(600) % 400
    model = SVMClassifier(max_iter=1, random_state=0).fit(X, y)
    first = SVMClassifier(max_iter=1, random_state=0, batch_size=256).fit(X, y)
    np.testing.assert_array_equal(model.coef_, first.coef_)


# ---------------------------------------------------------------- parts that touch few weights


WIDE = 5000


def part_of(seed, n=20, n_classes=3, dtype=np.float64, heavy=True):
    """Rows with few of many columns, one of which outweighs the others."""
    rng = np.random.default_rng(seed)
    X = sparse.random_array((n, WIDE), density=0.002, rng=rng, format="lil", dtype=dtype)
    if heavy:
        X[:, 7] = 30
    return sparse.csr_array(X), rng.integers(0, n_classes, n)


def trained(model, n_parts, first=0, **parameters):
    for seed in range(first, first + n_parts):
        X, y = part_of(seed, **parameters)
        model.partial_fit(X, y, classes=np.arange(parameters.get("n_classes", 3)))
    return model


def everything(stream):
    """Make each part train a copy of all weights."""

    def of_part(X):
        return streams.Columns(np.arange(X.shape[1]), X.shape[1]), X

    return of_part


MODELS = {
    "softmax": SoftmaxClassifier(),
    "no penalty": SoftmaxClassifier(alpha=0.0),
    "large penalty": SoftmaxClassifier(alpha=1.0),
    "numeric": SoftmaxClassifier(learning_rate=0.2),
    "batches": SoftmaxClassifier(batch_size=4),
    "no intercept": SoftmaxClassifier(fit_intercept=False),
    "hinge": SVMClassifier(),
    "adam": SoftmaxClassifier(solver="adam"),
    "average": SoftmaxClassifier(average=True),
    "cosines": LinearClassifier(loss="cosface"),
    "sampled": SampledSoftmaxClassifier(n_sampled=2),
    "tree": HierarchicalSoftmaxClassifier(tree="balanced", solver="momentum"),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_weights_are_trained_as_all_are(name, dtype, monkeypatch):
    few = trained(clone(MODELS[name]).set_params(random_state=0), 9, dtype=dtype)
    monkeypatch.setattr(streams, "SMALLEST", np.inf)  # the factor of all weights is never kept
    monkeypatch.setattr(streams, "of_part", everything(few))
    all_of_them = trained(clone(MODELS[name]).set_params(random_state=0), 9, dtype=dtype)
    exact = name in ("adam", "average", "cosines") or (name == "no penalty" and few._stream.scale == 1)
    tolerance = 2e-4 if dtype == np.float32 else 1e-9
    scale = np.abs(all_of_them.coef_).max()
    np.testing.assert_allclose(few.coef_, all_of_them.coef_, atol=tolerance * scale, rtol=tolerance)
    np.testing.assert_allclose(few.intercept_, all_of_them.intercept_, atol=tolerance * scale, rtol=tolerance)
    for key in ("objective", "step"):
        np.testing.assert_allclose(few.history_[key], all_of_them.history_[key], rtol=tolerance)
    assert few.coef_.dtype == dtype
    if exact:
        assert few._stream.scale == 1


def test_without_a_penalty_steps_of_a_given_length_are_bitwise_those_of_all_weights(monkeypatch):
    model = SoftmaxClassifier(alpha=0.0, learning_rate=0.2, random_state=0)
    few = trained(clone(model), 5)
    monkeypatch.setattr(streams, "SMALLEST", np.inf)
    all_of_them = trained(clone(model), 5)
    np.testing.assert_array_equal(few.coef_, all_of_them.coef_)
    np.testing.assert_array_equal(few.intercept_, all_of_them.intercept_)


def test_the_penalty_in_the_history_is_that_of_the_weights():
    model = SoftmaxClassifier(alpha=0.3, learning_rate=0.5, random_state=0)
    for seed in range(40):
        trained(model, 1, first=seed)
        stream = model._stream
        stream.write()
        W = stream._model().W
        kept = 0.5 * stream.alpha * stream.scale**2 * stream.squares
        assert kept == pytest.approx(0.5 * stream.alpha * (W**2).sum(), rel=1e-10)


def test_a_factor_that_becomes_small_goes_into_the_weights():
    model = SoftmaxClassifier(alpha=50.0, learning_rate=1.0, random_state=0)
    scales = [trained(model, 1, first=seed)._stream.scale for seed in range(12)]
    assert min(scales) >= streams.SMALLEST
    assert scales.count(1.0) >= 2
    assert np.isfinite(model.coef_).all()


# ---------------------------------------------------------------- what is published, and when


@pytest.mark.parametrize("name", ["softmax", "adam", "cosines", "tree"])
def test_weights_are_published_when_somebody_asks_for_them(name):
    model = trained(clone(MODELS[name]).set_params(random_state=0), 2)
    assert not {"coef_", "intercept_"} & set(vars(model))
    check_is_fitted(model)
    check_is_fitted(model, "coef_")
    before = set(vars(model))
    coef = model.coef_
    assert model.coef_ is coef
    assert set(vars(model)) == before  # reading changes nothing
    kept = coef.copy()
    trained(model, 1, first=2)
    np.testing.assert_array_equal(coef, kept)
    assert (model.coef_ != kept).any()
    with pytest.raises(AttributeError, match="coefs_"):
        model.coefs_  # noqa: B018
    assert not hasattr(clone(model), "coef_")
    with pytest.raises(AttributeError, match="no attribute 'coef_'"):
        clone(model).coef_  # noqa: B018


@pytest.mark.parametrize("name", ["softmax", "adam", "cosines", "sampled", "tree"])
@pytest.mark.parametrize("read", [False, True])
def test_copies_have_all_attributes_and_go_on_alone(name, read):
    model = trained(clone(MODELS[name]).set_params(random_state=0), 3)
    if read:
        model.coef_  # noqa: B018
    digest = joblib.hash(model)
    copies = [copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    assert all({"coef_", "intercept_"} <= set(vars(each)) for each in copies)
    coef = model.coef_.copy()
    assert {joblib.hash(each) for each in (model, *copies[:2])} == {digest}
    trained(model, 1, first=3)
    after = model.coef_.copy()
    assert (after != coef).any()
    for each in copies:  # the arrays that the first has changed are not theirs
        np.testing.assert_array_equal(each.coef_, coef)
        trained(each, 1, first=3)
        np.testing.assert_array_equal(each.coef_, after)
        trained(each, 2, first=4)
    np.testing.assert_array_equal(model.coef_, after)
    np.testing.assert_array_equal(trained(model, 2, first=4).coef_, copies[0].coef_)


@pytest.mark.parametrize("name", ["softmax", "adam", "sampled"])
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_stream_of_arrays_in_a_file_goes_on_and_leaves_the_file_as_it_is(name, dense, mode, tmp_path):
    def go_on(model, first, n_parts=1):
        for seed in range(first, first + n_parts):
            X, y = part_of(seed)
            model.partial_fit(X.toarray() if dense else X, y, classes=np.arange(3))
        return model

    twin = go_on(clone(MODELS[name]).set_params(random_state=0), 0, 3)
    path = tmp_path / "model"
    joblib.dump(twin, path)
    before, model = path.read_bytes(), joblib.load(path, mmap_mode=mode)
    assert isinstance(model._stream.state.V, np.memmap)
    for first in range(3, 8):  # the squares of columns are levelled again on the way
        go_on(model, first)
        go_on(twin, first)
        np.testing.assert_array_equal(model.coef_, twin.coef_)
        assert type(model._stream.state.V) is np.ndarray
    pickle.dumps(model)
    np.testing.assert_array_equal(go_on(model, 8, 2).coef_, go_on(twin, 8, 2).coef_)
    del model
    assert path.read_bytes() == before


def test_fit_and_other_parameters_after_a_stream():
    X, y = part_of(0)
    model = trained(SoftmaxClassifier(random_state=0), 2)
    reached = model.coef_
    model.set_params(warm_start=True, max_iter=1, tol=None, learning_rate=1e-12).fit(X, y)
    occurs = np.unique(X.indices)
    np.testing.assert_allclose(model.coef_[:, occurs], reached[:, occurs], rtol=1e-6, atol=1e-10)
    assert {"coef_", "intercept_"} <= set(vars(model))
    trained(model, 1, first=2)
    assert not {"coef_", "intercept_"} & set(vars(model))


def test_weights_that_overflow_the_dtype_are_an_error_of_the_part():
    """Not of a later access to the weights: each of two weights is finite, but their difference is not."""
    X, y = sparse.csr_array(np.array([[0, 4, 0, 0, 0], [1, 0, 0, 0, 0]], np.float32)), [0, 1]
    model = SoftmaxClassifier(learning_rate=0.01, alpha=0.0, fit_intercept=False, random_state=0)
    model.partial_fit(X, y, classes=[0, 1])
    kept = model.coef_.copy()
    with pytest.raises(ValueError, match=r"coefficients of column 1 reach .* and overflow float32"):
        model.set_params(learning_rate=3e38, batch_size=100).partial_fit(X, y)
    np.testing.assert_array_equal(model.coef_, kept)
    again = model.set_params(learning_rate=0.01, batch_size="auto").partial_fit(X, y)
    twin = SoftmaxClassifier(learning_rate=0.01, alpha=0.0, fit_intercept=False, random_state=0)
    twin.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    np.testing.assert_array_equal(again.coef_, twin.coef_)


# ---------------------------------------------------------------- whatever stops a part


PLACES = {
    "the squares of the features": (Levelled, "learn_columns"),
    "the first weights": (streams.Stream, "_started"),
    "the problem": (streams, "problem_for"),
    "the step size": (streams.StepSize, "measure"),
    "the weights of the part": (streams.Stream, "_weights"),
    "the steps": (streams.Descent, "__init__"),
    "after the steps": (streams, "check_finite"),
    "the range": (streams.Stream, "_check_range"),
    "publishing": (SoftmaxClassifier, "_publish"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError, MemoryError])
def test_a_part_that_is_stopped_changes_nothing(place, late, fault, monkeypatch):
    owner, name = PLACES[place]
    model, twin = (trained(SoftmaxClassifier(random_state=0), 5) for _ in range(2))
    X, y = part_of(5)
    if place == "the first weights":  # another loss: a new stream
        model.set_params(temperature=2.0)
        twin.set_params(temperature=2.0)
    attributes = dict(vars(model))
    function = getattr(owner, name)

    def stopped(*arguments, **parameters):
        if late:
            function(*arguments, **parameters)
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, stopped)
        with pytest.raises(fault):
            model.partial_fit(X, y)
    assert vars(model) == attributes
    assert joblib.hash(model._stream) == joblib.hash(twin._stream)
    for each in (model, twin):
        trained(each, 4, first=5)
    np.testing.assert_array_equal(model.coef_, twin.coef_)
    assert {**model.history_, "seconds": 0} == {**twin.history_, "seconds": 0}


def test_a_change_that_is_written_twice_is_the_same():
    """If Ctrl-C interrupts the write, the next use repeats it."""
    model, twin = (trained(SoftmaxClassifier(random_state=0), 3) for _ in range(2))
    due = model._stream.due
    model._stream.write()
    assert model._stream.due is None
    model._stream.due = due
    np.testing.assert_array_equal(trained(model, 2, first=3).coef_, trained(twin, 2, first=3).coef_)


def test_another_thread_sees_a_model_between_two_parts():
    model = SoftmaxClassifier(random_state=0)
    valid = [trained(model, 1, first=seed).coef_.sum() for seed in range(30)]
    model, seen, done = trained(SoftmaxClassifier(random_state=0), 1), [], threading.Event()

    def look():
        while not done.is_set():
            seen.append(model.coef_.sum())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        trained(model, 29, first=1)
    finally:
        done.set()
        thread.join()
    assert set(seen) <= set(valid)
    assert model.coef_.sum() == valid[-1]


@pytest.mark.faults
@pytest.mark.parametrize("reads", ["coef_", "predict", "copy"])
def test_a_thread_that_looks_all_the_time_waits_for_no_end_of_the_stream(reads):
    """Each read returns a model between two parts, even if parts follow each other quickly."""
    parts = [part_of(seed, n=2) for seed in range(50)]
    model, twin = (trained(SoftmaxClassifier(random_state=0, learning_rate=0.1), 1, n=2) for _ in range(2))
    valid, seen, counts, faults, done = [], [], [], [], threading.Event()
    rows = np.zeros((1, WIDE)) + 0.1
    looks = {
        "coef_": lambda: model.coef_.sum(),
        "predict": lambda: model.decision_function(rows).sum(),
        "copy": lambda: copy.copy(model).decision_function(rows).sum(),
    }

    def look():
        try:
            while not done.is_set():
                seen.append(looks[reads]())
                counts.append(model.n_iter_)
        except Exception as fault:
            faults.append(fault)

    thread, before = threading.Thread(target=look), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            for X, y in parts:
                model.partial_fit(X, y)
    finally:
        done.set()
        thread.join(timeout=30)
        sys.setswitchinterval(before)
    assert not thread.is_alive()
    assert not faults
    assert len(set(counts)) > 2  # while parts went on
    n_parts = model.n_iter_
    for number in range(n_parts):
        if number:
            X, y = parts[(number - 1) % len(parts)]
            twin.partial_fit(X, y)
        valid.append(twin.coef_.sum() if reads == "coef_" else twin.decision_function(rows).sum())
    assert set(seen) <= set(valid)
    np.testing.assert_array_equal(model.coef_, twin.coef_)


def test_a_reader_that_is_stopped_while_it_writes_does_not_write_older_weights():
    """It holds the lock, and the next part waits for it."""
    model, twin = (trained(SoftmaxClassifier(random_state=0), 3) for _ in range(2))
    stream = model._stream
    with stream.lock:
        thread = threading.Thread(target=trained, args=(model, 2), kwargs={"first": 3})
        thread.start()
        thread.join(timeout=0.2)
        assert model._stream is stream
    thread.join()
    assert model._stream.lock is stream.lock
    copies = [copy.copy(stream), pickle.loads(pickle.dumps(stream))]
    assert len({id(each.lock) for each in (stream, *copies)}) == 3
    np.testing.assert_array_equal(model.coef_, trained(twin, 2, first=3).coef_)


def test_a_stream_replaces_a_fit_at_once():
    """A concurrent reader finds the old or the new model, never none."""
    X, y = part_of(0)
    model, seen = SoftmaxClassifier(solver="sgd", random_state=0, max_iter=1).fit(X, y), []
    old = model.coef_.copy()

    def trace(frame, event, argument):
        if frame.f_code.co_filename.endswith("base.py"):
            seen.append((model.coef_.copy(), model.intercept_.copy()))
            return trace
        return None

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        model.partial_fit(X, y)
    finally:
        sys.settrace(outer)
    new = model.coef_, model.intercept_
    assert all(np.array_equal(coef, old) != np.array_equal(coef, new[0]) for coef, _ in seen)
    assert all(np.array_equal(coef, new[0]) == np.array_equal(b, new[1]) for coef, b in seen)


def test_attributes_exist_and_are_listed_before_somebody_has_read_them():
    model = SoftmaxClassifier(random_state=0)
    assert not hasattr(model, "coef_")
    with pytest.raises(AttributeError, match="'SoftmaxClassifier' object has no attribute 'intercept_'"):
        model.intercept_  # noqa: B018
    assert {"coef_", "intercept_", "classes_", "predict"} <= set(dir(trained(model, 1)))
