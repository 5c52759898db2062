"""Accepted and refused input of metrics of probabilities, and their use in scikit-learn's searches.

Their values are tested in test_calibration_metrics.py.
"""

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

from linclf.functional import softmax
from linclf.metrics import (
    DOUBT_SCORES,
    brier_decomposition,
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
    log_loss,
    maximum_calibration_error,
    reliability_curve,
)

METRICS = {
    "log_loss": log_loss,
    "brier_score": brier_score,
    "ece": expected_calibration_error,
    "mce": maximum_calibration_error,
    "classwise": classwise_calibration_error,
}
BINNED = {
    "ece": expected_calibration_error,
    "mce": maximum_calibration_error,
    "classwise": classwise_calibration_error,
    "decomposition": brier_decomposition,
    "curve": reliability_curve,
}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_forms_of_arguments(metric):
    rng = np.random.default_rng(4)
    P = softmax(rng.normal(size=(200, 2)))
    y, weights = rng.integers(0, 2, 200), rng.integers(0, 4, 200).astype(float)
    expected = metric(y, P)
    assert type(expected) is float
    assert metric(y.tolist(), P.tolist()) == expected
    assert metric(y[:, None], P) == expected
    assert metric(y.astype(bool), P) == expected
    assert metric(np.array(["no", "yes"], object)[y], P[:, 1]) == pytest.approx(expected, rel=1e-12)
    assert metric(y, P, labels=(0, 1)) == metric(y, P, labels=np.array([0, 1])) == expected
    assert metric(1 - y, P, labels=[1, 0]) == expected
    assert metric(y, P.astype(np.float32)) == pytest.approx(expected, abs=1e-6)
    assert metric(y, P, sample_weight=0.3 * weights) == pytest.approx(metric(y, P, sample_weight=weights))
    unknown = P.copy()
    unknown[weights == 0] = np.nan
    assert metric(y, unknown, sample_weight=weights) == metric(y, P, sample_weight=weights)
    before = y.copy(), P.copy(), weights.copy()
    metric(y, P, sample_weight=weights)
    for kept, array in zip(before, (y, P, weights), strict=True):
        np.testing.assert_array_equal(kept, array)


@pytest.mark.parametrize("factor", [1e308, 1e-300, 1e-320])
@pytest.mark.parametrize("name", [*METRICS, "decomposition"])
def test_the_size_of_the_weights_does_not_matter(name, factor):
    rng = np.random.default_rng(4)
    P, y = softmax(rng.normal(size=(200, 3))), rng.integers(0, 3, 200)
    weights = rng.integers(0, 4, 200) / 4
    metric = (METRICS | BINNED)[name]
    # 1e-320 has at most 4 digits
    rtol = 1e-12 if factor > 1e-305 else 1e-3
    expected = metric(y, P, sample_weight=weights)
    np.testing.assert_allclose(metric(y, P, sample_weight=weights * factor), expected, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("factor", [1e308, 1e-300])
def test_a_curve_of_huge_or_tiny_weights(factor):
    rng = np.random.default_rng(4)
    P, y = softmax(rng.normal(size=(200, 3))), rng.integers(0, 3, 200)
    weights = rng.integers(0, 4, 200) / 4
    ours = reliability_curve(y, P, sample_weight=weights * factor)
    expected = reliability_curve(y, P, sample_weight=weights)
    np.testing.assert_allclose(ours.accuracy, expected.accuracy)
    np.testing.assert_allclose(ours.confidence, expected.confidence)
    np.testing.assert_allclose(ours.weight / ours.weight.sum(), expected.weight / expected.weight.sum())


# ---------------------------------------------------------------- as scorers of scikit-learn


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("K", [2, 3])
def test_chooses_models_in_a_grid_search(metric, K):
    if K == 2:
        X, y = make_classification(200, 8, flip_y=0.2, random_state=0)
    else:
        X, y = load_iris(return_X_y=True)
    y = np.array(["setosa", "vir ginica", "a third"])[y]
    scorer = make_scorer(metric, response_method="predict_proba", greater_is_better=False)
    folds = StratifiedKFold(3)
    models = LogisticRegression(max_iter=1000)
    search = GridSearchCV(models, {"C": [1e-3, 1.0]}, scoring=scorer, cv=folds).fit(X, y)
    for C, mean in zip([1e-3, 1.0], search.cv_results_["mean_test_score"], strict=True):
        by_hand = []
        for train, test in folds.split(X, y):
            model = LogisticRegression(max_iter=1000, C=C).fit(X[train], y[train])
            by_hand.append(-metric(y[test], model.predict_proba(X[test])))
        assert mean == pytest.approx(np.mean(by_hand), abs=1e-12)
    assert search.best_params_["C"] == search.param_grid["C"][search.cv_results_["mean_test_score"].argmax()]


def test_a_scorer_takes_labels_and_weights():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    scorer = make_scorer(brier_score, response_method="predict_proba", labels=[0, 1, 2])
    weights = np.arange(100.0)
    ours = scorer(model, X[:100], y[:100], sample_weight=weights)
    P = model.predict_proba(X[:100])
    assert ours == brier_score(y[:100], P, labels=[0, 1, 2], sample_weight=weights)
    scores = cross_val_score(
        model, X[:100], y[:100], scoring=make_scorer(log_loss, response_method="predict_proba")
    )
    assert np.isfinite(scores).all()


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("metric", [*METRICS.values(), brier_decomposition, reliability_curve])
def test_masked_entries_are_refused(metric):
    y, P, weights = np.arange(3), np.full((3, 3), 1 / 3), np.ones(3)
    metric(np.ma.array(y), np.ma.array(P), sample_weight=np.ma.array(weights))  # none is masked
    hidden = {"y_true": np.ma.array(y, mask=[0, 0, 1])}
    hidden["y_prob"] = np.ma.array(P, mask=np.eye(3, dtype=bool))
    hidden["sample_weight"] = np.ma.array(weights, mask=[1, 0, 0])
    for name, array in hidden.items():
        with pytest.raises(ValueError, match=f"^{name} is a masked array with [13] masked entries"):
            metric(**{"y_true": y, "y_prob": P, "sample_weight": weights, name: array})


def test_masked_entries_of_doubts_are_refused():
    P = np.ma.array(np.full((2, 2), 0.5), mask=[[0, 0], [0, 1]])
    for score, _ in DOUBT_SCORES.values():
        with pytest.raises(ValueError, match="is a masked array with 1 masked entries"):
            score(P)


def test_sums_may_be_rounded_but_not_more():
    P = np.array([[0.25, 0.75], [0.5, 0.5]])
    assert brier_score([0, 1], P * 1.0009) == pytest.approx(brier_score([0, 1], P), abs=0.01)
    for total in (0.99, 1.01, 0.998):
        with pytest.raises(ValueError, match=rf"row 0 of y_prob is .* with the sum {total}, not a distr"):
            brier_score([0, 1], P * total)


GOOD = (["a", "b", "c"], np.full((3, 3), 1 / 3))


def changed(row, values):
    P = GOOD[1].copy()
    P[row] = values
    return P


@pytest.mark.parametrize("metric", [*METRICS.values(), brier_decomposition, reliability_curve])
@pytest.mark.parametrize(
    ("y", "P", "settings", "error", "message"),
    [
        (GOOD[0], changed(1, [0.5, 0.5, 0.5]), {}, ValueError, r"row 1 of y_prob is .* sum 1\.5, not a dist"),
        (GOOD[0], changed(2, [1.5, -0.5, 0]), {}, ValueError, "row 2 of y_prob.*functional.softmax first"),
        (GOOD[0], changed(0, [np.nan, 0.5, 0.5]), {}, ValueError, "row 0 of y_prob"),
        (GOOD[0], changed(0, [np.inf, 0.5, 0.5]), {}, ValueError, "row 0 of y_prob"),
        (GOOD[0], np.full((3, 400), 1.0), {}, ValueError, r"is \[1\. 1\. 1\. \.\.\. 1\. 1\. 1\.\] with"),
        (["a", "b"], [0.5, 1.2], {}, ValueError, r"row 1 of y_prob is 1\.2: .*expit"),
        (["a", "b"], [np.nan, 0.2], {}, ValueError, "row 0 of y_prob is nan"),
        (GOOD[0], GOOD[1][:2], {}, ValueError, "y_true has 3 rows and y_prob 2"),
        ([], np.zeros((0, 2)), {}, ValueError, "y_true has 0 rows.*one at least"),
        (GOOD[0], np.ones((3, 1)), {}, ValueError, r"y_prob has shape \(3, 1\).*predict_proba"),
        (GOOD[0], np.float64(0.5), {}, ValueError, r"y_prob has shape \(\)"),
        (np.eye(3), GOOD[1], {}, ValueError, r"y_true has shape \(3, 3\).*argmax"),
        (GOOD[0], [["x"] * 3] * 3, {}, TypeError, "y_prob has dtype"),
        ([0, 1, np.nan], GOOD[1], {}, ValueError, "row 2 of y_true is NaN"),
        (["a", "b", None], GOOD[1], {}, TypeError, "y_true has labels that cannot be sorted"),
        (["a", "b", "b"], GOOD[1], {}, ValueError, r"y_true has 2 classes and y_prob is of 3; pass labels"),
        (["a"], [0.5], {}, ValueError, "y_true has 1 classes and y_prob is of 2; pass labels"),
        (GOOD[0], [0.5] * 3, {}, ValueError, "y_true has 3 classes and y_prob is of 2"),
        (
            GOOD[0],
            GOOD[1],
            {"labels": ["a", "b", "d"]},
            ValueError,
            "row 2 of y_true is 'c', which is not in",
        ),
        (GOOD[0], GOOD[1], {"labels": ["a", "b"]}, ValueError, "labels names 2 .* in 2 entries .* of 3"),
        (GOOD[0], GOOD[1], {"labels": ["a", "b", "b"]}, ValueError, "labels names 2 different classes in 3"),
        ([1, 2, 3], GOOD[1], {"labels": ["1", "2", "3"]}, ValueError, "row 0 of y_true is 1, which is not"),
        (GOOD[0], GOOD[1], {"sample_weight": [1, 2]}, ValueError, r"sample_weight has shape \(2,\)"),
        (GOOD[0], GOOD[1], {"sample_weight": [1, -2, 1]}, ValueError, r"row 1 of sample_weight is -2\.0"),
        (GOOD[0], GOOD[1], {"sample_weight": [1, 1, np.inf]}, ValueError, "row 2 of sample_weight is inf"),
        (GOOD[0], GOOD[1], {"sample_weight": [0, 0, 0]}, ValueError, "sample_weight is zero for every row"),
        (GOOD[0], GOOD[1], {"sample_weight": [0, 1, 1]}, ValueError, "y_true has 2 classes"),
    ],
)
def test_refuses(metric, y, P, settings, error, message):
    with pytest.raises(error, match=message):
        metric(y, P, **settings)


def test_the_row_in_a_message_is_that_of_the_caller():
    with pytest.raises(ValueError, match="row 2 of y_prob"):
        brier_score([0, 1, 1, 0], [[0.5, 0.5], [9, 9], [9, 9], [0.5, 0.5]], sample_weight=[1, 0, 1, 1])
    with pytest.raises(ValueError, match="row 2 of y_true is 5"):
        brier_score([0, 5, 5, 0], np.full((4, 2), 0.5), sample_weight=[1, 0, 1, 1], labels=[0, 1])


@pytest.mark.parametrize("metric", BINNED.values(), ids=BINNED)
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n_bins": 0}, ValueError, "n_bins=0: pass 1 or more"),
        ({"n_bins": 2.5}, TypeError, r"n_bins=2\.5: pass an integer"),
        ({"n_bins": True}, TypeError, "n_bins=True"),
        ({"strategy": "width"}, ValueError, "strategy='width': pass one of 'uniform', 'quantile'"),
    ],
)
def test_refuses_bins(metric, settings, error, message):
    with pytest.raises(error, match=message):
        metric(*GOOD, **settings)


@pytest.mark.parametrize("metric", [expected_calibration_error, classwise_calibration_error])
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"norm": 0.5}, ValueError, r"norm=0\.5: pass 1 or more"),
        ({"norm": np.nan}, ValueError, "norm=nan"),
        ({"norm": "l1"}, TypeError, "norm='l1': pass a number"),
        ({"debiased": True}, ValueError, "debiased=True .* not for norm=1: pass norm=2"),
        ({"debiased": True, "norm": np.inf}, ValueError, "not for norm=inf"),
        (
            {"debiased": True, "norm": 2, "sample_weight": [1, 0.5, 1]},
            ValueError,
            r"sample_weight has 0\.5: pass whole weights",
        ),
    ],
)
def test_refuses_norms(metric, settings, error, message):
    with pytest.raises(error, match=message):
        metric(*GOOD, **settings)


def test_refuses_an_unknown_class_of_interest():
    with pytest.raises(
        ValueError, match=r"class_of_interest='d' is not a class: pass one of \['a', 'b', 'c'\]"
    ):
        reliability_curve(*GOOD, class_of_interest="d")
