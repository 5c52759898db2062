"""Seconds, warnings, failures, and what is said about the machine."""

import importlib.metadata
import os
import platform
import statistics
import sys
import time
import warnings
from typing import NamedTuple

import numpy as np
import threadpoolctl
from sklearn.base import clone

PACKAGES = (
    *("linclf", "numpy", "scipy", "scikit-learn", "numba", "threadpoolctl"),
    *("cyanure", "snapml", "torch", "entmax", "matplotlib"),
)
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def machine():
    """The processor, its cores that this process may use, and the system."""
    model = platform.processor()
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = named[0] if named else model
    return {"processor": model, "cores": CORES, "system": f"{platform.system()} {platform.machine()}"}


def versions():
    """Versions of what is measured; None for what is not installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    if found["linclf"] is None:  # run from a checkout
        import linclf

        found["linclf"] = linclf.__version__
    for library in threadpoolctl.threadpool_info():
        if library["user_api"] == "blas":
            found[library["internal_api"]] = library["version"]
    return found


def timed(call):
    """(what a call returns, its seconds, the warnings it raised)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started = time.perf_counter()
        result = call()
        seconds = time.perf_counter() - started
    return result, seconds, sorted({str(warning.message).split("\n")[0][:160] for warning in caught})


def median_seconds(calls, repeats):
    """Median seconds of each of some calls (a dict); taken in turn, so that a slow phase meets all."""
    seconds = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            seconds[name].append(timed(call)[1])
    return {name: statistics.median(values) for name, values in seconds.items()}


def warm_up(model, X, y):
    """Fit a clone for one pass, so that no machine code is compiled in what is timed afterwards."""
    timed(lambda: clone(model).set_params(max_iter=1).fit(X, y))


class Passes(NamedTuple):
    """What `pass_seconds` found out about one model."""

    seconds: float  # of one pass
    whole: float  # of the longer fit with its set-up
    model: object  # after the longer fit


def pass_seconds(models, X, y, few, many, repeats=3):
    """`Passes` of each of some models (a dict): the slope between fits of few and of many passes.

    What a fit does once (checks, centring, the first step) is in both and drops out.
    """
    fits = {(name, n): clone(m).set_params(max_iter=n) for name, m in models.items() for n in (few, many)}
    for model in models.values():
        warm_up(model, X, y)
    seconds = median_seconds({key: lambda m=model: m.fit(X, y) for key, model in fits.items()}, repeats)
    found = {}
    for name in models:
        short, long = fits[name, few], fits[name, many]
        if long.n_iter_ <= short.n_iter_:
            raise RuntimeError(f"at the optimum after {long.n_iter_} passes: too few to be timed")
        rise = (seconds[name, many] - seconds[name, few]) / (long.n_iter_ - short.n_iter_)
        found[name] = Passes(rise, seconds[name, many], long)
    return found


def attempt(row, measure):
    """The row with what is measured, or with the reason why it could not be: ``absent``.

    A package that is not installed and a fit that fails are shown, not passed over.
    """
    try:
        row = row | measure()
    except Exception as fault:
        row = row | {"absent": f"{type(fault).__name__}: {str(fault).splitlines()[0][:200]}"}
    print("  " + ", ".join(f"{k} {short(v)}" for k, v in row.items()), file=sys.stderr, flush=True)
    return row


def short(value):
    """A number in four digits, a list by its length."""
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return f"{len(value)}" if isinstance(value, list | dict) else str(value)
