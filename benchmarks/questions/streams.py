"""What does a part of a stream cost: its own rows, or all of the weights?"""

import functools
import statistics
import warnings
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from scipy import sparse
from sklearn.linear_model import SGDClassifier

from benchmarks.data.dataset import Rows
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import NUMBERS
from benchmarks.measure.process import in_process, peak_memory, settled_memory
from benchmarks.measure.timing import timed
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row
from benchmarks.report.text import markdown_table, number
from linclf import SoftmaxClassifier

CSR, DENSE = "CSR", "dense"
HASHED, QUICK_HASHED = 2**20, 2**14  # columns
NONZEROS = 50  # of a sparse row
OURS, THEIRS = "SoftmaxClassifier", "SGDClassifier"
TIMES = 2  # as long as SGDClassifier, at most


class Stream(Protocol):
    coef_: np.ndarray
    intercept_: np.ndarray

    def partial_fit(self, X: Rows, y: np.ndarray, classes: np.ndarray | None = None) -> object: ...


def _cases(quick: bool) -> Iterator[Row]:
    hashed = QUICK_HASHED if quick else HASHED
    for n_classes in (2, 20):
        for n in (1, 100):
            yield {"X": CSR, "rows": n, "features": hashed, "classes": n_classes}
    yield {"X": DENSE, "rows": 100, "features": 784, "classes": 10}


def run(quick: bool) -> Measurements:
    repeats = 5 if quick else 21
    rows = []
    for case in _cases(quick):
        rows.append(attempt(case, functools.partial(_times, *case.values(), repeats)))
        if case["rows"] > 1:
            memory = functools.partial(_memory, *case.values())
            rows.append(attempt(case | {"part": "memory"}, memory))
    return {
        "data": [{"name": "random rows, other ones in each part", "source": "generated"}],
        "settings": {"repeats": repeats, "nonzeros_of_a_sparse_row": NONZEROS, "dtype": "float64"},
        "rows": rows,
    }


def _models(n_classes: int) -> dict[str, Stream]:
    """linclf's model, and SGDClassifier with each number of threads that may train its classes."""
    numbers = NUMBERS if n_classes > 2 else NUMBERS[:1]
    peers = {f"{THEIRS} {n}": SGDClassifier(loss="log_loss", n_jobs=n, random_state=0) for n in numbers}
    return {OURS: SoftmaxClassifier(random_state=0), **peers}


def _part(layout: str, n: int, n_features: int, n_classes: int, seed: int) -> tuple[Rows, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    if layout == DENSE:
        return rng.standard_normal((n, n_features)), y
    width = n_features // NONZEROS  # a separate range for each value: columns are unique and in order
    columns = rng.integers(0, width, (n, NONZEROS)) + width * np.arange(NONZEROS)
    starts = np.arange(0, n * NONZEROS + 1, NONZEROS)
    values = rng.random(n * NONZEROS)
    return sparse.csr_matrix((values, columns.ravel(), starts), shape=(n, n_features)), y


def _times(layout: str, n: int, n_features: int, n_classes: int, repeats: int) -> Row:
    """Median seconds of a part, and of reading ``coef_`` after it; the models take turns."""
    shape = layout, n, n_features, n_classes
    models, classes = _models(n_classes), np.arange(n_classes)
    parts: dict[str, list[float]] = {name: [] for name in models}
    looks: dict[str, list[float]] = {name: [] for name in models}
    for model in models.values():
        X, y = _part(layout, max(100, n), n_features, n_classes, 0)
        timed(lambda model=model, X=X, y=y: model.partial_fit(X, y, classes=classes))
    for seed in range(1, repeats + 2):
        X, y = _part(*shape, seed)
        for name, model in models.items():
            parts[name].append(timed(lambda model=model, X=X, y=y: model.partial_fit(X, y)).seconds)
            looks[name].append(timed(lambda model=model: model.coef_).seconds)
    seconds = {name: statistics.median(found[1:]) for name, found in parts.items()}  # the first is a warm-up
    best = min((name for name in models if name != OURS), key=lambda name: seconds[name])
    return {
        "seconds": seconds[OURS],
        "seconds_coef": statistics.median(looks[OURS][1:]),
        "seconds_sgd": seconds[best],
        "threads_sgd": int(best.split()[1]),
    }


def _memory(layout: str, n: int, n_features: int, n_classes: int) -> Row:
    found = {name: in_process(measure, name, layout, n, n_features, n_classes) for name in _models(n_classes)}
    theirs = min((held for name, held in found.items() if name != OURS), key=lambda held: held["peak_bytes"])
    return {"ours": found[OURS], "theirs": theirs}


def measure(name: str, layout: str, n: int, n_features: int, n_classes: int) -> dict[str, int]:
    """Resident bytes that a stream keeps, and growth while a later part is trained; see `in_process`."""
    warnings.simplefilter("ignore")
    shape = layout, n, n_features, n_classes
    _models(n_classes)[name].partial_fit(
        *_part(layout, 100, 64 * NONZEROS, n_classes, 0), np.arange(n_classes)
    )
    X, y = _part(*shape, 1)
    model, empty = _models(n_classes)[name], settled_memory()
    model.partial_fit(X, y, classes=np.arange(n_classes))
    before = settled_memory()
    model.partial_fit(*_part(*shape, 2))
    peak = peak_memory() - before
    return {
        "kept_bytes": before - empty,
        "peak_bytes": peak,
        "parameter_bytes": model.coef_.nbytes + model.intercept_.nbytes,
    }


def table(result: Result) -> str:
    settings = result["settings"]
    times = [row for row in result["rows"] if "part" not in row]
    memory = [row for row in result["rows"] if "part" in row]
    return "\n\n".join(
        [
            f"Medians of {settings['repeats']} parts after the first, {settings['dtype']}, sparse rows with "
            f"{settings['nonzeros_of_a_sparse_row']} values; `coef_` is read after each part. "
            "SGDClassifier trains one class against the rest, on its best number of threads.",
            markdown_table(
                [*("part", "classes", "ms", "`coef_`, ms", "SGDClassifier, ms"), "times its time"],
                [_time_line(row) for row in times],
            ),
            "Resident memory in a separate process (Linux): kept after the first part, and growth while "
            "a later part is trained.",
            markdown_table(
                [
                    *("part", "classes", "coefficients, MB", "kept, MB", "growth, MB"),
                    *("SGDClassifier kept, MB", "growth, MB"),
                ],
                [_memory_line(row) for row in memory],
            ),
        ]
    )


def _time_line(row: Row) -> list[str]:
    if "absent" in row:
        return [*_case(row), f"absent: {row['absent']}", "", "", ""]
    names = ("seconds", "seconds_coef", "seconds_sgd")
    return [*_case(row), *(number(1e3 * row[name]) for name in names), number(_times_theirs(row))]


def _memory_line(row: Row) -> list[str]:
    if "absent" in row:
        return [*_case(row), f"absent: {row['absent']}", "", "", "", ""]
    ours, theirs = row["ours"], row["theirs"]
    found = (ours["parameter_bytes"], ours["kept_bytes"], ours["peak_bytes"])
    return [
        *_case(row),
        *(f"{size / 1e6:.1f}" for size in (*found, theirs["kept_bytes"], theirs["peak_bytes"])),
    ]


def _case(row: Row) -> list[str]:
    return [f"{row['rows']:,} x {row['features']:,} {row['X']}", str(row["classes"])]


def _times_theirs(row: Row) -> float:
    return row["seconds"] / row["seconds_sgd"]


def _mark(result: Result) -> tuple[str, bool]:
    rows = [
        row
        for row in result["rows"]
        if row["X"] == CSR and row["rows"] == 100 and row["features"] == HASHED and "part" not in row
    ]
    absent = [row["absent"] for row in rows if "absent" in row]
    if absent or not rows:
        raise NotMeasured("; ".join(absent) or "no measurement")
    said = [
        f"{_times_theirs(row):.2f} times with {row['classes']} classes ({number(1e3 * row['seconds'])} ms)"
        for row in rows
    ]
    return ", ".join(said), max(map(_times_theirs, rows)) <= TIMES


MARKS = [Mark("`partial_fit`, 100 rows x 2^20 columns", "at most 2 times SGDClassifier's time", _mark)]

QUESTION = Question("Streams", __doc__, run, table, MARKS)
