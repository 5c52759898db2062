"""The comparison, its outputs, and the ``linclf`` command, on small data and few models.

How well the models classify is not tested here; the measures of what they predict are.
"""

import importlib
import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linclf._compare.report import MEASURES
from linclf.losses import LOSSES

# the function `linclf.compare` hides the module of the same name
module = importlib.import_module("linclf.compare")
compare = module.compare

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
    original = module._estimators

    def estimators(*args):
        models = original(*args)
        models["sklearn:RidgeClassifier"] = Broken()
        return models

    monkeypatch.setattr(module, "_estimators", estimators)


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


# ---------------------------------------------------------------- measures


def test_measures_equal_those_of_scikit_learn(iris, comparison):
    X, y = iris
    splits = StratifiedShuffleSplit(2, test_size=0.3, random_state=3).split(X, y)
    expected = {key: [] for key in ("accuracy", "balanced_accuracy", "log_loss", "ece")}
    for train, test in splits:
        rival = module._estimators(1e-4, train.size, None, 3, False)["sklearn:LogisticRegression"]
        rival.fit(X[train], y[train])
        P, predicted = rival.predict_proba(X[test]), rival.predict(X[test])
        expected["accuracy"].append(accuracy_score(y[test], predicted))
        expected["balanced_accuracy"].append(balanced_accuracy_score(y[test], predicted))
        expected["log_loss"].append(log_loss(y[test], P))
        expected["ece"].append(naive_ece(y[test], predicted, P.max(axis=1)))
    row = next(row for row in comparison.rows if row["model"] == "sklearn:LogisticRegression")
    for key, values in expected.items():
        assert row[key] == pytest.approx(np.mean(values), abs=1e-12)
        assert row[f"{key}_std"] == pytest.approx(np.std(values, ddof=1), abs=1e-12)


def test_the_bins_of_the_picture_are_those_of_the_ece(comparison):
    row = next(row for row in comparison.rows if row["model"] == "softmax")
    drawn = comparison.last["models"]["softmax"]
    bins, correct = drawn["bins"], drawn["predicted"] == comparison.last["y"]
    assert bins.weight.sum() == comparison.last["y"].size
    filled = bins.weight > 0
    shares = bins.weight[filled] / bins.weight.sum()
    assert shares @ bins.accuracy[filled] == pytest.approx(correct.mean(), abs=1e-12)
    ece = shares @ np.abs(bins.confidence - bins.accuracy)[filled]
    # the mean of two splits, the second of which is drawn, and their deviation give back the second
    assert abs(ece - row["ece"]) == pytest.approx(row["ece_std"] / np.sqrt(2), abs=1e-12)


def test_penalties_of_the_rivals_are_those_of_alpha():
    models = module._estimators(1e-2, 50, None, 0, True)
    assert models["sklearn:LogisticRegression"].C == models["sklearn:LinearSVC"].C == pytest.approx(2.0)
    assert models["sklearn:RidgeClassifier"].alpha == pytest.approx(0.25)
    assert {models[name].alpha for name in LOSSES} == {1e-2}


def test_every_loss_is_compared_by_a_model_of_that_loss():
    models = module._estimators(1e-4, 50, None, 0, False)
    for name, loss in LOSSES.items():
        made = models[name]._loss()
        assert (LOSSES[made] if isinstance(made, str) else type(made)) is loss


def test_only_dense_rivals_are_scaled():
    dense, thin = (module._estimators(1e-4, 50, None, 0, is_sparse) for is_sparse in (False, True))
    assert type(dense["sklearn:LinearSVC"]) is type(make_pipeline(StandardScaler()))
    assert type(thin["sklearn:LinearSVC"]).__name__ == "LinearSVC"


# ---------------------------------------------------------------- the table


def test_rows_are_sorted_by_accuracy_and_printed_in_that_order(comparison):
    accuracies = [row["accuracy"] for row in comparison.rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert comparison.rows[-1]["model"] == "sklearn:DummyClassifier"
    assert accuracies[-1] == pytest.approx(1 / 3)
    text = str(comparison)
    positions = [text.index(f"\n{row['model']} ") for row in comparison.rows]
    assert positions == sorted(positions)


def test_table_is_aligned_and_shows_the_numbers(comparison):
    head, rule, *lines = str(comparison).split("\n")[2:8]
    assert {len(line) for line in lines} == {len(head)} == {len(rule)}
    best = comparison.rows[0]
    assert f"{best['accuracy']:.4f} ±" in lines[0]
    ridge = next(line for line in lines if line.startswith("sklearn:Ridge"))
    assert re.search(r" - +- ", ridge), "no log loss and no ECE"
    assert "rivals get StandardScaler; linclf models get the data as they are" in str(comparison)
    assert "compiling took linclf" in str(comparison)


def test_one_split_has_no_deviation(iris):
    row = compare(*iris, models=["softmax"], repeats=1).rows[0]
    assert row["accuracy_std"] is None
    assert row["fit_seconds"] > 0


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
    original = module._estimators

    def estimators(*args):
        models = original(*args)
        models["sklearn:LogisticRegression"][-1].set_params(max_iter=1)
        return models

    monkeypatch.setattr(module, "_estimators", estimators)
    row = compare(*iris, models=["sklearn:Log*"], repeats=2).rows[0]
    assert row["warnings"] == 2
    assert "failed to converge" in row["messages"][0]


def test_patterns_choose_models():
    assert module.chosen_models(["sklearn:L*", "SOFTMAX"]) == [
        "softmax",
        "sklearn:LogisticRegression",
        "sklearn:LinearSVC",
    ]
    assert module.chosen_models("focal") == ["focal"]
    assert set(LOSSES) < set(module.chosen_models(None))
    with pytest.raises(
        ValueError, match=r"'sofmax' matches no model; the models are softmax, .*sklearn:Dummy"
    ):
        module.chosen_models(["softmax", "sofmax"])


def test_to_frame_has_the_rows(comparison):
    frame = comparison.to_frame()
    assert list(frame["model"]) == [row["model"] for row in comparison.rows]
    assert frame["log_loss"].isna().sum() == 1  # RidgeClassifier


def test_plain_progress_has_a_line_for_each_fit(iris, capsys):
    compare(*iris, models=["sklearn:D*", "sklearn:R*"], repeats=2, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[0] == "[1/4] sklearn:RidgeClassifier (split 1 of 2)"
    compare(*iris, models=["sklearn:D*"], repeats=1)
    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------- kinds of data


def test_sparse_data_stay_sparse(iris):
    X, y = iris
    result = compare(sparse.csc_array(X), y, models=["softmax", "sklearn:Ridge*"], repeats=1)
    assert result.facts["sparse"]
    assert result.rows[0]["accuracy"] > 0.8
    assert "as they are" in str(result)
    assert "StandardScaler" not in str(result)


def test_tables_are_encoded_and_imputed(mixed_table):
    X, y = mixed_table.drop(columns="Label"), mixed_table["Label"]
    result = compare(X, y, models=["softmax", "sklearn:Log*", "sklearn:D*"], repeats=2)
    assert result.facts["n_missing"] == len(X["size"][::17]) + len(X["colour"][::13])
    assert all(row["error"] is None for row in result.rows)
    assert min(row["accuracy"] for row in result.rows[:2]) > 0.8
    polars = pytest.importorskip("polars")
    again = compare(polars.from_pandas(X), y, models=["sklearn:Log*"], repeats=2)
    first = next(row for row in result.rows if row["model"] == "sklearn:LogisticRegression")
    assert again.rows[0]["accuracy"] == first["accuracy"]


def test_encoding_by_hand():
    X = pd.DataFrame(
        {"n": [1.0, np.nan, 3.0, 5.0], "c": ["u", "v", None, "u"], "b": [True, False, True, True]}
    )
    X, missing = module.check_table(X)
    encoder = module.column_encoder(X)
    expected = [[1, 1, 0, 0, 1], [3, 0, 1, 1, 0], [3, 1, 0, 0, 1], [5, 1, 0, 0, 1]]
    np.testing.assert_array_equal(encoder.fit_transform(X), expected)
    assert missing == 2
    unknown, _ = module.check_table(pd.DataFrame({"n": [2.0], "c": ["new"], "b": [False]}))
    np.testing.assert_array_equal(encoder.transform(unknown), [[2, 0, 0, 1, 0]])


def test_a_wide_table_is_encoded_sparse(monkeypatch):
    monkeypatch.setattr("linclf._compare.tables._DENSE_CELLS", 10)
    X, _ = module.check_table(pd.DataFrame({"n": [1, 2, 3], "c": list("abc")}))
    assert sparse.issparse(module.column_encoder(X).fit_transform(X))


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
        ({"alpha": -1.0}, "alpha=-1.0 must be"),
    ],
)
def test_bad_arguments_say_what_is_wrong(iris, arguments, message):
    with pytest.raises(ValueError, match=message):
        compare(*iris, models=["softmax"], **arguments)


# ---------------------------------------------------------------- report


def test_json_holds_rows_and_facts(comparison, tmp_path):
    comparison.to_json(tmp_path / "out.json")
    held = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert held["rows"] == comparison.rows
    assert held["facts"]["n_samples"] == 150
    assert held["facts"]["n_classes"] == 3


def test_html_is_self_contained_and_complete(comparison, tmp_path):
    comparison.to_html(tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(http|//)""", page)
    assert not re.search(r"<script|<link|@import|url\((?!#)", page)
    assert 'name="viewport"' in page
    for row in comparison.rows:
        assert f"<th>{row['model']}</th>" in page
    best = comparison.rows[0]["accuracy"]
    assert f"class=best>{best:.4f} " in page
    for label in ("objective of softmax by epoch", "reliability of softmax", "confusion matrix of"):
        assert page.count(f'aria-label="{label}') == 1
    assert "#010203" not in page


def test_html_marks_the_best_but_not_the_baseline(comparison):
    page = module.html_report(comparison)
    baseline = page[page.index("<th>sklearn:DummyClassifier</th>") :].partition("</tr>")[0]
    assert "best" not in baseline
    assert page.count("class=best") >= len(MEASURES)


def test_html_of_a_failed_model_shows_the_error_escaped(iris, broken_ridge, monkeypatch):
    monkeypatch.setattr(Broken, "fit", lambda self, X, y: 1 / 0 if X is None else self.reject())
    monkeypatch.setattr(Broken, "reject", lambda self: [][1:2].index("<b>"), raising=False)
    result = compare(*iris, models=["sklearn:Ridge*"], repeats=1)
    page = module.html_report(result)
    assert "failed: ValueError: &#x27;&lt;b&gt;&#x27; is not in list" in page
    assert "Confusions" not in page


def test_confusions_show_fifteen_classes_of_many():
    X, y = make_classification(
        400, 20, n_informative=10, n_classes=20, n_clusters_per_class=1, random_state=0
    )
    result = compare(X, y, models=["sklearn:Ridge*"], repeats=1)
    assert "Shown are the 15 most confused of 20 classes." in module.html_report(result)
