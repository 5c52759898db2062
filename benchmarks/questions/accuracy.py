"""How accurate is each loss, with default settings, and after how many seconds?"""

import functools
from collections.abc import Callable, Iterator

from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.svm import LinearSVC

from benchmarks.data import named
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import timed_fit
from benchmarks.measure.classifier import Classifier
from benchmarks.measure.timing import timed, warm_up
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row, row_of
from benchmarks.report.pictures import Picture, Scatter
from benchmarks.report.text import fraction, markdown_table, number, shortened
from linclf import LinearClassifier, SoftmaxClassifier, SVMClassifier
from linclf.losses import LOSSES

ALPHA = 1e-4
PEERS = (
    "SGDClassifier(loss='log_loss')",
    "SGDClassifier(loss='hinge')",
    "LogisticRegression(max_iter=100)",
    "LinearSVC()",
)


def run(quick: bool) -> Measurements:
    data = named.mnist(quick)
    return {
        "data": [data.facts()],
        "settings": {
            "alpha": ALPHA,
            "C": 1 / (ALPHA * len(data.y)),
            "repeats": 1 if quick else 3,
            "n_jobs": None,
        },
        "rows": list(_rows(data, 1 if quick else 3)),
    }


def _rows(data: DataSet, repeats: int) -> Iterator[Row]:
    C = 1 / (ALPHA * len(data.y))
    ours = {"SoftmaxClassifier()": SoftmaxClassifier(), "SVMClassifier()": SVMClassifier()}
    ours |= {f"LinearClassifier(loss={name!r})": LinearClassifier(loss=name) for name in LOSSES}
    log_loss, hinge, logistic_regression, linear_svc = PEERS
    peers = {
        log_loss: SGDClassifier(loss="log_loss", alpha=ALPHA, random_state=0),
        hinge: SGDClassifier(loss="hinge", alpha=ALPHA, random_state=0),
        logistic_regression: LogisticRegression(C=C, max_iter=100),
        linear_svc: LinearSVC(C=C, random_state=0),
    }
    for name, model in ours.items():
        model.set_params(alpha=ALPHA, random_state=0)
        yield attempt({"model": name}, functools.partial(_warm_fits, model, data, repeats))
    for name, model in peers.items():  # they take long, and their seconds vary little: once is enough
        yield attempt({"model": name}, functools.partial(_best_fit, model, data))


def _warm_fits(model: Classifier, data: DataSet, repeats: int) -> Row:
    warm_up(model, data.X, data.y)
    return _fits(model, data, repeats)


def _fits(model: Classifier, data: DataSet, repeats: int) -> Row:
    fits = [timed(lambda: model.fit(data.X, data.y)) for _ in range(repeats)]
    return {
        "seconds": sorted(fit.seconds for fit in fits)[repeats // 2],
        "accuracy": model.score(data.X_test, data.y_test),
        "warnings": fits[0].warnings,
    }


def _best_fit(model: Classifier, data: DataSet) -> Row:
    _, seconds, warned, threads = timed_fit(model, data.X, data.y)
    accuracy = model.score(data.X_test, data.y_test)
    return {"seconds": seconds, "accuracy": accuracy, "warnings": warned, "threads": threads}


def table(result: Result) -> str:
    lines = [
        [row["model"], "absent: " + row["absent"], "", "", ""]
        if "absent" in row
        else [
            *(row["model"], number(row["seconds"]), row.get("threads", "")),
            *(f"{row['accuracy']:.4f}", shortened(row["warnings"])),
        ]
        for row in result["rows"]
    ]
    return (
        f"{result['data'][0]['name']}, default threads; seconds of linclf are the median of "
        f"{result['settings']['repeats']}, those of the others are for the number of BLAS threads given, "
        "which is their best. SGDClassifier and LinearSVC solve one problem per class, and "
        "LinearSVC penalises the intercept; all have the same alpha, C = 1/(alpha n).\n\n"
        + markdown_table(["model", "seconds", "BLAS threads", "test accuracy", "warnings"], lines)
    )


def pictures(result: Result) -> dict[str, Picture]:
    points = {
        row["model"]: (row["seconds"], row["accuracy"], row["model"] not in PEERS)
        for row in result["rows"]
        if "absent" not in row
    }
    return {"accuracy": Scatter(f"{result['data'][0]['name']}: accuracy against seconds", points)}


def _beside(ours: str, least: float, rivals: dict[str, float]) -> Callable[[Result], tuple[str, bool]]:
    """Judge by an accuracy of at least this, in at most 1/times of each rival's seconds."""

    def judge(result: Result) -> tuple[str, bool]:
        if result["data"][0]["name"] != "MNIST":
            raise NotMeasured("MNIST is not here")
        own = row_of(result, model=ours)
        theirs = {name: row_of(result, model=name) for name in rivals}
        ratios = [f"{fraction(own['seconds'], row['seconds'])} of {name}'s" for name, row in theirs.items()]
        met = own["accuracy"] >= least and all(
            own["seconds"] <= theirs[name]["seconds"] / times for name, times in rivals.items()
        )
        return f"{own['accuracy']:.4f} in {number(own['seconds'])} s, {', '.join(ratios)} time", met

    return judge


MARKS = [
    Mark(
        "MNIST / 255, `SoftmaxClassifier()`",
        "test accuracy at least .924 in 1/25 of SGDClassifier(log_loss)'s time and 1/15 of "
        "LogisticRegression(max_iter=100)'s",
        _beside(
            "SoftmaxClassifier()",
            0.924,
            {"SGDClassifier(loss='log_loss')": 25, "LogisticRegression(max_iter=100)": 15},
        ),
    ),
    Mark(
        "MNIST / 255, `SVMClassifier()`",
        "test accuracy at least .921 in 1/20 of SGDClassifier(hinge)'s time",
        _beside("SVMClassifier()", 0.921, {"SGDClassifier(loss='hinge')": 20}),
    ),
]

QUESTION = Question("Time to accuracy", __doc__, run, table, MARKS, pictures)
