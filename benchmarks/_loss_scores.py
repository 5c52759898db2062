"""Scores of a fitted loss on weighted test rows, and what they gain over those of another loss."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from linclf.metrics import DOUBT_SCORES


class Outcome(NamedTuple):
    """What a model says about the test rows, and about rows of no class where there are some."""

    y: np.ndarray
    predicted: np.ndarray
    ranking: np.ndarray  # (n, K) probabilities, else scores; (n,) scores for two classes
    probabilities: np.ndarray | None  # (n, K)
    log_true: np.ndarray | None  # (n,) logarithm of the probability of the true class
    doubts: dict  # name -> (n + rows of no class,)

    @property
    def n_rows(self):
        """The number of weights that the scores take."""
        return max([len(self.y), *map(len, self.doubts.values())])

    @classmethod
    def of(cls, model, data, outside=None):
        scores, p, log_true = model.decision_function(data.X_test), None, None
        if hasattr(model, "predict_proba"):
            p = model.predict_proba(data.X_test)
            log_true = model.predict_log_proba(data.X_test)[np.arange(len(data.y_test)), data.y_test]
        ranking = scores if p is None or scores.ndim == 1 else p
        doubts = {} if outside is None else _doubts(model, data.X_test, outside)
        return cls(data.y_test, model.predict(data.X_test), ranking, p, log_true, doubts)


def _doubts(model, *parts):
    return {
        f"doubt_{name}": np.concatenate([doubt(getattr(model, method)(X)) for X in parts])
        for name, (doubt, method) in DOUBT_SCORES.items()
        if hasattr(model, method)
    }


def _accuracy(outcome, weights=None):
    return np.average(outcome.predicted == outcome.y, weights=_inside(outcome, weights))


def _macro_f1(outcome, weights=None):
    return f1_score(
        outcome.y,
        outcome.predicted,
        average="macro",
        sample_weight=_inside(outcome, weights),
        zero_division=0,
    )


def _average_precision(outcome, weights=None):
    average = partial(average_precision_score, sample_weight=_inside(outcome, weights))
    if outcome.ranking.ndim == 1:
        return average(outcome.y, outcome.ranking)
    return np.mean([average(outcome.y == k, outcome.ranking[:, k]) for k in np.unique(outcome.y)])


def _log_loss(outcome, weights=None):
    return -np.average(outcome.log_true, weights=_inside(outcome, weights))


def _impossible(outcome, weights=None):
    return np.average(np.isneginf(outcome.log_true), weights=_inside(outcome, weights))


def _support(outcome, weights=None):
    return np.average((outcome.probabilities > 0).sum(axis=1), weights=_inside(outcome, weights))


def _auroc(name, outcome, weights=None):
    doubt = outcome.doubts[name]
    return roc_auc_score(np.arange(len(doubt)) >= len(outcome.y), doubt, sample_weight=weights)


def _inside(outcome, weights):
    return None if weights is None else weights[: len(outcome.y)]


class Score(NamedTuple):
    """One column of a table."""

    title: str
    compute: Callable  # (outcome, weights=None) -> float
    better: int  # 1 where more is better, -1 where less is, 0 where neither
    is_defined: Callable = lambda outcome: True
    beside: str | None = None  # the score of the reference that a gain is taken over, where another


def _doubt(name):
    title = f"AUROC of {name.removeprefix('doubt_').replace('_', ' ')}"
    return Score(title, partial(_auroc, name), 1, lambda outcome: name in outcome.doubts, BASELINE_DOUBT)


def _has_probabilities(outcome):
    return outcome.probabilities is not None


BASELINE_DOUBT = "doubt_max_probability"
DOUBTS = tuple(f"doubt_{name}" for name in DOUBT_SCORES)
SCORES = {
    "accuracy": Score("accuracy", _accuracy, 1),
    "macro_f1": Score("macro-F1", _macro_f1, 1),
    "average_precision": Score("average precision", _average_precision, 1),
    "log_loss": Score("log loss", _log_loss, -1, _has_probabilities),
    "impossible": Score("true class at 0", _impossible, 0, _has_probabilities),
    "support": Score("classes above 0", _support, 0, _has_probabilities),
    **{name: _doubt(name) for name in DOUBTS},
}


def against(reference, rows, one_split):
    """The rows with, for each score, its value, its spread, and what it gains over the reference.

    "default" and "chosen" of a row are lists of scores (dicts): one for each split, averaged; with one
    split only, one for all test rows and the others for random weightings of them. A value that is not
    finite becomes None. A gain is positive where the row is better, and its spread is that of the
    differences, repeat by repeat.
    """
    (base,) = (row for row in rows if row["model"] == reference)
    return [row if "absent" in row else row | _compared(row, base, one_split) for row in rows]


def _compared(row, base, one_split):
    parts = {}
    for part in ("default", "chosen"):
        parts[part] = {}
        for name in row[part][0]:
            score = SCORES[name]
            ours = _value_and_repeats(row[part], name, one_split)
            theirs = None
            if score.better and "absent" not in base:
                theirs = _value_and_repeats(base[part], score.beside or name, one_split)
            parts[part][name] = _summary(ours, theirs, score.better)
    return parts


def _value_and_repeats(scores, name, one_split):
    values = np.array([score[name] for score in scores])
    return (values[0], values[1:]) if one_split else (values.mean(), values)


def _summary(ours, theirs, better):
    value, repeats = ours
    if not np.isfinite(value):
        return {"value": None}
    summary = {"value": float(value), "std": float(repeats.std(ddof=1))}
    if theirs is None or not np.isfinite(theirs[0]):
        return summary
    gains = better * (repeats - theirs[1])
    return summary | {"gain": float(better * (value - theirs[0])), "gain_std": float(gains.std(ddof=1))}
