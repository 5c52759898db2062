"""Sparse matrices from users: their structure is checked, and they become canonical CSR.

Uses only NumPy, SciPy and scikit-learn, so that the first prediction does not wait for a compiler.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from linclf._types import IntArray


def canonical(X: Any, without_zeros: bool = False) -> csr_array:
    """CSR with sorted indices and no duplicates, in contiguous arrays with one index type.

    Always a new object, because flags that SciPy caches in the caller's object may be outdated; arrays are
    shared if they are already canonical.
    """
    check_structure(X)  # LIL and DOK could not be checked before
    # not by the constructor, which would check all indices again
    rows, stored = type(X)(X.shape, dtype=X.dtype), X.indptr[-1]
    index = np.result_type(X.indices, X.indptr).newbyteorder("=")
    index = np.dtype(np.int32 if index.kind == "i" and index.itemsize <= 4 else np.int64)
    rows.data = np.ascontiguousarray(X.data[:stored])
    rows.indices = np.ascontiguousarray(X.indices[:stored], dtype=index)
    rows.indptr = np.ascontiguousarray(X.indptr, dtype=index)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    if without_zeros and np.count_nonzero(rows.data) < len(rows.data):  # they would distort typical values
        rows = rows.copy()
        rows.eliminate_zeros()
    return rows


def check_structure(X: Any) -> None:
    """Refuse indices that would make compiled code read or write out of bounds."""
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


def _outside(indices: IntArray, size: int) -> int | None:
    """The position of the first index that is not in 0 ... size - 1, or None."""
    # as unsigned numbers, negative indices are the largest: one pass instead of two
    if indices.dtype.kind == "i" and indices.dtype.isnative and indices.dtype.itemsize >= 4:
        largest = indices.view(f"u{indices.dtype.itemsize}").max(initial=0)
    else:
        largest = indices.max(initial=0) if indices.min(initial=0) >= 0 else size
    if not indices.size or largest < size:
        return None
    return int(np.argmax((indices < 0) | (indices >= size)))
