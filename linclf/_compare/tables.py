"""Tables: read files into features and labels."""

import difflib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd

_SVMLIGHT = (".svm", ".svmlight", ".libsvm", ".txt")
_TARGET_NAMES = ("target", "label", "class", "y")


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


def columns_apart(X: Any, names: dict[str, str | None]) -> tuple[Any, list[Any]]:
    """Take columns that are no features out of a table.

    Parameters
    ----------
    X : DataFrame, array or CSR matrix
    names : dict of str to str or None
        Column by the option that names it.

    Returns
    -------
    X : without these columns
    columns : list of Series or None
    """
    taken = {option: name for option, name in names.items() if name is not None}
    for option, name in taken.items():
        if not hasattr(X, "iloc"):
            raise ValueError(f"{option} {name!r}: this file has no named columns; use CSV or Parquet")
        if name not in X.columns:
            raise ValueError(f"{option} {name!r} is not a column; {_columns_like(name, map(str, X.columns))}")
    columns = [None if name is None else X[name] for name in names.values()]
    return (X.drop(columns=list(taken.values())) if taken else X), columns


def as_times(column: "pd.Series") -> "pd.Series":
    """A column that can be put in order: numbers as they are, text as dates.

    Only ISO 8601 is read: of 9/1/2025 nobody knows which number is the month.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return column
    try:
        return pd.to_datetime(column, format="ISO8601")
    except ValueError as fault:
        raise ValueError(
            f"--times {column.name!r} has neither numbers nor dates such as 2026-01-31: {fault}"
        ) from fault


def _columns_like(name: str, columns: Iterable[str]) -> str:
    """Columns of similar names, or the first ones."""
    columns = list(columns)
    close = difflib.get_close_matches(name, columns, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else f"it has {', '.join(columns[:20])}"


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
        raise ValueError(f"--target {target!r} is not a column of {name}; {_columns_like(target, columns)}")
    label = columns.index(target)
    features = [position for position in range(len(columns)) if position != label]
    return table.iloc[:, features], table.iloc[:, label], f"target: column {target!r}{note}"
