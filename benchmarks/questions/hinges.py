"""How long do hinges that are not squared take to get within a proven distance of their minimum?"""

import functools

import numpy as np
from sklearn.svm import LinearSVC

from benchmarks.data import named
from benchmarks.measure.attempt import attempt
from benchmarks.measure.timing import timed, warm_up
from benchmarks.peers.objective import at_zero
from benchmarks.peers.problem import Problem
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row
from benchmarks.report.text import fraction, markdown_table, number, shortened
from linclf import LinearClassifier

ALPHA = 1e-4
HINGES = "weston-watkins", "crammer-singer"
OURS = ("auto", None), ("dual", 1e-2), ("dual", 1e-3), ("dual", 1e-4)  # solver, tol unless the default
LIBLINEAR, TOLERANCES = "LinearSVC(crammer_singer)", (1.0, 0.3, 0.1, 0.01, 1e-4)
LEFT = 1e-3


def run(quick: bool) -> Measurements:
    data = named.mnist(quick)
    rows = []
    for name in HINGES:
        problem = Problem(data, name, ALPHA)
        for solver, tol in OURS:
            row = {"loss": name, "model": "linclf", "solver": solver, "tol": tol}
            rows.append(attempt(row, functools.partial(_ours, problem, solver, tol)))
    problem = Problem(data, "crammer-singer", ALPHA)
    for tol in TOLERANCES:
        row = {"loss": problem.loss, "model": LIBLINEAR, "tol": tol}
        rows.append(attempt(row, functools.partial(_liblinear, problem, tol)))
    _add_distances(rows, data.n_classes)
    return {"data": [data.facts()], "settings": {"alpha": ALPHA, "left": LEFT}, "rows": rows}


def _ours(problem: Problem, solver: str, tol: float | None) -> Row:
    data, settings = problem.data, {} if tol is None else {"tol": tol}
    model = LinearClassifier(
        loss=problem.loss, alpha=problem.alpha, solver=solver, random_state=0, **settings
    )
    warm_up(model, data.X, data.y)
    fit = timed(lambda: model.fit(data.X, data.y))
    objective, gap = problem.objective(model.coef_, model.intercept_), getattr(model, "optimality_gap_", None)
    return {
        "seconds": fit.seconds,
        "objective": objective,
        "bound": None if gap is None else objective - gap,
        "ran": model.solver_,
        "accuracy": model.score(data.X_test, data.y_test),
        "warnings": fit.warnings,
    }


def _liblinear(problem: Problem, tol: float) -> Row:
    data = problem.data
    model = LinearSVC(multi_class="crammer_singer", C=problem.C, tol=tol, random_state=0, max_iter=100_000)
    fit = timed(lambda: model.fit(data.X, data.y))
    penalty = problem.alpha / 2 * float(np.sum(model.intercept_**2))  # LIBLINEAR's, on the intercepts
    return {
        "seconds": fit.seconds,
        "objective": problem.objective(model.coef_, model.intercept_) + penalty,
        "ran": "LIBLINEAR",
        "accuracy": model.score(data.X_test, data.y_test),
        "warnings": fit.warnings,
    }


def _add_distances(rows: list[Row], n_classes: int) -> None:
    """Distances from linclf's highest bound; LIBLINEAR proves none, so its own lowest value is used."""
    rows = [row for row in rows if "objective" in row]
    for row in rows:
        same = [each for each in rows if (each["loss"], each["model"]) == (row["loss"], row["model"])]
        bounds = [each["bound"] for each in same if each.get("bound") is not None]
        if not bounds and row["model"] != LIBLINEAR:
            continue
        least = max(bounds) if bounds else min(each["objective"] for each in same)
        row["distance_left"] = (row["objective"] - least) / (at_zero(row["loss"], n_classes) - least)


def table(result: Result) -> str:
    lines = [
        [row["loss"], row["model"], f"absent: {row['absent']}", *[""] * 5]
        if "absent" in row
        else [
            *(row["loss"], row["model"], row["ran"], "" if row["tol"] is None else f"{row['tol']:g}"),
            *(number(row["seconds"]), _digits(row.get("distance_left")), f"{row['accuracy']:.4f}"),
            shortened(row["warnings"]),
        ]
        for row in result["rows"]
    ]
    return "\n\n".join(
        [
            f"{result['data'][0]['name']}, alpha = {result['settings']['alpha']:g}. Distance left is "
            "(F - F*)/(F(0) - F*), where F* is the highest bound that `optimality_gap_` proves. LinearSVC "
            "penalises the intercepts: its F includes that penalty, and its F* is its lowest value.",
            markdown_table(
                ["loss", "model", "solver", "tol", "seconds", "distance left", "test accuracy", "warnings"],
                lines,
            ),
        ]
    )


def _digits(left: float | None) -> str:
    return "-" if left is None else f"{left:.1e}"


def _first(result: Result, loss: str, model: str) -> Row:
    """The fastest fit that ended by itself close enough to the minimum."""
    near = [
        row
        for row in result["rows"]
        if (row["loss"], row["model"]) == (loss, model)
        and row.get("distance_left", np.inf) <= LEFT
        and not row["warnings"]
    ]
    if not near:
        raise NotMeasured(f"no fit of {model} left at most {LEFT:g}")
    return min(near, key=lambda row: row["seconds"])


def _beside_liblinear(result: Result) -> tuple[str, bool]:
    theirs = _first(result, "crammer-singer", LIBLINEAR)
    same, other = (_first(result, loss, "linclf") for loss in ("crammer-singer", "weston-watkins"))
    ratio, of_other = (fraction(row["seconds"], theirs["seconds"]) for row in (same, other))
    measured = f"{number(same['seconds'])} s, {ratio} of its time; Weston-Watkins {of_other}"
    return measured, same["seconds"] <= theirs["seconds"] / 10


MARKS = [
    Mark(
        "MNIST, Crammer-Singer to 1e-3 of the way",
        "1/10 of LinearSVC(crammer_singer)'s time",
        _beside_liblinear,
    ),
]

QUESTION = Question("Hinges", __doc__, run, table, MARKS)
