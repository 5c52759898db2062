"""Faults during a fit: Ctrl-C, kill -9, broken caches, little memory, many threads.

Faults of the process happen in separate processes with time limits; they are marked `faults`, and only
`.ci/run` and ``pytest -m faults`` run them. Not tested again here: fits on other threads and in other
processes (test_parallel.py), single kernels with a broken cache (test_numba.py), pickle, joblib and skops
(test_ecosystem.py), saves that fail (test_model_damage.py).
"""

import ast
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import default_run
from scipy import sparse

import linclf
from linclf import MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier

PACKAGE = pathlib.Path(linclf.__file__).parent
FAST = {"max_iter": 3, "random_state": 0}
LIMIT = 240  # seconds for a child process; each takes a few if machine code is cached
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 6))
Y = np.arange(300) % 3
faults = pytest.mark.faults
posix = pytest.mark.skipif(os.name != "posix", reason="these faults are made in POSIX's ways")
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells what a process uses in /proc")


def start(script, *arguments, **environment):
    """Start a new process."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(script, *arguments, **environment):
    """The output of a new process, as Python values."""
    child = start(script, *arguments, **environment)
    try:
        printed, errors = child.communicate(timeout=LIMIT)
    finally:
        child.kill()
    assert child.returncode == 0, errors
    return [ast.literal_eval(line) for line in printed.splitlines()]


# ---------------------------------------------------------------- Ctrl-C

INTERRUPTED = """
import os, signal, sys, threading, time, warnings
import numpy as np
from scipy import sparse
from linclf import Batches, MarginSoftmaxClassifier, SoftmaxClassifier
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
dense, tall = rng.normal(size=(8000, 300)).astype(np.float32), rng.normal(size=(500_000, 2))
batches = Batches(dense, np.arange(8000) % 100)
text = sparse.random_array((40_000, 20_000), density=2e-3, format="csr", rng=rng)
model, X, n_classes = {
    "many classes": (SoftmaxClassifier(solver="sgd"), dense, 1000),
    "short rows": (SoftmaxClassifier(solver="sgd"), tall, 2),
    "csr": (SoftmaxClassifier(solver="sgd"), text, 100),
    "newton": (SoftmaxClassifier(solver="newton", alpha=1e-9), dense, 100),
    "csr adam": (SoftmaxClassifier(solver="adam"), text, 100),
    "csr cosines": (MarginSoftmaxClassifier(), text, 100),
    "lbfgs": (SoftmaxClassifier(solver="lbfgs"), dense, 100),
    "lbfgs on two threads": (SoftmaxClassifier(solver="lbfgs", n_jobs=2), dense, 100),
    "large batches on two threads": (SoftmaxClassifier(batch_size=6000, n_jobs=2), dense, 100),
    "passes over batches": (SoftmaxClassifier(solver="lbfgs", n_jobs=2), batches, 100),
    "steps over batches": (SoftmaxClassifier(solver="sgd"), batches, 100),
}[sys.argv[1]]
y = None if isinstance(X, Batches) else np.arange(X.shape[0]) % n_classes
model.set_params(max_iter=2, random_state=0).fit(X, y)  # and the machine code is there
model.set_params(max_iter=100_000, tol=None)
before, threads = dict(vars(model)), set(threading.enumerate())
for delay in (0.02, 0.1, 0.3, 0.6, 0.8, 1.1, 1.4):
    sent, ended = [], threading.Event()
    def interrupt():  # again if it arrives in a callback of a weak reference, where Python ignores it
        while not sent or not ended.wait(1.0):
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(delay, interrupt)
    try:
        timer.start()
        model.fit(X, y)
    except KeyboardInterrupt:
        ended.set()
        arrived = time.perf_counter()
    timer.join()
    after = vars(model)
    unchanged = after.keys() == before.keys() and all(after[name] is before[name] for name in before)
    deadline = time.perf_counter() + 0.2  # a thread whose start was interrupted is ended by itself
    while set(threading.enumerate()) - threads and time.perf_counter() < deadline:
        time.sleep(0.001)
    left = sorted(str(thread) for thread in set(threading.enumerate()) - threads)
    print((arrived - sent[-1], unchanged, left))
"""


@faults
@posix
@pytest.mark.parametrize(
    "case",
    [
        "many classes",
        "short rows",
        "csr",
        "csr adam",
        "csr cosines",
        "newton",
        "lbfgs",
        "lbfgs on two threads",
        "large batches on two threads",
        "passes over batches",
        "steps over batches",
    ],
)
def test_ctrl_c(case):
    """Within 0.2 s on an idle machine; here only for half of them, because tests share the cores."""
    delays, unchanged, threads = zip(*output(INTERRUPTED, case), strict=True)
    assert len(delays) == 7
    assert all(unchanged)
    assert not any(threads)
    assert np.median(delays) <= 0.2, delays
    assert max(delays) <= 1.0, delays


class InterruptedAtLine:
    """Raises KeyboardInterrupt at the n-th line of the package that a call runs."""

    def __init__(self, number):
        self.left = number

    def __enter__(self):
        self.outer = sys.gettrace()
        sys.settrace(self.trace)

    def __exit__(self, *fault):
        sys.settrace(self.outer)

    def trace(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(str(PACKAGE)):
            return None
        # interrupts while the BLAS limit is lifted are not tested
        if frame.f_code.co_filename.endswith(("blas.py", "compile.py", "cache.py", "dispatch.py")):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self.trace


def state(model):
    """The state of a copy, comparable bitwise: arrays as bytes, everything else as its repr."""

    def frozen(value):
        if isinstance(value, np.ndarray):
            return value.tobytes(), str(value.dtype), value.shape
        if isinstance(value, dict):
            return {key: frozen(item) for key, item in value.items() if key != "seconds"}
        if isinstance(value, tuple):
            return [type(value).__name__, *map(frozen, value)]
        return frozen(value.__getstate__()) if hasattr(value, "__dict__") else repr(value)

    return frozen({name: value for name, value in vars(model).items() if "callback" not in name})


def first_fit():
    return SoftmaxClassifier(early_stopping=True, calibration="temperature", **FAST)


def second_fit():
    return first_fit().fit(X[:, :5], Y + 1)


def first_part():
    return SoftmaxClassifier(**FAST)


def second_part():
    return SoftmaxClassifier(**FAST).partial_fit(X[:100], Y[:100], classes=[0, 1, 2])


def cosine_part():
    return MarginSoftmaxClassifier(**FAST).partial_fit(X[:100], Y[:100], classes=[0, 1, 2])


MAKERS = [first_fit, second_fit, first_part, second_part, cosine_part]


@pytest.mark.parametrize("make", default_run(MAKERS, kept=[second_part]))
def test_an_interrupt_at_any_line_changes_all_or_nothing(make):
    model = make()
    train = model.fit if "fit" in make.__name__ else model.partial_fit
    arguments = {} if "fit" in make.__name__ else {"classes": [0, 1, 2]}
    before = state(model)
    counter = InterruptedAtLine(10**9)
    with counter:
        train(X, Y, **arguments)
    n_lines, after = 10**9 - counter.left, state(model)
    assert n_lines > 100
    assert after != before
    interrupted = 0
    for number in [*range(1, n_lines, 3), *range(n_lines - 40, n_lines + 1)]:
        model = make()
        train = model.fit if "fit" in make.__name__ else model.partial_fit
        try:
            with InterruptedAtLine(number):
                train(X, Y, **arguments)
        except KeyboardInterrupt:
            interrupted += 1
            assert state(model) == before, f"line {number} of {n_lines}"
        else:
            assert state(model) == after
    assert interrupted >= n_lines // 3


# ---------------------------------------------------------------- parts that fail

BAD_PARTS = {
    "NaN": (np.where(X[:50] > 2, np.nan, X[:50]), Y[:50], None, "contains NaN"),
    "an unknown class": (X[:50], Y[:50] + 1, None, "3"),
    "other features": (X[:50, :4], Y[:50], None, "4 features"),
    "negative weights": (X[:50], Y[:50], np.full(50, -1.0), "sample_weight"),
    "overflow": (X[:50] * 1e200, Y[:50], None, "overflow|adds up squares"),
}


@pytest.mark.parametrize("name", BAD_PARTS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_a_failed_part_leaves_the_last_good_state(name, solver):
    rows, labels, weights, message = BAD_PARTS[name]
    models = [SoftmaxClassifier(solver=solver, learning_rate=0.1, batch_size=8, **FAST) for _ in range(2)]
    for model in models:
        model.partial_fit(X[:100], Y[:100], classes=[0, 1, 2])
    before = state(models[0])
    if name == "overflow" and solver == "adam":
        models[0].set_params(learning_rate=1e308)
    with pytest.raises(ValueError, match=message):
        models[0].partial_fit(rows, labels, sample_weight=weights)
    models[0].set_params(learning_rate=0.1)
    assert state(models[0]) == before
    for model in models:
        model.partial_fit(X[100:], Y[100:])
    assert state(models[0]) == state(models[1])


# ---------------------------------------------------------------- many threads, other processes


@pytest.mark.parametrize("rows", [X, sparse.csr_array(np.where(X > 0, X, 0))], ids=["dense", "csr"])
def test_predict_from_64_threads_while_others_fit(rows):
    model = SVMClassifier(solver="sgd", **FAST).fit(rows, Y)
    proba = SoftmaxClassifier(**FAST).fit(rows, Y)
    parts = [slice(5 * number, 5 * number + 100) for number in range(32)]
    expected = [(model.predict(rows[part]), proba.predict_proba(rows[part])) for part in parts]
    gate = threading.Barrier(66)

    def predict(part):
        gate.wait(timeout=60)
        return [(model.predict(rows[part]), proba.predict_proba(rows[part])) for _ in range(10)]

    def fit(number):
        gate.wait(timeout=60)
        return SoftmaxClassifier(**FAST).fit(rows, Y).coef_

    with ThreadPoolExecutor(66) as pool:
        fits = [pool.submit(fit, number) for number in range(2)]
        found = list(pool.map(predict, parts * 2))
    for answers, wanted in zip(found, expected * 2, strict=True):
        for labels, p in answers:
            np.testing.assert_array_equal(labels, wanted[0])
            np.testing.assert_array_equal(p, wanted[1])
    for one in fits:
        np.testing.assert_array_equal(one.result(), proba.coef_)


SEARCH = """
import sys
import numpy as np
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV
from linclf import SoftmaxClassifier
rng = np.random.default_rng(0)
X, y = rng.normal(size=(3000, 30)), np.arange(3000) % 3
X[:, 0] += y
model = SoftmaxClassifier(max_iter=3, random_state=0, n_jobs=2).fit(X, y)  # threads were used before
for backend in sys.argv[1:]:
    with parallel_config(backend, n_jobs=2):
        search = GridSearchCV(model, {"alpha": [1e-4, 1.0], "batch_size": ["auto", 2000]}, cv=2).fit(X, y)
    print((search.cv_results_["mean_test_score"].tolist(), search.best_estimator_.coef_.tolist()))
"""


@faults
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_grid_search(backend):
    serial, parallel = output(SEARCH, "sequential", backend)
    assert parallel == serial
    assert len(set(serial[0])) > 1


# ---------------------------------------------------------------- the cache folder

FIT = """
import json, os, pathlib, shutil, sys, warnings
import numpy as np
from linclf import SoftmaxClassifier, SVMClassifier
cache, fault = pathlib.Path(os.environ.get("LINCLF_CACHE", "/nowhere")), sys.argv[1]
rng = np.random.default_rng(0)
X, y = rng.normal(size=(300, 4)), np.arange(300) % 3
if fault == "read-only":  # for the administrator too, who is one by what Linux calls capabilities
    import ctypes
    libc = ctypes.CDLL(None)
    if hasattr(libc, "capset"):
        libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    numbers = []
    settings = {"solver": "sgd", "max_iter": 3, "random_state": 0}
    for model in (SoftmaxClassifier(**settings), SVMClassifier(**settings)):
        numbers += model.fit(X, y).coef_.ravel().tolist() + model.fit(X[:200], y[:200]).coef_.ravel().tolist()
        if fault == "vanished":
            shutil.rmtree(cache, ignore_errors=True)
print(numbers)
print([str(warning.message) for warning in caught])
"""
HOMELESS = """
import pwd
def nobody(uid):
    raise KeyError(uid)
pwd.getpwuid = nobody
"""


@pytest.fixture(scope="module")
def right_results(tmp_path_factory):
    """The results of a fit with a new cache folder, and that folder."""
    folder = tmp_path_factory.mktemp("cache")
    numbers, caught = output(FIT, "none", LINCLF_CACHE=str(folder))
    assert caught == []
    assert len(list(folder.rglob("*.nbc"))) >= 2
    return numbers, folder


def broken(path, fault, number):
    content = path.read_bytes()
    if fault == "truncated":
        path.write_bytes(content[: (0, 40, len(content) // 2, len(content) - 1)[number % 4]])
    elif fault == "garbage":
        path.write_bytes(np.random.default_rng(number).bytes(1000 + number))


@faults
@posix
@pytest.mark.parametrize(
    "fault", ["none", "truncated", "garbage", "read-only", "vanished", "is a file", "is nowhere"]
)
def test_a_cache_folder_that_is(fault, right_results, tmp_path):
    """Correct results, and at most one warning per process."""
    numbers, folder = right_results
    cache = tmp_path / "cache"
    shutil.copytree(folder, cache)
    for number, path in enumerate(sorted(path for path in cache.rglob("*") if path.is_file())):
        broken(path, fault, number)
    if fault == "read-only":
        for path in cache.rglob("*.nbc"):
            path.unlink()  # so that something has to be written
        for path in [cache, *cache.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
    elif fault == "is a file":
        cache = next(cache.rglob("*.nbc"))
    elif fault == "is nowhere":
        cache = pathlib.Path("/proc/linclf/cache")
    found, caught = output(FIT, fault, LINCLF_CACHE=str(cache))
    assert found == numbers
    assert len(caught) == (fault not in ("none", "vanished")), caught
    assert all("without its kernel cache" in message for message in caught)


@faults
@posix
@pytest.mark.parametrize("home", ["none", "/proc/nobody"])
def test_no_home(home, right_results):
    environment = {"LINCLF_CACHE": "", "XDG_CACHE_HOME": "", "HOME": home}
    script = FIT
    if home == "none":
        script = "import os\nos.environ.pop('HOME')\n" + HOMELESS + FIT
    found, caught = output(script, "none", **environment)
    assert found == right_results[0]
    assert len(caught) <= 1, caught


# ---------------------------------------------------------------- little memory

MAPPED = """
import resource, sys
import numpy as np
from linclf import SoftmaxClassifier
X = np.load(sys.argv[1], mmap_mode="r")
y = np.arange(len(X)) % 3
model = SoftmaxClassifier(**{"solver": "sgd", "max_iter": 1, "random_state": 0} | eval(sys.argv[3]))
model.fit(np.array(X[:3000]), y[:3000])  # machine code
budget = int(sys.argv[2])
if budget:
    used = 1024 * int(next(line for line in open("/proc/self/status") if "VmData" in line).split()[1])
    resource.setrlimit(resource.RLIMIT_DATA, (used + budget, used + budget))
    try:
        np.ones(budget // 4)
    except MemoryError:
        print("'limited'")
model.fit(X, y)
print((model.coef_.tolist(), model.predict(X[:5000]).tolist()))
"""


@faults
@linux
@pytest.mark.parametrize("settings", [{}, {"solver": "lbfgs", "tol": None}], ids=str)
def test_a_memory_map_larger_than_the_memory(tmp_path, settings):
    """A process that may use only 100 MB more memory trains on 400 MB."""
    part = rng.normal(size=(10_000, 400)).astype(np.float32)
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (250_000, 400))
    for start in range(0, len(mapped), len(part)):
        mapped[start : start + len(part)] = part + np.float32(start / len(mapped))
    mapped.flush()
    limited, found = output(MAPPED, tmp_path / "X.npy", 100 * 2**20, settings)
    assert limited == "limited"
    (expected,) = output(MAPPED, tmp_path / "X.npy", 0, settings)
    assert found == expected


# ---------------------------------------------------------------- streams

STREAM = """
import os, sys, time
import numpy as np
import linclf
from linclf import SoftmaxClassifier
path, n_parts = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
X, y = rng.normal(size=(100 * n_parts, 20)), rng.integers(0, 3, 100 * n_parts)
if os.path.exists(path):
    model = linclf.load(path)
else:
    model = SoftmaxClassifier(solver="adam", average=True, random_state=0)
print(getattr(model, "n_iter_", 0), flush=True)
for part in range(getattr(model, "n_iter_", 0), n_parts):
    rows = slice(100 * part, 100 * part + 100)
    model.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    linclf.save(model, path)
print((model.coef_.tolist(), model.intercept_.tolist(), model.history_["objective"]))
"""


@faults
@posix
def test_kill_9_during_a_stream_and_resume_bitwise(tmp_path):
    n_parts, killed, starts = 250, tmp_path / "killed.linclf", []
    _, expected = output(STREAM, tmp_path / "whole.linclf", n_parts)
    for saves in (3, 10, 20, None):
        child = start(STREAM, killed, n_parts)
        try:
            starts.append(int(child.stdout.readline()))
            if saves is not None:
                seen = set()
                while len(seen) < saves and child.poll() is None:
                    if killed.exists():
                        seen.add(killed.stat().st_mtime_ns)
                os.kill(child.pid, signal.SIGKILL)
            printed, errors = child.communicate(timeout=LIMIT)
        finally:
            child.kill()
        assert child.returncode == (0 if saves is None else -signal.SIGKILL), errors
    assert ast.literal_eval(printed) == expected
    assert 0 < starts[-1] <= n_parts
    assert starts == sorted(starts)


@faults
def test_a_process_that_compiles_trains_bitwise_as_one_that_loads(tmp_path):
    """A function in two kernels is compiled twice, and a process may run either machine code."""
    cache = {"LINCLF_CACHE": str(tmp_path / "cache")}
    compiled, loaded = (output(STREAM, tmp_path / name, 3, **cache) for name in ("a.linclf", "b.linclf"))
    assert compiled == loaded


SOAK = """
import gc, os, pathlib, sys
import numpy as np
from linclf import SoftmaxClassifier
rng = np.random.default_rng(0)
X, y = rng.normal(size=(5000, 20)), rng.integers(0, 3, 5000)
models = [SoftmaxClassifier(random_state=0), SoftmaxClassifier(solver="adam", learning_rate=0.01)]
cache, n_calls = pathlib.Path(os.environ["LINCLF_CACHE"]), int(sys.argv[1])
def used():
    gc.collect()
    resident = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(os.listdir("/proc/self/fd")), sorted(map(str, cache.rglob("*")))
for call in range(n_calls):
    rows = int(rng.integers(0, 4900)) + np.arange(rng.integers(1, 101))
    models[call % 2].partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    if call + 1 == max(n_calls // 10, 3000):
        before = used()
after = used()
print((after[0] - before[0], before[1:] == after[1:], [len(m.history_["step"]) for m in models]))
print([m.n_iter_ for m in models])
"""


@faults
@linux
def test_soak(tmp_path):
    """Calls with 1 to 100 rows leave no memory or files behind; LINCLF_SOAK=100000 makes more calls."""
    n_calls = int(os.environ.get("LINCLF_SOAK", "10000"))
    child = start(SOAK, n_calls, LINCLF_CACHE=str(tmp_path / "cache"))
    try:
        printed, errors = child.communicate(timeout=LIMIT + n_calls / 50)
    finally:
        child.kill()
    assert child.returncode == 0, errors
    (growth, files_are_the_same, history), calls = map(ast.literal_eval, printed.splitlines())
    assert sum(calls) == n_calls
    assert growth < 2e6
    assert files_are_the_same
    assert max(history) <= 1000
