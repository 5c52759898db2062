"""scikit-learn's own checks; only for estimators that hold out rows, two cannot pass."""

from inspect import signature

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from linclf import (
    EntmaxClassifier,
    FocalClassifier,
    LinearClassifier,
    LinearClassifierCV,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SparsemaxClassifier,
    SVMClassifier,
    SVMClassifierCV,
)
from linclf.calibration import CALIBRATORS
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.optimizers import OPTIMIZERS

ESTIMATORS = [
    SoftmaxClassifier(),
    SoftmaxClassifier(solver="adam", average=True),
    SoftmaxClassifier(solver="lbfgs"),
    SoftmaxClassifier(solver="sgd"),
    SoftmaxClassifier(
        logit_adjustment=0.5
    ),  # at 1.0 class weights do not change predictions, but a check requires it
    *(SoftmaxClassifier(penalty=name) for name in ("l1", "elasticnet", "group")),
    SVMClassifier(),
    SVMClassifier(squared=True, penalty="l1"),
    SparsemaxClassifier(),
    EntmaxClassifier(),
    FocalClassifier(),
    MarginSoftmaxClassifier(),
    LinearClassifier(),
    LinearClassifier(loss="one-vs-rest-logistic"),
    SampledSoftmaxClassifier(),
    NCEClassifier(),
    HierarchicalSoftmaxClassifier(),
    AdaptiveSoftmaxClassifier(),
    SampledSoftmaxClassifier(rank=2),
    SoftmaxClassifierCV(alphas=5),
    SVMClassifierCV(alphas=3),
    LinearClassifierCV(alphas=3, loss_grid={"label_smoothing": [0.0, 0.1]}),
]
OTHER_SETTINGS = [
    *(LinearClassifier(loss="one-vs-rest-logistic", solver=solver) for solver in ("newton", "lbfgs", "sgd")),
    *(SoftmaxClassifier(solver=name) for name in OPTIMIZERS if name != "sgd"),
    SoftmaxClassifier(average=True),
    *(
        SVMClassifier(multi_class=form, squared=squared)
        for form in ("weston-watkins", "crammer-singer", "one-vs-rest")
        for squared in (False, True)
        if (form, squared) != ("weston-watkins", False)
    ),
    *(
        estimator(solver=solver)
        for estimator in (SparsemaxClassifier, EntmaxClassifier, FocalClassifier, LinearClassifier)
        for solver in ("newton", "lbfgs", "sgd")
    ),
    SoftmaxClassifier(solver="newton"),
    MarginSoftmaxClassifier(solver="lbfgs"),
    *(SVMClassifier(solver=solver) for solver in ("dual", "sgd")),
    *(SVMClassifier(solver=solver, squared=True) for solver in ("newton", "lbfgs", "sgd")),
    HierarchicalSoftmaxClassifier(rank=2),
]


HELD_OUT = [
    SoftmaxClassifier(early_stopping=True),
    SVMClassifier(early_stopping=True),
    AdaptiveSoftmaxClassifier(early_stopping=True),
    HierarchicalSoftmaxClassifier(early_stopping=True),
    *(SoftmaxClassifier(early_stopping=True, calibration=method) for method in CALIBRATORS),
    *(SVMClassifier(early_stopping=True, calibration=method) for method in CALIBRATORS),
]


def expected_failures(estimator):
    """Checks that classifiers fail if they hold out random rows, or are calibrated by Platt scaling."""
    split = "rows that are repeated or left out are held out as other rows are"
    expected = {f"check_sample_weight_equivalence_on_{form}_data": split for form in ("dense", "sparse")}
    if estimator.calibration == "platt":
        expected["check_class_weight_classifiers"] = "class weights do not count in calibrated probabilities"
    return expected


# scikit-learn 1.7 knows no strict expected failures
STRICT = {"xfail_strict": True} if "xfail_strict" in signature(parametrize_with_checks).parameters else {}


# a check takes the logarithm of predict_proba, which may be exactly 0
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@parametrize_with_checks(HELD_OUT, expected_failed_checks=expected_failures, **STRICT)
def test_scikit_learn_checks_with_rows_held_out(estimator, check):
    check(estimator)


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@parametrize_with_checks(OTHER_SETTINGS)
def test_scikit_learn_checks_with_other_settings(estimator, check):
    check(estimator)
