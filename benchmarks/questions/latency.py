"""How long does a prediction take, from one row to a million?"""

import functools

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.data import generated
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import best_medians
from benchmarks.measure.machine import CORES
from benchmarks.question import Mark, Measurements, Question, Result, Row, row_of
from benchmarks.report.text import fraction, markdown_table, number
from linclf import SoftmaxClassifier

# rows, features, classes, repeats
CASES = (
    *((1, 784, 10, 1000), (1_000, 784, 10, 100), (10_000, 784, 10, 30)),
    *((1, 10, 3, 1000), (1_000_000, 10, 3, 5)),
)
QUICK = ((1, 64, 10, 100), (1_000, 64, 10, 20))


def run(quick: bool) -> Measurements:
    rows = []
    for n, n_features, n_classes, repeats in QUICK if quick else CASES:
        data = generated.gaussian(max(n, 1000), n_features, n_classes, "rows")
        models = _fitted(data)
        for method in ("predict", "predict_proba"):
            row = {"rows": n, "features": n_features, "classes": n_classes, "method": method}
            rows.append(attempt(row, functools.partial(_times, models, data.X[:n], method, repeats)))
    return {
        "data": [{"name": "Gaussian classes, float32", "source": "generated"}],
        "settings": {"blas_threads": CORES, "in_turn": True},
        "rows": rows,
    }


def _fitted(data: DataSet) -> dict[str, SoftmaxClassifier | LogisticRegression]:
    """The same model in both packages: LogisticRegression gets the weights of linclf."""
    ours = SoftmaxClassifier(solver="sgd", max_iter=1, random_state=0).fit(data.X, data.y)
    theirs = LogisticRegression()
    theirs.classes_, theirs.n_features_in_ = ours.classes_, ours.n_features_in_
    theirs.coef_, theirs.intercept_ = ours.coef_, ours.intercept_
    return {"linclf": ours, "LogisticRegression": theirs}


def _times(
    models: dict[str, SoftmaxClassifier | LogisticRegression], X: np.ndarray, method: str, repeats: int
) -> Row:
    W, b, classes = models["linclf"].coef_, models["linclf"].intercept_, models["linclf"].classes_

    def numpy_predict() -> np.ndarray:
        return classes[(X @ W.T + b).argmax(axis=1)]

    def numpy_softmax() -> np.ndarray:
        scores = X @ W.T + b
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    calls = {name: lambda m=model: getattr(m, method)(X) for name, model in models.items()}
    calls["numpy"] = numpy_predict if method == "predict" else numpy_softmax
    found = best_medians(calls, repeats)
    seconds = {f"seconds_{name}": best.seconds for name, best in found.items()}
    return seconds | {f"threads_{name}": best.threads for name, best in found.items()}


def table(result: Result) -> str:
    names = ("linclf", "LogisticRegression", "numpy")
    lines = [
        [
            *(f"{row['rows']:,}", row["features"], row["classes"], row["method"]),
            *(_cell(row, name) if "absent" not in row else row["absent"] for name in names),
        ]
        for row in result["rows"]
    ]
    return (
        "Medians of calls made in turn, in milliseconds, for float32 rows and the same weights in all three; "
        "each at its best number of BLAS threads, in brackets. "
        "NumPy is bare `X @ W.T + b` with argmax or an in-place softmax, and checks nothing.\n\n"
        + markdown_table(["rows", "features", "classes", "method", *names], lines)
    )


def _cell(row: Row, name: str) -> str:
    threads = f" ({row[f'threads_{name}']})" if f"threads_{name}" in row else ""
    return number(1e3 * row[f"seconds_{name}"]) + threads


def _mark(result: Result) -> tuple[str, bool]:
    row = row_of(result, rows=10_000, features=784, method="predict_proba")
    ours, numpy = row["seconds_linclf"], row["seconds_numpy"]
    return f"{1e3 * ours:.2f} ms against {1e3 * numpy:.2f} ms ({ours / numpy:.2f} times)", ours <= numpy


def _one_row(result: Result) -> tuple[str, bool]:
    row = row_of(result, rows=1, features=784, method="predict_proba")
    ours, sklearn = row["seconds_linclf"], row["seconds_LogisticRegression"]
    return (
        f"{1e6 * ours:.0f} us, {fraction(ours, sklearn)} of its {1e6 * sklearn:.0f} us",
        ours <= sklearn / 2,
    )


MARKS = [
    Mark("`predict_proba` of one row of 784", "at most 1/2 of LogisticRegression's time", _one_row),
    Mark(
        "`predict_proba`, 10,000 x 784, 10 classes",
        "not slower than `X @ W.T` and a softmax in NumPy",
        _mark,
    ),
]

QUESTION = Question("Latency of predictions", __doc__, run, table, MARKS)
