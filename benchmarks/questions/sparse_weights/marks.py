"""Targets for penalties that make weights zero."""

import numpy as np

from benchmarks.question import Mark, NotMeasured, Result, Row
from benchmarks.questions.sparse_weights.whole_path import N_ALPHAS, OURS, PART, SAGA, TARGET, THEIRS
from benchmarks.report.text import fraction, number


def _seconds(result: Result, method: str) -> float:
    """Seconds of the fastest path of a package that came close enough."""
    close = [row["seconds"] for row in _rows(result, method) if row.get("distance", np.inf) <= TARGET]
    if not close:
        raise NotMeasured(f"no path of {method} to {TARGET:g}")
    return min(close)


def _rows(result: Result, method: str) -> list[Row]:
    return [row for row in result["rows"] if row["part"] == PART and row["method"] == method]


def _beside_adelie(result: Result) -> tuple[str, bool]:
    ours, theirs = _seconds(result, OURS), _seconds(result, THEIRS)
    return f"{number(ours)} s, {fraction(ours, theirs)} of its {number(theirs)} s", ours <= theirs / 3


def _beside_saga(result: Result) -> tuple[str, bool]:
    """Alphas at which saga did not come close enough count with nothing."""
    found = [row["seconds"] for row in _rows(result, SAGA) if "seconds" in row]
    if not found:
        raise NotMeasured(f"no fit of {SAGA} to {TARGET:g}")
    ours, theirs = _seconds(result, OURS), float(np.mean(found) * N_ALPHAS)
    return f"{fraction(ours, theirs)} of about {number(theirs)} s", ours <= theirs / 20


MARKS = [
    Mark(f"a path of {N_ALPHAS} l1 penalties, 20 newsgroups", "1/3 of adelie's time", _beside_adelie),
    Mark("the same", "1/20 of saga's time", _beside_saga),
]
