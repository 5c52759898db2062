"""A classifier that states given probabilities, for tests of what is done with them."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator


class Stated(ClassifierMixin, BaseEstimator):
    """Row i of X is [number of a row of p]."""

    def __init__(self, p, classes):
        self.p, self.classes = p, classes

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.asarray(self.classes)
        return self

    def predict_proba(self, X):
        return np.asarray(self.p)[np.asarray(X)[:, 0].astype(int)]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def stating(p, classes=None):
    """(frozen classifier, X): the probabilities p of the rows of X."""
    classes = np.arange(np.shape(p)[1]) if classes is None else classes
    return FrozenEstimator(Stated(p, classes).fit(None, None)), np.arange(len(p))[:, None]
