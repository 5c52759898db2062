"""How long each solver takes on texts until its distance to the optimum is small."""

from collections.abc import Iterator, Sequence

from benchmarks.data.dataset import DataSet
from benchmarks.peers.methods import LOGISTIC_REGRESSION, METHODS
from benchmarks.peers.paths import Budgets, points, seconds_to, with_distance
from benchmarks.peers.problem import Problem
from benchmarks.question import Row
from benchmarks.questions.sparse.fits import ALPHA

PART = "to optimum"
TARGET = 1e-4
BUDGETS: Budgets = {
    "linclf sgd": (8, 30, 100),
    "linclf lbfgs": (20, 40, 80, 160, 320),
    "LogisticRegression lbfgs": (20, 40, 60, 100, 200),
    "LogisticRegression newton-cg": (5, 10, 20),
    "LogisticRegression sag": (20, 100),
    "LogisticRegression saga": (20, 100),
    "LogisticRegression newton-cholesky": "its Hessian does not fit into memory",
}
QUICK = {name: budgets if isinstance(budgets, str) else budgets[:2] for name, budgets in BUDGETS.items()}


def rows(datasets: Sequence[DataSet], quick: bool) -> Iterator[Row]:
    for data in datasets:
        problem = Problem(data, "softmax", ALPHA)
        found = with_distance(problem, list(points(problem, QUICK if quick else BUDGETS, {})))
        yield from (row | {"part": PART, "classes": data.n_classes} for row in found)


def fastest(rows: list[Row], package: str) -> tuple[float, str] | None:
    """Seconds to the target of a package's fastest solver, and its name; None if none came that close."""
    solvers = [name for name in METHODS if name.split()[0] == package]
    reached = [(seconds_to(rows, name, TARGET), name) for name in solvers]
    return min(((seconds, name) for seconds, name in reached if seconds is not None), default=None)


OURS, THEIRS = "linclf", LOGISTIC_REGRESSION
