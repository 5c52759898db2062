"""How much memory does a fit need beyond the data?"""

import functools
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, SGDClassifier

from benchmarks.data.dataset import Rows
from benchmarks.measure.attempt import attempt
from benchmarks.measure.classifier import LinearEstimator
from benchmarks.measure.process import in_process, peak_memory, settled_memory
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row
from benchmarks.report.text import markdown_table
from linclf import SoftmaxClassifier

N_CLASSES = 10
SHAPES = {"dense": (60_000, 784), "sparse": (60_000, 35_000)}
QUICK_SHAPES = {"dense": (4_000, 784), "sparse": (4_000, 5_000)}
NONZEROS = 50  # of a sparse row
LAYOUTS = ("float32", "float64", "float32 memmap", "float64 CSR")
ITERATIONS = 12  # more than the pairs that L-BFGS remembers
MODELS: dict[str, Callable[[], LinearEstimator]] = {
    "linclf sgd": lambda: SoftmaxClassifier(solver="sgd", max_iter=3, tol=None, random_state=0),
    "linclf sgd, early_stopping=True": lambda: SoftmaxClassifier(
        max_iter=3, early_stopping=True, random_state=0
    ),
    "linclf lbfgs": lambda: SoftmaxClassifier(solver="lbfgs", max_iter=ITERATIONS, tol=0),
    "LogisticRegression": lambda: LogisticRegression(max_iter=ITERATIONS),
    "SGDClassifier": lambda: SGDClassifier(loss="log_loss", max_iter=2, tol=None),
}


def run(quick: bool) -> Measurements:
    shapes = QUICK_SHAPES if quick else SHAPES
    rows = []
    with tempfile.TemporaryDirectory(prefix="linclf-memmap-") as folder:
        for layout in LAYOUTS[:1] if quick else LAYOUTS:
            shape = shapes["sparse" if "CSR" in layout else "dense"]
            for model in MODELS:
                one_fit = functools.partial(in_process, measure, layout, model, *shape, folder)
                rows.append(attempt({"layout": layout, "model": model}, one_fit))
    return {
        "data": [{"name": "uniform random numbers, 10 classes", "source": "generated"}],
        "settings": {
            "shapes": shapes,
            "nonzeros_of_a_sparse_row": NONZEROS,
            "iterations_of_lbfgs": ITERATIONS,
        },
        "rows": rows,
    }


def measure(layout: str, name: str, n: int, n_features: int, folder: str) -> Row:
    """Growth of the resident memory during one fit; see `in_process`."""
    warnings.simplefilter("ignore")
    X = _data(layout, n, n_features, folder)
    y = np.arange(X.shape[0]) % N_CLASSES
    model = MODELS[name]()
    clone(model).set_params(max_iter=1).fit(X, y)  # loads machine code and libraries, which do not count
    size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes if sparse.issparse(X) else X.nbytes
    before = settled_memory()
    model.fit(X, y)
    growth = peak_memory() - before
    parameters = model.coef_.nbytes + model.intercept_.nbytes
    return {"data_bytes": size, "growth_bytes": growth, "parameter_bytes": parameters, "share": growth / size}


def _data(layout: str, n: int, n_features: int, folder: str) -> Rows:
    rng = np.random.default_rng(0)
    if "CSR" in layout:
        columns = np.sort(rng.integers(0, n_features // NONZEROS, (n, NONZEROS)), axis=1)
        columns = (columns + np.arange(NONZEROS) * (n_features // NONZEROS)).astype(np.int32)
        starts = np.arange(0, columns.size + 1, NONZEROS, dtype=np.int32)
        return sparse.csr_matrix((rng.random(columns.size), columns.ravel(), starts), shape=(n, n_features))
    X = rng.random((n, n_features), dtype=layout.split()[0])
    if "memmap" in layout:
        path = Path(folder) / "X.npy"
        np.save(path, X)
        X = np.load(path, mmap_mode="r")
        X.sum()  # its pages are resident before the fit, like those of an array
    return X


def table(result: Result) -> str:
    lines = [
        [row["layout"], row["model"], f"absent: {row['absent']}", "", "", ""]
        if "absent" in row
        else [
            *(
                row["layout"],
                row["model"],
                f"{row['data_bytes'] / 1e6:.0f}",
                f"{row['growth_bytes'] / 1e6:.1f}",
            ),
            *(f"{row['share']:.1%}", f"{row['parameter_bytes'] / 1e6:.2f}"),
        ]
        for row in result["rows"]
    ]
    return (
        "Each fit runs in its own process (Linux). Growth is the peak of the resident memory while fitting, "
        "less the memory resident before, with data and machine code loaded. L-BFGS keeps about 25 copies "
        "of the parameters.\n\n"
        + markdown_table(["X", "model", "X, MB", "growth, MB", "growth / X", "coefficients, MB"], lines)
    )


def _mark(result: Result) -> tuple[str, bool]:
    rows = [
        r for r in result["rows"] if r["model"].startswith("linclf") and r["layout"] in ("float32", "float64")
    ]
    absent = [f"{row['model']}: {row['absent']}" for row in rows if "absent" in row]
    if absent or not rows:
        raise NotMeasured("; ".join(absent) or "no measurement")
    worst = max(rows, key=lambda row: row["share"])
    return f"at most {worst['share']:.1%} ({worst['model']}, {worst['layout']})", worst["share"] <= 0.05


MARKS = [
    Mark(
        "memory while fitting C-contiguous X (60,000 x 784; the parameters need very little)",
        "X and 5 % of it",
        _mark,
    )
]

QUESTION = Question("Memory", __doc__, run, table, MARKS)
