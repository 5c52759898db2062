"""How a comparison tunes, splits, judges and recommends: values against hand computations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, StratifiedShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from linclf import LinearClassifier, compare
from linclf._compare.candidates import TWINS, known_candidates
from linclf._compare.judging import paired_difference
from linclf._compare.splitting import split_table
from linclf._compare.tuning import ALPHAS
from linclf._compare.verdict import recommended


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def two_classes():
    X, y = load_breast_cancer(return_X_y=True)
    return X[:200], y[:200]


def row_of(comparison, name):
    return next(row for row in comparison.rows if row["model"] == name)


# ---------------------------------------------------------------- intervals


def test_the_interval_is_that_of_nadeau_and_bengio_by_hand():
    best, other = [0.95, 0.93, 0.96, 0.94], [0.92, 0.93, 0.95, 0.90]
    difference = paired_difference(best, other, True, 50 / 150)
    gaps = [0.03, 0.0, 0.01, 0.04]
    mean = sum(gaps) / 4
    variance = sum((gap - mean) ** 2 for gap in gaps) / 3
    assert difference.mean == pytest.approx(mean)
    assert difference.margin == pytest.approx(3.182446305 * np.sqrt((1 / 4 + 1 / 3) * variance))
    assert not difference.is_apart
    assert paired_difference(other, best, False, 1 / 3).mean == pytest.approx(mean), "lower is better"


def test_equal_models_are_not_apart_and_one_split_tells_nothing():
    assert not paired_difference([0.9, 0.8], [0.9, 0.8], True, 1 / 3).is_apart
    assert paired_difference([0.9], [0.1], True, 1 / 3).margin is None
    assert not paired_difference([0.9], [0.1], True, 1 / 3).is_apart


def test_rows_have_the_difference_to_the_best_in_each_split(iris):
    result = compare(*iris, models=["softmax", "sklearn:Ridge*", "sklearn:D*"], tune=False)
    best, other, baseline = result.rows
    gaps = np.subtract(best["accuracy_splits"], other["accuracy_splits"])
    sizes = result.facts["n_test"] / result.facts["n_train"]
    assert other["behind"] == pytest.approx(gaps.mean())
    margin = stats.t.ppf(0.975, 4) * np.sqrt((1 / 5 + sizes) * gaps.var(ddof=1))
    assert other["behind_margin"] == pytest.approx(margin)
    assert other["status"] == ("worse" if gaps.mean() > margin else "tied")
    assert (best["status"], baseline["status"]) == ("best", "baseline")


# ---------------------------------------------------------------- recommendation


def rows(*entries):
    keys = ("model", "status", "accuracy", "log_loss", "tune_seconds", "fit_seconds")
    return [dict(zip(keys, entry, strict=True), behind_margin=0.01) for entry in entries]


def test_of_models_as_good_the_fast_ones_with_probabilities_come_first():
    table = rows(
        ("slow", "best", 0.95, 0.1, 9.0, 1.0),
        ("hinge", "tied", 0.94, None, 0.1, 0.1),
        ("good", "tied", 0.94, 0.1, 0.9, 0.9),
        ("fastest", "tied", 0.93, 0.1, 0.5, 0.5),
        ("bad", "worse", 0.80, 0.1, 0.0, 0.0),
    )
    assert recommended(table)["model"] == "good", "twice the time of the fastest is no reason"
    assert recommended(table[:2])["model"] == "slow"
    table[0]["tune_seconds"] = 0.5
    assert recommended(table)["model"] == "slow", "a second is no reason either"
    assert recommended(table[1:2])["model"] == "hinge"


def test_noise_recommends_nothing():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), rng.permutation(np.arange(120) % 2)
    result = compare(X, y, models=["softmax", "sklearn:D*"])
    assert "Take none: by accuracy no model is clearly better than the baseline" in result.verdict
    assert str(result).endswith(result.verdict), "the last line"


def test_a_baseline_that_is_better_is_not_beaten(iris):
    result = compare(*iris, models=["sklearn:SGD-log_loss", "sklearn:D*"], sort="ece", tune=False, alpha=1e-6)
    assert row_of(result, "sklearn:DummyClassifier")["status"] == "unbeaten baseline"
    assert result.verdict.startswith("Take none: by ECE")


def test_the_recommended_model_is_looked_at_even_if_others_lead(iris):
    slow = [(f"search {n}", GridSearchCV(LinearSVC(), {"C": np.logspace(-2, 2, 9)}, cv=5)) for n in range(3)]
    result = compare(*iris, models=["softmax", *slow], repeats=2, tune=False)
    assert recommended(result.rows)["model"] == "softmax", "the only one with probabilities"
    assert len(row_of(result, "softmax")["learning_curve"]) == 4
    assert sum(bool(row["learning_curve"]) for row in result.rows) == 3


def test_the_verdict_names_the_model_and_its_reasons(iris):
    result = compare(*iris, models=["softmax", "sklearn:Log*", "sklearn:D*"], repeats=3)
    taken = recommended(result.rows)
    assert result.verdict.startswith(f"Take {taken['model']}: its accuracy of .9")
    assert f"; alpha {taken['alpha']:.2g} (C {taken['C']:.2g}), " in result.verdict
    assert "s to tune and fit." in result.verdict
    assert "rows it " in result.verdict
    assert taken["learning_curve"][-1][1] == taken["accuracy"]
    assert [n for n, _ in taken["learning_curve"]] == [14, 28, 56, 112]
    assert taken["calibrator"] == "temperature"
    assert taken["calibrated"]["log_loss"] > 0


# ---------------------------------------------------------------- the penalty


@pytest.mark.parametrize("name", ["softmax", "sklearn:LogisticRegression", "sklearn:SGD-log_loss"])
def test_the_penalty_is_the_best_of_the_same_folds(iris, name):
    X, y = iris
    result = compare(X, y, models=[name], repeats=1)
    train, _ = next(StratifiedShuffleSplit(1, test_size=0.25, random_state=0).split(X, y))
    held = StandardScaler().fit_transform(X[train])
    losses = []
    for alpha in ALPHAS:
        scores = []
        folds = StratifiedKFold(3, shuffle=True, random_state=0).split(held, y[train])
        for inner, outer in folds:
            model = known_candidates()[name].make(alpha, inner.size)
            if name == "softmax":
                model.set_params(tol=1e-3)
            P = model.fit(held[inner], y[train][inner]).predict_proba(held[outer])
            scores.append(log_loss(y[train][outer], P, labels=[0, 1, 2]))
        losses.append(np.mean(scores))
    assert result.rows[0]["alpha"] == ALPHAS[int(np.argmin(losses))]
    assert result.rows[0]["C"] == pytest.approx(1 / (result.rows[0]["alpha"] * train.size))
    assert result.rows[0]["tune_seconds"] > 0


def test_without_tuning_all_have_one_alpha(iris):
    models = ["softmax", "sklearn:Log*", "cosface", "sklearn:D*"]
    result = compare(*iris, models=models, tune=False, alpha=0.01)
    assert row_of(result, "softmax")["alpha"] == row_of(result, "sklearn:LogisticRegression")["alpha"] == 0.01
    assert {row["tune_seconds"] for row in result.rows} == {0.0}
    assert "alpha = 0.01 for all, not tuned" in str(result)


def test_losses_on_cosines_and_the_baseline_have_no_penalty(iris):
    result = compare(*iris, models=["cosface", "sklearn:D*"], repeats=1)
    assert {row["alpha"] for row in result.rows} == {None}
    assert "losses on cosines are not tuned" in str(result)


def test_the_end_of_the_grid_is_marked(iris):
    result = compare(*iris, models=["softmax"], alphas=[10.0, 1.0], repeats=1)
    assert result.rows[0]["alpha"] == 1.0
    assert result.rows[0]["at_end_of_grid"]
    assert " 1* " in str(result)
    assert "*: the end of the grid" in str(result)


# ---------------------------------------------------------------- two classes


def test_losses_of_two_classes_are_one_row_if_they_are_one_model(two_classes):
    X, y = two_classes
    held = StandardScaler().fit_transform(X)
    for twins in TWINS:
        made = [LinearClassifier(loss=name, alpha=1e-2, random_state=0).fit(held, y) for name in twins]
        for other in made[1:]:
            np.testing.assert_array_equal(other.predict(held), made[0].predict(held))
    models = ["softmax", "*weston-watkins", "*crammer-singer", "*one-vs-rest", "one-vs-rest-logistic"]
    result = compare(X, y, models=models, tune=False, repeats=1)
    assert {row["model"]: row["stands_for"] for row in result.rows} == {
        "softmax": ["one-vs-rest-logistic"],
        "weston-watkins": ["crammer-singer", "one-vs-rest"],
        "squared-weston-watkins": ["squared-crammer-singer", "squared-one-vs-rest"],
    }
    assert "weston-watkins also stands for crammer-singer and one-vs-rest, the same model" in str(result)
    alone = compare(X, y, models=["one-vs-rest"], tune=False, repeats=1)
    assert alone.rows[0]["model"] == "one-vs-rest"


# ---------------------------------------------------------------- splits


def test_rows_of_a_group_are_never_in_both_parts(iris):
    X, y = iris
    groups = np.arange(150) // 5
    classes, codes = np.unique(y, return_inverse=True)
    for options in ({"repeats": 3}, {"cv": 3}):
        splitting = split_table(codes, classes, groups=groups, **options)
        for train, test in splitting.parts:
            assert not set(groups[train]) & set(groups[test])
            for inner, outer in splitting.inner(train, codes):
                assert not set(groups[train[inner]]) & set(groups[train[outer]])
    result = compare(X, y, models=["softmax"], groups=groups, repeats=2)
    assert "2 random splits of the groups" in str(result)
    assert result.rows[0]["accuracy"] > 0.8


def test_test_rows_are_later_than_training_rows():
    rng = np.random.default_rng(0)
    times = rng.permutation(np.repeat(np.arange(60), 3))
    y = rng.integers(2, size=180)
    splitting = split_table(y, np.array([0, 1]), times=times, repeats=4)
    assert [test.size for _, test in splitting.parts] == [11] * 4
    for train, test in splitting.parts:
        assert times[train].max() < times[test].min()
        for inner, outer in splitting.inner(train, y):
            assert times[train[inner]].max() < times[train[outer]].min()
    result = compare(rng.normal(size=(180, 2)) + y[:, None], y, models=["softmax"], times=times, repeats=2)
    assert "each later than what was trained on" in str(result)
    days = pd.date_range("2026-01-01", periods=180)
    assert compare(y[:, None] + rng.normal(size=(180, 1)), y, models=["softmax"], times=days, repeats=1).rows


def test_folds_instead_of_random_splits(iris):
    result = compare(*iris, models=["sklearn:Ridge*"], cv=4)
    assert result.facts["n_splits"] == 4
    assert "4 stratified folds" in str(result)
    own = compare(*iris, models=["sklearn:Ridge*"], cv=KFold(3, shuffle=True, random_state=1))
    assert own.facts["n_splits"] == 3
    with pytest.raises(TypeError, match="cv='five' is neither a number of folds nor a splitter"):
        compare(*iris, models=["softmax"], cv="five")


def test_a_class_that_is_missing_in_training_has_probability_0():
    X, y = make_classification(
        90, 4, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=0
    )
    y = np.r_[y[y < 2], y[y == 2]]  # the last class is never trained on
    models, times = ["softmax", "sklearn:Ridge*"], np.arange(90)
    options = {"times": times, "repeats": 1, "test_size": (y == 2).mean(), "tune": False}
    result = compare(X, y, models=models, sort="log_loss", **options)
    assert row_of(result, "softmax")["roc_auc"] is None, "the test part has one class"
    assert row_of(result, "softmax")["accuracy"] == 0.0
    assert row_of(result, "softmax")["log_loss"] > 30
    assert row_of(result, "sklearn:RidgeClassifier")["status"] == "no value"


def test_classes_of_few_rows_are_tuned_without_warnings():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(8), [40, 2, 2, 2, 2, 2, 2, 2])
    result = compare(rng.normal(size=(54, 3)) + y[:, None], y, models=["softmax"], repeats=2, sort="roc_auc")
    assert result.rows[0]["error"] is None
    y = np.repeat(np.arange(20), 2)
    result = compare(rng.normal(size=(40, 3)) + y[:, None], y, models=["softmax"], repeats=1, test_size=0.5)
    assert result.rows[0]["error"] is None


# ---------------------------------------------------------------- models of the user's


class Uncalibrated(ClassifierMixin, BaseEstimator):
    """Predicts only."""

    def fit(self, X, y):
        self.classes_, self.means_ = np.unique(y), [X[y == k].mean(axis=0) for k in np.unique(y)]
        return self

    def predict(self, X):
        distances = [np.linalg.norm(X - mean, axis=1) for mean in self.means_]
        return self.classes_[np.argmin(distances, axis=0)]


def test_estimators_of_the_user_are_fitted_as_they_are(iris):
    own = LogisticRegression(C=0.5)
    result = compare(*iris, models=["softmax", own, ("bayes", GaussianNB()), GaussianNB()], repeats=2)
    assert {row["model"] for row in result.rows} == {"softmax", "LogisticRegression", "bayes", "GaussianNB"}
    assert row_of(result, "LogisticRegression")["alpha"] is None
    assert row_of(result, "bayes")["accuracy_splits"] == row_of(result, "GaussianNB")["accuracy_splits"]
    assert not hasattr(own, "coef_"), "a clone is fitted"
    assert "your own models are fitted as they are" in str(result)
    named = compare(*iris, models={"bayes": GaussianNB()}, repeats=1)
    assert named.rows[0]["model"] == "bayes"
    twice = compare(*iris, models=[GaussianNB(), GaussianNB()], repeats=1)
    assert {row["model"] for row in twice.rows} == {"GaussianNB", "GaussianNB-2"}


def test_a_classifier_that_only_predicts_is_judged_and_not_calibrated(iris):
    result = compare(*iris, models=[Uncalibrated()], repeats=1)
    row = result.rows[0]
    assert row["accuracy"] > 0.7
    assert row["log_loss"] is None
    assert row["roc_auc"] > 0.8
    assert "decision_function" in row["look_error"]
    assert "Uncalibrated: no closer look: " in str(result)


def test_a_pipeline_gets_the_columns_as_they_are():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=80)
    X = pd.DataFrame({"colour": np.where(y, "red", "blue"), "size": rng.normal(size=80)})
    encode = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
    result = compare(X, y, models=["softmax", make_pipeline(encode, LogisticRegression())], repeats=2)
    assert [row["accuracy"] for row in result.rows] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ([3], TypeError, "models: 3 is neither a name nor a classifier"),
        ([LogisticRegression], TypeError, "is neither a name nor a classifier"),
        ([StandardScaler()], TypeError, "is neither a name nor a classifier"),
        ([("softmax", GaussianNB())], ValueError, "the name 'softmax' is taken"),
    ],
)
def test_bad_models_say_what_is_wrong(iris, models, error, message):
    with pytest.raises(error, match=message):
        compare(*iris, models=models)
