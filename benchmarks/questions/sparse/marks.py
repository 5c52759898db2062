"""Targets for sparse text."""

from collections.abc import Callable

from benchmarks.question import Mark, NotMeasured, Result, row_of
from benchmarks.questions.sparse import hashed, to_optimum
from benchmarks.questions.sparse.fits import LOGISTIC, OURS, SVC
from benchmarks.report.text import fraction, number


def _queries(result: Result) -> tuple[str, bool]:
    if result["data"][0]["name"] != "CLINC150":
        raise NotMeasured("CLINC150 is not here")
    ours, logistic, svc = (row_of(result, data="CLINC150", model=name) for name in (OURS, LOGISTIC, SVC))
    seconds = ours["seconds"]
    measured = (
        f"{ours['accuracy']:.4f} in {number(seconds)} s, {fraction(seconds, logistic['seconds'])} of "
        f"LogisticRegression's and {fraction(seconds, svc['seconds'])} of LinearSVC's time"
    )
    fast = seconds <= logistic["seconds"] / 60 and seconds <= svc["seconds"] / 5
    return measured, ours["accuracy"] >= 0.915 and fast


def _to_optimum(n_classes: int) -> Callable[[Result], tuple[str, bool]]:
    def judge(result: Result) -> tuple[str, bool]:
        case = {"part": to_optimum.PART, "classes": n_classes}
        rows = [row for row in result["rows"] if all(row.get(key) == value for key, value in case.items())]
        ours, theirs = (to_optimum.fastest(rows, name) for name in (to_optimum.OURS, to_optimum.THEIRS))
        if ours is None or theirs is None:
            raise NotMeasured(f"no fit of both packages to {to_optimum.TARGET} with {n_classes} classes")
        share = fraction(ours[0], theirs[0])
        return f"{ours[1]} {number(ours[0])} s, {share} of {theirs[1]}'s", ours[0] <= theirs[0] / 5

    return judge


def _hashed(result: Result) -> tuple[str, bool]:
    ours, *theirs = (row_of(result, part=hashed.PART, model=name) for name in (hashed.OURS, *hashed.THEIRS))
    if not ours["data"].startswith("20 newsgroups"):
        raise NotMeasured("the 20 newsgroups are not here")
    seconds, best = ours["seconds"], min(theirs, key=lambda row: row["seconds"])
    said = (
        f"{number(seconds)} s, {fraction(seconds, best['seconds'])} of {best['model']}'s, "
        f"distance {ours['distance']:.1e}"
    )
    return said, seconds <= best["seconds"] / 5


MARKS = [
    Mark(
        "CLINC150, `SoftmaxClassifier(alpha=1e-6)`",
        "test accuracy at least .915 in 1/60 of LogisticRegression's and 1/5 of LinearSVC's time",
        _queries,
    ),
    *(
        Mark(
            f"text with {n_classes} classes, alpha = 1e-6, to a relative distance of 1e-4",
            "at most 1/5 of LogisticRegression's time",
            _to_optimum(n_classes),
        )
        for n_classes in (77, 150)
    ),
    Mark(
        "600 documents x 2^20 hashed columns, `SoftmaxClassifier(alpha=1/n)`",
        "at most 1/5 of LogisticRegression's time",
        _hashed,
    ),
]
