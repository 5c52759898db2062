"""Classifiers that choose their penalty, compared with independent fits on the same folds and scikit-learn.

Solvers and losses are tested elsewhere; this file tests the data of a fold, the scores, and the choice.
"""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import linclf
from linclf import LinearClassifierCV, SoftmaxClassifier, SoftmaxClassifierCV, SVMClassifier, SVMClassifierCV
from linclf.losses import Focal, Softmax

RNG = np.random.default_rng(0)
N, D = 300, 6
ALPHAS = [1.0, 1e-1, 1e-2, 1e-3, 1e-4]


def table(n_classes=3, n=N, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, D)) * [1, 2, 3, 1, 1, 1] + [0, 0, 5, 0, 0, 0]
    scores = X @ rng.normal(size=(D, n_classes)) * 0.5 + rng.gumbel(size=(n, n_classes))
    return X, scores.argmax(axis=1)


def fold_scores(model):
    n_folds = sum(name.startswith("split") for name in model.cv_results_)
    return np.array([model.cv_results_[f"split{number}_test_score"] for number in range(n_folds)])


def differences(model, X):
    """Scores up to a constant for all classes."""
    scores = model.decision_function(X)
    return scores if scores.ndim == 1 else scores - scores.mean(axis=1, keepdims=True)


FOLDS = list(StratifiedKFold(4, shuffle=True, random_state=0).split(np.zeros(N), table()[1]))
PLAIN = {
    "softmax": (SoftmaxClassifierCV, SoftmaxClassifier, {}),
    "smoothed": (SoftmaxClassifierCV, SoftmaxClassifier, {"label_smoothing": 0.1}),
    "adjusted": (SoftmaxClassifierCV, SoftmaxClassifier, {"logit_adjustment": 1.0}),
    "balanced": (SoftmaxClassifierCV, SoftmaxClassifier, {"class_weight": "balanced"}),
    "standardised": (SoftmaxClassifierCV, SoftmaxClassifier, {"standardize": True}),
    "no intercept": (SoftmaxClassifierCV, SoftmaxClassifier, {"fit_intercept": False}),
    "lbfgs": (SoftmaxClassifierCV, SoftmaxClassifier, {"solver": "lbfgs"}),
    "squared": (SVMClassifierCV, SVMClassifier, {"squared": True}),
}


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array, np.float32])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", PLAIN)
def test_folds_are_fits_from_nothing(name, n_classes, storage):
    chooser, plain, parameters = PLAIN[name]
    X, y = table(n_classes)
    X = storage(X)
    scoring = "accuracy" if name == "squared" else "neg_log_loss"
    model = chooser(alphas=ALPHAS, cv=FOLDS, tol=1e-12, **parameters).fit(X, y)
    expected = [
        cross_val_score(plain(alpha=alpha, tol=1e-12, **parameters), X, y, cv=FOLDS, scoring=scoring)
        for alpha in ALPHAS
    ]
    digits = 1e-3 if X.dtype == np.float32 else 1e-6
    np.testing.assert_allclose(fold_scores(model), np.transpose(expected), rtol=digits, atol=digits)
    best = np.argmax(np.mean(expected, axis=1).round(9))
    assert model.alpha_ == ALPHAS[best]
    again = plain(alpha=model.alpha_, tol=1e-12, **parameters).fit(X, y)
    np.testing.assert_allclose(differences(model, X), differences(again, X), atol=10 * digits)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_scores_of_logistic_regression_cv(load):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    n = len(folds[0][0])
    folds = [(train[:n], test) for train, test in folds]  # of equal size, because C refers to a sum
    n = min(len(train) for train, _ in folds)
    folds = [(train[:n], test) for train, test in folds]
    model = SoftmaxClassifierCV(alphas=ALPHAS, cv=folds, tol=1e-8).fit(X, y)
    peer = LogisticRegressionCV(
        Cs=1 / (n * np.array(ALPHAS)),
        cv=folds,
        scoring="neg_log_loss",
        tol=1e-7,
        max_iter=10_000,
        use_legacy_attributes=False,
        l1_ratios=(0,),
    ).fit(X, y)
    expected = np.squeeze(peer.scores_)
    np.testing.assert_allclose(fold_scores(model), expected, rtol=2e-4, atol=2e-5)
    assert pytest.approx(1 / (n * model.alpha_)) == peer.C_


def test_real_folds_of_digits():
    """A column varied only in the held-out rows of a fold, and its rounding outweighed all other columns."""
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = SoftmaxClassifierCV(alphas=[0.1, 2.5e-3]).fit(X, y)
    peer = LogisticRegression(C=1 / (2.5e-3 * 1437.5), max_iter=1000)
    expected = cross_val_score(peer, X, y, cv=StratifiedKFold(5), scoring="neg_log_loss")
    np.testing.assert_allclose(fold_scores(model)[:, 1], expected, rtol=0.02)


# ---------------------------------------------------------------- what a fold sees


@pytest.mark.parametrize(
    "parameters", [{}, {"class_weight": "balanced"}, {"standardize": True}, {"logit_adjustment": 1.0}]
)
def test_held_out_rows_are_not_seen(parameters):
    """With other labels and rows in the held-out part, the model of the fold is bitwise the same."""
    X, y = table()
    _, test = FOLDS[0]

    def weights(estimator, X, y):
        values = np.column_stack([estimator.coef_, estimator.intercept_])
        return float(np.sum(values * np.arange(1, 1 + values.size).reshape(3, -1)))

    def scores(X, y):
        model = SoftmaxClassifierCV(alphas=ALPHAS, cv=[FOLDS[0]], scoring=weights, refit=False, **parameters)
        return fold_scores(model.fit(X, y))

    expected = scores(X, y)
    labels = y.copy()
    labels[test] = 0  # this changes the class shares too
    np.testing.assert_array_equal(scores(X, labels), expected)
    assert (labels != y).any()
    rows = X.copy()
    rows[test] = 1e3 * rows[test] - 7
    np.testing.assert_allclose(scores(rows, y), expected, rtol=1e-12)


def test_weights_of_k_are_k_copies():
    X, y = table(n=120)
    weights = RNG.integers(0, 4, len(y))
    copies = np.repeat(np.arange(len(y)), weights)
    part = np.arange(len(y)) % 3
    weighted = SoftmaxClassifierCV(alphas=ALPHAS, cv=PredefinedSplit(part), tol=1e-12)
    repeated = SoftmaxClassifierCV(alphas=ALPHAS, cv=PredefinedSplit(part[copies]), tol=1e-12)
    weighted.fit(X, y, sample_weight=weights)
    repeated.fit(X[copies], y[copies])
    np.testing.assert_allclose(fold_scores(weighted), fold_scores(repeated), rtol=1e-6)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-5, atol=1e-7)
    assert weighted.alpha_ == repeated.alpha_


def test_rows_of_weight_0_are_no_rows():
    X, y = table()
    weights = (np.arange(N) % 5 > 0).astype(float)
    some = SoftmaxClassifierCV(alphas=ALPHAS).fit(X, y, sample_weight=weights)
    kept = weights > 0
    all_ = SoftmaxClassifierCV(alphas=ALPHAS).fit(X[kept], y[kept])
    np.testing.assert_array_equal(fold_scores(some), fold_scores(all_))


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_bitwise_for_any_number_of_threads(n_jobs):
    X, y = table()
    one = SoftmaxClassifierCV(alphas=ALPHAS, n_jobs=1).fit(X, y)
    some = SoftmaxClassifierCV(alphas=ALPHAS, n_jobs=n_jobs).fit(X, y)
    np.testing.assert_array_equal(fold_scores(one), fold_scores(some))
    np.testing.assert_array_equal(one.coef_, some.coef_)


def test_soft_labels():
    X, y = table()
    q = np.eye(3)[y] * 0.8 + 0.2 / 3
    model = SoftmaxClassifierCV(alphas=ALPHAS, tol=1e-12).fit(X, q)
    smoothed = SoftmaxClassifier(alpha=model.alpha_, tol=1e-12)
    train, test = next(iter(StratifiedKFold(5).split(X, y)))
    p = smoothed.fit(X[train], q[train]).predict_proba(X[test])
    expected = np.sum(q[test] * np.log(p), axis=1).mean()
    best = ALPHAS.index(model.alpha_)
    assert fold_scores(model)[0, best] == pytest.approx(expected, abs=1e-7)
    with pytest.raises(ValueError, match=r"scoring='f1_macro' compares with labels.*neg_log_loss"):
        SoftmaxClassifierCV(scoring="f1_macro").fit(X, q)


# ---------------------------------------------------------------- what is chosen


def test_results_are_a_table():
    X, y = table()
    model = SoftmaxClassifierCV(alphas=[1e-4, 1.0, 1e-2]).fit(X, y)
    results, scores = model.cv_results_, fold_scores(model)
    assert model.alphas_.tolist() == [1.0, 1e-2, 1e-4] == results["param_alpha"].tolist()
    np.testing.assert_allclose(results["mean_test_score"], scores.mean(axis=0))
    np.testing.assert_allclose(results["standard_error"], scores.std(axis=0, ddof=1) / np.sqrt(5))
    assert results["rank_test_score"].tolist() == (np.argsort(np.argsort(-scores.mean(axis=0))) + 1).tolist()
    assert model.alpha_ == model.alphas_[results["rank_test_score"].argmin()]


def test_one_standard_error():
    X, y = table(n=100)
    best = SoftmaxClassifierCV().fit(X, y)
    strong = clone(best).set_params(rule="1se").fit(X, y)
    mean, error = (best.cv_results_[name] for name in ("mean_test_score", "standard_error"))
    enough = mean >= mean.max() - error[mean.argmax()]
    assert strong.alpha_ == best.alphas_[enough].max() > best.alpha_


def test_grid_from_nearly_nothing():
    """At the strongest penalty weights lower the objective by 1 % and the loss by 2 %, at any scale of X."""
    X, y = load_wine(return_X_y=True)
    for rows in (X, X * 1e3, X.astype(np.float32)):
        model = SoftmaxClassifierCV(refit=False).fit(rows, y)
        strongest = SoftmaxClassifier(alpha=model.alphas_[0]).fit(rows, y)
        prior = log_loss(y, np.tile(np.bincount(y) / len(y), (len(y), 1)))
        assert 0.975 * prior < log_loss(y, strongest.predict_proba(rows)) < 0.9999 * prior
        assert len(model.alphas_) == 20
        assert model.cv_results_["mean_test_score"].argmax() not in (0, 19)


@pytest.mark.parametrize("params", [{}, {"cv": "loo"}, {"scoring": "accuracy"}], ids=str)
def test_penalties_around_the_best(params):
    """One per decade, then three on either side of the best: at least as good as a full grid."""
    X, y = table(n=90)
    model = SoftmaxClassifierCV(alphas="auto", standardize=True, tol=1e-12, **params).fit(X, y)
    ratios = (model.alphas_[:-1] / model.alphas_[1:]).round(4)
    fine = round(10**0.25, 4)
    assert sorted(set(ratios)) == [fine, 10.0]
    assert (ratios == fine).sum() in (4, 8)  # the best of decades may be the first or the last
    decades = model.alphas_[0] / 10.0 ** np.arange(9)
    at = np.abs(np.log(model.alphas_[:, None] / decades)).argmin(axis=0)
    np.testing.assert_allclose(model.alphas_[at], decades, rtol=1e-9)
    around = model.alphas_[:-1][ratios == fine]
    assert around.max() >= model.alpha_ >= around.min() / 1.8
    grid = clone(model).set_params(alphas=model.alphas_).fit(X, y)
    assert grid.alpha_ == model.alpha_
    for name in ("mean_test_score", "standard_error", "param_alpha"):
        np.testing.assert_allclose(model.cv_results_[name], grid.cv_results_[name], atol=1e-6)


def test_penalties_around_the_best_of_several_losses():
    X, y = table(n=90)
    grid = {"gamma": [0.0, 2.0]}
    model = LinearClassifierCV(loss="focal", loss_grid=grid, alphas="auto", standardize=True).fit(X, y)
    n_alphas = len(model.alphas_)
    assert model.cv_results_["param_gamma"].tolist() == [0.0] * n_alphas + [2.0] * n_alphas
    best = model.cv_results_["mean_test_score"].argmax()
    assert model.alpha_ == model.cv_results_["param_alpha"][best]
    assert model.loss_.gamma == model.cv_results_["param_gamma"][best]
    assert model.cv_results_["params"][best] == {"alpha": model.alpha_, "gamma": model.loss_.gamma}
    assert len(model.cv_results_["params"]) == 2 * n_alphas


def test_own_validation_rows():
    X, y = table()
    X_val, y_val = table(seed=5, n=90)
    weights = RNG.uniform(0.5, 2, len(y_val))
    model = SoftmaxClassifierCV(alphas=ALPHAS, tol=1e-12)
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    plain = [SoftmaxClassifier(alpha=alpha, tol=1e-12).fit(X, y) for alpha in ALPHAS]
    expected = [-log_loss(y_val, one.predict_proba(X_val), sample_weight=weights) for one in plain]
    np.testing.assert_allclose(fold_scores(model)[0], expected, rtol=1e-6)
    values = np.log(plain[0].predict_proba(X_val))[np.arange(len(y_val)), y_val]
    n = weights.sum() ** 2 / (weights**2).sum()
    variance = np.average((values - np.average(values, weights=weights)) ** 2, weights=weights)
    assert model.cv_results_["standard_error"][0] == pytest.approx(np.sqrt(variance / (n - 1)), rel=1e-5)
    with pytest.raises(ValueError, match="cv=5 makes folds, and X_val are rows"):
        SoftmaxClassifierCV(cv=5).fit(X, y, X_val=X_val, y_val=y_val)
    with pytest.raises(ValueError, match="y_val was not provided"):
        SoftmaxClassifierCV().fit(X, y, X_val=X_val)


def test_without_a_fit_at_the_end():
    X, y = table()
    model = SoftmaxClassifierCV(alphas=ALPHAS, refit=False).fit(X, y)
    assert model.alpha_ in ALPHAS
    assert not hasattr(model, "coef_")
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_the_weights_along_the_path():
    X, y = table()
    model = SoftmaxClassifierCV(alphas=ALPHAS, store_coef_path=True, tol=1e-12).fit(X, y)
    assert model.coef_path_.shape == (5, 3, D)
    for alpha, coef, intercept in zip(ALPHAS, model.coef_path_, model.intercept_path_, strict=True):
        plain = SoftmaxClassifier(alpha=alpha, tol=1e-12).fit(X, y)
        np.testing.assert_allclose(coef, plain.coef_, atol=2e-4)
        np.testing.assert_allclose(intercept, plain.intercept_, atol=2e-3)
    assert not hasattr(SoftmaxClassifierCV(alphas=ALPHAS).fit(X, y), "coef_path_")


@pytest.mark.parametrize("loss", ["focal", Focal(gamma=1.0)])
def test_parameters_of_the_loss(loss):
    X, y = load_breast_cancer(return_X_y=True)
    grid = {"gamma": [0.0, 2.0]}
    model = LinearClassifierCV(loss=loss, loss_grid=grid, alphas=[1e-1, 1e-3], standardize=True, tol=1e-9)
    model.fit(X, y)
    assert model.cv_results_["param_gamma"].tolist() == [0.0, 0.0, 2.0, 2.0]
    assert model.cv_results_["param_alpha"].tolist() == [1e-1, 1e-3] * 2
    assert model.loss_ == Focal(gamma=0.0)
    softmax = SoftmaxClassifierCV(alphas=[1e-1, 1e-3], standardize=True, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(fold_scores(model)[:, :2], fold_scores(softmax), rtol=1e-3)
    np.testing.assert_allclose(model.predict_proba(X), softmax.predict_proba(X), atol=5e-3)
    again = model.set_params(loss="softmax", loss_grid={"temperature": [1.0]}).fit(X, y)
    assert again.loss_ == Softmax(0.0, 1.0)
    with pytest.raises(ValueError, match=r"loss_grid has \['gamma'\].*label_smoothing"):
        LinearClassifierCV(loss="softmax", loss_grid=grid).fit(X, y)


def test_losses_on_cosines_have_no_penalty_to_choose():
    X, y = load_iris(return_X_y=True)
    model = LinearClassifierCV(loss="cosface", loss_grid={"margin": [0.1, 0.3]}, random_state=0).fit(X, y)
    assert len(model.alphas_) == 1
    assert model.cv_results_["param_margin"].tolist() == [0.1, 0.3]
    with pytest.raises(ValueError, match="penalty means nothing"):
        LinearClassifierCV(loss="cosface", alphas=[0.1, 0.01]).fit(X, y)


def test_hinges_by_dual_ascent_and_by_steps():
    X, y = load_iris(return_X_y=True)
    folds = list(StratifiedKFold(3).split(X, y))
    for solver, named in (("auto", "dual"), ("sgd", "sgd")):
        model = SVMClassifierCV(alphas=[1e-1, 1e-3], cv=folds, solver=solver, random_state=0).fit(X, y)
        plain = SVMClassifier(alpha=1e-1, solver=solver, random_state=0)
        expected = cross_val_score(plain, X, y, cv=folds)
        np.testing.assert_allclose(fold_scores(model)[:, 0], expected)
        assert model.solver_ == named


# ---------------------------------------------------------------- scorers, groups, routing


@pytest.mark.parametrize("scoring", ["f1_macro", "roc_auc_ovr", "balanced_accuracy", "neg_brier_score"])
def test_scorers_of_scikit_learn(scoring):
    X, y = table()
    model = SoftmaxClassifierCV(alphas=ALPHAS, cv=FOLDS, scoring=scoring, tol=1e-12).fit(X, y)
    plain = SoftmaxClassifier(alpha=1e-2, tol=1e-12)
    np.testing.assert_allclose(
        fold_scores(model)[:, 2], cross_val_score(plain, X, y, cv=FOLDS, scoring=scoring), atol=1e-6
    )


def test_groups_stay_together():
    X, y = table()
    groups = np.arange(N) // 3
    model = SoftmaxClassifierCV(alphas=ALPHAS, cv=GroupKFold(4), tol=1e-12).fit(X, y, groups=groups)
    expected = cross_val_score(
        SoftmaxClassifier(alpha=1e-2, tol=1e-12),
        X,
        y,
        groups=groups,
        cv=GroupKFold(4),
        scoring="neg_log_loss",
    )
    np.testing.assert_allclose(fold_scores(model)[:, 2], expected, atol=1e-7)
    for cv in (None, 3, FOLDS):
        with pytest.raises(ValueError, match=r"(?s)groups are given, but cv=.* does not use them"):
            SoftmaxClassifierCV(cv=cv).fit(X, y, groups=groups)
    with pytest.raises(TypeError, match=r"unexpected arguments \['grups'\]"):
        SoftmaxClassifierCV(cv=GroupKFold(4)).fit(X, y, grups=groups)


def test_metadata_are_routed():
    X, y = table()
    groups, weights = np.arange(N) // 3, RNG.uniform(0.5, 2, N)
    with config_context(enable_metadata_routing=True):
        from sklearn.metrics import get_scorer

        scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
        model = SoftmaxClassifierCV(alphas=ALPHAS, cv=GroupKFold(4), scoring=scorer, tol=1e-12)
        model.fit(X, y, sample_weight=weights, groups=groups)
    built_in = SoftmaxClassifierCV(alphas=ALPHAS, cv=GroupKFold(4), tol=1e-12)
    built_in.fit(X, y, sample_weight=weights, groups=groups)
    np.testing.assert_allclose(fold_scores(model), fold_scores(built_in), rtol=1e-6)


def test_time_goes_forward():
    X, y = table()
    splitter = TimeSeriesSplit(3)
    model = SoftmaxClassifierCV(alphas=ALPHAS, cv=splitter, tol=1e-12).fit(X, y)
    plain = SoftmaxClassifier(alpha=1.0, tol=1e-12)
    expected = cross_val_score(plain, X, y, cv=splitter, scoring="neg_log_loss")
    np.testing.assert_allclose(fold_scores(model)[:, 0], expected, atol=1e-7)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("alphas", "message"),
    [
        ([0.1, 0.0], "alphas has .*0.0.* positive"),
        ([-1e-3], "alphas has .*-0.001"),
        ([np.nan, 1.0], "alphas has .*nan"),
        ([np.inf], "alphas has .*inf"),
        ([], "must be a number of penalties"),
        ([[1.0], [0.1]], "must be a number of penalties"),
        (["a"], "must be a number of penalties"),
        (0, "alphas"),
        ("best", "alphas"),
    ],
)
def test_penalties_that_are_none(alphas, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxClassifierCV(alphas=alphas).fit(*table())


def test_unsorted_and_repeated_penalties():
    X, y = table()
    one = SoftmaxClassifierCV(alphas=[1e-3, 1.0, 1e-3, 1e-1]).fit(X, y)
    assert one.alphas_.tolist() == [1.0, 1e-1, 1e-3]


def test_folds_that_lose_a_class():
    """More in test_absent_classes.py."""
    X, y = table()
    order = np.argsort(y, kind="stable")
    with pytest.warns(UserWarning, match=r"trains on no row of class .*, whose probability is 0 there"):
        SoftmaxClassifierCV(alphas=ALPHAS, cv=KFold(3)).fit(X[order], y[order])
    with (
        pytest.warns(UserWarning, match=r"trains on no row of class .*, whose probability is 0 there"),
        pytest.raises(
            ValueError, match=r"no fold of cv=KFold.* holds out a row of a class that it trains on"
        ),
    ):
        SoftmaxClassifierCV(alphas=ALPHAS, cv=KFold(3)).fit(X[:60], np.repeat([0, 1, 2], 20))
    with pytest.raises(ValueError, match="cv=5 needs 5 rows of each class, and one class has 3"):
        SoftmaxClassifierCV(cv=5).fit(X[:60], np.where(np.arange(60) < 3, "rare", "other"))
    few = SoftmaxClassifierCV(alphas=ALPHAS).fit(X[:60], np.where(np.arange(60) < 3, "rare", "other"))
    assert len(fold_scores(few)) == 3


def test_no_stream():
    with pytest.raises(AttributeError, match="partial_fit"):
        SoftmaxClassifierCV().partial_fit(*table())


def test_a_scorer_without_a_value():
    X, y = table()
    with pytest.raises(ValueError, match="is NaN for fold 1 and alpha=1"):
        SoftmaxClassifierCV(alphas=ALPHAS, scoring=lambda *_: np.nan).fit(X, y)
    with pytest.raises(ValueError, match="rule='1se' needs the standard error"):
        SoftmaxClassifierCV(scoring="f1_macro", rule="1se").fit(X, y, X_val=X, y_val=y)
    with pytest.raises(ValueError, match="scoring='neg_log_loss' needs probabilities"):
        SVMClassifierCV(scoring="neg_log_loss").fit(X, y)


def test_a_failed_fit_changes_nothing():
    X, y = table()
    model = SoftmaxClassifierCV(alphas=ALPHAS).fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ZeroDivisionError):
        model.set_params(scoring=lambda *_: 1 / 0).fit(X, y)
    assert {name: vars(model)[name] for name in before if name != "scoring"} == {
        name: value for name, value in before.items() if name != "scoring"
    }


def test_fits_that_are_far_are_counted():
    X, y = load_digits(return_X_y=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        SoftmaxClassifierCV(alphas=[1e-3, 1e-5], max_iter=1, cv=3).fit(X, y)
    texts = [str(one.message) for one in caught if issubclass(one.category, ConvergenceWarning)]
    assert len(texts) == 2  # one for all folds, and one for the final fit
    assert (
        "of 6 fits may be far from their minimum, the first one: fold 1/3, alpha=0.001: max_iter=1"
        in texts[0]
    )


def test_progress(capsys):
    X, y = table()
    SoftmaxClassifierCV(alphas=[1.0, 0.1], cv=2, verbose=1, n_jobs=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("fold 1/2, penalty 1/2: alpha 1, neg_log_loss -")
    assert lines[3].startswith("fold 2/2, penalty 2/2: alpha 0.1, neg_log_loss -")


# ---------------------------------------------------------------- beside the rest


def test_in_a_pipeline_and_a_file(tmp_path):
    X, y = table()
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifierCV(alphas=ALPHAS, cv=3)).fit(X, y)
    assert pipeline.score(X, y) > 0.6
    model = pipeline[-1]
    linclf.save(model, tmp_path / "model.linclf")
    read = linclf.load(tmp_path / "model.linclf")
    np.testing.assert_array_equal(read.coef_, model.coef_)
    np.testing.assert_array_equal(read.cv_results_["mean_test_score"], model.cv_results_["mean_test_score"])
    assert read.alpha_ == model.alpha_
