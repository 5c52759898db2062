"""`linclf.dask`: the model does not depend on partitions, workers, or what happens to them.

Uses two worker processes. `test_fit_from_batches` tests the sums of shards.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import linclf

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

import psutil  # noqa: E402  which distributed brings

import linclf.dask as on_dask  # noqa: E402

TIGHT = {"alpha": 1e-2, "tol": 1e-12, "max_iter": 300, "solver": "lbfgs"}
pytestmark = pytest.mark.filterwarnings("default")  # because of dask and its libraries


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def own_client():
    """A client with workers that tests may kill."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def table(n=3000, d=6, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.logspace(-1, 2, d) + 3
    scores = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.normal(size=(d, n_classes))
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1), rng.uniform(0.2, 3, n)


def arrays(*given, chunks=(1700, 0, 300, 1000)):
    return [
        da.from_array(one, chunks=(chunks, one.shape[1]) if one.ndim == 2 else (chunks,)) for one in given
    ]


def delayed(*given, cuts=(1, 1000, 2500)):
    """Uneven parts of unknown length."""
    return [[dask.delayed(part) for part in np.split(one, cuts)] for one in given]


def assert_same(model, expected, X, atol=1e-6):
    scale = np.abs(expected.coef_ * X.std(axis=0)).max()
    np.testing.assert_array_equal(model.classes_, expected.classes_)
    np.testing.assert_allclose(model.coef_ * X.std(axis=0), expected.coef_ * X.std(axis=0), atol=atol * scale)
    np.testing.assert_allclose(model.history_["objective"][-1], expected.history_["objective"][-1], rtol=1e-9)


# ---------------------------------------------------------------- the same model


def test_uneven_and_empty_partitions(client):
    X, y, weights = table()
    model = on_dask.SoftmaxClassifier(**TIGHT).fit(*arrays(X, y, weights))
    assert_same(model, linclf.SoftmaxClassifier(**TIGHT).fit(X, y, sample_weight=weights), X)
    assert model.solver_ == "lbfgs"
    assert 0 <= model.optimality_gap_ < 1e-9


def test_parts_of_unknown_length(client):
    X, y, weights = table()
    model = on_dask.SoftmaxClassifier(**TIGHT).fit(*delayed(X, y, weights))
    assert_same(model, linclf.SoftmaxClassifier(**TIGHT).fit(X, y, sample_weight=weights), X)


def test_a_table_with_names(client):
    import pandas as pd

    X, y, _ = table()
    data = pd.DataFrame(X, columns=list("abcdef")).assign(y=np.array(["u", "v", "w"])[y])
    frame = dd.from_pandas(data, npartitions=3)
    model = on_dask.SoftmaxClassifier(**TIGHT).fit(frame[list("abcdef")], frame["y"])
    expected = linclf.SoftmaxClassifier(**TIGHT).fit(data[list("abcdef")], data["y"])
    assert_same(model, expected, X)
    assert model.feature_names_in_.tolist() == list("abcdef")
    found = model.predict(frame[list("abcdef")])
    np.testing.assert_array_equal(found.compute(), expected.predict(data[list("abcdef")]))
    p = model.predict_proba(frame[list("abcdef")]).compute()
    np.testing.assert_allclose(p, expected.predict_proba(data[list("abcdef")]), atol=1e-6)


@pytest.mark.parametrize(
    "params",
    [
        {"class_weight": "balanced"},
        {"standardize": True},
        {"solver": "newton"},
        {"fit_intercept": False, "label_smoothing": 0.1},
    ],
    ids=str,
)
def test_parameters_count(client, params):
    X, y, weights = table()
    model = on_dask.SoftmaxClassifier(**TIGHT | params).fit(*arrays(X, y, weights))
    assert_same(model, linclf.SoftmaxClassifier(**TIGHT | params).fit(X, y, sample_weight=weights), X, 1e-5)


def test_a_class_that_one_partition_lacks(client):
    X, y, _ = table()
    order = np.argsort(y, kind="stable")
    model = on_dask.SoftmaxClassifier(**TIGHT).fit(*arrays(X[order], y[order]))
    assert_same(model, linclf.SoftmaxClassifier(**TIGHT).fit(X, y), X)


def test_blocks_of_csr(client):
    rng = np.random.default_rng(0)
    S = sparse.random_array((2000, 200), density=0.05, rng=rng, format="csr")
    scores = S @ rng.normal(size=(200, 3)) * 5
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    parts = [dask.delayed(S[start : start + 700]) for start in range(0, 2000, 700)]
    labels = [dask.delayed(y[start : start + 700]) for start in range(0, 2000, 700)]
    model = on_dask.SoftmaxClassifier(**TIGHT).fit(parts, labels)
    expected = linclf.SoftmaxClassifier(**TIGHT).fit(S, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-5)


def test_weights_as_repeated_rows(client):
    X, y, _ = table(n=900)
    times = np.random.default_rng(1).integers(0, 4, 900)
    one = on_dask.SoftmaxClassifier(**TIGHT).fit(*delayed(X, y, times.astype(float), cuts=(300,)))
    again = on_dask.SoftmaxClassifier(**TIGHT).fit(
        *delayed(np.repeat(X, times, axis=0), np.repeat(y, times), cuts=(500,))
    )
    assert_same(one, again, X)


def test_probabilities_and_validation_rows(client):
    X, y, _ = table()
    p = np.random.default_rng(1).dirichlet([1, 2, 3], len(y))
    model = on_dask.SoftmaxClassifier(**TIGHT, early_stopping=True)
    X_val, p_val = arrays(X[:500], p[:500], chunks=(200, 300))
    model.fit(*delayed(X[500:], p[500:]), X_val=X_val, y_val=p_val)
    assert len(model.history_["validation_loss"]) == len(model.history_["objective"])


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_several_labels(client, class_weight):
    """One partition lacks a label, and one has no rows; blocks of y may be sparse."""
    X, _, weights = table()
    rng = np.random.default_rng(1)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    Y = (Z @ rng.normal(size=(6, 4)) + rng.normal(size=(3000, 4)) > 0.5).astype(int)
    Y[:1700, 3] = 0
    model = on_dask.LinearClassifier(loss="one-vs-rest-logistic", class_weight=class_weight, **TIGHT)
    expected = linclf.LinearClassifier(loss="one-vs-rest-logistic", class_weight=class_weight, **TIGHT)
    expected.fit(X, Y, sample_weight=weights)
    parts = arrays(X, Y, weights)
    assert_same(model.fit(*parts), expected, X)
    np.testing.assert_array_equal(model.predict(parts[0]).compute(), expected.predict(X))
    p = model.predict_proba(parts[0]).compute()
    np.testing.assert_allclose(p, expected.predict_proba(X), atol=1e-5)
    assert model.to_local().multilabel_ is True
    cuts = [X[:1000], X[1000:]], [sparse.csr_array(Y[:1000]), sparse.csr_array(Y[1000:].astype(float))]
    model.fit(*([dask.delayed(part) for part in one] for one in cuts))
    assert_same(model, clone(expected).fit(X, Y), X)
    with pytest.raises(ValueError, match=r"column 0 of y is never 1"):
        model.fit(parts[0], parts[1] * [0, 1, 1, 1])
    with pytest.raises(ValueError, match=r"partition 0.*is an indicator of several labels a row, and has 2"):
        model.fit(parts[0], 2 * parts[1])
    with pytest.raises(ValueError, match=r"SoftmaxClassifier has one label a row"):
        on_dask.SoftmaxClassifier().fit(*parts)


def test_other_losses(client):
    X, y, _ = table()
    model = on_dask.SVMClassifier(squared=True, alpha=1e-2, tol=1e-10, solver="lbfgs")
    expected = linclf.SVMClassifier(squared=True, alpha=1e-2, tol=1e-10, solver="lbfgs").fit(X, y)
    found = model.fit(*arrays(X, y))
    np.testing.assert_allclose(found.history_["objective"][-1], expected.history_["objective"][-1], rtol=1e-8)


def test_bitwise_whatever_order_workers_end_in(client):
    X, y, weights = table()

    def slow(part, seconds):
        time.sleep(seconds)
        return part

    first = on_dask.SoftmaxClassifier().fit(*delayed(X, y, weights))
    for pauses in ((0.2, 0, 0, 0), (0, 0, 0.2, 0.1)):
        Xs, ys, ws = delayed(X, y, weights)
        Xs = [dask.delayed(slow)(one, pause) for one, pause in zip(Xs, pauses, strict=True)]
        again = on_dask.SoftmaxClassifier().fit(Xs, ys, ws)
        np.testing.assert_array_equal(again.coef_, first.coef_)
        np.testing.assert_array_equal(again.intercept_, first.intercept_)


# ---------------------------------------------------------------- the class


@pytest.mark.parametrize("name", on_dask.__all__)
def test_constructors_are_the_local_ones_and_a_client(name):
    theirs, ours = getattr(on_dask, name)().get_params(), getattr(linclf, name)().get_params()
    assert theirs == ours | {"client": None}
    assert getattr(on_dask, name).__name__ == name
    assert "client : distributed.Client or None" in getattr(on_dask, name).__doc__


def test_copies_with_a_client(client):
    X, y, _ = table()
    model = on_dask.SoftmaxClassifier(client=client, alpha=0.1)
    assert clone(model).client is client
    assert clone(model).alpha == 0.1
    fitted = clone(model).fit(*arrays(X, y))
    again = pickle.loads(pickle.dumps(fitted))
    assert again.client is None
    np.testing.assert_array_equal(again.coef_, fitted.coef_)


def test_the_local_classifier(client, tmp_path):
    X, y, _ = table()
    model = on_dask.SoftmaxClassifier(alpha=0.1).fit(*arrays(X, y))
    local = model.to_local()
    assert type(local) is linclf.SoftmaxClassifier
    assert local.alpha == 0.1
    np.testing.assert_array_equal(local.predict(X), model.predict(X))
    linclf.save(local, tmp_path / "m.linclf")
    np.testing.assert_array_equal(linclf.load(tmp_path / "m.linclf").predict_proba(X), local.predict_proba(X))
    assert not hasattr(on_dask.SoftmaxClassifier().to_local(), "classes_")


def test_predicting_is_lazy(client):
    X, y, _ = table()
    model = on_dask.SoftmaxClassifier().fit(*arrays(X, y))
    (Xd,) = arrays(X)
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        found = getattr(model, name)(Xd)
        assert isinstance(found, da.Array)
        expected = getattr(model.to_local(), name)(X)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found.compute(), expected)
    np.testing.assert_array_equal(model.predict_topk(Xd, 2).compute(), model.to_local().predict_topk(X, 2))


# ---------------------------------------------------------------- what goes wrong


def test_what_is_refused(client):
    X, y, _ = table()
    Xd, yd = arrays(X, y)
    with pytest.raises(TypeError, match="X is a ndarray; pass an array"):
        on_dask.SoftmaxClassifier().fit(X, y)
    with pytest.raises(ValueError, match="X has 4 partitions, and y has 2"):
        on_dask.SoftmaxClassifier().fit(delayed(X)[0], delayed(y, cuts=(50,))[0])
    with pytest.raises(ValueError, match=r"solver='sgd' goes through the rows one .* squared form"):
        on_dask.SVMClassifier().fit(Xd, yd)
    with pytest.raises(ValueError, match="classes="):
        on_dask.SoftmaxClassifier().fit(Xd, yd, classes=[0, 1])
    X[2000, 3] = np.nan
    with pytest.raises(ValueError, match=r"partition 3: .*NaN: row 2000, column 3"):
        on_dask.SoftmaxClassifier().fit(*arrays(X, y))


def test_no_client():
    script = (
        "import dask.array as da; from linclf.dask import SoftmaxClassifier as C; "
        "C().fit(da.ones((4, 2)), da.ones(4))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "ValueError: client=None takes the current client of dask, and there is none" in done.stderr


def slowed(seconds=0.0):
    """Parts that are slow to compute, so that something can happen meanwhile."""
    X, y, _ = table(n=20_000)

    def part(number):
        time.sleep(seconds)
        rows = slice(number * 5000, number * 5000 + 5000)
        return X[rows]

    parts = [dask.delayed(part, pure=True)(number) for number in range(4)]
    return parts, [dask.delayed(y[start : start + 5000]) for start in range(0, 20_000, 5000)]


class Counter(distributed.SchedulerPlugin):
    """Counts the finished tasks."""

    done = 0

    def transition(self, key, start, finish, *arguments, **more):
        self.done += finish == "memory"


def test_a_killed_worker_costs_at_most_two_passes(own_client):
    """Its partitions are computed again, and the model is the same."""
    X, y = slowed(0.1)
    model = on_dask.SoftmaxClassifier(client=own_client, **TIGHT)
    counter = Counter()
    own_client.cluster.scheduler.add_plugin(counter)
    expected, killed = clone(model).fit(X, y), []
    usual, counter.done, counts = counter.done, 0, []

    def kill():
        pids = own_client.run(os.getpid)
        time.sleep(0.8)
        address, pid = next(iter(pids.items()))
        killed.append(address)
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    for _ in range(20):  # long enough to be hit
        again = clone(model).fit(X, y)
        counts.append(counter.done)
        counter.done = 0
        np.testing.assert_array_equal(again.coef_, expected.coef_)
        if killed and time.sleep(0.2) is None and not killer.is_alive():
            break
    killer.join()
    assert killed
    # a pass is a task for each of four partitions, three sums, and the function that is summed; computing a
    # partition again takes four tasks: X, y, both together, and the encoded rows
    assert max(counts) - usual <= 2 * (4 + 3 + 1) + 4 * 4


def watch_memory():
    """On a worker: record the peak memory, and the peak bytes of rows that it holds."""
    worker = next(iter(distributed.Worker._instances))
    worker.most = worker.usual = psutil.Process().memory_info().rss
    worker.rows = 0

    def look():
        while True:
            held = [value[0] for value in dict(worker.data).values() if isinstance(value, tuple)]
            worker.rows = max(worker.rows, sum(getattr(X, "nbytes", 0) for X in held))
            worker.most = max(worker.most, psutil.Process().memory_info().rss)
            time.sleep(0.005)

    threading.Thread(target=look, daemon=True).start()


def seen_memory():
    worker = next(iter(distributed.Worker._instances))
    return worker.most - worker.usual, worker.rows


@pytest.mark.faults
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_worker_takes_the_rows_that_it_holds_and_little_more(own_client, dtype):
    """Allow 15 %, the coefficients, and the reserve of allocators."""

    def parts(n):
        rows = [
            dask.delayed(lambda k: np.random.default_rng(k).standard_normal((n, 100), dtype))(k)
            for k in range(4)
        ]
        return rows, [
            dask.delayed(lambda k: np.random.default_rng(k).integers(5, size=n))(k) for k in range(4)
        ]

    model = on_dask.SoftmaxClassifier(client=own_client, solver="lbfgs", max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(*parts(10_000))  # imports and kernels
        own_client.run(watch_memory)
        model.fit(*parts(200_000))
    for taken, rows in own_client.run(seen_memory).values():
        assert rows >= 200_000 * 100 * np.dtype(dtype).itemsize
        assert taken <= 1.15 * rows + 2**25


def test_workers_that_come_and_go():
    """The cluster may change their number; the model does not depend on it."""
    X, y = slowed(0.05)
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        model = on_dask.SoftmaxClassifier(client=client, **TIGHT)
        expected = clone(model).fit(X, y)
        cluster.adapt(minimum=1, maximum=2, interval="100ms", wait_count=1)
        for _ in range(3):
            again = clone(model).fit(X, y)
            np.testing.assert_array_equal(again.coef_, expected.coef_)


def test_two_fits_at_once(own_client):
    X, y = slowed()
    found = {}

    def fit(number):
        found[number] = on_dask.SoftmaxClassifier(client=own_client).fit(X, y).coef_

    fits = [threading.Thread(target=fit, args=(number,)) for number in range(2)]
    for one in fits:
        one.start()
    for one in fits:
        one.join()
    np.testing.assert_array_equal(found[0], found[1])


def test_no_worker_left_is_an_error(own_client, monkeypatch):
    monkeypatch.setattr("linclf.dask._waiting.PATIENCE", 2.0)
    X, y = slowed(1.0)
    timer = threading.Timer(0.5, lambda: own_client.cluster.scale(0))
    timer.start()
    started = time.monotonic()
    with pytest.raises((RuntimeError, distributed.KilledWorker), match="no worker"):
        on_dask.SoftmaxClassifier(client=own_client).fit(X, y)
    assert time.monotonic() - started < 30


@pytest.fixture
def interrupts():
    """Restore SIGINT, which processes started in the background by a shell ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_cancels_the_tasks(own_client, interrupts):
    model = on_dask.SoftmaxClassifier(client=own_client)
    clone(model).fit(*slowed())  # so that nothing is imported or compiled when the signal comes
    X, y = slowed(2.0)
    threading.Timer(1.0, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert not hasattr(model, "classes_")
    give_up = time.monotonic() + 20
    while any(own_client.processing().values()) and time.monotonic() < give_up:
        time.sleep(0.1)  # running tasks finish
    assert not any(own_client.processing().values())
