"""Few documents with many hashed columns, most of which never occur: whole fits of the same objective."""

import functools
from collections.abc import Iterator

from sklearn.linear_model import LogisticRegression

from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import timed_fit
from benchmarks.measure.classifier import LinearEstimator
from benchmarks.measure.timing import timed, warm_up
from benchmarks.peers.methods import coefficients
from benchmarks.peers.problem import Problem
from benchmarks.question import Row
from linclf import SoftmaxClassifier

PART = "hashed"
OURS = "SoftmaxClassifier(alpha=1/n)"
THEIRS = ("LogisticRegression()", "LogisticRegression(solver='newton-cg')")  # C = 1 is alpha = 1/n


def rows(data: DataSet) -> list[Row]:
    """Rows with the distance of each objective from the lowest."""
    found = list(_fits(data))
    best = min((row["objective"] for row in found if "objective" in row), default=0.0)
    for row in found:
        if "objective" in row:
            row["distance"] = row["objective"] / best - 1
    return found


def _fits(data: DataSet) -> Iterator[Row]:
    alpha = 1 / len(data.y)
    ours = {
        OURS: SoftmaxClassifier(alpha=alpha, random_state=0),
        "SoftmaxClassifier(alpha=1/n, solver='lbfgs')": SoftmaxClassifier(alpha=alpha, solver="lbfgs"),
    }
    theirs = dict(zip(THEIRS, (LogisticRegression(), LogisticRegression(solver="newton-cg")), strict=True))
    for models, fit in ((ours, _ours), (theirs, _theirs)):
        for name, model in models.items():
            row = {"part": PART, "data": data.name, "model": name}
            yield attempt(row, functools.partial(fit, model, data))


def _ours(model: SoftmaxClassifier, data: DataSet) -> Row:
    warm_up(model, data.X, data.y)
    _, seconds, warned = timed(lambda: model.fit(data.X, data.y))
    return _row(model, data, seconds, warned)


def _theirs(model: LogisticRegression, data: DataSet) -> Row:
    best = timed_fit(model, data.X, data.y)
    return _row(model, data, best.seconds, best.warnings) | {"threads": best.threads}


def _row(model: LinearEstimator, data: DataSet, seconds: float, warned: list[str]) -> Row:
    return {
        "seconds": seconds,
        "objective": Problem(data, "softmax", 1 / len(data.y)).objective(*coefficients(model)),
        "accuracy": model.score(data.X_test, data.y_test),
        "warnings": warned,
    }
