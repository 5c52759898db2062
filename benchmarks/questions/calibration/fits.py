"""Scores of networks, and of classifiers fitted here, calibrated by each method."""

import functools
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from benchmarks.data import named
from benchmarks.data.dataset import DataSet, Scores
from benchmarks.measure.attempt import attempt
from benchmarks.measure.machine import CORES
from benchmarks.measure.scores import Outcome, Repeated, Weights, has_probabilities, summary
from benchmarks.measure.timing import timed
from benchmarks.question import Measurements, Row
from benchmarks.questions.calibration.methods import CLASSIFIERS, MEASURES, METHODS, NOTHING
from linclf.calibration import CALIBRATORS
from linclf.functional import log_softmax

N_SPLITS = 10
N_RESAMPLES = 20  # random weightings of the test rows (Bayesian bootstrap)


def run(quick: bool) -> Measurements:
    settings = {
        "splits": 2 if quick else N_SPLITS,
        "resamples": N_RESAMPLES,
        "max_iter": 5 if quick else "auto",
        "random_state": 0,
    }
    in_processes = Parallel(CORES, max_nbytes=None)  # no seconds are compared here
    facts, rows = [], []
    for network in named.networks(quick):
        row = {"kind": "network", "data": network.name, "scores": network.name, "classes": network.n_classes}
        measured = in_processes(
            delayed(attempt)(
                row | {"method": method},
                functools.partial(_of_network, method, network, settings["splits"]),
            )
            for method in METHODS
        )
        facts.append(network.facts())
        rows += _with_gains(measured)
    for data in (named.goemotions(quick), named.newsgroups(quick)):
        parts = train_test_split(data.X, data.y, test_size=0.2, random_state=0, stratify=data.y)
        facts.append(data.facts() | {"rows": len(parts[2]), "validation_rows": len(parts[3])})
        for name in CLASSIFIERS:
            row = {"kind": "classifier", "data": data.name, "scores": name, "classes": data.n_classes}
            measured = in_processes(
                delayed(attempt)(
                    row | {"method": method},
                    functools.partial(_of_classifier, method, name, parts, data, settings["max_iter"]),
                )
                for method in METHODS
            )
            rows += _with_gains(measured)
    return {"data": facts, "settings": settings, "rows": rows}


def _of_network(method: str, network: Scores, n_splits: int) -> Row:
    """For each split, scores on half of the rows after calibration on the other half."""
    repeats, warned = [], set()
    for seed in range(n_splits):
        rows = np.random.default_rng(seed).permutation(len(network.y))
        fit, test = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        log_p = log_softmax(network.scores[test].astype(np.float64))
        if method != NOTHING:
            calibrator, classes = CALIBRATORS[method](), np.arange(network.n_classes)
            if method == "platt":
                calibrator.set_params(input="logits")
            fitting = functools.partial(calibrator.fit, network.scores[fit], network.y[fit], classes=classes)
            warned |= set(timed(fitting).warnings)
            log_p = calibrator.predict_log_proba(network.scores[test])
        y, p = network.y[test], np.exp(log_p)
        outcome = Outcome(y, log_p.argmax(axis=1), p, p, log_p[np.arange(len(y)), y], {})
        repeats.append(_measured(outcome))
    return {"repeats": repeats, "warnings": sorted(warned)}


def _of_classifier(method: str, name: str, parts: list[Any], data: DataSet, max_iter: int | str) -> Row:
    """Scores on all test rows, then on weightings of them, which are the same for every method."""
    X, X_val, y, y_val = parts
    calibration = None if method == NOTHING else method
    model = clone(CLASSIFIERS[name])
    model.set_params(calibration=calibration, max_iter=max_iter, random_state=0)
    warned = timed(lambda: model.fit(X, y, X_val=X_val, y_val=y_val)).warnings
    outcome, rng = Outcome.of(model, data), np.random.default_rng(0)
    repeats = [_measured(outcome, rng.exponential(size=outcome.n_weights)) for _ in range(N_RESAMPLES)]
    impossible = float(np.mean(np.isneginf(outcome.log_true))) if has_probabilities(outcome) else None
    return {"whole": _measured(outcome), "repeats": repeats, "impossible": impossible, "warnings": warned}


def _measured(outcome: Outcome, weights: Weights = None) -> dict[str, float]:
    return {
        name: float(measure.compute(outcome, weights))
        for name, measure in MEASURES.items()
        if measure.is_defined(outcome)
    }


def _with_gains(rows: list[Row]) -> list[Row]:
    """The rows with the `summary` of each score instead of its repeats, against the first: doing nothing."""
    return [row if "absent" in row else _summarised(row, rows[0]) for row in rows]


def _summarised(row: Row, nothing: Row) -> Row:
    kept = {key: value for key, value in row.items() if key not in ("repeats", "whole")}
    for name in row["repeats"][0]:
        is_compared = row is not nothing and name in nothing.get("repeats", [{}])[0]
        theirs = _repeated(nothing, name) if is_compared else None
        kept[name] = summary(_repeated(row, name), theirs, MEASURES[name].better)
    return kept


def _repeated(row: Row, name: str) -> Repeated:
    repeats = np.array([repeat[name] for repeat in row["repeats"]])
    return Repeated(row.get("whole", {name: repeats.mean()})[name], repeats)
