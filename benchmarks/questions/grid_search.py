"""How long does a grid search over the penalty take, and what does it find?"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from benchmarks.data import named
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import BestThreads
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import warm_up
from benchmarks.question import Mark, Measurements, Question, Result, Row, require, row_of
from benchmarks.report.text import fraction, markdown_table, number, shortened
from linclf import SoftmaxClassifier

FOLDS = 5


def run(quick: bool) -> Measurements:
    alphas = np.logspace(-6, 0, 5 if quick else 20)
    data = named.pendigits(quick).scaled()
    cv = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    Cs = 1 / (alphas * len(data.y) * (1 - 1 / FOLDS))
    ours = {
        "SoftmaxClassifier": GridSearchCV(SoftmaxClassifier(random_state=0), {"alpha": alphas}, cv=cv),
        "SoftmaxClassifier, lbfgs": GridSearchCV(SoftmaxClassifier(solver="lbfgs"), {"alpha": alphas}, cv=cv),
    }
    logistic = {
        "LogisticRegression": LogisticRegression(max_iter=1000),
        "LogisticRegression, newton-cholesky": LogisticRegression(max_iter=1000, solver="newton-cholesky"),
    }
    path = LogisticRegressionCV(
        Cs=Cs, cv=cv, max_iter=1000, scoring="accuracy", l1_ratios=(0,), use_legacy_attributes=False
    )
    searches = {
        **{name: functools.partial(_warm_search, search, data) for name, search in ours.items()},
        **{
            name: functools.partial(_grid_of_peer, GridSearchCV(model, {"C": Cs}, cv=cv), data)
            for name, model in logistic.items()
        },
        "LogisticRegressionCV": functools.partial(_path_of_peer, path, data),
    }
    rows = [attempt({"search": name}, search) for name, search in searches.items()]
    return {
        "data": [data.facts()],
        "settings": {"alphas": alphas.tolist(), "folds": FOLDS, "n_jobs": None, "max_iter_of_sklearn": 1000},
        "rows": rows,
    }


Best = tuple[float, dict[str, Any]]  # accuracy in the folds, and the penalty that reached it


def _of_grid(search: GridSearchCV) -> Best:
    return search.best_score_, search.best_params_


def _of_path(search: LogisticRegressionCV) -> Best:
    return search.scores_.mean(axis=0).max(), {"C": np.ravel(search.C_)[0]}


def _warm_search(search: GridSearchCV, data: DataSet) -> Row:
    warm_up(search.estimator, data.X, data.y)
    return _search(search, data, _of_grid, BestThreads((CORES,)))


def _grid_of_peer(search: GridSearchCV, data: DataSet) -> Row:
    return _search(search, data, _of_grid, _raced(clone(search.estimator), data))


def _path_of_peer(search: LogisticRegressionCV, data: DataSet) -> Row:
    return _search(search, data, _of_path, _raced(clone(search).set_params(Cs=search.Cs[:2]), data))


def _raced(trial: LogisticRegression | LogisticRegressionCV, data: DataSet) -> BestThreads:
    """The numbers of threads left after a short fit, which also triggers what the package loads lazily."""
    race = BestThreads()
    for _ in range(2):
        race.timed(lambda: trial.fit(data.X, data.y))
    return race


def _search(search: Any, data: DataSet, best_of: Callable[[Any], Best], race: BestThreads) -> Row:
    _, seconds, warned, threads = race.timed(lambda: search.fit(data.X, data.y))
    best, chosen = best_of(search)
    return {
        "seconds": seconds,
        "threads": threads,
        "best_accuracy": float(best),
        "chosen": {name: float(value) for name, value in chosen.items()},
        "test_accuracy": search.score(data.X_test, data.y_test),
        "warnings": warned,
    }


def table(result: Result) -> str:
    lines = [
        [row["search"], f"absent: {row['absent']}", "", "", "", "", ""]
        if "absent" in row
        else [
            *(
                row["search"],
                number(row["seconds"]),
                row.get("threads", ""),
                f"{row['best_accuracy']:.4f}",
                f"{row['test_accuracy']:.4f}",
            ),
            *(", ".join(f"{k} = {v:.3g}" for k, v in row["chosen"].items()), shortened(row["warnings"])),
        ]
        for row in result["rows"]
    ]
    data, settings = result["data"][0], result["settings"]
    return (
        f"{data['name']}: {data['rows']:,} x {data['features']}, {data['classes']} classes, scaled to "
        f"suit LogisticRegression; {len(settings['alphas'])} penalties x {settings['folds']} folds. "
        "LogisticRegressionCV starts each fit from the one before.\n\n"
        + markdown_table(
            ["search", "seconds", "threads", "accuracy in folds", "test accuracy", "chosen", "warnings"],
            lines,
        )
    )


def _mark(result: Result) -> tuple[str, bool]:
    ours, theirs = (
        require(row_of(result, search=name).get("seconds"), name)
        for name in ("SoftmaxClassifier", "LogisticRegression")
    )
    measured = f"{number(ours)} s, {fraction(ours, theirs)} of its {number(theirs)} s"
    return measured, ours <= theirs / 15


MARKS = [
    Mark(
        "20 penalties x 5 folds, pendigits, `SoftmaxClassifier()`",
        "at most 1/15 of the time with LogisticRegression",
        _mark,
    )
]

QUESTION = Question("Grid search", __doc__, run, table, MARKS)
