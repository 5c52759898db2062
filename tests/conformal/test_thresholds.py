"""Quantiles of finite samples, and which rows they are of."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.utils._param_validation import InvalidParameterError

from linclf.conformal import ClassConditional, Clustered, Marginal
from linclf.conformal._names import taxonomy_for
from linclf.conformal._thresholds import rows_needed, thresholds


def test_by_hand():
    scores = np.arange(1.0, 11)  # (10 + 1) * 0.9 = 9.9: the tenth
    everyone = np.full(10, -1)
    values = [thresholds(scores, everyone, np.array([-1, -1]), c).values for c in (0.9, 0.5, 0.1, 0.95)]
    np.testing.assert_array_equal(values, [[10, 10], [6, 6], [2, 2], [np.inf, np.inf]])


def test_categories_by_hand():
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    rows = np.array([0, 1, 0, 1, 0, -1])  # of classes 0 and 1, and one of neither
    found = thresholds(scores, rows, np.array([0, 1, -1, 2]), 0.5)
    np.testing.assert_array_equal(found.values, [0.3, 0.4, 0.4, np.inf])  # ranks 2 of 3, 2 of 2, 4 of 6
    np.testing.assert_array_equal(found.n_rows, [3, 2, 6, 0])


@example(99, 7, 0)  # 0.07 * 100 > 7
@given(st.integers(1, 300), st.integers(1, 99), st.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_ranks_are_exact_for_per_cents(n, per_cent, seed):
    scores = np.sort(np.random.default_rng(seed).normal(size=n))
    rank = math.ceil((n + 1) * Fraction(per_cent, 100))
    expected = scores[rank - 1] if rank <= n else np.inf
    assert thresholds(scores, np.zeros(n, int), np.array([0]), per_cent / 100).values[0] == expected
    assert (rank <= n) == (n >= rows_needed(per_cent / 100))


def test_rows_needed():
    assert [rows_needed(c) for c in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]


SCORES = np.arange(6.0)
CODES = np.array([0, 0, 1, 2, -1, 2])


@pytest.mark.parametrize(
    ("taxonomy", "expected"), [(Marginal(), [-1, -1, -1, -1]), (ClassConditional(), [0, 1, 2, 3])]
)
def test_all_rows_count(taxonomy, expected):
    categories, rows = taxonomy.assign(SCORES, CODES, 4, np.random.RandomState(0))
    np.testing.assert_array_equal(categories, expected)
    np.testing.assert_array_equal(rows, np.arange(6))


def two_kinds(n_classes=40, n_each=60, seed=0):
    """Even classes have low scores, odd ones high scores; the last class has three rows."""
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.repeat(np.arange(n_classes - 1), n_each), np.repeat(n_classes - 1, 3)])
    return rng.uniform(size=len(codes)) * (1 + 4 * (codes % 2)), codes


def test_clusters_are_classes_of_like_scores():
    scores, codes = two_kinds()
    taxonomy = Clustered(n_clusters=2)
    categories, rows = taxonomy.assign(scores, codes, 41, np.random.RandomState(0))
    even, odd = categories[0], categories[1]
    assert {even, odd} == {0, 1}
    np.testing.assert_array_equal(categories[:39], np.where(np.arange(39) % 2, odd, even))
    np.testing.assert_array_equal(categories[39:], [-1, -1])  # three rows, and none
    assert len(rows) == pytest.approx((1 - 39 / (75 + 39)) * len(codes), abs=100)
    others = np.setdiff1d(np.arange(len(codes)), rows)
    changed = scores.copy()
    changed[rows] = 0  # only rows that do not count in the quantiles describe the classes
    again, _ = taxonomy.assign(changed, codes, 41, np.random.RandomState(0))
    np.testing.assert_array_equal(again, categories)
    assert len(others) > 0


def test_the_number_of_clusters_of_the_article():
    scores, codes = two_kinds(30, 80)
    categories, _ = Clustered().assign(scores, codes, 30, np.random.RandomState(0))
    assert len(np.unique(categories[categories >= 0])) == int(80 * 29 / (75 + 29) / 2)


@pytest.mark.parametrize(("n_classes", "n_each"), [(4, 30), (30, 5)])
def test_too_few_rows_for_clusters(n_classes, n_each):
    scores, codes = two_kinds(n_classes, n_each)
    categories, rows = Clustered().assign(scores, codes, n_classes, np.random.RandomState(0))
    assert (categories == -1).all()
    np.testing.assert_array_equal(rows, np.arange(len(codes)))


def test_equal_descriptions_are_one_cluster():
    codes = np.repeat(np.arange(40), 50)
    categories, _ = Clustered().assign(np.ones(2000), codes, 40, np.random.RandomState(0))
    assert (categories == 0).all()


@pytest.mark.parametrize(
    "taxonomy", [Clustered(n_clusters=0), Clustered(min_rows=1), Clustered(min_rows=2.5)]
)
def test_limits_of_clusters(taxonomy):
    with pytest.raises(InvalidParameterError, match="parameter of Clustered must be"):
        taxonomy_for(taxonomy)
