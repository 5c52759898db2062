"""scikit-learn's own checks, with no expected failure."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from linclf import (
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)
from linclf.optimizers import OPTIMIZERS

ESTIMATORS = [
    *(SoftmaxClassifier(solver=name) for name in OPTIMIZERS),
    SoftmaxClassifier(average=True),
    SoftmaxClassifier(solver="lbfgs"),
    SVMClassifier(solver="lbfgs", squared=True),
    *(
        SVMClassifier(multi_class=form, squared=squared)
        for form in ("weston-watkins", "crammer-singer", "one-vs-rest")
        for squared in (False, True)
    ),
    FocalClassifier(),
    MarginSoftmaxClassifier(),
    LinearClassifier(),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
