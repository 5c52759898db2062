"""How close each method gets to the optimum after how many seconds: fits with growing budgets."""

import contextlib
import functools
from collections.abc import Iterator

import numpy as np

from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import BestThreads
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import timed
from benchmarks.peers.methods import METHODS, Method
from benchmarks.peers.objective import accuracy
from benchmarks.peers.problem import Problem
from benchmarks.peers.reference import best_known
from benchmarks.question import Row

Budgets = dict[str, tuple[int, ...] | str]  # iterations or epochs of each method, or why it has none


def points(problem: Problem, budgets: Budgets, absent: dict[str, str]) -> Iterator[Row]:
    """A fit with each budget of each method, or a row that says why the method has none."""
    for name, method in METHODS.items():
        if problem.loss not in method.losses or name not in budgets:
            continue
        row = {"data": problem.data.name, "loss": problem.loss, "method": name}
        allowed = absent.get(method.package) or budgets[name]
        if isinstance(allowed, str):
            yield row | {"absent": allowed}
            continue
        _load(problem, method)
        tuned, race = method.tune(problem), _race(method)
        for budget in allowed:
            yield attempt(
                row | {"budget": budget} | tuned, functools.partial(_point, problem, method, budget, race)
            )


def _load(problem: Problem, method: Method) -> None:
    """Load machine code and thread pools before anything is timed."""
    whole = method.package == "linclf"  # whose machine code depends on the shape
    with contextlib.suppress(Exception):  # a method that fails says so when it is measured
        timed(lambda: method.fit(problem if whole else problem.small(), 1))


def _race(method: Method) -> BestThreads:
    """The numbers of threads to try: linclf gets all and decides itself how many to use."""
    return BestThreads((CORES,)) if method.package == "linclf" else BestThreads()


def _point(problem: Problem, method: Method, budget: int, race: BestThreads) -> Row:
    (W, b), seconds, caught, threads = race.timed(lambda: method.fit(problem, budget))
    return {
        "seconds": seconds,
        "threads": threads,
        "objective": problem.objective(W, b),
        "accuracy": accuracy(W, b, problem.data.X_test, problem.data.y_test),
        "warnings": caught,
    }


def with_distance(problem: Problem, rows: list[Row]) -> list[Row]:
    """The rows with the relative distance of each objective from the lowest known."""
    best, reference = best_known(problem)
    best = min([best, *(row["objective"] for row in rows if np.isfinite(row.get("objective", np.inf)))])
    for row in rows:
        if "objective" in row:
            row.update(best=best, reference=reference, distance=(row["objective"] - best) / best)
    return rows


def seconds_to(rows: list[Row], method: str, distance: float) -> float | None:
    """Seconds of the fastest fit of a method that came this close; None if no fit did."""
    close = [r["seconds"] for r in rows if r["method"] == method and r.get("distance", np.inf) <= distance]
    return min(close, default=None)
