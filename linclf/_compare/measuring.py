"""One model on one split: its penalty chosen, its fit timed, its predictions measured."""

import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from linclf._compare.candidates import Candidate
from linclf._compare.measures import MEASURES, Outputs, outputs_of, value_of
from linclf._compare.splitting import Parts
from linclf._compare.tuning import Rows, choose_alpha


class Measured(NamedTuple):
    """A model on one split.

    Attributes
    ----------
    values : dict
        Measures by name; None if a measure does not apply.
    seconds : dict
    alpha : float or None
        Its penalty; None if it has none.
    messages : list of str
        Warnings of the fit.
    tuning_warnings : int
    """

    values: dict[str, float | None]
    seconds: dict[str, float]
    alpha: float | None
    messages: list[str]
    tuning_warnings: int


class Shown(NamedTuple):
    """Data for pictures of a model on one split; the objective is empty for models without a history."""

    outputs: Outputs
    objective: list[float]


def measure(
    candidate: Candidate,
    train: Rows,
    test: Rows,
    *,
    alphas: Sequence[float],
    folds: Parts,
    sort: str,
    blas_threads: int,
) -> tuple[Measured, Shown]:
    """Choose the penalty, fit, predict."""
    with threadpool_limits(blas_threads, user_api="blas"):
        if candidate.has_penalty and len(alphas) > 1:
            alpha, tune_seconds, tuning_warnings = choose_alpha(candidate, alphas, train, folds, sort)
        else:
            alpha, tune_seconds, tuning_warnings = default_alpha(alphas), 0.0, 0
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = candidate.make(alpha, train.y.size)
            started = time.perf_counter()
            model.fit(train.X, train.y)
            fitted = time.perf_counter()
            model.predict(test.X)
            predicted = time.perf_counter()
            outputs = outputs_of(model, test.X, test.classes)
    values = {key: value_of(key, test.codes, outputs, test.class_of_interest) for key in MEASURES}
    seconds = {
        "tune_seconds": tune_seconds,
        "fit_seconds": fitted - started,
        "predict_seconds": predicted - fitted,
    }
    messages = [f"{type(entry.message).__name__}: {entry.message}" for entry in caught]
    objective = list(getattr(model, "history_", {}).get("objective", []))
    used = alpha if candidate.has_penalty else None
    measured = Measured(values, seconds, used, messages, tuning_warnings)
    return measured, Shown(outputs, objective)


def default_alpha(alphas: Sequence[float]) -> float:
    """The only or middle penalty: for models whose penalty changes nothing, and for first fits."""
    return sorted(alphas)[len(alphas) // 2]


def first_fits(candidate: Candidate, rows: Rows, alpha: float) -> tuple[float, int]:
    """Seconds of a first short fit, and the best number of BLAS threads for the model.

    The first fit compiles the kernels of a loss, and loads the libraries of a rival. linclf's models always
    limit BLAS to one thread.
    """

    def fit(short: bool) -> None:
        model = candidate.make(alpha, rows.y.size)
        if short and candidate.origin != "yours" and "max_iter" in model.get_params():
            model.set_params(max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(rows.X, rows.y)

    first = _seconds(lambda: fit(short=True))
    counts = sorted({1, joblib.cpu_count(only_physical_cores=False)})
    if candidate.origin == "linclf" or len(counts) == 1:
        return first, 1
    seconds = {}
    for count in counts:
        with threadpool_limits(count, user_api="blas"):
            seconds[count] = _seconds(lambda: fit(short=False))
    return first, min(counts, key=seconds.__getitem__)


def _seconds(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean over splits; None if the measure is missing in one of them."""
    known = list(values)
    return None if None in known or not known else float(np.mean(np.array(known, float)))
