"""Classes of weight 0, and folds, bootstraps and streams that lack a class: the classes are those of y.

Such a class has a probability of 0, and the others are trained as if it did not exist.
"""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import PredefinedSplit
from sklearn.svm import LinearSVC

import linclf
from linclf import (
    Batches,
    EntmaxClassifier,
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SparsemaxClassifier,
    SVMClassifier,
    path,
)
from linclf.calibration import CALIBRATORS, CalibratedClassifier
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["a", "b", "c"])
WITHOUT_B = (Y != 1).astype(float)

SMOOTH = [
    *(SoftmaxClassifier(solver=solver) for solver in ("newton", "lbfgs", "sgd", "adam")),
    SoftmaxClassifier(label_smoothing=0.1),
    SoftmaxClassifier(logit_adjustment=1.0),
    SoftmaxClassifier(class_weight="balanced", standardize=True),
    SparsemaxClassifier(),
    EntmaxClassifier(),
    FocalClassifier(),
]
HINGES = [
    SVMClassifier(multi_class=form, squared=squared, solver=solver)
    for form in ("weston-watkins", "crammer-singer")
    for squared, solver in ((False, "dual"), (False, "sgd"), (True, "auto"))
]
OTHERS = [
    SVMClassifier(multi_class="one-vs-rest"),
    MarginSoftmaxClassifier(standardize=True),
    SampledSoftmaxClassifier(),
    NCEClassifier(),
    HierarchicalSoftmaxClassifier(),
    HierarchicalSoftmaxClassifier(tree="balanced", rank=2),
    AdaptiveSoftmaxClassifier(),
    AdaptiveSoftmaxClassifier(cutoffs=[1]),
    SoftmaxClassifierCV(alphas=3),
]


def seeded(model):
    return clone(model).set_params(random_state=0)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("model", [*SMOOTH, *HINGES], ids=str)
def test_a_class_of_weight_0_stays_and_the_others_are_trained_without_it(model, form):
    rows, kept = form(X), Y != 1
    whole = seeded(model).fit(rows, NAMES[Y], sample_weight=WITHOUT_B)
    part = seeded(model).fit(rows[kept], NAMES[Y[kept]])
    assert whole.classes_.tolist() == ["a", "b", "c"]
    assert whole.coef_.shape == (3, 4)
    scores = whole.decision_function(rows)
    np.testing.assert_allclose(scores[:, 2] - scores[:, 0], part.decision_function(rows), rtol=1e-9)
    np.testing.assert_allclose(scores[:, 1], (scores[:, 0] + scores[:, 2]) / 2 - 1000, atol=25)
    np.testing.assert_array_equal(whole.predict(rows), part.predict(rows))
    if hasattr(whole, "predict_proba"):
        p = whole.predict_proba(rows)
        np.testing.assert_array_equal(p[:, 1], 0)
        np.testing.assert_allclose(p[:, [0, 2]], part.predict_proba(rows), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("model", OTHERS, ids=str)
def test_a_class_of_weight_0_is_never_predicted(model, dtype):
    whole = seeded(model).fit(X.astype(dtype), Y, sample_weight=WITHOUT_B)
    assert whole.classes_.tolist() == [0, 1, 2]
    rows = np.vstack([X, -X, 100 * X]).astype(dtype)  # including rows far from the training rows
    assert set(whole.predict(rows)) == {0, 2}
    assert np.isfinite(whole.decision_function(rows)).all()
    if hasattr(whole, "predict_proba"):
        np.testing.assert_array_equal(whole.predict_proba(rows)[:, 1], 0)


@pytest.mark.parametrize("model", [*SMOOTH[::3], *HINGES[::3], *OTHERS], ids=str)
def test_one_class_with_weight_of_three_and_of_two(model):
    one = seeded(model).fit(X, Y, sample_weight=(Y == 2).astype(float))
    assert one.classes_.tolist() == [0, 1, 2]
    assert set(one.predict(X)) == {2}
    two = seeded(model).fit(X[Y < 2], Y[Y < 2], sample_weight=1.0 - Y[Y < 2])
    assert two.classes_.tolist() == [0, 1]
    assert two.decision_function(X).shape == (150,)
    assert set(two.predict(X)) == {0}
    if hasattr(one, "predict_proba"):
        np.testing.assert_array_equal(one.predict_proba(X), np.tile([0.0, 0.0, 1.0], (150, 1)))
        np.testing.assert_array_equal(two.predict_proba(X), np.tile([1.0, 0.0], (150, 1)))


def test_one_class_in_y_is_refused():
    with pytest.raises(ValueError, match="contains only one class: 0"):
        SoftmaxClassifier().fit(X, 0 * Y)


@pytest.mark.parametrize("weight", [{1: 0}, {1: 0, 0: 2, 2: 2}])
def test_class_weight_0_is_the_same(weight):
    by_class = SoftmaxClassifier(class_weight=weight).fit(X, Y)
    by_row = SoftmaxClassifier().fit(X, Y, sample_weight=WITHOUT_B)
    np.testing.assert_allclose(by_class.coef_, by_row.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(by_class.predict_proba(X)[:, 1], 0)


def test_probabilities_with_a_column_of_zeros():
    soft = np.eye(3)[Y[Y != 1]] * 0.9
    soft[:, [0, 2]] += 0.05
    model = SoftmaxClassifier().fit(X[Y != 1], soft)
    expected = SoftmaxClassifier().fit(X[Y != 1], soft[:, [0, 2]])
    np.testing.assert_array_equal(model.predict_proba(X)[:, 1], 0)
    np.testing.assert_allclose(model.predict_proba(X)[:, [0, 2]], expected.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize(
    "model",
    [SoftmaxClassifier(), SVMClassifier(), FocalClassifier(), SoftmaxClassifierCV(alphas=3)],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:a fold of cv trains on no row:UserWarning")
def test_bagging_of_two_positives_in_200(model):
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(200, 4)), np.zeros(200, int)
    labels[:2], rows[:2] = 1, rows[:2] + 3
    bagging = BaggingClassifier(model, n_estimators=15, random_state=1).fit(rows, labels)
    lacking = [not labels[drawn].any() for drawn in bagging.estimators_samples_]
    assert any(lacking)
    for lacks, member in zip(lacking, bagging.estimators_, strict=True):
        assert member.classes_.tolist() == [0, 1]
        if lacks and hasattr(member, "predict_proba"):
            np.testing.assert_array_equal(member.predict_proba(rows)[:, 1], 0)
    if hasattr(bagging, "predict_proba"):
        assert bagging.predict_proba(rows).shape == (200, 2)


def test_a_path_of_penalties():
    found = path(X, Y, [1e-2, 1e-4], sample_weight=WITHOUT_B)
    expected = path(X[Y != 1], Y[Y != 1], [1e-2, 1e-4])
    difference = found.coefs[:, [2]] - found.coefs[:, [0]]
    np.testing.assert_allclose(difference, expected.coefs, rtol=1e-9)
    assert path(X, Y, [1e-2, 1e-4], sample_weight=(Y == 1).astype(float)).coefs.max() == 0


@pytest.mark.parametrize("model", [SoftmaxClassifier(), MarginSoftmaxClassifier()], ids=str)
def test_a_class_that_gets_weight_later(model):
    model = seeded(model).set_params(warm_start=True).fit(X, Y, sample_weight=WITHOUT_B)
    again = model.fit(X, Y)
    assert again.score(X, Y) >= seeded(model).set_params(warm_start=False).fit(X, Y).score(X, Y) - 0.02
    assert np.abs(again.intercept_).max() < 900


def test_validation_rows_of_a_class_without_weight_do_not_count():
    model = SoftmaxClassifier(random_state=0)
    model.fit(X, Y, sample_weight=WITHOUT_B, X_val=X[::3], y_val=Y[::3])
    kept = np.flatnonzero(Y != 1)[::3]
    part = SoftmaxClassifier(random_state=0).fit(
        X[Y != 1], Y[Y != 1], X_val=X[::3][Y[::3] != 1], y_val=Y[::3][Y[::3] != 1]
    )
    assert len(kept) == 34
    assert model.history_["validation_loss"] == part.history_["validation_loss"]
    with pytest.raises(ValueError, match="all validation rows are of classes without a row of positive"):
        model.fit(X, Y, sample_weight=WITHOUT_B, X_val=X[Y == 1], y_val=Y[Y == 1])


@pytest.mark.parametrize("method", CALIBRATORS)
def test_calibration_of_a_class_without_weight(method):
    model = SoftmaxClassifier(calibration=method, early_stopping=True, random_state=0)
    whole, part = clone(model).fit(X, Y, sample_weight=WITHOUT_B), clone(model).fit(X[Y != 1], Y[Y != 1])
    p = whole.predict_proba(X)
    np.testing.assert_array_equal(p[:, 1], 0)
    np.testing.assert_allclose(p[:, [0, 2]], part.predict_proba(X), rtol=1e-6)
    np.testing.assert_array_equal(whole.predict_log_proba(X)[:, 1], -np.inf)
    assert set(whole.predict(X)) == {0, 2}


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "sgd"])
def test_batches(solver):
    def parts(weights):
        return lambda: ((X[a : a + 40], Y[a : a + 40], weights[a : a + 40]) for a in range(0, 150, 40))

    model = SoftmaxClassifier(solver=solver, random_state=0)
    in_memory = clone(model).fit(X, Y, sample_weight=WITHOUT_B)
    for batches in (Batches(parts(WITHOUT_B)), Batches(parts(np.where(Y == 1, 0.0, 2.0)))):
        found = clone(model).fit(batches)
        assert found.classes_.tolist() == [0, 1, 2]
        np.testing.assert_array_equal(found.predict_proba(X)[:, 1], 0)
        rows = X[Y != 1]
        np.testing.assert_allclose(found.predict_proba(rows), in_memory.predict_proba(rows), atol=0.01)
    one = clone(model).fit(Batches(parts((Y == 2).astype(float))))
    np.testing.assert_array_equal(one.predict_proba(X), np.tile([0.0, 0.0, 1.0], (150, 1)))


# ---------------------------------------------------------------- folds


def with_a_rare_class():
    rows, labels = make_classification(200, 6, n_informative=4, n_classes=3, random_state=0)
    labels[labels == 2] = 0
    labels[7] = 2
    return rows, labels


@pytest.mark.parametrize(
    "estimator", [SoftmaxClassifier(), SVMClassifier(), LogisticRegression(), LinearSVC()], ids=str
)
@pytest.mark.parametrize("method", CALIBRATORS)
def test_calibrated_classifier_where_a_fold_lacks_a_class(estimator, method):
    rows, labels = with_a_rare_class()
    with pytest.warns(
        UserWarning, match="a fold of cv trains on no row of class 2, whose probability is 0 there"
    ):
        model = CalibratedClassifier(estimator, method=method).fit(rows, labels)
    assert model.classes_.tolist() == [0, 1, 2]
    p = model.predict_proba(rows)
    assert p.shape == (200, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert np.median(p[:, 2]) < 0.05
    assert log_loss(np.delete(labels, 7), np.delete(p, 7, 0), labels=[0, 1, 2]) < 0.62  # the prior gives .65


def test_calibrated_classifier_of_a_class_without_weight():
    model = CalibratedClassifier(LogisticRegression()).fit(X, Y, sample_weight=WITHOUT_B)
    expected = CalibratedClassifier(LogisticRegression()).fit(X[Y != 1], Y[Y != 1])
    assert model.classes_.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(model.predict_proba(X)[:, 1], 0)
    np.testing.assert_array_equal(model.predict_log_proba(X)[:, 1], -np.inf)
    np.testing.assert_allclose(model.predict_proba(X)[:, [0, 2]], expected.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("method", CALIBRATORS)
@pytest.mark.parametrize("kept", [Y >= 0, Y < 2], ids=["three", "two"])
def test_calibration_of_one_class_with_weight(method, kept):
    rows, labels = X[kept], Y[kept]
    weights = (labels == 0).astype(float)
    inside = SoftmaxClassifier(calibration=method, early_stopping=True, random_state=0)
    for model in (inside, CalibratedClassifier(SoftmaxClassifier(), method=method)):
        model.fit(rows, labels, sample_weight=weights)
        assert model.classes_.tolist() == sorted(set(labels))
        np.testing.assert_array_equal(model.predict_proba(X), np.eye(labels.max() + 1)[np.zeros(150, int)])
        assert set(model.predict(X)) == {0}


def test_a_fold_of_the_search_for_a_penalty_lacks_a_class():
    rows, labels = with_a_rare_class()
    folds = PredefinedSplit(np.arange(200) % 4)
    with pytest.warns(UserWarning, match="no row of class 2, .* its 1 held-out rows do not count in scores"):
        model = SoftmaxClassifierCV(alphas=[1.0, 1e-2], cv=folds).fit(rows, labels)
    scores = model.cv_results_["split3_test_score"]
    train, test = np.arange(200) % 4 != 3, (np.arange(200) % 4 == 3) & (labels != 2)
    for score, alpha in zip(scores, model.alphas_, strict=True):
        fitted = SoftmaxClassifier(alpha=alpha, tol=1e-8).fit(rows[train], labels[train])
        logs = fitted.predict_log_proba(rows[test])
        np.testing.assert_allclose(score, logs[np.arange(test.sum()), labels[test]].mean(), rtol=1e-3)


def test_leave_one_out_says_that_it_needs_all_classes():
    with pytest.raises(
        ValueError, match=r"cv='loo' needs rows of positive weight of every class in y, and class 1"
    ):
        SoftmaxClassifierCV(cv="loo").fit(X, Y, sample_weight=WITHOUT_B)


# ---------------------------------------------------------------- early stopping


@pytest.mark.parametrize("counts", [[1, 40, 40], [1, 1, 50], [2, 2, 2], [5, 4, 1]])
@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_one_row_in_a_class_stays_in_training(counts, fraction, form):
    labels = np.repeat(NAMES, counts)
    rows = np.random.default_rng(0).normal(size=(len(labels), 3))
    for seed in range(4):
        model = SoftmaxClassifier(early_stopping=True, validation_fraction=fraction, random_state=seed)
        model.fit(form(rows), labels)
        assert model.classes_.tolist() == ["a", "b", "c"]
        assert (model.predict_proba(form(rows)) > 0).all()  # each class was trained on
        assert len(model.history_["validation_loss"]) == model.n_iter_


def test_no_rows_to_hold_out():
    with pytest.raises(ValueError, match=r"cannot hold out any of 3 samples.*; pass X_val and y_val"):
        SoftmaxClassifier(early_stopping=True).fit(np.eye(3), [0, 1, 2])


def test_a_stream_may_lack_a_class():
    model = LinearClassifier(random_state=0)
    for start in range(0, 150, 50):
        model.partial_fit(X[start : start + 50], Y[start : start + 50], classes=[0, 1, 2])
        assert np.isfinite(model.predict_proba(X)).all()
    assert model.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "model",
    [
        SoftmaxClassifier(),
        HierarchicalSoftmaxClassifier(),
        AdaptiveSoftmaxClassifier(cutoffs=[1]),
        MarginSoftmaxClassifier(standardize=True),
    ],
    ids=str,
)
def test_files_keep_it(model, tmp_path):
    model = seeded(model).fit(X, Y, sample_weight=WITHOUT_B)
    linclf.save(model, tmp_path / "m.linclf")
    again = linclf.load(tmp_path / "m.linclf")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
