"""The arithmetic, JSON and report of the benchmarks, but not their measurements."""

import importlib
import itertools
import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import scale

from benchmarks import ROOT, __main__, questions
from benchmarks.data import real
from benchmarks.measure import machine, processor
from benchmarks.measure.attempt import attempt
from benchmarks.peers import methods, objective, paths
from benchmarks.peers.newton import newton
from benchmarks.peers.problem import Problem
from benchmarks.questions import QUESTIONS, optimum
from benchmarks.questions.calibration.methods import CLASSIFIERS, METHODS
from benchmarks.report import page

pytestmark = pytest.mark.benchmarks

HINGES = sorted(set(objective.LOSSES) - {"softmax"})


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_softmax_objective_is_that_of_logistic_regression(load):
    X, y = load(return_X_y=True)
    X, alpha = scale(X), 1e-2
    model = LogisticRegression(C=1 / (alpha * len(y)), tol=1e-10, max_iter=1000).fit(X, y)
    W, b = model.coef_, model.intercept_
    expected = log_loss(y, model.predict_proba(X)) + alpha / 2 * np.sum(W**2)
    least = objective.objective("softmax", W, b, X, y, alpha)
    assert least == pytest.approx(expected, rel=1e-12)
    assert objective.accuracy(W, b, X, y) == model.score(X, y)
    step = 1e-3 * np.random.default_rng(0).standard_normal(W.shape)
    for nearby in (W + step, W - step):  # alpha and C are equivalent: this is the optimum
        assert objective.objective("softmax", nearby, b, X, y, alpha) > least


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", HINGES)
def test_hinge_objectives_by_their_definition(loss, n_classes):
    rng = np.random.default_rng(0)
    n_rows = 1 if n_classes == 2 else n_classes
    X, y = rng.standard_normal((20, 4)), rng.integers(n_classes, size=20)
    W, b = rng.standard_normal((n_rows, 4)), rng.standard_normal(n_rows)
    total = 0.0
    for x, true in zip(X, y, strict=True):
        f = W @ x + b
        if n_classes == 2:
            hinges = [max(0, 1 - (1 if true else -1) * f[0])]
        elif loss == "squared-one-vs-rest":
            hinges = [max(0, 1 - (1 if k == true else -1) * f[k]) for k in range(n_classes)]
        else:
            hinges = [max(0, f[k] - f[true] + 1) for k in range(n_classes) if k != true]
        if loss == "crammer-singer":
            hinges = [max(hinges)]
        total += sum(hinge**2 if "squared" in loss else hinge for hinge in hinges)
    expected = total / 20 + 0.1 / 2 * np.sum(W**2)
    assert objective.objective(loss, W, b, X, y, 0.1) == pytest.approx(expected, rel=1e-12)
    at_zero = {"squared-one-vs-rest": n_rows, "crammer-singer": 1}.get(loss, n_classes - 1)
    assert objective.at_zero(loss, n_classes) == at_zero


@pytest.mark.parametrize("loss", ["softmax", *(name for name in HINGES if "squared" in name)])
@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_newton_finds_the_optimum_of_unscaled_data(load, loss):
    X, y = load(return_X_y=True)
    alpha = 1e-3
    W, b = newton(loss, X, y, alpha)
    least = objective.objective(loss, W, b, X, y, alpha)
    spread = X.std(axis=0)  # for a small step in the units of each column
    for seed in range(5):
        rng = np.random.default_rng(seed)
        there = rng.standard_normal(W.shape) / spread, rng.standard_normal(b.shape)
        there = there[0], there[1] - there[0] @ X.mean(axis=0)
        rises = [
            objective.objective(loss, W + h * there[0], b + h * there[1], X, y, alpha) - least
            for h in (1e-4, -1e-4)
        ]
        assert min(rises) > 0
        assert rises[0] == pytest.approx(rises[1], rel=0.05)
    if loss == "softmax":
        model = LogisticRegression(
            C=1 / (alpha * len(y)), solver="newton-cholesky", tol=1e-10, max_iter=100
        ).fit(X, y)
        assert objective.objective(loss, model.coef_, model.intercept_, X, y, alpha) == pytest.approx(
            least, rel=1e-9
        )


def test_quick_run_writes_all_that_a_result_needs(tmp_path):
    __main__.main(["--quick", "--only", "latency", "--out", str(tmp_path)])
    (path,) = tmp_path.glob("*/latency.json")
    result = json.loads(path.read_text())
    assert result["quick"] is True
    assert path.parent.name == result["machine"]["instructions"] == processor.here()
    limits = result["machine"]["limits"]
    assert min(limits["sgemm_gflops"]["1"], limits["dgemm_gflops"]["1"]) > 0
    assert min(limits["read_gb_s"]["1"], limits["random_rows_gb_s"]) > 0
    assert result["machine"]["cores"] >= 1
    assert {"python", "linclf", "numpy", "scikit-learn", "torch"} <= set(result["versions"])
    assert result["data"][0]["source"] == "generated"
    assert result["settings"]["blas_threads"] == result["machine"]["cores"]
    assert all(row["seconds_linclf"] > 0 for row in result["rows"])
    text = (tmp_path / "benchmarks.md").read_text()
    assert "A quick run on small data" in text
    assert "| `predict_proba`, 10,000 x 784, 10 classes |" in text


def test_quick_runs_leave_the_committed_results_alone():
    with pytest.raises(SystemExit, match="does not write into the committed results"):
        __main__.main(["--quick", "--only", "latency", "--out", str(__main__.RESULTS)])


def test_absent_peer_is_listed_with_its_reason(monkeypatch):
    import_module = importlib.import_module

    def none_of_them(name):  # None in sys.modules would break scikit-learn, which looks up torch there
        if name in ("cyanure", "glum", "skglm", "sklearnex", "snapml", "torch"):
            raise ImportError(f"no module {name}")
        return import_module(name)

    monkeypatch.setattr(importlib, "import_module", none_of_them)
    absent = methods.absent_packages()
    assert "cyanure" in absent["cyanure"]
    assert set(absent) == {"cyanure", "glum", "skglm", "sklearnex", "snapml", "torch"}
    problem = Problem(real.bundled("wine").scaled(), "softmax", 1e-2)
    budgets = dict.fromkeys(methods.METHODS, "left out here") | {"LogisticRegression lbfgs": (100,)}
    rows = list(paths.points(problem, budgets, absent))
    (row,) = (row for row in rows if row["method"] == "cyanure")
    assert row["absent"] == absent["cyanure"]
    lines = {line[0]: line for line in optimum._lines(paths.with_distance(problem, rows))}
    assert lines["cyanure"][1] == f"absent: {absent['cyanure']}"
    assert lines["torch SGD"][1].startswith("absent: ")
    assert float(lines["LogisticRegression lbfgs"][5]) < 1e-2


def test_failing_fit_is_a_row_with_its_reason():
    def fails():
        raise ValueError("too large\nand more")

    assert attempt({"model": "x"}, fails) == {"model": "x", "absent": "ValueError: too large"}


def result_of(name, **body):
    """A complete result, as in a JSON file."""
    facts = {
        "question": name,
        "date": "2026-01-01",
        "quick": False,
        "seconds": 1.0,
        "data": [],
        "settings": {},
    }
    return {**facts, "machine": machine.machine(), "versions": {"python": "3.11"}, **body}


THREADS = {
    **{"rows": 60_000, "features": 784, "classes": 10, "solver": "lbfgs"},
    **{
        "seconds_one_thread": 1.2,
        "seconds_two_threads": 1.0,
        "gain_of_whole_fit": 1.1,
        "bitwise_equal": True,
    },
}


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (THREADS | {"gain": 1.2}, "| 1.20x on 60,000 x 784, coefficients bitwise equal | **no** |"),
        (THREADS | {"gain": 1.9}, "| 1.90x on 60,000 x 784, coefficients bitwise equal | yes |"),
        (THREADS | {"gain": 1.9, "bitwise_equal": False}, "bitwise different | **no** |"),
        (THREADS | {"absent": "ValueError: no such solver"}, "ValueError: no such solver | not measured |"),
    ],
)
def test_report_is_made_from_json_and_shows_a_miss_as_a_miss(tmp_path, row, verdict):
    __main__.write(result_of("threads", rows=[row]), tmp_path)
    text = page.write(page.load(tmp_path), tmp_path).read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("| two threads"))
    assert line.endswith(verdict)
    assert text.count("| no result | not measured |") >= 9  # marks of the questions without a result
    assert "## Threads" in text
    assert "## Memory" not in text


def test_results_of_two_processors_stand_side_by_side(tmp_path):
    fast, slow = (result_of("threads", rows=[THREADS | {"gain": gain}]) for gain in (1.9, 1.2))
    switches = {"OPENBLAS_CORETYPE": "Haswell", "NUMBA_CPU_FEATURES": ""}
    slow["machine"] |= {"has": "avx512", "emulated": switches}
    text = page.write({"threads": {"avx512": fast, "avx2": slow}}, tmp_path).read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("| two threads"))
    assert line.endswith("| yes | 1.20x on 60,000 x 784, coefficients bitwise equal | **no** |")
    assert text.index("### AVX-512") < text.index("### AVX2")
    assert "with AVX-512, restricted to AVX2 by `OPENBLAS_CORETYPE=Haswell`; python 3.11" in text


@pytest.mark.parametrize(
    ("here", "host", "wanted", "said"),
    [
        ("avx2", "avx2", "avx512", "no AVX-512"),
        ("aarch64", "aarch64", "avx2", "this one has aarch64"),
        ("avx2", "avx512", "native", "held to avx2"),
        ("avx2", "avx2", "avx2", None),
        ("avx512", "avx512", "native", None),
    ],
)
def test_instructions_that_the_machine_has_not_are_refused(monkeypatch, here, host, wanted, said):
    monkeypatch.setattr(processor, "here", lambda: here)
    monkeypatch.setattr(processor, "host", lambda: host)
    if said is None:
        assert processor.environment_for(wanted) is None
    else:
        with pytest.raises(ValueError, match=said):
            processor.environment_for(wanted)


def test_emulation_has_a_switch_for_each_library(monkeypatch):
    monkeypatch.setattr(processor, "here", lambda: "avx512")
    monkeypatch.setattr(processor, "host", lambda: "avx512")
    for name in processor.SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("NPY_DISABLE_CPU_FEATURES", raising=False)
    switches = processor.environment_for("avx2")
    assert {"OPENBLAS_CORETYPE", "NUMBA_CPU_NAME", "NPY_DISABLE_CPU_FEATURES"} <= set(switches)
    monkeypatch.setenv("NUMBA_CPU_NAME", "znver3")
    with pytest.raises(ValueError, match="unset"):
        processor.environment_for("avx2")


def test_libraries_that_differ_are_refused(monkeypatch):
    mixed = processor.Libraries("avx512", "avx2", "avx512")
    monkeypatch.setattr(processor.Libraries, "here", lambda: mixed)
    with pytest.raises(processor.Mixed, match="numba avx2"):
        processor.here()


def test_picture_of_paths(tmp_path):
    pytest.importorskip("matplotlib")
    row = {"data": "MNIST", "loss": "softmax", "accuracy": 0.9, "warnings": [], "best": 1.0, "reference": "x"}
    points = [("linclf lbfgs", 0.1, 1e-5), ("cyanure", 1.0, 1e-5), ("LogisticRegression lbfgs", 1.5, 1e-5)]
    rows = [
        row | {"method": m, "seconds": s, "distance": d, "objective": 1 + d, "budget": 1}
        for m, s, d in points
    ]
    result = result_of("optimum", rows=rows, absent={"snapml": "no module"}, settings={"threads": 2})
    text = page.write({"optimum": {"avx2": result}}, tmp_path).read_text()
    assert "0.100 s: 1/10.0 of cyanure's 1.00 s, 1/15.0 of LogisticRegression's 1.50 s | **no** |" in text
    assert "Absent: snapml (no module)." in text
    picture = (tmp_path / "images" / "optimum_mnist.svg").read_text()
    assert "linclf lbfgs" in picture
    assert "images/optimum_mnist.svg" in text


def test_calibration_is_measured_for_every_classifier():
    rows = json.loads((__main__.RESULTS / "avx512" / "calibration.json").read_text())["rows"]
    for data in {row["data"] for row in rows if row["kind"] == "classifier"}:
        found = {(row["scores"], row["method"]) for row in rows if row["data"] == data}
        assert found == set(itertools.product(CLASSIFIERS, METHODS))


def test_every_question_says_what_it_asks_and_how_it_is_judged():
    for name in QUESTIONS:
        question = questions.load(name)
        assert question.asks.endswith("?")
        assert all(mark.work and mark.bar and callable(mark.judge) for mark in question.marks)


def test_the_page_is_what_the_stored_results_and_the_readme_make(tmp_path):
    pytest.importorskip("matplotlib")
    made = page.write(page.load(__main__.RESULTS), tmp_path)
    assert made.read_text() == (ROOT / "docs" / "benchmarks.md").read_text(), "python -m benchmarks --report"


def test_the_example_question_of_the_readme_runs():
    (source,) = re.findall(r"```python\n(.+?)```", page.README.read_text(), re.S)
    module = {}
    exec(compile(source, page.README, "exec"), module)
    question = module["QUESTION"]
    result = result_of("example", **question.run(True))
    assert question.asks.endswith("?")
    assert [line.split(" | ")[0] for line in question.table(result).splitlines()[2:]] == [
        "| None",
        "| balanced",
    ]
    (mark,) = question.marks
    assert mark.judge(result)[0].endswith(" times")
