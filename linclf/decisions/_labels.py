"""Rows with several labels: their folds, their probabilities, and the best threshold of one label."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metaestimators import _safe_split

from linclf._data.folds import Fold, folds_of
from linclf._types import BoolArray, FloatArray, IntArray
from linclf.calibration._folds import Given, HeldOut, fitted_to
from linclf.decisions._base import OTHER_ROWS, BaseDecision
from linclf.decisions.criteria import Criterion, Outcomes, RecallAtPrecision

N_FOLDS = 5
USUAL, FOR_NONE, FOR_ALL = 0.5, 1.0, -1.0  # thresholds
OF_SEVERAL = (
    "LinearClassifier(loss='one-vs-rest-logistic') of linclf, or another classifier of several labels, "
    "such as sklearn.multiclass.OneVsRestClassifier around one of two classes"
)
SAME = 1e-12  # probabilities and values that are closer differ by rounding


def indicator_of(y: Any) -> NDArray | None:
    """Labels (n, n_labels) as 0 and 1, or None for y of one dimension."""
    if sparse.issparse(y):
        y = y.toarray()
    if not isinstance(y, list) and len(getattr(y, "shape", ())) != 2:
        return None
    values = np.asarray(y)
    if values.ndim != 2 or values.shape[1] < 2:
        return None
    other = values[~np.isin(values, (0, 1))]
    if other.size:
        raise ValueError(
            f"y with shape {values.shape} has values such as {other.tolist()[0]!r}: pass 1 where a row has a "
            "label and 0 elsewhere, or one of two classes for each row"
        )
    return values.astype(np.int64)


def need_labels(estimator: Any) -> None:
    """Refuse an estimator without probabilities of labels."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(f"estimator={estimator!r} has no predict_proba; use {OF_SEVERAL}")


def of_labels(estimator: Any, X: Any, n_labels: int) -> FloatArray:
    """Probabilities (n, n_labels); scikit-learn's trees and neighbours give a list of arrays (n, 2)."""
    p = estimator.predict_proba(X)
    if isinstance(p, list):
        pairs = zip(p, estimator.classes_, strict=True)
        # a label that no row or every row has is one class
        p = np.column_stack(
            [np.asarray(each)[:, np.asarray(known) == 1].sum(axis=1) for each, known in pairs]
        )
    if p.ndim != 2 or p.shape[1] != n_labels:
        raise ValueError(
            f"predict_proba of {estimator!r} has shape {p.shape} for {n_labels} labels: if it was fitted "
            f"again, fit this classifier again; if it takes one label a row, use {OF_SEVERAL}"
        )
    return p


def held_out_labels(owner: BaseDecision, fitted: Any, given: Given) -> HeldOut:
    """Probabilities of all rows with weight, each by a clone that was not fitted to it."""
    rows, n_labels = given.rows, given.y.shape[1]
    if isinstance(owner.estimator, FrozenEstimator):
        return HeldOut(of_labels(fitted, given.X_of(rows), n_labels), rows)
    rarest = _rarest(given.y)
    if owner.cv is None or isinstance(owner.cv, Integral):
        folds = _dealt(rows, rarest, N_FOLDS if owner.cv is None else int(owner.cv))
    else:
        folds = folds_of(owner.cv, given.X, rarest, rows, given.for_split, OTHER_ROWS)
    parts = []
    for train, test in folds:
        clone = _fitted_to(owner, given, train)
        X, _ = _safe_split(clone, given.X, given.y, test, train)
        parts.append(of_labels(clone, X, n_labels))
    return HeldOut(np.concatenate(parts), np.concatenate([test for _, test in folds]))


def _fitted_to(owner: BaseDecision, given: Given, train: IntArray) -> Any:
    """A clone fitted to the rows of a fold; if that fails, the error says so of labels that have no rows."""
    try:
        return fitted_to(owner.estimator, given, train)
    except ValueError as fault:
        share = given.y[train].mean(axis=0)
        constant = np.flatnonzero((share == 0) | (share == 1))
        if not constant.size:
            raise
        label = constant[0]
        raise ValueError(
            f"in a fold of cv={owner.cv!r}, {'no row' if share[label] == 0 else 'every row'} to train on has "
            f"label {label}, and fit of {owner.estimator!r} refuses that "
            f"({fault}); leave the label out, use another cv, or {OTHER_ROWS}"
        ) from fault


def _rarest(y: NDArray) -> IntArray:
    """The rarest label of each row, or the number of labels for a row without any."""
    order = np.argsort(y.sum(axis=0), kind="stable")
    return np.where(y.any(axis=1), order[y[:, order].argmax(axis=1)], y.shape[1])


def _dealt(rows: IntArray, rarest: IntArray, n_folds: int) -> list[Fold]:
    """Folds that share the rows of each rarest label: dealt out like cards, label by label."""
    if not 2 <= n_folds <= len(rows):
        raise ValueError(
            f"cv={n_folds} folds need as many rows, 2 at least, and {len(rows)} have weight; use a smaller "
            f"cv, or {OTHER_ROWS}"
        )
    fold = np.empty(len(rows), np.intp)
    fold[np.argsort(rarest[rows], kind="stable")] = np.arange(len(rows)) % n_folds
    return [(rows[fold != k], rows[fold == k]) for k in range(n_folds)]


def tuned_threshold(
    p: FloatArray, has: BoolArray, weights: FloatArray, criterion: Criterion
) -> tuple[float, float, float]:
    """The best threshold of a label, the value of the criterion, and the value of a threshold of 1/2.

    The threshold stays 1/2 unless another one is better, and is the nearest to it of several that are.
    """
    if not len(p):
        return USUAL, np.nan, np.nan
    order = np.argsort(-p, kind="stable")
    p, has, weights = np.asarray(p, np.float64)[order], has[order], weights[order]
    found = np.concatenate([[0.0], np.cumsum(weights * has)])
    alarms = np.concatenate([[0.0], np.cumsum(weights * ~has)])
    expected = np.concatenate([[0.0], np.cumsum(weights * p)])
    inner = np.flatnonzero(p[:-1] - p[1:] > SAME) + 1
    cuts = np.concatenate([[0], inner, [len(p)]])
    thresholds = np.concatenate([[FOR_NONE], (p[inner - 1] + p[inner]) / 2, [FOR_ALL]])
    usual = np.count_nonzero(p > USUAL)
    of_cuts = (sums[[usual, *cuts]] for sums in (found, alarms, expected))
    outcomes = Outcomes(weights.sum(), found[-1], *of_cuts)
    values = criterion.value(outcomes)
    base, values = float(values[0]), values[1:]
    best = values.max()
    if isinstance(criterion, RecallAtPrecision) and best <= 0:
        return FOR_NONE, float(best), base
    if not best > base + SAME:
        return USUAL, base, base
    equal = np.flatnonzero(values >= best - SAME)
    pick = equal[np.abs(thresholds[equal] - USUAL).argmin()]
    return float(thresholds[pick]), float(values[pick]), base
