"""Training and held-out rows from `cv`, with the meaning of scikit-learn."""

import warnings
from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import KFold, check_cv
from sklearn.utils import _safe_indexing

from linclf._types import IntArray, LabelArray

Folds: TypeAlias = Iterable[tuple[ArrayLike, ArrayLike]]
Fold: TypeAlias = tuple[IntArray, IntArray]  # rows to train on, and rows held out


class Splitter(Protocol):
    """A splitter of scikit-learn, or an object with the same method."""

    @property
    def split(self) -> Callable[..., Folds]: ...


def folds_of(
    cv: Any, X: Any, y: LabelArray, rows: IntArray, params: dict[str, Any], remedy: str
) -> list[Fold]:
    """Pairs of training and held-out rows, among the rows that count.

    None means 5 stratified folds, or fewer if the rarest class with at least two rows has fewer rows; a class
    with one row is missing from the training rows of one fold. Splitters get all rows, and pairs of an
    iterable are indices into all rows. ``remedy`` says what to do if there are too few rows for folds.
    Rows with several labels, y (n, n_labels), are not stratified.
    """
    if y.ndim == 2 and (cv is None or isinstance(cv, Integral)):
        return _of_several_labels(5 if cv is None else int(cv), rows, remedy)
    # codes, because scikit-learn does not stratify objects other than strings, and refuses bytes
    _, counted, counts = np.unique(y[rows], return_inverse=True, return_counts=True)
    if cv is None:
        if counts.max() < 2:
            raise ValueError(f"folds need two rows of a class at least, and each class has one; use {remedy}")
        cv = min(5, int(counts[counts > 1].min()))
        counts = counts[counts > 1]
    if isinstance(cv, Integral):
        least = int(counts.min())
        if least < int(cv):
            smaller = "cv=None, with which one fold does not train on it" if least < 2 else "a smaller cv"
            raise ValueError(
                f"cv={cv} needs {cv} rows of each class, and one class has {least}; use {smaller}, or "
                f"{remedy}"
            )
        splitter: Any = check_cv(int(cv), counted, classifier=True)
        with (
            warnings.catch_warnings()
        ):  # about classes with fewer rows than folds; `warn_of_missing` reports them
            warnings.filterwarnings("ignore", "The least populated class in y", UserWarning)
            splits = list(splitter.split(_safe_indexing(X, rows), counted))
        return [(rows[train], rows[test]) for train, test in splits]
    splits = cv.split(X, y, **params) if hasattr(cv, "split") else cv
    folds = [(_indices(train), _indices(test)) for train, test in splits]  # indices into all rows
    for train, test in folds:
        if np.intersect1d(train, test).size:
            raise ValueError(f"a fold of cv={cv!r} holds out rows that it trains on; they must be others")
    kept = np.isin(np.arange(len(y)), rows)
    folds = [(train[kept[train]], test[kept[test]]) for train, test in folds]
    folds = [(train, test) for train, test in folds if test.size]
    if not folds:
        raise ValueError(f"cv={cv!r} has no folds; a generator is used up by the first fit: pass a list")
    return folds


def _of_several_labels(n_folds: int, rows: IntArray, remedy: str) -> list[Fold]:
    """The folds of scikit-learn's ``check_cv`` for an indicator: consecutive rows."""
    if n_folds > len(rows):
        raise ValueError(f"cv={n_folds} needs {n_folds} rows, and {len(rows)} have weight; use {remedy}")
    return [(rows[train], rows[test]) for train, test in KFold(n_folds).split(rows)]


def _indices(rows: ArrayLike) -> IntArray:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def warn_of_missing(missing: LabelArray, n_rows: int, held_out: str, remedy: str) -> None:
    """Warn that a fold does not train on some classes of its held-out rows."""
    if len(missing):
        warnings.warn(
            f"a fold of cv trains on no row of class {missing.tolist()[0]!r}"
            + (f" and {len(missing) - 1} others" if len(missing) > 1 else "")
            + f", whose probability is 0 there; its {n_rows} held-out rows {held_out}. Use a stratified cv "
            f"and two rows of each class at least, or {remedy}",
            UserWarning,
            stacklevel=3,
        )
