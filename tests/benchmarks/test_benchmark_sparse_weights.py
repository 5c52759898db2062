"""The benchmark question "sparse_weights": its objective, its peers, its table and its marks."""

import numpy as np
import pytest
import sparse_optima

from benchmarks.data.dataset import DataSet
from benchmarks.measure.best_threads import BestThreads
from benchmarks.peers.sparse_weights import METHODS, SparseProblem, absent, largest_alpha
from benchmarks.question import NotMeasured
from benchmarks.questions.sparse_weights import one_alpha, tables, whole_path
from benchmarks.questions.sparse_weights.marks import MARKS

pytestmark = pytest.mark.benchmarks

ENOUGH = {
    "linclf": 1e-8,
    "adelie": 1e-12,
    "cyanure": 5_000,
    "LogisticRegression saga": 5_000,
    "skglm": 1e-10,
}
CASES = [(penalty, n_classes) for penalty in ("l1", "group") for n_classes in (2, 3)]


def table(n_classes):
    X, y, _ = sparse_optima.sparse_table(n_classes)
    return DataSet("table", "generated", X, y, X, y), np.ones(len(y))


@pytest.mark.parametrize(("penalty", "n_classes"), CASES)
def test_objective_and_largest_alpha_are_those_of_the_tests(penalty, n_classes):
    data, ones = table(n_classes)
    W = np.random.default_rng(0).standard_normal((1 if n_classes == 2 else 3, data.X.shape[1]))
    b = np.arange(1.0, 1 + len(W))
    expected = sparse_optima.penalised_objective("softmax", W, b, data.X, data.y, ones, penalty, 0.1, 1.0)
    assert SparseProblem(data, penalty, 0.1).objective(W, b) == pytest.approx(expected, rel=1e-12)
    most = sparse_optima.largest_alpha("softmax", data.X, data.y, ones, penalty, 1.0)
    assert largest_alpha(data, penalty) == pytest.approx(most, rel=1e-8)


@pytest.mark.filterwarnings("ignore")  # of the peers
@pytest.mark.parametrize(
    ("name", "penalty", "n_classes"),
    [
        (name, penalty, n_classes)
        for name, method in METHODS.items()
        for penalty, n_classes in CASES
        if penalty in method.penalties and n_classes <= method.most_classes
    ],
)
def test_peers_minimise_the_same_objective(name, penalty, n_classes):
    data, ones = table(n_classes)
    method = METHODS[name]
    if reason := absent().get(method.package):
        pytest.skip(reason)
    alpha = 0.1 * largest_alpha(data, penalty)
    *_, least = sparse_optima.sparse_optimum("softmax", data.X, data.y, ones, penalty, alpha, 1.0)
    problem = SparseProblem(data, penalty, alpha)
    found = method.timed(problem, ENOUGH[name], BestThreads((1,)))
    assert problem.objective(*found.result) == pytest.approx(least, rel=1e-6)


def row(method, seconds, distance, **more):
    return {"part": whole_path.PART, "data": "x", "method": method, "budget": 1e-5, "threads": 1} | {
        "seconds": seconds,
        "distance": distance,
        **more,
    }


def test_marks_compare_paths_at_the_same_distance():
    rows = [
        row("linclf", 1.0, 1e-2),
        row("linclf", 3.0, 1e-5),
        row("adelie", 6.0, 1e-3),
        row("adelie", 10.0, 1e-5),
        row("LogisticRegression saga", 1.0, 1e-5, alpha=0.1),
        row("LogisticRegression saga", 0.5, 1e-5, alpha=0.01),
    ]
    adelie, saga = (mark.judge({"rows": rows}) for mark in MARKS)
    assert adelie == ("3.00 s, 1/3.3 of its 10.0 s", True)
    assert saga == ("1/25.0 of about 75.0 s", True)
    assert not MARKS[0].judge({"rows": [*rows, row("adelie", 8.0, 1e-5)]})[1]
    with pytest.raises(NotMeasured, match="no path of adelie"):
        MARKS[0].judge({"rows": rows[:3]})


def test_table_shows_what_did_not_converge_and_what_is_absent():
    common = {"part": one_alpha.PART, "data": "x", "penalty": "l1", "nonzeros": 7, "threads": 1}
    rows = [
        common | {"method": "linclf", "seconds": 0.5, "distance": 5e-5},
        common | {"method": "adelie", "absent": "no adelie"},
        row("adelie", 10.0, 1e-5, nonzeros=3),
    ]
    text = tables.table({"rows": rows})
    assert "| x | l1 | linclf | 0.500 | 0.500 | NC | 1 | 5.0e-05 | 7 |" in text
    assert "| x | l1 | adelie | absent: no adelie |" in text
    assert "| x | adelie | 1e-05 | 10.0 | 1 | 1.0e-05 | 3 |" in text
