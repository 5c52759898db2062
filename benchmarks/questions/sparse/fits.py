"""Whole fits to texts with many classes, and their accuracy."""

import functools
from collections.abc import Iterator, Sequence

from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.svm import LinearSVC

from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import timed_fit
from benchmarks.measure.classifier import Classifier
from benchmarks.measure.timing import timed, warm_up
from benchmarks.question import Row
from linclf import SoftmaxClassifier

ALPHA = 1e-6
OURS = "SoftmaxClassifier(alpha=1e-6)"
LOGISTIC, SVC = "LogisticRegression(C=1/(alpha n))", "LinearSVC()"
HINGE_ALPHAS = (1e-5, 1e-4)  # of SGDClassifier: the best of 1e-5, 3e-5 and 1e-4 on each data set


def rows(datasets: Sequence[DataSet]) -> Iterator[Row]:
    for data, hinge_alpha in zip(datasets, HINGE_ALPHAS, strict=True):
        yield from _rows(data, hinge_alpha)


def _rows(data: DataSet, hinge_alpha: float) -> Iterator[Row]:
    ours = {
        OURS: SoftmaxClassifier(alpha=ALPHA, random_state=0),
        "SoftmaxClassifier(alpha=1e-6, solver='lbfgs')": SoftmaxClassifier(alpha=ALPHA, solver="lbfgs"),
    }
    peers = {
        LOGISTIC: LogisticRegression(C=1 / (ALPHA * len(data.y))),
        SVC: LinearSVC(random_state=0),
        "SGDClassifier(loss='hinge', max_iter=20)": SGDClassifier(
            alpha=hinge_alpha, max_iter=20, tol=None, random_state=0
        ),
    }
    for models, fit in ((ours, _warm_fit), (peers, _best_fit)):
        for name, model in models.items():
            yield attempt({"data": data.name, "model": name}, functools.partial(fit, model, data))


def _warm_fit(model: SoftmaxClassifier, data: DataSet) -> Row:
    warm_up(model, data.X, data.y)
    _, seconds, caught = timed(lambda: model.fit(data.X, data.y))
    return _measured(model, data, seconds, caught)


def _best_fit(model: Classifier, data: DataSet) -> Row:
    best = timed_fit(model, data.X, data.y)
    return {"threads": best.threads, **_measured(model, data, best.seconds, best.warnings)}


def _measured(model: Classifier, data: DataSet, seconds: float, warnings: list[str]) -> Row:
    measured = {"seconds": seconds, "accuracy": model.score(data.X_test, data.y_test), "warnings": warnings}
    if hasattr(model, "predict_proba"):
        measured["log_loss"] = log_loss(data.y_test, model.predict_proba(data.X_test), labels=model.classes_)
    return measured
