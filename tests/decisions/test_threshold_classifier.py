"""`ThresholdClassifier`: scikit-learn's checks, the rows that tune, the guarantee on them, and bad input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import load_breast_cancer, make_classification, make_multilabel_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, f1_score, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import scale
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from stated import stating

from linclf import SoftmaxClassifier, SVMClassifier
from linclf.decisions import ThresholdClassifier
from linclf.decisions._scoring import BY_CLASS, OF_POSITIVE


# `predict_proba` is that of the classifier inside, as in TunedThresholdClassifierCV of scikit-learn. A check
# says that its argmax is what is predicted: of a tree that is sure of each row it is, whatever the thresholds
@parametrize_with_checks(
    [
        ThresholdClassifier(DecisionTreeClassifier(random_state=0), scoring="f1_macro"),
        ThresholdClassifier(SVMClassifier(random_state=0), cv=2),
    ]
)
# a check takes the logarithm of predict_proba
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_decisions_change_what_is_predicted_and_the_decision_function_alone(table):
    X, y = table
    clf = ThresholdClassifier(MODEL).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), clf.estimator_.predict_proba(X))
    f = clf.decision_function(X)
    decided = (f > 0).astype(int) if f.ndim == 1 else f.argmax(axis=1)
    np.testing.assert_array_equal(clf.predict(X), decided)
    assert 0.02 < np.mean(clf.predict(X) != clf.estimator_.predict(X)) < 0.5


@pytest.fixture(scope="module", params=[2, 3])
def table(request):
    return make_classification(
        600,
        8,
        n_informative=6,
        n_classes=request.param,
        weights=[0.1, 0.25][: request.param - 1],
        flip_y=0.15,
        class_sep=0.7,
        random_state=0,
    )


MODEL = LogisticRegression()


def held_out_probabilities(X, y, cv, model=MODEL):
    return cross_val_predict(model, X, y, cv=cv, method="predict_proba")


# ---------------------------------------------------------------- what is tuned, on which rows


@pytest.mark.parametrize("scoring", [*BY_CLASS, "matthews_corrcoef", make_scorer(cohen_kappa_score)])
def test_scores_are_those_of_scikit_learn_on_rows_held_out(table, scoring):
    X, y = table
    cv = StratifiedKFold(4)
    clf = ThresholdClassifier(MODEL, scoring=scoring, cv=cv).fit(X, y)
    p = held_out_probabilities(X, y, cv)
    judged = get_scorer(scoring) if isinstance(scoring, str) else scoring
    for score, offsets in ((clf.base_score_, 0.0), (clf.best_score_, clf.offsets_)):
        predicted = (np.log(p) + offsets).argmax(axis=1)
        expected = judged._sign * judged._score_func(y, predicted, **judged._kwargs)
        assert score == pytest.approx(expected, abs=1e-12)
    assert clf.best_score_ >= clf.base_score_
    if scoring in ("balanced_accuracy", "f1_macro", "matthews_corrcoef"):
        assert clf.best_score_ > clf.base_score_ + 0.01
    fitted = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(clf.estimator_.coef_, fitted.coef_)
    np.testing.assert_array_equal(clf.predict_proba(X), fitted.predict_proba(X))
    shifted = np.log(fitted.predict_proba(X)) + clf.offsets_
    np.testing.assert_array_equal(clf.predict(X), shifted.argmax(axis=1))
    expected = shifted[:, 1] - shifted[:, 0] if shifted.shape[1] == 2 else shifted
    np.testing.assert_allclose(clf.decision_function(X), expected)


def best_of_all(p, y, score):
    """The best score of any threshold on the probability of the second of two classes."""
    return max(score(y, p[:, 1] > t) for t in [-1.0, *p[:, 1]])


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1_macro", "accuracy"])
def test_two_classes_reach_the_best_threshold_there_is(table, scoring):
    X, y = table
    y = (y == y.max()).astype(int)
    p = held_out_probabilities(X, y, StratifiedKFold(5))
    judged = get_scorer(scoring)
    best = best_of_all(p, y, lambda y, found: judged._score_func(y, found.astype(int), **judged._kwargs))
    clf = ThresholdClassifier(MODEL, scoring=scoring).fit(X, y)
    assert clf.best_score_ == pytest.approx(best, abs=1e-12)
    # the formula of the docstring
    threshold = 1 / (1 + np.exp(clf.offsets_[1] - clf.offsets_[0]))
    np.testing.assert_array_equal(clf.predict(X), (clf.predict_proba(X)[:, 1] > threshold).astype(int))


def every_partition(p):
    """Offsets (0, a, b) of three classes, of which each way to cut the rows has one at least."""
    f = np.log(p)
    first, second, third = f[:, 0] - f[:, 1], f[:, 0] - f[:, 2], f[:, 1] - f[:, 2]
    # the rows change where a, b or b - a passes one of these; a vertex of the arrangement of these lines
    # touches every one of its cells
    vertices = [(a, b) for a in first for b in second]
    vertices += [(a, a + c) for a in first for c in third] + [(b - c, b) for b in second for c in third]
    vertices = np.unique(np.round(vertices, 9), axis=0)
    steps = 1e-5 * np.array([(1, 2), (2, 1), (-1, 1), (-1, -2), (-2, -1), (1, -1)])
    return (vertices[:, None, :] + steps).reshape(-1, 2)


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1_macro"])
def test_three_classes_are_mostly_the_best_of_all_offsets(scoring):
    """The search moves one offset at a time, and can stop below the best; it does so in few cases."""
    judged = get_scorer(scoring)
    reached = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        y = np.r_[0, 1, 2, rng.choice(3, 11, p=[0.6, 0.25, 0.15])]
        p = np.exp(rng.normal(size=(14, 3)) + 1.5 * np.eye(3)[y] + [1.0, 0.0, 0.0])
        p /= p.sum(axis=1, keepdims=True)
        model, X = stating(p)
        clf = ThresholdClassifier(model, scoring=scoring).fit(X, y)
        predicted = {tuple((np.log(p) + np.array([0, a, b])).argmax(axis=1)) for a, b in every_partition(p)}
        best = max(judged._score_func(y, np.array(each), **judged._kwargs) for each in predicted)
        assert clf.best_score_ <= best + 1e-12
        assert clf.best_score_ > clf.base_score_ - 1e-12
        reached.append(clf.best_score_ > best - 1e-12)
        assert clf.best_score_ > best - 0.1
    assert np.mean(reached) >= 0.75


@st.composite
def problems(draw):
    n_classes = draw(st.integers(2, 5))
    n = draw(st.integers(n_classes, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = np.r_[np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)]
    p = rng.dirichlet(np.full(n_classes, draw(st.sampled_from([0.1, 1.0, 5.0]))), size=n)
    if draw(st.booleans()):
        p = np.round(p, 1)  # many ties
        p[p.sum(axis=1) == 0] = 1
        p /= p.sum(axis=1, keepdims=True)
    weights = draw(st.sampled_from([None, "counts", "floats"]))
    weights = {None: None, "counts": rng.integers(0, 4, n) * 1.0, "floats": rng.uniform(0.1, 3, n)}[weights]
    if weights is not None:
        weights[:n_classes] = 1.0
    return p, y, weights


@given(problems(), st.sampled_from([*BY_CLASS, "matthews_corrcoef"]))
@settings(max_examples=60, deadline=None)
def test_never_worse_than_the_most_probable_class_on_the_held_out_rows(problem, scoring):
    p, y, weights = problem
    model, X = stating(p)
    clf = ThresholdClassifier(model, scoring=scoring).fit(X, y, sample_weight=weights)
    judged, rows = get_scorer(scoring), np.ones(len(y), bool) if weights is None else weights > 0
    counts = None if weights is None else weights[rows]
    scores = [
        judged._score_func(y[rows], found[rows], sample_weight=counts, **judged._kwargs)
        for found in (p.argmax(axis=1), clf.predict(X))
    ]
    assert scores[1] >= scores[0] - 1e-12
    np.testing.assert_allclose([clf.base_score_, clf.best_score_], scores, atol=1e-9)
    assert clf.offsets_[0] == 0
    assert np.isfinite(clf.offsets_).all()


@given(problems(), st.sampled_from(list(BY_CLASS)))
@settings(max_examples=30, deadline=None)
def test_a_weight_is_a_number_of_copies(problem, scoring):
    p, y, weights = problem
    weights = np.arange(len(y)) % 3 + 1 if weights is None else np.ceil(weights)
    weights = weights.astype(int)
    model, X = stating(p)
    weighted = ThresholdClassifier(model, scoring=scoring).fit(X, y, sample_weight=weights)
    repeated = ThresholdClassifier(model, scoring=scoring)
    repeated.fit(X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_allclose(weighted.offsets_, repeated.offsets_, atol=1e-9)
    assert weighted.best_score_ == pytest.approx(repeated.best_score_)


def test_labels_of_any_kind_and_shifted_scores():
    X, y = make_classification(300, weights=[0.8], random_state=0)
    numbers = ThresholdClassifier(MODEL).fit(X, y)
    texts = ThresholdClassifier(MODEL).fit(X, np.array(["no", "yes"])[y])
    np.testing.assert_array_equal(numbers.offsets_, texts.offsets_)
    assert texts.predict(X).tolist() == np.array(["no", "yes"])[numbers.predict(X)].tolist()


def test_scores_stand_for_probabilities_that_a_classifier_does_not_have(table):
    X, y = table
    clf = ThresholdClassifier(LinearSVC()).fit(X, y)
    assert not hasattr(clf, "predict_proba")
    f = LinearSVC().fit(X, y).decision_function(X)
    shifted = (f if f.ndim == 2 else np.column_stack([-f, f]) / 2) + clf.offsets_
    np.testing.assert_array_equal(clf.predict(X), shifted.argmax(axis=1))
    assert clf.best_score_ > clf.base_score_


def test_a_frozen_estimator_is_tuned_with_all_rows(table):
    X, y = table
    fitted = LogisticRegression().fit(X[:300], y[:300])
    clf = ThresholdClassifier(FrozenEstimator(fitted)).fit(X[300:], y[300:])
    assert clf.base_score_ == pytest.approx(balanced_accuracy_score(y[300:], fitted.predict(X[300:])))
    assert clf.best_score_ == pytest.approx(balanced_accuracy_score(y[300:], clf.predict(X[300:])))
    assert clf.estimator_.estimator is fitted
    with pytest.raises(ValueError, match=r"cv=3 is for an estimator that is fitted here"):
        ThresholdClassifier(FrozenEstimator(fitted), cv=3).fit(X, y)


def test_as_good_as_the_thresholds_of_scikit_learn():
    """Theirs are a grid of 100 on averages of folds, ours all thresholds on all folds together."""
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(scale(X), y, test_size=0.5, stratify=y, random_state=0)
    theirs = TunedThresholdClassifierCV(MODEL, scoring="balanced_accuracy").fit(X, y)
    ours = ThresholdClassifier(MODEL, scoring="balanced_accuracy").fit(X, y)
    p = held_out_probabilities(X, y, StratifiedKFold(5))
    on_folds = balanced_accuracy_score(y, p[:, 1] >= theirs.best_threshold_)
    assert ours.best_score_ >= on_folds - 1e-12
    ours, theirs = (balanced_accuracy_score(y_test, clf.predict(X_test)) for clf in (ours, theirs))
    assert ours > theirs - 0.03


# ---------------------------------------------------------------- inside other estimators


def test_a_search_over_the_inner_penalty(table):
    X, y = table
    grid = {"estimator__C": [1e-4, 1.0], "scoring": ["balanced_accuracy", "f1_macro"]}
    search = GridSearchCV(ThresholdClassifier(MODEL, cv=3), grid, cv=2, scoring="f1_macro").fit(X, y)
    assert search.best_params_["estimator__C"] == 1.0
    found = f1_score(y, search.predict(X), average="macro")
    assert found > f1_score(y, LogisticRegression().fit(X, y).predict(X), average="macro")


def test_groups_and_weights_are_routed(table):
    X, y = table
    groups, weights = np.arange(600) % 7, np.random.default_rng(0).uniform(0, 2, 600)
    folds = list(LeaveOneGroupOut().split(X, y, groups))
    expected = ThresholdClassifier(MODEL, cv=folds).fit(X, y, sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        clf = ThresholdClassifier(model, cv=LeaveOneGroupOut())
        clf.fit(X, y, sample_weight=weights, groups=groups)
        assert GroupKFold(7).get_metadata_routing().split.requests == {"groups": True}
    np.testing.assert_allclose(clf.offsets_, expected.offsets_)
    np.testing.assert_allclose(clf.estimator_.coef_, expected.estimator_.coef_)


def test_a_scorer_sees_the_held_out_rows(table):
    X, y = table
    seen = []

    def first_feature(estimator, X, y):
        seen.append(X[:, 0])
        return float(np.mean(estimator.predict(X) == (X[:, 0] > 0)))

    y = (y > 0).astype(int)
    clf = ThresholdClassifier(MODEL, scoring=first_feature).fit(X, y)
    assert sorted(seen[0]) == sorted(X[:, 0])
    assert clf.best_score_ >= clf.base_score_
    with pytest.raises(TypeError, match=r"takes no sample_weight.*fit without sample_weight"):
        clf.fit(X, y, sample_weight=np.ones(600))


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("scoring", ["roc_auc", "neg_log_loss"])
def test_scores_of_probabilities_are_refused(scoring):
    X, y = make_classification(100, random_state=0)
    with pytest.raises(ValueError, match=f"scoring='{scoring}' does not judge predicted labels"):
        ThresholdClassifier(MODEL, scoring=scoring).fit(X, y)


def test_parameters_that_are_none_are_refused():
    X, y = make_classification(100, random_state=0)
    with pytest.raises(ValueError, match="'scoring' parameter"):
        ThresholdClassifier(MODEL, scoring="f1-macro").fit(X, y)
    pairs = SVC(decision_function_shape="ovo")
    X, y = make_classification(100, n_informative=4, n_classes=3, random_state=0)
    with pytest.raises(ValueError, match="scores pairs of classes"):
        ThresholdClassifier(pairs).fit(X, y)


@pytest.mark.parametrize("form", [np.asarray, np.ndarray.tolist, sparse.csr_array, pd.DataFrame])
def test_y_of_several_labels_is_referred_to_the_class_for_them(form):
    X, y = make_multilabel_classification(60, n_classes=3, random_state=0)
    with pytest.raises(ValueError, match=r"\(60, 3\).*several labels a row use .*LabelThresholdClassifier"):
        ThresholdClassifier(MODEL).fit(X, form(y))


def test_a_class_that_a_fold_does_not_know_is_left_out():
    X, y = make_classification(60, n_informative=4, random_state=0)
    y[3] = 7
    with pytest.warns(UserWarning, match=r"no row of class 7, .* do not count for the offsets"):
        clf = ThresholdClassifier(SoftmaxClassifier()).fit(X, y)
    assert clf.classes_.tolist() == [0, 1, 7]
    assert clf.offsets_.shape == (3,)


def test_one_class_with_weight_has_nothing_to_tune():
    X, y = make_classification(60, random_state=0)
    clf = ThresholdClassifier(SoftmaxClassifier()).fit(X, y, sample_weight=1.0 * (y == 1))
    assert np.isnan([clf.best_score_, clf.base_score_]).all()
    assert clf.predict(X).tolist() == [1] * 60


def test_weights_that_the_classifier_does_not_take_still_count_for_the_score():
    X, y = make_classification(100, random_state=0)
    with pytest.warns(UserWarning, match="takes no sample_weight, so that only the score of held-out rows"):
        ThresholdClassifier(KNeighborsClassifier()).fit(X, y, sample_weight=1.0 + y)


# ---------------------------------------------------------------- scores of the class 1, and rare classes


def rare(n=50_000):
    """Rows of which 141 have the label 1, and probabilities of it."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=n)
    p = 1 / (1 + np.exp(8.2 - 2.2 * first))
    y = np.zeros(n, int)
    y[np.argsort(rng.exponential(size=n) / p)[:141]] = 1
    return np.column_stack([1 - p, p]), y


def best_f1(p, y):
    order = np.argsort(-p[:, 1])
    found = np.cumsum(y[order])
    return np.max(2 * found / (np.arange(len(y)) + 1 + y.sum()))


def test_f1_of_a_rare_class_is_the_best_of_all_thresholds():
    p, y = rare()
    model, X = stating(p)
    best = best_f1(p, y)
    assert ThresholdClassifier(model, scoring="f1").fit(X, y).best_score_ == pytest.approx(best, abs=1e-12)
    asked = ThresholdClassifier(model, scoring=make_scorer(f1_score)).fit(X, y)
    assert best - 0.01 < asked.best_score_ <= best + 1e-12


@pytest.mark.parametrize("labels", [[0, 1], [-1, 1], [1, 2], [False, True]])
@pytest.mark.parametrize("scoring", sorted(OF_POSITIVE))
def test_scores_of_the_class_1_are_those_of_scikit_learn(labels, scoring):
    rng = np.random.default_rng(1)
    second = rng.uniform(size=80)
    model, X = stating(np.column_stack([1 - second, second]), labels)
    y = np.array(labels)[(rng.uniform(size=80) ** 2 * 1.5 < second).astype(int)]
    score = get_scorer(scoring)._score_func
    for weights in (None, rng.integers(0, 4, 80).astype(float)):
        clf = ThresholdClassifier(model, scoring=scoring).fit(X, y, sample_weight=weights)
        found = np.array(labels)[(second > 0.5).astype(int)]
        assert clf.base_score_ == pytest.approx(score(y, found, sample_weight=weights))
        assert clf.best_score_ == pytest.approx(score(y, clf.predict(X), sample_weight=weights))
        kept = np.ones(80, bool) if weights is None else weights > 0
        best = max(
            score(y, np.array(labels)[(second > t).astype(int)], sample_weight=weights, zero_division=0)
            for t in [-1.0, *second[kept]]
        )
        assert clf.best_score_ == pytest.approx(best)


@pytest.mark.parametrize("labels", [["ham", "spam"], [0, 1, 2], [3, 4]])
def test_a_score_of_the_class_1_needs_it(labels):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.array(labels)[np.arange(60) % len(labels)]
    with pytest.raises(ValueError, match=r"scoring='f1' is of the class 1 of two.*pass 'f1_macro', or make"):
        ThresholdClassifier(MODEL, scoring="f1").fit(X, y)


def test_a_scorer_that_fails_is_named():
    X, y = make_classification(60, random_state=0)
    with pytest.raises(ValueError, match=r"scoring='r2' failed for .*'no', 'yes'.*'balanced_accuracy'"):
        ThresholdClassifier(MODEL, scoring="r2").fit(X, np.array(["no", "yes"])[y])
