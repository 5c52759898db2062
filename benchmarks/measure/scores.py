"""Scores of a fitted model on weighted test rows, and their gains over another model."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from benchmarks.data.dataset import DataSet, Rows
from linclf.metrics import DOUBT_SCORES

CLEAR = 3  # standard deviations of a difference; among so many models one would often reach 2 by chance


class Outcome(NamedTuple):
    """The predictions of a model for the test rows, and for rows of no class if there are any."""

    y: np.ndarray
    predicted: np.ndarray
    ranking: np.ndarray  # (n, K) probabilities, else scores; (n,) scores for two classes
    probabilities: np.ndarray | None  # (n, K)
    log_true: np.ndarray | None  # (n,) logarithm of the probability of the true class
    doubts: dict[str, np.ndarray]  # name -> (n + rows of no class,)

    @property
    def n_weights(self) -> int:
        """The number of weights that the scores take: one for each row, including rows of no class."""
        return max([len(self.y), *map(len, self.doubts.values())])

    @classmethod
    def of(cls, model: Any, data: DataSet, outside: Rows | None = None) -> Self:
        scores, p, log_true = model.decision_function(data.X_test), None, None
        if hasattr(model, "predict_proba"):
            p = model.predict_proba(data.X_test)
            log_true = model.predict_log_proba(data.X_test)[np.arange(len(data.y_test)), data.y_test]
        ranking = scores if p is None or scores.ndim == 1 else p
        doubts = {} if outside is None else _doubts(model, data.X_test, outside)
        return cls(data.y_test, model.predict(data.X_test), ranking, p, log_true, doubts)


def _doubts(model: Any, *parts: Rows) -> dict[str, np.ndarray]:
    return {
        f"doubt_{name}": np.concatenate([doubt(getattr(model, method)(X)) for X in parts])
        for name, (doubt, method) in DOUBT_SCORES.items()
        if hasattr(model, method)
    }


Weights = np.ndarray | None  # (`Outcome.n_weights`,)


class Score(NamedTuple):
    """One column of a table."""

    title: str
    compute: Callable[..., float]  # (outcome, weights=None)
    better: int  # 1 if more is better, -1 if less is, 0 if neither
    is_defined: Callable[[Outcome], bool] = lambda outcome: True
    beside: str | None = None  # the score of the reference for the gain, if it is a different one


def has_probabilities(outcome: Outcome) -> bool:
    return outcome.probabilities is not None


def _accuracy(outcome: Outcome, weights: Weights = None) -> float:
    return np.average(outcome.predicted == outcome.y, weights=_inside(outcome, weights))


def _macro_f1(outcome: Outcome, weights: Weights = None) -> float:
    return f1_score(
        outcome.y,
        outcome.predicted,
        average="macro",
        sample_weight=_inside(outcome, weights),
        zero_division=0,
    )


def _average_precision(outcome: Outcome, weights: Weights = None) -> float:
    average = partial(average_precision_score, sample_weight=_inside(outcome, weights))
    if outcome.ranking.ndim == 1:
        return average(outcome.y, outcome.ranking)
    return np.mean([average(outcome.y == k, outcome.ranking[:, k]) for k in np.unique(outcome.y)])


def _log_loss(outcome: Outcome, weights: Weights = None) -> float:
    return -np.average(outcome.log_true, weights=_inside(outcome, weights))


def _impossible(outcome: Outcome, weights: Weights = None) -> float:
    return np.average(np.isneginf(outcome.log_true), weights=_inside(outcome, weights))


def _support(outcome: Outcome, weights: Weights = None) -> float:
    return np.average((outcome.probabilities > 0).sum(axis=1), weights=_inside(outcome, weights))


def _auroc(name: str, outcome: Outcome, weights: Weights = None) -> float:
    doubt = outcome.doubts[name]
    return roc_auc_score(np.arange(len(doubt)) >= len(outcome.y), doubt, sample_weight=weights)


def _inside(outcome: Outcome, weights: Weights) -> Weights:
    """The weights of rows that have a class."""
    return None if weights is None else weights[: len(outcome.y)]


def _doubt(name: str) -> Score:
    title = f"AUROC of {name.removeprefix('doubt_').replace('_', ' ')}"
    return Score(title, partial(_auroc, name), 1, lambda outcome: name in outcome.doubts, BASELINE_DOUBT)


BASELINE_DOUBT = "doubt_max_probability"
DOUBTS = tuple(f"doubt_{name}" for name in DOUBT_SCORES)
SCORES = {
    "accuracy": Score("accuracy", _accuracy, 1),
    "macro_f1": Score("macro-F1", _macro_f1, 1),
    "average_precision": Score("average precision", _average_precision, 1),
    "log_loss": Score("log loss", _log_loss, -1, has_probabilities),
    "impossible": Score("true class at 0", _impossible, 0, has_probabilities),
    "support": Score("classes above 0", _support, 0, has_probabilities),
    **{name: _doubt(name) for name in DOUBTS},
}


class Repeated(NamedTuple):
    """A score of one model, and the same score on splits or weightings of the test rows."""

    value: float
    repeats: np.ndarray


def summary(ours: Repeated, theirs: Repeated | None, better: int) -> dict[str, float | None]:
    """Value and spread of a score, and its gain over that of another model, if there is one.

    A value that is not finite becomes None. A gain is positive if the first model is better; its spread is
    that of the differences, repeat by repeat.
    """
    if not np.isfinite(ours.value):
        return {"value": None}
    alone: dict[str, float | None] = {"value": float(ours.value), "std": float(ours.repeats.std(ddof=1))}
    if theirs is None or not np.isfinite(theirs.value):
        return alone
    gains = better * (ours.repeats - theirs.repeats)
    return alone | {"gain": float(better * (ours.value - theirs.value)), "gain_std": float(gains.std(ddof=1))}
