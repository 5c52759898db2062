"""Checks of the arguments that all metrics of probabilities share."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from linclf._data.refusals import divide, refuse_masked
from linclf._data.weights import moderate
from linclf._types import FloatArray, IntArray, LabelArray
from linclf.functional._inputs import as_floats

TOLERANCE = 1e-3  # of the sum of a row: float16 and rounded tables pass, scores do not


class Forecasts(NamedTuple):
    """The rows that count.

    Attributes
    ----------
    p : ndarray of shape (n, K)
        Class probabilities, float32 or float64.
    codes : ndarray of shape (n,)
        Columns of the true classes.
    weights : ndarray of shape (n,)
        Positive weights, float64; outside 1e-30 to 1e30 they are scaled by a power of two.
    classes : list of K labels
        In the order of the columns.
    """

    p: FloatArray
    codes: IntArray
    weights: FloatArray
    classes: list[Any]


def checked(
    y_true: ArrayLike, y_prob: ArrayLike, labels: ArrayLike | None, sample_weight: ArrayLike | None
) -> Forecasts:
    """The arguments of a metric as `Forecasts`; rows of weight 0 are dropped unchecked.

    Raises
    ------
    ValueError
        If shapes do not match, a row is not a distribution, a label is not known, a weight is
        negative or not finite, or entries are masked; the message names the argument and the row.
    TypeError
        If probabilities or weights are not real numbers, or labels cannot be sorted.
    """
    refuse_masked(y_true, "y_true")
    y = np.asarray(y_true)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ValueError(f"y_true has shape {y.shape}: pass one label a row, such as one_hot.argmax(axis=1)")
    p = as_floats(y_prob, "y_prob")
    if p.ndim not in (1, 2) or (p.ndim == 2 and p.shape[1] < 2):
        raise ValueError(
            f"y_prob has shape {p.shape}: pass class probabilities (n, K) with K >= 2, such as "
            "predict_proba(X), or (n,) of the second of two classes"
        )
    if len(y) != len(p) or not len(y):
        raise ValueError(f"y_true has {len(y)} rows and y_prob {len(p)}: pass equally many, one at least")
    rows, weights = counting(sample_weight, len(y))
    if rows.size < len(y):
        y, p = y[rows], p[rows]
    if p.ndim == 1:
        wrong = np.flatnonzero(~((p >= 0) & (p <= 1)))
        if wrong.size:
            raise ValueError(
                f"row {rows[wrong[0]]} of y_prob is {p[wrong[0]]}: pass probabilities from 0 to 1; scores "
                "go through scipy.special.expit first"
            )
        p = np.column_stack([1 - p, p])
    else:
        check_distributions(p, "y_prob", rows)
    codes, classes = encoded(y, p.shape[1], labels, rows)
    return Forecasts(p, codes, weights, classes)


def check_distributions(p: FloatArray, name: str, rows: IntArray | None = None) -> None:
    """Raise a ValueError unless each row of p (n, K) is a distribution; ``rows`` are the row numbers."""
    sums = p.sum(axis=1)
    wrong = np.flatnonzero(~((p >= 0).all(axis=1) & (np.abs(sums - 1) < TOLERANCE)))
    if wrong.size:
        first = wrong[0]
        shown = np.array2string(p[first], precision=4, threshold=8, edgeitems=3, max_line_width=200)
        raise ValueError(
            f"row {first if rows is None else rows[first]} of {name} is {shown} with the sum "
            f"{sums[first]:.6g}, not a distribution"
            + (divide(p[first], name) or "; scores go through linclf.functional.softmax first")
        )


def counting(sample_weight: ArrayLike | None, n: int) -> tuple[IntArray, FloatArray]:
    """The indices of the rows with a positive weight, and these weights."""
    if sample_weight is None:
        return np.arange(n), np.ones(n)
    weights = as_floats(sample_weight, "sample_weight").astype(np.float64)
    if weights.shape != (n,):
        raise ValueError(f"sample_weight has shape {weights.shape}: pass one weight for each of {n} rows")
    wrong = np.flatnonzero(~((weights >= 0) & (weights < np.inf)))
    if wrong.size:
        raise ValueError(
            f"row {wrong[0]} of sample_weight is {weights[wrong[0]]}: pass finite weights, 0 or more"
        )
    rows = np.flatnonzero(weights)
    if not rows.size:
        raise ValueError("sample_weight is zero for every row; at least one must be positive")
    return rows, moderate(weights[rows])


def encoded(
    y: LabelArray, n_columns: int, labels: ArrayLike | None, rows: IntArray, name: str = "y_prob"
) -> tuple[IntArray, list[Any]]:
    """Columns of the true classes, and the classes; ``name`` is the argument with these columns."""
    if y.dtype.kind == "f" and np.isnan(y).any():
        raise ValueError(f"row {rows[np.isnan(y).argmax()]} of y_true is NaN: pass a label or drop the row")
    try:
        present, inverse = np.unique(y, return_inverse=True)
    except TypeError as fault:
        raise TypeError(f"y_true has labels that cannot be sorted: {fault}") from None
    present = present.tolist()
    if labels is None:
        if len(present) != n_columns:
            raise ValueError(
                f"y_true has {len(present)} classes and {name} is of {n_columns}; pass labels, the names of "
                "all classes in the order of the columns, such as model.classes_"
            )
        return inverse, present
    classes: list[Any] = np.asarray(labels, object).tolist()
    # a dictionary, because NumPy's sorted search matches "1" with 1
    columns = {label: column for column, label in enumerate(classes)}
    if len(classes) != n_columns or len(columns) < len(classes):
        raise ValueError(
            f"labels names {len(columns)} different classes in {len(classes)} entries and {name} is of "
            f"{n_columns}; pass one label for each column, such as model.classes_"
        )
    places = np.array([columns.get(label, -1) for label in present])
    codes = places[inverse]
    unknown = np.flatnonzero(codes < 0)
    if unknown.size:
        raise ValueError(
            f"row {rows[unknown[0]]} of y_true is {present[inverse[unknown[0]]]!r}, which is not in labels; "
            "pass the names of all classes in the order of the columns"
        )
    return codes, classes
