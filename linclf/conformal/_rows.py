"""Which rows train and which calibrate, and the scores of the latter."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from linclf._training.model import row_blocks
from linclf._types import FloatArray, IntArray, LabelArray
from linclf.conformal._interfaces import Score
from linclf.metrics._forecasts import check_distributions

BLOCK = 2**20  # probabilities at once; a score makes about ten arrays of that size


def split(y: LabelArray, share: float, rng: np.random.RandomState) -> tuple[IntArray, IntArray]:
    """Rows to train on and rows to calibrate on, stratified.

    Each row is held out with the same probability, also in classes too rare for scikit-learn's stratified
    splits, except that a class keeps one row to train on.
    """
    _, codes = np.unique(y, return_inverse=True)
    order = np.lexsort((rng.uniform(size=len(y)), codes))
    steps = np.floor(np.arange(len(y) + 1) * share + rng.uniform())
    held_out = np.empty(len(y), bool)
    held_out[order] = np.diff(steps) > 0
    kept = np.bincount(codes[~held_out], minlength=codes.max() + 1)
    first = order[np.unique(codes[order], return_index=True)[1]]
    held_out[first[kept == 0]] = False
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def codes_of(y: LabelArray, classes: LabelArray) -> IntArray:
    """Positions of labels in the classes, -1 for others."""
    # a dictionary, because NumPy's sorted search matches "1" with 1
    columns = {label: column for column, label in enumerate(classes.tolist())}
    present, inverse = np.unique(y, return_inverse=True)
    return np.array([columns.get(label, -1) for label in present.tolist()])[inverse]


def check_known(y: LabelArray, codes: IntArray, estimator: Any) -> None:
    """Warn of labels that the classifier does not know; refuse if it knows none."""
    unknown = np.unique(y[codes < 0]).tolist()
    if not unknown:
        return
    if (codes < 0).all():
        raise ValueError(
            f"y has the labels {unknown[:5]} and the estimator knows {estimator.classes_[:5].tolist()}: "
            "calibrate with rows of the classes that it was trained on"
        )
    warnings.warn(
        f"{(codes < 0).sum()} of {len(codes)} rows that calibrate are of classes that the estimator does not "
        f"know, such as {unknown[0]!r}; no set contains these, and others are larger to reach the coverage",
        UserWarning,
        stacklevel=4,
    )


def probabilities_by_block(estimator: Any, X: Any) -> Iterator[tuple[slice, FloatArray]]:
    """``predict_proba`` of some rows after the other, so that memory does not grow with the rows."""
    n_rows, n_classes = _num_samples(X), len(estimator.classes_)
    for part in row_blocks(n_rows, n_classes, BLOCK) or [slice(0)]:  # no rows are for the estimator to refuse
        whole = part.start == 0 and part.stop >= n_rows
        p = np.asarray(estimator.predict_proba(X if whole else _safe_indexing(X, part)))
        if p.shape != (min(part.stop, n_rows) - (part.start or 0), n_classes):
            raise ValueError(
                f"predict_proba of {estimator!r} has shape {p.shape} for the {n_classes} classes of classes_"
            )
        check_distributions(p, "predict_proba(X)", np.arange(part.start or 0, part.stop))
        yield part, p


def scores_of_labels(score: Score, estimator: Any, X: Any, codes: IntArray, seed: int) -> FloatArray:
    """The score of the true class of each row; infinite if the classifier does not know it."""
    parts = []
    for part, p in probabilities_by_block(estimator, X):
        of_block = codes[part]
        scores = score.of_classes(p, seed)
        scores = np.take_along_axis(scores, np.maximum(of_block, 0)[:, None], axis=1)[:, 0]
        parts.append(np.where(of_block < 0, np.inf, scores))
    return np.concatenate(parts).astype(np.float64)
