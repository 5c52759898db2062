"""Seconds of 100 models from the largest alpha down, at the same distance from the same optima.

adelie and linclf follow the whole path. saga is timed at some of the alphas: each of its fits starts at the
optimum of the alpha before, as along a path, and gets the fewest epochs that come as close; the other alphas
are assumed to take as long.
"""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import Best, BestThreads
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import timed
from benchmarks.peers.problem import Weights
from benchmarks.peers.sparse_weights import SparseProblem, adelie_along, largest_alpha
from benchmarks.question import Row
from linclf import SoftmaxClassifier, path

PART = "path"
N_ALPHAS, LEAST_SHARE = 100, 1e-2  # the defaults of adelie
TARGET = 1e-4  # for the largest distance along the path
OURS, THEIRS, SAGA = "linclf", "adelie", "LogisticRegression saga"
TOLERANCES = {OURS: (1e-1, 7e-2, 5e-2, 2e-2), THEIRS: (1e-5, 1e-6, 3e-7, 1e-7)}
EXACT = 1e-4  # the tolerance of linclf's path from whose objectives distances are measured, if none is lower
TIMED = (19, 39, 59, 79, 99)  # the alphas at which saga is timed
EPOCHS = (2, 5, 10, 20, 40, 80, 160)


class Grid(NamedTuple):
    """One problem for each alpha."""

    data: DataSet
    alphas: np.ndarray

    def problem(self, i: int) -> SparseProblem:
        return SparseProblem(self.data, "l1", float(self.alphas[i]))

    def objectives(self, models: list[Weights]) -> np.ndarray:
        return np.array([self.problem(i).objective(*model) for i, model in enumerate(models)])


Follow = Callable[[Grid, float, BestThreads], Best[list[Weights]]]


def rows(data: DataSet, quick: bool, absent: dict[str, str]) -> list[Row]:
    """A row for each package and tolerance, with the largest distance along the path."""
    most, n = largest_alpha(data, "l1"), 10 if quick else N_ALPHAS
    grid = Grid(data, np.geomspace(most, LEAST_SHARE * most, n))
    found, reached = [], []
    for name, follow in {OURS: linclf, THEIRS: adelie}.items():
        race = BestThreads((CORES,)) if name == OURS else BestThreads()
        for tol in TOLERANCES[name][: 2 if quick else None]:
            row = {"part": PART, "data": data.name, "method": name, "budget": tol}
            if name in absent:
                found.append(row | {"absent": absent[name]})
                break
            found.append(attempt(row, functools.partial(_follow, grid, follow, tol, race, reached)))
    exact = linclf(grid, EXACT, BestThreads((CORES,))).result
    best = np.min([grid.objectives(exact), *reached], axis=0)
    for row, objectives in zip((row for row in found if "seconds" in row), reached, strict=True):
        row["distance"] = float(np.max(objectives / best - 1))
    return [*found, *_saga(grid, exact, best, (n - 1,) if quick else TIMED)]


def linclf(grid: Grid, tol: float, race: BestThreads) -> Best[list[Weights]]:
    model = SoftmaxClassifier(penalty="l1", tol=tol, n_jobs=CORES)
    found = race.timed(lambda: path(grid.data.X, grid.data.y, grid.alphas, estimator=model))
    return found._replace(result=list(zip(found.result.coefs, found.result.intercepts, strict=True)))


def adelie(grid: Grid, tol: float, race: BestThreads) -> Best[list[Weights]]:
    found = adelie_along(grid.problem(0), grid.alphas, tol, race)
    coefs, intercepts = found.result.coefs, found.result.intercepts
    return found._replace(result=[(W.toarray(), b) for W, b in zip(coefs, intercepts, strict=True)])


def _follow(grid: Grid, follow: Follow, tol: float, race: BestThreads, reached: list[np.ndarray]) -> Row:
    models, seconds, caught, threads = follow(grid, tol, race)
    reached.append(grid.objectives(models))
    return {
        "seconds": seconds,
        "threads": threads,
        "nonzeros": int(np.count_nonzero(models[-1][0])),
        "warnings": caught,
    }


def _saga(grid: Grid, exact: list[Weights], best: np.ndarray, at: tuple[int, ...]) -> Iterator[Row]:
    for i in at:
        row = {"part": PART, "data": grid.data.name, "method": SAGA, "alpha": float(grid.alphas[i])}
        yield attempt(row, functools.partial(_epochs_needed, grid.problem(i), exact[i - 1], best[i]))


def _epochs_needed(problem: SparseProblem, start: Weights, best: float) -> Row:
    """The fit with the fewest epochs that comes close enough."""
    for epochs in EPOCHS:
        model = LogisticRegression(
            solver="saga",
            l1_ratio=1,
            C=problem.C,
            max_iter=epochs,
            tol=1e-12,
            warm_start=True,
            random_state=0,
        )
        model.coef_, model.intercept_ = (part.copy() for part in start)
        _, seconds, _ = timed(lambda model=model: model.fit(problem.data.X, problem.data.y))
        distance = problem.objective(model.coef_, model.intercept_) / best - 1
        if distance <= TARGET:
            return {"seconds": seconds, "threads": 1, "budget": epochs, "distance": distance}
    raise RuntimeError(f"NC: {distance:.1e} from the optimum after {epochs} epochs, {seconds:.0f} s")
