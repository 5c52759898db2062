"""Tables: read files into features and labels, and turn columns of any type into numbers."""

import difflib
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target

from linclf._data.labels import labels_of
from linclf._data.refusals import refuse_masked
from linclf._data.sparse import check_structure

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer

_SVMLIGHT = (".svm", ".svmlight", ".libsvm", ".txt")
_TARGET_NAMES = ("target", "label", "class", "y")
_DENSE_CELLS = 50_000_000  # encoded tables above this size, 400 MB, are sparse


def read_table(path: str | Path, target: str | None = None) -> tuple[Any, Any, str]:
    """Read a CSV, TSV, Parquet, NPZ or svmlight file.

    Parameters
    ----------
    path : str or Path
        The ending decides: .csv, .tsv (both also .gz), .parquet, .npz with arrays X and y, or
        .svm, .svmlight, .libsvm, .txt for svmlight.
    target : str, default=None
        Name of the column (or NPZ array) with the labels. None takes the column named target,
        label, class or y in any case, else the last one.

    Returns
    -------
    X : DataFrame, array or CSR matrix
    y : Series or array
    note : str
        Which column or array the labels come from.

    Raises
    ------
    ValueError
        If the file is not of the format that its ending says, or has no such column.
    FileNotFoundError
        If there is no such file.
    ImportError
        If pandas or pyarrow is needed and missing.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from linclf._compare.tables import read_table
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "flowers.csv"
    >>> _ = path.write_text("width,colour,Class\\n1.5,red,a\\n2.5,blue,b\\n")
    >>> X, y, note = read_table(path)
    >>> list(X.columns), list(y), note
    (['width', 'colour'], ['a', 'b'], "target: column 'Class'")
    """
    path = Path(path)
    if not path.is_file():
        problem = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"{path} {problem}; give a CSV, TSV, Parquet, NPZ or svmlight file")
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending not in _READERS:
        raise ValueError(f"{path.name} has the ending {ending!r}, and linclf reads {', '.join(_READERS)}")
    try:
        content = _READERS[ending](path)
    except (OSError, ImportError, MemoryError):
        raise
    except Exception as fault:  # each reader raises different errors for a broken file
        reason = " ".join(str(fault).split()) or type(fault).__name__
        format_name = "svmlight" if ending in _SVMLIGHT else ending[1:].upper()
        raise ValueError(f"{path.name} cannot be read as {format_name}: {reason}") from fault
    if ending == ".npz":
        return _from_arrays(content, target or "y", path.name)
    if ending in _SVMLIGHT:
        if target is not None:
            raise ValueError(f"--target {target!r}: {path.name} is svmlight, whose first number is the label")
        return *content, "target: the first number of each line"
    return _from_columns(content, target, path.name)


def check_table(X: Any) -> tuple[Any, int]:
    """Return X as an array, CSR matrix or pandas DataFrame, and its number of missing values.

    Numeric columns of a DataFrame become floats, all others text.
    """
    if hasattr(X, "to_pandas"):  # polars, pyarrow
        try:
            X = X.to_pandas()
        except ImportError as fault:
            library = type(X).__module__.partition(".")[0]
            raise ImportError(
                f'a table of {library} needs pandas and pyarrow: pip install "linclf[compare]"'
            ) from fault
    if not hasattr(X, "iloc"):
        refuse_masked(X, "X")
        if sparse.issparse(X):
            check_structure(X)
        options: dict[str, Any] = {"accept_sparse": "csr", "ensure_all_finite": "allow-nan"}
        X = check_array(X, **options)
        may_be_nan = not sparse.issparse(X) and X.dtype.kind == "f"
        return X, int(np.isnan(X).sum()) if may_be_nan else 0
    import pandas as pd

    columns = {}
    for position, name in enumerate(X.columns):
        column = X.iloc[:, position]
        if _is_numeric(column.dtype):
            column = column.astype(np.float64)
        else:  # all values become str, because a column of str and int cannot be sorted
            column = column.astype(object).map(str, na_action="ignore").astype(object)
            column = column.where(column.notna(), np.nan)
        columns[f"{position}:{name}"] = column
    table = pd.DataFrame(columns)
    return table, int(table.isna().to_numpy().sum())


def check_labels(y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sorted classes, the class index of each row, and the labels as an array of one type."""
    if np.ndim(y) != 1:
        raise ValueError(
            f"y must be one column of labels, got shape {np.shape(y)}; pass y[:, k] or a 1-D array"
        )
    y = labels_of(y)
    if y.dtype == object:
        y = np.array(y.tolist())
    if y.dtype.kind == "S":
        y = y.astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about many classes; compare checks their sizes
        target_type = type_of_target(y)
    classes, codes = np.unique(y, return_inverse=True)
    if target_type.startswith("continuous"):
        raise ValueError(
            f"y looks continuous ({classes.size:,} different values such as {y[0]:g}) and a classifier needs "
            "classes; choose another target or cut it into classes first"
        )
    return classes, codes, y


def column_encoder(X: Any) -> "ColumnTransformer | SimpleImputer | None":
    """A transformer that imputes and one-hot encodes, or None if X needs neither."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    median = SimpleImputer(strategy="median", keep_empty_features=True)
    if not hasattr(X, "iloc"):
        return median if X.dtype.kind == "f" and not sparse.issparse(X) and np.isnan(X).any() else None
    numeric = [_is_numeric(dtype) for dtype in X.dtypes]
    categorical = [not is_numeric for is_numeric in numeric]
    n_encoded = sum(numeric) + int(X.loc[:, categorical].nunique().sum())
    dense = X.shape[0] * n_encoded <= _DENSE_CELLS
    one_hot = make_pipeline(
        SimpleImputer(strategy="most_frequent", keep_empty_features=True),
        OneHotEncoder(handle_unknown="ignore", sparse_output=not dense),
    )
    parts = [("numeric", median, numeric), ("categorical", one_hot, categorical)]
    return ColumnTransformer(parts, sparse_threshold=0.0 if dense else 1.0)


def _is_numeric(dtype: Any) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(dtype) and not is_bool_dtype(dtype)


def _pandas(path: Path) -> "ModuleType":
    try:
        import pandas
    except ImportError as fault:
        raise ImportError(f'reading {path.name} needs pandas: pip install "linclf[compare]"') from fault
    return pandas


def _read_csv(path: Path) -> "pd.DataFrame":
    import gzip

    open_text = gzip.open if path.suffix.lower() == ".gz" else open
    with open_text(path, "rt", encoding="utf-8", errors="replace") as file:
        header = str(file.readline())
    separator = max(",;\t", key=header.count)
    table = _pandas(path).read_csv(
        path, sep=separator, na_values=["?"], skipinitialspace=True, low_memory=False
    )
    if any(re.fullmatch(r"-?\d+\.\d+", str(name)) for name in table.columns):
        raise ValueError("its first line holds numbers, not column names; add a line of names")
    return table


def _read_parquet(path: Path) -> "pd.DataFrame":
    try:
        return _pandas(path).read_parquet(path)
    except ImportError as fault:
        raise ImportError(f'reading {path.name} needs pyarrow: pip install "linclf[compare]"') from fault


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _read_svmlight(path: Path) -> tuple[sparse.csr_matrix, np.ndarray]:
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(str(path))
    return X, y.astype(np.int64) if np.all(y == np.rint(y)) else y


_READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".npz": _read_npz,
    **dict.fromkeys(_SVMLIGHT, _read_svmlight),
}


def _from_arrays(arrays: dict[str, Any], target: str, name: str) -> tuple[Any, np.ndarray, str]:
    available = ", ".join(arrays)
    if {"data", "indices", "indptr", "shape"} <= set(arrays):  # as scipy.sparse.save_npz writes, plus y
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        arrays["X"] = sparse.csr_matrix(parts, shape=tuple(arrays["shape"]))
    for required in ("X", target):
        if required not in arrays:
            raise ValueError(f"{name} has no array {required!r}, only {available or 'none'}; save X and y")
    return arrays["X"], arrays[target], f"target: array {target!r}"


def _from_columns(
    table: "pd.DataFrame", target: str | None, name: str
) -> tuple["pd.DataFrame", "pd.Series", str]:
    columns = [str(column) for column in table.columns]
    if len(columns) < 2 or len(table) == 0:
        raise ValueError(
            f"{name} has {len(table)} rows and {len(columns)} columns; it needs a target and features"
        )
    note = ""
    if target is None:
        usual = [column for word in _TARGET_NAMES for column in columns if column.lower() == word]
        target = (usual or columns[-1:])[0]
        note = "" if usual else " (the last one; --target chooses another)"
    if target not in columns:
        close = difflib.get_close_matches(target, columns, n=3, cutoff=0.5)
        remedy = (
            f"did you mean {' or '.join(map(repr, close))}?" if close else f"it has {', '.join(columns[:20])}"
        )
        raise ValueError(f"--target {target!r} is not a column of {name}; {remedy}")
    label = columns.index(target)
    features = [position for position in range(len(columns)) if position != label]
    return table.iloc[:, features], table.iloc[:, label], f"target: column {target!r}{note}"
