"""How long does a fit to several labels a row take, compared with one classifier for each label?"""

import functools
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier

from benchmarks.data.labels import LabelledTexts, goemotions, many_labels
from benchmarks.measure.attempt import attempt
from benchmarks.measure.timing import timed
from benchmarks.question import Mark, Measurements, Question, Result, Row, row_of
from benchmarks.report.text import fraction, markdown_table, number, shortened
from linclf import LinearClassifier

C = 10.0  # with 1, F1 is lower for all
REPEATS, SOME = 3, 5  # fits of linclf, and labels of many for which a peer is timed
OURS, PEER = "linclf", "OneVsRestClassifier(LogisticRegression)"
BOTH = "GoEmotions", "1,000 labels"


def run(quick: bool) -> Measurements:
    comments = goemotions(quick)
    shape = (1_000, 500, 20) if quick else (20_000, 20_000, 1_000)
    many = many_labels(*shape, "texts of many labels")
    rows = [
        attempt({"data": BOTH[0], "model": OURS}, functools.partial(_ours, comments)),
        attempt({"data": BOTH[0], "model": PEER}, functools.partial(_each, comments)),
        attempt({"data": BOTH[1], "model": OURS}, functools.partial(_ours, many)),
        attempt({"data": BOTH[1], "model": PEER}, functools.partial(_some, many)),
    ]
    return {"data": [comments.facts(), many.facts()], "settings": {"C": C, "repeats": REPEATS}, "rows": rows}


def _ours(data: LabelledTexts) -> Row:
    n = data.X.shape[0]
    model = LinearClassifier(loss="one-vs-rest-logistic", alpha=1 / (C * n))
    few = np.unique(np.concatenate([data.Y.argmax(axis=0), (data.Y == 0).argmax(axis=0), np.arange(n // 10)]))
    model.fit(data.X[few], data.Y[few])  # compiles
    fits = [timed(lambda: model.fit(data.X, data.Y)) for _ in range(REPEATS)]
    return {
        "seconds": float(np.median([fit.seconds for fit in fits])),
        "objective": _objective(model.coef_, model.intercept_, data.X, data.Y),
        "iterations": model.n_iter_,
        "warnings": fits[0].warnings,
    } | _scores(data, model.predict(data.X_test))


def _each(data: LabelledTexts) -> Row:
    model = OneVsRestClassifier(LogisticRegression(C=C, max_iter=1000))
    fit = timed(lambda: model.fit(data.X, data.Y))
    W, b = (np.vstack([getattr(one, name) for one in model.estimators_]) for name in ("coef_", "intercept_"))
    return {
        "seconds": fit.seconds,
        "objective": _objective(W, b.ravel(), data.X, data.Y),
        "iterations": int(np.mean([one.n_iter_[0] for one in model.estimators_])),
        "warnings": fit.warnings,
    } | _scores(data, model.predict(data.X_test))


def _some(data: LabelledTexts) -> Row:
    """The time of a few labels, from the most frequent to the rarest, for all of them."""
    chosen = np.argsort(-data.Y.sum(axis=0))[np.linspace(0, data.Y.shape[1] - 1, SOME).astype(int)]
    model = LogisticRegression(C=C, max_iter=1000)
    fits = [timed(lambda k=k: model.fit(data.X, data.Y[:, k])) for k in chosen]
    seconds = float(np.mean([fit.seconds for fit in fits])) * data.Y.shape[1]
    return {"seconds": seconds, "timed": SOME, "warnings": fits[0].warnings}


def _objective(W: np.ndarray, b: np.ndarray, X: Any, Y: np.ndarray) -> float:
    total = 0.0
    for start in range(0, X.shape[0], 1000):
        part = slice(start, start + 1000)
        total += np.logaddexp(0, (1 - 2 * Y[part]) * (X[part] @ W.T + b)).sum()
    return float(total / len(Y) + (W**2).sum() / (2 * C * len(Y)))


def _scores(data: LabelledTexts, predicted: np.ndarray) -> Row:
    return {
        f"f1_{average}": float(f1_score(data.Y_test, predicted, average=average, zero_division=0))
        for average in ("micro", "macro")
    }


def table(result: Result) -> str:
    lines = [
        [row["data"], row["model"], f"absent: {row['absent']}", *[""] * 5]
        if "absent" in row
        else [
            *(row["data"], row["model"], number(row["seconds"]), row.get("iterations", "")),
            f"{row['objective']:.5f}" if "objective" in row else "",
            *(f"{row[name]:.4f}" if name in row else "" for name in ("f1_micro", "f1_macro")),
            f"{row['timed']} labels timed" if "timed" in row else shortened(row["warnings"]),
        ]
        for row in result["rows"]
    ]
    sizes = [
        f"{one['name']}: {one['rows']:,} x {one['features']:,}, {one['nonzeros'] / one['rows']:.0f} values "
        f"and {one['labels_a_row']:.2f} of {one['labels']:,} labels a row"
        for one in result["data"]
    ]
    return (
        "; ".join(sizes)
        + f". C = {result['settings']['C']:g} and default tolerances; the objective is the mean over the "
        "rows of the log losses of all labels, plus the penalty. For scikit-learn, iterations are a mean "
        "over the labels; of many labels a few are timed, and the others are assumed to take as long.\n\n"
        + markdown_table(
            ["data", "model", "seconds", "iterations", "objective", "micro-F1", "macro-F1", ""], lines
        )
    )


def _faster(data: str, most: float, result: Result) -> tuple[str, bool]:
    ours, theirs = (row_of(result, data=data, model=model) for model in (OURS, PEER))
    ratio = fraction(ours["seconds"], theirs["seconds"])
    return f"{number(ours['seconds'])} s, {ratio} of its time", ours["seconds"] <= most * theirs["seconds"]


def _as_good(result: Result) -> tuple[str, bool]:
    ours, theirs = (row_of(result, data=BOTH[0], model=model) for model in (OURS, PEER))
    shown = [f"{name[3:]} {ours[name]:.4f} and {theirs[name]:.4f}" for name in ("f1_micro", "f1_macro")]
    return ", ".join(shown), all(ours[name] >= theirs[name] for name in ("f1_micro", "f1_macro"))


MARKS = [
    Mark(
        "GoEmotions, 28 labels",
        "1/30 of OneVsRestClassifier's time",
        functools.partial(_faster, BOTH[0], 1 / 30),
    ),
    Mark("the same, F1", "equal or better", _as_good),
    Mark("1,000 labels", "1/30 of OneVsRestClassifier's time", functools.partial(_faster, BOTH[1], 1 / 30)),
]

QUESTION = Question("Several labels", __doc__, run, table, MARKS)
