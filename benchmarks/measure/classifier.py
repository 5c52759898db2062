"""Types for what the classifiers of linclf and scikit-learn share."""

from typing import Any, Protocol, Self

import numpy as np

from benchmarks.data.dataset import Rows


class Classifier(Protocol):
    def fit(self, X: Rows, y: np.ndarray) -> Self: ...
    def predict(self, X: Rows) -> np.ndarray: ...
    def score(self, X: Rows, y: np.ndarray) -> float: ...
    def get_params(self) -> dict[str, Any]: ...
    def set_params(self, **parameters: Any) -> Self: ...


class LinearEstimator(Classifier, Protocol):
    coef_: np.ndarray
    intercept_: np.ndarray
    n_iter_: int
