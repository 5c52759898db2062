"""Small tables, as most people have them: is the default faster than scikit-learn's fastest solver?"""

import functools
from collections.abc import Iterator

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from benchmarks.data import generated, named
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import NUMBERS, threads
from benchmarks.measure.timing import median_seconds, timed, warm_up
from benchmarks.peers import reference
from benchmarks.peers.objective import at_zero
from benchmarks.peers.problem import Problem
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row
from benchmarks.report.text import fraction, markdown_table, number
from linclf import SoftmaxClassifier

ALPHAS = (1e-2, 1e-4, 1e-6)
LARGEST = 2**22  # values of X
LEFT = 1e-4
SOLVERS = ("lbfgs", "newton-cholesky", "newton-cg")
TOLERANCES = 10.0 ** -np.arange(1, 9)
HESSIAN = 1500  # parameters above which newton-cholesky is by far the slowest
HOPELESS = 5  # times the best time so far
REPEATS = 3
SHAPES = (  # rows, features, classes
    *((80, 512, 5), (2400, 512, 150), (1024, 256, 60), (1025, 256, 60), (1500, 50, 2)),
    *((5000, 40, 6), (600, 20, 3), (20_000, 12, 2)),
)


def run(quick: bool) -> Measurements:
    facts, rows = [], []
    for data in _tables(quick):
        facts.append(data.facts())
        for alpha in ALPHAS[1:2] if quick else ALPHAS:
            row = {"data": data.name, "alpha": alpha}
            rows.append(attempt(row, functools.partial(_race, data, alpha)))
    settings = {"alphas": ALPHAS, "left": LEFT, "all other settings": "default"}
    return {"data": facts, "settings": settings, "rows": rows}


def _tables(quick: bool) -> Iterator[DataSet]:
    """Tables of all shapes, raw and scaled."""
    for data in _raw(quick):
        if "scaled" in data.name or data.X.shape[0] * data.X.shape[1] > LARGEST:
            continue
        yield data
        if not sparse.issparse(data.X):
            yield data.scaled()


def _raw(quick: bool) -> Iterator[DataSet]:
    for data in named.of_all_shapes(quick):
        if not sparse.issparse(data.X):
            yield data
    for n, n_features, n_classes in SHAPES[:1] if quick else SHAPES:
        name = f"{n:,} x {n_features}, {n_classes} classes"
        yield generated.gaussian(n, n_features, n_classes, name, distance=4.0)
    yield generated.one_hot(300 if quick else 4000, 12, 3, "one-hot, CSR")
    yield generated.heavy_tailed(300 if quick else 20_000, 30, 8, "tails over nine decades")


def _race(data: DataSet, alpha: float) -> Row:
    """linclf's default; for scaled columns also scikit-learn's fastest solver to the same distance."""
    problem = Problem(data, "softmax", alpha)
    ours = SoftmaxClassifier(alpha=alpha)
    warm_up(ours, data.X, data.y)
    said = timed(lambda: ours.fit(data.X, data.y)).warnings
    seconds = median_seconds({"ours": lambda: ours.fit(data.X, data.y)}, REPEATS)["ours"]
    reached = problem.objective(ours.coef_, ours.intercept_)
    best = min(reference.best_known(problem)[0], reached)
    way = at_zero("softmax", data.n_classes) - best
    row: Row = {
        "milliseconds": 1e3 * seconds,
        "distance_left": (reached - best) / way,
        "solver": ours.solver_,
        "iterations": ours.n_iter_,
        "gap": getattr(ours, "optimality_gap_", None),
        "warnings": said,
    }
    if "scaled" in data.name:
        row |= _fastest(problem, best, way)
    return row


def _fastest(problem: Problem, best: float, way: float) -> Row:
    """The least time of LogisticRegression to `LEFT`, over solvers, tolerances and numbers of threads."""
    data, found = problem.data, {"sklearn_milliseconds": np.inf}
    for number_of_threads in NUMBERS:
        with threads(number_of_threads):
            for solver in SOLVERS:
                if solver == "newton-cholesky" and problem.n_parameters > HESSIAN:
                    continue
                for tol in TOLERANCES:
                    peer = LogisticRegression(C=problem.C, solver=solver, tol=tol, max_iter=10_000)
                    first = timed(functools.partial(peer.fit, data.X, data.y)).seconds
                    if 1e3 * first > HOPELESS * found["sklearn_milliseconds"]:
                        break
                    if problem.objective(peer.coef_, peer.intercept_) - best > LEFT * way:
                        continue
                    fit = functools.partial(peer.fit, data.X, data.y)
                    milliseconds = 1e3 * median_seconds({"peer": fit}, REPEATS)["peer"]
                    if milliseconds < found["sklearn_milliseconds"]:
                        found = {
                            "sklearn_milliseconds": milliseconds,
                            "sklearn": f"{solver}, tol={tol:.0e}, {number_of_threads} threads",
                        }
                    break
    return found


def table(result: Result) -> str:
    lines = []
    for row in result["rows"]:
        if "absent" in row:
            lines.append([row["data"], row["alpha"], f"absent: {row['absent']}", *[""] * 6])
            continue
        peer = row.get("sklearn_milliseconds")
        lines.append(
            [
                *(row["data"], row["alpha"], number(row["milliseconds"]), f"{row['distance_left']:.1e}"),
                *(row["solver"], row["iterations"]),
                "" if row["gap"] is None else f"{row['gap']:.1e}",
                *(("", "") if peer is None else (number(peer), fraction(row["milliseconds"], peer))),
                row.get("sklearn", ""),
            ]
        )
    columns = ["data", "alpha", "ms", "distance left", "solver", "iterations", "gap"]
    return "\n\n".join(
        [
            "`SoftmaxClassifier()` with only alpha set. Distance left is "
            "(F - F*)/(F(0) - F*). On scaled columns LogisticRegression minimises the same objective: "
            f"its time is the shortest over {', '.join(SOLVERS)}, one and two threads, and tolerances "
            f"that leave at most {LEFT:g}.",
            markdown_table([*columns, "scikit-learn, ms", "ours / its", "its solver"], lines),
        ]
    )


def _ratios(result: Result) -> dict[str, float]:
    rows = [row for row in result["rows"] if "sklearn_milliseconds" in row]
    if not rows:
        raise NotMeasured("no fit of scikit-learn")
    return {
        f"{row['data']}, alpha={row['alpha']:g}": row["milliseconds"] / row["sklearn_milliseconds"]
        for row in rows
    }


def _faster(result: Result) -> tuple[str, bool]:
    ratios = _ratios(result)
    mean = float(np.exp(np.mean(np.log(list(ratios.values())))))
    slower = sum(ratio > 1 for ratio in ratios.values())
    worst = max(ratios, key=lambda name: ratios[name])
    measured = f"geometric mean {mean:.2f} of its time; slower in {slower} of {len(ratios)}"
    return f"{measured}; worst {ratios[worst]:.1f} times ({worst})", mean <= 1 / 3 and not slower


def _near(result: Result) -> tuple[str, bool]:
    rows = [row for row in result["rows"] if "distance_left" in row]
    if len(rows) < len(result["rows"]):
        raise NotMeasured("a fit failed: see the table")
    worst = max(rows, key=lambda row: row["distance_left"])
    far = sum(row["distance_left"] > LEFT for row in rows)
    where = f"{worst['data']}, alpha={worst['alpha']:g}"
    return f"{far} of {len(rows)} above; worst {worst['distance_left']:.1e} ({where})", far == 0


MARKS = [
    Mark("small tables, scaled: the default to 1e-4", "1/3 of scikit-learn's fastest, never slower", _faster),
    Mark("small tables, raw and scaled: distance left", "at most 1e-4 on each", _near),
]

QUESTION = Question("Small tables", __doc__, run, table, MARKS)
