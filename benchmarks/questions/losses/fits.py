"""Each loss with the default penalty and with a chosen penalty, on every data set."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

from benchmarks.data import generated, named, real
from benchmarks.data.dataset import DataSet, Rows
from benchmarks.measure.attempt import attempt
from benchmarks.measure.classifier import Classifier
from benchmarks.measure.machine import CORES
from benchmarks.measure.scores import DOUBTS, SCORES, Outcome
from benchmarks.measure.timing import timed
from benchmarks.question import Measurements
from benchmarks.questions.losses.gains import with_gains
from benchmarks.questions.losses.models import REFERENCE, Build, models
from linclf.heads import Cosine
from linclf.losses import LOSSES
from linclf.losses._registry import trait

ALPHA = 1e-4
BETTER = 1e-3  # gain on held-out rows that another alpha needs
N_SPLITS = 5  # of the small tables
N_RESAMPLES = 20  # random weightings of the test rows of the others (Bayesian bootstrap)


class Task(NamedTuple):
    """Data, split once or several times, and the scores to measure on them."""

    splits: list[DataSet]
    scores: tuple[str, ...]  # alpha is chosen by the first
    choose_alpha: bool
    max_iter: int | str
    outside: Rows | None = None  # rows of no class


def run(quick: bool) -> Measurements:
    settings = {
        "alpha": ALPHA,
        "better": BETTER,
        "max_iter": 10 if quick else "auto",
        "splits": 2 if quick else N_SPLITS,
        "resamples": N_RESAMPLES,
        "random_state": 0,
    }
    in_processes = Parallel(CORES, max_nbytes=None)  # no seconds are compared here
    facts, rows = [], []
    for task in _tasks(settings, quick):
        data = task.splits[0]
        rarest = int(np.bincount(data.y).min())
        facts.append(data.facts() | {"splits": len(task.splits), "rarest": rarest})
        measured = in_processes(
            delayed(attempt)(
                {"data": data.name, "model": name}, functools.partial(_measure, name, build, task)
            )
            for name, build in models(data.n_classes).items()
        )
        rows += with_gains(measured, REFERENCE, one_split=len(task.splits) == 1)
    return {"data": facts, "settings": settings, "rows": rows}


def _tasks(settings: dict[str, Any], quick: bool) -> Iterator[Task]:
    task = functools.partial(Task, choose_alpha=True, max_iter=settings["max_iter"])
    imbalanced = ("macro_f1", "average_precision", "log_loss", "impossible")
    for name in real.IMBALANCED:
        yield task(list(named.imbalanced(name, settings["splits"], quick)), imbalanced)
    yield task([named.goemotions(quick)], imbalanced)
    mnist = named.mnist(quick)
    yield task([mnist], ("accuracy",), choose_alpha=False)
    yield task([generated.wrong_labels(mnist, 0.2)], ("accuracy",))
    outside = named.out_of_scope(quick)
    yield task([named.clinc150(quick)], ("accuracy", "support", *DOUBTS), outside=outside)


def _measure(name: str, build: Build, task: Task) -> dict[str, list[Any]]:
    """The alpha chosen on each split, and the scores with it and with the default alpha."""
    on_cosines = name in LOSSES and trait(LOSSES[name], "head") is Cosine  # alpha changes nothing
    n_repeats = N_RESAMPLES if len(task.splits) == 1 else 0
    measured = {"alphas": [], "warnings": [], "default": [], "chosen": []}
    for data in task.splits:
        best = _best_alpha(build, data, task) if task.choose_alpha and not on_cosines else ALPHA
        scores = {}
        for alpha in {ALPHA, best}:
            model = _model(build, data.y, alpha, task)
            measured["warnings"] += timed(functools.partial(model.fit, data.X, data.y)).warnings
            scores[alpha] = _repeated(Outcome.of(model, data, task.outside), task.scores, n_repeats)
        measured["alphas"].append(best)
        measured["default"] += scores[ALPHA]
        measured["chosen"] += scores[best]
    return measured


def _best_alpha(build: Build, data: DataSet, task: Task) -> float:
    """The alpha that does best on a fifth of the training rows, after training on the rest.

    The search goes from the default by factors of 10 as long as the score improves, so the range is open.
    """
    X, X_held, y, y_held = train_test_split(data.X, data.y, test_size=0.2, random_state=0, stratify=data.y)
    held = data._replace(X_test=X_held, y_test=y_held)
    compute = SCORES[task.scores[0]].compute

    def score(alpha: float) -> float:
        return compute(Outcome.of(_model(build, y, alpha, task).fit(X, y), held))

    best, reached = ALPHA, score(ALPHA)
    for factor in (10, 0.1):
        nearest = best
        while (found := score(best * factor)) > reached + BETTER:
            best, reached = best * factor, found
        if best != nearest:
            break
    return float(f"{best:.0e}")


def _model(build: Build, y: np.ndarray, alpha: float, task: Task) -> Classifier:
    return build(y).set_params(alpha=alpha, max_iter=task.max_iter, random_state=0)


def _repeated(outcome: Outcome, names: tuple[str, ...], n_repeats: int) -> list[dict[str, float]]:
    """Scores on all test rows, then on weightings of them, which are the same for every model."""
    rng = np.random.default_rng(0)
    weights = [np.ones(outcome.n_weights)]
    weights += [rng.exponential(size=outcome.n_weights) for _ in range(n_repeats)]
    known = [name for name in names if SCORES[name].is_defined(outcome)]
    return [{name: float(SCORES[name].compute(outcome, row)) for name in known} for row in weights]
