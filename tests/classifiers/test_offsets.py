"""Offsets in fit and predict, and weights to start from; `test_priors.py` has priors.

`tests/training/test_offset.py` compares every sweep and quadratic model with other weights instead of known
scores; here the optimum is that of SciPy and of glum.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optima import optimum, table
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from versions import SCORES_WITH_METADATA

from linclf import (
    Batches,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SparsemaxClassifier,
    SVMClassifier,
)
from linclf._estimator import predicting
from linclf.large import HierarchicalSoftmaxClassifier

FORMS = {"dense": np.asarray, "csr": sparse.csr_array}


# ---------------------------------------------------------------- the optimum


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", ["softmax", "squared-one-vs-rest"])
def test_optimum_is_that_of_scipy(loss, n_classes, form):
    """For each solver, with weights; stochastic steps come near."""
    X, y, weights, offset = table(n_classes)
    W, b, _ = optimum(loss, X, y, weights, 0.01, offset)
    for solver, close in (("newton", 1e-6), ("lbfgs", 1e-6), ("auto", 1e-4), ("sgd", 3e-3)):
        model = LinearClassifier(loss=loss, alpha=0.01, solver=solver, tol=1e-9, max_iter=500, random_state=0)
        model.fit(FORMS[form](X), y, weights, offset=offset)
        np.testing.assert_allclose(model.coef_, W, atol=close, err_msg=solver)
        np.testing.assert_allclose(
            model.intercept_ - model.intercept_.mean() * (n_classes > 2 and loss == "softmax"),
            b,
            atol=close,
            err_msg=solver,
        )
    without = clone(model).set_params(solver="newton").fit(FORMS[form](X), y, weights)
    assert np.abs(without.coef_ - W).max() > 0.05


@pytest.mark.oracle
def test_optimum_is_that_of_glum():
    """Binomial regression with an offset."""
    glum = pytest.importorskip("glum")
    X, y, weights, offset = table(2)
    theirs = glum.GeneralizedLinearRegressor(
        family="binomial", alpha=0.01, l1_ratio=0, gradient_tol=1e-10, max_iter=1000
    ).fit(X, y, sample_weight=weights, offset=offset)
    model = SoftmaxClassifier(alpha=0.01, solver="newton", tol=1e-9).fit(X, y, weights, offset=offset)
    np.testing.assert_allclose(model.coef_[0], theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(model.intercept_, theirs.intercept_, atol=1e-5)
    p = model.predict_proba(X, offset=offset)[:, 1]
    np.testing.assert_allclose(p, theirs.predict(X, offset=offset), atol=1e-5)


def test_a_column_whose_weight_is_known_can_be_left_out():
    """If the penalty on a column is negligible, its fitted weight as an offset gives the other weights."""
    X, y, weights, _ = table(2)
    whole = SoftmaxClassifier(alpha=0.01, solver="newton", tol=1e-9)
    scaled = X * np.r_[1000.0, np.ones(X.shape[1] - 1)]
    whole.fit(scaled, y, weights)
    offset = scaled[:, 0] * whole.coef_[0, 0]
    rest = clone(whole).fit(scaled[:, 1:], y, weights, offset=offset)
    np.testing.assert_allclose(rest.coef_[0], whole.coef_[0, 1:], atol=1e-5)
    np.testing.assert_allclose(rest.intercept_, whole.intercept_, atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_constant_offset_moves_the_intercepts_only(n_classes):
    X, y, weights, offset = table(n_classes)
    constant = np.full_like(offset, 0.7) * np.arange(1, 1 + offset[0].size)
    model = SoftmaxClassifier(alpha=0.01, solver="newton", tol=1e-9)
    plain, moved = clone(model).fit(X, y, weights), clone(model).fit(X, y, weights, offset=constant)
    np.testing.assert_allclose(moved.coef_, plain.coef_, atol=1e-7)
    difference = plain.intercept_ - moved.intercept_ - np.atleast_1d(constant[0])
    np.testing.assert_allclose(difference - (difference.mean() if n_classes > 2 else 0), 0, atol=1e-7)
    np.testing.assert_allclose(plain.predict_proba(X), moved.predict_proba(X, offset=constant), atol=1e-7)


@pytest.mark.parametrize("form", FORMS)
def test_early_stopping_splits_the_offset_with_the_rows(form):
    """Known scores that give the labels away leave nothing to learn, also on the held-out rows."""
    X, y = load_breast_cancer(return_X_y=True)
    X = FORMS[form](StandardScaler().fit_transform(X))
    offset = np.where(y == 1, 30.0, -30.0)
    model = SoftmaxClassifier(early_stopping=True, solver="sgd", max_iter=20, random_state=0)
    model.fit(X, y, offset=offset)
    assert max(model.history_["validation_loss"]) < 1e-4
    shuffled = clone(model).fit(X, y, offset=offset[::-1])
    assert max(shuffled.history_["validation_loss"]) > 0.05


def test_validation_rows_have_their_own_offset():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    offset, weights = np.where(y == 1, 30.0, -30.0), np.ones(100)
    weights[::3] = 0  # rows that are removed with their offset
    model = SoftmaxClassifier(early_stopping=True, solver="sgd", max_iter=20, random_state=0)
    rows = {"X_val": X[:100], "y_val": y[:100], "sample_weight_val": weights}
    model.fit(X[100:], y[100:], offset=offset[100:], offset_val=offset[:100], **rows)
    assert max(model.history_["validation_loss"]) < 1e-4
    with pytest.raises(ValueError, match="offset is given without offset_val"):
        model.fit(X[100:], y[100:], offset=offset[100:], **rows)
    with pytest.raises(ValueError, match="offset_val is given without offset"):
        model.fit(X[100:], y[100:], offset_val=offset[:100], **rows)
    with pytest.raises(ValueError, match="offset_val is given, but X_val"):
        model.fit(X, y, offset=offset, offset_val=offset)
    with pytest.raises(ValueError, match=r"offset_val has shape \(99,\)"):
        model.fit(X[100:], y[100:], offset=offset[100:], offset_val=offset[:99], **rows)


def test_calibration_sees_the_offset_of_held_out_rows():
    """Twice the scores that the labels were drawn from: the temperature is 2."""
    rng = np.random.default_rng(0)
    X, scores = np.ones((4000, 1)), rng.normal(size=4000) * 2
    y = rng.random(4000) < 1 / (1 + np.exp(-scores))
    model = SoftmaxClassifier(
        calibration="temperature", early_stopping=True, random_state=0, fit_intercept=False
    )
    model.fit(0 * X, y, offset=2 * scores)
    assert model.calibrator_.temperature_ == pytest.approx(2, rel=0.1)
    p = model.predict_proba(0 * X, offset=2 * scores)[:, 1]
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-scores)), atol=0.03)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_weights_are_copies_and_zeros_remove_rows_with_their_offset(n_classes):
    X, y, _, offset = table(n_classes, n=80)
    counts = np.random.default_rng(3).integers(0, 4, len(y))
    counts[:n_classes] = 1
    model = SoftmaxClassifier(alpha=0.01, solver="newton")
    weighted = clone(model).fit(X, y, counts, offset=offset)
    rows = np.repeat(np.arange(len(y)), counts)
    np.testing.assert_allclose(
        weighted.coef_, clone(model).fit(X[rows], y[rows], offset=offset[rows]).coef_, atol=1e-6
    )
    without = {0: 0.0, 1: 1.0, 2: 1.0}
    if n_classes == 3:  # rows of a class without weight are left out, and so is its column
        two = clone(model).set_params(class_weight=without).fit(X, y, offset=offset)
        kept = y > 0
        alone = clone(model).fit(X[kept], y[kept], offset=offset[kept, 2] - offset[kept, 1])
        np.testing.assert_allclose(two.coef_[2:] - two.coef_[1:2], alone.coef_, atol=1e-6)


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "sgd"])
def test_single_precision_and_threads(solver):
    X, y, weights, offset = table(3, n=3000)
    model = SoftmaxClassifier(alpha=0.01, solver=solver, random_state=0)
    fits = [clone(model).set_params(n_jobs=n_jobs).fit(X, y, weights, offset=offset) for n_jobs in (1, 2)]
    np.testing.assert_array_equal(fits[0].coef_, fits[1].coef_)
    single = clone(model).fit(X.astype(np.float32), y, weights, offset=offset)
    assert single.coef_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, fits[0].coef_, atol=1e-2)


def test_soft_labels_are_copies_of_rows_with_their_offset():
    X, y, weights, offset = table(3)
    q = np.random.default_rng(1).dirichlet(np.ones(3), len(y))
    model = SoftmaxClassifier(alpha=0.01, solver="newton", tol=1e-9)
    soft = clone(model).fit(X, q, weights, offset=offset)
    rows, classes = np.repeat(np.arange(len(y)), 3), np.tile(np.arange(3), len(y))
    copies = clone(model).fit(X[rows], classes, weights[rows] * q.ravel(), offset=offset[rows])
    np.testing.assert_allclose(soft.coef_, copies.coef_, atol=1e-7)


def test_logit_adjustment_besides_an_offset_of_the_same_scores():
    """The log class shares as an offset in training only are what logit_adjustment adds."""
    X, y, weights, _ = table(3)
    shares = np.bincount(y, weights) / weights.sum()
    model = SoftmaxClassifier(alpha=0.01, solver="newton", tol=1e-9)
    adjusted = clone(model).set_params(logit_adjustment=1.0).fit(X, y, weights)
    known = clone(model).fit(X, y, weights, offset=np.tile(np.log(shares), (len(y), 1)))
    np.testing.assert_allclose(known.predict_proba(X), adjusted.predict_proba(X), atol=1e-6)


def test_a_hinge_with_kinks_takes_stochastic_steps():
    X, y, weights, offset = table(2)
    model = SVMClassifier(squared=False, alpha=0.01, max_iter=300, random_state=0).fit(
        X, y, weights, offset=offset
    )
    assert model.solver_ == "sgd"
    assert clone(model).fit(X, y, weights).solver_ == "dual"
    with pytest.raises(ValueError, match="an offset or a prior is given; use solver='sgd'"):
        clone(model).set_params(solver="dual").fit(X, y, weights, offset=offset)


# ---------------------------------------------------------------- prediction


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("cls", [SoftmaxClassifier, SVMClassifier, SparsemaxClassifier])
def test_predictions_are_those_of_the_scores_plus_the_offset(cls, n_classes):
    X, y, weights, offset = table(n_classes)
    model = cls(random_state=0).fit(X, y, weights, offset=offset)
    scores = model.decision_function(X) + offset
    np.testing.assert_allclose(model.decision_function(X, offset=offset), scores)
    ranking = np.column_stack([0 * scores, scores]) if n_classes == 2 else scores
    best = ranking.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X, offset=offset), best)
    assert (best != model.predict(X)).any()
    np.testing.assert_array_equal(model.predict_topk(X, 2, offset=offset)[:, 0], best)
    assert model.score(X, y, weights, offset=offset) == pytest.approx(np.average(best == y, weights=weights))
    if cls is SoftmaxClassifier:
        p = np.exp(ranking - ranking.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(model.predict_proba(X, offset=offset), p)
        np.testing.assert_allclose(model.predict_log_proba(X, offset=offset), np.log(p))
        every = [list(range(n_classes))]
        np.testing.assert_allclose(model.predict_proba_of(X, every, offset=offset), p)
        np.testing.assert_allclose(model.predict_proba_of(X, y, offset=offset), p[np.arange(len(y)), y])


def test_probabilities_of_some_classes_in_blocks(monkeypatch):
    """Each block of rows has its part of the offset, also with calibration."""
    X, y, weights, offset = table(3)
    monkeypatch.setattr(predicting, "PROBABILITIES", 50)
    for options in ({}, {"calibration": "vector", "early_stopping": True}):
        model = SoftmaxClassifier(random_state=0, **options).fit(X, y, weights, offset=offset)
        p = model.predict_proba(X, offset=offset)[np.arange(len(y)), y]
        np.testing.assert_allclose(model.predict_proba_of(X, y, offset=offset), p, rtol=1e-12)
        assert np.abs(model.predict_proba_of(X, y) - p).max() > 0.1


@SCORES_WITH_METADATA
def test_offsets_are_routed():
    X, y, _, offset = table(3)
    with config_context(enable_metadata_routing=True):
        model = SoftmaxClassifier(alpha=0.01).set_fit_request(offset=True).set_score_request(offset=True)
        found = cross_validate(
            make_pipeline(StandardScaler(), model), X, y, params={"offset": offset}, return_indices=True
        )
    alone = []
    for train, test in zip(*(found["indices"][name] for name in ("train", "test")), strict=True):
        pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(alpha=0.01))
        Z = pipeline[0].fit(X[train]).transform(X)
        fitted = pipeline[-1].fit(Z[train], y[train], offset=offset[train])
        alone.append(fitted.score(Z[test], y[test], offset=offset[test]))
    np.testing.assert_allclose(found["test_score"], alone)
    for name in ("predict", "predict_proba", "decision_function", "predict_log_proba"):
        assert hasattr(SoftmaxClassifier(), f"set_{name}_request")


def test_a_monitor_gets_the_offset():
    """As it gets weights: scikit-learn's ScoringMonitor passes them to the scorer."""
    callback = pytest.importorskip("sklearn.callback")  # scikit-learn 1.9
    X, y, weights, offset = table(3)
    given = []

    def scorer(estimator, X, y, **metadata):
        given.append(metadata)
        return {"accuracy": estimator.score(X, y, **metadata)}

    monitor = callback.ScoringMonitor(scoring=scorer)
    SoftmaxClassifier(solver="newton").set_callbacks(monitor).fit(X, y, weights, offset=offset)
    np.testing.assert_allclose(given[-1]["offset"], offset)
    monitor = callback.ScoringMonitor(scoring=scorer)
    model = SoftmaxClassifier(early_stopping=True, max_iter=2, random_state=0).set_callbacks(monitor)
    model.fit(X, y, offset=offset[:, :3])
    assert len(given[-1]["offset"]) == 180  # without the rows held out
    monitor = callback.ScoringMonitor(scoring="accuracy")
    with pytest.raises(TypeError, match="offset"):  # scikit-learn's own scorers do not know it
        SoftmaxClassifier().set_callbacks(monitor).fit(X, y, offset=offset)


# ---------------------------------------------------------------- starts


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "sgd"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_training_from_the_optimum_is_short_and_stays_there(n_classes, solver):
    X, y, weights, _ = table(n_classes, n=2000)
    model = SoftmaxClassifier(alpha=0.01, solver=solver, batch_size="auto", random_state=0)
    if solver == "sgd":
        model.set_params(batch_size=len(y))
    there = clone(model).set_params(solver="newton", tol=1e-12, batch_size="auto").fit(X, y, weights)
    cold = clone(model).fit(X, y, weights)
    warm = clone(model).fit(X, y, weights, coef_init=there.coef_, intercept_init=there.intercept_)
    assert warm.n_iter_ < cold.n_iter_
    np.testing.assert_allclose(warm.coef_, there.coef_, atol=1e-3)
    np.testing.assert_allclose(warm.history_["objective"][0], there.history_["objective"][-1], rtol=1e-5)
    same = clone(model).set_params(warm_start=True).fit(X, y, weights)
    same.coef_, same.intercept_ = there.coef_, there.intercept_
    np.testing.assert_array_equal(same.fit(X, y, weights).coef_, warm.coef_)


def test_a_start_of_intercepts_only_has_weights_of_zero():
    X, y, weights, _ = table(3)
    model = SoftmaxClassifier(solver="sgd", learning_rate=1e-12, max_iter=1, tol=None, random_state=0)
    model.fit(X, y, weights, intercept_init=[1.0, 2.0, 4.0])
    np.testing.assert_allclose(model.coef_, 0, atol=1e-6)
    np.testing.assert_allclose(np.diff(model.intercept_), [1, 2], atol=1e-6)


# ---------------------------------------------------------------- refusals


REFUSED = [
    (2, {"offset": np.zeros((60, 2))}, r"shape \(60, 2\).*must be \(60,\).*offset\[:, 1\] - offset\[:, 0\]"),
    (2, {"offset": np.zeros((60, 1))}, r"shape \(60, 1\).*must be \(60,\)"),
    (3, {"offset": np.zeros(60)}, r"shape \(60,\).*must be \(60, 3\)"),
    (3, {"offset": np.zeros((59, 3))}, r"shape \(59, 3\).*must be \(60, 3\)"),
    (2, {"offset": np.r_[np.nan, np.zeros(59)]}, "offset contains NaN"),
    (2, {"offset": np.r_[-np.inf, np.zeros(59)]}, "offset contains infinity"),
    (2, {"offset": np.ma.masked_equal(np.arange(60.0), 3)}, "offset is a masked array"),
    (2, {"offset": ["a"] * 60}, "could not convert"),
    (
        3,
        {"coef_init": np.zeros((1, 5))},
        r"coef_init has shape \(1, 5\), and must have that of coef_, \(3, 5\)",
    ),
    (
        2,
        {"coef_init": np.zeros((2, 5))},
        r"coef_init has shape \(2, 5\), and must have that of coef_, \(1, 5\)",
    ),
    (2, {"coef_init": np.full((1, 5), np.nan)}, "coef_init contains NaN"),
    (2, {"intercept_init": 0.0}, r"intercept_init has shape \(\), and must have that of intercept_, \(1,\)"),
]


@pytest.mark.parametrize(("n_classes", "arguments", "message"), REFUSED)
def test_bad_arguments_are_refused(n_classes, arguments, message):
    X, y, _, _ = table(n_classes, n=60)
    with pytest.raises(ValueError, match=message):
        SoftmaxClassifier().fit(X, y, **arguments)
    if "offset" in arguments:
        with pytest.raises(ValueError, match=message):
            SoftmaxClassifier().fit(X, y).predict(X, **arguments)


@pytest.mark.parametrize("name", ["offset", "coef_init", "intercept_init"])
@pytest.mark.parametrize("model", [MarginSoftmaxClassifier(), HierarchicalSoftmaxClassifier()], ids=repr)
def test_classifiers_without_linear_scores_refuse_them(model, name):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=f"{name} is for classifiers with one linear score per class"):
        model.fit(X, y, **{name: np.zeros((len(y), 3))})
    model.fit(X, y)

    def of_first(X, offset):
        return model.predict_proba_of(X, 0, offset=offset)

    for method in (model.predict, model.decision_function, model.predict_proba, of_first):
        with pytest.raises(ValueError, match="offset is for classifiers with one linear score per class"):
            method(X, offset=np.zeros((len(y), 3)))


def test_what_contradicts_other_arguments_is_refused():
    X, y, _, offset = table(2, n=60)
    with pytest.raises(ValueError, match="coef_init and warm_start=True both say where"):
        SoftmaxClassifier(warm_start=True).fit(X, y, coef_init=np.zeros((1, 5)))
    with pytest.raises(ValueError, match=r"intercept_init=2 and fit_intercept=False"):
        SoftmaxClassifier(fit_intercept=False).fit(X, y, intercept_init=[2.0])
    with pytest.raises(ValueError, match="offset is given besides Batches"):
        SoftmaxClassifier().fit(Batches(X, target=y), offset=offset)
    with pytest.raises(ValueError, match="offset is given besides Batches"):
        SoftmaxClassifier().fit(X, y).predict(Batches(X, target=None), offset=offset)
    fitted = SoftmaxClassifier().fit(X, y)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="NaN"):
        fitted.fit(X, y, offset=np.full(60, np.nan))
    assert vars(fitted) == before


def test_classifiers_on_a_cluster_refuse_them():
    pytest.importorskip("distributed")
    from linclf import dask

    X, y, _, offset = table(2, n=60)
    with pytest.raises(TypeError, match="offset is no argument for Dask collections"):
        dask.SoftmaxClassifier().fit(X, y, offset=offset)
    with pytest.raises(TypeError, match="offset is no argument for Dask collections"):
        dask.SoftmaxClassifier().predict(X, offset=offset)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from([2, 3, 4]), st.sampled_from(list(FORMS)))
def test_shapes_of_all_kinds(data, n_classes, form):
    """A single feature, few rows, and offsets of any moderate size: scores are X W' + b + offset."""
    n, d = data.draw(st.integers(n_classes, 12)), data.draw(st.integers(1, 3))
    X, y, _, offset = table(n_classes, n=n, d=d, size=data.draw(st.sampled_from([0.0, 1.0, 50.0])))
    model = SoftmaxClassifier(alpha=0.1).fit(FORMS[form](X), y, offset=offset)
    products = X @ model.coef_.T + model.intercept_
    expected = (products.ravel() if n_classes == 2 else products) + offset
    np.testing.assert_allclose(model.decision_function(FORMS[form](X), offset=offset), expected, atol=1e-9)
