"""The penalty of a model, chosen inside a training part by one rule for linclf and for rivals.

Each penalty of one grid is tried in the same inner folds, from strong to weak. The score is the log loss for
models with probabilities; for all others it is the measure that the comparison is sorted by. Smooth losses of
linclf are trained along the path of penalties. For all other models, the search stops after a penalty that is
worse than the best one in every fold: weak penalties take most of the time and rarely win.
"""

import time
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import _safe_indexing

from linclf._compare.candidates import Candidate
from linclf._compare.measures import MEASURES, NEED_PROBABILITIES, Outputs, outputs_of, value_of
from linclf._compare.splitting import Parts
from linclf._types import IntArray
from linclf.losses import LOSSES
from linclf.losses._registry import trait
from linclf.tuning import LinearClassifierCV

ALPHAS = tuple(10.0**-power for power in range(7))
_INNER_TOL = 1e-3  # enough to choose among penalties that differ by factors of ten


class Rows(NamedTuple):
    """Encoded rows with their labels; ``codes`` are the labels as indices into ``classes``."""

    X: Any
    y: np.ndarray
    codes: IntArray
    classes: np.ndarray
    class_of_interest: int

    def take(self, rows: IntArray) -> "Rows":
        return self._replace(X=_safe_indexing(self.X, rows), y=self.y[rows], codes=self.codes[rows])


class Choice(NamedTuple):
    """The penalty that scored best, the seconds of the search, and its number of warnings."""

    alpha: float
    seconds: float
    warnings: int


def choose_alpha(
    candidate: Candidate, alphas: Sequence[float], rows: Rows, folds: Parts, measure: str
) -> Choice:
    """The penalty with the best mean score over the folds; the strongest of ties."""
    started = time.perf_counter()
    if _has_path(candidate, alphas, rows, folds):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            best = _along_path(candidate, alphas, rows, folds, measure)
        return Choice(best, time.perf_counter() - started, len(caught))
    parts = [(rows.take(train), rows.take(test)) for train, test in folds]
    best, best_scores = 0.0, np.full(len(parts), -np.inf)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for alpha in sorted(alphas, reverse=True):
            scores = np.array([_score(candidate, alpha, *part, measure) for part in parts])
            if scores.mean() > best_scores.mean():
                best, best_scores = alpha, scores
            elif (scores < best_scores).all():
                break
    return Choice(best, time.perf_counter() - started, len(caught))


def _has_path(candidate: Candidate, alphas: Sequence[float], rows: Rows, folds: Parts) -> bool:
    """Whether one run can go through all penalties: for smooth losses, if no fold lacks a class."""
    if candidate.origin != "linclf" or min(alphas) <= 0:
        return False
    whole = all(np.unique(rows.codes[train]).size == np.unique(rows.codes).size for train, _ in folds)
    loss = LOSSES[candidate.name]
    return whole and trait(loss, "smooth") and not trait(loss, "gradient_jumps")


def _along_path(
    candidate: Candidate, alphas: Sequence[float], rows: Rows, folds: Parts, measure: str
) -> float:
    model = candidate.make(max(alphas), rows.y.size)

    def score(fitted: Any, X: Any, y: np.ndarray) -> float:
        test = rows._replace(X=X, y=y, codes=np.searchsorted(rows.classes, y))
        return _value(candidate, outputs_of(fitted, X, rows.classes), test, measure)

    chooser = LinearClassifierCV(
        loss=model.loss,
        alphas=alphas,
        cv=folds,
        scoring=score,
        refit=False,
        tol=_INNER_TOL,
        n_jobs=model.n_jobs,
        random_state=model.random_state,
    )
    return chooser.fit(rows.X, rows.y).alpha_


def _score(candidate: Candidate, alpha: float, train: Rows, test: Rows, measure: str) -> float:
    """The score on ``test`` of a model fitted to ``train``; higher is better."""
    model = candidate.make(alpha, train.y.size)
    if candidate.origin == "linclf":
        model.set_params(tol=_INNER_TOL)
    return _value(candidate, outputs_of(model.fit(train.X, train.y), test.X, train.classes), test, measure)


def _value(candidate: Candidate, outputs: Outputs, test: Rows, measure: str) -> float:
    by_log_loss = candidate.has_log_loss and outputs.probabilities is not None
    key = "log_loss" if by_log_loss else inner_measure(measure)
    value = value_of(key, test.codes, outputs, test.class_of_interest)
    if value is None:
        return 0.0  # in a fold with one class there is nothing to rank
    return value if MEASURES[key].higher_is_better else -value


def inner_measure(measure: str) -> str:
    """The measure that chooses the penalty of models without positive probabilities for every class."""
    return "accuracy" if measure in NEED_PROBABILITIES else measure


def check_penalty(tune: bool, alpha: float | None, alphas: Sequence[float] | None) -> tuple[float, ...]:
    """The penalties to try; only one without tuning."""
    if not tune:
        if alphas is not None:
            raise ValueError("alphas are what tune=True chooses from; with tune=False pass one alpha")
        alphas = [1e-4 if alpha is None else alpha]
    elif alpha is not None:
        raise ValueError(f"alpha={alpha!r} is one penalty for all models; it needs tune=False (--no-tune)")
    alphas = ALPHAS if alphas is None else tuple(float(each) for each in np.atleast_1d(alphas))
    name = "alphas" if tune else "alpha"
    if not alphas or not all(0 <= each < np.inf for each in alphas):
        shown = list(alphas) if tune else alphas[0]
        raise ValueError(f"{name}={shown!r} must be 0 or more; the default without tuning is 1e-4")
    return tuple(sorted(alphas, reverse=True))
