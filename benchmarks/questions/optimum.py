"""How far from the optimum is each solver after how many seconds?"""

import re
from collections.abc import Iterator

from benchmarks.data import named, real
from benchmarks.measure.machine import CORES
from benchmarks.peers.methods import LOGISTIC_REGRESSION, METHODS, absent_packages
from benchmarks.peers.paths import Budgets, points, seconds_to, with_distance
from benchmarks.peers.problem import Problem
from benchmarks.question import Mark, Measurements, Question, Result, Row, require
from benchmarks.report.pictures import Paths, Picture
from benchmarks.report.text import fraction, markdown_table, number

NEWTON = "one step needs the Hessian of all parameters, which takes minutes here"
TWO = "two classes only"
SLOW = "more than a minute for a few epochs"
TARGET = 1e-4

LARGE: Budgets = {
    "linclf sgd": (1, 2, 5, 10, 20, 40),
    "linclf newton": "for few features",
    "linclf lbfgs": (10, 20, 40, 60, 80, 120, 200),
    "LogisticRegression lbfgs": (30, 100, 220),
    "LogisticRegression newton-cholesky": NEWTON,
    "LogisticRegression newton-cg": (3, 6, 10),
    "LogisticRegression sag": (2, 5),
    "LogisticRegression saga": (2, 5),
    "LogisticRegression liblinear": TWO,
    "intelex lbfgs": (30, 100, 220),
    "glum": TWO,
    "skglm": TWO,
    "SGDClassifier": (2, 10),
    "LinearSVC": (10, 30),
    "cyanure": (5, 10, 14, 20),
    "snapml": (10,),
    "torch SGD": (1, 5, 20),
    "torch Adam": (1, 5, 20),
    "torch L-BFGS": (10, 30, 100, 220),
}
MANY_CLASSES: Budgets = LARGE | {
    "linclf lbfgs": (10, 20, 40, 80),
    "LogisticRegression lbfgs": (10, 20, 30, 60),
    "LogisticRegression newton-cg": (3, 6),
    "intelex lbfgs": (10, 20, 30, 60),
    "LogisticRegression sag": SLOW,
    "LogisticRegression saga": SLOW,
    "SGDClassifier": (1,),
    "LinearSVC": SLOW,
    "cyanure": (5, 10, 20),
    "snapml": SLOW,
    "torch SGD": (1, 5, 20),
    "torch Adam": (1, 5, 20),
    "torch L-BFGS": (10, 30, 60),
}
SMALL: Budgets = {
    "linclf sgd": (10, 50, 200, 1000, 4000),
    "linclf newton": (3, 6, 10, 30),
    "linclf lbfgs": (10, 30, 100, 300, 1000),
    "LogisticRegression lbfgs": (30, 100, 1000, 10_000),
    "LogisticRegression newton-cholesky": (3, 6, 10, 30),
    "LogisticRegression newton-cg": (3, 6, 10, 30),
    "LogisticRegression sag": (100, 1000, 10_000),
    "LogisticRegression saga": (100, 1000, 10_000),
    "LogisticRegression liblinear": (3, 10, 30, 100),
    "intelex lbfgs": (30, 100, 1000),
    "glum": (3, 10, 30),
    "skglm": (3, 10, 30),
    "SGDClassifier": (10, 100, 1000),
    "LinearSVC": (100, 1000, 10_000),
    "cyanure": (10, 100, 1000, 10_000),
    "snapml": (10, 100, 1000),
    "torch SGD": (20, 100, 500),
    "torch Adam": (20, 100, 500),
    "torch L-BFGS": (30, 100, 1000),
}
QUICK: Budgets = {name: budgets[:2] for name, budgets in SMALL.items()} | {
    "LogisticRegression sag": (10, 30),
    "LogisticRegression saga": (10, 30),
}
QUICK_LARGE: Budgets = QUICK | {
    "linclf newton": (3,),
    "LogisticRegression newton-cholesky": NEWTON,
    "LogisticRegression liblinear": TWO,
}


def run(quick: bool) -> Measurements:
    datasets = [
        (named.mnist(quick), QUICK_LARGE if quick else LARGE),
        (named.embeddings(quick), QUICK_LARGE if quick else MANY_CLASSES),
        (real.bundled("breast_cancer"), QUICK if quick else SMALL),
        (real.bundled("wine"), QUICK if quick else SMALL),
    ]
    absent, rows = absent_packages(), []
    for data, budgets in datasets:
        if data.n_classes > 2:
            budgets = budgets | dict.fromkeys(("glum", "skglm"), TWO)
        for loss in ("softmax", "squared-one-vs-rest"):
            problem = Problem(data, loss, 1e-4)
            rows += with_distance(problem, list(points(problem, budgets, absent)))
    return {
        "data": [data.facts() for data, _ in datasets],
        "settings": {"alpha": 1e-4, "threads": CORES, "linclf_lbfgs_tol": 1e-9},
        "absent": absent,
        "rows": rows,
    }


def table(result: Result) -> str:
    parts = [
        "Each point is one fit with a budget of iterations or epochs. Distance is (F - F*)/F*: F is computed "
        "in float64 NumPy from the weights, and F* is the lowest F of all fits and of long reference runs. "
        f"Each method may use {result['settings']['threads']} threads; if the table has a column for it, the "
        "best number was used; alpha = 1e-4, C = 1/(alpha n). "
        "NC: not converged to that distance with any budget."
    ]
    for data, loss in dict.fromkeys((row["data"], row["loss"]) for row in result["rows"]):
        rows = [row for row in result["rows"] if (row["data"], row["loss"]) == (data, loss)]
        parts.append(f"**{data}, {loss}.** Seconds until the distance is at most:")
        parts.append(
            markdown_table(
                ["method", "1e-2", "1e-4", "1e-6", "threads", "least distance", "test accuracy there"],
                _lines(rows),
            )
        )
    differs = [[name, method.differs] for name, method in METHODS.items()]
    parts += ["What differs:", markdown_table(["method", "objective and settings"], differs)]
    return "\n\n".join(parts)


def _lines(rows: list[Row]) -> Iterator[list[str]]:
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        measured = [row for row in own if "objective" in row]
        if not measured:
            yield [method, f"absent: {own[0]['absent']}", "", "", "", "", ""]
            continue
        last = min(measured, key=lambda row: row["distance"])
        reached = [seconds_to(own, method, distance) for distance in (1e-2, 1e-4, 1e-6)]
        cells = ["NC" if seconds is None else number(seconds) for seconds in reached]
        threads = last.get("threads", "")
        yield [method, *cells, threads, f"{last['distance']:.1e}", f"{last['accuracy']:.4f}"]


def _seconds(result: Result, data: str, method: str) -> float | None:
    rows = [row for row in result["rows"] if row["data"].startswith(data) and row["loss"] == "softmax"]
    return seconds_to(rows, method, TARGET)


def _to_the_target(result: Result, data: str) -> tuple[float, float]:
    """Seconds of L-BFGS, and of the fastest solver of LogisticRegression."""
    ours = require(_seconds(result, data, "linclf lbfgs"), f"linclf lbfgs to {TARGET}")
    solvers = [name for name in METHODS if name.startswith(LOGISTIC_REGRESSION)]
    reached = [_seconds(result, data, name) for name in solvers]
    fastest = min((seconds for seconds in reached if seconds is not None), default=None)
    return ours, require(fastest, f"{LOGISTIC_REGRESSION} to {TARGET}")


def _mnist(result: Result) -> tuple[str, bool]:
    ours, sklearn = _to_the_target(result, "MNIST")
    cyanure = require(_seconds(result, "MNIST", "cyanure"), f"cyanure to {TARGET}")
    measured = (
        f"{number(ours)} s: {fraction(ours, cyanure)} of cyanure's {number(cyanure)} s, "
        f"{fraction(ours, sklearn)} of LogisticRegression's {number(sklearn)} s"
    )
    return measured, ours <= cyanure / 10 and ours <= sklearn / 20


def _embeddings(result: Result) -> tuple[str, bool]:
    ours, sklearn = _to_the_target(result, "embeddings")
    measured = f"{number(ours)} s: {fraction(ours, sklearn)} of LogisticRegression's {number(sklearn)} s"
    return measured, ours <= sklearn / 4


MARKS = [
    Mark(
        'MNIST, `solver="lbfgs"` until the relative distance to the optimum is 1e-4',
        "at most 1/10 of cyanure's time and 1/20 of LogisticRegression's",
        _mnist,
    ),
    Mark(
        'embeddings, 100 classes, `solver="lbfgs"` until the relative distance to the optimum is 1e-4',
        "at most 1/4 of LogisticRegression's time",
        _embeddings,
    ),
]


def pictures(result: Result) -> dict[str, Picture]:
    """The paths of all solvers, one picture for each objective."""
    drawn: dict[str, Picture] = {}
    for data, loss in dict.fromkeys((row["data"], row["loss"]) for row in result["rows"]):
        rows = [r for r in result["rows"] if (r["data"], r["loss"]) == (data, loss) and "distance" in r]
        name = "_".join(["optimum", *re.findall(r"[a-z0-9]+", data.lower())])
        name += "" if loss == "softmax" else "_squared_hinge"
        title = f"{data}, {'softmax' if loss == 'softmax' else 'squared hinge, one against the rest'}"
        paths = {m: [(r["seconds"], r["distance"]) for r in rows if r["method"] == m] for m in METHODS}
        drawn[name] = Paths(title, {method: path for method, path in paths.items() if path})
    return drawn


QUESTION = Question("Time to the optimum", __doc__, run, table, MARKS, pictures)
