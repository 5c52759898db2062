"""What does a fresh process wait for: the import, and the first fit with and without a cache?"""

import functools
import statistics
import tempfile

from benchmarks.measure.attempt import attempt
from benchmarks.measure.process import python
from benchmarks.question import Mark, Measurements, Question, Result, Row, row_of
from benchmarks.report.text import markdown_table

IMPORTS = """
import json, time
started = time.perf_counter()
import sklearn.linear_model
between = time.perf_counter()
from linclf import SoftmaxClassifier
print(json.dumps({"sklearn": between - started, "linclf": time.perf_counter() - between}))
"""
FIRST_FIT = """
import json, sys, time, warnings
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from linclf import SoftmaxClassifier, SVMClassifier
warnings.simplefilter("ignore")
X, y = load_iris(return_X_y=True)
model = eval(sys.argv[1])
started = time.perf_counter()
model.fit(X, y)
print(json.dumps({"seconds": time.perf_counter() - started}))
"""
MODELS = (
    *("SoftmaxClassifier()", "SoftmaxClassifier(solver='lbfgs')", "SVMClassifier()"),
    "LogisticRegression()",
)


def run(quick: bool) -> Measurements:
    repeats = 1 if quick else 5
    with tempfile.TemporaryDirectory(prefix="linclf-cache-") as folder:
        rows = [attempt({"what": "import"}, functools.partial(_imports, repeats, folder))]
        for model in MODELS[:1] + MODELS[-1:] if quick else MODELS:
            rows.append(attempt({"what": model}, functools.partial(_first_fits, model, repeats, folder)))
    return {
        "data": [{"name": "iris", "source": "bundled with scikit-learn"}],
        "settings": {"repeats": repeats, "empty_cache_repeats": min(repeats, 3)},
        "rows": rows,
    }


def _imports(repeats: int, cache: str) -> Row:
    _fresh(cache, IMPORTS)  # writes Python's own byte code
    runs = [_fresh(cache, IMPORTS) for _ in range(repeats)]
    return {name: statistics.median(run[name] for run in runs) for name in ("sklearn", "linclf")}


def _first_fits(model: str, repeats: int, cache: str) -> Row:
    empty = []
    for _ in range(min(repeats, 3)):
        with tempfile.TemporaryDirectory(prefix="linclf-cache-") as fresh:
            empty.append(_fresh(fresh, FIRST_FIT, model)["seconds"])
    _fresh(cache, FIRST_FIT, model)  # fills the cache that the others find
    warm = [_fresh(cache, FIRST_FIT, model)["seconds"] for _ in range(repeats)]
    return {"empty_cache": statistics.median(empty), "warm_cache": statistics.median(warm)}


def _fresh(cache: str, code: str, *arguments: str) -> Row:
    """What the code prints in a fresh process with its machine code in this folder."""
    return python("-c", code, *arguments, environment={"LINCLF_CACHE": cache})


def table(result: Result) -> str:
    rows = {row["what"]: row for row in result["rows"]}
    imports = rows.pop("import")
    lines = [
        [what, f"absent: {row['absent']}", ""]
        if "absent" in row
        else [what, f"{row['empty_cache']:.2f}", f"{row['warm_cache']:.3f}"]
        for what, row in rows.items()
    ]
    said = (
        f"absent: {imports['absent']}"
        if "absent" in imports
        else f"`import sklearn.linear_model` takes {imports['sklearn']:.2f} s, and importing linclf's "
        f"classifiers after it another {imports['linclf']:.2f} s"
    )
    return (
        f"Fresh processes, medians of {result['settings']['repeats']}. {said}. Seconds of the first "
        "`fit` of a process, on iris:\n\n"
        + markdown_table(["model", "cache of machine code empty", "cache filled"], lines)
    )


def _import_mark(result: Result) -> tuple[str, bool]:
    seconds = row_of(result, what="import")["linclf"]
    return f"{seconds:.2f} s", seconds <= 0.35


def _fit_mark(result: Result) -> tuple[str, bool]:
    row = row_of(result, what="SoftmaxClassifier()")
    return f"{row['empty_cache']:.2f} s and {row['warm_cache']:.2f} s", (
        row["empty_cache"] <= 3.5 and row["warm_cache"] <= 0.4
    )


MARKS = [
    Mark("import of linclf's classifiers after scikit-learn", "0.35 s", _import_mark),
    Mark(
        "first fit ever, and first fit of a process with a filled cache, on iris",
        "3.5 s and 0.4 s",
        _fit_mark,
    ),
]

QUESTION = Question("Cold start", __doc__, run, table, MARKS)
