"""How far from the optimum is each solver after how many seconds?"""

import contextlib
import functools
import re

import numpy as np

from benchmarks import _data, _peers
from benchmarks._marks import Mark, fewer, found, markdown, number
from benchmarks._measure import CORES, attempt, timed
from benchmarks._objective import accuracy

TITLE = "Time to the optimum"
NEWTON = "one step needs the Hessian of all parameters, which takes minutes here"
SLOW = "more than a minute for a few epochs"
TARGET = 1e-4

# iterations or epochs of each method; a text says why it has none
LARGE = {
    "linclf sgd": (1, 2, 5, 10, 20, 40),
    "linclf lbfgs": (10, 20, 40, 60, 80, 120, 200),
    "LogisticRegression lbfgs": (30, 100, 220),
    "LogisticRegression newton-cholesky": NEWTON,
    "LogisticRegression saga": (2, 5),
    "SGDClassifier": (2, 10),
    "LinearSVC": (10, 30),
    "cyanure": (5, 10, 14, 20),
    "snapml": (10,),
    "torch SGD": (1, 5, 20),
    "torch Adam": (1, 5, 20),
    "torch L-BFGS": (10, 30, 100, 220),
}
MANY_CLASSES = LARGE | {
    "linclf lbfgs": (10, 20, 40, 80),
    "LogisticRegression lbfgs": (10, 20, 30, 60),
    "LogisticRegression saga": SLOW,
    "SGDClassifier": (1,),
    "LinearSVC": SLOW,
    "cyanure": (5, 10, 20),
    "snapml": SLOW,
    "torch SGD": (1, 5, 20),
    "torch Adam": (1, 5, 20),
    "torch L-BFGS": (10, 30, 60),
}
SMALL = {
    "linclf sgd": (10, 50, 200, 1000, 4000),
    "linclf lbfgs": (10, 30, 100, 300, 1000),
    "LogisticRegression lbfgs": (30, 100, 1000, 10_000),
    "LogisticRegression newton-cholesky": (3, 6, 10, 30),
    "LogisticRegression saga": (100, 1000, 10_000),
    "SGDClassifier": (10, 100, 1000),
    "LinearSVC": (100, 1000, 10_000),
    "cyanure": (10, 100, 1000, 10_000),
    "snapml": (10, 100, 1000),
    "torch SGD": (20, 100, 500),
    "torch Adam": (20, 100, 500),
    "torch L-BFGS": (30, 100, 1000),
}
QUICK = {name: budgets[:2] for name, budgets in SMALL.items()} | {"LogisticRegression saga": (10, 30)}


def run(quick):
    datasets = [
        (_data.mnist(quick), QUICK | {"LogisticRegression newton-cholesky": NEWTON} if quick else LARGE),
        (
            _data.embeddings(quick),
            QUICK | {"LogisticRegression newton-cholesky": NEWTON} if quick else MANY_CLASSES,
        ),
        (_data.bundled("breast_cancer"), QUICK if quick else SMALL),
        (_data.bundled("wine"), QUICK if quick else SMALL),
    ]
    absent, rows = _peers.absent_packages(), []
    for data, budgets in datasets:
        for loss in ("softmax", "squared-one-vs-rest"):
            problem = _peers.Problem(data, loss, 1e-4)
            rows += _with_distance(problem, list(_points(problem, budgets, absent)))
    return {
        "data": [data.facts() for data, _ in datasets],
        "settings": {"alpha": 1e-4, "threads": CORES, "linclf_lbfgs_tol": 1e-9},
        "absent": absent,
        "rows": rows,
    }


def _points(problem, budgets, absent):
    for name, method in _peers.METHODS.items():
        if problem.loss not in method.losses:
            continue
        row = {"data": problem.data.name, "loss": problem.loss, "method": name}
        reason = absent.get(method.package) or (budgets[name] if isinstance(budgets[name], str) else None)
        if reason:
            yield row | {"absent": reason}
            continue
        tuned = _prepare(problem, name, method)
        for budget in budgets[name]:
            yield attempt(row | {"budget": budget} | tuned, lambda m=method, k=budget: _point(problem, m, k))


def _prepare(problem, name, method):
    """What is not timed: machine code, thread pools, and torch's step. Returns settings found."""
    whole = name.startswith("linclf")
    with contextlib.suppress(Exception):  # a method that fails says so when it is measured
        timed(lambda: method.fit(problem if whole else problem.small(), 1))
    if name in ("torch SGD", "torch Adam"):
        from benchmarks import _torch

        return {"step": _torch.tune(problem, name.split()[1])}
    return {}


def _point(problem, method, budget):
    (W, b), seconds, caught = timed(lambda: method.fit(problem, budget))
    return {
        "seconds": seconds,
        "objective": problem.objective(W, b),
        "accuracy": accuracy(W, b, problem.data.X_test, problem.data.y_test),
        "warnings": caught,
    }


def _with_distance(problem, rows):
    best, reference = _peers.best_known(problem)
    best = min([best, *(row["objective"] for row in rows if np.isfinite(row.get("objective", np.inf)))])
    for row in rows:
        if "objective" in row:
            row.update(best=best, reference=reference, distance=(row["objective"] - best) / best)
    return rows


def seconds_to(rows, method, distance):
    """Seconds of the cheapest fit of a method that came this close; None if none did."""
    close = [r["seconds"] for r in rows if r["method"] == method and r.get("distance", np.inf) <= distance]
    return min(close, default=None)


def table(result):
    parts = [
        "Each point is one fit with a budget of iterations or epochs. Distance is (F - F*)/F*: F is computed "
        "in float64 NumPy from the weights, F* is the least of all fits and of long reference runs. All "
        f"methods may use {result['settings']['threads']} threads; alpha = 1e-4, C = 1/(alpha n)."
    ]
    for data, loss in dict.fromkeys((row["data"], row["loss"]) for row in result["rows"]):
        rows = [row for row in result["rows"] if (row["data"], row["loss"]) == (data, loss)]
        parts.append(f"**{data}, {loss}.** Seconds until the distance is at most:")
        parts.append(
            markdown(
                ["method", "1e-2", "1e-4", "1e-6", "least distance", "test accuracy there"], _lines(rows)
            )
        )
    differs = [[name, method.differs] for name, method in _peers.METHODS.items()]
    parts += ["What differs:", markdown(["method", "objective and settings"], differs)]
    return "\n\n".join(parts)


def _lines(rows):
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        measured = [row for row in own if "objective" in row]
        if not measured:
            yield [method, f"absent: {own[0]['absent']}", "", "", "", ""]
            continue
        last = min(measured, key=lambda row: row["distance"])
        reached = [seconds_to(own, method, distance) for distance in (1e-2, 1e-4, 1e-6)]
        cells = ["-" if seconds is None else number(seconds) for seconds in reached]
        yield [method, *cells, f"{last['distance']:.1e}", f"{last['accuracy']:.4f}"]


def _mark(result):
    rows = [row for row in result["rows"] if row["data"] == "MNIST" and row["loss"] == "softmax"]
    names = ("linclf lbfgs", "cyanure", "LogisticRegression lbfgs")
    ours, cyanure, sklearn = (found(seconds_to(rows, name, TARGET), f"{name} to {TARGET}") for name in names)
    measured = (
        f"{number(ours)} s: {fewer(ours, cyanure)} of cyanure's {number(cyanure)} s, "
        f"{fewer(ours, sklearn)} of LogisticRegression's {number(sklearn)} s"
    )
    return measured, ours <= cyanure / 5 and ours <= sklearn / 20


MARKS = [
    Mark(
        'MNIST, `solver="lbfgs"` until the relative distance to the optimum is 1e-4',
        "at most 1/5 of cyanure's time and 1/20 of LogisticRegression's",
        _mark,
    )
]


def pictures(result):
    """The paths of all solvers, one picture for each objective."""
    drawn = {}
    for data, loss in dict.fromkeys((row["data"], row["loss"]) for row in result["rows"]):
        rows = [r for r in result["rows"] if (r["data"], r["loss"]) == (data, loss) and "distance" in r]
        name = "_".join(["optimum", *re.findall(r"[a-z0-9]+", data.lower())])
        name += "" if loss == "softmax" else "_squared_hinge"
        title = f"{data}, {'softmax' if loss == 'softmax' else 'squared hinge, one against the rest'}"
        paths = {m: [(r["seconds"], r["distance"]) for r in rows if r["method"] == m] for m in _peers.METHODS}
        drawn[name] = title, functools.partial(_draw, title, paths)
    return drawn


def _draw(title, paths, plots, figure):
    plots.paths(figure, title, {name: path for name, path in paths.items() if path})
