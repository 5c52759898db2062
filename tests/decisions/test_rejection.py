"""`RejectClassifier`: scikit-learn's checks, bounds worked by hand, labels of rejected rows, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import scale
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from stated import stating

from linclf import SoftmaxClassifier
from linclf.decisions import RejectClassifier
from linclf.display import RiskCoverageDisplay

X, Y = load_iris(return_X_y=True)
X = scale(X)
P = [[0.9, 0.1], [0.35, 0.65], [0.45, 0.55], [0.2, 0.8]]


@parametrize_with_checks([RejectClassifier(LogisticRegression(), coverage=1.0)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_chow_worked_by_hand():
    # a prediction costs 1 - max p on average: .1, .35, .45, .2; a rejected row costs .35
    model, rows = stating(P)
    clf = RejectClassifier(model, cost=0.35).fit(rows, [0, 1, 1, 1])
    assert clf.bound_ == 0.65
    assert clf.accepts(rows).tolist() == [True, True, False, True]
    assert clf.predict(rows).tolist() == [0, 1, -1, 1]
    np.testing.assert_array_equal(clf.predict_proba(rows), P)
    kept = clf.accepts(rows)
    assert clf.score(rows, [0, 0, 1, 1]) == 0.5
    assert clf.score(rows[kept], [0, 0, 1]) == 2 / 3


@pytest.mark.parametrize(
    ("coverage", "bound", "weights"),
    [
        (1.0, 0.0, None),
        (0.75, 0.65, None),
        (0.76, 0.55, None),
        (0.5, 0.8, None),
        (0.01, 0.9, None),
        (0.5, 0.65, [1, 2, 1, 1]),  # weights from the surest on: 1 of 5, 2 of 5, 4 of 5
        (0.4, 0.8, [1, 2, 1, 1]),
        (0.5, 0.65, [0, 1, 1, 0]),
    ],
)
def test_coverage_worked_by_hand(coverage, bound, weights):
    model, rows = stating(P)
    clf = RejectClassifier(model, coverage=coverage).fit(rows, [0, 1, 0, 1], sample_weight=weights)
    assert clf.bound_ == bound


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1.0), st.integers(2, 5), st.booleans())
@settings(max_examples=50, deadline=None)
def test_at_least_the_coverage_is_kept_and_no_higher_bound_keeps_it(seed, coverage, n_classes, ties):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(n_classes), 50)
    if ties:
        p = (p > p.mean(axis=1, keepdims=True)) + 0.1
        p /= p.sum(axis=1, keepdims=True)
    y, weights = np.arange(50) % n_classes, rng.integers(1, 4, 50)
    model, rows = stating(p)
    clf = RejectClassifier(model, coverage=coverage).fit(rows, y, sample_weight=weights)
    share = np.average(clf.accepts(rows), weights=weights)
    assert share >= coverage - 1e-9
    above = np.average(p.max(axis=1) > clf.bound_, weights=weights)
    assert above < coverage or coverage == 1
    repeated = RejectClassifier(model, coverage=coverage).fit(rows.repeat(weights, axis=0), y.repeat(weights))
    assert repeated.bound_ == clf.bound_


def test_the_bound_is_that_of_rows_held_out():
    clf = RejectClassifier(LogisticRegression(), coverage=0.8, cv=StratifiedKFold(3)).fit(X, Y)
    p = cross_val_predict(LogisticRegression(), X, Y, cv=StratifiedKFold(3), method="predict_proba")
    assert clf.bound_ == np.sort(p.max(axis=1))[::-1][119]
    expected = LogisticRegression().fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(clf.accepts(X), expected.max(axis=1) >= clf.bound_)


def test_rows_that_are_kept_are_mostly_right():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    clf = RejectClassifier(SoftmaxClassifier(alpha=1e-3), coverage=0.9).fit(X, y)
    kept = clf.accepts(X_test)
    assert abs(kept.mean() - 0.9) < 0.04
    wrong = clf.estimator_.predict(X_test) != y_test
    assert wrong[kept].mean() < wrong.mean() / 2
    # a point on the curve of the classifier inside
    display = RiskCoverageDisplay.from_estimator(clf.estimator_, X_test, y_test, doubts=["max_probability"])
    at = np.searchsorted(display.coverage_, kept.mean() - 1e-9)
    assert display.risk_["max_probability"][at] == pytest.approx(wrong[kept].mean(), abs=1e-9)


# ---------------------------------------------------------------- the label of rejected rows


@pytest.mark.parametrize(
    ("classes", "given", "label", "dtype"),
    [
        ([0, 1], None, -1, np.int64),
        ([-1, 1], None, -2, np.int64),
        ([5, 7], None, -1, np.int64),
        (np.array([0, 255], np.uint8), None, -1, np.int16),
        (np.array([-128, 1], np.int8), None, -129, np.int16),
        (np.array([0, 1], np.uint64), None, -1, object),
        ([False, True], None, -1, np.int8),
        ([0.0, 1.0], None, -1, np.float64),
        (["a", "b"], None, "rejected", "<U8"),
        (["a", "b"], "?", "?", "<U1"),
        (np.array(["a", "b"], object), None, "rejected", object),
        ([0, 1], 9, 9, np.int64),
        ([b"a", b"b"], b"none", b"none", "S4"),
    ],
)
def test_the_label_of_rejected_rows(classes, given, label, dtype):
    classes = np.asarray(classes)
    model, rows = stating(P, classes)
    clf = RejectClassifier(model, cost=0.35, reject_label=given).fit(rows, classes[[0, 1, 1, 0]])
    found = clf.predict(rows)
    assert found.dtype == dtype
    np.testing.assert_array_equal(clf.reject_label_, label)
    assert found[[0, 1, 3]].tolist() == classes[[0, 1, 1]].tolist()
    np.testing.assert_array_equal(found[2], label)
    np.testing.assert_array_equal(clf.classes_, classes)
    # the type does not depend on whether a row is rejected
    assert clf.predict(rows[:1]).dtype == dtype


@pytest.mark.parametrize(
    ("classes", "label", "message"),
    [
        ([0, 1], 1, "reject_label=1 is one of the classes"),
        ([0, 1], np.nan, "reject_label=nan equals no label"),
        (["a", "b"], "b", "reject_label='b' is one of the classes"),
        (["a", "rejected"], None, "reject_label='rejected' is one of the classes"),
        (["a", "b"], -1, "reject_label=-1 is of another kind than classes such as 'a'"),
        ([0, 1], "?", r"reject_label='\?' is of another kind than classes such as 0"),
        ([b"a", b"b"], None, "reject_label=None has no meaning for classes such as b'a'"),
    ],
)
def test_labels_that_cannot_stand_for_rejected_rows(classes, label, message):
    y = np.asarray(classes)[np.arange(150) % 2]
    with pytest.raises(ValueError, match=message):
        RejectClassifier(SoftmaxClassifier(), cost=0.3, reject_label=label).fit(X, y)


# ---------------------------------------------------------------- inside other estimators


def test_a_search_over_the_inner_penalty_and_the_cost():
    def gain(model, X, y):
        found = model.predict(X)
        return np.mean(np.where(found == -1, 0.0, np.where(found == y, 1.0, -20.0)))

    grid = {"estimator__C": [1e-4, 1.0], "cost": [0.2, 1.0]}
    search = GridSearchCV(RejectClassifier(LogisticRegression()), grid, scoring=gain, cv=3).fit(X, Y)
    assert search.best_params_ == {"cost": 0.2, "estimator__C": 1.0}


def test_tables_and_routed_weights():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    weights = 1.0 + Y
    expected = RejectClassifier(LogisticRegression(), coverage=0.8).fit(X, Y, sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        clf = RejectClassifier(model, coverage=0.8).fit(table, Y, sample_weight=weights)
    assert clf.bound_ == pytest.approx(expected.bound_)
    np.testing.assert_array_equal(clf.predict(table), expected.predict(X))
    assert clf.feature_names_in_.tolist() == ["a", "b", "c", "d"]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "cost=None and coverage=None: give one of them"),
        ({"cost": 0.1, "coverage": 0.9}, r"cost=0\.1 and coverage=0\.9: give one of them"),
        ({"cost": 1.5}, "'cost' parameter"),
        ({"cost": -0.1}, "'cost' parameter"),
        ({"cost": np.nan}, "'cost' parameter"),
        ({"coverage": 0.0}, "'coverage' parameter"),
        ({"coverage": 1.1}, "'coverage' parameter"),
        ({"cost": 0.1, "cv": 3}, "cv=3 is for coverage"),
        ({"coverage": 0.9, "estimator": LinearSVC()}, "has no predict_proba; use"),
        ({"coverage": 0.9, "estimator": stating(P)[0], "cv": 3}, "cv=3 is for an estimator"),
    ],
)
def test_parameters_that_are_none_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        RejectClassifier(**{"estimator": LogisticRegression(), **parameters}).fit(X[:, :1] * 0, Y)


def test_weights_that_nothing_uses_are_refused():
    with pytest.raises(ValueError, match="takes none"):
        RejectClassifier(KNeighborsClassifier(), cost=0.1).fit(X, Y, sample_weight=1.0 + Y)
    with pytest.warns(UserWarning, match="takes no sample_weight, so that only the coverage uses it"):
        RejectClassifier(KNeighborsClassifier(), coverage=0.9).fit(X, Y, sample_weight=1.0 + Y)
