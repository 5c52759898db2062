"""Out-of-fold scores: folds, clones fitted to the other rows, and the method that scores."""

import warnings
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _check_sample_weight

from linclf._data.folds import Fold, folds_of, warn_of_missing
from linclf._data.labels import check_targets, labels_of
from linclf._data.refusals import refuse_masked
from linclf._types import FloatArray, IntArray, LabelArray
from linclf.calibration._base import Calibrator
from linclf.calibration._rows import check_counts

UNLIKELY = 36.0  # how far below the others a class scores if a fold does not train on it: p < 1e-15


class Given(NamedTuple):
    """Arguments of `fit`, with parameters for the ``fit`` of the classifier and ``split`` of a splitter."""

    X: Any
    y: LabelArray
    weights: FloatArray | None
    params: dict[str, Any]
    for_split: dict[str, Any]

    @property
    def rows(self) -> IntArray:
        """Those with weight."""
        return np.arange(len(self.y)) if self.weights is None else np.flatnonzero(self.weights)

    def X_of(self, rows: IntArray) -> Any:
        return self.X if len(rows) == len(self.y) else _safe_indexing(self.X, rows)

    def weights_of(self, rows: IntArray) -> FloatArray | None:
        return None if self.weights is None else self.weights[rows]


class HeldOut(NamedTuple):
    """Scores of rows that the classifier was not fitted to, and which rows these are."""

    scores: FloatArray
    rows: IntArray


class Use(NamedTuple):
    """What held-out rows are for, as messages say it."""

    missed: str  # what rows do not do whose class a fold does not train on
    other_rows: str  # what to do without folds


def checked_rows(
    X: Any, y: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Any, LabelArray, FloatArray | None]:
    """X, the labels, and the weights or None; X must have rows."""
    X, given = cast("list[Any]", indexable(X, y))
    labels = labels_of(given)
    if not labels.size:
        raise ValueError(f"X and y have {labels.size} samples; pass some of each class")
    labels = check_targets(labels)
    return X, labels, checked_weights(X, sample_weight)


def checked_weights(X: Any, sample_weight: ArrayLike | None) -> FloatArray | None:
    """Non-negative weights of the rows, or None."""
    if sample_weight is None:
        return None
    refuse_masked(sample_weight, "sample_weight")
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    check_counts(weights)
    return weights


def response_of(estimator: Any, calibrator: Calibrator) -> str:
    """The name of the method that scores; a calibrator of probabilities gets ``input="probabilities"``."""
    declared = calibrator.get_params(deep=False).get("input")
    if declared == "probabilities":
        if not hasattr(estimator, "predict_proba"):
            raise ValueError(
                f"method={calibrator!r} calibrates probabilities, and {estimator!r} has no predict_proba; "
                "use input='scores'"
            )
        return "predict_proba"
    if hasattr(estimator, "decision_function"):
        return "decision_function"
    if declared is None:
        raise TypeError(
            f"method={calibrator!r} has no parameter input, and cannot be told that {estimator!r} has only "
            "probabilities; use an estimator with decision_function, or a calibrator of linclf.calibration"
        )
    calibrator.set_params(input="probabilities")
    return "predict_proba"


def scores_of(estimator: Any, response: str, X: Any) -> FloatArray:
    """Scores by a fitted classifier; scores of pairs of classes are refused."""
    scores, last = getattr(estimator, response)(X), _last(estimator)
    pairs = response == "decision_function" and getattr(last, "decision_function_shape", None) == "ovo"
    if pairs and np.ndim(scores) == 2:  # three classes have three pairs, so the shape does not tell
        raise ValueError(
            f"{last!r} scores pairs of classes, and a score of each class is needed; use "
            "decision_function_shape='ovr'"
        )
    return scores


def _last(estimator: Any) -> Any:
    """The classifier inside pipelines and searches (a FrozenEstimator forwards its attributes)."""
    while True:
        if hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator


def held_out_scores(owner: Any, given: Given, classes: LabelArray, response: str, use: Use) -> HeldOut:
    """Scores (n, n_classes) or (n,) of rows with weight, each by a clone that was not fitted to it.

    Rows of classes that a fold does not train on are left out, with a warning.
    """
    folds = folds_of(owner.cv, given.X, given.y, given.rows, given.for_split, use.other_rows)
    folds = [_known(given.y, fold, use) for fold in folds]
    folds = [(train, test) for train, test in folds if test.size]
    if not folds:
        raise ValueError(
            f"no fold of cv={owner.cv!r} holds out a row of a class that it trains on; use a stratified cv, "
            f"or {use.other_rows}"
        )
    parts = [_scores_of_fold(owner.estimator, given, fold, classes, response) for fold in folds]
    return HeldOut(np.concatenate(parts), np.concatenate([test for _, test in folds]))


def _known(y: LabelArray, fold: Fold, use: Use) -> Fold:
    """Drop held-out rows of classes that the fold does not train on, with a warning."""
    train, test = fold
    unknown = ~np.isin(y[test], y[train])
    warn_of_missing(np.unique(y[test][unknown]), int(unknown.sum()), use.missed, use.other_rows)
    return train, test[~unknown]


def _scores_of_fold(
    estimator: Any, given: Given, fold: Fold, classes: LabelArray, response: str
) -> FloatArray:
    """Scores of the held-out rows; classes that the fold does not train on get a probability of nearly 0."""
    train, test = fold
    fitted = fitted_to(estimator, given, train)
    X, _ = _safe_split(fitted, given.X, given.y, test, train)
    return _of_all_classes(scores_of(fitted, response, X), fitted.classes_, classes, response)


def _of_all_classes(scores: FloatArray, known: LabelArray, classes: LabelArray, response: str) -> FloatArray:
    """Scores with a column for each class, including those that a fold has not trained on."""
    if len(known) == len(classes):
        return scores
    if scores.ndim == 1:
        scores = np.column_stack([-scores, scores]) / 2
    if response == "predict_proba":
        lowest = np.zeros((len(scores), 1))
    else:
        lowest = scores.min(axis=1, keepdims=True) - UNLIKELY
    found = np.repeat(lowest, len(classes), axis=1)
    found[:, np.searchsorted(classes, known)] = scores
    return found


def fitted_to(estimator: Any, given: Given, rows: IntArray) -> Any:
    """A clone fitted to some of the rows; parameters with one entry per row are cut to match."""
    estimator = clone(estimator)
    X, y, params = given.X, given.y, given.params
    if not np.array_equal(rows, np.arange(len(y))):
        X, y = _safe_split(estimator, X, y, rows)
        params = _check_method_params(given.X, params, indices=rows)
    return estimator.fit(X, y, **params)


def warn_of_weights(estimator: Any, given: Given, other: str) -> None:
    """Warn that only the ``other`` use of unequal weights counts, if the classifier takes none."""
    weights = given.weights_of(given.rows)
    takes_none = "sample_weight" not in given.params and not _routing_enabled()
    if weights is not None and np.ptp(weights) > 0 and takes_none:
        warnings.warn(
            f"fit of {estimator!r} takes no sample_weight, so that only {other} uses it", stacklevel=5
        )
