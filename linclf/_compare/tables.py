"""Tables: reading files into rows and labels, and turning columns of any kind into numbers."""

import difflib
import re
import warnings
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target

from linclf._data.labels import labels_of
from linclf._data.refusals import refuse_masked
from linclf._data.sparse import check_structure

_SVMLIGHT = (".svm", ".svmlight", ".libsvm", ".txt")
_USUAL_TARGETS = ("target", "label", "class", "y")
_DENSE_CELLS = 50_000_000  # an encoded table of at most 400 MB is dense, a larger one sparse


def read_table(path, target=None):
    """Read a CSV, TSV, Parquet, NPZ or svmlight file.

    Parameters
    ----------
    path : str or Path
        The ending decides: .csv, .tsv (both also .gz), .parquet, .npz with the arrays X and y, or
        .svm, .svmlight, .libsvm, .txt for svmlight.
    target : str, default=None
        Name of the column (or NPZ array) with the labels. None takes the column named target,
        label, class or y in any case, else the last one.

    Returns
    -------
    X : DataFrame, array or CSR matrix
    y : Series or array
    note : str
        Where the labels come from.

    Raises
    ------
    ValueError
        If the file cannot be read as what its ending says, or has no such column.

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
    readers = {".csv": _read_csv, ".tsv": _read_csv, ".parquet": _read_parquet, ".npz": _read_npz}
    readers |= dict.fromkeys(_SVMLIGHT, _read_svmlight)
    if ending not in readers:
        raise ValueError(f"{path.name} has the ending {ending!r}, and linclf reads {', '.join(readers)}")
    try:
        content = readers[ending](path)
    except (OSError, ImportError, MemoryError):
        raise
    except Exception as fault:  # every reader has its own kinds of errors for a broken file
        reason = " ".join(str(fault).split()) or type(fault).__name__
        kind = "svmlight" if ending in _SVMLIGHT else ending[1:].upper()
        raise ValueError(f"{path.name} cannot be read as {kind}: {reason}") from fault
    if ending == ".npz":
        return _from_arrays(content, target or "y", path.name)
    if ending in _SVMLIGHT:
        if target is not None:
            raise ValueError(f"--target {target!r}: {path.name} is svmlight, whose first number is the label")
        return *content, "target: the first number of each line"
    return _from_columns(content, target, path.name)


def to_rows(X):
    """X as an array, CSR matrix or pandas DataFrame, and its number of missing values.

    The columns of a DataFrame become floats, or text where they are categories.
    """
    if hasattr(X, "to_pandas"):  # polars, pyarrow
        try:
            X = X.to_pandas()
        except ImportError as fault:
            needs = f"a table of {type(X).__module__.partition('.')[0]} needs pandas and pyarrow"
            raise ImportError(f'{needs}: pip install "linclf[compare]"') from fault
    if not hasattr(X, "iloc"):
        refuse_masked(X, "X")
        if sparse.issparse(X):
            check_structure(X)
        X = check_array(X, accept_sparse="csr", ensure_all_finite="allow-nan")
        return X, 0 if sparse.issparse(X) else int(np.isnan(X).sum()) if X.dtype.kind == "f" else 0
    import pandas

    columns = {}
    for position, name in enumerate(X.columns):
        column = X.iloc[:, position]
        if _is_number(column.dtype):
            column = column.astype(np.float64)
        else:  # text of one type, since a column of str and int cannot be sorted
            column = column.astype(object).map(str, na_action="ignore").astype(object)
            column = column.where(column.notna(), np.nan)
        columns[f"{position}:{name}"] = column
    X = pandas.DataFrame(columns)
    return X, int(X.isna().to_numpy().sum())


def check_labels(y):
    """Sorted classes, the class index of each row, and the labels as an array of one plain type."""
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
        warnings.simplefilter("ignore", UserWarning)  # many classes: compare looks at their sizes
        kind = type_of_target(y)
    classes, codes = np.unique(y, return_inverse=True)
    if kind.startswith("continuous"):
        raise ValueError(
            f"y looks continuous ({classes.size:,} different values such as {y[0]:g}) and a classifier needs "
            "classes; choose another target or cut it into classes first"
        )
    return classes, codes, y


def column_encoder(X):
    """A transformer for imputing and one-hot encoding, or None if X needs neither."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    median = SimpleImputer(strategy="median", keep_empty_features=True)
    if not hasattr(X, "iloc"):
        return median if X.dtype.kind == "f" and not sparse.issparse(X) and np.isnan(X).any() else None
    numbers = [_is_number(dtype) for dtype in X.dtypes]
    categories = [not number for number in numbers]
    width = sum(numbers) + int(X.loc[:, categories].nunique().sum())
    dense = X.shape[0] * width <= _DENSE_CELLS
    one_hot = make_pipeline(
        SimpleImputer(strategy="most_frequent", keep_empty_features=True),
        OneHotEncoder(handle_unknown="ignore", sparse_output=not dense),
    )
    parts = [("numbers", median, numbers), ("categories", one_hot, categories)]
    return ColumnTransformer(parts, sparse_threshold=0.0 if dense else 1.0)


def _is_number(dtype):
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(dtype) and not is_bool_dtype(dtype)


def _pandas(path):
    try:
        import pandas
    except ImportError as fault:
        raise ImportError(f'reading {path.name} needs pandas: pip install "linclf[compare]"') from fault
    return pandas


def _read_csv(path):
    import gzip

    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="replace") as file:
        first = file.readline()
    separator = max(",;\t", key=first.count)
    table = _pandas(path).read_csv(
        path, sep=separator, na_values=["?"], skipinitialspace=True, low_memory=False
    )
    if any(re.fullmatch(r"-?\d+\.\d+", str(name)) for name in table.columns):
        raise ValueError("its first line holds numbers, not column names; add a line of names")
    return table


def _read_parquet(path):
    try:
        return _pandas(path).read_parquet(path)
    except ImportError as fault:
        raise ImportError(f'reading {path.name} needs pyarrow: pip install "linclf[compare]"') from fault


def _read_npz(path):
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _read_svmlight(path):
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(str(path))
    return X, y.astype(np.int64) if np.all(y == np.rint(y)) else y


def _from_arrays(arrays, target, name):
    held = ", ".join(arrays)
    if {"data", "indices", "indptr", "shape"} <= set(arrays):  # scipy.sparse.save_npz, plus y
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        arrays["X"] = sparse.csr_matrix(parts, shape=tuple(arrays["shape"]))
    for needed in ("X", target):
        if needed not in arrays:
            raise ValueError(f"{name} has no array {needed!r}, only {held or 'none'}; save X and y")
    return arrays["X"], arrays[target], f"target: array {target!r}"


def _from_columns(table, target, name):
    columns = [str(column) for column in table.columns]
    if len(columns) < 2 or len(table) == 0:
        raise ValueError(
            f"{name} has {len(table)} rows and {len(columns)} columns; it needs a target and features"
        )
    note = ""
    if target is None:
        usual = [column for word in _USUAL_TARGETS for column in columns if column.lower() == word]
        target = (usual or columns[-1:])[0]
        note = "" if usual else " (the last one; --target chooses another)"
    if target not in columns:
        close = difflib.get_close_matches(target, columns, n=3, cutoff=0.5)
        remedy = (
            f"did you mean {' or '.join(map(repr, close))}?" if close else f"it has {', '.join(columns[:20])}"
        )
        raise ValueError(f"--target {target!r} is not a column of {name}; {remedy}")
    at = columns.index(target)
    features = [position for position in range(len(columns)) if position != at]
    return table.iloc[:, features], table.iloc[:, at], f"target: column {target!r}{note}"
