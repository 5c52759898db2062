"""How accurate is each loss, with default settings, and after how many seconds?"""

import functools

from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.svm import LinearSVC

from benchmarks import _data
from benchmarks._marks import Mark, fewer, joined, markdown, number, row_of
from benchmarks._measure import attempt, timed, warm_up
from linclf import LinearClassifier, SoftmaxClassifier, SVMClassifier
from linclf.losses import LOSSES

TITLE = "Time to accuracy"
ALPHA = 1e-4
PEERS = (
    "SGDClassifier(loss='log_loss')",
    "SGDClassifier(loss='hinge')",
    "LogisticRegression(max_iter=100)",
    "LinearSVC()",
)


def run(quick):
    data = _data.mnist(quick)
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


def _rows(data, repeats):
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
        yield attempt({"model": name}, functools.partial(_fits, model, data, repeats, warm=True))
    for name, model in peers.items():  # seconds of them vary little beside what they take
        yield attempt({"model": name}, functools.partial(_fits, model, data, 1, warm=False))


def _fits(model, data, repeats, warm):
    if warm:
        warm_up(model, data.X, data.y)
    fits = [timed(lambda: model.fit(data.X, data.y)) for _ in range(repeats)]
    return {
        "seconds": sorted(fit[1] for fit in fits)[repeats // 2],
        "accuracy": model.score(data.X_test, data.y_test),
        "warnings": fits[0][2],
    }


def table(result):
    lines = [
        [row["model"], "absent: " + row["absent"], "", ""]
        if "absent" in row
        else [row["model"], number(row["seconds"]), f"{row['accuracy']:.4f}", joined(row["warnings"])]
        for row in result["rows"]
    ]
    return (
        f"{result['data'][0]['name']}, default threads; seconds of linclf are the median of "
        f"{result['settings']['repeats']}. SGDClassifier and LinearSVC solve one problem per class, and "
        "LinearSVC penalises the intercept; all have the same alpha, C = 1/(alpha n).\n\n"
        + markdown(["model", "seconds", "test accuracy", "warnings"], lines)
    )


def pictures(result):
    """Accuracy against seconds."""
    points = {
        row["model"]: (row["seconds"], row["accuracy"], row["model"] not in PEERS)
        for row in result["rows"]
        if "absent" not in row
    }
    title = f"{result['data'][0]['name']}: accuracy against seconds"
    return {"accuracy": (title, lambda plots, figure: plots.scatter(figure, title, points))}


def _beside(ours, least, rivals):
    """A mark: accuracy at least this, in at most 1/times of each rival's seconds."""

    def measure(result):
        mnist = result | {"rows": result["rows"] if result["data"][0]["name"] == "MNIST" else []}
        own = row_of(mnist, model=ours)
        theirs = {name: row_of(mnist, model=name) for name in rivals}
        ratios = [f"{fewer(own['seconds'], row['seconds'])} of {name}'s" for name, row in theirs.items()]
        met = own["accuracy"] >= least and all(
            own["seconds"] <= theirs[name]["seconds"] / times for name, times in rivals.items()
        )
        return f"{own['accuracy']:.4f} in {number(own['seconds'])} s, {', '.join(ratios)} time", met

    return measure


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
