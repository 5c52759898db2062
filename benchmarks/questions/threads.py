"""What does a second thread gain, and is the model bitwise the same?"""

import functools

import numpy as np
from sklearn.base import clone

from benchmarks.data import generated
from benchmarks.measure.attempt import attempt
from benchmarks.measure.timing import pass_seconds
from benchmarks.question import Mark, Measurements, Question, Result, Row, row_of
from benchmarks.report.text import markdown_table, number
from linclf import SoftmaxClassifier

# (rows, features, classes, solver, passes of the shorter and of the longer fit)
CASES = (
    (60_000, 784, 10, "lbfgs", 5, 25),
    (200_000, 50, 10, "lbfgs", 5, 25),
    (20_000, 768, 1000, "lbfgs", 2, 6),
    (20_000, 768, 1000, "sgd", 1, 4),
)
QUICK = ((5_000, 100, 10, "lbfgs", 1, 4), (5_000, 100, 10, "sgd", 1, 3))


def run(quick: bool) -> Measurements:
    rows = []
    for case in QUICK if quick else CASES:
        names = ("rows", "features", "classes", "solver")
        rows.append(attempt(dict(zip(names, case, strict=False)), functools.partial(_compare, *case)))
    return {
        "data": [{"name": "Gaussian classes, float32", "source": "generated"}],
        "settings": {"n_jobs": [1, 2], "tol": 0, "repeats": 3},
        "rows": rows,
    }


def _compare(n: int, n_features: int, n_classes: int, solver: str, few: int, many: int) -> Row:
    data = generated.gaussian(n, n_features, n_classes, f"{n:,} x {n_features}")
    model = SoftmaxClassifier(solver=solver, tol=None if solver == "sgd" else 0, random_state=0)
    models = {n_jobs: clone(model).set_params(n_jobs=n_jobs) for n_jobs in (1, 2)}
    one, two = pass_seconds(models, data.X, data.y, few, many).values()
    return {
        "seconds_one_thread": one.seconds,
        "seconds_two_threads": two.seconds,
        "gain": one.seconds / two.seconds,
        "gain_of_whole_fit": one.whole / two.whole,
        "bitwise_equal": all(
            np.array_equal(getattr(one.model, name), getattr(two.model, name))
            for name in ("coef_", "intercept_")
        ),
    }


def table(result: Result) -> str:
    lines = [
        [*_case(row), f"absent: {row['absent']}", "", "", "", ""]
        if "absent" in row
        else [
            *_case(row),
            *(number(row["seconds_one_thread"]), number(row["seconds_two_threads"]), f"{row['gain']:.2f}x"),
            *(f"{row['gain_of_whole_fit']:.2f}x", "yes" if row["bitwise_equal"] else "**no**"),
        ]
        for row in result["rows"]
    ]
    return (
        "Seconds are for one full pass: the difference between a longer and a shorter fit, without the "
        "set-up of a fit; the gain of the whole fit includes the set-up.\n\n"
        + markdown_table(
            [
                *("rows", "features", "classes", "solver", "1 thread, s", "2 threads, s"),
                *("gain", "of the whole fit", "bitwise equal"),
            ],
            lines,
        )
    )


def _case(row: Row) -> list[str | int]:
    return [f"{row['rows']:,}", row["features"], row["classes"], row["solver"]]


def _mark(result: Result) -> tuple[str, bool]:
    row = row_of(result, rows=60_000, solver="lbfgs")
    equal = "equal" if row["bitwise_equal"] else "different"
    return f"{row['gain']:.2f}x on 60,000 x 784, coefficients bitwise {equal}", (
        row["gain"] >= 1.8 and row["bitwise_equal"]
    )


MARKS = [Mark("two threads, full passes (L-BFGS), n at least 50,000", "1.8 times as fast as one", _mark)]

QUESTION = Question("Threads", __doc__, run, table, MARKS)
