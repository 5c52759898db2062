"""`CostSensitiveClassifier`: scikit-learn's checks, decisions worked by hand, costs of rows, bad input."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from stated import stating

from linclf import SoftmaxClassifier, SVMClassifier
from linclf.decisions import CostSensitiveClassifier

X, Y = load_iris(return_X_y=True)
X = scale(X)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
COSTS = np.array([[0.0, 1.0, 4.0], [2.0, 0.0, 1.0], [9.0, 3.0, 0.0]])


@parametrize_with_checks([CostSensitiveClassifier(LogisticRegression())])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_two_classes_worked_by_hand():
    # to call an ill row well costs 9, to call a well row ill 1: ill from a probability of 1/10 on
    model, rows = stating([[0.05, 0.95], [0.11, 0.89], [0.9, 0.1]], ["ill", "well"])
    clf = CostSensitiveClassifier(model, [[0, 9], [1, 0]]).fit(rows, ["ill", "well", "ill"])
    np.testing.assert_allclose(clf.expected_cost(rows), [[0.95, 0.45], [0.89, 0.99], [0.1, 8.1]])
    np.testing.assert_allclose(clf.decision_function(rows), [0.5, -0.1, -8.0])
    assert clf.predict(rows).tolist() == ["well", "ill", "ill"]


def test_three_classes_worked_by_hand():
    # expected costs of row 0: .2*0 + .3*2 + .5*9 = 5.1, .2*1 + .5*3 = 1.7, .2*4 + .3*1 = 1.1
    p = [[0.2, 0.3, 0.5], [0.8, 0.1, 0.1], [0.4, 0.4, 0.2]]
    model, rows = stating(p, [1, 2, 3])
    clf = CostSensitiveClassifier(model, COSTS).fit(rows, [1, 2, 3])
    expected = [[5.1, 1.7, 1.1], [1.1, 1.1, 3.3], [2.6, 1.0, 2.0]]
    np.testing.assert_allclose(clf.expected_cost(rows), expected)
    np.testing.assert_allclose(clf.decision_function(rows), -np.array(expected))
    assert clf.predict(rows)[[0, 2]].tolist() == [3, 2]


def test_costs_of_rows_replace_those_of_the_classifier():
    model, rows = stating([[0.2, 0.8], [0.2, 0.8]])
    clf = CostSensitiveClassifier(model).fit(rows, [0, 1])
    assert clf.predict(rows).tolist() == [1, 1]
    costs = np.array([[[0, 1], [1, 0]], [[0, 5], [1, 0]]])  # .8 against .2, .8 against 1
    np.testing.assert_allclose(clf.expected_cost(rows, costs), [[0.8, 0.2], [0.8, 1.0]])
    assert clf.predict(rows, costs=costs).tolist() == [1, 0]
    for_all = CostSensitiveClassifier(LogisticRegression(), COSTS).fit(X, Y)
    alike = np.broadcast_to(COSTS, (150, 3, 3))
    np.testing.assert_array_equal(for_all.predict(X), for_all.predict(X, costs=alike))


def test_one_cost_for_every_error_is_the_most_probable_class():
    clf = CostSensitiveClassifier(LogisticRegression()).fit(X, NAMES)
    np.testing.assert_array_equal(clf.predict(X), LogisticRegression().fit(X, NAMES).predict(X))
    np.testing.assert_array_equal(clf.costs_, 1 - np.eye(3))


def test_a_dict_of_pairs_is_the_matrix():
    classes = np.unique(NAMES).tolist()
    pairs = {(i, j): COSTS[a, b] for a, i in enumerate(classes) for b, j in enumerate(classes) if a != b}
    clf = CostSensitiveClassifier(LogisticRegression(), pairs).fit(X, NAMES)
    np.testing.assert_array_equal(clf.costs_, COSTS)
    right = CostSensitiveClassifier(LogisticRegression(), {**pairs, ("setosa", "setosa"): 0.5}).fit(X, NAMES)
    assert right.costs_[0, 0] == 0.5
    numbers = CostSensitiveClassifier(LogisticRegression(), {(0, 1): 10, (1, 0): 1}).fit(X[:100], Y[:100])
    np.testing.assert_array_equal(numbers.costs_, [[0, 10], [1, 0]])


def test_the_same_constant_in_a_row_changes_no_decision():
    costs = COSTS + np.array([[0.0], [2.0], [5.0]])
    model = LogisticRegression().fit(X, Y)
    first, second = (CostSensitiveClassifier(FrozenEstimator(model), c).fit(X, Y) for c in (COSTS, costs))
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    assert (first.predict(X) != model.predict(X)).any()


def test_expected_costs_are_what_the_decisions_cost():
    """If the probabilities are true, the mean cost is the mean expected cost, and no other rule pays less."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], size=40_000)
    y = (p.cumsum(axis=1) < rng.uniform(size=(len(p), 1))).sum(axis=1)
    model, rows = stating(p)
    clf = CostSensitiveClassifier(model, COSTS).fit(rows, y)
    paid = COSTS[y, clf.predict(rows)].mean()
    assert paid == pytest.approx(clf.expected_cost(rows).min(axis=1).mean(), abs=0.02)
    assert paid < COSTS[y, p.argmax(axis=1)].mean() - 0.1


# ---------------------------------------------------------------- inside other estimators


def test_a_search_over_the_inner_penalty():
    search = GridSearchCV(
        CostSensitiveClassifier(make_pipeline(StandardScaler(), LogisticRegression()), COSTS),
        {"estimator__logisticregression__C": [0.01, 1.0]},
        scoring=lambda model, X, y: -COSTS[y, model.predict(X)].mean(),
        cv=3,
    ).fit(X, Y)
    assert search.best_params_ == {"estimator__logisticregression__C": 1.0}


def test_names_of_columns_are_those_of_the_classifier():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    clf = CostSensitiveClassifier(LogisticRegression(), COSTS).fit(table, NAMES)
    assert clf.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert set(clf.predict(table)) == set(NAMES)


def test_weights_reach_the_classifier():
    weights = 1.0 + (Y == 1) * 5
    clf = CostSensitiveClassifier(LogisticRegression(), COSTS).fit(X, Y, sample_weight=weights)
    expected = LogisticRegression().fit(X, Y, sample_weight=weights).coef_
    np.testing.assert_allclose(clf.estimator_.coef_, expected)
    with pytest.raises(ValueError, match=r"fit of KNeighborsClassifier.* takes none"):
        CostSensitiveClassifier(KNeighborsClassifier(), COSTS).fit(X, Y, sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        routed = CostSensitiveClassifier(LogisticRegression().set_fit_request(sample_weight=True), COSTS)
        np.testing.assert_allclose(routed.fit(X, Y, sample_weight=weights).estimator_.coef_, expected)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ([[0, 1], [1, 0]], r"shape \(2, 2\), and there are 3 classes: pass an array \(3, 3\)"),
        ([0, 1, 2], r"shape \(3,\)"),
        (np.where(np.eye(3) > 0, -1.0, 0.0), r"costs\[0, 0\]=-1.0 is negative.*subtract from each row"),
        (np.where(COSTS == 4, -4.0, COSTS), r"costs\[0, 2\]=-4.0 is negative"),
        (np.where(COSTS == 9, np.nan, COSTS), r"costs\[2, 0\]=nan is not finite"),
        (np.where(COSTS == 9, np.inf, COSTS), r"costs\[2, 0\]=inf is not finite"),
        (np.eye(3), "makes no wrong answer dearer"),
        (np.zeros((3, 3)), "makes no wrong answer dearer"),
        ([["a", "b", "c"]] * 3, "is not an array of numbers"),
        ({(0, 1): 1}, r"no entry \(0, 2\)"),
        ({(0, "b"): 1}, r"has the key \(0, 'b'\)"),
    ],
)
def test_costs_that_are_none_are_refused(costs, message):
    with pytest.raises(ValueError, match=message):
        CostSensitiveClassifier(LogisticRegression(), costs).fit(X, Y)


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        (COSTS, r"shape \(3, 3\): pass an array \(n_samples, n_classes, n_classes\), here \(150, 3, 3\)"),
        (np.full((150, 3, 3), np.nan), r"costs\[0, 0, 0\]=nan is not finite"),
        (-np.ones((150, 3, 3)), "is negative"),
    ],
)
def test_costs_of_rows_that_are_none_are_refused(costs, message):
    clf = CostSensitiveClassifier(LogisticRegression()).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        clf.predict(X, costs=costs)


@pytest.mark.parametrize("estimator", [LinearSVC(), SVMClassifier()])
def test_a_classifier_without_probabilities_is_refused(estimator):
    with pytest.raises(
        ValueError, match=r"has no predict_proba; use linclf\.calibration\.CalibratedClassifier"
    ):
        CostSensitiveClassifier(estimator).fit(X, Y)


def test_linclf_inside():
    clf = CostSensitiveClassifier(SoftmaxClassifier(alpha=0.1), COSTS).fit(X, NAMES)
    p = SoftmaxClassifier(alpha=0.1).fit(X, NAMES).predict_proba(X)
    np.testing.assert_array_equal(clf.predict(X), clf.classes_[(p @ COSTS).argmin(axis=1)])


# ---------------------------------------------------------------- tables with names


def test_a_data_frame_is_read_by_its_labels():
    pandas = pytest.importorskip("pandas")
    names = np.array(["a", "b", "c"])[Y]
    expected = CostSensitiveClassifier(SoftmaxClassifier(), COSTS).fit(X, names).costs_
    table = pandas.DataFrame(COSTS, index=list("abc"), columns=list("abc"))
    for rows, columns in (("abc", "abc"), ("cab", "cab"), ("bca", "acb")):
        given = table.loc[list(rows), list(columns)]
        found = CostSensitiveClassifier(SoftmaxClassifier(), given).fit(X, names).costs_
        np.testing.assert_array_equal(found, expected)
    found = CostSensitiveClassifier(SoftmaxClassifier(), np.asarray(table)).fit(X, names).costs_
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("index", "columns", "message"),
    [
        ("abz", "abz", r"has the key \('a', 'z'\): keys are pairs .* \('a', 'c'\) is missing"),
        ("abc", "abz", "both must name each class once"),
        ("aab", "aab", "both must name each class once"),
        ([0, 1, 2], [0, 1, 2], "keys are pairs"),
    ],
)
def test_a_data_frame_of_other_labels_is_refused(index, columns, message):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(COSTS, index=list(index), columns=list(columns))
    with pytest.raises(ValueError, match=message):
        CostSensitiveClassifier(SoftmaxClassifier(), table).fit(X, np.array(["a", "b", "c"])[Y])


def test_tables_for_each_row_are_arrays():
    pandas = pytest.importorskip("pandas")
    clf = CostSensitiveClassifier(SoftmaxClassifier(), COSTS).fit(X, Y)
    for costs in (pandas.DataFrame(COSTS), {(0, 1): 1}):
        with pytest.raises(ValueError, match="costs of rows are an array"):
            clf.predict(X, costs=costs)


def test_complete_costs_are_for_every_part_of_the_classes():
    costs = {(i, j): COSTS[i, j] for i in range(3) for j in range(3)}
    part = Y != 1
    clf = CostSensitiveClassifier(SoftmaxClassifier(), costs).fit(X[part], Y[part])
    np.testing.assert_array_equal(clf.costs_, COSTS[np.ix_([0, 2], [0, 2])])
    del costs[2, 1]
    with pytest.raises(ValueError, match=r"Costs of more classes are accepted if .* \(2, 1\) is missing"):
        CostSensitiveClassifier(SoftmaxClassifier(), costs).fit(X[part], Y[part])
