"""How long does a grid search over the penalty take, and what does it find?"""

import functools

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from benchmarks import _data
from benchmarks._marks import joined, markdown, number
from benchmarks._measure import attempt, timed, warm_up
from linclf import SoftmaxClassifier

TITLE = "Grid search"
FOLDS = 5
MARKS = []


def run(quick):
    alphas = np.logspace(-6, 0, 5 if quick else 20)
    data = _table(quick).scaled()
    cv = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    Cs = 1 / (alphas * len(data.y) * (1 - 1 / FOLDS))
    searches = {
        "SoftmaxClassifier": GridSearchCV(SoftmaxClassifier(random_state=0), {"alpha": alphas}, cv=cv),
        "SoftmaxClassifier, lbfgs": GridSearchCV(SoftmaxClassifier(solver="lbfgs"), {"alpha": alphas}, cv=cv),
        "LogisticRegression": GridSearchCV(LogisticRegression(max_iter=1000), {"C": Cs}, cv=cv),
        "LogisticRegressionCV": LogisticRegressionCV(
            Cs=Cs, cv=cv, max_iter=1000, scoring="accuracy", l1_ratios=(0,), use_legacy_attributes=False
        ),
    }
    rows = [
        attempt({"search": name}, functools.partial(_search, search, data))
        for name, search in searches.items()
    ]
    return {
        "data": [data.facts()],
        "settings": {"alphas": alphas.tolist(), "folds": FOLDS, "n_jobs": None, "max_iter_of_sklearn": 1000},
        "rows": rows,
    }


def _table(quick):
    if quick:
        return _data.bundled("wine")
    if _data.folder():
        return _data.table("pendigits")
    return _data.generated(8_000, 16, 10, "8,000 x 16", dtype=np.float64)


def _search(search, data):
    if isinstance(search, GridSearchCV) and isinstance(search.estimator, SoftmaxClassifier):
        warm_up(search.estimator, data.X, data.y)
    _, seconds, caught = timed(lambda: search.fit(data.X, data.y))
    if isinstance(search, GridSearchCV):
        best, chosen = search.best_score_, search.best_params_
    else:
        best, chosen = float(search.scores_.mean(axis=0).max()), {"C": float(np.ravel(search.C_)[0])}
    return {
        "seconds": seconds,
        "best_accuracy": float(best),
        "chosen": {name: float(value) for name, value in chosen.items()},
        "test_accuracy": search.score(data.X_test, data.y_test),
        "warnings": caught,
    }


def table(result):
    lines = [
        [row["search"], f"absent: {row['absent']}", "", "", "", ""]
        if "absent" in row
        else [
            *(
                row["search"],
                number(row["seconds"]),
                f"{row['best_accuracy']:.4f}",
                f"{row['test_accuracy']:.4f}",
            ),
            *(", ".join(f"{k} = {v:.3g}" for k, v in row["chosen"].items()), joined(row["warnings"])),
        ]
        for row in result["rows"]
    ]
    data, settings = result["data"][0], result["settings"]
    return (
        f"{data['name']}: {data['rows']:,} x {data['features']}, {data['classes']} classes, scaled for the "
        f"sake of LogisticRegression; {len(settings['alphas'])} penalties x {settings['folds']} folds. "
        "LogisticRegressionCV starts each fit from the one before.\n\n"
        + markdown(["search", "seconds", "accuracy in folds", "test accuracy", "chosen", "warnings"], lines)
    )
