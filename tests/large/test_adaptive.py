"""Adaptive softmax: cutoffs, the joint objective and its parts, prediction, fitting in general.

Each part is a softmax, and the quality of its training is tested with `SoftmaxClassifier`.
"""

import pickle
import warnings
from importlib import import_module

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference import softmax_objective, softmax_optimum
from scipy import sparse
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks
from versions import HAS_CALLBACKS

from linclf import SoftmaxClassifier
from linclf._data.targets import Labels, Probabilities
from linclf.large import AdaptiveSoftmaxClassifier, _cutoffs
from linclf.large._clusters import class_directions
from linclf.large._parts import Parts


class TwoParts(AdaptiveSoftmaxClassifier):
    """With a tail whenever possible, so that scikit-learn's checks cover it."""

    def _cutoffs(self, frequencies):
        return np.array(_cutoffs.merged([1], frequencies), np.int64)


# a check takes the logarithm of predict_proba, which may be exactly 0
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@parametrize_with_checks([TwoParts()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@parametrize_with_checks([TwoParts(solver="lbfgs"), TwoParts(reduction=2.0)])
def test_scikit_learn_checks_with_other_settings(estimator, check):
    check(estimator)


def zipf(n=600, K=30, d=8, seed=0, dtype=np.float64, noise=0.7):
    """Rows around the directions of K classes, each with two rows or more; class names in no order."""
    rng = np.random.default_rng(seed)
    p = 1 / np.arange(1, K + 1)
    y = np.concatenate([np.arange(K), np.arange(K), rng.choice(K, n - 2 * K, p=p / p.sum())])
    X = rng.standard_normal((K, d))[y] + noise * rng.standard_normal((n, d))
    return X.astype(dtype), rng.permutation(K)[y]


@pytest.fixture(scope="module")
def data():
    return zipf()


@pytest.fixture(scope="module")
def fitted(data):
    return AdaptiveSoftmaxClassifier(cutoffs=[5, 15], alpha=1e-3, max_iter=20, random_state=0).fit(*data)


@pytest.fixture
def of_parts(monkeypatch):
    """The outcomes of the parts of the last fit, the head first."""
    found, outcome = [], Parts.outcome

    def watched(parts):
        found[:] = parts.outcomes
        return outcome(parts)

    monkeypatch.setattr(Parts, "outcome", watched)
    return found


def naive_log_probabilities(model, X):
    """Joint log-probabilities from the coefficients of the parts."""

    def log_softmax(part, rows):
        f = rows @ part.W.T + part.b
        if len(part.W) == 1:
            f = np.hstack([np.zeros_like(f), f])
        return f - np.log(np.exp(f).sum(axis=1, keepdims=True))

    head, first = log_softmax(model.head_, X), model.cutoffs_[0]
    columns = [head[:, :first]]
    for c, tail in enumerate(model.tails_):
        P = model.projections_[c]
        columns.append(head[:, [first + c]] + log_softmax(tail, X if P is None else X @ P))
    by_class = np.empty((len(X), len(model.order_)))
    by_class[:, model.order_] = np.hstack(columns)
    return by_class


def naive_objective(model, X, Y, weights):
    """F of the whole in NumPy; Y has class probabilities in the order of the classes."""
    losses = -(Y * naive_log_probabilities(model, X)).sum(axis=1)
    squares = sum((part.W**2).sum() for part in (model.head_, *model.tails_))
    return weights @ losses / weights.sum() + model.alpha / 2 * squares


# ---------------------------------------------------------------- cuts


def test_cost_of_a_row():
    frequencies = np.array([50.0, 20, 10, 10, 5, 5])
    row = _cutoffs.ROW
    assert _cutoffs.cost(frequencies, [2]) == pytest.approx(2 + 1 + row + 0.3 * (4 + row))
    expected = 1 + 2 + row + 0.4 * (3 / 2 + row) + 0.1 * (2 / 4 + row)
    assert _cutoffs.cost(frequencies, [[1, 4]], 0.5) == pytest.approx(expected)


def test_automatic_cutoffs_cost_the_least_and_gain_enough(monkeypatch):
    K = 50_000
    frequencies = 1 / np.arange(1, K + 1)
    cutoffs = _cutoffs.automatic(frequencies)
    assert len(cutoffs) == 3
    assert 200 < cutoffs[0] < 3000
    least = _cutoffs.cost(frequencies, cutoffs)[0]
    assert least < (K + _cutoffs.ROW) / 8
    rng = np.random.default_rng(0)
    others = np.array([np.sort(rng.choice(np.arange(2, K - 2), 3, replace=False)) for _ in range(5000)])
    assert least < 1.02 * _cutoffs.cost(frequencies, others).min()
    assert _cutoffs.automatic(frequencies[:1000]) == []
    equal = _cutoffs.automatic(np.ones(K))  # half of the rows must be in the head
    assert equal[0] == K / 2
    assert 0.55 < _cutoffs.cost(np.ones(K), equal)[0] / K < 0.6
    assert _cutoffs.automatic(np.append(np.full(1200, 1e-9), np.ones(1))[::-1])[0] == 2
    monkeypatch.setattr(_cutoffs, "GAIN", 2.0)
    assert _cutoffs.automatic(np.ones(K)) == []  # little to gain
    # the smaller the fixed cost of a tail, the smaller the head
    assert _cutoffs.automatic(frequencies, 0.25)[0] < cutoffs[0]


@pytest.mark.parametrize(
    ("cutoffs", "frequencies", "kept"),
    [
        ([2, 4], [1] * 8, [2, 4]),
        ([2, 3], [1] * 8, [3]),
        ([2, 3, 4], [1] * 8, [2, 4]),
        ([2, 7], [1] * 8, [2]),
        ([7], [1] * 8, []),
        ([2, 6], [1] * 6 + [0] * 2, [2]),
        ([6], [1] * 6 + [0] * 2, []),
        ([2, 5], [1] * 6 + [0] * 2, [2, 5]),
        ([], [1] * 8, []),
    ],
)
def test_tails_of_one_class_or_no_weight_join_the_part_before(cutoffs, frequencies, kept):
    assert _cutoffs.merged(cutoffs, np.array(frequencies)) == kept


def test_order_is_by_weight_and_then_by_class(data):
    X, y = data
    model = AdaptiveSoftmaxClassifier(cutoffs=[5], max_iter=1, random_state=0).fit(X, y)
    counts = np.bincount(y)
    assert_array_equal(model.order_, np.argsort(-counts, kind="stable"))
    weights = np.where(y == 7, 100.0, 1.0)
    model.fit(X, y, sample_weight=weights)
    assert model.order_[0] == 7
    # clusters depend on the number of rows, not on their weights
    assert_array_equal(
        model.set_params(class_weight="balanced").fit(X, y).order_, np.argsort(-counts, kind="stable")
    )
    assert model.head_.W.shape == (6, 8)
    assert [tail.W.shape for tail in model.tails_] == [(25, 8)]
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("cutoffs", [[0, 3], [3, 3], [5, 3], [30], [2.5], [True, 3], np.array([1.0, 2.0])])
def test_cutoffs_that_are_none(data, cutoffs):
    with pytest.raises(
        ValueError, match=r"cutoffs=.* must be 'auto' or increasing integers between 1 and 29"
    ):
        AdaptiveSoftmaxClassifier(cutoffs=cutoffs).fit(*data)


# ---------------------------------------------------------------- without tails


@pytest.mark.parametrize(
    "settings",
    [
        {"cutoffs": "auto"},
        {"cutoffs": [29]},
        {"cutoffs": []},
        {"early_stopping": True, "validation_fraction": 0.3, "calibration": "temperature"},
        {"solver": "lbfgs", "max_iter": 500, "random_state": np.random.RandomState(1)},
        {"class_weight": {3: 0.0}},
    ],
    ids=lambda settings: ", ".join(settings),
)
def test_without_tails_it_is_the_softmax_classifier(data, settings):
    X, y = data
    settings = {"solver": "sgd", "alpha": 1e-4, "max_iter": 5, "random_state": 0} | settings
    others = {name: value for name, value in settings.items() if name != "cutoffs"}
    if not isinstance(settings["random_state"], int):
        others["random_state"] = np.random.RandomState(1)
    model, full = AdaptiveSoftmaxClassifier(**settings).fit(X, y), SoftmaxClassifier(**others).fit(X, y)
    assert_array_equal(model.coef_, full.coef_)
    assert_array_equal(model.predict_proba(X), full.predict_proba(X))
    assert model.history_["objective"] == full.history_["objective"]
    assert model.tails_ == []
    assert model.cutoffs_.size == 0
    assert not hasattr(model, "head_")
    assert sorted(model.order_) == list(range(30))


def test_two_classes(data):
    X, y = data
    model = AdaptiveSoftmaxClassifier(cutoffs=[1], random_state=0).fit(X, y > 10)
    full = SoftmaxClassifier(alpha=1e-8, random_state=0).fit(X, y > 10)
    assert_array_equal(model.decision_function(X), full.decision_function(X))
    assert_array_equal(model.predict(X), full.predict(X))


# ---------------------------------------------------------------- the objective


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_joint_objective_is_the_sum_of_the_parts(data, fit_intercept):
    X, y = data
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    model = AdaptiveSoftmaxClassifier(
        cutoffs=[4, 10], alpha=1e-2, solver="lbfgs", fit_intercept=fit_intercept, class_weight={3: 2.0}
    )
    model.fit(X, y, sample_weight=weights)
    F = naive_objective(model, X, np.eye(30)[y], weights * np.where(y == 3, 2, 1))
    assert model.history_["objective"][-1] == pytest.approx(F, rel=1e-9)
    assert len(model.history_["objective"]) == model.n_iter_
    assert set(model.history_) == {"objective", "gradient_norm", "seconds"}


def test_each_part_is_at_its_optimum(data):
    X, y = data
    model = AdaptiveSoftmaxClassifier(cutoffs=[4, 10], alpha=1e-2, solver="lbfgs", tol=1e-12).fit(X, y)
    ranks = np.argsort(model.order_)[y]
    parts = [
        (model.head_, np.where(ranks < 4, ranks, np.where(ranks < 10, 4, 5)), ranks >= 0),
        (model.tails_[0], ranks - 4, (ranks >= 4) & (ranks < 10)),
        (model.tails_[1], ranks - 10, ranks >= 10),
    ]
    for part, labels, rows in parts:
        Y, ones = np.eye(len(part.W))[labels[rows]], np.ones(rows.sum())
        alpha = 1e-2 * len(y) / rows.sum()
        W, b = softmax_optimum(X[rows], Y, ones, alpha)
        assert_allclose(part.W, W, atol=1e-5)
        reached = softmax_objective(part.W, part.b, X[rows], Y, ones, alpha)
        assert reached <= softmax_objective(W, b, X[rows], Y, ones, alpha) + 1e-9
    # so no other weights of the whole model are better, near or far
    least, rng = naive_objective(model, X, np.eye(30)[y], np.ones(len(y))), np.random.default_rng(0)
    for _ in range(10):
        other = pickle.loads(pickle.dumps(model))
        for part in (other.head_, *other.tails_):
            part.W[:] += 1e-3 * rng.standard_normal(part.W.shape)
        assert naive_objective(other, X, np.eye(30)[y], np.ones(len(y))) > least


def test_sgd_goes_to_the_optimum_too(data):
    X, y = data
    model = AdaptiveSoftmaxClassifier(cutoffs=[4, 10], alpha=1e-2, random_state=0).fit(X, y)
    best = AdaptiveSoftmaxClassifier(cutoffs=[4, 10], alpha=1e-2, solver="lbfgs", tol=1e-7).fit(X, y)
    assert_allclose(model.predict_proba(X), best.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize("soft", [False, True])
def test_weights_are_copies(data, soft):
    X, y = data[0][:200], data[1][:200]
    y = np.random.default_rng(0).dirichlet(np.full(30, 0.1), 200) if soft else y
    weights = np.random.default_rng(1).integers(0, 3, 200)
    weights[:60] = 1
    settings = {"cutoffs": [5, 15], "alpha": 1e-2, "solver": "lbfgs", "tol": 1e-7}
    weighted = AdaptiveSoftmaxClassifier(**settings).fit(X, y, sample_weight=weights)
    rows = np.repeat(np.arange(200), weights)
    copied = AdaptiveSoftmaxClassifier(**settings).fit(X[rows], y[rows])
    assert_array_equal(weighted.order_, copied.order_)
    assert_allclose(weighted.predict_proba(X), copied.predict_proba(X), atol=1e-6)


def test_soft_labels(data):
    X, y = data
    settings = {"cutoffs": [5, 15], "alpha": 1e-2, "solver": "lbfgs", "tol": 1e-7}
    hard = AdaptiveSoftmaxClassifier(**settings).fit(X, y)
    soft = AdaptiveSoftmaxClassifier(**settings).fit(X, np.eye(30)[y])
    assert_allclose(soft.predict_proba(X), hard.predict_proba(X), atol=1e-6)
    Y = 0.8 * np.eye(30)[y] + 0.2 * np.random.default_rng(0).dirichlet(np.full(30, 0.2), len(y))
    soft.fit(X, Y)
    ones = np.ones(len(y))
    assert soft.history_["objective"][-1] == pytest.approx(naive_objective(soft, X, Y, ones), rel=1e-9)
    assert naive_objective(soft, X, Y, ones) < naive_objective(hard, X, Y, ones)


def test_a_class_without_weight_is_the_rarest(data):
    X, y = data
    counts = np.bincount(y)
    frequent = int(counts.argmax())
    model = AdaptiveSoftmaxClassifier(
        cutoffs=[5, 15], alpha=1e-3, max_iter=30, class_weight={frequent: 0.0}, random_state=0
    ).fit(X, y)
    assert model.order_[-1] == frequent
    p = model.predict_proba(X[y != frequent])
    assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    assert p[:, frequent].mean() < 0.01
    without = y != frequent
    ones = np.ones(without.sum())
    F = naive_objective(model, X[without], np.eye(30)[y[without]], ones)
    assert np.log(30) * 0.6 > F


# ---------------------------------------------------------------- predicting


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("reduction", [None, 2.0])
def test_probabilities(dtype, tolerance, reduction):
    X, y = zipf(dtype=dtype)
    model = AdaptiveSoftmaxClassifier(cutoffs=[5, 15], reduction=reduction, max_iter=20, random_state=0)
    model.fit(X, y)
    p = model.predict_proba(X)
    assert p.dtype == dtype
    assert_allclose(p.sum(axis=1), 1, atol=tolerance)
    expected = naive_log_probabilities(model, X.astype(np.float64))
    assert_allclose(p, np.exp(expected), atol=100 * tolerance)
    assert_allclose(model.decision_function(X), expected, rtol=1e-4, atol=1e3 * tolerance)
    assert_allclose(model.predict_log_proba(X), expected, rtol=1e-4, atol=1e3 * tolerance)
    assert_array_equal(model.predict(X), model.classes_[model.decision_function(X).argmax(axis=1)])
    assert model.score(X, y) > 0.6
    shapes = [None if P is None else P.shape for P in model.projections_]
    assert shapes == ([None, None] if reduction is None else [(8, 4), (8, 2)])


def test_topk_and_probabilities_of_given_classes(data, fitted):
    X, y = data
    p = fitted.predict_proba(X)
    top = fitted.predict_topk(X, 4)
    assert_array_equal(top[:, 0], fitted.predict(X))
    found = fitted.predict_proba_of(X, top)
    assert_allclose(found, -np.sort(-p, axis=1)[:, :4], rtol=1e-9)
    assert_allclose(fitted.predict_proba_of(X, y), p[np.arange(len(y)), y], rtol=1e-9)
    for label in (0, 17, 29):
        assert_allclose(fitted.predict_proba_of(X, label), p[:, label], rtol=1e-9)
    assert_allclose(fitted.predict_proba_of(X, fitted.classes_[None, :]), p, rtol=1e-9)


def test_blocks_do_not_matter(data, fitted, monkeypatch):
    X = data[0]
    for rows in (X, sparse.csr_array(X)):
        whole, top = fitted.predict(rows), fitted.predict_topk(rows, 3)
        p = fitted.predict_proba_of(rows, data[1])
        with monkeypatch.context() as patch:
            patch.setattr("linclf._estimator.predicting.BLOCK", 8 * 30 * 7)
            patch.setattr("linclf._estimator.predicting.PROBABILITIES", 30 * 7)
            assert_array_equal(fitted.predict(rows), whole)
            assert_array_equal(fitted.predict_topk(rows, 3), top)
            assert_allclose(fitted.predict_proba_of(rows, data[1]), p, rtol=1e-9)


def test_values_that_are_not_finite(data, fitted):
    X = data[0][:5].copy()
    X[2, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fitted.predict(X)
    X[2, 3] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        fitted.predict_proba(X)


@pytest.mark.parametrize("reduction", [None, 1.5])
def test_sparse_rows_are_the_same_problem(data, reduction):
    X, y = data
    X = np.where(np.abs(X) < 0.5, 0, X)
    settings = {"cutoffs": [5, 15], "alpha": 1e-2, "solver": "lbfgs", "tol": 1e-7, "reduction": reduction}
    dense = AdaptiveSoftmaxClassifier(**settings).fit(X, y)
    csr = AdaptiveSoftmaxClassifier(**settings).fit(sparse.csr_array(X), y)
    assert_allclose(csr.predict_proba(sparse.csr_array(X)), dense.predict_proba(X), atol=1e-5)
    assert_allclose(dense.predict_proba(sparse.csr_array(X)), dense.predict_proba(X), atol=1e-10)


def test_directions_are_those_of_the_class_means(data):
    X, y = data
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    mass = np.bincount(y, weights)
    means = np.array([np.average(X[y == k], axis=0, weights=weights[y == k]) for k in range(30)])
    differences = np.sqrt(mass)[:, None] * (means - np.average(X, axis=0, weights=weights))
    V = np.linalg.svd(differences)[2][:3].T
    labels, soft = Labels(y, 30), Probabilities(np.eye(30)[y])
    for rows, targets in ((X, labels), (sparse.csr_array(X), labels), (X, soft)):
        found = class_directions(rows, targets, weights, 3)
        assert_allclose(found.T @ found, np.eye(3), atol=1e-10)
        assert_allclose(np.abs(found.T @ V), np.eye(3), atol=1e-7)
    assert class_directions(X[:, :2], Labels(y % 2, 2), weights, 2).shape == (2, 1)
    same = class_directions(np.ones((6, 4)), Labels(np.arange(6) % 3, 3), np.ones(6), 2)
    assert_array_equal(same, np.eye(4, 2))


# ---------------------------------------------------------------- fitting in general


def test_many_classes_are_cut_by_themselves():
    X, y = zipf(n=8000, K=1100, d=16, dtype=np.float32, noise=2.0)
    train, test = np.arange(8000) % 4 > 0, np.arange(8000) % 4 == 0
    train[:1100] = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # parts with few rows per class do not warn separately
        model = AdaptiveSoftmaxClassifier(max_iter=3, random_state=0).fit(X[train], y[train])
    full = SoftmaxClassifier(solver="sgd", alpha=1e-8, max_iter=3, random_state=0).fit(X[train], y[train])
    assert len(model.cutoffs_) > 0
    assert_array_equal(model.cutoffs_, _cutoffs.automatic(np.sort(np.bincount(y[train]))[::-1]))
    loss = -np.log(model.predict_proba_of(X[test], y[test])).mean()
    assert loss < -np.log(full.predict_proba_of(X[test], y[test])).mean() + 0.03


@pytest.mark.filterwarnings("ignore:The number of unique classes")  # of scikit-learn 1.7, without reason
def test_validation_rows_stop_each_part(data, of_parts):
    X, y = data
    settings = {"cutoffs": [5, 15], "alpha": 1e-4, "max_iter": 40, "batch_size": 32, "random_state": 0}
    model = AdaptiveSoftmaxClassifier(**settings, early_stopping=True, validation_fraction=0.2).fit(X, y)
    assert set(model.history_) == {"objective", "step", "seconds", "validation_loss"}
    X_val, y_val = X[::5], y[::5]
    train = np.arange(len(y)) % 5 > 0
    model = AdaptiveSoftmaxClassifier(**settings).fit(X[train], y[train], X_val=X_val, y_val=y_val)
    ranks = np.argsort(model.order_)[y_val]
    shares = [1, np.mean((ranks >= 5) & (ranks < 15)), np.mean(ranks >= 15)]
    best = [min(part.history["validation_loss"]) for part in of_parts]
    loss = log_loss(y_val, model.predict_proba(X_val), labels=model.classes_)
    assert loss == pytest.approx(np.dot(shares, best), rel=1e-6)
    assert model.n_iter_ == max(part.n_iter for part in of_parts)
    last = [part.history["validation_loss"][-1] for part in of_parts]
    assert model.history_["validation_loss"][-1] == pytest.approx(np.dot(shares, last), rel=1e-9)
    # only rows of the head: the tails train without validation
    head = ranks < 5
    model.fit(X[train], y[train], X_val=X_val[head], y_val=y_val[head])
    assert ["validation_loss" in part.history for part in of_parts] == [True, False, False]
    assert model.history_["validation_loss"] == pytest.approx(of_parts[0].history["validation_loss"])


def test_calibration(data):
    X, y = data
    settings = {"cutoffs": [5, 15], "alpha": 1e-6, "solver": "lbfgs"}
    train = np.arange(len(y)) % 3 > 0
    plain = AdaptiveSoftmaxClassifier(**settings, early_stopping=False).fit(X[train], y[train])
    model = AdaptiveSoftmaxClassifier(**settings, early_stopping=False, calibration="temperature")
    model.fit(X[train], y[train], X_val=X[~train], y_val=y[~train])
    assert_array_equal(model.head_.W, plain.head_.W)
    assert_allclose(model.decision_function(X), model.predict_log_proba(X), rtol=1e-12)
    p = model.predict_proba(X[~train])
    assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    assert log_loss(y[~train], p) < log_loss(y[~train], plain.predict_proba(X[~train]))
    assert_allclose(model.predict_proba_of(X[~train], 3), p[:, 3], rtol=1e-12)
    with pytest.raises(ValueError, match=r"calibration='temperature' needs validation rows"):
        model.fit(X, y)


def test_epochs_are_those_of_all_rows(of_parts):
    X, y = zipf(n=3000, K=30, d=4)
    model = AdaptiveSoftmaxClassifier(cutoffs=[5, 15], random_state=0, tol=None, solver="adam").fit(X, y)
    full = SoftmaxClassifier(random_state=0, tol=None, solver="adam").fit(X, y)
    assert [part.n_iter for part in of_parts] == [full.n_iter_] * 3
    assert model.n_iter_ == full.n_iter_
    AdaptiveSoftmaxClassifier(cutoffs=[5, 15], random_state=0, tol=None, max_iter=7).fit(X, y)
    assert [part.n_iter for part in of_parts] == [7] * 3


def test_warm_start_goes_on_with_the_same_clusters(data):
    X, y = data
    settings = {"cutoffs": [5, 15], "alpha": 1e-2, "solver": "lbfgs", "tol": 1e-6, "reduction": 2.0}
    model = AdaptiveSoftmaxClassifier(**settings, warm_start=True).fit(X, y)
    order, cold, n_iter = model.order_, model.predict_proba(X), model.n_iter_
    model.fit(X, y)
    assert model.n_iter_ <= n_iter / 3
    assert_allclose(model.predict_proba(X), cold, atol=1e-4)
    rows = np.sort(np.random.default_rng(0).permutation(len(y))[: len(y) // 2])
    rows = np.union1d(rows, np.arange(60))
    model.set_params(cutoffs=[3]).fit(X[rows], y[rows])
    assert_array_equal(model.order_, order)
    assert_array_equal(model.cutoffs_, [5, 15])
    before = vars(model).copy()
    with pytest.raises(ValueError, match="needs the classes and features of the last fit"):
        model.fit(X[:, :3], y)
    with pytest.raises(ValueError, match="needs the classes and features of the last fit"):
        model.fit(X[y > 0], y[y > 0])
    assert vars(model) == before


def test_fits_with_and_without_tails_leave_nothing_of_each_other(data):
    X, y = data
    settings = {"solver": "sgd", "max_iter": 3, "alpha": 1e-4, "random_state": 0}
    model = AdaptiveSoftmaxClassifier(cutoffs=[5], **settings).fit(X, y)
    p = model.predict_proba(X)
    model.set_params(cutoffs=[]).fit(X, y)
    assert_array_equal(model.coef_, SoftmaxClassifier(**settings).fit(X, y).coef_)
    assert not hasattr(model, "head_")
    model.set_params(cutoffs=[5]).fit(X, y)
    assert_array_equal(model.predict_proba(X), p)
    assert not hasattr(model, "coef_")


def test_same_seed_same_model_for_any_number_of_threads():
    X, y = zipf(n=2000, K=200, d=16, dtype=np.float32)
    settings = {"cutoffs": [20, 80], "max_iter": 2, "reduction": 1.5}

    def scores(seed, n_jobs):
        model = AdaptiveSoftmaxClassifier(random_state=seed, n_jobs=n_jobs, **settings)
        return model.fit(X, y).decision_function(X)

    assert_array_equal(scores(0, 1), scores(0, 2))
    assert_array_equal(scores(0, 1), scores(np.random.RandomState(0), 1))
    assert not np.array_equal(scores(0, 1), scores(1, 1))


@HAS_CALLBACKS
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_failure_changes_nothing(data, fitted, stop_after):
    model = pickle.loads(pickle.dumps(fitted)).set_params(max_iter=2)
    model.set_callbacks(Recorder(stop_after, fault=KeyboardInterrupt()))
    before = vars(model).copy()
    with pytest.raises(KeyboardInterrupt):  # in the head, in a tail
        model.fit(data[0][:, :4], data[1])
    assert vars(model) == before


def test_pickle_and_names(data, fitted):
    pytest.importorskip("pandas")
    import pandas as pd

    copied = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(copied.predict_proba(data[0]), fitted.predict_proba(data[0]))
    frame = pd.DataFrame(data[0], columns=[f"x{j}" for j in range(8)])
    model = AdaptiveSoftmaxClassifier(cutoffs=[5, 15], alpha=1e-3, max_iter=20, random_state=0)
    model.fit(frame, np.array([f"c{k:02}" for k in data[1]]))
    assert_array_equal(model.feature_names_in_, frame.columns)
    assert_array_equal(model.predict_proba(frame), fitted.predict_proba(data[0]))
    assert model.predict(frame[:1])[0] == f"c{fitted.predict(data[0][:1])[0]:02}"


def test_verbose_says_which_part(data, capsys):
    AdaptiveSoftmaxClassifier(cutoffs=[5], max_iter=2, verbose=1, random_state=0).fit(*data)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "head: 6 outputs, 600 rows of 8 features"
    assert lines[1].startswith("epoch 1/2")
    assert lines[3].startswith("tail 1: 25 outputs")
    assert len(lines) == 6


def test_no_streams(data):
    model = AdaptiveSoftmaxClassifier()
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="has no") as fault:
        model.partial_fit(*data)
    assert "known when all rows are" in str(fault.value.__cause__ or fault.value)


class Recorder:
    """Scores the whole model after each epoch, and asks each part to stop (or fails) after some epochs."""

    def __init__(self, stop_after=np.inf, fault=None):
        self.stop_after, self.fault, self.losses, self.events = stop_after, fault, [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.events.append(f"end {context.task_name}")
        self.losses.append(log_loss(y, fitted_estimator.predict_proba(X)))
        if self.fault is not None and len(self.losses) >= self.stop_after:
            raise self.fault
        return len(self.losses) >= self.stop_after


@HAS_CALLBACKS
def test_callbacks_see_the_whole_after_each_epoch(data, of_parts):
    X, y = data
    record = Recorder()
    model = AdaptiveSoftmaxClassifier(cutoffs=[5, 15], max_iter=3, random_state=0, reduction=2.0)
    plain = model.fit(X, y).predict_proba(X)
    for _ in range(2):  # the second time after another fit
        record.events, record.losses = [], []
        model.set_callbacks(record).fit(X, y)
        epochs = ["begin epoch", "end epoch"] * 9
        assert record.events == ["setup", "begin fit", *epochs, "end fit", "teardown"]
        assert_array_equal(model.predict_proba(X), plain)
        assert record.losses[-1] == pytest.approx(log_loss(y, plain))
        assert record.losses[-1] == pytest.approx(record.losses[-2])
        assert all(
            after < before + 0.05 for before, after in zip(record.losses, record.losses[1:], strict=False)
        )
    pickle.dumps(model.head_)
    model.set_callbacks(Recorder(stop_after=2)).fit(X, y)
    assert [part.n_iter for part in of_parts] == [2, 1, 1]


@HAS_CALLBACKS
def test_progress_bar(data, capsys):
    model = AdaptiveSoftmaxClassifier(cutoffs=[5], max_iter=2, random_state=0)
    model.set_callbacks(import_module("sklearn.callback").ProgressBar())
    model.fit(*data)
    assert "AdaptiveSoftmaxClassifier - fit" in capsys.readouterr().out


@HAS_CALLBACKS
def test_callbacks_see_the_projection():
    rng = np.random.default_rng(0)
    y = np.minimum(rng.zipf(1.5, 600), 30) - 1
    X = rng.normal(size=(30, 8))[y] + 0.1 * rng.normal(size=(600, 8))

    class Scores:
        def setup(self, estimator, context):
            self.found = []

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            if context.task_name == "epoch":
                self.found.append(fitted_estimator.score(X, y))

    for rank in (4, 8):
        seen = Scores()
        model = AdaptiveSoftmaxClassifier(cutoffs=[5], rank=rank, random_state=0).set_callbacks(seen)
        assert model.fit(X, y).score(X, y) == seen.found[-1] > 0.9
