"""Generated classes with Zipf frequencies: time per row by number of classes, and perplexity for 50,000."""

import functools
import math
import statistics
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from benchmarks.data import generated
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import timed
from benchmarks.question import Row
from benchmarks.questions.many_classes.fitting import ADAPTIVE, ALPHA, FULL, Part, compile_for, structure
from linclf import SoftmaxClassifier
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)

N_FEATURES, QUICK_FEATURES = 64, 16
ROWS = {1_000: 20_000, 10_000: 60_000, 100_000: 300_000}  # by number of classes
QUICK_ROWS = {100: 3_000, 1_000: 6_000}
STREAM, OF_STREAM = 1e9, 8_192  # scores of all rows above which the full softmax gets few rows
FEWEST_SECONDS = 2  # per row of the table: shorter fits are repeated
# (classes, rows, noise): six or two rows per class on average, most of them in few classes
HELD_OUT = ((50_000, 300_000, 3.0), (50_000, 100_000, 3.0), (10_000, 60_000, 3.0), (10_000, 60_000, 1.0))
QUICK_HELD_OUT = ((2_000, 8_000, 1.0),)
TEST_ROWS, QUICK_TEST_ROWS = 5_000, 500
EPOCHS = 2
BLOCK = 1000  # rows whose scores are in memory at once
TRUTH, FREQUENCIES = "the true probabilities", "the frequencies of the classes"


def run(quick: bool) -> Part:
    d, facts, rows = QUICK_FEATURES if quick else N_FEATURES, [], []
    for n_classes, n in (QUICK_ROWS if quick else ROWS).items():
        data = generated.zipf(n, 1_000, d, n_classes, f"Zipf, {n_classes:,} classes", noise=3.0)
        facts.append(data.facts())
        for method, model in _models(n_classes).items():
            row = {"part": "time", "data": data.name, "classes": n_classes, "method": method}
            too_long = method == FULL and len(data.y) * n_classes > STREAM
            seconds_of = _stream_seconds if too_long else _epoch_seconds
            rows.append(attempt(row, functools.partial(_time, model, data, seconds_of)))
    for case in QUICK_HELD_OUT if quick else HELD_OUT:
        of_case = _held_out(*case, d, QUICK_TEST_ROWS if quick else TEST_ROWS)
        facts += of_case[0]
        rows += of_case[1]
    return facts, rows


def _models(n_classes: int) -> dict[str, Any]:
    once, draws = {"max_iter": 1, "random_state": 0}, {"n_sampled": min(1024, n_classes // 4)}
    return {
        FULL: SoftmaxClassifier(solver="sgd", alpha=ALPHA, n_jobs=CORES, **once),
        "SampledSoftmaxClassifier": SampledSoftmaxClassifier(n_jobs=CORES, **draws, **once),
        "NCEClassifier": NCEClassifier(n_jobs=CORES, **draws, **once),
        ADAPTIVE: AdaptiveSoftmaxClassifier(n_jobs=CORES, **once),
        "HierarchicalSoftmaxClassifier": HierarchicalSoftmaxClassifier(**once),
    }


def _time(model: Any, data: DataSet, seconds_of: Callable[[Any, DataSet], tuple[float, int]]) -> Row:
    """Seconds per row of one epoch, without the set-up of a fit."""
    compile_for(model, data)
    seconds, n = [], 0
    while not seconds or (sum(seconds) < FEWEST_SECONDS and len(seconds) < 3):
        taken, n = seconds_of(model, data)
        seconds.append(taken)
    return {"seconds_per_row": statistics.median(seconds) / n, "rows": n, **structure(model, data)}


def _epoch_seconds(model: Any, data: DataSet) -> tuple[float, int]:
    """Seconds of one epoch, and its rows."""
    timed(lambda: model.fit(data.X, data.y))
    return model.history_["seconds"][-1], len(data.y)


def _stream_seconds(model: SoftmaxClassifier, data: DataSet) -> tuple[float, int]:
    """Seconds of the second part of a stream, and its rows: it need not contain all classes."""
    part = slice(OF_STREAM)
    model = clone(model)
    timed(lambda: model.partial_fit(data.X[part], data.y[part], classes=np.arange(data.n_classes)))
    return timed(lambda: model.partial_fit(data.X[part], data.y[part])).seconds, OF_STREAM


def _held_out(n_classes: int, n: int, noise: float, n_features: int, n_test: int) -> Part:
    name = f"Zipf, {n:,} rows of {n_classes:,} classes, noise {noise:g}"
    data = generated.zipf(n, n_test, n_features, n_classes, name, noise)
    row = {"part": "perplexity", "data": data.name, "classes": n_classes, "drawn": n, "noise": noise}
    common = {"alpha": ALPHA, "max_iter": EPOCHS, "n_jobs": CORES, "random_state": 0}
    models = {FULL: SoftmaxClassifier(solver="sgd", **common), ADAPTIVE: AdaptiveSoftmaxClassifier(**common)}
    rows = [
        attempt(row | {"method": method}, functools.partial(_perplexity, model, data))
        for method, model in models.items()
    ]
    classes, true = generated.ZipfClasses.draw(n_classes, n_features, noise), []
    for part in np.array_split(np.arange(n_test), max(1, n_test // BLOCK)):
        log_p = classes.log_probabilities(data.X_test[part])
        true.append(log_p[np.arange(len(part)), data.y_test[part]])
    truth = {"perplexity": float(np.exp(-np.concatenate(true).mean()))}
    frequencies = {"perplexity": float(np.exp(-np.log(classes.share[data.y_test]).mean()))}
    rows += [row | {"method": TRUTH} | truth, row | {"method": FREQUENCIES} | frequencies]
    return [data.facts()], rows


def _perplexity(model: Any, data: DataSet) -> Row:
    compile_for(model, data)
    _, seconds, warned = timed(lambda: model.fit(data.X, data.y))
    p = model.predict_proba_of(data.X_test, data.y_test).astype(np.float64)
    return {
        "seconds": seconds,
        "epochs": model.n_iter_,
        "warnings": warned,
        "perplexity": float(np.exp(-np.log(p).mean())) if p.min() > 0 else None,
        **structure(model, data),
    }


class Growth(NamedTuple):
    """Ratios between the last number of classes and the first."""

    time: float  # of a row
    classes: float
    logarithm: float  # of the number of classes


def growth(rows: Iterable[Row]) -> Growth | None:
    """The growth of one method, or None if it was measured at fewer than two numbers of classes."""
    measured = sorted((row for row in rows if "absent" not in row), key=lambda row: row["classes"])
    if len(measured) < 2:
        return None
    first, last = measured[0], measured[-1]
    return Growth(
        last["seconds_per_row"] / first["seconds_per_row"],
        last["classes"] / first["classes"],
        math.log(last["classes"]) / math.log(first["classes"]),
    )
