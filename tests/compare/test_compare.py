"""The comparison, its outputs, and the ``linclf`` command, on small data and few models.

The quality of the models is not tested here; the measures of their predictions are.
"""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    roc_auc_score,
)
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler, label_binarize

from linclf import compare
from linclf._compare import candidates as registry
from linclf._compare.measures import MEASURES
from linclf.losses import LOSSES

FAST = ["softmax", "sklearn:Logistic*", "sklearn:Ridge*", "sklearn:Dummy*"]


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def comparison(iris):
    return compare(*iris, models=FAST, repeats=2, test_size=0.3, random_state=3)


class Broken(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise RuntimeError("out of\norder")


@pytest.fixture
def broken_ridge(monkeypatch):
    monkeypatch.setattr("sklearn.linear_model.RidgeClassifier", lambda **settings: Broken())


@pytest.fixture(scope="module")
def imbalanced():
    X, y = make_classification(400, 6, weights=[0.9], class_sep=0.7, random_state=1)
    return X, np.where(y == 1, "rare", "common")


@pytest.fixture
def mixed_table():
    """300 rows: numbers, text, booleans, categories; missing values in the first two."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    size = rng.normal(size=300) + y
    colour = np.array(["red", "green", "blue"])[(y + (rng.random(300) < 0.2)) % 3].astype(object)
    size[::17], colour[::13] = np.nan, None
    return pd.DataFrame(
        {
            "size": size,
            "colour": colour,
            "big": size > 1,
            "kind": pd.Categorical(np.where(y > 0, "u", "v")),
            "Label": np.array(["a", "b", "c"])[y],
        }
    )


def naive_ece(y, predicted, confidence, n_bins=15):
    total = 0.0
    for b in range(n_bins):
        inside = (confidence > b / n_bins) & (confidence <= (b + 1) / n_bins)
        if inside.any():
            total += inside.mean() * abs((predicted == y)[inside].mean() - confidence[inside].mean())
    return total


def row_of(comparison, name):
    return next(row for row in comparison.rows if row["model"] == name)


# ---------------------------------------------------------------- measures


def test_measures_equal_those_of_scikit_learn(iris):
    X, y = iris
    given = compare(X, y, models=["sklearn:Log*"], tune=False, alpha=1e-2, repeats=2, random_state=3)
    expected = {key: [] for key in MEASURES}
    for train, test in StratifiedShuffleSplit(2, test_size=0.25, random_state=3).split(X, y):
        scaler = StandardScaler().fit(X[train])
        rival = LogisticRegression(C=1 / (1e-2 * train.size), max_iter=10_000)
        rival.fit(scaler.transform(X[train]), y[train])
        held_out = scaler.transform(X[test])
        P, predicted, scores = (
            method(held_out) for method in (rival.predict_proba, rival.predict, rival.decision_function)
        )
        each = label_binarize(y[test], classes=[0, 1, 2])
        expected["accuracy"].append(accuracy_score(y[test], predicted))
        expected["balanced_accuracy"].append(balanced_accuracy_score(y[test], predicted))
        expected["macro_f1"].append(f1_score(y[test], predicted, average="macro"))
        expected["roc_auc"].append(roc_auc_score(each, scores, average="macro"))
        expected["average_precision"].append(average_precision_score(each, scores, average="macro"))
        expected["log_loss"].append(log_loss(y[test], P))
        expected["ece"].append(naive_ece(y[test], predicted, P.max(axis=1)))
    row = given.rows[0]
    for key, values in expected.items():
        assert row[f"{key}_splits"] == pytest.approx(values, abs=1e-12)
        assert row[key] == pytest.approx(np.mean(values), abs=1e-12)
        assert row[f"{key}_std"] == pytest.approx(np.std(values, ddof=1), abs=1e-12)


@pytest.mark.parametrize("names", [("common", "rare"), ("b", "a")])
def test_ranking_measures_of_two_classes_are_of_the_rarer_one(imbalanced, names):
    X, y = imbalanced
    y = np.where(y == "rare", names[1], names[0])
    result = compare(X, y, models=["sklearn:Log*"], tune=False, alpha=1e-2, repeats=1)
    codes = (y == max(names)).astype(int)
    (train, test), *_ = StratifiedShuffleSplit(1, test_size=0.25, random_state=0).split(X, codes)
    scaler = StandardScaler().fit(X[train])
    rival = LogisticRegression(C=1 / (1e-2 * train.size), max_iter=10_000)
    rival.fit(scaler.transform(X[train]), y[train] == names[1])
    scores = rival.decision_function(scaler.transform(X[test]))
    rarer = y[test] == names[1]
    assert result.facts["class_of_interest"] == names[1]
    assert result.rows[0]["roc_auc"] == pytest.approx(roc_auc_score(rarer, scores))
    assert result.rows[0]["average_precision"] == pytest.approx(average_precision_score(rarer, scores))


def test_penalties_of_the_rivals_are_those_of_alpha():
    models = {name: each.make(1e-2, 50) for name, each in registry.known_candidates().items()}
    assert models["sklearn:LogisticRegression"].C == models["sklearn:LinearSVC"].C == pytest.approx(2.0)
    assert models["sklearn:RidgeClassifier"].alpha == pytest.approx(0.25)
    assert models["sklearn:SGD-hinge"].alpha == models["sklearn:SGD-log_loss"].alpha == 1e-2
    assert {models[name].alpha for name in LOSSES} == {1e-2}
    assert registry.C_of(0.0, 50) == np.inf


def test_every_loss_is_compared_by_a_model_of_that_loss():
    models = registry.known_candidates()
    for name in LOSSES:
        assert models[name].make(1e-4, 50).loss == name


def test_all_models_get_the_same_standardised_columns(iris):
    X, y = iris
    seen = []

    class Spy(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            seen.append(X)
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    compare(X * [1, 10, 100, 1000] + 5, y, models=[Spy()], repeats=1)
    np.testing.assert_allclose(seen[0].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(seen[0].std(axis=0), 1, atol=1e-12)


# ---------------------------------------------------------------- the table


def test_rows_are_sorted_by_accuracy_and_printed_in_that_order(comparison):
    accuracies = [row["accuracy"] for row in comparison.rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert comparison.rows[-1]["model"] == "sklearn:DummyClassifier"
    assert accuracies[-1] == pytest.approx(1 / 3, abs=0.02)
    text = str(comparison)
    positions = [text.index(f"\n{row['model']} ") for row in comparison.rows]
    assert positions == sorted(positions)


def test_table_is_aligned_and_shows_the_numbers(comparison):
    head, rule, *lines = str(comparison).split("\n")[3:9]
    assert {len(line) for line in lines} == {len(head)} == {len(rule)}
    best = comparison.rows[0]
    assert f"{best['accuracy']:.4f}"[1:] in lines[0]
    ridge = next(line for line in lines if line.startswith("sklearn:Ridge"))
    assert re.search(r" - +- ", ridge), "no log loss and no ECE"
    assert "columns standardised\n" in str(comparison)
    assert "compiling took linclf" in str(comparison)


@pytest.mark.parametrize("sort", MEASURES)
def test_sorted_by_any_measure(comparison, iris, sort):
    result = compare(*iris, models=FAST, tune=False, repeats=2, sort=sort)
    known = [row[sort] for row in result.rows if row[sort] is not None]
    assert known == sorted(known, reverse=MEASURES[sort].higher_is_better)
    assert [row[sort] for row in result.rows][: len(known)] == known, "models without the measure are last"
    assert str(result).split("\n")[3].split()[1] == MEASURES[sort].heading.split()[0]


def test_a_table_of_mostly_one_class_is_sorted_by_average_precision(imbalanced):
    result = compare(*imbalanced, models=["softmax", "sklearn:D*"])
    assert result.facts["sort"] == "average_precision"
    assert result.facts["class_balance"] == {"common": 359, "rare": 41}
    assert "AP (average precision): of class rare, the rarer one" in str(result)
    assert "its AP of " in result.verdict


def test_one_split_has_no_deviation(iris):
    result = compare(*iris, models=["softmax", "sklearn:Ridge*"], repeats=1)
    assert result.rows[0]["accuracy_std"] is None
    assert result.rows[1]["behind_margin"] is None
    assert result.rows[1]["status"] == "not judged"
    assert result.rows[0]["fit_seconds"] > 0
    assert "is the best in one split, which says nothing about chance" in result.verdict


def test_equal_seeds_give_equal_results(iris):
    one, two = (compare(*iris, models=["softmax", "cosface"], repeats=2, random_state=7) for _ in range(2))
    for a, b in zip(one.rows, two.rows, strict=True):
        assert [a[key] for key in ("model", "accuracy", "log_loss")] == [
            b[key] for key in ("model", "accuracy", "log_loss")
        ]


def test_a_failing_model_is_a_row_with_its_error(iris, broken_ridge):
    result = compare(*iris, models=["softmax", "sklearn:Ridge*"], repeats=2)
    assert [row["model"] for row in result.rows] == ["softmax", "sklearn:RidgeClassifier"]
    assert result.rows[0]["accuracy"] > 0.9
    assert result.rows[1]["error"] == "RuntimeError: out of order"
    assert result.rows[1]["accuracy"] is None
    assert "sklearn:RidgeClassifier  failed: RuntimeError: out of order" in str(result)


def test_warnings_of_rivals_are_counted(monkeypatch, iris):
    monkeypatch.setattr(registry, "_ENOUGH", 1)
    result = compare(*iris, models=["sklearn:Log*"], repeats=2)
    row = result.rows[0]
    assert row["warnings"] == 2
    assert "failed to converge" in row["messages"][0]
    assert row["tuning_warnings"] > 2
    assert "\nsklearn:LogisticRegression (!) " in str(result)
    assert "(!) sklearn:LogisticRegression: ConvergenceWarning: " in str(result)
    assert "warnings at some penalties while tuning: sklearn:LogisticRegression" in str(result)


def names(models):
    return [candidate.name for candidate in registry.chosen(models)]


def test_patterns_choose_models():
    assert names(["sklearn:L*", "SOFTMAX"]) == ["softmax", "sklearn:LogisticRegression", "sklearn:LinearSVC"]
    assert names("focal") == ["focal"]
    assert set(LOSSES) < set(names(None))
    with pytest.raises(
        ValueError, match=r"'sofmax' matches no model; the models are softmax, .*sklearn:Dummy"
    ):
        names(["softmax", "sofmax"])
    with pytest.raises(ValueError, match=r"models=\[\] names no model"):
        names([])


def test_to_frame_has_the_rows(comparison):
    frame = comparison.to_frame()
    assert list(frame["model"]) == [row["model"] for row in comparison.rows]
    assert frame["log_loss"].isna().sum() == 1  # RidgeClassifier


def test_plain_progress_has_a_line_for_each_fit(iris, capsys):
    compare(*iris, models=["sklearn:D*", "sklearn:R*"], repeats=2, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert lines[0] == "[1/6] sklearn:RidgeClassifier (split 1 of 2)"
    assert lines[-1] == "[6/6] sklearn:RidgeClassifier: fewer rows, calibration (split 2)"
    compare(*iris, models=["sklearn:D*"], repeats=1)
    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------- kinds of data


def test_sparse_data_stay_sparse(iris):
    X, y = iris
    result = compare(sparse.csc_array(X), y, models=["softmax", "sklearn:Ridge*"], repeats=1)
    assert result.facts["reading"] == ["sparse rows as they are"]
    assert result.rows[0]["accuracy"] > 0.8
    assert "standardised" not in str(result)


def test_tables_are_encoded_and_imputed(mixed_table):
    X, y = mixed_table.drop(columns="Label"), mixed_table["Label"]
    result = compare(X, y, models=["softmax", "sklearn:Log*", "sklearn:D*"], repeats=2)
    gaps = {"size": len(X["size"][::17]), "colour": len(X["colour"][::13])}
    assert result.facts["n_missing"] == sum(gaps.values())
    assert result.facts["columns"] == {
        "number": ["size"],
        "category": ["colour", "big", "kind"],
        "text": [],
        "left_out": {},
        "missing": gaps,
    }
    assert "numbers, standardised: size (18 missing: the median taken)\n" in str(result)
    assert "colour (3 values, 24 missing: the most frequent one taken)" in str(result)
    assert all(row["error"] is None for row in result.rows)
    assert min(row["accuracy"] for row in result.rows[:2]) > 0.8
    polars = pytest.importorskip("polars")
    again = compare(polars.from_pandas(X), y, models=["sklearn:Log*"], repeats=2)
    first = next(row for row in result.rows if row["model"] == "sklearn:LogisticRegression")
    assert again.rows[0]["accuracy"] == first["accuracy"]


def test_columns_are_what_the_user_says(mixed_table):
    X, y = mixed_table.drop(columns="Label"), mixed_table["Label"]
    columns = {"size": "left out", "colour": "text"}
    facts = compare(X, y, models=["sklearn:D*"], repeats=1, columns=columns).facts["columns"]
    assert facts["text"] == ["colour"]
    assert facts["left_out"] == {"size": "as --columns says"}
    with pytest.raises(ValueError, match="'colr' is not a column; there are size, colour, big, kind"):
        compare(X, y, columns={"colr": "text"})
    with pytest.raises(ValueError, match="colour=words: a column is one of number, category, text, left out"):
        compare(X, y, columns={"colour": "words"})


def test_missing_values_of_an_array_are_imputed(iris):
    X, y = iris[0].copy(), iris[1]
    X[::10, 1] = np.nan
    result = compare(X, y, models=["softmax"], repeats=1)
    assert result.facts["n_missing"] == 15
    assert result.rows[0]["accuracy"] > 0.9


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: y.astype(float),
        lambda y: np.array(["u", "v", "w"], dtype=object)[y],
        lambda y: pd.Series(y, dtype="Int64"),
        lambda y: pd.Series(pd.Categorical.from_codes(y, ["u", "v", "w"])),
        lambda y: np.array([b"u", b"v", b"w"])[y],
    ],
)
def test_labels_of_any_kind(iris, labels):
    X, y = iris
    plain = compare(X, y, models=["softmax"], repeats=1).rows[0]
    assert compare(X, labels(y), models=["softmax"], repeats=1).rows[0]["accuracy"] == plain["accuracy"]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(6), "one class only, 0.0"),
        (np.linspace(0, 1, 6), "y looks continuous .6 different values such as 0"),
        (["a", "b", "a", "b", "a", "c"], r"1 of 3 classes with a single row \('c'\)"),
        (["a", "b", None, "a", "b", "a"], "y has 1 missing labels of 6"),
        (np.array(["a", 1, "a", 1, "a", 1], dtype=object), "y mixes labels of the types int, str"),
        (np.zeros((6, 2)), r"y must be one column of labels, got shape \(6, 2\)"),
        (["a", "b"], "inconsistent numbers of samples"),
    ],
)
def test_bad_labels_say_what_is_wrong(y, message):
    with pytest.raises(ValueError, match=message):
        compare(np.eye(6), y, models=["softmax"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_size": 1.5}, "test_size=1.5 must lie between 0 and 1"),
        ({"repeats": 0}, "repeats=0 must be at least 1"),
        ({"tune": False, "alpha": -1.0}, "alpha=-1.0 must be"),
        ({"alpha": 1e-3}, r"alpha=0.001 is one penalty for all models; it needs tune=False"),
        ({"tune": False, "alphas": [1e-3]}, "with tune=False pass one alpha"),
        ({"alphas": []}, r"alphas=\[\] must be"),
        ({"sort": "auc"}, "sort='auc' is not a measure; use one of accuracy, "),
        ({"cv": 5, "repeats": 2}, "repeats=2 and cv=5 exclude each other"),
        ({"cv": 1}, "cv=1 must be 2 folds or more"),
        ({"groups": [1, 2]}, r"groups has the shape \(2,\)"),
        ({"groups": [None] * 150}, "groups has missing values"),
        ({"groups": [1, 2] * 75}, "groups has 2 groups"),
        ({"groups": range(150), "times": range(150)}, "groups and times exclude each other"),
        ({"times": [1] * 150}, "times: no row is earlier than a test part"),
        ({"times": ["9/1/2025", "10/1/2025"] * 75}, "times are text, whose order is not that of time"),
        ({"times": range(150), "repeats": 100}, "fewer than repeats=100"),
    ],
)
def test_bad_arguments_say_what_is_wrong(iris, arguments, message):
    with pytest.raises(ValueError, match=message):
        compare(*iris, models=["softmax"], **arguments)
