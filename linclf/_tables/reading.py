"""Reading a whole file into memory: features, labels, and a description."""

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from linclf._tables.files import ARRAYS, TEXT, check_features, check_target, ending_of, open_table
from linclf._tables.labels import labels_from_text, target_of


class Reading(NamedTuple):
    """The content of a file.

    Attributes
    ----------
    X : DataFrame, ndarray or CSR matrix
    y : ndarray
    lines : list of str
        The format, and where the labels come from.
    """

    X: Any
    y: Any
    lines: list[str]


def is_of_arrays(path: str | Path) -> bool:
    """Whether a file holds arrays rather than named columns."""
    path = existing(path)
    ending = ending_of(path) if path.is_file() else ".parquet"
    return ending in ARRAYS or (ending == ".txt" and looks_like_svmlight(path))


def read_table(path: str | Path, target: str | None = None, words: Collection[str] = ()) -> Reading:
    """Read a CSV, TSV, Parquet, NPZ or svmlight file.

    Parameters
    ----------
    path : str or Path
        The ending decides: .csv, .tsv, .txt (also .gz), .parquet, .npz with arrays X and y, or
        .svm, .svmlight, .libsvm for svmlight, which .txt may hold too.
    target : str, default=None
        Name of the column (or NPZ array) with the labels. None uses the column named target,
        label, class or y in any case, else the last one.
    words : collection of str
        Columns of categories or text, whose values keep their spelling.

    Raises
    ------
    ValueError
        If the file does not have the format of its ending, or has no such column.
    FileNotFoundError
        If there is no such file.
    ImportError
        If pandas or pyarrow is needed and missing.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from linclf._tables.reading import read_table
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "flowers.csv"
    >>> _ = path.write_text("width;colour;Class\\n1,5;red;a\\n2,5;blue;b\\n")
    >>> X, y, lines = read_table(path)
    >>> print(list(X.columns), list(y), *lines, sep="\\n")
    ['width', 'colour']
    [np.str_('a'), np.str_('b')]
    UTF-8, separated by semicolons
    target: column 'Class'
    """
    path = existing(path)
    if is_of_arrays(path):
        return _of_arrays(path, target)
    table = open_table(path)
    check_features(table)
    if target is None:
        target, is_usual = target_of(table.names)
        note = "" if is_usual else " (the last one; --target chooses another)"
    else:
        check_target(table, target)
        note = ""
    frame = whole(table, target, words)
    if len(frame) == 0:
        raise ValueError(f"{path.name} has no rows, only the names of {len(table.names)} columns")
    lines = [f"{table}", f"target: column {target!r}{note}"]
    return Reading(frame.drop(columns=target), labels_from_text(frame[target]), lines)


def whole(table: Any, target: str | None, words: Collection[str] = ()) -> Any:
    """All rows of a table in one frame."""
    import pandas as pd

    frames = list(table.frames(None, target, words))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=table.names)


def existing(path: str | Path) -> Path:
    """The path, or an error with a hint if nothing is there."""
    path = Path(path)
    if path.is_dir() and path.suffix.lower() in (*TEXT, *ARRAYS):
        raise FileNotFoundError(f"{path} is a folder; give a CSV, TSV, Parquet, NPZ or svmlight file")
    if not path.exists() and not any(sign in path.name for sign in "*?["):
        near = (
            [each.name for each in path.absolute().parent.glob("*")]
            if path.absolute().parent.is_dir()
            else []
        )
        close = difflib.get_close_matches(path.name, near, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else "give a CSV, TSV, Parquet, NPZ or svmlight file"
        raise FileNotFoundError(f"{path} does not exist; {hint}")
    return path


# ------------------------------------------------------------ arrays


def features_in(path: str | Path) -> Any:
    """X from a file of arrays; y may be missing."""
    path = existing(path)
    if ending_of(path) == ".npz":
        arrays = _arrays_in(path)
        return _chosen(arrays | {"\0none": np.empty(0)}, "\0none", path.name)[0]
    return _of_arrays(path, None).X


def looks_like_svmlight(path: Path) -> bool:
    """Whether the first row is a label and pairs of a number and a value."""
    import gzip

    with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
        for line in file.read(2**16).splitlines():
            fields = line.partition(b"#")[0].split()
            if fields:
                return len(fields) > 1 and all(b":" in field for field in fields[1:])
    return False


def _of_arrays(path: Path, target: str | None) -> Reading:
    is_npz = ending_of(path) == ".npz"
    try:
        content: Any = _arrays_in(path) if is_npz else _svmlight(path)
    except (OSError, MemoryError):
        raise
    except Exception as fault:  # each reader raises different errors for a broken file
        reason = " ".join(str(fault).split()) or type(fault).__name__
        name = "NPZ" if is_npz else "svmlight"
        raise ValueError(f"{path.name} cannot be read as {name}: {reason}") from fault
    if is_npz:
        X, y = _chosen(content, target or "y", path.name)
        return Reading(X, y, [f"target: array {target or 'y'!r}"])
    if target is not None:
        raise ValueError(f"--target {target!r}: {path.name} is svmlight, whose first number is the label")
    return Reading(content[0], content[1], ["svmlight", "target: the first number of each line"])


def _arrays_in(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _svmlight(path: Path) -> tuple[sparse.csr_matrix, np.ndarray]:
    from sklearn.datasets import load_svmlight_file

    with open(path, "rb") as file:
        first = file.readline() if path.suffix.lower() != ".gz" else b""
    if b"," in first.partition(b" ")[0]:
        raise ValueError(
            f"its rows have several labels, such as {first.partition(b' ')[0].decode(errors='replace')!r}, "
            "and a classifier learns one per row; write a row for each label, or a file for each label"
        )
    X, y = load_svmlight_file(str(path))
    return X, y.astype(np.int64) if np.all(y == np.rint(y)) else y


def _chosen(arrays: dict[str, Any], target: str, name: str) -> tuple[Any, np.ndarray]:
    available = ", ".join(arrays)
    if {"data", "indices", "indptr", "shape"} <= set(arrays):  # as scipy.sparse.save_npz writes, plus y
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        arrays["X"] = sparse.csr_matrix(parts, shape=tuple(arrays["shape"]))
    for required in ("X", target):
        if required not in arrays:
            raise ValueError(f"{name} has no array {required!r}, only {available or 'none'}; save X and y")
    return arrays["X"], arrays[target]
