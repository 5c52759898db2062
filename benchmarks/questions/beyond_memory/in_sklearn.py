"""`SGDClassifier.partial_fit` over chunks of a Parquet file, as its users do."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import SGDClassifier

from benchmarks.measure.best_threads import NUMBERS
from benchmarks.measure.process import peak_memory, settled_memory
from benchmarks.question import Row
from benchmarks.questions.beyond_memory.generated import N_CLASSES, TEST_ROWS, TUNE, TUNE_ROWS, rows
from benchmarks.questions.beyond_memory.reading import bytes_read, warm_cache

CHUNK = 2**16  # rows passed at once
CHOICES: tuple[dict[str, Any], ...] = (
    {"alpha": 1e-4},
    {"alpha": 1e-4, "average": True},
    {"alpha": 1e-6, "average": True},
    {"learning_rate": "constant", "eta0": 0.01, "average": True},
    {"learning_rate": "constant", "eta0": 0.1, "average": True},
)


def fit_by_parts(path: str, n_features: int, epochs: int) -> Row:
    """Rows in file order, one class against the rest; reading is timed, too."""
    X, y = rows(TEST_ROWS, n_features)
    chosen = _best(path, n_features, epochs)
    warm_cache(path)
    settled_memory()
    before, started = bytes_read(), time.perf_counter()
    spent = []
    model = SGDClassifier(loss="log_loss", random_state=0, **chosen)
    for _ in range(epochs):
        _epoch(model, _chunks(path))
        spent.append(time.perf_counter() - started)
    return {
        "seconds": (spent[-1] - spent[0]) / (epochs - 1),
        "whole": spent[-1],
        "data_bytes": Path(path).stat().st_size,
        "read_bytes": bytes_read() - before,
        "resident_bytes": peak_memory(),
        "chosen": chosen,
        "accuracy": float((model.predict(X) == y).mean()),
    }


def _chunks(path: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK):
            *columns, y = batch.columns
            yield np.stack([column.to_numpy() for column in columns], axis=1), y.to_numpy()


def _epoch(model: SGDClassifier, chunks: Iterator[tuple[np.ndarray, np.ndarray]]) -> None:
    for X, y in chunks:
        model.partial_fit(X, y, classes=np.arange(N_CLASSES))


def _best(path: str, n_features: int, epochs: int) -> dict[str, Any]:
    """The best parameters on the first chunk, and the faster number of threads."""
    (X, y), *_ = itertools.islice(_chunks(path), 1)
    X_tune, y_tune = rows(TUNE_ROWS, n_features, TUNE)
    seconds, accuracy = {}, []
    for number in NUMBERS:
        started = time.perf_counter()
        _epoch(SGDClassifier(loss="log_loss", random_state=0, n_jobs=number), iter([(X, y)]))
        seconds[number] = time.perf_counter() - started
    for choice in CHOICES:
        model = SGDClassifier(loss="log_loss", random_state=0, **choice)
        _epoch(model, itertools.repeat((X, y), epochs))
        accuracy.append((model.predict(X_tune) == y_tune).mean())
    return CHOICES[int(np.argmax(accuracy))] | {"n_jobs": min(seconds, key=seconds.__getitem__)}
