"""Which rows train and which are held out, from `cv` as scikit-learn takes it."""

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing

from linclf._types import IntArray, LabelArray

Folds: TypeAlias = Iterable[tuple[ArrayLike, ArrayLike]]
Fold: TypeAlias = tuple[IntArray, IntArray]  # rows to train on, and rows held out


class Splitter(Protocol):
    """scikit-learn's splitters, and what divides rows like them."""

    @property
    def split(self) -> Callable[..., Folds]: ...


def folds_of(
    cv: Any, X: Any, y: LabelArray, rows: IntArray, params: dict[str, Any], remedy: str
) -> list[Fold]:
    """Pairs of training and held-out rows, of those that count.

    None is 5 stratified folds, or as many as the rarest class has rows. A splitter sees all rows, and so do
    the pairs of an iterable. ``remedy`` is what to do if there are too few rows for folds.
    """
    counted = y[rows]
    least = int(np.unique(counted, return_counts=True)[1].min())
    if cv is None:
        cv = max(2, min(5, least))
    if isinstance(cv, Integral):
        if least < int(cv):
            raise ValueError(
                f"cv={cv} needs {cv} rows of each class, and one class has {least}; use a smaller cv (2 at "
                f"least), or {remedy}"
            )
        splitter: Any = check_cv(int(cv), counted, classifier=True)
        splits = splitter.split(_safe_indexing(X, rows), counted)
        return [(rows[train], rows[test]) for train, test in splits]
    splits = cv.split(X, y, **params) if hasattr(cv, "split") else cv
    folds = [(_indices(train), _indices(test)) for train, test in splits]  # they count all rows
    for train, test in folds:
        if np.intersect1d(train, test).size:
            raise ValueError(f"a fold of cv={cv!r} holds out rows that it trains on; they must be others")
    kept = np.isin(np.arange(len(y)), rows)
    folds = [(train[kept[train]], test[kept[test]]) for train, test in folds]
    folds = [(train, test) for train, test in folds if test.size]
    if not folds:
        raise ValueError(f"cv={cv!r} has no folds; a generator is used up by the first fit: pass a list")
    return folds


def _indices(rows: ArrayLike) -> IntArray:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def refuse_missing(classes: LabelArray, y: LabelArray, remedy: str) -> None:
    """Refuse a fold whose training rows lack a class."""
    missing = np.setdiff1d(classes, y)
    if missing.size:
        raise ValueError(
            f"a fold of cv trains on no row of class {missing.tolist()[0]!r}; use a stratified cv, or "
            f"{remedy}"
        )
