"""Which loss wins on real data?"""

import functools
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

import linclf
from benchmarks import _data
from benchmarks._loss_scores import DOUBTS, SCORES, Outcome, against
from benchmarks._loss_tables import tables
from benchmarks._measure import CORES, attempt, timed
from linclf import LinearClassifier, SoftmaxClassifier
from linclf.heads import Cosine
from linclf.losses import LOSSES
from linclf.losses._registry import trait

TITLE = "Losses"
ALPHA = 1e-4
BETTER = 1e-3  # what another alpha has to gain on held-out rows
N_SPLITS = 5  # of the small tables
N_RESAMPLES = 20  # random weightings of the test rows of the others (Bayesian bootstrap)
REFERENCE = "softmax"
VARIANTS = {  # of softmax, for the labels to be trained on
    "softmax, label_smoothing=0.1": lambda y: SoftmaxClassifier(label_smoothing=0.1),
    "softmax, class_weight='balanced'": lambda y: SoftmaxClassifier(class_weight="balanced"),
    "softmax, effective_number_weights": lambda y: SoftmaxClassifier(
        class_weight=linclf.effective_number_weights(y)
    ),
    "softmax, logit_adjustment=1.0": lambda y: SoftmaxClassifier(logit_adjustment=1.0),
}
SAME_FOR_TWO_CLASSES = ("crammer-singer", "one-vs-rest", "squared-crammer-singer", "squared-one-vs-rest")
MARKS = []  # a comparison of the losses with each other, whichever wins


class Task(NamedTuple):
    """Data, split once or several times, and what is measured on them."""

    splits: list
    scores: tuple  # names; alpha is chosen by the first
    choose_alpha: bool
    max_iter: int | str
    outside: object = None  # rows of no class


def run(quick):
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
            for name, build in _models(data.n_classes).items()
        )
        rows += against(REFERENCE, measured, len(task.splits) == 1)
    return {"data": facts, "settings": settings, "rows": rows}


def _tasks(settings, quick):
    task = functools.partial(Task, choose_alpha=True, max_iter=settings["max_iter"])
    imbalanced = ("macro_f1", "average_precision", "log_loss", "impossible")
    for name in _data.IMBALANCED:
        yield task(list(_data.imbalanced(name, settings["splits"], quick)), imbalanced)
    yield task([_data.goemotions(quick)], imbalanced)
    mnist = _data.mnist(quick)
    yield task([mnist], ("accuracy",), choose_alpha=False)
    yield task([_data.wrong_labels(mnist, 0.2)], ("accuracy",))
    outside = _data.out_of_scope(quick)
    yield task([_data.clinc150(quick)], ("accuracy", "support", *DOUBTS), outside=outside)


def _models(n_classes):
    """Name of each loss and variant -> the model for the labels to be trained on."""
    names = [name for name in LOSSES if n_classes > 2 or name not in SAME_FOR_TWO_CLASSES]
    return {name: lambda y, name=name: LinearClassifier(loss=name) for name in names} | VARIANTS


def _measure(name, build, task):
    """The alpha chosen on each split, and the scores with it and with the default."""
    on_cosines = name in LOSSES and trait(LOSSES[name], "head") is Cosine  # alpha changes nothing
    n_repeats = N_RESAMPLES if len(task.splits) == 1 else 0
    measured = {"alphas": [], "warnings": [], "default": [], "chosen": []}
    for data in task.splits:
        best = _best_alpha(build, data, task) if task.choose_alpha and not on_cosines else ALPHA
        scores = {}
        for alpha in {ALPHA, best}:
            model = _model(build, data.y, alpha, task)
            measured["warnings"] += timed(functools.partial(model.fit, data.X, data.y))[2]
            scores[alpha] = _repeated(Outcome.of(model, data, task.outside), task.scores, n_repeats)
        measured["alphas"].append(best)
        measured["default"] += scores[ALPHA]
        measured["chosen"] += scores[best]
    return measured


def _best_alpha(build, data, task):
    """The alpha that does best on a fifth of the training rows, after training on the others.

    From the default by factors of 10 as long as that gains something: there is no edge to end at.
    """
    X, X_held, y, y_held = train_test_split(data.X, data.y, test_size=0.2, random_state=0, stratify=data.y)
    held = data._replace(X_test=X_held, y_test=y_held)
    compute = SCORES[task.scores[0]].compute

    def score(alpha):
        return compute(Outcome.of(_model(build, y, alpha, task).fit(X, y), held))

    best, reached = ALPHA, score(ALPHA)
    for factor in (10, 0.1):
        nearest = best
        while (found := score(best * factor)) > reached + BETTER:
            best, reached = best * factor, found
        if best != nearest:
            break
    return float(f"{best:.0e}")


def _model(build, y, alpha, task):
    return build(y).set_params(alpha=alpha, max_iter=task.max_iter, random_state=0)


def _repeated(outcome, names, n_repeats):
    """Scores on all test rows, then on weightings of them, the same ones for every model."""
    rng = np.random.default_rng(0)
    weights = [np.ones(outcome.n_rows)] + [rng.exponential(size=outcome.n_rows) for _ in range(n_repeats)]
    known = [name for name in names if SCORES[name].is_defined(outcome)]
    return [{name: float(SCORES[name].compute(outcome, row)) for name in known} for row in weights]


def table(result):
    return tables(result, REFERENCE)
