"""What the tests of inputs share: data of whole numbers, estimators, and the ways in which rows arrive."""

from functools import cache

import numpy as np
from sklearn.datasets import load_iris

from linclf import MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier
from linclf.large import HierarchicalSoftmaxClassifier, SampledSoftmaxClassifier

FAST = {"batch_size": 8, "max_iter": 10, "random_state": 0}
ESTIMATORS = {
    "soft": lambda: SoftmaxClassifier(**FAST),
    "hinge": lambda: SVMClassifier(**FAST),
    "cosine": lambda: MarginSoftmaxClassifier(**FAST),
    "sampled": lambda: SampledSoftmaxClassifier(n_sampled=2, **FAST),
    "tree": lambda: HierarchicalSoftmaxClassifier(max_iter=10, random_state=0),
    "lbfgs": lambda: SoftmaxClassifier(solver="lbfgs", max_iter=5, tol=None),
}
# L-BFGS has no partial_fit
WAYS = [
    (name, way)
    for name in ESTIMATORS
    for way in ("fit", "partial_fit", "predict")
    if (name, way) != ("lbfgs", "partial_fit")
]


@cache
def whole_iris():
    """Whole numbers, so that every number type holds them; shuffled."""
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    X, y = (X[order] * 10).round(), y[order]
    for array in (X, y):
        array.flags.writeable = False
    return X, y


@cache
def trained(name):
    return ESTIMATORS[name]().fit(*whole_iris())


def fit(X, y, **parameters):
    sample_weight = parameters.pop("sample_weight", None)
    return SoftmaxClassifier(**{**FAST, **parameters}).fit(X, y, sample_weight=sample_weight)


def outcome(name, way, X, y=None, **weights):
    """Numbers that tell whether two forms of X and y are the same to an estimator."""
    y = whole_iris()[1] if y is None else y
    if way == "predict":
        return trained(name).decision_function(X)
    model = ESTIMATORS[name]()
    if way == "partial_fit":
        return model.partial_fit(X, y, classes=np.unique(y), **weights).coef_
    return model.fit(X, y, **weights).coef_
