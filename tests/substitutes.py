"""linclf's classifiers under the names, and with the parameters, of scikit-learn's linear classifiers.

Each has the constructor of its namesake and is otherwise a classifier of linclf. `substitution.py` passes
them to tests of other projects. L1 penalties, kernels, solvers and ``partial_fit`` are not translated: an
`SVC` is linear here for any kernel.
"""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn import linear_model, svm
from sklearn.utils.class_weight import compute_class_weight

from linclf import LinearClassifier, SoftmaxClassifier, SVMClassifier


def constructor_of(cls: type) -> Callable[..., None]:
    """A constructor with the signature of that of `cls`, which stores its arguments unchanged."""
    signature = inspect.signature(cls.__init__)

    def constructor(self, *arguments, **named):
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        _, *given = bound.arguments.items()
        for name, value in given:
            setattr(self, name, value)

    constructor.__signature__ = signature
    return constructor


class Substitute:
    """The base of all substitutes: linclf's parameters replace the given ones during ``fit``."""

    fits: ClassVar[int] = 0  # of all substitutes in this process

    def fit(self, X, y, sample_weight=None):
        Substitute.fits += 1
        given = self.get_params(deep=False)
        # parameters of the same name as in scikit-learn
        translated = {"penalty": "l2", "l1_ratio": None} | self.translated(given, y, sample_weight)
        vars(self).update(translated)
        try:
            return super().fit(X, y, sample_weight)
        finally:
            for name in translated.keys() - given.keys():
                delattr(self, name)
            vars(self).update(given)

    def translated(self, given: dict[str, Any], y, sample_weight) -> dict[str, Any]:
        """Values for parameters of linclf that have another name or meaning in scikit-learn."""
        raise NotImplementedError


class WithC(Substitute):
    """Trained to the optimum; C refers to the sum of the losses, linclf's alpha to their weighted mean."""

    def translated(self, given, y, sample_weight):
        return {
            "alpha": 1 / (given["C"] * total_weight(given["class_weight"], y, sample_weight)),
            "solver": "auto",
            # a bound on the gradient there; here on the objective, which falls as the gradient's square
            "tol": given["tol"] ** 2,
            "max_iter": "auto" if given["max_iter"] == -1 else given["max_iter"],
        }


class LogisticRegression(WithC, SoftmaxClassifier):
    __init__ = constructor_of(linear_model.LogisticRegression)


class LinearSVC(WithC, SVMClassifier):
    """Without a penalty on the intercept."""

    __init__ = constructor_of(svm.LinearSVC)

    def translated(self, given, y, sample_weight):
        loss = {"multi_class": "one-vs-rest", "squared": given["loss"] == "squared_hinge"}
        return super().translated(given, y, sample_weight) | loss


class SVC(WithC, SVMClassifier):
    __init__ = constructor_of(svm.SVC)

    def translated(self, given, y, sample_weight):
        meant = {"tol": given["tol"]}  # the largest violation; the gap here falls in proportion
        if given["probability"] is True:
            meant |= {"calibration": "platt", "early_stopping": True}
        return super().translated(given, y, sample_weight) | meant


class Stepwise(Substitute):
    """The step size follows from the rows, for any step size given to the namesake."""

    def translated(self, given, y, sample_weight):
        alpha = given["alpha"] if given["penalty"] == "l2" else 0.0
        return {"alpha": alpha, "solver": "sgd", "learning_rate": "auto"}


class SGDClassifier(Stepwise, LinearClassifier):
    __init__ = constructor_of(linear_model.SGDClassifier)
    named: ClassVar = {
        "hinge": "one-vs-rest",
        "squared_hinge": "squared-one-vs-rest",
        "log_loss": "softmax",
    }

    def _loss(self):
        return self.named[self.loss]


class Perceptron(Stepwise, SVMClassifier):
    """A hinge with a margin, which a perceptron does not have."""

    __init__ = constructor_of(linear_model.Perceptron)


def total_weight(class_weight, y, sample_weight) -> float:
    """The sum of the weights of the rows, including class weights."""
    classes, ids = np.unique(y, return_inverse=True)
    weights = np.ones(len(ids)) if sample_weight is None else np.asarray(sample_weight)
    per_class = compute_class_weight(class_weight, classes=classes, y=np.asarray(y), sample_weight=weights)
    return float(weights @ per_class[ids])
