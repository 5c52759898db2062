"""Seconds of calls, of fits, and of single passes over the data."""

import statistics
import time
import warnings
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from sklearn.base import clone

from benchmarks.data.dataset import Rows
from benchmarks.measure.classifier import Classifier, LinearEstimator

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)


class Timed(NamedTuple, Generic[T]):
    """What a call returned, its seconds, and the warnings it gave."""

    result: T
    seconds: float
    warnings: list[str]


def timed(call: Callable[[], T]) -> Timed[T]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started = time.perf_counter()
        result = call()
        seconds = time.perf_counter() - started
    said = sorted({str(warning.message).split("\n")[0][:160] for warning in caught})
    return Timed(result, seconds, said)


def median_seconds(calls: Mapping[Key, Callable[[], Any]], repeats: int) -> dict[Key, float]:
    """Median seconds of each call; they take turns, so that a slow phase of the machine affects all."""
    seconds: dict[Key, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            seconds[name].append(timed(call).seconds)
    return {name: statistics.median(values) for name, values in seconds.items()}


def warm_up(model: Classifier, X: Rows, y: np.ndarray) -> None:
    """Fit a clone for one pass, so that no machine code is compiled in the timed fits."""
    timed(lambda: clone(model).set_params(max_iter=1).fit(X, y))


class PassTime(NamedTuple):
    """How long one model takes for a pass over the data."""

    seconds: float  # of one pass
    whole: float  # seconds of the longer fit with its set-up
    model: LinearEstimator  # after the longer fit


def pass_seconds(
    models: Mapping[Key, LinearEstimator], X: Rows, y: np.ndarray, few: int, many: int, repeats: int = 3
) -> dict[Key, PassTime]:
    """The slope between fits of few and of many passes, for each model.

    The set-up of a fit (checks, centring, the first step) is in both and drops out.
    """
    fits = {(name, n): clone(m).set_params(max_iter=n) for name, m in models.items() for n in (few, many)}
    for model in models.values():
        warm_up(model, X, y)
    seconds = median_seconds({key: lambda m=model: m.fit(X, y) for key, model in fits.items()}, repeats)
    times = {}
    for name in models:
        short, long = fits[name, few], fits[name, many]
        if long.n_iter_ <= short.n_iter_:
            raise RuntimeError(f"at the optimum after {long.n_iter_} passes: too few to be timed")
        rise = (seconds[name, many] - seconds[name, few]) / (long.n_iter_ - short.n_iter_)
        times[name] = PassTime(rise, seconds[name, many], long)
    return times
