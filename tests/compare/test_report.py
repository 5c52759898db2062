"""The output of a comparison: JSON, tables, HTML."""

import json
import math
import re
from statistics import NormalDist

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification

from linclf import compare
from linclf._compare.measures import MEASURES
from linclf._compare.page import html_page
from linclf.metrics._wilson import wilson_interval


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def comparison(iris):
    models = ["softmax", "weston-watkins", "sklearn:Logistic*", "sklearn:Ridge*", "sklearn:Dummy*"]
    return compare(*iris, models=models, repeats=3, alphas=[0.1, 0.01, 0.001])


class Broken(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise ValueError("<b> is not in list")


def test_json_holds_rows_facts_and_verdict(comparison, tmp_path):
    comparison.to_json(tmp_path / "out.json")
    held = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert held == {"verdict": comparison.verdict, "facts": comparison.facts, "rows": comparison.rows}
    assert held["facts"]["n_samples"] == 150
    assert held["facts"]["class_balance"] == {"0": 50, "1": 50, "2": 50}
    assert set(held["facts"]["versions"]) == {"linclf", "python", "scikit-learn", "numpy", "scipy", "numba"}


def test_to_frame_has_the_rows(comparison):
    frame = comparison.to_frame()
    assert list(frame["model"]) == [row["model"] for row in comparison.rows]
    assert frame["log_loss"].isna().sum() == 2  # hinge and ridge
    assert list(frame["accuracy_splits"]) == [row["accuracy_splits"] for row in comparison.rows]


def test_every_output_has_the_facts(comparison, tmp_path):
    comparison.to_html(tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    for text in (str(comparison), page):
        for fact in ("machine", "date", "command"):
            assert comparison.facts[fact] in text
        assert f"scikit-learn {comparison.facts['versions']['scikit-learn']}" in text
        assert "columns standardised" in text
        assert comparison.verdict in text


def test_html_is_self_contained_and_complete(comparison):
    page = html_page(comparison)
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(http|//)""", page)
    assert not re.search(r"<script src|<link|@import|url\((?!#)", page)
    assert 'name="viewport"' in page
    for row in comparison.rows:
        assert f">{row['model']}</th>" in page.replace("<wbr>", "")
    assert page.index(comparison.verdict) < page.index("<table")
    for label in ("accuracy against seconds", "differences to the best", "learning curves"):
        assert f'aria-label="{label}"' in page
    for label in ("reliability of softmax", "confusion matrix of "):
        assert f'aria-label="{label}' in page
    assert "#010203" not in page
    assert "objective of softmax" not in page
    assert 'aria-label="objective of softmax by epoch"' in html_page(comparison, loss_curves=True)


def test_html_marks_the_best_but_not_the_baseline(comparison):
    page = html_page(comparison)
    baseline = page[page.index(">sklearn:<wbr>DummyClassifier</th>") :].partition("</tr>")[0]
    assert "best" not in baseline
    assert page.count("class=best") >= len(MEASURES)


def test_html_of_a_failed_model_shows_the_error_escaped(iris):
    result = compare(*iris, models=[("broken", Broken())], repeats=1)
    page = html_page(result)
    assert "failed: ValueError: &lt;b&gt; is not in list" in page
    assert "Confusions" not in page
    assert "nothing to recommend" in page


def test_html_of_one_split_has_no_picture_of_differences(iris):
    page = html_page(compare(*iris, models=["sklearn:Ridge*", "sklearn:D*"], repeats=1))
    assert "differences to the best" not in page
    assert "accuracy against seconds" in page


def test_notebooks_get_the_table_and_the_verdict(comparison):
    summary = comparison._repr_html_()
    assert summary.count("<tr") == 1 + len(comparison.rows)
    assert comparison.verdict in summary
    assert "<style" not in summary


def test_confusions_show_fifteen_classes_of_many():
    X, y = make_classification(
        400, 20, n_informative=10, n_classes=20, n_clusters_per_class=1, random_state=0
    )
    result = compare(X, y, models=["sklearn:Ridge*"], repeats=1)
    assert "Shown are the 15 most confused of 20 classes." in html_page(result)


def test_the_interval_of_a_share_solves_wilsons_equation():
    z = NormalDist().inv_cdf(0.975)
    share, n = np.array([0.0, 0.3, 1.0]), np.array([3.0, 40.0, 7.0])
    for bound in wilson_interval(share, n):
        np.testing.assert_allclose((bound - share) ** 2, z**2 * bound * (1 - bound) / n, atol=1e-12)
    assert math.isclose(wilson_interval(share, n)[0][0], 0.0, abs_tol=1e-12)
