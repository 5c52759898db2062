"""X in the form for training and prediction, or an error.

Uses only NumPy, SciPy and scikit-learn, so that the first prediction does not wait for a compiler.
"""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from linclf._data.forms import container, is_narrow
from linclf._data.refusals import refuse_masked
from linclf._data.sparse import canonical, check_structure
from linclf._types import Matrix

FLOATS = (np.float64, np.float32)


def check_X(estimator: BaseEstimator, X: Any, reset: bool, finite: bool = True) -> Matrix:
    """X as C-ordered float32/float64 or canonical CSR of the same; the caller's arrays are not changed.

    With ``finite=False``, NaN and infinity are allowed.
    """
    if not reset and not finite and _is_ready(estimator, X):
        return X
    if sparse.issparse(X):
        check_structure(X)
    refuse_masked(X, "X")
    X = container(X, "X")
    try:
        # a longdouble may become infinity, which is then refused; infinities may cancel in a sum
        with np.errstate(over="ignore", invalid="ignore"):
            X = validate_data(
                estimator,
                X,
                accept_sparse="csr",
                accept_large_sparse=True,
                dtype=np.float32 if is_narrow(X) else FLOATS,
                order="C",
                reset=reset,
                ensure_all_finite=finite,
            )
    except OverflowError as fault:
        raise ValueError(f"X has a number that is too large for float64 ({fault})") from fault
    except (TypeError, ValueError) as fault:
        if "contains NaN" in str(fault) and (where := _missing(X)):
            raise ValueError(f"Input X contains NaN: {where}") from fault
        if remedy := _remedy(X):
            raise type(fault)(f"{fault} {remedy}") from fault
        raise
    return canonical(X, without_zeros=finite) if sparse.issparse(X) else X


def _missing(X: Any) -> str:
    """The column with the most missing values, and a remedy; nothing if cells are not numbers."""
    rows: Any
    if sparse.issparse(X):
        rows = sparse.coo_array(X)
        columns = rows.col[np.isnan(rows.data)]
    else:
        try:
            rows = np.asarray(X, dtype=np.float64)
        except (TypeError, ValueError):
            return ""
        columns = np.nonzero(np.isnan(rows))[-1]
    counts = np.bincount(columns, minlength=1)
    most, others = int(counts.argmax()), np.count_nonzero(counts) - 1
    if not counts[most]:
        return ""
    name = X.columns[most] if hasattr(X, "columns") else most
    more = f", and values of {others} more columns" if others else ""
    return (
        f"{counts[most]} of {rows.shape[0]} values of column {name!r} are missing{more}; fill them in, as "
        "SimpleImputer does before the classifier in a pipeline, or drop the rows"
    )


def _remedy(X: Any) -> str:
    """A remedy for cells that are not numbers; nothing if the first row has none."""
    if sparse.issparse(X) or not len(X):
        return ""
    first = X.iloc[0] if hasattr(X, "iloc") else X[0]
    names = list(getattr(X, "columns", []))
    for j, cell in enumerate([first] if np.ndim(X) == 1 else np.ravel(np.asarray(first, dtype=object))):
        if isinstance(cell, (list, tuple, np.ndarray)):
            return (
                f"(Row 0 of X has a cell of {len(cell)} values: pass numpy.stack(column), or a list of rows.)"
            )
        if isinstance(cell, str) and not cell.lstrip("-").replace(".", "", 1).isdigit():
            where = f" in column {names[j]!r}" if j < len(names) else ""
            return (
                f"(Row 0 of X holds {cell[:40]!r}{where}: convert it with TfidfVectorizer or OneHotEncoder, "
                "or drop a column that only names rows.)"
            )
    return ""


def _is_ready(estimator: BaseEstimator, X: Any) -> bool:
    """Whether the checks would return X itself: they take longer than scoring a few rows."""
    if type(X) is not np.ndarray or X.ndim != 2 or X.dtype not in FLOATS:
        return False
    if not (X.flags.c_contiguous and X.flags.aligned):
        return False
    fitted = vars(estimator)
    return len(X) > 0 and X.shape[1] == fitted.get("n_features_in_") and "feature_names_in_" not in fitted
