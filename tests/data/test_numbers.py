"""Huge, tiny, offset and unequal numbers: fitted like others, or refused with the number of the column."""

import warnings

import numpy as np
import pytest
from cases import default_run
from input_cases import ESTIMATORS, FAST, WAYS, fit, outcome, trained, whole_iris
from reference import softmax_objective
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from linclf import FocalClassifier, MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier
from linclf._training import stream as streams
from linclf._training.descent import Descent
from linclf._training.model import LinearModel
from linclf.heads import Linear

SOLVERS = {
    "sgd": {"solver": "sgd", "random_state": 0},
    "newton": {"solver": "newton"},
    "lbfgs": {"solver": "lbfgs"},
}
both = pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])


@pytest.fixture(scope="module")
def iris():
    return whole_iris()


@pytest.fixture(scope="module")
def drawn():
    """Overlapping classes, so that the optimum has finite weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5))
    return X, (X @ rng.normal(size=(5, 3)) + rng.gumbel(size=(300, 3))).argmax(axis=1)


def distance(model, X, y, weights):
    """The distance of the objective to its minimum, as a share of what training can gain."""
    plain = {"solver": "lbfgs", "alpha": model.alpha, "tol": 1e-7}
    best = SoftmaxClassifier(**plain).fit(X, y, sample_weight=weights)
    reached, least = (
        softmax_objective(
            each.coef_.astype(float), each.intercept_.astype(float), X, np.eye(3)[y], weights, model.alpha
        )
        for each in (model, best)
    )
    return (reached - least) / (np.log(3) - least)


# ---------------------------------------------------------------- features


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(1e30, 0), (1e100, 0), (1e2, 1e12), ([1, 1, 1e30, 1], 0), ([1, 1e-310, 1, 1], 0)],
    ids=str,
)
@pytest.mark.parametrize(
    "settings", [{"batch_size": 8, "random_state": 0}, *SOLVERS.values()], ids=["batches", *SOLVERS]
)
def test_scales_and_offsets_that_sgd_cannot_bear(iris, scale, offset, settings):
    X, y = iris[0] * scale + offset, iris[1]
    assert SoftmaxClassifier(**settings).fit(X, y).score(X, y) >= 0.95
    assert SVMClassifier(**{"squared": True, **settings}).fit(X, y).score(X, y) >= 0.95
    if "solver" not in settings:
        stream = SoftmaxClassifier(batch_size=8)
        for _ in range(20):
            stream.partial_fit(X, y, classes=[0, 1, 2])
        assert stream.score(X, y) >= 0.9


@pytest.mark.parametrize("factor", [2.0**-60, 2.0**-1040])
def test_denormals_have_the_optimum_of_their_scale(drawn, factor):
    """Huge weights would not be worth their penalty, so the prior is the optimum."""
    X, y = drawn
    for settings in SOLVERS.values():
        model = SoftmaxClassifier(**settings).fit(X * factor, y)
        prior = np.bincount(y) / len(y)
        np.testing.assert_allclose(model.predict_proba(X * factor), np.tile(prior, (300, 1)), atol=1e-3)


def test_features_far_from_zero_lose_no_digits(drawn, distance_left):
    X, y = drawn
    offset = X + 2.0**20 * np.arange(1, 6)
    for settings in SOLVERS.values():
        assert distance_left(SoftmaxClassifier(**settings).fit(offset, y), offset, y) < 1e-4
        single = SoftmaxClassifier(**settings).fit(offset.astype(np.float32), y)
        assert single.score(offset, y) >= SoftmaxClassifier(**settings).fit(X, y).score(X, y) - 0.03


@pytest.mark.parametrize("scale", [1e150, 1e200, 1e300])
@pytest.mark.parametrize(("name", "way"), [pair for pair in WAYS if pair[1] != "predict"])
@both
def test_1e200_and_beyond_names_the_column(iris, name, way, scale, storage):
    X = iris[0] * [1, 1, scale, 1]
    with pytest.raises(
        ValueError, match=r"X reaches .*e\+\d+ in column 2, and .* in float64, .* scale the columns"
    ):
        outcome(name, way, storage(X))


@pytest.mark.parametrize("name", ESTIMATORS)
@both
def test_scores_that_overflow_name_the_column(iris, name, storage):
    X = np.zeros((3, 4))
    X[1, 2] = -1e308
    if name == "cosine":
        with pytest.raises(
            ValueError, match=r"X reaches 1e\+308 in column 2, and MarginSoftmaxClassifier adds"
        ):
            trained(name).predict(storage(X))
        return
    model = ESTIMATORS[name]().fit(*iris)
    model.coef_ = model.coef_ * 1e6
    with pytest.raises(ValueError, match=r"X reaches 1e\+308 in column 2"):
        model.predict(storage(X))
    with pytest.raises(
        ValueError, match=r"X reaches 3e\+38 in column 2, and the scores overflow float32|adds up"
    ):
        model.predict(storage((X * 3e-270).astype(np.float32)))


@both
@pytest.mark.parametrize("scale", [1e-30, 1e20, 1e30])
def test_single_precision_that_cannot_hold_squares_names_the_column(iris, storage, scale):
    X, y = storage((iris[0] * scale).astype(np.float32)), iris[1]
    with pytest.raises(ValueError, match=r"in column 0.* in float32, .*pass X\.astype\(np\.float64\)"):
        MarginSoftmaxClassifier(**FAST).fit(X, y)
    double = X.astype(np.float64)
    assert MarginSoftmaxClassifier(**FAST).fit(double, y).score(double, y) > 0.9
    if scale > 1 and storage is not np.asarray:
        with pytest.raises(ValueError, match=r"in column 0.* in float32, .*pass X\.astype\(np\.float64\)"):
            fit(X, y)
    if scale > 1 and storage is np.asarray:
        assert fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("settings", SOLVERS.values(), ids=SOLVERS)
def test_denormals_in_single_precision_without_a_penalty(iris, settings):
    X = (iris[0] * [1, 1e-42, 1, 1]).astype(np.float32)
    model = SoftmaxClassifier(alpha=0, max_iter=50, **settings | {"tol": None}).fit(X, iris[1])
    assert model.score(X, iris[1]) > 0.9
    assert np.abs(model.coef_).max() < 1e37


def test_coefficients_that_overflow_name_the_column():
    W = np.array([[1.0, 1e39], [0.0, 2.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match=r"of column 1 reach 1.0e\+39 and overflow float32; scale"):
        LinearModel(W, np.zeros(3), Linear()).rounded(np.dtype(np.float32))


@pytest.fixture(scope="module")
def words_and_numbers():
    """Sparse rows of five words out of 200 and two numbers; the label depends on both kinds."""
    rng, n = np.random.default_rng(0), 3000
    words = sparse.csr_array(
        (np.full(5 * n, 0.4), rng.integers(0, 200, 5 * n), np.arange(0, 5 * n + 1, 5)), shape=(n, 200)
    )
    words.sum_duplicates()
    numbers = rng.uniform(-1, 1, (n, 2))
    scores = words @ (3 * rng.normal(size=(200, 3))) + numbers @ rng.normal(size=(2, 3))
    return words, numbers, (scores + rng.gumbel(size=(n, 3))).argmax(axis=1)


LEARNERS = [{}, {"solver": "adam"}, {"average": True}, {"batch_size": 256}, {"batch_size": 3000}]


@pytest.mark.parametrize("settings", default_run(LEARNERS, kept=LEARNERS[:2]), ids=str)
@pytest.mark.parametrize("units", default_run([(100, 100), (1e8, 1), (30, 1e4)], kept=[(1e8, 1)]), ids=str)
def test_sparse_columns_that_outweigh_the_others_do_not_slow_them_down(words_and_numbers, units, settings):
    words, numbers, y = words_and_numbers
    model = SoftmaxClassifier(random_state=0, **settings)
    alike = model.fit(sparse.hstack([words, numbers], format="csr"), y).history_["objective"][-1]
    X = sparse.hstack([words, numbers * units], format="csr")
    assert model.fit(X, y).history_["objective"][-1] < alike + 0.001
    stream = SoftmaxClassifier(random_state=0, **settings)
    for part in np.array_split(np.tile(np.arange(3000), 5), 150):
        stream.partial_fit(X[part], y[part], classes=[0, 1, 2])
    assert stream.score(X, y) > 0.65


def test_a_stream_levels_columns_that_grow_later_and_keeps_its_weights(words_and_numbers, monkeypatch):
    words, numbers, y = words_and_numbers
    X = sparse.hstack([words, numbers * np.where(np.arange(3000) < 600, 0, 1e4)[:, None]], format="csr")
    model, before, at_start = SoftmaxClassifier(random_state=0), [], []

    def watched(*args):  # what a part starts with, in any coordinates
        descent = Descent(*args)
        at_start.append(descent.model())
        return descent

    monkeypatch.setattr(streams, "Descent", watched)
    factors = set()
    for part in np.array_split(np.append(np.arange(3000), np.arange(600, 3000)), 90):
        before.append((model.coef_, model.intercept_) if hasattr(model, "coef_") else None)
        model.partial_fit(X[part], y[part], classes=[0, 1, 2])
        factors.add(float(model._stream.frame.coordinates.factor[-1]))
    assert len(factors) > 2
    for kept, started in zip(before[1:], at_start[1:], strict=True):
        np.testing.assert_allclose(started.W, kept[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(started.b, kept[1], rtol=1e-9, atol=1e-12)
    assert model.score(X[600:], y[600:]) > 0.6


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_the_constant_of_sparse_rows_is_as_long_as_they_are(words_and_numbers, unit):
    words, _, y = words_and_numbers
    found = [
        SoftmaxClassifier(alpha=1e-9 * size**2, random_state=0).fit(words * size, y).history_["objective"][-1]
        for size in (1.0, unit)
    ]
    assert found[1] < found[0] + 0.01


@both
def test_weights_of_columns_in_any_unit_have_their_optimum(drawn, storage, distance_left):
    X, y = drawn
    for units in ([1, 1, 1, 1e3, 1], [1e-3, 1, 50, 1, 1e4], np.full(5, 1e-5), np.full(5, 1e5)):
        for batch_size, most in (("auto", 1e-3), (8, 1e-2)):
            model = SoftmaxClassifier(random_state=0, batch_size=batch_size, max_iter=300, alpha=1e-16)
            model.fit(storage(X * units), y)
            model.coef_, model.alpha = model.coef_ * units, 1e-9
            assert distance_left(model, X, y) < most


def test_a_sparse_column_that_leaves_lbfgs_no_digits_is_named(drawn):
    X, y = drawn
    model = SoftmaxClassifier(solver="lbfgs")
    stamped = sparse.csr_array(X * [1, 1, 1, 1e10, 1])
    with pytest.raises(
        ValueError, match=r"column 3 of sparse X has the root mean square .*scale the columns"
    ):
        model.fit(stamped, y)
    fitted = SoftmaxClassifier(solver="lbfgs").fit(sparse.csr_array(X * [1, 1, 1, 1e6, 1]), y)
    assert fitted.score(sparse.csr_array(X * [1, 1, 1, 1e6, 1]), y) > 0.6
    assert SoftmaxClassifier(random_state=0).fit(stamped, y).score(stamped, y) > 0.6
    alike = sparse.csr_array(X * 1e10)
    assert model.fit(alike, y).score(alike, y) > 0.6
    with pytest.warns(UserWarning, match="standardize=True"):
        MarginSoftmaxClassifier(**FAST).fit(stamped, y)  # rows are normalised
    rare = X * [1, 1, 1, 1e5, 1] * (np.arange(300) % 300 == 0)[:, None] + X * [1, 1, 1, 0, 1]
    model.fit(sparse.csr_array(rare), y)  # one large value does not make a column large


@both
def test_columns_that_say_nothing(iris, storage):
    X, y = iris[0][:, :2], iris[1][20:]
    constant = np.column_stack([X, np.full(150, 3.0), np.zeros(150)])
    for make in (fit, lambda X, y: SoftmaxClassifier(solver="lbfgs").fit(X, y)):
        coef = make(storage(constant), iris[1]).coef_
        assert not coef[:, 3].any()
        if storage is np.asarray:
            np.testing.assert_allclose(coef[:, 2], 0, atol=1e-12)
    for settings in SOLVERS.values():
        model = SoftmaxClassifier(**settings).fit(storage(np.zeros((130, 3))), y)
        assert not model.coef_.any()
        prior = np.bincount(y) / 130
        np.testing.assert_allclose(model.predict_proba(storage(np.zeros((1, 3))))[0], prior, atol=1e-3)
        one = storage(iris[0][:, [2]] / 10)
        assert SoftmaxClassifier(**settings).fit(one, iris[1]).score(one, iris[1]) > 0.85


# ---------------------------------------------------------------- weights


@pytest.mark.parametrize("exponent", [-1074, -1000, -200, 200, 1000, 1023])
@pytest.mark.parametrize("name", ESTIMATORS)
@both
def test_sample_weight_is_scale_free(iris, name, exponent, storage):
    X, y = storage(iris[0]), iris[1]
    weights = np.full(150, 2.0**exponent)
    np.testing.assert_allclose(
        outcome(name, "fit", X, y, sample_weight=weights), outcome(name, "fit", X, y), rtol=1e-9, atol=1e-12
    )
    validation = {"X_val": X, "y_val": y, "sample_weight_val": weights}
    one = validation | {"sample_weight_val": None}
    found, expected = (ESTIMATORS[name]().fit(X, y, **each).coef_ for each in (validation, one))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_sample_weight_of_a_stream_is_bounded(iris):
    with pytest.raises(ValueError, match=r"sample_weight reaches 1e\+300; in partial_fit .* multiply all"):
        SoftmaxClassifier().partial_fit(*iris, classes=[0, 1, 2], sample_weight=np.full(150, 1e300))
    large, plain = (
        SoftmaxClassifier(**FAST).partial_fit(*iris, classes=[0, 1, 2], sample_weight=np.full(150, size))
        for size in (1e30, 1.0)
    )
    np.testing.assert_allclose(large.coef_, plain.coef_, rtol=1e-9)


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("settings", SOLVERS.values(), ids=SOLVERS)
def test_weights_over_16_orders_of_magnitude(drawn, settings, dtype, storage):
    X, y = drawn
    weights = 10.0 ** np.random.default_rng(0).uniform(-8, 8, len(y))
    weights[:3] = 1e8
    model = SoftmaxClassifier(**settings, alpha=0.01).fit(storage(X.astype(dtype)), y, sample_weight=weights)
    assert distance(model, X, y, weights) < 1e-3


@both
@pytest.mark.parametrize("settings", SOLVERS.values(), ids=SOLVERS)
def test_class_weights_of_1000_against_1e_minus_4(drawn, settings, storage):
    X, y = drawn
    share = {0: 1000, 1: 1e-4, 2: 1.0}
    model = SoftmaxClassifier(**settings, class_weight=share).fit(storage(X), y)
    assert distance(model, X, y, np.array([1000, 1e-4, 1.0])[y]) < 1e-3


@pytest.mark.parametrize("large", [1e300, 1e308])
def test_class_weights_are_scale_free(iris, large):
    found = fit(*iris, class_weight={0: large, 1: large / 2, 2: large})
    np.testing.assert_allclose(found.coef_, fit(*iris, class_weight={0: 2, 1: 1, 2: 2}).coef_, rtol=1e-9)


# ---------------------------------------------------------------- no penalty


@both
@pytest.mark.parametrize("settings", SOLVERS.values(), ids=SOLVERS)
@pytest.mark.parametrize("cls", [SoftmaxClassifier, FocalClassifier])
def test_separable_data_with_alpha_0(iris, cls, settings, storage):
    X, y = storage(iris[0]), iris[1] == 0
    with pytest.warns(ConvergenceWarning, match="alpha=0 and the classes are separable.*use alpha > 0"):
        model = cls(alpha=0, max_iter=100, **settings).fit(X, y)
    assert np.abs(model.coef_).max() < 1e6
    assert model.score(X, y) == 1


@pytest.mark.parametrize("storage", default_run([np.asarray, sparse.csr_array], kept=[np.asarray]))
@pytest.mark.parametrize("settings", SOLVERS.values(), ids=SOLVERS)
def test_no_false_alarm_of_separable_data(iris, drawn, settings, storage):
    X, y = storage(iris[0]), iris[1] == 0
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "alpha=0 and")
        warnings.filterwarnings("ignore", "max_iter|the line search")
        SoftmaxClassifier(alpha=0, **settings).fit(storage(drawn[0]), drawn[1])  # the classes overlap
        SoftmaxClassifier(alpha=1e-6, **settings).fit(X, y)
        SoftmaxClassifier(alpha=0, label_smoothing=0.1, **settings).fit(X, y)  # finite at the optimum
        SoftmaxClassifier(alpha=0, max_iter=5, **settings | {"tol": None}).fit(X, y)  # no tol
        SVMClassifier(alpha=0, squared=True, **settings).fit(X, y)
        if settings.get("solver") != "newton":  # newton does not support cosines
            MarginSoftmaxClassifier(alpha=0, **settings).fit(X, y)
        SoftmaxClassifier(alpha=0, **settings).fit(X, y, X_val=X, y_val=y)  # ends by validation
        SoftmaxClassifier(alpha=0, **settings).fit(X, np.eye(2)[y.astype(int)] * 0.8 + 0.1)  # soft labels


def test_weights_far_apart_keep_their_rows():
    X, y = whole_iris()
    model = fit(X, y, sample_weight=np.where(y == 0, 1e-200, 1e200))
    assert model.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("huge", [10**400, -(10**400)])
def test_integers_beyond_float64_are_refused(huge):
    X, y = whole_iris()
    with pytest.raises(ValueError, match=r"class_weight\[0\]"):
        fit(X, y, class_weight={0: huge})
    with pytest.raises(ValueError, match="sample_weight has a number that is too large"):
        fit(X, y, sample_weight=[huge] * len(y))
    labels = y.astype(object)
    labels[:2] = [1.0, huge]
    with pytest.raises(ValueError, match="y has a number that is too large"):
        fit(X, labels)
