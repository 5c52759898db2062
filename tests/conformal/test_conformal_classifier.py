"""`ConformalClassifier`: scikit-learn's checks, the rows that calibrate, the sets, and what is refused.

Coverage is tested in test_coverage.py, scores and thresholds alone in their own files.
"""

import itertools
import pickle
import tracemalloc

import numpy as np
import pytest
from given_probabilities import GivenProbabilities, drawn, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from test_conformity_scores import in_loops

from linclf import SoftmaxClassifier
from linclf.calibration import CalibratedClassifier
from linclf.conformal import APS, LAC, RAPS, Clustered, ConformalClassifier
from linclf.conformal._rows import BLOCK, split

X, Y = make_classification(600, 6, n_informative=5, n_redundant=0, n_classes=3, flip_y=0.2, random_state=0)
MODEL = LogisticRegression()


@parametrize_with_checks(
    [
        ConformalClassifier(SoftmaxClassifier()),
        ConformalClassifier(LogisticRegression(), conformity_score="raps", taxonomy="cluster"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# ---------------------------------------------------------------- the sets


def dense_sets(score, seed, p_cal, codes, p, coverage):
    """Marginal split conformal sets without blocks, ranks by sorting a list."""
    own = sorted(in_loops(score, p_cal, seed)[np.arange(len(codes)), codes].tolist())
    rank = int(np.ceil(np.round((len(own) + 1) * coverage, 9)))
    return in_loops(score, p, seed) <= own[rank - 1] + 1e-9


@given(st.integers(20, 60), st.integers(1, 30), st.integers(2, 6), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_against_dense_loops(n_cal, n, n_classes, seed):
    rng = np.random.default_rng(seed)
    p_cal, codes = drawn(n_cal, n_classes, rng)
    p, _ = drawn(n, n_classes, rng)
    for name, score in {
        "lac": LAC(),
        "aps": APS(),
        "raps": RAPS(),
        "own": RAPS(penalty=0.2, k_reg=1),
    }.items():
        given_score = score if name == "own" else name
        model = ConformalClassifier(frozen(n_classes), conformity_score=given_score, random_state=seed)
        model.fit(p_cal, codes)
        for coverage in (0.5, 0.9):
            sets = model.predict_set(p, coverage)
            assert sets.shape == p.shape
            assert sets.dtype == bool
            expected = dense_sets(score, model._seed, p_cal, codes, p, coverage)
            np.testing.assert_array_equal(sets.toarray(), expected)


def test_by_hand():
    """Nine rows of true probabilities .1 to .9; at 80 % the 8th highest counts, at 50 % the 5th."""
    own = np.arange(1, 10) / 10
    p = np.column_stack([own, 1 - own])
    model = ConformalClassifier(frozen(2)).fit(p, np.zeros(9, int))
    rows = [[0.2, 0.8], [0.15, 0.85], [0.45, 0.55]]
    np.testing.assert_array_equal(model.predict_set(rows, 0.8).toarray(), [[1, 1], [0, 1], [1, 1]])
    np.testing.assert_array_equal(model.predict_set(rows, 0.5).toarray(), [[0, 1], [0, 1], [0, 1]])


def test_rows_of_equal_probabilities_are_equal_up_to_their_last_digits():
    """A row of ten is wrong, so 90 % needs its class; blocks of BLAS differ in the last digit."""
    p = np.tile(np.float32([[0.7, 0.3]]), (1000, 1))
    codes = (np.arange(1000) % 5 == 0).astype(int)
    model = ConformalClassifier(frozen(2)).fit(p, codes)
    lower = np.nextafter(np.nextafter(p, np.float32(0)), np.float32(0))
    assert model.predict_set(lower, 0.9).toarray().all()


class Lead:
    """How far a class is behind the best one."""

    def of_classes(self, p, seed):
        return p.max(axis=1, keepdims=True) - p


class Halves:
    """The first classes share a threshold, and so do the others."""

    def assign(self, scores, codes, n_classes, rng):
        return (np.arange(n_classes) >= n_classes // 2).astype(int), np.arange(len(scores))


def test_custom_scores_and_taxonomies():
    p, y = drawn(600, 4, np.random.default_rng(0))
    model = clone(ConformalClassifier(frozen(4), conformity_score=Lead(), taxonomy=Halves()))
    sets = model.fit(p[:300], y[:300]).predict_set(p[300:]).toarray()
    lead = p.max(axis=1, keepdims=True) - p
    for half in (slice(0, 2), slice(2, 4)):
        rows = np.flatnonzero((y[:300] >= 2) == (half.start == 2))
        own = np.sort(lead[rows, y[rows]])
        threshold = own[int(np.ceil((len(own) + 1) * 0.9)) - 1]
        np.testing.assert_array_equal(sets[:, half], lead[300:, half] <= threshold)


def test_memory_does_not_grow_with_rows_times_classes():
    n_classes, calls = 20_000, []

    class Many(GivenProbabilities):
        def predict_proba(self, X):
            calls.append(len(X))
            p = np.full((len(X), n_classes), 0.5 / (n_classes - 1))
            p[np.arange(len(X)), X[:, 0]] = 0.5
            return p

    rows = np.random.default_rng(0).integers(n_classes, size=(3000, 1))
    model = ConformalClassifier(FrozenEstimator(Many().fit(None, np.arange(n_classes))))
    model.fit(rows[:100], rows[:100, 0])
    tracemalloc.start()
    sets = model.predict_set(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(calls) * n_classes <= BLOCK
    assert sum(calls) == 3100
    assert peak < 2**20 * 60  # one array of float64 of this shape has 480 MB
    np.testing.assert_array_equal(sets.indices, rows[:, 0])


def test_the_same_rows_get_the_same_sets_alone_and_together():
    p, y = drawn(300, 8, np.random.default_rng(0))
    model = ConformalClassifier(frozen(8), conformity_score="aps", random_state=1).fit(p[:200], y[:200])
    sets = model.predict_set(p[200:]).toarray()
    np.testing.assert_array_equal(model.predict_set(p[:199:-1]).toarray(), sets[::-1])
    alone = np.vstack([model.predict_set(p[[i]]).toarray() for i in range(200, 300)])
    np.testing.assert_array_equal(alone, sets)
    others = clone(model).set_params(random_state=2).fit(p[:200], y[:200]).predict_set(p[200:])
    assert (others.toarray() != sets).any()


def test_sets_grow_with_coverage():
    model = ConformalClassifier(MODEL, conformity_score="raps", random_state=0).fit(X, Y)
    sets = [model.predict_set(X, coverage).toarray() for coverage in (0.5, 0.7, 0.9, 0.98)]
    assert all((small <= large).all() for small, large in itertools.pairwise(sets))
    assert sets[0].sum() < sets[-1].sum()


def test_empty_sets():
    model = ConformalClassifier(MODEL, random_state=0).fit(X, Y)
    sets, filled = (model.predict_set(X, 0.5, allow_empty=empty).toarray() for empty in (True, False))
    empty = ~sets.any(axis=1)
    assert 0 < empty.sum() < len(X)
    np.testing.assert_array_equal(filled[~empty], sets[~empty])
    np.testing.assert_array_equal(filled[empty].sum(axis=1), 1)
    np.testing.assert_array_equal(filled[empty].argmax(axis=1), model.predict_proba(X)[empty].argmax(axis=1))


# ---------------------------------------------------------------- which rows calibrate


def test_the_model_does_not_see_the_rows_that_calibrate():
    model = ConformalClassifier(MODEL, random_state=3).fit(X, Y)
    train, held_out = split(Y, 0.2, np.random.RandomState(3))
    fitted = clone(MODEL).fit(X[train], Y[train])
    np.testing.assert_array_equal(model.estimator_.coef_, fitted.coef_)
    own = fitted.predict_proba(X[held_out])[np.arange(120), Y[held_out]]
    np.testing.assert_allclose(model.scores_, np.sort(-own))
    np.testing.assert_array_equal(model.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(model.decision_function(X), fitted.decision_function(X))
    np.testing.assert_array_equal(model.predict(X), fitted.predict(X))
    assert model.score(X, Y) == fitted.score(X, Y)
    assert model.n_features_in_ == 6


@given(st.integers(0, 999), st.floats(0.05, 0.95))
@settings(max_examples=60, deadline=None)
def test_splits(seed, share):
    rng = np.random.RandomState(seed)
    y = rng.choice(["a", "b", "c", "rare"], p=[0.5, 0.3, 0.19, 0.01], size=rng.randint(2, 300))
    train, held_out = split(y, share, rng)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, held_out])), np.arange(len(y)))
    classes, counts = np.unique(y, return_counts=True)
    np.testing.assert_array_equal(np.unique(y[train]), classes)
    for label, count in zip(classes, counts, strict=True):
        of_class = np.count_nonzero(y[held_out] == label)
        assert min(int(count * share), count - 1) <= of_class <= np.ceil(count * share)


def test_each_row_is_as_likely_to_calibrate():
    y = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
    counts = np.zeros(10)
    for seed in range(2000):
        counts[split(y, 0.3, np.random.RandomState(seed))[1]] += 1
    assert abs(counts / 2000 - 0.3).max() < 4 * np.sqrt(0.21 / 2000)


def test_a_frozen_estimator_is_used_as_it_is():
    fitted = clone(MODEL).fit(X[:300], Y[:300])
    model = ConformalClassifier(FrozenEstimator(fitted)).fit(X[300:], Y[300:])
    assert len(model.scores_) == 300
    np.testing.assert_array_equal(model.predict_proba(X), fitted.predict_proba(X))
    with pytest.raises(NotFittedError):
        ConformalClassifier(FrozenEstimator(clone(MODEL))).fit(X, Y)


def test_rows_of_unknown_classes_count_as_missed():
    p, y = drawn(400, 3, np.random.default_rng(0))
    with pytest.warns(UserWarning, match="20 of 420 rows that calibrate are of classes .* such as 7; no set"):
        model = ConformalClassifier(frozen(3)).fit(np.vstack([p, p[:20]]), np.r_[y, np.full(20, 7)])
    assert np.isinf(model.scores_).sum() == 20
    plain = ConformalClassifier(frozen(3)).fit(p, y)
    assert model.predict_set(p, 0.9).sum() > plain.predict_set(p, 0.9).sum()
    with pytest.raises(ValueError, match=r"coverage=0\.97 cannot be reached: 4\.8% of the rows"):
        model.predict_set(p, 0.97)


def test_classes_without_rows_to_calibrate():
    p, y = drawn(400, 4, np.random.default_rng(0))
    rows = y < 3
    assert ConformalClassifier(frozen(4)).fit(p[rows], y[rows]).predict_set(p).shape == (400, 4)
    clustered = ConformalClassifier(frozen(4), taxonomy=Clustered(min_rows=2), random_state=0)
    assert clustered.fit(p[rows], y[rows]).categories_[3] == -1
    model = ConformalClassifier(frozen(4), taxonomy="class").fit(p[rows], y[rows])
    with pytest.warns(UserWarning, match="1 of 4 classes have too few rows .* needs 9 .* are in every set"):
        sets = model.predict_set(p).toarray()
    assert sets[:, 3].all()
    assert not sets[:, 0].all()


@pytest.mark.parametrize("kind", ["list of texts", "csr", "coo", "frame", "strings"])
def test_kinds_of_rows(kind):
    rows, y, inner = X, Y, MODEL
    if kind == "list of texts":
        rows = ["many words " + "abc"[label] * 3 for label in Y]
        inner = make_pipeline(CountVectorizer(), MODEL)
    elif kind in ("csr", "coo"):
        rows = getattr(sparse, f"{kind}_array")(np.where(X > 0, X, 0))
    elif kind == "frame":
        rows = pytest.importorskip("pandas").DataFrame(X, columns=list("abcdef"))
    else:
        y = np.array(["x", "y", "z"])[Y]
    model = ConformalClassifier(inner, random_state=0).fit(rows, y)
    sets = model.predict_set(rows)
    assert sets.shape == (600, 3)
    assert 0.8 < np.mean(sets.toarray()[np.arange(600), Y]) <= 1
    assert set(model.predict(rows)) <= set(y)
    if kind == "frame":
        assert list(model.feature_names_in_) == list("abcdef")


def test_inside_a_search_and_pickled():
    search = GridSearchCV(
        ConformalClassifier(MODEL, random_state=0), {"estimator__C": [0.01, 1], "conformity_score": ["aps"]}
    ).fit(X, Y)
    model = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(
        model.predict_set(X).toarray(), search.best_estimator_.predict_set(X).toarray()
    )


# ---------------------------------------------------------------- parameters of fit


class Recording(LogisticRegression):
    def fit(self, X, y, sample_weight=None, note=None):
        self.weights_, self.note_ = sample_weight, note
        return super().fit(X, y, sample_weight)


def test_parameters_go_to_the_classifier_with_its_rows():
    model = ConformalClassifier(Recording(), random_state=0).fit(X, Y, note=np.arange(600))
    train, _ = split(Y, 0.2, np.random.RandomState(0))
    np.testing.assert_array_equal(model.estimator_.note_, train)
    with pytest.raises(
        TypeError, match="sample_weight is refused, because it would not count in calibration"
    ):
        model.fit(X, Y, sample_weight=np.ones(600))
    with config_context(enable_metadata_routing=True):
        routed = ConformalClassifier(Recording().set_fit_request(sample_weight=True), random_state=0)
        routed.fit(X, Y, sample_weight=np.arange(600.0))
    np.testing.assert_array_equal(routed.estimator_.weights_, train)


# ---------------------------------------------------------------- what is refused


class NoProbabilities(GivenProbabilities):
    predict_proba = property()


class Wrong(GivenProbabilities):
    def predict_proba(self, X):
        return 2 * np.asarray(X)


IRIS = load_iris(return_X_y=True)
FITTED = ConformalClassifier(MODEL, random_state=0).fit(X, Y)
P, CODES = drawn(30, 3, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("call", "fault", "message"),
    [
        (lambda: FITTED.predict_set(X, 0), ValueError, r"coverage=0 must lie between 0 and 1"),
        (lambda: FITTED.predict_set(X, 1.0), ValueError, r"coverage=1\.0 must lie between"),
        (lambda: FITTED.predict_set(X, 90), ValueError, r"such as 0\.9 for 90 %"),
        (lambda: FITTED.predict_set(X, np.nan), ValueError, r"coverage=nan must"),
        (lambda: FITTED.predict_set(X, [0.8, 0.9]), TypeError, r"pass a number between 0 and 1"),
        (lambda: FITTED.predict_set(X, True), TypeError, r"coverage=True"),
        (lambda: FITTED.predict_set(X[:, :3]), ValueError, r"3 features.*expecting 6"),
        (lambda: FITTED.predict_set(X[:0]), ValueError, r"0 sample"),
        (lambda: ConformalClassifier(MODEL).predict_set(X), NotFittedError, "not fitted yet"),
        (
            lambda: FITTED.predict_set(X, 0.995),
            ValueError,
            r"needs coverage / \(1 - coverage\), or 199, rows .* there are 120, .* pass more rows",
        ),
        (
            lambda: ConformalClassifier(LinearSVC()).fit(X, Y),
            TypeError,
            r"LinearSVC\(\) has no predict_proba, .* wrap it in linclf\.calibration\.CalibratedClassifier",
        ),
        (
            lambda: ConformalClassifier(MODEL, calibration_size=1e-6).fit(X, Y),
            ValueError,
            r"calibration_size=1e-06 of 600 samples holds out none",
        ),
        (
            lambda: ConformalClassifier(MODEL, calibration_size=1).fit(X, Y),
            ValueError,
            "'calibration_size' parameter",
        ),
        (
            lambda: ConformalClassifier(frozen(3), calibration_size=0.2).fit(P, CODES),
            ValueError,
            r"calibration_size=0\.2 is for an estimator that is fitted here",
        ),
        (lambda: ConformalClassifier(frozen(3)).fit(P, CODES, note=1), ValueError, r"\['note'\] are for fit"),
        (
            lambda: ConformalClassifier(frozen(3)).fit(P, np.array(list("012"))[CODES]),
            ValueError,
            r"y has the labels \['0', '1', '2'\] and the estimator knows \[0, 1, 2\]",
        ),
        (
            lambda: ConformalClassifier(FrozenEstimator(Wrong().fit(P, CODES))).fit(P, CODES),
            ValueError,
            r"row 0 of predict_proba\(X\) is .* not a distribution",
        ),
        (
            lambda: ConformalClassifier(frozen(3)).fit(P[:, :2] / P[:, :2].sum(axis=1)[:, None], CODES),
            ValueError,
            r"has shape \(30, 2\) for the 3 classes",
        ),
        (lambda: ConformalClassifier(frozen(3)).fit(P, CODES[:-1]), ValueError, "inconsistent numbers"),
    ],
)
def test_refusals(call, fault, message):
    with pytest.raises(fault, match=message):
        call()


def test_methods_that_the_classifier_lacks():
    with pytest.raises(AttributeError, match="decision_function"):
        ConformalClassifier(frozen(3)).decision_function(P)
    wrapped = ConformalClassifier(CalibratedClassifier(LinearSVC(), method="platt"), random_state=0).fit(
        *IRIS
    )
    assert wrapped.predict_set(IRIS[0]).sum() > 100
