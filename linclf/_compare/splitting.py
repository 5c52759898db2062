"""Training and test parts of a table: random, in folds, by group, or later rows from earlier ones."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn import model_selection as selection

from linclf._types import IntArray

Parts = list[tuple[IntArray, IntArray]]
INNER_FOLDS = 3


class Splitting(NamedTuple):
    """How a table is split.

    Attributes
    ----------
    parts : list of (train, test)
        Row numbers.
    words : str
        A description.
    groups, times : ndarray or None
        Rows of a group stay together; rows of the training part are earlier than those of the test part.
    random_state : int
    """

    parts: Parts
    words: str
    groups: np.ndarray | None
    times: np.ndarray | None
    random_state: int

    def inner(self, train: IntArray, codes: IntArray) -> Parts:
        """Folds of a training part, as positions in ``train``; they respect groups and times too."""
        y = codes[train]
        if self.times is not None:
            return _in_time(self.times[train], 0.5, INNER_FOLDS)
        if self.groups is not None:
            folds: Any = selection.StratifiedGroupKFold(INNER_FOLDS, **self._shuffled)
        elif np.bincount(y).max() < INNER_FOLDS:
            folds = selection.KFold(INNER_FOLDS, **self._shuffled)
        else:
            folds = selection.StratifiedKFold(INNER_FOLDS, **self._shuffled)
        groups = None if self.groups is None else self.groups[train]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about classes that are missing from some fold
            return list(folds.split(y, y, groups))

    @property
    def _shuffled(self) -> dict[str, Any]:
        return {"shuffle": True, "random_state": self.random_state}

    @property
    def test_to_train(self) -> float:
        return float(np.mean([test.size / train.size for train, test in self.parts]))


def split_table(
    codes: IntArray,
    classes: np.ndarray,
    *,
    test_size: float | None = None,
    repeats: int | None = None,
    cv: Any = None,
    groups: Any = None,
    times: Any = None,
    random_state: int = 0,
) -> Splitting:
    """Split the rows; the parameters are those of `linclf.compare`.

    Raises
    ------
    ValueError
        If two arguments exclude each other, one is out of range, or a class has too few rows.
    """
    if cv is not None:
        for name, value in (("test_size", test_size), ("repeats", repeats), ("times", times)):
            if value is not None:
                raise ValueError(f"{name}={_short(value)} and cv={cv!r} exclude each other; leave one out")
    if groups is not None and times is not None:
        raise ValueError("groups and times exclude each other; leave one out")
    test_size, repeats = 0.25 if test_size is None else test_size, 5 if repeats is None else repeats
    if not 0.0 < test_size < 1.0:
        raise ValueError(
            f"test_size={test_size!r} must lie between 0 and 1; use 0.25 for a quarter of the rows"
        )
    if repeats < 1:
        raise ValueError(f"repeats={repeats!r} must be at least 1")
    _check_classes(codes, classes)
    groups = _column(groups, "groups", codes.size)
    times = _column(times, "times", codes.size)
    if times is not None and any(isinstance(time, str) for time in times.tolist()):
        raise ValueError("times are text, whose order is not that of time; pass pandas.to_datetime(times)")
    if groups is not None and len(np.unique(groups)) < INNER_FOLDS + 1:
        raise ValueError(
            f"groups has {len(np.unique(groups))} groups, and splits that choose the penalty too need "
            f"{INNER_FOLDS + 1}; pass finer groups"
        )
    options: dict[str, Any] = {"random_state": random_state}
    parts: Any
    if cv is not None:
        parts, words = _folds(cv, codes, groups, options)
    elif times is not None:
        parts = _in_time(times, test_size, repeats)
        words = f"{repeats} test parts, each later than what was trained on"
    elif groups is not None:
        splitter = selection.GroupShuffleSplit(repeats, test_size=test_size, **options)
        parts, words = list(splitter.split(codes, codes, groups)), f"{repeats} random splits of the groups"
    else:
        splitter = selection.StratifiedShuffleSplit(repeats, test_size=test_size, **options)
        parts = list(splitter.split(codes, codes))
        words = "one stratified split" if repeats == 1 else f"{repeats} random stratified splits"
    return Splitting(parts, words, groups, times, random_state)


def _short(value: Any) -> str:
    return repr(value) if np.ndim(value) == 0 else "..."


def _check_classes(codes: IntArray, classes: np.ndarray) -> None:
    if classes.size < 2:
        raise ValueError(f"y has one class only, {classes.tolist()[0]!r}; a classifier needs two or more")
    rare = classes[np.bincount(codes, minlength=classes.size) < 2].tolist()
    if rare:
        shown = ", ".join(map(repr, rare[:5])) + (f" and {len(rare) - 5} more" if len(rare) > 5 else "")
        raise ValueError(
            f"y has {len(rare)} of {classes.size} classes with a single row ({shown}), too few for a "
            "training and a test part; drop these rows or merge the classes"
        )


def _column(values: Any, name: str, n_samples: int) -> np.ndarray | None:
    if values is None:
        return None
    column = np.asarray(values)
    if column.shape != (n_samples,):
        raise ValueError(f"{name} has the shape {column.shape}; pass one value a row, ({n_samples},)")
    if any(value is None or value != value for value in column.tolist()):
        raise ValueError(f"{name} has missing values; fill them or drop the rows")
    return column


def _folds(cv: Any, codes: IntArray, groups: np.ndarray | None, options: dict[str, Any]) -> tuple[Parts, str]:
    if isinstance(cv, int):
        if cv < 2:
            raise ValueError(f"cv={cv!r} must be 2 folds or more, or a splitter")
        kind: Any = selection.StratifiedKFold if groups is None else selection.StratifiedGroupKFold
        parts = list(kind(cv, shuffle=True, **options).split(codes, codes, groups))
        return parts, f"{cv} stratified folds" + ("" if groups is None else " of the groups")
    if hasattr(cv, "get_n_splits"):
        parts = [(train, test) for train, test in cv.split(codes.reshape(-1, 1), codes, groups)]
        return parts, f"{len(parts)} splits of {cv!r}"
    raise TypeError(f"cv={cv!r} is neither a number of folds nor a splitter with the method split")


def _in_time(times: np.ndarray, test_size: float, repeats: int) -> Parts:
    """The last rows in pieces, each with all earlier rows for training; equal times are never split."""
    order = np.argsort(times, kind="stable")
    rows = int(test_size * order.size / repeats)
    if rows < 1:
        raise ValueError(
            f"test_size={test_size!r} of {order.size} rows are fewer than repeats={repeats!r}; lower repeats"
        )
    parts = []
    for start in range(order.size - repeats * rows, order.size, rows):
        test = order[start : start + rows]
        train = order[:start][times[order[:start]] < times[test[0]]]
        if train.size == 0:
            raise ValueError("times: no row is earlier than a test part; pass finer times or fewer repeats")
        parts.append((train, test))
    return parts
