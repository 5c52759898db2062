"""Makes the tables in docs/making-decisions.md: ``PYTHONPATH=. python docs/make_decisions_table.py``.

Needs the folder of real data in ``LINCLF_DATA``, and takes about five minutes on two cores. Names of tables
("costs", "tuned", "emotions", "required") make these only. Every number is the mean of test rows over splits
into training and test rows.
"""

import csv
import gzip
import os
import pathlib
import re
import sys
import warnings

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import f1_score, get_scorer, make_scorer, precision_score, recall_score
from sklearn.model_selection import StratifiedShuffleSplit, TunedThresholdClassifierCV
from sklearn.preprocessing import OneHotEncoder

from linclf import LinearClassifier, SoftmaxClassifier
from linclf.decisions import (
    CostSensitiveClassifier,
    LabelThresholdClassifier,
    RecallAtPrecision,
    ThresholdClassifier,
)

PAGE = pathlib.Path(__file__).resolve().parent / "making-decisions.md"
DATA = pathlib.Path(os.environ["LINCLF_DATA"])
N_SPLITS, N_REQUIRED = 10, 50
# class 0 pays the credit back, class 1 does not; the costs are those of the author of the data
CREDIT = np.array([[0.0, 1.0], [5.0, 0.0]])
TUNED = [  # table, training rows (None: half), score
    ("mammography", None, "balanced_accuracy"),
    ("mammography", None, "f1_macro"),
    ("oil-spill", None, "balanced_accuracy"),
    ("oil-spill", None, "f1_macro"),
    ("german", None, "balanced_accuracy"),
    ("german", 100, "balanced_accuracy"),
    ("german", 100, "f1_macro"),
    ("page.blocks", None, "balanced_accuracy"),
    ("page.blocks", None, "f1_macro"),
    ("page.blocks", 300, "f1_macro"),
]


def table(name):
    """Features and labels; columns of text become indicators."""
    if name == "page.blocks":
        text = gzip.decompress((DATA / "uci_arff" / f"{name}.arff.gz").read_bytes()).decode().lower()
        lines = text.split("@data")[1].split("\n")
        rows = [[cell.strip(" '") for cell in line.split(",")] for line in lines if "," in line]
    else:
        rows = list(csv.reader((DATA / "imbalanced_small" / f"{name}.csv").open()))
    rows = np.array(rows)
    X, y = rows[:, :-1], np.unique(rows[:, -1], return_inverse=True)[1]
    text = [j for j in range(X.shape[1]) if not re.fullmatch(r"[-+.\de]+", X[0, j])]
    numbers = [j for j in range(X.shape[1]) if j not in text]
    encoder = make_column_transformer((OneHotEncoder(sparse_output=False), text), ("passthrough", numbers))
    return encoder.fit_transform(X).astype(float), y


def splits(X, y, n_train, n_splits=N_SPLITS):
    """(training rows, test rows)."""
    return StratifiedShuffleSplit(n_splits, train_size=n_train or 0.5, random_state=0).split(X, y)


def model():
    return SoftmaxClassifier(alpha=1e-3, standardize=True)


def tuned(name, n_train, scoring):
    """Test scores without tuning, by costs, with scikit-learn's threshold (two classes), with ours; gains."""
    X, y = table(name)
    found = []
    for train, test in splits(X, y, n_train):
        ours = ThresholdClassifier(model(), scoring=scoring).fit(X[train], y[train])
        score = get_scorer(scoring)
        theirs = np.nan
        if y.max() == 1:
            fitted = TunedThresholdClassifierCV(model(), scoring=scoring).fit(X[train], y[train])
            theirs = score(fitted, X[test], y[test])
        without, with_ours = (score(each, X[test], y[test]) for each in (ours.estimator_, ours))
        # balanced accuracy counts an error as 1 / (rows of its class)
        costs = (1 - np.eye(y.max() + 1)) / np.bincount(y[train])[:, None]
        by_costs = CostSensitiveClassifier(FrozenEstimator(ours.estimator_), costs).fit(X[train], y[train])
        by_costs = score(by_costs, X[test], y[test]) if scoring == "balanced_accuracy" else np.nan
        gains = ours.best_score_ - ours.base_score_, with_ours - without
        found.append((without, by_costs, theirs, with_ours, *gains))
    return np.array(found)


def table_of_costs():
    """Mean cost of a client of the test rows, for each way to decide."""

    def paid(y, predicted):
        return -CREDIT[y, predicted].mean()

    X, y = table("german")
    found = {}
    for train, test in splits(X, y, None):
        for way, clf in (
            ("the most probable class", model()),
            ("`CostSensitiveClassifier`", CostSensitiveClassifier(model(), CREDIT)),
            (
                "`ThresholdClassifier` for the mean cost",
                ThresholdClassifier(model(), scoring=make_scorer(paid)),
            ),
            (
                "`TunedThresholdClassifierCV` for the mean cost",
                TunedThresholdClassifierCV(model(), scoring=make_scorer(paid)),
            ),
        ):
            predicted = clf.fit(X[train], y[train]).predict(X[test])
            found.setdefault(way, []).append(-paid(y[test], predicted))
    lines = ["| way to decide | cost of a client |", "|---|---|"]
    return lines + [f"| {way} | {np.mean(each):.3f} |" for way, each in found.items()]


def table_of_tuned():
    """Where tuned offsets pay."""
    lines = [
        "| table | rows to train | score | most probable class | costs of 1 / (rows of the class) "
        "| TunedThresholdClassifierCV | ThresholdClassifier | gain held out | gain on test rows |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, n_train, scoring in TUNED:
        found = tuned(name, n_train, scoring).mean(axis=0)
        cells = ["-" if np.isnan(each) else f"{each:.3f}" for each in found[:4]]
        n = n_train or len(table(name)[1]) // 2
        gains = [f"{each:+.3f}" for each in found[4:]]
        lines.append("| " + " | ".join([name, f"{n:,}", scoring, *cells, *gains]) + " |")
    return lines


def table_of_emotions():
    """Macro F1 of 28 emotions in 10,000 comments, with thresholds of 1/2 and tuned, for two penalties."""
    parts = []
    for name, n in (("train", 10_000), ("test", None)):
        file = (DATA / "goemotions" / f"{name}.tsv").open(encoding="utf-8")
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:][:n]
        parts.append(([row[0] for row in rows], [row[1].split(",") for row in rows]))
    names = sorted({name for _, labels in parts for row in labels for name in row})
    Y, Y_test = (np.array([[name in row for name in names] for row in labels]) * 1 for _, labels in parts)
    words = TfidfVectorizer(sublinear_tf=True, min_df=2).fit(parts[0][0])
    X, X_test = (words.transform(texts) for texts, _ in parts)
    lines = ["| alpha | thresholds | macro F1 held out | macro F1 on test rows |", "|---|---|---|---|"]
    for alpha in (1e-4, 1e-5):
        inner = LinearClassifier(loss="one-vs-rest-logistic", alpha=alpha)
        clf = LabelThresholdClassifier(inner, criterion="f1", cv=3).fit(X, Y)
        tuned = f"tuned, {clf.thresholds_.min():.2f} to {clf.thresholds_.max():.2f}"
        for name, each, held_out in (
            ("1/2", clf.estimator_, clf.base_scores_),
            (tuned, clf, clf.best_scores_),
        ):
            on_test = f1_score(Y_test, each.predict(X_test), average="macro")
            lines.append(f"| {alpha:.0e} | {name} | {held_out.mean():.3f} | {on_test:.3f} |")
    return lines


def table_of_required():
    """What is left on test rows of a precision that was required on held-out rows."""
    lines = [
        "| table | rows to train | precision required | confidence | rows found held out | precision on test "
        "rows | splits below it | splits without a prediction | recall held out | recall on test rows |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in ("mammography", "oil-spill"):
        X, y = table(name)
        y = y == np.bincount(y).argmin()  # the rare class
        for precision, confidence in ((0.8, None), (0.8, 0.9), (0.9, None), (0.9, 0.9)):
            found = []
            for train, test in splits(X, y, None, N_REQUIRED):
                criterion = RecallAtPrecision(precision, confidence)
                clf = LabelThresholdClassifier(model(), criterion=criterion)
                predicted = clf.fit(X[train], y[train]).predict(X[test])
                held_out = clf.best_scores_[0]
                on_test = precision_score(y[test], predicted, zero_division=np.nan)
                recall = recall_score(y[test], predicted)
                found.append((held_out * y[train].sum(), on_test, not predicted.any(), held_out, recall))
            found = np.array(found)
            n_found, _, never, held_out, recall = found.mean(axis=0)
            below = np.sum(found[:, 1] < precision)
            on_test = "-" if np.isnan(found[:, 1]).all() else f"{np.nanmean(found[:, 1]):.2f}"
            cells = f"{precision} | {confidence or '-'} | {n_found:.1f} of {y.sum() // 2} | {on_test}"
            cells += f" | {below} of {N_REQUIRED}"
            cells += f" | {never * N_REQUIRED:.0f} of {N_REQUIRED} | {held_out:.2f} | {recall:.2f}"
            lines.append(f"| {name} | {len(y) // 2:,} | {cells} |")
    return lines


def replaced(page, name, lines):
    begin = f"<!-- {name}, made by docs/make_decisions_table.py -->"
    head, rest = page.split(begin)
    return head + begin + "\n\n" + "\n".join(lines) + "\n\n" + rest[rest.index("<!-- end -->") :]


def main():
    makers = {
        "costs": table_of_costs,
        "tuned": table_of_tuned,
        "emotions": table_of_emotions,
        "required": table_of_required,
    }
    for name in sys.argv[1:] or makers:
        with warnings.catch_warnings():
            # a required precision that no threshold reaches is a column of the table
            warnings.filterwarnings("ignore", message=".*precision")
            lines = makers[name]()
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(replaced(page, name, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
