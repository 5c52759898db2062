"""X as training and predicting take it, or the reason why not: structure, finiteness, scale.

In NumPy, SciPy and scikit-learn only, so that the first prediction waits for no compiler; NumPy is
also the fastest here (10^7 stored values: indices 1.4 ms, one compiled pass 12 ms).
"""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

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


def refuse_masked(array, name):
    """Masked entries would be used as if they were not."""
    if np.ma.isMaskedArray(array) and np.ma.is_masked(array):
        raise ValueError(
            f"{name} is a masked array with {np.ma.count_masked(array)} masked entries, which would be used "
            "like others; fill them, or drop these rows"
        )


def canonical(X, without_zeros=False):
    """CSR with sorted indices and no duplicates, in contiguous arrays with one type of index.

    Another object in any case, as what SciPy remembers of the caller's may no longer be true; the
    arrays are shared where they are good.
    """
    check_structure(X)  # LIL and DOK could not be checked before
    # not by the constructor, which looks at all indices again
    rows, stored = type(X)(X.shape, dtype=X.dtype), X.indptr[-1]
    index = np.result_type(X.indices, X.indptr).newbyteorder("=")
    index = np.dtype(np.int32 if index.kind == "i" and index.itemsize <= 4 else np.int64)
    rows.data = np.ascontiguousarray(X.data[:stored])
    rows.indices = np.ascontiguousarray(X.indices[:stored], dtype=index)
    rows.indptr = np.ascontiguousarray(X.indptr, dtype=index)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    if without_zeros and np.count_nonzero(rows.data) < len(rows.data):  # as they are no typical values
        rows = rows.copy()
        rows.eliminate_zeros()
    return rows


def check_structure(X):
    """Refuse indices that would make compiled code read or write somewhere else."""
    kind = f"X is not a valid {X.format.upper()} matrix"
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D sparse array instead: shape={X.shape}")
    if X.format == "coo":
        for name, at, size in zip(("row", "column"), (X.row, X.col), X.shape, strict=True):
            wrong = _outside(at, size)
            if len(at) != len(X.data) or wrong is not None:
                entry = "" if wrong is None else f"entry {wrong} is in {name} {at[wrong]}, "
                has = f"{len(at)} {name} indices, {len(X.data)} entries and {size} {name}s"
                raise ValueError(f"{kind}: {entry}with {has}")
    if X.format == "lil":
        for row, (at, values) in enumerate(zip(X.rows, X.data, strict=True)):
            if len(at) != len(values):
                raise ValueError(f"{kind}: row {row} has {len(at)} indices and {len(values)} values")
    if X.format not in ("csr", "csc", "bsr"):
        return
    line, other = ("column", "row") if X.format == "csc" else ("row", "column")
    n, size = X.shape[::-1] if X.format == "csc" else X.shape
    if X.format == "bsr":
        line, other, n, size = "block row", "block column", n // X.blocksize[0], size // X.blocksize[1]
    indptr, indices, n_stored = X.indptr, X.indices, min(len(X.indices), len(X.data))
    if X.format != "bsr" and X.data.ndim != 1:
        raise ValueError(f"{kind}: data has {X.data.ndim} dimensions instead of one")
    if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in (indptr, indices)):
        raise ValueError(f"{kind}: indices and indptr must be 1-D arrays of integers")
    if len(indptr) != n + 1 or indptr[0] != 0:
        raise ValueError(
            f"{kind}: indptr has {len(indptr)} entries starting at {indptr[:1]}; {n} {line}s need {n + 1} "
            "starting at 0"
        )
    falls = indptr[1:] < indptr[:-1]
    if falls.any() or indptr[-1] > n_stored:
        at = int(np.argmax(falls if falls.any() else indptr[1:] > n_stored))
        raise ValueError(
            f"{kind}: indptr of {line} {at} is {indptr[at]}, {indptr[at + 1]} with {n_stored} entries "
            "stored; it must not decrease, and stay within the entries"
        )
    wrong = _outside(indices[: indptr[-1]], size)
    if wrong is not None:
        at = int(np.searchsorted(indptr, wrong, side="right")) - 1
        size = f"{size} features" if X.format == "csr" else f"{size} {other}s"
        raise ValueError(f"{kind}: {line} {at} has index {indices[wrong]}, but X has {size}")


def _outside(indices, size):
    """The position of the first index that is not in 0 ... size - 1, or None."""
    # as unsigned numbers the negative ones are the largest: one pass instead of two
    if indices.dtype.kind == "i" and indices.dtype.isnative and indices.dtype.itemsize >= 4:
        largest = indices.view(f"u{indices.dtype.itemsize}").max(initial=0)
    else:
        largest = indices.max(initial=0) if indices.min(initial=0) >= 0 else size
    if not indices.size or largest < size:
        return None
    return int(np.argmax((indices < 0) | (indices >= size)))


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
