"""How much of the processor's matrix-product rate does one pass over dense data reach?"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.data import generated
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import pass_seconds, sgemm_rate
from benchmarks.question import Mark, Measurements, Question, Result, Row, row_of
from benchmarks.report.text import markdown_table
from linclf import LinearClassifier
from linclf.losses import row_loss

OWN = "softmax as a loss of one's own"

# (rows, features, classes, loss, solver, threads, passes of the shorter and of the longer fit)
CASES = (
    (60_000, 784, 10, "softmax", "sgd", 1, 2, 12),
    (60_000, 784, 10, OWN, "sgd", 1, 2, 12),
    (60_000, 784, 10, "softmax", "lbfgs", 1, 5, 20),
    (60_000, 784, 100, "softmax", "sgd", 1, 1, 4),
    (20_000, 768, 1000, "softmax", "sgd", 2, 1, 4),
    (20_000, 768, 1000, "softmax", "lbfgs", 2, 2, 7),
)
QUICK = ((2_000, 64, 10, "softmax", "sgd", 1, 1, 4), (2_000, 64, 10, "softmax", "lbfgs", 1, 1, 4))


class OwnSoftmax(NamedTuple):
    """What a user would write: docs/losses.md, "A loss of your own"."""

    temperature: float = 1.0


@row_loss.register(OwnSoftmax)
def own_softmax(loss: OwnSoftmax, scores: np.ndarray, y: int) -> float:
    largest, total = scores.max(), 0.0
    target = (scores[y] - largest) / loss.temperature
    for k in range(scores.size):
        scores[k] = math.exp((scores[k] - largest) / loss.temperature)
        total += scores[k]
    for k in range(scores.size):
        scores[k] /= total * loss.temperature
    scores[y] -= 1 / loss.temperature
    return math.log(total) - target


def run(quick: bool) -> Measurements:
    cases, size = (QUICK, 512) if quick else (CASES, 2048)
    rows, data = [], None
    for n, n_features, n_classes, loss, solver, threads, few, many in cases:
        if data is None or (data.X.shape, data.n_classes) != ((n, n_features), n_classes):
            data = generated.gaussian(n, n_features, n_classes, f"{n:,} x {n_features}, {n_classes} classes")
        row = {"rows": n, "features": n_features, "classes": n_classes, "loss": loss}
        row |= {"solver": solver, "threads": threads}
        rows.append(attempt(row, functools.partial(_rate, data, loss, solver, threads, few, many, size)))
    return {
        "data": [{"name": "Gaussian classes, float32", "source": "generated"}],
        "settings": {"tol": "0 for lbfgs, None for sgd", "sgemm_size": size, "cores": CORES},
        "rows": rows,
    }


def _rate(data: DataSet, loss: str, solver: str, threads: int, few: int, many: int, size: int) -> Row:
    n, n_features = data.X.shape
    model = LinearClassifier(
        loss=OwnSoftmax() if loss == OWN else loss,
        solver=solver,
        n_jobs=threads,
        tol=None if solver == "sgd" else 0,
        random_state=0,
    )
    product = sgemm_rate(size, threads)
    seconds = pass_seconds({"": model}, data.X, data.y, few, many)[""].seconds
    product = (product + sgemm_rate(size, threads)) / 2  # before and after: the clock varies
    rate = 4 * n * n_features * data.n_classes / seconds / 1e9
    return {"seconds_per_pass": seconds, "gflops": rate, "sgemm_gflops": product, "share": rate / product}


def table(result: Result) -> str:
    lines = [
        [*_case(row), f"absent: {row['absent']}", "", "", ""]
        if "absent" in row
        else [
            *_case(row),
            *(f"{row['seconds_per_pass']:.3f}", f"{row['gflops']:.1f}", f"{row['sgemm_gflops']:.1f}"),
            f"{row['share']:.0%}",
        ]
        for row in result["rows"]
    ]
    size = result["settings"]["sgemm_size"]
    return (
        "A pass counts 4 n d K operations, the scores and the gradient. Its time is the slope between a "
        "short and a long fit, so that the set-up drops out; a pass of L-BFGS is one iteration (evaluations "
        f"of its line search beyond the first are not counted). sgemm is NumPy's product of two {size} x "
        f"{size} float32 matrices on as many threads.\n\n"
        + markdown_table(
            [
                *("rows", "features", "classes", "loss", "solver", "threads"),
                *("seconds a pass", "GFLOP/s", "sgemm GFLOP/s", "share"),
            ],
            lines,
        )
    )


def _case(row: Row) -> list[str | int]:
    return [f"{row['rows']:,}", *(row[name] for name in ("features", "classes", "loss", "solver", "threads"))]


def _share(least: float, **case: int) -> Callable[[Result], tuple[str, bool]]:
    def judge(result: Result) -> tuple[str, bool]:
        row = row_of(result, loss="softmax", solver="sgd", **case)
        said = f"{row['share']:.0%} ({row['gflops']:.0f} of {row['sgemm_gflops']:.0f} GFLOP/s)"
        return said, row["share"] >= least

    return judge


MARKS = [
    Mark("one epoch, dense, K = 10, one thread", "45 % of one core's sgemm rate", _share(0.45, classes=10)),
    Mark(
        "one epoch, dense, K = 1000, d = 768, `n_jobs=2`",
        "65 % of two cores' sgemm rate",
        _share(0.65, classes=1000, threads=2),
    ),
]

QUESTION = Question("Rate of the kernels", __doc__, run, table, MARKS)
