"""`CalibratedClassifier`: scikit-learn's checks, the rows that calibrate, and the calibrator's input."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    cross_val_predict,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from versions import SCALES_TEMPERATURES

from linclf import SoftmaxClassifier, SVMClassifier
from linclf.calibration import (
    CALIBRATORS,
    CalibratedClassifier,
    DirichletCalibration,
    PlattScaling,
    TemperatureScaling,
    VectorScaling,
    resolve,
)

OTHER_METHODS = [
    CalibratedClassifier(SoftmaxClassifier(), method="dirichlet"),
    CalibratedClassifier(LogisticRegression(), method="platt"),
    CalibratedClassifier(LogisticRegression(), method="vector"),
]


# a check takes the logarithm of predict_proba, which may be exactly 0
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@parametrize_with_checks([CalibratedClassifier(SoftmaxClassifier())])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@parametrize_with_checks(OTHER_METHODS)
def test_scikit_learn_checks_with_other_methods(estimator, check):
    check(estimator)


@pytest.fixture(scope="module", params=[2, 4])
def table(request):
    return make_classification(
        400, 8, n_informative=6, n_classes=request.param, flip_y=0.15, class_sep=0.7, random_state=0
    )


MODEL = LogisticRegression(C=100)


# ---------------------------------------------------------------- which rows calibrate


@pytest.mark.parametrize("method", CALIBRATORS)
def test_scores_are_those_of_rows_held_out(table, method):
    X, y = table
    model = CalibratedClassifier(MODEL, method=method, cv=StratifiedKFold(4)).fit(X, y)
    scores = cross_val_predict(MODEL, X, y, cv=StratifiedKFold(4), method="decision_function")
    order = np.concatenate([test for _, test in StratifiedKFold(4).split(X, y)])
    calibrator = resolve(method)
    if method in ("platt", "auto"):
        calibrator.set_params(input="logits")
    calibrator.fit(scores[order], y[order])
    fitted = clone(MODEL).fit(X, y)
    expected = calibrator.predict_proba(fitted.decision_function(X))
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-12)
    np.testing.assert_array_equal(model.estimator_.coef_, fitted.coef_)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("method", "theirs"),
    [
        pytest.param(TemperatureScaling(alpha=0.0), "temperature", marks=SCALES_TEMPERATURES),
        (PlattScaling(), "sigmoid"),
    ],
)
def test_scikit_learn_with_pooled_scores(table, method, theirs):
    X, y = table
    ours = CalibratedClassifier(MODEL, method=method).fit(X, y).predict_proba(X)
    reference = CalibratedClassifierCV(MODEL, method=theirs, ensemble=False).fit(X, y)
    np.testing.assert_allclose(ours, reference.predict_proba(X), atol=2e-5)


def test_platt_takes_the_scores_of_a_softmax_as_logits():
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16, y, random_state=0, stratify=y)
    X, X_test, y, y_test = parts
    losses = {}
    for method in ("platt", PlattScaling(), "temperature"):
        model = CalibratedClassifier(LogisticRegression(C=100, max_iter=1000), method=method).fit(X, y)
        losses[str(method)] = log_loss(y_test, model.predict_proba(X_test))
        assert getattr(model.calibrator_, "input", "") == ("logits" if method == "platt" else "scores")
    assert losses["platt"] < 1.1 * losses["temperature"] < 0.7 * losses["PlattScaling()"]
    machine = CalibratedClassifier(LinearSVC(), method="platt").fit(X, y)
    assert machine.calibrator_.input == "scores"


def test_a_frozen_estimator_is_not_fitted_again(table):
    X, y = table
    fitted = clone(MODEL).fit(X[:200], y[:200])
    model = CalibratedClassifier(FrozenEstimator(fitted), method="vector").fit(X[200:], y[200:])
    expected = VectorScaling().fit(fitted.decision_function(X[200:]), y[200:])
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(fitted.decision_function(X)))
    one = y[200:] == y[200]  # the estimator knows the missing class
    model.fit(X[200:][one], y[200:][one])
    np.testing.assert_array_equal(model.classes_, fitted.classes_)


def test_over_confidence_is_taken_back():
    X, y = make_classification(3000, 40, n_informative=8, flip_y=0.3, random_state=0)
    hard = LogisticRegression(C=1e4, max_iter=1000)
    hard.fit(X[:120], y[:120])
    before = log_loss(y[1000:], hard.predict_proba(X[1000:]))
    for method in CALIBRATORS:
        cross = CalibratedClassifier(hard, method=method).fit(X[:120], y[:120])
        assert log_loss(y[1000:], cross.predict_proba(X[1000:])) < before - 0.1
        frozen = CalibratedClassifier(FrozenEstimator(hard), method=method).fit(X[120:1000], y[120:1000])
        assert log_loss(y[1000:], frozen.predict_proba(X[1000:])) < before - 0.1


def test_predictions_are_the_most_probable(table):
    X, y = table
    for method in CALIBRATORS:
        model = CalibratedClassifier(MODEL, method=method).fit(X, y)
        p = model.predict_proba(X)
        np.testing.assert_array_equal(model.predict(X), model.classes_[p.argmax(axis=1)])
        if method == "temperature":
            np.testing.assert_array_equal(model.predict(X), model.estimator_.predict(X))


def test_folds_of_every_kind(table):
    X, y = table
    expected = CalibratedClassifier(MODEL).fit(X, y).predict_proba(X)
    splits = list(StratifiedKFold(5).split(X, y))
    masks = [tuple(np.isin(np.arange(len(y)), rows) for rows in fold) for fold in splits]
    for cv in (5, StratifiedKFold(5), splits, masks):
        np.testing.assert_array_equal(CalibratedClassifier(MODEL, cv=cv).fit(X, y).predict_proba(X), expected)
    repeated = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    model = CalibratedClassifier(MODEL, cv=repeated).fit(X, y)  # each row is scored twice
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=0.1)


def test_the_rarest_class_sets_the_default_folds():
    X, y = load_iris(return_X_y=True)
    rows = np.r_[0:50, 50:100, 100:102]
    model = CalibratedClassifier(SoftmaxClassifier(random_state=0)).fit(X[rows], y[rows])
    expected = CalibratedClassifier(SoftmaxClassifier(random_state=0), cv=2).fit(X[rows], y[rows])
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


# ---------------------------------------------------------------- weights


@pytest.mark.parametrize("cv", [None, "iterable"])
def test_weight_zero_is_no_row(table, cv):
    X, y = table
    keep = np.random.default_rng(0).random(len(y)) < 0.8
    few, every = None, None
    if cv == "iterable":
        fold = np.random.default_rng(1).integers(3, size=len(y))
        every = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]
        few = [(np.flatnonzero(fold[keep] != k), np.flatnonzero(fold[keep] == k)) for k in range(3)]
    weighted = CalibratedClassifier(MODEL, cv=every).fit(X, y, sample_weight=keep.astype(float))
    removed = CalibratedClassifier(MODEL, cv=few).fit(X[keep], y[keep])
    np.testing.assert_allclose(weighted.predict_proba(X), removed.predict_proba(X), rtol=1e-6)


def test_weights_reach_the_classifier_and_the_calibrator(table):
    X, y = table
    weights = np.random.default_rng(0).uniform(0.1, 3, len(y))
    model = CalibratedClassifier(MODEL).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(model.estimator_.coef_, clone(MODEL).fit(X, y, weights).coef_)
    scores, order = [], []
    for train, test in StratifiedKFold(5).split(X, y):
        scores.append(clone(MODEL).fit(X[train], y[train], weights[train]).decision_function(X[test]))
        order.append(test)
    order = np.concatenate(order)
    expected = TemperatureScaling().fit(np.concatenate(scores), y[order], weights[order])
    assert model.calibrator_.temperature_ == pytest.approx(expected.temperature_, rel=1e-12)


def test_weights_that_the_classifier_does_not_take_are_told(table):
    X, y = table
    model = CalibratedClassifier(KNeighborsClassifier())
    with pytest.warns(UserWarning, match="KNeighbors.* takes no sample_weight.*only the calibrator"):
        model.fit(X, y, sample_weight=np.linspace(0.1, 1, len(y)))
    model.fit(X, y, sample_weight=np.arange(len(y)) % 3 > 0)  # weights of 0 and 1 only select rows
    CalibratedClassifier(FrozenEstimator(model), method="platt").fit(X, y, np.linspace(0.1, 1, len(y)))


# ---------------------------------------------------------------- parameters of fit, and metadata routing


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def test_groups_reach_the_splitter(table, routing):
    X, y = table
    groups = np.random.default_rng(0).integers(12, size=len(y))
    by_group = CalibratedClassifier(MODEL, cv=GroupKFold(4))
    model = clone(by_group).fit(X, y, groups=groups)
    expected = CalibratedClassifier(MODEL, cv=list(GroupKFold(4).split(X, y, groups))).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    weights = (np.arange(len(y)) % 5 > 0).astype(float)  # rows of weight 0 have groups, too
    few = clone(by_group).set_params(estimator=clone(MODEL).set_fit_request(sample_weight=False))
    few.fit(X, y, sample_weight=weights, groups=groups)
    keep = weights > 0
    folds = [
        tuple(np.isin(np.flatnonzero(keep), rows).nonzero()[0] for rows in fold)
        for fold in GroupKFold(4).split(X, y, groups)
    ]
    removed = CalibratedClassifier(MODEL, cv=folds).fit(X[keep], y[keep])
    np.testing.assert_allclose(few.predict_proba(X), removed.predict_proba(X), rtol=1e-6)
    outer = make_pipeline(StandardScaler(), by_group).fit(X, y, groups=groups)
    scaled = StandardScaler().fit_transform(X)
    inner = clone(by_group).fit(scaled, y, groups=groups)
    np.testing.assert_array_equal(outer.predict_proba(X), inner.predict_proba(scaled))


@pytest.mark.parametrize("requested", [True, False])
def test_weights_go_to_the_classifier_by_request(table, routing, requested):
    X, y = table
    weights = np.random.default_rng(0).uniform(0.1, 3, len(y))
    asking = clone(MODEL).set_fit_request(sample_weight=requested)
    given = {"sample_weight": weights} if requested else {}
    model = CalibratedClassifier(asking).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(model.estimator_.coef_, clone(MODEL).fit(X, y, **given).coef_)
    scores, order = [], []
    for train, test in StratifiedKFold(5).split(X, y):
        part = {name: values[train] for name, values in given.items()}
        scores.append(clone(MODEL).fit(X[train], y[train], **part).decision_function(X[test]))
        order.append(test)
    order = np.concatenate(order)
    expected = TemperatureScaling().fit(np.concatenate(scores), y[order], weights[order])
    assert model.calibrator_.temperature_ == pytest.approx(expected.temperature_, rel=1e-12)
    step = CalibratedClassifier(asking).set_fit_request(sample_weight=True)
    outer = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), step)
    outer.fit(X, y, sample_weight=weights)
    inner = CalibratedClassifier(asking).fit(outer[0].transform(X), y, sample_weight=weights)
    np.testing.assert_array_equal(outer.predict_proba(X), inner.predict_proba(outer[0].transform(X)))


def test_weights_that_are_neither_requested_nor_declined_are_told(table, routing):
    X, y = table
    with pytest.raises(UnsetMetadataPassedError, match=r"sample_weight.*LogisticRegression\.fit"):
        CalibratedClassifier(MODEL).fit(X, y, sample_weight=np.ones(len(y)))
    with pytest.raises(TypeError, match=r"unexpected argument.*nonsense"):
        CalibratedClassifier(MODEL).fit(X, y, nonsense=1)
    fitted = FrozenEstimator(clone(MODEL).fit(X, y))
    weights = np.linspace(0.1, 1, len(y))
    model = CalibratedClassifier(fitted).fit(X, y, sample_weight=weights)
    expected = TemperatureScaling().fit(fitted.decision_function(X), y, weights)
    assert model.calibrator_.temperature_ == expected.temperature_


class Told(ClassifierMixin, BaseEstimator):
    """Returns the score given for each row, and checks that it belongs to the row."""

    def fit(self, X, y, first=None, note=None):
        np.testing.assert_array_equal(first, X[:, 0])
        assert note == "for all"
        self.classes_, self.rows_ = np.unique(y), len(first)
        return self

    def decision_function(self, X):
        return X[:, : len(self.classes_)] if len(self.classes_) > 2 else X[:, 0]


def test_parameters_of_fit_are_divided_into_folds(table):
    X, y = table
    weights = (np.arange(len(y)) % 4 > 0).astype(float)
    for sample_weight, n in ((None, len(y)), (weights, weights.sum())):
        model = CalibratedClassifier(Told()).fit(X, y, sample_weight, first=X[:, 0], note="for all")
        assert model.estimator_.rows_ == n
    pipeline = make_pipeline(StandardScaler(), clone(MODEL))
    model = CalibratedClassifier(pipeline).fit(X, y, logisticregression__sample_weight=weights)
    expected = clone(pipeline).fit(X, y, logisticregression__sample_weight=weights)
    np.testing.assert_array_equal(model.estimator_[1].coef_, expected[1].coef_)
    with pytest.raises(TypeError, match="groups are for the splitter"):
        CalibratedClassifier(MODEL).fit(X, y, groups=y)


# ---------------------------------------------------------------- any classifier, any rows


def test_probabilities_are_declared(table):
    """If there is no decision_function, and if the calibrator asks for them."""
    X, y = table
    forest = CalibratedClassifier(RandomForestClassifier(20, random_state=0)).fit(X, y)
    assert forest.calibrator_.input == "probabilities"
    assert forest.method == "temperature"
    p = forest.estimator_.predict_proba(X)
    np.testing.assert_array_equal(forest.predict_proba(X), forest.calibrator_.predict_proba(p))
    mine = DirichletCalibration(input="probabilities", odir=3.0)
    model = CalibratedClassifier(MODEL, method=mine).fit(X, y)
    assert not hasattr(mine, "coef_")
    assert model.calibrator_.odir == 3.0
    expected = model.calibrator_.predict_proba(model.estimator_.predict_proba(X))
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_rows_of_every_kind():
    pandas = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = CalibratedClassifier(make_pipeline(StandardScaler(), SVMClassifier(random_state=0)))
    model.fit(X, pandas.Series(names))
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    assert model.n_features_in_ == 4
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(X, names) > 0.9
    X = X.to_numpy()
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-9)  # L-BFGS ends elsewhere on sparse rows
    dense = CalibratedClassifier(exact).fit(X, y)
    coded = CalibratedClassifier(exact).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(coded.predict_proba(sparse.csr_array(X)), dense.predict_proba(X), atol=1e-6)
    texts = ["good", "very good", "bad", "so bad", "good good", "bad bad"] * 4
    mood = [1, 1, 0, 0, 1, 0] * 4
    reader = CalibratedClassifier(make_pipeline(CountVectorizer(), LogisticRegression()), method="platt")
    assert reader.fit(texts, mood).predict(["good", "bad"]).tolist() == [1, 0]
    assert not hasattr(reader, "n_features_in_")


def test_a_precomputed_kernel_is_split_both_ways(table):
    X, y = table
    kernel = CalibratedClassifier(SVC(kernel="precomputed")).fit(X @ X.T, y)
    plain = CalibratedClassifier(SVC(kernel="linear")).fit(X, y)
    np.testing.assert_allclose(kernel.predict_proba(X @ X.T), plain.predict_proba(X), atol=1e-3)


def test_nested_pickled_and_searched(table):
    X, y = table
    search = GridSearchCV(
        CalibratedClassifier(MODEL),
        {"method": ["temperature", VectorScaling()], "estimator__C": [0.1, 1]},
        cv=2,
    ).fit(X, y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict_proba(X), search.predict_proba(X))
    assert clone(again).get_params()["estimator__C"] == again.estimator.C


# ---------------------------------------------------------------- bad input


class Mute(BaseEstimator):
    """A calibrator without a parameter for the kind of its input."""

    def fit(self, scores, y, sample_weight=None, *, classes=None):
        self.classes_ = classes
        return self

    def predict_proba(self, scores):
        return np.eye(len(self.classes_))[(np.asarray(scores) > 0).astype(int)]


def test_own_calibrator(table):
    X, y = table
    if y.max() == 1:
        model = CalibratedClassifier(MODEL, method=Mute()).fit(X, y)
        np.testing.assert_array_equal(model.predict(X), model.estimator_.predict(X))
        with np.errstate(all="raise"):
            assert model.predict_log_proba(X).min() == -np.inf
    with pytest.raises(TypeError, match=r"method=Mute\(\) has no parameter input, and cannot be told"):
        CalibratedClassifier(KNeighborsClassifier(), method=Mute()).fit(X, y)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CalibratedClassifier(MODEL, method="isotone"), "'method' parameter of CalibratedClassifier must be"),
        (CalibratedClassifier(StandardScaler()), "'estimator' parameter of CalibratedClassifier must be"),
        (
            CalibratedClassifier(MODEL, cv=1),
            "'cv' parameter of CalibratedClassifier must be an int in the range",
        ),
        (CalibratedClassifier(MODEL, cv=500), r"cv=500 needs 500 rows of each class, and one class has \d+"),
        (
            CalibratedClassifier(FrozenEstimator(DummyClassifier().fit([[0]] * 2, [0, 1])), cv=3),
            "cv=3 is for an estimator that is fitted here, and a FrozenEstimator is not: leave cv=None",
        ),
        (
            CalibratedClassifier(SVMClassifier(), method=TemperatureScaling(input="probabilities")),
            "calibrates probabilities, and .* has no predict_proba; use input='scores'",
        ),
        (CalibratedClassifier(SVC(decision_function_shape="ovo")), "decision_function_shape='ovr'"),
    ],
)
def test_fit_refuses(model, message):
    X, y = make_classification(80, 8, n_informative=6, n_classes=4, random_state=0)
    y[:8] = [3, 3, 3, 3, 2, 2, 2, 2]
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "estimator_")


def test_other_refusals(table):
    X, y = table
    with pytest.raises(NotFittedError):
        CalibratedClassifier(FrozenEstimator(MODEL)).fit(X, y)
    with pytest.raises(NotFittedError):
        CalibratedClassifier(MODEL).predict_proba(X)
    with pytest.raises(ValueError, match="only one class"):
        CalibratedClassifier(MODEL).fit(X, np.ones(len(y)))
    with pytest.raises(ValueError, match=r"one class has 1; use cv=None, with which .*FrozenEstimator"):
        CalibratedClassifier(MODEL, cv=2).fit(X, np.arange(len(y)) == 0)
    with pytest.raises(ValueError, match=r"each class has one; use FrozenEstimator and other rows"):
        CalibratedClassifier(MODEL).fit(X, np.arange(len(y)))
    fitted = clone(MODEL).fit(X, y)
    with pytest.raises(ValueError, match="y contains labels that are not in classes"):
        CalibratedClassifier(FrozenEstimator(fitted)).fit(X, y + 1)


PAIRS = SVC(decision_function_shape="ovo")


@pytest.mark.parametrize(
    "estimator",
    [
        PAIRS,
        make_pipeline(StandardScaler(), PAIRS),
        GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__decision_function_shape": ["ovo"]}, cv=2),
        FrozenEstimator(make_pipeline(StandardScaler(), PAIRS)),
    ],
)
def test_scores_of_pairs_are_refused_wherever_they_come_from(estimator):
    """Three classes have three pairs, so the number of scores is the same."""
    X, y = load_iris(return_X_y=True)
    if isinstance(estimator, FrozenEstimator):
        estimator.estimator.fit(X, y)
    with pytest.raises(ValueError, match=r"SVC\(.* scores pairs .*; use decision_function_shape='ovr'"):
        CalibratedClassifier(estimator).fit(X, y)


def test_two_classes_are_one_pair():
    X, y = load_iris(return_X_y=True)
    pairs = CalibratedClassifier(PAIRS).fit(X[:100], y[:100])
    np.testing.assert_array_equal(
        pairs.predict_proba(X), CalibratedClassifier(SVC()).fit(X[:100], y[:100]).predict_proba(X)
    )


def test_folds_are_what_they_say():
    """A fold with as many training rows as the table need not be the table; held-out rows are not used."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((400, 5)), rng.integers(3, size=400)
    drawn = [rng.integers(400, size=400) for _ in range(4)]
    folds = [(train, np.setdiff1d(np.arange(400), train)) for train in drawn]
    model = CalibratedClassifier(DecisionTreeClassifier(random_state=0), cv=folds).fit(X, y)
    assert model.predict_proba(X).max() < 0.5  # the labels are unrelated to the rows
    with pytest.raises(ValueError, match="holds out rows that it trains on"):
        CalibratedClassifier(LogisticRegression(), cv=[(np.arange(400), np.arange(400))]).fit(X, y)
    with pytest.raises(ValueError, match="has no folds"):
        CalibratedClassifier(LogisticRegression(), cv=[]).fit(X, y)


def test_predefined_folds_count_all_rows():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((90, 2)), np.arange(90) % 2
    weights = np.ones(90)
    weights[:20] = 0
    split = PredefinedSplit(np.arange(90) // 2 % 3)
    model = CalibratedClassifier(LogisticRegression(), cv=split).fit(X, y, sample_weight=weights)
    assert model.predict_proba(X).shape == (90, 2)


def test_scores_of_pairs_are_refused():
    X, y = np.random.default_rng(0).standard_normal((60, 2)), np.arange(60) % 3
    with pytest.raises(ValueError, match="decision_function_shape='ovr'"):
        CalibratedClassifier(SVC(decision_function_shape="ovo")).fit(X, y)
