"""The public interface to rows that are not in memory."""

import copy
import glob
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy import sparse

from linclf._sources import arrays, arrow
from linclf._sources.blocks import AHEAD, Block, Raw, Source, pieces, prefetched
from linclf._sources.formats import Format, checked, format_of
from linclf._sources.generated import FunctionSource
from linclf._sources.svmlight import SvmlightSource

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
LEAST = 2**28  # fewest bytes of memory with which reading and computing can overlap
LOOK = 256  # rows used to detect the format
SHARE_READ, ENOUGH = 16, 2**14  # a block gets 1/16 of the memory, but more rows than this gain nothing
SVMLIGHT = (".svm", ".svmlight", ".libsvm", ".txt")


class Batches:
    """Data larger than memory: rows that are read in blocks, again for each pass.

    ``fit(Batches(...))`` trains on all rows, but keeps only a sample of them, a few blocks and the model in
    memory.

    Parameters
    ----------
    source : path, array, list, callable or pyarrow Dataset
        One of:

        - a Parquet file, a folder of them or a pattern such as ``"part-*.parquet"``, or a
          ``pyarrow.dataset.Dataset`` (extra ``disk``)
        - a function that returns a new object with ``__arrow_c_stream__`` each time, such as
          ``lambda: duckdb.sql(...)``
        - an array, a memory map, a ``.npy`` file (mapped into memory), or a list of them
        - a ``.npz`` file in the format of `scipy.sparse.save_npz`, with extra arrays for target and weights
        - an svmlight file
        - a function that returns an iterator of ``(X, y)`` or ``(X, y, weights)``, the same each time
    target : str, list of str, array, path or None, default="y"
        The column of the labels, or the columns of class probabilities or, if they hold integers or bools, of
        several labels; for arrays and ``.npy`` files, an array or file of labels. None for rows without
        labels. Functions and svmlight files include labels.
    weight : str, array or path, default=None
        The column of the sample weights, or an array of them.
    features : list of str or str, default=None
        The feature columns; None means all others. A single name (not in a list) passes one column to the
        transformer of `map`, as needed for text.
    memory : str or int, default="1GiB"
        Limit in bytes for rows in memory: a sample, held-out rows, and blocks read ahead. Weights and the
        state of the solver need extra memory.

    Raises
    ------
    ValueError
        If the source cannot be read or lacks a column; the message names it.
    ImportError
        If Parquet or Arrow are read and pyarrow is missing.

    Notes
    -----
    Rows are cut into pieces whose size depends only on the columns, and sums are taken in the order of
    the pieces, so the model depends neither on blocks or row groups nor on ``n_jobs``.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf import Batches, SoftmaxClassifier
    >>> rng = np.random.default_rng(0)
    >>> def blocks():
    ...     rng = np.random.default_rng(0)
    ...     for _ in range(5):
    ...         y = rng.integers(3, size=1000)
    ...         yield rng.normal(size=(1000, 4)) + np.eye(3, 4)[y], y
    >>> clf = SoftmaxClassifier().fit(Batches(blocks))
    >>> clf.coef_.argmax(axis=1)
    array([0, 1, 2])
    """

    def __init__(
        self,
        source: Any,
        target: Any = "y",
        weight: Any = None,
        features: list[str] | str | None = None,
        memory: str | int = "1GiB",
    ) -> None:
        self.memory = n_bytes_of(memory)
        self._described = f"Batches({_short(source)})"
        self._source: Source = _source_for(source, target, weight, features, self.memory)
        self._form: Format | None = None

    def __repr__(self) -> str:
        return self._described

    def map(self, transformer: Any) -> Self:
        """Transform the features of each block.

        Parameters
        ----------
        transformer : scikit-learn transformer, fitted or stateless, or callable
            Its ``transform`` gets each block: from Arrow a DataFrame (or a column, if `features` is a name),
            else the rows in the form of the source.

        Returns
        -------
        batches : Batches
            A new object; this one is not changed.

        Examples
        --------
        >>> from sklearn.feature_extraction.text import HashingVectorizer
        >>> from linclf import Batches, SoftmaxClassifier
        >>> texts = ["good film", "bad film"] * 10
        >>> batches = Batches(lambda: [(texts, ["+", "-"] * 10)]).map(HashingVectorizer(n_features=64))
        >>> SoftmaxClassifier().fit(batches).predict(batches)[:2]
        array(['+', '-'], dtype='<U1')
        """
        transform = getattr(transformer, "transform", transformer)
        if not callable(transform):
            raise TypeError(f"transformer={transformer!r} has no transform, and is no function")
        other = copy.copy(self)
        other._source, other._form = self._source.mapped(transform), None
        other._described = f"{self._described}.map({type(transformer).__name__})"
        return other

    @property
    def _names(self) -> list[str] | None:
        return self._source.names

    @property
    def _format(self) -> Format:
        if self._form is None:
            first = next(iter(self._source.blocks(LOOK, None)), None)
            if first is None:
                raise ValueError(f"{self!r} has no rows; check the path or the function")
            self._form = format_of(first.block())
        return self._form

    def _pieces(
        self, order: np.random.RandomState | None = None, size: int | None = None
    ) -> Generator[Raw, None, None]:
        """All rows in pieces, read ahead by another thread."""
        form = self._format
        # pieces within one block are views of it
        at_once = self.memory // (SHARE_READ * max(form.row_bytes, 1)) // form.piece
        n_rows = form.piece * max(1, min(at_once, ENOUGH // form.piece))
        cut = pieces(self._source.blocks(n_rows, order), form.piece if size is None else size)
        return prefetched(cut, AHEAD if size is None else 1)

    def _rows(self, piece: Raw) -> Block:
        """The rows of a piece, checked."""
        return checked(piece.block(), self._format)

    def _blocks(self) -> Iterator[Block]:
        """All rows, a piece at a time."""
        return map(self._rows, self._pieces())

    def apply(self, function: Callable[[Any], Any]) -> Iterator[Any]:
        """Apply a function to the features of each block.

        Parameters
        ----------
        function : callable
            For example ``clf.predict_proba``.

        Yields
        ------
        result : object
            ``function(X)``.

        Examples
        --------
        >>> import numpy as np
        >>> from linclf import Batches
        >>> batches = Batches(np.ones((70_000, 30)), target=None)
        >>> [len(part) for part in batches.apply(lambda X: X.sum(axis=1))]
        [16384, 16384, 16384, 16384, 4464]
        """
        for block in self._blocks():
            yield function(block.X)


def n_bytes_of(memory: str | int) -> int:
    """A number of bytes, from text such as 2GiB."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?i?b?)\s*", str(memory), re.IGNORECASE)
    unit = UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None:
        raise ValueError(f"memory={memory!r} is no number of bytes; write it as '2GiB', '500MB' or 2**30")
    n_bytes = int(float(found[1]) * unit)
    if n_bytes < LEAST:
        raise ValueError(
            f"memory={memory!r} is less than {LEAST // 2**20} MiB, with which nothing can be read ahead"
        )
    return n_bytes


def _short(source: Any) -> str:
    if isinstance(source, (str, Path)):
        return repr(str(source))
    return type(source).__name__ if not callable(source) else getattr(source, "__name__", "function")


def _source_for(source: Any, target: Any, weight: Any, features: Any, memory: int) -> Source:
    """A source of the right kind."""
    if isinstance(source, (str, Path)) or _are_paths(source):
        return _of_files(source, target, weight, features, memory)
    if callable(source) and not hasattr(source, "__arrow_c_stream__"):
        return _of_function(source, target, weight, features)
    if type(source).__module__.startswith("pyarrow") and hasattr(source, "get_fragments"):
        return arrow.of_dataset(source, target, weight, features)
    if hasattr(source, "__arrow_c_stream__"):
        raise TypeError(
            f"source is a {type(source).__name__}, which may be read once only; pass a function that makes "
            "it, such as lambda: table"
        )
    if sparse.issparse(source) or hasattr(source, "shape") or isinstance(source, list):
        _refuse_names(target, weight, features, "an array")
        return arrays.of_arrays(source, target, weight)
    raise TypeError(
        f"source is a {type(source).__name__}; pass a path, an array, a list of them, a dataset of pyarrow, "
        "or a function that yields blocks"
    )


def _are_paths(source: Any) -> bool:
    return isinstance(source, list) and bool(source) and all(isinstance(one, (str, Path)) for one in source)


def _of_files(source: Any, target: Any, weight: Any, features: Any, memory: int) -> Source:
    paths = [path for one in (source if isinstance(source, list) else [source]) for path in files_of(one)]
    endings = {path.suffix.lower() for path in paths}
    if len(endings) > 1:
        raise ValueError(
            f"source={source!r} has files of several kinds, {', '.join(sorted(endings))}; take one"
        )
    (ending,) = endings
    if ending in (".parquet", ".pq"):
        return arrow.of_paths(paths, target, weight, features, memory)
    if ending == ".npy":
        _refuse_names(target, weight, features, "a file .npy")
        if len(paths) > 1 or isinstance(source, list):
            return arrays.of_arrays(list(paths), target, weight)
        return arrays.of_arrays(paths[0], target, weight)
    if ending == ".npz":
        return arrays.of_archives(paths, target, weight)
    if ending in SVMLIGHT:
        return SvmlightSource(paths)
    raise ValueError(
        f"source={source!r} has the ending {ending!r}; .parquet, .npy, .npz and {', '.join(SVMLIGHT)} can be "
        "read, and everything else by a function that yields blocks"
    )


def files_of(path: str | Path) -> list[Path]:
    """The files of a path, a folder or a pattern."""
    path = Path(path)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = sorted(
            each for each in path.rglob("*") if each.is_file() and not each.name.startswith((".", "_"))
        )
    else:
        found = sorted(Path(each) for each in glob.glob(str(path), recursive=True))
    if not found:
        raise FileNotFoundError(f"source={str(path)!r}: there is no such file, and no file of this pattern")
    return found


def _of_function(function: Callable[[], Any], target: Any, weight: Any, features: Any) -> Source:
    """A source for a function that returns blocks or an Arrow stream."""
    first = function()
    if hasattr(first, "__arrow_c_stream__"):
        return arrow.of_streams(function, target, weight, features)
    if not isinstance(first, Iterable):
        raise TypeError(
            f"the source returns a {type(first).__name__}; it returns an iterator of blocks, or an object "
            "with __arrow_c_stream__"
        )
    close = getattr(first, "close", None)
    if close is not None:
        close()
    if weight is not None or features is not None:
        raise ValueError("weight and features name columns, and a function yields (X, y, weights)")
    return FunctionSource(function, target is not None)


def _refuse_names(target: Any, weight: Any, features: Any, what: str) -> None:
    """Refuse names of columns for arrays, which have none."""
    if features is not None:
        raise ValueError(f"features={features!r} names columns, and {what} has none")
    for name, value in (("target", target), ("weight", weight)):
        if isinstance(value, str) and not value.lower().endswith(".npy"):
            raise ValueError(
                f"{name}={value!r} names a column, and {what} has none; pass an array or a file .npy"
                + (", or None" if name == "target" else "")
            )
