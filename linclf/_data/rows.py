"""X as training and predicting take it, or the reason why not: structure, finiteness, scale.

In NumPy, SciPy and scikit-learn only, so that the first prediction waits for no compiler; NumPy is
also the fastest here (10^7 stored values: indices 1.4 ms, one compiled pass 12 ms).
"""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from linclf._data.refusals import refuse_masked
from linclf._data.sparse import canonical, check_structure
from linclf.heads import Cosine
from linclf.losses._names import resolve
from linclf.losses._registry import trait

FLOATS = (np.float64, np.float32)
LARGEST = 1e110  # in float64: what is squared and added up stays finite
LARGEST_DENSE, LARGEST_SINGLE = 1e36, 1e15  # in float32: features that are scaled first, and others
LARGEST_SPARSE = 1e4  # below which no sparse column can be too long for the others
WORST_FACTOR = 1e8  # a sparse column's root mean square over a typical feature, for L-BFGS


def check_X(estimator, X, reset, finite=True):
    """X as C-ordered float32/float64 or canonical CSR of the same; the caller's arrays are not changed.

    With ``finite=False`` it may hold NaN, infinity and numbers of any size.
    """
    if sparse.issparse(X):
        check_structure(X)
    refuse_masked(X, "X")
    try:
        # a longdouble may become infinity, which is refused in its turn; infinities may cancel in a sum
        with np.errstate(over="ignore", invalid="ignore"):
            X = validate_data(
                estimator,
                X,
                accept_sparse="csr",
                accept_large_sparse=True,
                dtype=FLOATS,
                order="C",
                reset=reset,
                ensure_all_finite=finite,
            )
    except OverflowError as fault:
        raise ValueError(f"X has a number that is too large for float64 ({fault})") from fault
    if sparse.issparse(X):
        X = canonical(X, without_zeros=finite)
    if finite:
        check_scale(estimator, X)
    return X


def check_scale(estimator, X):
    """Refuse features that overflow when squared, or that no step fits, and name the column."""
    values = X.data if sparse.issparse(X) else X.reshape(-1)
    with np.errstate(over="ignore"):
        reach = float(np.dot(values, values)) ** 0.5  # no value is larger
    if 1e-15 < reach <= (LARGEST_SPARSE if sparse.issparse(X) else LARGEST_SINGLE):
        return
    largest = float(max(values.max(initial=0), -values.min(initial=0)))
    on_cosines = trait(resolve(estimator._loss(), 2), "head") is Cosine
    single, raw = X.dtype == np.float32, on_cosines or sparse.issparse(X)
    limit = (LARGEST_SINGLE if raw else LARGEST_DENSE) if single else LARGEST
    if largest > limit or (on_cosines and 0 < largest < 1 / limit):
        small = "" if largest > limit else "only "
        cast = "pass X.astype(np.float64) or " if single and 1 / LARGEST < largest < LARGEST else ""
        raise ValueError(
            f"X reaches {small}{largest:.3g} in column {_column_of(X, largest)}, and "
            f"{type(estimator).__name__} adds up squares in {X.dtype}, which takes {1 / limit:.0e} to "
            f"{limit:.0e}; {cast}scale the columns, as sklearn.preprocessing.MaxAbsScaler does"
        )
    if sparse.issparse(X) and largest > LARGEST_SPARSE and not on_cosines and estimator.solver == "lbfgs":
        _check_columns(estimator, X)


def _column_of(X, largest):
    """The column of the largest magnitude."""
    if not sparse.issparse(X):
        return int(np.argmax(np.abs(X).max(axis=0) == largest))
    return int(X.indices[np.argmax(np.abs(X.data))])


def _check_columns(estimator, X):
    """Sparse columns are not scaled for L-BFGS, and the digits of float64 end."""
    squares = np.bincount(X.indices, np.square(X.data, dtype=np.float64), X.shape[1])
    counts = np.bincount(X.indices, X.data != 0, X.shape[1])
    typical = max(1.0, np.quantile(np.sqrt(squares[counts > 0] / counts[counts > 0]), 0.25))
    column = int(np.argmax(squares))
    ratio = np.sqrt(squares[column] / X.shape[0]) / typical
    if ratio > WORST_FACTOR:
        raise ValueError(
            f"column {column} of sparse X has the root mean square {ratio * typical:.3g}, {ratio:.1g} times "
            "that of a typical feature or of the constant 1, and solver='lbfgs' would learn nothing from the "
            "others; scale the columns, as sklearn.preprocessing.MaxAbsScaler does, or use solver='sgd'"
        )


def refuse_overflow(estimator, X):
    """Say why scores of X are not finite."""
    X = check_X(estimator, X, reset=False)
    largest = max(abs(X.max()), abs(X.min())) if X.shape[0] else 0.0
    raise ValueError(
        f"X reaches {largest:.3g} in column {_column_of(X, largest)}, and the scores overflow {X.dtype}; "
        "scale the columns as in fit"
    )
