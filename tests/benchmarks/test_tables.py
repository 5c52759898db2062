"""The form, not the content, of tables of stored results: measured, absent, or from earlier files."""

import itertools
import re

import pytest

from benchmarks import __main__, questions
from benchmarks.report import page

pytestmark = pytest.mark.benchmarks

BY_THREADS = {"1": 0.2, "2": 0.1}
SHAPE = {"rows": 60_000, "features": 784, "classes": 10}
OF_PASS = dict.fromkeys(("seconds", "product_gflops", "read_gb_s", "seconds_sklearn"), BY_THREADS) | SHAPE
OF_FIT = {"seconds": 1.0, "threads": 1, "accuracy": 0.9, "warnings": []}
KEPT = {"kept_bytes": 1, "peak_bytes": 2, "parameter_bytes": 3}
OF_STREAM = {"X": "CSR", **SHAPE}
ROWS = {
    "kernel_rate": (
        {"part": "pass", "dtype": "float32", **OF_PASS},
        {"part": "epoch", "dtype": "float32", **OF_PASS, "seconds_sklearn": {}},
    ),
    "sparse": (
        {"data": "x", "model": "y", **OF_FIT},
        {"part": "pass", "data": "x", **OF_PASS, "bytes_least": 10**6, "bytes_uncached": 10**7},
        {"part": "hashed", "data": "x", "model": "y", **OF_FIT, "objective": 1.0, "distance": 1e-5},
        {"part": "to optimum", "data": "x", "method": "linclf lbfgs", **OF_FIT, "distance": 1e-5},
    ),
    "streams": (
        {**OF_STREAM, "seconds": 1e-3, "seconds_coef": 1e-6, "seconds_sgd": 1e-3, "threads_sgd": 2},
        {"part": "memory", **OF_STREAM, "ours": KEPT, "theirs": KEPT},
    ),
    "pass_profile": (
        {"part": "pass", **SHAPE, "package": 1.0, "whole": 0.9, "read": 0.1, "pieces": {"gather": 0.1}},
    ),
    "grid_search": (
        {"search": "x", **OF_FIT, "best_accuracy": 0.9, "test_accuracy": 0.9, "chosen": {"C": 1.0}},
    ),
    "accuracy": ({"model": "x", **OF_FIT},),
    "hinges": (
        {"loss": "x", "model": "linclf", "tol": None, "ran": "dual", "distance_left": 1e-4, **OF_FIT},
        {"loss": "x", "model": "y", "tol": 0.1, "ran": "LIBLINEAR", "distance_left": 1e-4, **OF_FIT},
    ),
}
RESULT = {
    "data": [{"name": "x", "rows": 9, "features": 2, "classes": 3}],
    "settings": {"sgemm_size": 9, "repeats": 3, "dtype": "float64", "nonzeros_of_a_sparse_row": 5}
    | {"again": 2, "alphas": [1.0], "alpha": 1e-4, "folds": 5},
}


def assert_aligned(text):
    """All lines of a table have the same number of cells."""
    lines = text.splitlines()
    for is_table, group in itertools.groupby(lines, lambda line: line.startswith("|")):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in group} if is_table else {0}
        assert len(widths) == 1, text


@pytest.mark.parametrize("name", ROWS)
def test_every_line_of_a_table_has_a_cell_for_each_column(name):
    rows = list(ROWS[name])
    rows += [
        {key: row[key] for key in row if isinstance(row[key], (str, int))} | {"absent": "E: no"}
        for row in rows
    ]
    text = questions.load(name).table(RESULT | {"rows": rows})
    assert text.count("absent: E: no") >= len(ROWS[name]) - (
        name == "sparse"
    )  # a method with fits has one line
    assert_aligned(text)


def test_tables_of_the_page_are_aligned(tmp_path):
    results = page.load(__main__.RESULTS)
    assert_aligned(page.marks_table(results))
    for name, by_kind in results.items():
        for result in by_kind.values():
            assert_aligned(questions.load(name).table(result))
