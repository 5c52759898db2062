"""`LabelThresholdClassifier`: scikit-learn's checks, brute force over thresholds, folds, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, make_multilabel_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import scale
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from stated import stating

from linclf import LinearClassifier, SoftmaxClassifier
from linclf.decisions import (
    F1,
    ErrorCosts,
    LabelThresholdClassifier,
    PrecisionAtRecall,
    RecallAtPrecision,
)
from linclf.decisions._labels import tuned_threshold
from linclf.decisions.criteria import Outcomes

X, Y = make_multilabel_classification(400, 8, n_classes=4, n_labels=1, random_state=0)
X = scale(X)
MODEL = OneVsRestClassifier(LogisticRegression())


class Tree(DecisionTreeClassifier):
    """A tree of several labels whose probabilities are an array, and never 0 or 1, as a check asks for."""

    def predict_proba(self, X):
        p = super().predict_proba(X)
        p = np.column_stack([1 - each[:, 0] for each in p]) if isinstance(p, list) else p
        return 0.01 + 0.98 * p


@parametrize_with_checks([LabelThresholdClassifier(Tree(max_depth=3, random_state=0), cv=2)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# ---------------------------------------------------------------- one label


CRITERIA = [F1(), ErrorCosts(1, 4), RecallAtPrecision(0.7), PrecisionAtRecall(0.7)]


def judged(criterion, y, found, weights):
    """The criterion by scikit-learn's metrics."""
    weigh = {"sample_weight": weights, "zero_division": 0}
    precision, recall = precision_score(y, found, **weigh), recall_score(y, found, **weigh)
    match criterion:
        case F1():
            return f1_score(y, found, **weigh)
        case ErrorCosts(false_positive, false_negative):
            cost = np.where(y == found, 0.0, np.where(y == 1, false_negative, false_positive))
            return -np.average(cost, weights=weights)
        case RecallAtPrecision(least):
            return recall if precision >= least - 1e-12 or not found.any() else -np.inf
        case PrecisionAtRecall(least):
            return precision if recall >= least - 1e-12 else -np.inf


@given(st.integers(0, 2**32 - 1), st.integers(2, 25), st.booleans(), st.sampled_from(CRITERIA))
@settings(max_examples=60, deadline=None)
def test_the_threshold_is_the_best_of_all(seed, n, ties, criterion):
    rng = np.random.default_rng(seed)
    p, y = rng.uniform(size=n), rng.integers(0, 2, n)
    y[0] = 1
    p = np.round(p, 1) if ties else p
    weights = rng.integers(1, 4, n) * 1.0
    threshold, value, base = tuned_threshold(p, y == 1, weights, criterion)
    assert value == pytest.approx(judged(criterion, y, (p > threshold).astype(int), weights))
    assert base == pytest.approx(judged(criterion, y, (p > 0.5).astype(int), weights))
    every = [judged(criterion, y, (p > t).astype(int), weights) for t in (-1.0, *p, 0.5)]
    assert value == pytest.approx(max(every))
    assert value >= base
    copies = np.repeat(np.arange(n), weights.astype(int))
    assert tuned_threshold(p[copies], y[copies] == 1, np.ones(len(copies)), criterion)[0] == threshold


def test_criteria_worked_by_hand():
    # 10 rows, 4 with the label; 5 get it, 3 of them rightly
    outcomes = Outcomes(10.0, 4.0, np.array([3.0]), np.array([2.0]), np.array([3.0]))
    assert F1().value(outcomes) == pytest.approx(2 * 3 / (5 + 4))
    assert ErrorCosts(1, 7).value(outcomes) == pytest.approx(-(2 + 7) / 10)
    assert RecallAtPrecision(0.6).value(outcomes) == 0.75
    assert RecallAtPrecision(0.61).value(outcomes) == -np.inf
    assert PrecisionAtRecall(0.75).value(outcomes) == 0.6
    assert PrecisionAtRecall(0.76).value(outcomes) == -np.inf


# ---------------------------------------------------------------- a precision with confidence


def test_what_is_shown_is_what_exact_tests_in_order_show():
    """The bound is SciPy's exact one-sided interval, and the order is that of the docstring."""
    rng = np.random.default_rng(0)
    p = np.clip(np.linspace(1.3, 0.3, 400), 0, 1)
    has = rng.uniform(size=400) < p
    found, expected = (np.concatenate([[0], np.cumsum(each)]) for each in (has, p**1.5))

    def bound(count, n, confidence):
        test = stats.binomtest(int(count), n, alternative="greater")
        return test.proportion_ci(confidence, method="exact").low

    for precision, confidence in ((0.6, 0.9), (0.8, 0.8), (0.9, 0.95)):
        hopes = [stats.beta.ppf(1 - confidence, expected[m], m - expected[m] + 1) for m in range(1, 401)]
        shown, m = [0], 1 + int(np.argmax(hopes))
        assert m > 100
        while m <= 400 and bound(found[m], m, confidence) >= precision:
            shown.append(m)
            m = int(np.ceil(1.1 * m))
        assert 1 < len(shown) < 20
        outcomes = Outcomes(400.0, float(found[-1]), found * 1.0, np.arange(401.0) - found, expected)
        value = RecallAtPrecision(precision, confidence).value(outcomes)
        assert np.flatnonzero(np.isfinite(value)).tolist() == shown
        np.testing.assert_allclose(value[shown], found[shown] / found[-1])


# where the precision is just too low for all rows, falls slowly below 0.8, and is high for few rows only
WAYS = {
    "constant": lambda u: np.full(len(u), 0.79),
    "falling": lambda u: np.clip(0.6 + 0.3 * u, 0, 1),
    "a few": lambda u: np.where(u > 0.9, 0.85, np.where(u > 0.2, 0.78, 0.1)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_precision_with_confidence_is_that_of_new_rows(way):
    """Of 2,000 fits, at most a tenth may have a precision below 0.8; without confidence most have."""
    true = WAYS[way]
    grid = np.linspace(0, 1, 20_001)
    above = np.cumsum(true(grid)[::-1])[::-1] / np.arange(len(grid), 0, -1)  # precision of rows above
    rng = np.random.default_rng(0)
    below = {None: 0, 0.9: 0}
    for _ in range(2000):
        u = rng.uniform(size=300)
        has = rng.uniform(size=300) < true(u)
        for confidence in below:
            criterion = RecallAtPrecision(0.8, confidence)
            threshold, _, _ = tuned_threshold(u, has, np.ones(300), criterion)
            if threshold < 1:
                below[confidence] += above[np.searchsorted(grid, max(threshold, 0))] < 0.8
    assert below[0.9] <= 200 + 3 * np.sqrt(2000 * 0.1 * 0.9)
    assert below[None] > 800


def test_a_weight_is_a_number_of_rows_for_a_confidence_too():
    rng = np.random.default_rng(1)
    p = rng.uniform(size=200)
    has, counts = rng.uniform(size=200) < np.sqrt(p), rng.integers(1, 4, 200)
    criterion = RecallAtPrecision(0.8, confidence=0.9)
    weighted = tuned_threshold(p, has, counts * 1.0, criterion)
    repeated = tuned_threshold(p.repeat(counts), has.repeat(counts), np.ones(counts.sum()), criterion)
    assert weighted == pytest.approx(repeated)
    assert 0.2 < weighted[0] < 0.9
    assert tuned_threshold(p, has, np.ones(200), criterion)[1] < weighted[1]  # fewer rows show less


def test_too_few_rows_for_a_confidence_are_said():
    model, rows = stating(np.column_stack([1 - np.linspace(0, 1, 60), np.linspace(0, 1, 60)]))
    y = (np.arange(60) >= 35).astype(int)  # 25 rows, told apart; 29 would be needed
    with pytest.warns(UserWarning, match=r"confidence=0.95\) on the held-out rows.*use more rows"):
        clf = LabelThresholdClassifier(model, criterion=RecallAtPrecision(0.9, confidence=0.95)).fit(rows, y)
    assert clf.thresholds_.tolist() == [1]
    clf = LabelThresholdClassifier(model, criterion=RecallAtPrecision(0.9, confidence=0.9)).fit(rows, y)
    assert clf.best_scores_.tolist() == [1]


def test_the_threshold_of_costs_is_that_of_the_formula():
    """With true probabilities it is false_positive / (false_positive + false_negative)."""
    rng = np.random.default_rng(0)
    p = rng.uniform(size=50_000)
    has = rng.uniform(size=len(p)) < p
    threshold, _, _ = tuned_threshold(p, has, np.ones(len(p)), ErrorCosts(1, 4))
    assert threshold == pytest.approx(0.2, abs=0.02)


# ---------------------------------------------------------------- several labels


def test_labels_are_tuned_one_by_one_on_rows_held_out():
    cv = KFold(4)
    clf = LabelThresholdClassifier(MODEL, criterion="f1", cv=cv).fit(X, Y)
    p = cross_val_predict(MODEL, X, Y, cv=cv, method="predict_proba")
    for label in range(4):
        threshold, best, base = tuned_threshold(p[:, label], Y[:, label] == 1, np.ones(400), F1())
        assert clf.thresholds_[label] == threshold
        assert (
            clf.best_scores_[label] == best == pytest.approx(f1_score(Y[:, label], p[:, label] > threshold))
        )
        assert clf.base_scores_[label] == base == pytest.approx(f1_score(Y[:, label], p[:, label] > 0.5))
    assert (clf.best_scores_ >= clf.base_scores_).all()
    assert clf.best_scores_.mean() > clf.base_scores_.mean() + 0.02
    fitted = OneVsRestClassifier(LogisticRegression()).fit(X, Y)
    np.testing.assert_array_equal(clf.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(clf.predict(X), fitted.predict_proba(X) > clf.thresholds_)
    np.testing.assert_allclose(clf.decision_function(X), fitted.predict_proba(X) - clf.thresholds_)
    assert clf.classes_.tolist() == [0, 1, 2, 3]


def test_folds_share_the_rows_of_rare_labels():
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=(200, 3)) < [0.5, 0.1, 0.03]).astype(int)
    y[:, 2] = np.arange(200) < 5  # sorted: folds of consecutive rows would train on none

    class Remembers(ClassifierMixin, BaseEstimator):
        trained = []

        def fit(self, X, y):
            self.trained.append(y.sum(axis=0))
            return self

        def predict_proba(self, X):
            return np.full((len(X), 3), 0.5)

        def predict(self, X):
            return self.predict_proba(X) > 0.5

    LabelThresholdClassifier(Remembers()).fit(np.zeros((200, 1)), y)
    everything, *folds = Remembers.trained
    assert everything.tolist() == y.sum(axis=0).tolist()
    assert len(folds) == 5
    assert [fold[2] for fold in folds] == [4] * 5
    np.testing.assert_array_equal(np.sum(folds, axis=0)[2], 4 * 5)


def test_lists_of_probabilities_are_understood():
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    y = np.column_stack([Y, np.zeros(400, int)])  # a label that no row has
    clf = LabelThresholdClassifier(tree, cv=3).fit(X, y)
    listed = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y).predict_proba(X)
    expected = np.column_stack([*(each[:, 1] for each in listed[:4]), np.zeros(400)])
    np.testing.assert_array_equal(clf.predict_proba(X), expected)
    assert clf.thresholds_[4] == 0.5
    assert clf.predict(X)[:, 4].tolist() == [0] * 400


def test_a_frozen_estimator_is_tuned_with_all_rows_that_have_weight():
    fitted = OneVsRestClassifier(LogisticRegression()).fit(X[:200], Y[:200])
    weights = np.arange(200) % 3 * 1.0
    clf = LabelThresholdClassifier(FrozenEstimator(fitted)).fit(X[200:], Y[200:], sample_weight=weights)
    copies = np.repeat(np.arange(200, 400), weights.astype(int))
    repeated = LabelThresholdClassifier(FrozenEstimator(fitted)).fit(X[copies], Y[copies])
    np.testing.assert_allclose(clf.thresholds_, repeated.thresholds_)
    for label in range(4):
        found = clf.predict(X[copies])[:, label]
        assert clf.best_scores_[label] == pytest.approx(f1_score(Y[copies][:, label], found))
    with pytest.raises(ValueError, match="cv=3 is for an estimator"):
        LabelThresholdClassifier(FrozenEstimator(fitted), cv=3).fit(X, Y)


def test_forms_of_y_are_the_same():
    pandas = pytest.importorskip("pandas")
    expected = LabelThresholdClassifier(MODEL).fit(X, Y).predict(X)
    for y in (sparse.csr_array(Y), Y.tolist(), pandas.DataFrame(Y), Y.astype(float), Y == 1):
        np.testing.assert_array_equal(LabelThresholdClassifier(MODEL).fit(X, y).predict(X), expected)


def test_a_precision_that_cannot_be_reached_is_said():
    y = np.column_stack([np.arange(400) % 2, Y[:, 0]])  # the first has nothing to do with X
    with pytest.warns(UserWarning, match=r"no threshold reaches .*precision=0.99.* for label 0.*never"):
        clf = LabelThresholdClassifier(
            OneVsRestClassifier(SoftmaxClassifier(alpha=10.0)), criterion=RecallAtPrecision(0.99)
        ).fit(X, y)
    assert clf.thresholds_[0] == 1
    assert clf.best_scores_[0] == 0
    assert not clf.predict(X)[:, 0].any()


def test_two_classes_are_one_label():
    X, y = load_breast_cancer(return_X_y=True)
    names = np.array(["malignant", "benign"])[y]
    clf = LabelThresholdClassifier(LogisticRegression(), criterion=RecallAtPrecision(0.99), cv=4)
    clf.fit(scale(X), names)
    assert clf.classes_.tolist() == ["benign", "malignant"]
    p = cross_val_predict(LogisticRegression(), scale(X), names, cv=4, method="predict_proba")[:, 1]
    found = p > clf.thresholds_[0]
    assert precision_score(y == 0, found) >= 0.99
    assert recall_score(y == 0, found) == pytest.approx(clf.best_scores_[0])
    expected = np.where(clf.predict_proba(scale(X))[:, 1] > clf.thresholds_[0], "malignant", "benign")
    assert clf.predict(scale(X)).tolist() == expected.tolist()


def test_a_search_over_the_inner_penalty():
    grid = {"estimator__estimator__C": [1e-4, 1.0], "criterion": ["f1", ErrorCosts(1, 4)]}
    search = GridSearchCV(LabelThresholdClassifier(MODEL), grid, scoring="f1_macro", cv=2).fit(X, Y)
    assert search.best_params_ == {"estimator__estimator__C": 1.0, "criterion": "f1"}


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"criterion": "f2"}, r"criterion='f2': pass 'f1', or an object such as"),
        ({"criterion": RecallAtPrecision}, "pass 'f1', or an object"),
        ({"criterion": RecallAtPrecision(0.0)}, r"precision must be a float in the range \(0\.0, 1\.0\]"),
        (
            {"criterion": RecallAtPrecision(0.9, 1.0)},
            r"confidence must be a float in the range \(0\.0, 1\.0\)",
        ),
        (
            {"criterion": RecallAtPrecision(1, 0.9)},
            "no number of rows can show a precision of 1; use a lower",
        ),
        ({"criterion": RecallAtPrecision(None)}, "precision must be"),
        ({"criterion": PrecisionAtRecall(1.1)}, "recall must be"),
        ({"criterion": ErrorCosts(false_negative=-1)}, "false_negative must be"),
        ({"criterion": ErrorCosts(false_negative=np.nan)}, "false_negative must be"),
        ({"cv": 1000}, "cv=1000 folds need as many rows"),
        ({"cv": 1}, "'cv' parameter"),
        ({"estimator": OneVsRestClassifier(LinearSVC())}, "has no predict_proba"),
    ],
)
def test_parameters_that_are_none_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        LabelThresholdClassifier(**{"estimator": MODEL, **parameters}).fit(X, Y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (2 * Y - 1, r"values such as -1: pass 1 where a row has a label and 0 elsewhere"),
        (Y + 0.5, r"has values such as (0|1)\.5: pass 1 where"),
        (Y.sum(axis=1) % 3, "Only binary classification is supported.*use ThresholdClassifier"),
        (Y[:300], "inconsistent numbers of samples"),
        (Y * np.nan, "has values such as nan: pass 1"),
    ],
)
def test_y_that_is_none_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        LabelThresholdClassifier(MODEL).fit(X, y)


def test_a_classifier_of_other_labels_is_refused():
    model, rows = stating(np.full((400, 3), 1 / 3))
    with pytest.raises(ValueError, match="predicts one label a row, and y has 4"):
        LabelThresholdClassifier(model).fit(rows, Y)


def test_weights_that_the_classifier_does_not_take_still_count():
    with pytest.warns(UserWarning, match=r"only the criterion of held-out rows uses it"):
        LabelThresholdClassifier(KNeighborsClassifier()).fit(X, Y, sample_weight=1.0 + Y[:, 0])


# ---------------------------------------------------------------- labels that cannot be had


def test_a_label_without_recall_is_never_predicted_also_if_one_half_predicts_no_row():
    model, rows = stating(np.column_stack([[0.6, 0.7, 0.8, 0.9], [0.4, 0.3, 0.2, 0.1]]))
    with pytest.warns(UserWarning, match="no threshold reaches"):
        clf = LabelThresholdClassifier(model, criterion=RecallAtPrecision(0.9)).fit(rows, [0, 0, 1, 0])
    assert clf.thresholds_.tolist() == [1]
    assert clf.best_scores_.tolist() == clf.base_scores_.tolist() == [0]


def test_which_classifiers_take_several_labels_is_said():
    with pytest.raises(ValueError, match=r"takes one label a row .*loss='one-vs-rest-logistic'"):
        LabelThresholdClassifier(LogisticRegression()).fit(X, Y)
    with pytest.raises(ValueError, match=r"has no predict_proba; use .*loss='one-vs-rest-logistic'"):
        LabelThresholdClassifier(LinearClassifier(loss="squared-one-vs-rest")).fit(X, Y)


def test_a_label_without_rows_in_a_fold_is_named():
    y = np.column_stack([Y, np.arange(len(Y)) == 5])
    model = LinearClassifier(loss="one-vs-rest-logistic")
    with pytest.raises(ValueError, match=r"fold of cv=None, no row to train on has label 4.*FrozenEstimator"):
        LabelThresholdClassifier(model).fit(X, y)
