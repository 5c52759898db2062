"""Rows on their way from a source to training: blocks of any size, cut into pieces of equal size."""

import queue
import threading
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy import sparse

from linclf._sources.vocabulary import Vocabulary
from linclf._types import FloatArray, LabelArray, Matrix

AHEAD = 2  # blocks that are read while another one is computed on


class Raw(Protocol):
    """Rows as a source reads them, cheap to cut and to join; converted to numbers in another thread."""

    @property
    def start(self) -> int:
        """The number of the first row among all rows of the source."""
        ...

    @property
    def n_rows(self) -> int: ...

    def take(self, part: slice) -> "Raw": ...

    def joined(self, others: list[Any]) -> "Raw":
        """These rows, followed by others."""
        ...

    def block(self) -> "Block":
        """The rows themselves."""
        ...


class Block(NamedTuple):
    """Rows as arrays, which serve as their raw form too."""

    start: int
    X: Matrix  # C-ordered float32/float64, or CSR
    y: LabelArray | None = None  # labels, rows of class probabilities, or indicators of several labels
    weights: FloatArray | None = None

    @property
    def n_rows(self) -> int:
        return self.X.shape[0]

    def take(self, part: slice) -> "Block":
        y, weights = self.y, self.weights
        return Block(
            self.start + part.start,
            self.X[part],
            None if y is None else y[part],
            None if weights is None else weights[part],
        )

    def joined(self, others: list["Block"]) -> "Block":
        blocks = [self, *others]
        for one in blocks:
            if np.shape(one.X)[1:] != np.shape(self.X)[1:]:
                raise ValueError(
                    f"the block that starts with row {one.start} has rows of shape {np.shape(one.X)[1:]}, "
                    f"and the one before {np.shape(self.X)[1:]}; all blocks of a source have the same columns"
                )
            labels, before = (() if y is None else y.shape for y in (one.y, self.y))
            if labels[1:] != before[1:]:
                raise ValueError(
                    f"the block that starts with row {one.start} has labels of shape {labels}, and "
                    f"the one before {before}; all blocks of a source have the same columns"
                )
        stack: Any = sparse.vstack if sparse.issparse(self.X) else np.concatenate
        y = [one.y for one in blocks if one.y is not None]
        weights = [one.weights for one in blocks if one.weights is not None]
        return Block(
            self.start,
            stack([one.X for one in blocks]),
            np.concatenate(y) if y else None,
            np.concatenate(weights) if weights else None,
        )

    def block(self) -> "Block":
        return self

    def checked(self) -> Matrix:
        """The features; NaN and infinity are refused, with the row and the column."""
        X = self.X
        values = X.data if sparse.issparse(X) else X
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(values.sum()) or np.isfinite(values).all():
                return X
        if sparse.issparse(X):
            at = int(np.argmin(np.isfinite(X.data)))
            row, column = int(np.searchsorted(X.indptr, at, side="right")) - 1, int(X.indices[at])
        else:
            row, column = map(int, np.argwhere(~np.isfinite(X))[0])
        raise ValueError(
            f"Input X contains {'NaN' if np.isnan(X[row, column]) else 'infinity'}: row {self.start + row}, "
            f"column {column}; fit an imputer to a sample of the rows and pass it to Batches(...).map"
        )


class Source(Protocol):
    """Rows that can be read again and again."""

    vocabulary: Vocabulary  # numbers for labels that are not numbers

    @property
    def names(self) -> list[str] | None:
        """Names of the features, or None."""
        ...

    def blocks(self, n_rows: int, order: np.random.RandomState | None) -> Iterator[Raw]:
        """All rows in their order, about ``n_rows`` at a time.

        With ``order``, parts of the source that can be read separately come in random order.
        """
        ...

    def stamp(self) -> Hashable:
        """A value that changes if the data change."""
        ...

    def mapped(self, transform: Callable[[Any], Any]) -> "Source":
        """A source with the features of each block transformed."""
        ...


def stamp_of(paths: Iterable[Path]) -> Hashable:
    """Sizes and modification times of files."""
    return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths)


def pieces(blocks: Iterable[Raw], n_rows: int) -> Iterator[Raw]:
    """Regroup consecutive blocks into ``n_rows`` rows each, so that sums do not depend on blocks."""
    waiting: list[Raw] = []
    for block in blocks:
        if waiting and block.start != waiting[-1].start + waiting[-1].n_rows:
            yield _joined(waiting)
            waiting = []
        missing = n_rows - sum(one.n_rows for one in waiting)
        while block.n_rows >= missing:
            first = block if block.n_rows == missing else block.take(slice(0, missing))
            yield _joined([*waiting, first])
            block, waiting, missing = block.take(slice(missing, block.n_rows)), [], n_rows
        if block.n_rows:
            waiting.append(block)
    if waiting:
        yield _joined(waiting)


def _joined(blocks: list[Raw]) -> Raw:
    return blocks[0] if len(blocks) == 1 else blocks[0].joined(blocks[1:])


class _Failed(NamedTuple):
    fault: BaseException


def prefetched(blocks: Iterable[Any], ahead: int) -> Generator[Any, None, None]:
    """The same blocks, read ahead by a separate thread."""
    ready: queue.Queue[Any] = queue.Queue(ahead)
    stopped, end = threading.Event(), object()

    def put(item: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for block in blocks:
                if not put(block):
                    return
            put(end)
        except BaseException as fault:
            put(_Failed(fault))

    reader = threading.Thread(target=read, name="linclf-reader", daemon=True)
    try:
        reader.start()
        while True:
            item = ready.get()
            if item is end:
                return
            if isinstance(item, _Failed):
                raise item.fault
            yield item
    finally:
        stopped.set()
        if reader.ident is not None:  # else an interrupt came before the start, and the thread ends by itself
            reader.join()


def uniform(start: int, n_rows: int, seed: int) -> FloatArray:
    """A number in [0, 1) per row that depends only on its index and the seed (SplitMix64, Steele 2014)."""
    with np.errstate(over="ignore"):
        z = np.arange(start + 1, start + n_rows + 1, dtype=np.uint64)
        z = (z + np.uint64(seed) * np.uint64(0xD1342543DE82EF95)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)) * 2.0**-53
