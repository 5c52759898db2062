"""Seconds of each package to the optimum at one alpha, with growing budgets."""

import functools
from collections.abc import Iterator

import numpy as np

from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import BestThreads
from benchmarks.measure.machine import CORES
from benchmarks.peers.sparse_weights import METHODS, SparseMethod, SparseProblem, largest_alpha
from benchmarks.question import Row

PART = "one alpha"
SHARE = 0.1  # of the smallest alpha at which all weights are zero
BUDGETS: dict[str, tuple[float, ...]] = {  # tolerances, or epochs
    "linclf": (1e-1, 1e-3, 1e-5, 1e-8),
    "adelie": (1e-6, 1e-7, 1e-9),
    "cyanure": (10, 30, 100),
    "LogisticRegression saga": (10, 30, 100),
    "skglm": (1e-3, 1e-5, 1e-9),
}
LONG = 20.0  # seconds of a fit after which no larger budget is tried


def rows(data: DataSet, penalty: str, quick: bool, absent: dict[str, str]) -> list[Row]:
    """Rows with the distance of each objective from the lowest of all fits."""
    problem = SparseProblem(data, penalty, SHARE * largest_alpha(data, penalty))
    found = [row for name, method in METHODS.items() for row in _fits(problem, name, method, quick, absent)]
    best = min((row["objective"] for row in found if "objective" in row), default=np.inf)
    for row in found:
        if "objective" in row:
            row["distance"] = row["objective"] / best - 1
    return found


def _fits(
    problem: SparseProblem, name: str, method: SparseMethod, quick: bool, absent: dict[str, str]
) -> Iterator[Row]:
    data = problem.data
    if problem.penalty not in method.penalties or data.n_classes > method.most_classes:
        return
    row = {"part": PART, "data": data.name, "penalty": problem.penalty, "method": name}
    row["alpha"] = problem.alpha
    if method.package in absent:
        yield row | {"absent": absent[method.package]}
        return
    race = BestThreads((CORES,)) if method.package == "linclf" else BestThreads()
    for budget in BUDGETS[name][: 2 if quick else None]:
        found = attempt(row | {"budget": budget}, functools.partial(_fit, problem, method, budget, race))
        yield found
        if found.get("seconds", np.inf) > LONG:
            return


def _fit(problem: SparseProblem, method: SparseMethod, budget: float, race: BestThreads) -> Row:
    (W, b), seconds, caught, threads = method.timed(problem, budget, race)
    return {
        "seconds": seconds,
        "threads": threads,
        "objective": problem.objective(W, b),
        "nonzeros": int(np.count_nonzero(W)),
        "warnings": caught,
    }
