"""Generated classes with Zipf frequencies: time per row against their number, and perplexity of 50,000."""

import functools
import math
import statistics

import numpy as np

from benchmarks import _data
from benchmarks._many_oewn import ALPHA, FULL, compile_for
from benchmarks._measure import CORES, attempt, timed
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
STREAM, OF_STREAM = 1e9, 8_192  # scores of all rows, above which the full softmax has few of the rows
FEWEST_SECONDS = 2  # of a row of the table: shorter fits are repeated
# (classes, rows, noise): rows of six or two a class, of which most are in few classes
HELD_OUT = ((50_000, 300_000, 3.0), (50_000, 100_000, 3.0), (10_000, 60_000, 3.0), (10_000, 60_000, 1.0))
QUICK_HELD_OUT = ((2_000, 8_000, 1.0),)
TEST_ROWS, QUICK_TEST_ROWS = 5_000, 500
EPOCHS = 2
BLOCK = 1000  # rows whose scores are held at once
ADAPTIVE = "AdaptiveSoftmaxClassifier"
TRUTH, FREQUENCIES = "the true probabilities", "the frequencies of the classes"


def run(quick):
    d, facts, rows = QUICK_FEATURES if quick else N_FEATURES, [], []
    for n_classes, n in (QUICK_ROWS if quick else ROWS).items():
        data = _data.generated_zipf(n, 1_000, d, n_classes, f"Zipf, {n_classes:,} classes", noise=3.0)
        facts.append(data.facts())
        for method, model in _models(n_classes).items():
            row = {"part": "time", "data": data.name, "classes": n_classes, "method": method}
            rows.append(attempt(row, functools.partial(_time, model, data)))
    for case in QUICK_HELD_OUT if quick else HELD_OUT:
        of_case = _held_out(*case, d, QUICK_TEST_ROWS if quick else TEST_ROWS)
        facts += of_case[0]
        rows += of_case[1]
    return facts, rows


def _held_out(n_classes, n, noise, n_features, n_test):
    name = f"Zipf, {n:,} rows of {n_classes:,} classes, noise {noise:g}"
    data = _data.generated_zipf(n, n_test, n_features, n_classes, name, noise)
    row = {"part": "perplexity", "data": data.name, "classes": n_classes, "drawn": n, "noise": noise}
    common = {"alpha": ALPHA, "max_iter": EPOCHS, "n_jobs": CORES, "random_state": 0}
    models = {FULL: SoftmaxClassifier(**common), ADAPTIVE: AdaptiveSoftmaxClassifier(**common)}
    rows = [
        attempt(row | {"method": method}, functools.partial(_perplexity, model, data))
        for method, model in models.items()
    ]
    classes, true = _data.Zipf.of(n_classes, n_features, noise), []
    for part in np.array_split(np.arange(n_test), max(1, n_test // BLOCK)):
        log_p = classes.log_probabilities(data.X_test[part])
        true.append(log_p[np.arange(len(part)), data.y_test[part]])
    truth = {"perplexity": float(np.exp(-np.concatenate(true).mean()))}
    frequencies = {"perplexity": float(np.exp(-np.log(classes.share[data.y_test]).mean()))}
    rows += [row | {"method": TRUTH} | truth, row | {"method": FREQUENCIES} | frequencies]
    return [data.facts()], rows


def _models(n_classes):
    once, draws = {"max_iter": 1, "random_state": 0}, {"n_sampled": min(1024, n_classes // 4)}
    return {
        FULL: SoftmaxClassifier(alpha=ALPHA, n_jobs=CORES, **once),
        "SampledSoftmaxClassifier": SampledSoftmaxClassifier(n_jobs=CORES, **draws, **once),
        "NCEClassifier": NCEClassifier(n_jobs=CORES, **draws, **once),
        ADAPTIVE: AdaptiveSoftmaxClassifier(n_jobs=CORES, **once),
        "HierarchicalSoftmaxClassifier": HierarchicalSoftmaxClassifier(**once),
    }


def _time(model, data):
    """Seconds of a row in one epoch, without what a fit does once."""
    compile_for(model, data)
    few = type(model) is SoftmaxClassifier and len(data.y) * data.n_classes > STREAM
    measure, n = (_stream, OF_STREAM) if few else (_epoch, len(data.y))
    seconds = []
    while not seconds or (sum(seconds) < FEWEST_SECONDS and len(seconds) < 3):
        seconds.append(measure(model, data))
    found = {"seconds_per_row": statistics.median(seconds) / n, "rows": n}
    if hasattr(model, "tree_"):
        found["mean_depth"] = float(model.tree_.depths[data.y].mean())
    if hasattr(model, "cutoffs_"):
        found["cutoffs"] = model.cutoffs_.tolist()
    return found


def _epoch(model, data):
    timed(lambda: model.fit(data.X, data.y))
    return model.history_["seconds"][-1]


def _stream(model, data):
    """The second part of a stream: not all classes have to be in it."""
    part = slice(OF_STREAM)
    model = type(model)(**model.get_params())
    timed(lambda: model.partial_fit(data.X[part], data.y[part], classes=np.arange(data.n_classes)))
    return timed(lambda: model.partial_fit(data.X[part], data.y[part]))[1]


def _perplexity(model, data):
    compile_for(model, data)
    _, seconds, warned = timed(lambda: model.fit(data.X, data.y))
    p = model.predict_proba_of(data.X_test, data.y_test).astype(np.float64)
    found = {"seconds": seconds, "epochs": model.n_iter_, "warnings": warned}
    found["perplexity"] = float(np.exp(-np.log(p).mean())) if p.min() > 0 else None
    return found | ({"cutoffs": model.cutoffs_.tolist()} if hasattr(model, "cutoffs_") else {})


def growth(rows):
    """Of a method's time per row, and of the logarithm of the number of classes, between first and last."""
    rows = sorted((row for row in rows if "absent" not in row), key=lambda row: row["classes"])
    if len(rows) < 2:
        return None
    first, last = rows[0], rows[-1]
    return {
        "from": first["classes"],
        "to": last["classes"],
        "time": last["seconds_per_row"] / first["seconds_per_row"],
        "logarithm": math.log(last["classes"]) / math.log(first["classes"]),
        "classes": last["classes"] / first["classes"],
    }
