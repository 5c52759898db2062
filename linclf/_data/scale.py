"""Refusal of features too large or too small for training, with the number of the column."""

import numpy as np
from scipy import sparse

from linclf._types import Matrix

LARGEST = 1e110  # in float64: sums of squares stay finite
LARGEST_DENSE, LARGEST_SINGLE = 1e36, 1e15  # in float32: for features that are scaled first, and others
LARGEST_SPARSE = 1e4  # below it, a sparse column cannot be too long compared with the others


def is_ordinary(X: Matrix) -> bool:
    """Whether all values are certainly within bounds, from one product."""
    values = _values(X)
    with np.errstate(over="ignore"):
        reach = float(np.dot(values, values)) ** 0.5  # no value is larger
    return 1e-15 < reach <= (LARGEST_SPARSE if sparse.issparse(X) else LARGEST_SINGLE)


def check_scale(X: Matrix, name: str, as_it_is: bool) -> None:
    """Refuse features that overflow when they are squared.

    ``as_it_is`` says that dense features are not scaled first, as for losses on cosines; then features can
    also be too small.
    """
    values = _values(X)
    largest = float(max(values.max(initial=0), -values.min(initial=0)))
    single, raw = X.dtype == np.float32, as_it_is or sparse.issparse(X)
    limit = (LARGEST_SINGLE if raw else LARGEST_DENSE) if single else LARGEST
    if largest > limit or (as_it_is and 0 < largest < 1 / limit):
        small = "" if largest > limit else "only "
        cast = "pass X.astype(np.float64) or " if single and 1 / LARGEST < largest < LARGEST else ""
        raise ValueError(
            f"X reaches {small}{largest:.3g} in column {_column_of(X, largest)}, and "
            f"{name} adds up squares in {X.dtype}, which works for {1 / limit:.0e} to "
            f"{limit:.0e}; {cast}scale the columns, as sklearn.preprocessing.MaxAbsScaler does"
        )


def refuse_overflow(X: Matrix) -> None:
    """Raise an error that says why scores of X are not finite."""
    largest = max(abs(X.max()), abs(X.min())) if X.shape[0] else 0.0
    raise ValueError(
        f"X reaches {largest:.3g} in column {_column_of(X, largest)}, and the scores overflow {X.dtype}; "
        "scale the columns as in fit"
    )


def _values(X: Matrix) -> np.ndarray:
    return X.data if sparse.issparse(X) else X.reshape(-1)


def _column_of(X: Matrix, largest: float) -> int:
    """The column with the largest magnitude."""
    if not sparse.issparse(X):
        return int(np.argmax(np.abs(X).max(axis=0) == largest))
    return int(X.indices[np.argmax(np.abs(X.data))])
