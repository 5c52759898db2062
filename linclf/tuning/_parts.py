"""Rows to train on, and held-out rows to score the model on: one part for each fold."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linclf._data.dataset import Dataset
from linclf._data.folds import Fold, folds_of, warn_of_missing
from linclf._data.indicators import check_columns, label_weights, refuse_constant, validation_of
from linclf._data.labels import targets_of
from linclf._data.targets import Indicators
from linclf._data.weights import log_prior, weights_of_classes
from linclf._estimator.described import Described
from linclf._estimator.fitting import (
    Fitting,
    GivenRows,
    GivenValidation,
    given_validation,
    offset_of_rows,
)
from linclf._training.spread import measured, spread_of, warn_if_apart
from linclf._types import FloatArray, IntArray
from linclf.losses._names import loss_for

VALIDATION_ROWS = "X_val and y_val"  # the alternative to folds


class Part(NamedTuple):
    """Training rows with everything derived from them, and held-out rows with the given weights."""

    fitting: Fitting
    held_out: Dataset


def parts_of(
    estimator: Described, rows: GivenRows, fitting: Fitting, cv: Any, params: dict[str, Any]
) -> list[Part]:
    """A part for each fold; all share one X, in which rows that are not trained on have weight 0."""
    labels = _for_splitter(rows)
    blank = np.empty((len(labels), 0))  # a splitter looks at the number of rows, labels and groups
    folds = folds_of(cv, blank, labels, rows.ids, params, VALIDATION_ROWS)
    parts = [_part(estimator, rows, fitting, fold) for fold in folds]
    parts = [part for part in parts if len(part.held_out.ids)]
    if not parts:
        raise ValueError(
            f"no fold of cv={cv!r} holds out a row of a class that it trains on; use a stratified cv, or "
            f"{VALIDATION_ROWS}"
        )
    return parts


def _for_splitter(rows: GivenRows) -> NDArray[Any]:
    """Labels of all given rows, or an indicator of 0 and 1."""
    if isinstance(rows.y, Indicators):
        return (rows.y_given > 0).astype(np.int64)
    return rows.y_given.argmax(axis=1) if rows.y.soft else rows.y_given


def given_part(
    estimator: Any, rows: GivenRows, validation: GivenValidation, offset_val: ArrayLike | None
) -> Dataset | None:
    """The rows held out by the user, with the given weights and known scores."""
    several = isinstance(rows.y, Indicators)
    given = given_validation(estimator, *validation, validation_of(several))
    if given is None:
        return None
    if estimator.cv is not None:
        raise ValueError(
            f"cv={estimator.cv!r} makes folds, and X_val are rows to choose the penalty on; give one of them"
        )
    X, y, weights, ids, n_given = given
    check_columns(validation[1], rows.classes, rows.label_names, several)
    targets = targets_of(y, rows.classes, name="y_val")
    scores = offset_of_rows(offset_val, n_given, ids, targets, rows.X.dtype, "offset_val")
    held_out = Dataset(X, targets, weights, offset=scores)
    if not held_out.is_sparse:
        warn_if_apart(measured(rows.seen()), held_out)
    return held_out


def _part(estimator: Described, rows: GivenRows, fitting: Fitting, fold: Fold) -> Part:
    train, test = (np.searchsorted(rows.ids, np.sort(ids)) for ids in fold)
    if not train.size:
        raise ValueError("a fold of cv trains on no row; use fewer folds, or " + VALIDATION_ROWS)
    if not rows.y.soft:
        codes = rows.y.most_probable
        unknown = ~np.isin(codes[test], codes[train])
        warn_of_missing(
            rows.classes[np.unique(codes[test][unknown])],
            int(unknown.sum()),
            "do not count in scores",
            VALIDATION_ROWS,
        )
        test = test[~unknown]
    held_out = rows.seen()._replace(chosen=test)
    if held_out.is_sparse:
        held_out = held_out.compact()
    return Part(_trained_on(train, estimator, rows, fitting), held_out)


def _trained_on(train: IntArray, estimator: Described, rows: GivenRows, fitting: Fitting) -> Fitting:
    """Like `fitting_of` for these rows: class weights, priors and spreads are those of the rows."""
    names, y, targets, per_class = rows.classes.tolist(), rows.y.take(train), rows.y, None
    if isinstance(y, Indicators) and isinstance(targets, Indicators):
        masses = y.masses(rows.weights[train])
        refuse_constant(*masses, "in the rows that a fold of cv trains on")
        targets = targets.weighted(label_weights(estimator.class_weight, *masses))
    else:
        per_class = weights_of_classes(estimator.class_weight, names, y, rows.weights[train])
    weights = np.zeros(len(rows.weights))
    weights[train] = rows.weights[train] if per_class is None else rows.weights[train] * y.expected(per_class)
    chosen = np.flatnonzero(weights)
    data = Dataset(rows.X, targets.cast(rows.X.dtype), weights, chosen, rows.offset)
    offset: FloatArray | float = 0.0
    if estimator._adjustment():
        smoothing = loss_for(estimator._loss(), len(names))._asdict()["label_smoothing"]
        offset = estimator._adjustment() * log_prior(*data.counted, smoothing)
    spread = None if fitting.spread is None else spread_of(data, estimator.fit_intercept)
    return replace(fitting, data=data, per_class=per_class, offset=offset, spread=spread)
