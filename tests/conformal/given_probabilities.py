"""A classifier whose rows are probabilities, for tests that need to know these."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator


class GivenProbabilities(ClassifierMixin, BaseEstimator):
    """``predict_proba(X)`` is X itself."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return self.classes_[np.argmax(X, axis=1)]


def frozen(n_classes):
    return FrozenEstimator(GivenProbabilities().fit(None, np.arange(n_classes)))


def drawn(n, n_classes, rng, sharpness=2.0):
    """Overconfident probabilities (n, n_classes), and labels drawn from the right ones."""
    logits = 1.5 * rng.normal(size=(n, n_classes))
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    odds = np.exp(sharpness * (logits - logits.max(axis=1, keepdims=True)))
    return odds / odds.sum(axis=1, keepdims=True), y
