"""What every classifier around another one checks of it: its classes, its fit parameters, its kind."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_multilabel_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from linclf import LinearClassifier, SoftmaxClassifier
from linclf.calibration import CalibratedClassifier
from linclf.conformal import ConformalClassifier
from linclf.decisions import (
    CostSensitiveClassifier,
    LabelThresholdClassifier,
    RejectClassifier,
    ThresholdClassifier,
)

DECISIONS = {
    "costs": CostSensitiveClassifier,
    "thresholds": ThresholdClassifier,
    "label thresholds": LabelThresholdClassifier,
    "rejection by cost": lambda model: RejectClassifier(model, cost=0.5),
    "rejection by coverage": lambda model: RejectClassifier(model, coverage=0.9),
}
ALL = DECISIONS | {"calibration": CalibratedClassifier, "sets": ConformalClassifier}
all_of_them = pytest.mark.parametrize("around", ALL.values(), ids=list(ALL))
all_decisions = pytest.mark.parametrize("around", DECISIONS.values(), ids=list(DECISIONS))
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "accepts", "expected_cost")
X, Y = load_breast_cancer(return_X_y=True)
X = scale(X)


def two_classes():
    return SoftmaxClassifier(alpha=1e-2).fit(X, Y)


# ---------------------------------------------------------------- the classes inside change


def used(model, X):
    """Names of the methods that predict, and what each does."""
    names = [name for name in (*METHODS, "predict_set") if hasattr(model, name)]
    assert "predict" in names
    return {name: getattr(model, name) for name in names}


@all_of_them
def test_a_stream_that_gets_a_class_is_refused_until_the_next_fit(around):
    digits, labels = load_digits(return_X_y=True)
    first = labels < 2
    stream = SoftmaxClassifier(on_new_class="add", random_state=0)
    stream.partial_fit(digits[first], labels[first] * 5)  # 0 and 5
    model = around(FrozenEstimator(stream)).fit(digits[first], labels[first] * 5)
    for predicting in used(model, digits).values():
        assert len(predicting(digits[:3]) if predicting.__name__ != "predict_set" else [0] * 3) == 3
    stream.partial_fit(digits[labels == 3], labels[labels == 3])  # now 0, 3, 5
    for predicting in used(model, digits).values():
        with pytest.raises(ValueError, match=r"knows 3 classes, and 2 when .* \[3\].*fit \w+ again"):
            predicting(digits[:3])


@all_of_them
def test_other_classes_of_the_same_number_are_refused(around):
    inside = LogisticRegression().fit(X, Y)
    model = around(FrozenEstimator(inside)).fit(X, Y)
    inside.fit(X, Y + 5)
    for predicting in used(model, X).values():
        with pytest.raises(ValueError, match=r"\[0, 1, 5, 6\] are not in both.*fit \w+ again"):
            predicting(X[:3])


def test_another_number_of_labels_is_refused():
    rows, labels = make_multilabel_classification(200, n_classes=4, random_state=0)
    inside = LinearClassifier(loss="one-vs-rest-logistic").fit(rows, labels)
    model = LabelThresholdClassifier(FrozenEstimator(inside)).fit(rows, labels)
    inside.fit(rows, labels[:, :3])
    with pytest.raises(ValueError, match=r"\(200, 3\) for 4 labels: if it was fitted again, fit this"):
        model.predict(rows)
    inside.fit(rows, labels.sum(axis=1).clip(0, 3))
    with pytest.raises(ValueError, match=r"predicts one label a row, and y has 4"):
        LabelThresholdClassifier(FrozenEstimator(inside)).fit(rows, labels)


def test_classes_without_weight_are_still_allowed():
    flowers, kinds = load_iris(return_X_y=True)
    model = CalibratedClassifier(LogisticRegression(max_iter=1000)).fit(
        flowers, kinds, sample_weight=1.0 * (kinds != 1)
    )
    assert model.classes_.tolist() == [0, 1, 2]
    assert not model.predict_proba(flowers)[:, 1].any()


# ---------------------------------------------------------------- parameters of fit


@all_of_them
def test_an_offset_is_refused(around):
    known = np.full(len(Y), 0.5)
    for model in (SoftmaxClassifier(), FrozenEstimator(two_classes())):
        with pytest.raises(ValueError, match="offset is refused, because the rows that are held out"):
            around(model).fit(X, Y, offset=known)
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier())
    with pytest.raises(ValueError, match="softmaxclassifier__offset is refused"):
        around(pipeline).fit(X, Y, softmaxclassifier__offset=known)
    with config_context(enable_metadata_routing=True):
        asking = SoftmaxClassifier().set_fit_request(offset="known", sample_weight=False)
        with pytest.raises(ValueError, match="offset is refused"):
            around(asking).fit(X, Y, known=known)


@all_of_them
def test_parameters_for_a_frozen_estimator_are_refused_by_name(around):
    with pytest.raises(ValueError, match=r"\['foo'\] are for fit.*FrozenEstimator is not fitted again"):
        around(FrozenEstimator(two_classes())).fit(X, Y, foo=3)


@pytest.mark.parametrize("around", [ThresholdClassifier, CalibratedClassifier, LabelThresholdClassifier])
def test_groups_without_routing_say_how_to_route(around):
    groups = np.arange(len(Y)) % 5
    with pytest.raises(TypeError, match=r"set_config\(enable_metadata_routing=True\)"):
        around(LogisticRegression(), cv=GroupKFold(3)).fit(X, Y, groups=groups)
    with config_context(enable_metadata_routing=True):
        model = around(LogisticRegression().set_fit_request(sample_weight=False), cv=GroupKFold(3))
        assert model.fit(X, Y, groups=groups).score(X, Y) > 0.9


def test_messages_do_not_name_private_classes():
    with pytest.raises(TypeError, match=r"^predict_proba\(\) got an unexpected"):
        CostSensitiveClassifier(two_classes()).fit(X, Y).predict_proba(X, offset=1)


# ---------------------------------------------------------------- kinds of classifiers and of y


@all_decisions
def test_labels_that_a_frozen_model_does_not_know_are_refused(around):
    with pytest.raises(ValueError, match=r"not in classes.*'q'.*FrozenEstimator was fitted to"):
        around(FrozenEstimator(two_classes())).fit(X, np.where(Y == 1, "q", "r"))


@all_of_them
@pytest.mark.parametrize("kind", [LinearClassifier(loss="one-vs-rest-logistic"), KNeighborsClassifier()])
def test_a_frozen_model_of_several_labels_needs_a_y_of_several(around, kind):
    rows, labels = make_multilabel_classification(200, n_classes=4, random_state=0)
    with pytest.raises((ValueError, TypeError), match="several labels a row, and y has one"):
        around(FrozenEstimator(kind.fit(rows, labels))).fit(rows, labels[:, 0])


def test_a_threshold_is_not_for_three_classes():
    flowers, kinds = load_iris(return_X_y=True)
    frozen = FrozenEstimator(LogisticRegression(max_iter=1000).fit(flowers, kinds))
    with pytest.raises(ValueError, match=r"classes \[0, 1, 2\], and a threshold is between two"):
        LabelThresholdClassifier(frozen).fit(flowers[:100], kinds[:100])


@pytest.mark.parametrize("inner", [CostSensitiveClassifier, ThresholdClassifier])
@pytest.mark.parametrize("around", [*DECISIONS.values(), CalibratedClassifier])
def test_a_decision_inside_another_is_refused(inner, around):
    decision = inner(LogisticRegression())
    for inside in (
        decision,
        FrozenEstimator(decision.fit(X, Y)),
        make_pipeline(StandardScaler(), decision),
        GridSearchCV(decision, {"estimator__C": [1]}),
    ):
        with pytest.raises(ValueError, match=f"drop the decision of {inner.__name__}.*outermost"):
            around(inside).fit(X, Y)
    calibrated = CalibratedClassifier(LogisticRegression())
    if around is not CalibratedClassifier:
        assert around(calibrated).fit(X, Y).score(X, Y) > 0.8
    assert ConformalClassifier(decision).fit(X, Y).score(X, Y) > 0.9  # predicts by the decision
