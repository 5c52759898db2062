"""Do the default settings reach the optimum, whatever the data look like, and without a warning?"""

import functools

from benchmarks.data import named
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.timing import timed, warm_up
from benchmarks.peers import reference
from benchmarks.peers.objective import at_zero
from benchmarks.peers.problem import Problem
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row
from benchmarks.report.pictures import Dots, Picture
from benchmarks.report.text import markdown_table, number, shortened
from linclf import SoftmaxClassifier, SVMClassifier

ALPHAS = (1e-2, 1e-4)
MODELS = {
    "SoftmaxClassifier()": ("softmax", SoftmaxClassifier()),
    "SVMClassifier(squared=True)": ("squared-weston-watkins", SVMClassifier(squared=True)),
}
LEFT = 1e-4
KNOWN = (reference.LBFGS, reference.NEWTON)  # without one of them, F* would come from the judged fit itself
FEWEST = 15  # data sets: with fewer, the mark would not be about data in general


def run(quick: bool) -> Measurements:
    facts, rows = [], []
    for data in named.of_all_shapes(quick):
        facts.append(data.facts())
        for name in MODELS:
            for alpha in ALPHAS:
                row = {"data": data.name, "model": name, "alpha": alpha}
                rows.append(attempt(row, functools.partial(_fit, name, alpha, data)))
    settings = {"alphas": ALPHAS, "all other settings": "default", "random_state": 0}
    return {"data": facts, "settings": settings, "rows": rows}


def _fit(name: str, alpha: float, data: DataSet) -> Row:
    loss, model = MODELS[name]
    model.set_params(alpha=alpha, random_state=0)
    warm_up(model, data.X, data.y)
    _, seconds, caught = timed(lambda: model.fit(data.X, data.y))
    problem = Problem(data, loss, alpha)
    reached = problem.objective(model.coef_, model.intercept_)
    best, run_of_best = reference.best_known(problem)
    best = min(best, reached)
    return {
        "distance_left": (reached - best) / (at_zero(loss, data.n_classes) - best),
        "epochs": int(model.n_iter_),
        "seconds": seconds,
        "warnings": caught,
        "accuracy": model.score(data.X_test, data.y_test),
        "objective": reached,
        "best": best,
        "reference": run_of_best,
    }


def table(result: Result) -> str:
    lines = [
        [row["data"], row["model"], row["alpha"], f"absent: {row['absent']}", "", "", "", ""]
        if "absent" in row
        else [
            *(row["data"], row["model"], row["alpha"], f"{row['distance_left']:.1e}", row["epochs"]),
            *(number(row["seconds"]), f"{row['accuracy']:.4f}", shortened(row["warnings"])),
        ]
        for row in result["rows"]
    ]
    shapes = [
        [data["name"], f"{data['rows']:,}", f"{data['features']:,}", data["classes"], data["source"]]
        for data in result["data"]
    ]
    references = sorted({row["reference"].split(":")[0] for row in result["rows"] if "reference" in row})
    return "\n\n".join(
        [
            "Distance left is (F - F*)/(F(0) - F*): 1 is no training, 0 the optimum. F* is the lowest value "
            f"of this fit and of long runs ({', '.join(references)}). Only alpha is set, and features are "
            "not scaled unless the name says so.",
            markdown_table(["data", "rows", "features", "classes", "source"], shapes),
            markdown_table(
                ["data", "model", "alpha", "distance left", "epochs", "seconds", "test accuracy", "warnings"],
                lines,
            ),
        ]
    )


def pictures(result: Result) -> dict[str, Picture]:
    groups: dict[str, dict[str, float]] = {}
    for row in result["rows"]:
        if "absent" not in row:
            series = groups.setdefault(f"{row['model']}, alpha = {row['alpha']:g}", {})
            series[row["data"]] = row["distance_left"]
    return {"defaults": Dots("Distance left with default settings", groups, LEFT)}


def _mark(result: Result) -> tuple[str, bool]:
    rows, n_data = result["rows"], len(result["data"])
    if not all(row.get("reference", "none").startswith(KNOWN) for row in rows):
        raise NotMeasured("a fit or its reference failed: see the table")
    worst = max(rows, key=lambda row: row["distance_left"])
    far = sum(row["distance_left"] > LEFT for row in rows)
    warned = sum(bool(row["warnings"]) for row in rows)
    measured = (
        f"{n_data} data sets: {far} of {len(rows)} fits above {LEFT:g}, {warned} with a warning; worst "
        f"{worst['distance_left']:.1e} ({worst['data']}, {worst['model']}, alpha={worst['alpha']:g})"
    )
    return measured, n_data >= FEWEST and far == 0 and warned == 0


MARKS = [
    Mark(
        "15 data sets or more, scaled or not, `SoftmaxClassifier()` and `SVMClassifier(squared=True)`, "
        "alpha 1e-2 and 1e-4",
        f"distance left at most {LEFT:g} on each, no warning",
        _mark,
    )
]

QUESTION = Question("Defaults", __doc__, run, table, MARKS, pictures)
