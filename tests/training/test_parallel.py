"""The same seed gives bitwise the same model: any n_jobs, threads, worker and forked processes."""

import multiprocessing
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, cpu_count, delayed, parallel_config
from scipy import sparse
from sklearn.datasets import make_classification
from threadpoolctl import threadpool_info, threadpool_limits

from linclf import SoftmaxClassifier
from linclf._estimator.settings import settings_of
from linclf._training.blas import one_blas_thread

DEFAULTS = {"solver": "sgd", "max_iter": 3, "random_state": 0}
ROWS, FEATURES = 9000, 600  # enough for a batch of nearly all rows to be cut into pieces for threads
LARGE = {**DEFAULTS, "batch_size": ROWS - 400}
LBFGS = {"solver": "lbfgs", "max_iter": 8, "tol": None, "random_state": 0}
NEWTON = {"solver": "newton", "max_iter": 4, "tol": None}
SETTINGS = {"sgd": DEFAULTS, "large": LARGE, "lbfgs": LBFGS, "newton": NEWTON}


@pytest.fixture(scope="module")
def data():
    return make_classification(
        ROWS, FEATURES, n_informative=8, n_classes=4, weights=[0.4, 0.3, 0.2], random_state=0
    )


def fit(settings, X, y):
    model = SoftmaxClassifier(**settings).fit(X, y)
    return np.column_stack([model.coef_, model.intercept_])


@pytest.fixture(scope="module")
def expected(data):
    return {name: fit({**settings, "n_jobs": 1}, *data) for name, settings in SETTINGS.items()}


@pytest.mark.parametrize("name", SETTINGS)
def test_n_jobs_changes_nothing(data, expected, name):
    for n_jobs in (2, 3, -1, None):
        np.testing.assert_array_equal(fit({**SETTINGS[name], "n_jobs": n_jobs}, *data), expected[name])


@pytest.mark.parametrize("settings", [LARGE, LBFGS], ids=["large", "lbfgs"])
def test_pieces_are_used_by_threads(data, monkeypatch, settings):
    """The premise of this file: n_jobs=2 does start two threads if there is work for them."""
    started = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, n):
            started.append(n)
            super().__init__(n)

    monkeypatch.setattr("linclf._training.threads.ThreadPoolExecutor", Pool)
    fit({**settings, "n_jobs": 2}, *data)
    assert set(started) == {2}
    started.clear()
    fit({**settings, "n_jobs": 1}, *data)
    fit({**DEFAULTS, "n_jobs": 2}, *data)
    assert not started


def test_n_jobs_on_sparse_rows(data):
    X = sparse.csr_array(np.where(data[0] > 0.5, data[0], 0))
    one, two = (fit({**LARGE, "n_jobs": n_jobs}, X, data[1]) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one).max() > 0.01


def test_large_batches_are_batches(data):
    """Gradients of pieces add up to the gradient of the whole batch."""
    X, y = data
    settings = {"learning_rate": 0.5, "batch_size": ROWS, "max_iter": 1, "tol": None, "alpha": 0.0}
    W = fit(settings, X, y)[:, :-1]
    gradient = (0.25 - np.eye(4)[y]).T @ X / len(y)
    np.testing.assert_allclose(W, -0.5 * gradient, rtol=1e-9, atol=1e-12)


def test_python_threads(data, expected):
    """Fits of unequal length, so that some end while others are at arbitrary points."""
    tasks = [(DEFAULTS, "sgd"), ({**LARGE, "n_jobs": 2}, "large")] * 8
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda task: fit(task[0], *data), tasks))
    for one, (_, name) in zip(found, tasks, strict=True):
        np.testing.assert_array_equal(one, expected[name])


def test_loky_workers(data, expected):
    tasks = [(DEFAULTS, "sgd"), ({**LARGE, "n_jobs": 2}, "large")]
    found = Parallel(n_jobs=2, backend="loky")(delayed(fit)(settings, *data) for settings, _ in tasks)
    for one, (_, name) in zip(found, tasks, strict=True):
        np.testing.assert_array_equal(one, expected[name])


def in_child(queue, data):
    queue.put((fit({**DEFAULTS, "n_jobs": 2}, *data), fit({**LARGE, "n_jobs": 2}, *data)))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_child_process(data, expected, method):
    if method == "fork" and sys.platform in ("win32", "darwin"):
        pytest.skip("no fork there")
    fit({**LARGE, "n_jobs": 2}, *data)  # the parent has used threads before
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=in_child, args=(queue, data))
    child.start()
    try:
        defaults, large = queue.get(timeout=60)
        child.join(timeout=60)
        assert child.exitcode == 0
    finally:
        child.kill()
        child.join()
    np.testing.assert_array_equal(defaults, expected["sgd"])
    np.testing.assert_array_equal(large, expected["large"])


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_blas_is_limited_while_any_fit_lasts():
    """OpenBLAS sums in another order with two threads; its limit belongs to the process, not to a fit."""

    def enter():
        limit = one_blas_thread()
        limit.__enter__()
        return limit

    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as two:
        before = blas_threads()
        first, second = one.submit(enter).result(), two.submit(enter).result()
        one.submit(first.__exit__, None, None, None).result()
        during = two.submit(blas_threads).result()
        two.submit(second.__exit__, None, None, None).result()
        assert during == [1] * len(before)
        assert blas_threads() == before == [2] * len(before)


def threads_taken(n_jobs=None):
    return settings_of(SoftmaxClassifier(n_jobs=n_jobs))[1].n_jobs


def test_none_is_the_share_of_the_cores(monkeypatch):
    """Alone, all threads of OpenMP; in a pool process, the share left by joblib; in a pool thread, one."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with threadpool_limits(1, user_api="openmp"):
        assert threads_taken() == 1
        assert threads_taken(3) == 3
    monkeypatch.setattr("linclf._estimator.settings._openmp_effective_n_threads", lambda: 5)
    assert threads_taken() == 5
    with parallel_config("loky", n_jobs=2):
        assert threads_taken() == 2
    of_threads = Parallel(n_jobs=2, backend="threading")(delayed(threads_taken)() for _ in range(2))
    assert of_threads == [1, 1]


@pytest.mark.parametrize("share", [1, 2])
def test_worker_processes_have_a_share(share):
    with parallel_config("loky", n_jobs=2, inner_max_num_threads=share):
        found = Parallel()(delayed(threads_taken)() for _ in range(2))
    assert found == [min(share, cpu_count())] * 2
