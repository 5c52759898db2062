"""What thresholds are tuned for: scores that are sums over the classes, and any scorer of scikit-learn."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer

from linclf._types import FloatArray, IntArray, LabelArray
from linclf.decisions._offsets import Asked, ByClass, Counts, Judge, OfPositive

# names of scikit-learn's scorers -> the part of a class in the score; one without held-out rows has none
BY_CLASS: dict[str, Callable[[Counts], FloatArray]] = {
    "accuracy": lambda c: c.found / c.total,
    # with one label a row, the sums over the classes in these are those of the right and of all rows
    "f1_micro": lambda c: c.found / c.total,
    "precision_micro": lambda c: c.found / c.total,
    "recall_micro": lambda c: c.found / c.total,
    "balanced_accuracy": lambda c: c.found / c.true / c.n_true,
    "recall_macro": lambda c: c.found / c.true / c.n_true,
    "f1_macro": lambda c: 2 * c.found / (c.predicted + c.true) / c.n_true,
    "f1_weighted": lambda c: 2 * c.found / (c.predicted + c.true) * c.true / c.total,
    "jaccard_macro": lambda c: c.found / (c.predicted + c.true - c.found) / c.n_true,
}

# of two classes, the score of the one with the label 1
OF_POSITIVE: dict[str, Callable[[Counts], FloatArray]] = {
    "f1": lambda c: 2 * c.found / (c.predicted + c.true),
    "jaccard": lambda c: c.found / (c.predicted + c.true - c.found),
    "precision": lambda c: c.found / c.predicted,
    "recall": lambda c: c.found / c.true,
}


class _Predicted(ClassifierMixin, BaseEstimator):
    """A classifier that has already predicted: what a scorer judges."""

    def __init__(self, classes: LabelArray, labels: LabelArray) -> None:
        self.classes_, self.labels_ = classes, labels

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> LabelArray:
        return self.labels_


def judge_of(scoring: Any, X: Any, y: LabelArray, weights: FloatArray | None, classes: LabelArray) -> Judge:
    """The judge of predictions for the rows X with the labels y."""
    index = np.searchsorted(classes, y)
    known = np.ones(len(y)) if weights is None else weights
    if isinstance(scoring, str) and scoring in OF_POSITIVE:
        names = classes.tolist()
        if len(names) != 2 or 1 not in names:
            raise ValueError(
                f"scoring={scoring!r} is of the class 1 of two, and the classes are {names[:10]}; pass "
                f"'{scoring}_macro', or make_scorer({scoring}_score, pos_label=...) of sklearn.metrics"
            )
        return OfPositive(names.index(1), index, known, OF_POSITIVE[scoring])
    if isinstance(scoring, str) and scoring in BY_CLASS:
        true = np.bincount(index, known, len(classes)).astype(np.float64)
        return ByClass(index, known, true, BY_CLASS[scoring])
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    extra = {} if weights is None else {"sample_weight": weights}

    def ask(predicted: IntArray) -> float:
        try:
            with warnings.catch_warnings():
                # among the trials are those that predict a class for no row
                warnings.simplefilter("ignore", UndefinedMetricWarning)
                value = scorer(_Predicted(classes, classes[predicted]), X, y, **extra)
        except AttributeError as fault:
            raise ValueError(
                f"scoring={scoring!r} does not judge predicted labels ({fault}), and thresholds change "
                "nothing else; pass a score of labels, such as 'balanced_accuracy'"
            ) from fault
        except TypeError as fault:
            if not extra or "sample_weight" not in str(fault):
                raise
            raise TypeError(
                f"scoring={scoring!r} takes no sample_weight ({fault}), and held-out rows have weights; pass "
                "a score that does, or fit without sample_weight"
            ) from fault
        except ValueError as fault:
            raise ValueError(
                f"scoring={scoring!r} failed for predictions of the classes {classes[:10].tolist()} ({fault})"
                "; pass a score of such labels, such as 'balanced_accuracy'"
            ) from fault
        return float(value) if np.isfinite(value) else -np.inf

    return Asked(ask, index)
