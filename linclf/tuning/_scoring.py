"""Scores of a model on rows that it was not trained on; higher is better."""

import copy
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any, NamedTuple, Protocol

import numpy as np
from sklearn.metrics import get_scorer

from linclf._data.dataset import Dataset
from linclf._data.targets import Indicators, Probabilities, Targets
from linclf._estimator.predicting import PROBABILITIES, Predicting
from linclf._training.model import columns
from linclf._types import FloatArray, LabelArray, Loss
from linclf.losses._registry import trait

LEAST = float(np.log(np.finfo(np.float64).eps))  # the smallest log probability, as in scikit-learn
# methods of classifiers that add an offset
WITH_OFFSET = (
    "decision_function",
    "predict",
    "predict_topk",
    "predict_proba",
    "predict_log_proba",
    "predict_proba_of",
    "score",
)


class Score(NamedTuple):
    """A score on some rows and, if it is a mean over them, its standard error."""

    mean: float
    error: float = np.nan


class Metric(Protocol):
    """Scores a model, given by the attributes that a fit publishes."""

    name: str

    def score(
        self, estimator: Predicting, attributes: dict[str, Any], loss: Loss, rows: Dataset
    ) -> Score: ...


class OfRows:
    """A mean over rows of a function of their scores and targets."""

    def __init__(self, name: str, of_rows: Callable[[Loss, FloatArray, Targets], FloatArray]) -> None:
        self.name, self.of_rows = name, of_rows

    def score(self, estimator: Predicting, attributes: dict[str, Any], loss: Loss, rows: Dataset) -> Score:
        y, weights = rows.counted
        model = estimator._model(attributes)
        values, known = np.empty(len(weights)), rows.decision_offset
        for part, X in rows.blocks(y.n_classes, PROBABILITIES):
            scores = estimator._scores(model, X)
            if known is not None:
                scores = scores + known[part]
            values[part] = self.of_rows(loss, columns(scores), y.take(part))
        return mean_of(values, weights)


def mean_of(values: FloatArray, weights: FloatArray) -> Score:
    """The weighted mean and its standard error, for an effective number ``sum(w)^2 / sum(w^2)`` of rows."""
    total = weights.sum()
    mean = float(weights @ values / total)
    variance = float(weights @ np.square(values - mean) / total)
    n = total**2 / float(weights @ weights)
    return Score(mean, float(np.sqrt(variance / max(n - 1, 1))))


def log_likelihoods(loss: Loss, scores: FloatArray, y: Targets) -> FloatArray:
    """Log likelihood of each row: that of its label, or the expected one under its probabilities.

    Of several labels it is the sum over all labels, those that the row lacks included.
    """
    scores = scores.astype(np.float64, copy=False)
    if isinstance(y, Indicators):
        return y.log_likelihoods(loss.probabilities(scores), LEAST)  # pyright: ignore[reportAttributeAccessIssue]
    if trait(loss, "log_probabilities"):
        logs = loss.log_probabilities(scores)  # pyright: ignore[reportAttributeAccessIssue]
    else:
        with np.errstate(divide="ignore"):
            logs = np.log(loss.probabilities(scores))  # pyright: ignore[reportAttributeAccessIssue]
    logs = np.maximum(logs, LEAST)
    return y.of_each(logs)


def hits(loss: Loss, scores: FloatArray, y: Targets) -> FloatArray:
    """1 for a row whose class, or most probable class, has the highest score; all of several labels."""
    return y.hits(scores).astype(np.float64)


class OfEstimator:
    """A scorer of scikit-learn, which is given a fitted copy of the estimator."""

    def __init__(self, scorer: Any, classes: LabelArray, params: Callable[[Dataset], dict[str, Any]]) -> None:
        self.scorer, self.classes, self.params = scorer, classes, params
        self.name = str(scorer)

    def score(self, estimator: Predicting, attributes: dict[str, Any], loss: Loss, rows: Dataset) -> Score:
        fitted = copy.copy(estimator)
        for name in ("feature_names_in_", "multilabel_"):  # rows are arrays, maybe of another form
            vars(fitted).pop(name, None)
        vars(fitted).update(attributes)
        held_out = rows.compact()
        if held_out.decision_offset is not None:
            _add_offset(fitted, held_out.decision_offset)
        y = held_out.y.named(self.classes)
        return Score(float(self.scorer(fitted, held_out.X, y, **self.params(rows))))


def _add_offset(fitted: Predicting, offset: FloatArray) -> None:
    """Let the methods that scorers call add an offset, which scikit-learn does not pass to them."""
    for name in WITH_OFFSET:
        if hasattr(fitted, name):
            method = getattr(fitted, name)
            vars(fitted)[name] = update_wrapper(partial(method, offset=offset), method)


OF_ROWS = {"neg_log_loss": log_likelihoods, "accuracy": hits}


def metric_for(
    scoring: Any,
    losses: list[Loss],
    classes: LabelArray,
    y: Targets,
    params: Callable[[Dataset], dict[str, Any]],
) -> Metric:
    """By default the log loss if the losses have probabilities, else the accuracy, or F1 of labels."""
    without = [loss for loss in losses if trait(loss, "probabilities") is None]
    if scoring is None:
        of_hinges = "f1_micro" if isinstance(y, Indicators) else "accuracy"
        scoring = of_hinges if without else "neg_log_loss"
    if scoring == "neg_log_loss" and without:
        raise ValueError(
            f"scoring='neg_log_loss' needs probabilities, and {without[0]!r} has none; use "
            f"scoring='accuracy', or {'a logistic' if isinstance(y, Indicators) else 'a softmax'} loss"
        )
    if isinstance(scoring, str) and scoring in OF_ROWS:
        return OfRows(scoring, OF_ROWS[scoring])
    if isinstance(y, Probabilities):
        raise ValueError(
            f"scoring={scoring!r} compares with labels, and y has probabilities of classes; use one of "
            f"{sorted(OF_ROWS)}"
        )
    return OfEstimator(get_scorer(scoring), classes, params)
