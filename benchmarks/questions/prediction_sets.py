"""Do prediction sets contain the true class as often as asked for, and how large are they?"""

import functools
import statistics
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from benchmarks.data import named, real
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import timed
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row
from benchmarks.report.text import markdown_table, number
from linclf import SoftmaxClassifier
from linclf.conformal import SCORES, TAXONOMIES, ConformalClassifier
from linclf.metrics import class_coverage_gap, mean_set_size, set_coverage, size_stratified_coverage

COVERAGE = 0.9
N_SPLITS, N_SPLITS_MANY = 100, 3
MANY = 1_000  # classes
ALPHA, EPOCHS = 1e-6, 2  # for many classes, as in the question on many classes
FIGURES = "coverage", "size", "stratified", "gap"
REFITTED, FROZEN = "fitted in each split", "fitted once"


def run(quick: bool) -> Measurements:
    facts, rows = [], []
    data = real.bundled("digits")
    facts.append(data.facts())
    for score in SCORES:
        row = {"data": data.name, "how": REFITTED, "conformity_score": score, "taxonomy": "marginal"}
        rows.append(attempt(row, functools.partial(_refitted, data, score, _splits(data, quick))))
    for data in (named.newsgroups(quick), named.clinc150(quick), named.goemotions(quick), named.oewn(quick)):
        facts.append(data.facts())
        fitted = _model(data).fit(data.X, data.y)
        accuracy = float(fitted.score(data.X_test, data.y_test))
        for score, taxonomy in _cases(data):
            row = {"data": data.name, "how": FROZEN, "conformity_score": score, "taxonomy": taxonomy}
            measure = functools.partial(_frozen, fitted, data, score, taxonomy, _splits(data, quick))
            rows.append(attempt(row | {"accuracy": accuracy}, measure))
    settings = {"coverage": COVERAGE, "max_iter": EPOCHS, "alpha": ALPHA}
    return {"data": facts, "settings": settings, "rows": rows}


def _splits(data: DataSet, quick: bool) -> int:
    return 2 if quick else N_SPLITS_MANY if data.n_classes > MANY else N_SPLITS


def _model(data: DataSet) -> Any:
    if data.n_classes <= MANY:
        return SoftmaxClassifier(alpha=1e-5, n_jobs=CORES, random_state=0)
    return SoftmaxClassifier(solver="sgd", alpha=ALPHA, max_iter=EPOCHS, n_jobs=CORES, random_state=0)


def _cases(data: DataSet) -> list[tuple[str, str]]:
    """Conformity scores and taxonomies; a threshold for each class needs some rows of each."""
    taxonomies = [name for name in TAXONOMIES if name != "marginal"]
    if data.n_classes > MANY:
        taxonomies.remove("class")
    return [*((score, "marginal") for score in SCORES), *(("lac", taxonomy) for taxonomy in taxonomies)]


def _refitted(data: DataSet, score: str, n_splits: int) -> Row:
    """All rows, split anew for training, calibration and test."""
    X, y = np.concatenate([data.X, data.X_test]), np.concatenate([data.y, data.y_test])
    found, seconds = [], []
    for seed in range(n_splits):
        parts = train_test_split(X, y, test_size=0.4, random_state=seed)
        model = ConformalClassifier(
            SoftmaxClassifier(alpha=1e-3, random_state=0),
            conformity_score=score,
            calibration_size=0.4,
            random_state=seed,
        )
        model.fit(parts[0], parts[2])
        sets, took, _ = timed(functools.partial(model.predict_set, parts[1], COVERAGE))
        found.append(_judged(sets, parts[3], model.classes_))
        seconds.append(took)
    return _summary(found, seconds)


def _frozen(fitted: Any, data: DataSet, score: str, taxonomy: str, n_splits: int) -> Row:
    """The test rows, of which a half calibrates and a half tests."""
    found, seconds, warned = [], [], set()
    for seed in range(n_splits):
        order = np.random.default_rng(seed).permutation(len(data.y_test))
        calibration, test = np.array_split(order, 2)
        model = ConformalClassifier(
            FrozenEstimator(fitted), conformity_score=score, taxonomy=taxonomy, random_state=seed
        ).fit(data.X_test[calibration], data.y_test[calibration])
        sets, took, messages = timed(functools.partial(model.predict_set, data.X_test[test], COVERAGE))
        found.append(_judged(sets, data.y_test[test], model.classes_))
        seconds.append(took)
        warned |= set(messages)
    return _summary(found, seconds) | {"warnings": sorted(warned)[:1]}


def _judged(sets: Any, y: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    return {
        "coverage": set_coverage(y, sets, labels=classes),
        "size": mean_set_size(sets),
        "stratified": size_stratified_coverage(y, sets, edges=(1, 3, 10, 100), labels=classes),
        "gap": class_coverage_gap(y, sets, COVERAGE, labels=classes),
    }


def _summary(found: list[dict[str, float]], seconds: list[float]) -> Row:
    means = {name: statistics.mean(each[name] for each in found) for name in FIGURES}
    spread = statistics.stdev(each["coverage"] for each in found)
    return means | {"std": spread, "splits": len(found), "seconds": statistics.median(seconds)}


def table(result: Result) -> str:
    lines = []
    for row in result["rows"]:
        case = [row["data"], row["conformity_score"], row["taxonomy"]]
        if "absent" in row:
            lines.append([*case, f"absent: {row['absent']}", *[""] * 5])
            continue
        cells = [f"{row['coverage']:.1%} ± {row['std']:.1%}", row["splits"], number(row["size"])]
        cells += [f"{row['stratified']:.1%}", f"{row['gap']:.1%}", number(row["seconds"])]
        lines.append([*case, *cells])
    accuracies = {row["data"]: row["accuracy"] for row in result["rows"] if "accuracy" in row}
    said = ", ".join(f"{data} {accuracy:.1%}" for data, accuracy in accuracies.items())
    head = ["data", "conformity score", "taxonomy", "coverage", "splits", "classes in a set"]
    head += ["coverage of the worst sizes", "gap of the classes", "seconds"]
    return (
        f"Sets of {result['settings']['coverage']:.0%} coverage around a `SoftmaxClassifier`. digits is "
        "split anew each time: 36 % of the rows for training, 24 % for calibration, the others for test. For "
        "other data, the classifier is fitted once, and the test rows are halved into calibration and test; "
        f"accuracies: {said}. ± is the standard deviation over the splits. The worst sizes are those of sets "
        "with at most 1, 3, 10, 100 or more classes, whichever are covered least. The gap is "
        "`class_coverage_gap`; seconds are those of `predict_set` for all test rows of a split.\n\n"
        + markdown_table(head, lines)
    )


def _coverages(result: Result) -> tuple[str, bool]:
    rows = [row for row in result["rows"] if row["taxonomy"] == "marginal" and "coverage" in row]
    if not rows:
        raise NotMeasured("no measurement of marginal coverage")
    means = [row["coverage"] for row in rows]
    least, most = min(means), max(means)
    return f"{least:.1%} to {most:.1%}", least >= COVERAGE - 0.01 and most <= COVERAGE + 0.01


MARKS = [
    Mark(
        "coverage of marginal prediction sets, mean over the splits of each data set and score",
        "89 % to 91 % if 90 % are asked for",
        _coverages,
    )
]

QUESTION = Question("Prediction sets", __doc__, run, table, MARKS)
