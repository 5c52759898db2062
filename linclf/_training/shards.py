"""Rows that are not in memory: how training sees them, and how they are read from batches."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from linclf._data.dataset import Dataset
from linclf._data.labels import index_of
from linclf._data.targets import Indicators, Labels, Probabilities, Targets
from linclf._kernels.problem import Problem
from linclf._sources.batches import Batches
from linclf._sources.blocks import Block, Raw, uniform
from linclf._sources.formats import Format, labels_at, weights_of
from linclf._training.coordinates import Moments
from linclf._training.survey import Question, Survey, Surveyor, moments_of
from linclf._training.threads import threads
from linclf._types import FloatArray, IntArray, LabelArray

Result = TypeVar("Result")
SHARE_SHUFFLED = 28  # a buffer of rows takes 1/28 of the memory: six are in use, and allocators keep as many


class Formulated(Protocol):
    """Makes the problem of some rows, in training coordinates."""

    def problem(self, data: Dataset) -> Problem: ...


class Shards(Protocol):
    """All rows; each pass goes through them again, cut in the same way each time."""

    @property
    def shuffles(self) -> bool:
        """Whether `shuffled` is available."""
        ...

    @property
    def n_rows(self) -> int:
        """The number of rows that count."""
        ...

    @property
    def mass(self) -> FloatArray:
        """The weight of each class."""
        ...

    @property
    def without(self) -> FloatArray | None:
        """The weight of the rows without each of several labels."""
        ...

    @property
    def moments(self) -> Moments:
        """Moments of each feature; for sparse ones, sums of squares around 0."""
        ...

    def total(
        self, function: Callable[[Dataset], Result], plus: Callable[[Result, Result], Result], n_jobs: int
    ) -> Result:
        """The results of a function for all shards, added up; ``plus`` may change its first operand."""
        ...

    def shuffled(self, rng: np.random.RandomState | None) -> Iterator[tuple[Dataset, IntArray]]:
        """Many rows at a time, and the indices of those that count, shuffled if there is a generator.

        The order of all rows is random as far as memory allows.
        """
        ...


class Elsewhere(Protocol):
    """A source of rows that are not in memory."""

    @property
    def form(self) -> Format: ...

    @property
    def names(self) -> list[str] | None: ...

    @property
    def memory(self) -> int:
        """Bytes that rows may take here."""
        ...

    def survey(self, question: Question, n_jobs: int) -> Survey:
        """Go through all rows."""
        ...

    def shards(self, encoding: "Encoding", mass: FloatArray, moments: Moments) -> Shards: ...


class Encoding(NamedTuple):
    """Turns blocks into data, once all rows have been seen."""

    n_rows: int  # that count
    classes: LabelArray
    lookup: IntArray | None  # class of each number of a vocabulary
    per_class: FloatArray | None  # weights
    held_out: tuple[int, float]  # seed and share of the rows that are not trained on
    per_label: tuple[FloatArray, FloatArray] | None = None  # factors for rows without and with each label
    without: FloatArray | None = None  # the weight of the rows without each label

    def data(self, block: Block) -> Dataset:
        weights, given = weights_of(block), labels_at(block)
        if self.without is not None:
            y: Targets = Indicators(given).weighted(self.per_label).cast(block.X.dtype)
        elif given.ndim == 2:
            y = Probabilities(np.asarray(given, np.float64)).cast(block.X.dtype)
        else:
            codes, counted = np.zeros(len(given), np.int64), weights > 0  # other rows may have any label
            codes[counted] = codes_of(given[counted], self.classes, self.lookup)
            y = Labels(codes, len(self.classes))
        if self.per_class is not None:
            weights = weights * y.expected(self.per_class)
        seed, share = self.held_out
        if share:
            weights = weights * (uniform(block.start, block.n_rows, seed) >= share)
        return Dataset(block.X, y, weights)


def codes_of(given: LabelArray, classes: LabelArray, lookup: IntArray | None) -> IntArray:
    """The class of each label; labels of a vocabulary are numbers, which ``lookup`` maps to classes."""
    if lookup is None:
        return index_of(given, classes)
    codes = lookup[given.astype(np.int64)]
    if (codes < 0).any():
        raise ValueError("a label is of no class")
    return codes


def weighted_moments(data: Dataset) -> Moments | None:
    """Moments of the rows, or None if all weights are 0."""
    return moments_of(data.X, data.weights) if data.weights.any() else None


def merged(one: Moments | None, other: Moments | None) -> Moments | None:
    return one.merged(other) if one is not None and other is not None else one or other


# ------------------------------------------------------------ batches


class SourceChanged(ValueError):
    """The rows are not those of the first pass."""


class OnDisk:
    """The rows of batches."""

    def __init__(self, batches: Batches) -> None:
        self.batches, self.form, self.names = batches, batches._format, batches._names
        self.memory = batches.memory
        self.stamp: Any = None
        self.n_read = 0

    def survey(self, question: Question, n_jobs: int) -> Survey:
        self.stamp = self.batches._source.stamp()
        surveyor = Surveyor(question, self.form)
        with threads(n_jobs, n_jobs) as pool, closing(self.batches._pieces()) as pieces:
            for block in in_order(pool, self.batches._rows, pieces, n_jobs):
                surveyor.add(block)
        self.n_read = surveyor.n_read
        return surveyor.result(repr(self.batches), self.batches._source.vocabulary)

    def shards(self, encoding: Encoding, mass: FloatArray, moments: Moments) -> "FromBatches":
        return FromBatches(self, encoding, mass, moments)

    def pieces(self, order: np.random.RandomState | None, size: int | None) -> Generator[Raw, None, None]:
        """The rows of the first pass; an error if they have changed."""
        self._check_stamp()
        n_read = 0
        with closing(self.batches._pieces(order, size)) as blocks:
            for block in blocks:
                n_read += block.n_rows
                yield block
        self._check_stamp()
        if n_read != self.n_read:
            raise SourceChanged(
                f"{self.batches!r} had {self.n_read:,} rows in the first pass and has {n_read:,} now: the "
                "source has changed, or the function does not yield the same blocks each time"
            )

    def _check_stamp(self) -> None:
        if self.batches._source.stamp() != self.stamp:
            raise SourceChanged(f"a file of {self.batches!r} has changed since the first pass; fit again")


@dataclass(frozen=True, eq=False)
class FromBatches:
    """Shards that are pieces of batches."""

    rows: OnDisk
    encoding: Encoding
    mass: FloatArray
    moments: Moments

    shuffles = True

    @property
    def n_rows(self) -> int:
        return self.encoding.n_rows

    @property
    def without(self) -> FloatArray | None:
        return self.encoding.without

    def _data(self, piece: Raw) -> Dataset:
        block = self.rows.batches._rows(piece)
        try:
            return self.encoding.data(block)
        except (ValueError, IndexError) as fault:
            raise SourceChanged(
                f"rows {block.start} and following of {self.rows.batches!r} have a label that no row had in "
                "the first pass: the source has changed since"
            ) from fault

    def total(
        self, function: Callable[[Dataset], Result], plus: Callable[[Result, Result], Result], n_jobs: int
    ) -> Result:
        with threads(n_jobs, n_jobs) as pool, closing(self.rows.pieces(None, None)) as pieces:
            return reduce(plus, in_order(pool, lambda piece: function(self._data(piece)), pieces, n_jobs))

    def shuffled(self, rng: np.random.RandomState | None) -> Iterator[tuple[Dataset, IntArray]]:
        # another thread reads, and has to draw from its own generator
        reading = None if rng is None else np.random.RandomState(rng.randint(2**31))
        with closing(self.rows.pieces(reading, self.buffer)) as pieces:
            for piece in pieces:
                data = self._data(piece)
                ids = np.flatnonzero(data.weights)
                if len(ids):
                    yield data, ids if rng is None else rng.permutation(ids)

    @property
    def buffer(self) -> int:
        """Rows that are shuffled at once."""
        form = self.rows.form
        if form.is_sparse:
            return form.piece
        return max(self.rows.memory // (SHARE_SHUFFLED * form.row_bytes) // form.piece, 1) * form.piece


def in_order(
    pool: ThreadPoolExecutor | None, function: Callable[[Any], Result], items: Iterable[Any], n_jobs: int
) -> Iterator[Result]:
    """The results in the order of the items; only a few are computed in advance."""
    if pool is None:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > n_jobs:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
