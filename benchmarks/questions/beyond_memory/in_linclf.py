"""Fits of linclf from a Parquet file and from a memory map."""

import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.measure.process import peak_memory, settled_memory
from benchmarks.question import Row
from benchmarks.questions.beyond_memory.generated import TEST_ROWS, TEST_ROWS_OF_MAP, clouds, rows
from benchmarks.questions.beyond_memory.reading import bytes_read, warm_cache
from linclf import Batches, SoftmaxClassifier

MEMORY = "1GiB"
PASSES = 6  # of a timed exact fit


def fit_exactly(path: str) -> Row:
    """An exact fit; the time of a pass is the slope of the seconds over the iterations."""
    warnings.simplefilter("ignore")
    model = SoftmaxClassifier(solver="lbfgs", max_iter=PASSES, tol=0)
    model.fit(np.eye(8, dtype=np.float32), np.arange(8) % 2)  # loads machine code
    before = settled_memory()
    started = time.perf_counter()
    model.fit(Batches(path, memory=MEMORY))
    whole, spent = time.perf_counter() - started, model.history_["seconds"]
    return {
        "seconds": float(np.median(np.diff(spent))),
        "whole": whole,
        "data_bytes": Path(path).stat().st_size,
        "resident_bytes": peak_memory(),
        "growth_bytes": peak_memory() - before,
        "gap": model.optimality_gap_,
    }


def fit_by_steps(path: str, n_features: int, epochs: int) -> Row:
    """Stochastic steps; seconds are those of an epoch after the first."""
    warnings.simplefilter("ignore")
    X, y = rows(TEST_ROWS, n_features)
    model = SoftmaxClassifier(solver="sgd", max_iter=epochs, tol=None, random_state=0)
    model.fit(Batches(X[:2000], y[:2000], memory=MEMORY))  # loads machine code
    warm_cache(path)
    settled_memory()
    before, started = bytes_read(), time.perf_counter()
    model.fit(Batches(path, memory=MEMORY))
    whole, spent = time.perf_counter() - started, model.history_["seconds"]
    return {
        "seconds": (spent[-1] - spent[0]) / (epochs - 1),
        "whole": whole,
        "data_bytes": Path(path).stat().st_size,
        "read_bytes": bytes_read() - before,
        "resident_bytes": peak_memory(),
        "objective": model.history_["objective"][-1],
        "accuracy": float((model.predict(X) == y).mean()),
    }


def fit_map(folder: str, n: int, n_features: int, n_classes: int) -> Row:
    """One epoch; the whole fit also has a first pass, for the classes and the spread of the columns."""
    from benchmarks.measure.limits import limits

    warnings.simplefilter("ignore")
    best = max(limits()["sgemm_gflops"].values())
    X, y = clouds(TEST_ROWS_OF_MAP, n_features, n_classes)
    model = SoftmaxClassifier(solver="sgd", max_iter=1, tol=None, random_state=0)
    model.fit(Batches(X[:2000], y[:2000], memory=MEMORY))  # loads machine code
    files = [str(Path(folder) / name) for name in ("X.npy", "y.npy")]
    warm_cache(files[0])
    started = time.perf_counter()
    model.fit(Batches(*files, memory=MEMORY))
    whole, seconds = time.perf_counter() - started, model.history_["seconds"][0]
    return {
        "seconds": seconds,
        "whole": whole,
        "data_bytes": Path(files[0]).stat().st_size,
        "share": 4 * n * n_features * n_classes / seconds / 1e9 / best,
        "accuracy": float((model.predict(X) == y).mean()),
    }
