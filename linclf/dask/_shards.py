"""Partitions of a cluster as shards: tasks on workers, and sums added in the order of partitions.

If a worker is lost, the cluster computes its partitions and its sums again.
"""

import copy
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, Self

import numpy as np
from distributed import Client, Future

from linclf._data.dataset import Dataset
from linclf._sources.blocks import Block, pieces
from linclf._sources.formats import Format, checked, format_of
from linclf._sources.vocabulary import Vocabulary
from linclf._training.blas import one_blas_thread
from linclf._training.coordinates import Moments
from linclf._training.shards import Encoding, Result
from linclf._training.survey import Question, Survey, Surveyor
from linclf._types import FloatArray, IntArray
from linclf.dask._waiting import results

Given = tuple[Any, Any, Any]  # X, y and weights of a partition
# bounds and share of the memory for a sample and held-out rows, in bytes; few rows get less, because workers
# draw the sample
LEAST, MOST, SHARE = 2**28, 2**30, 2


# ------------------------------------------------------------ on the workers


def _block(given: Given, start: int) -> Block:
    X, y, weights = given
    y = None if y is None else Vocabulary().numbered(y) if hasattr(y, "tocsr") else np.asarray(y)
    if y is not None and y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    weights = None if weights is None else np.asarray(weights, np.float64).ravel()
    block = Block(start, X if hasattr(X, "tocsr") else np.asarray(X), y, weights)
    lengths = {len(part) for part in (block.y, block.weights) if part is not None}
    if lengths - {block.n_rows}:
        raise ValueError(f"X has {block.n_rows} rows, and y or sample_weight {max(lengths - {block.n_rows})}")
    return block


def _look(given: Given) -> tuple[int, Format | None]:
    """The number of rows, and the format if there are some."""
    n_rows = given[0].shape[0]
    return n_rows, format_of(_block(given, 0)) if n_rows else None


def _surveyed(given: Given, start: int, question: Question, form: Format, n_rows: int) -> Surveyor:
    surveyor = Surveyor(question, form, n_rows)
    with one_blas_thread():
        for piece in pieces([checked(_block(given, start), form)], form.piece):
            surveyor.add(piece.block())
    return surveyor


def _encoded(given: Given, start: int, form: Format, encoding: Encoding) -> Dataset:
    return encoding.data(checked(_block(given, start), form))


def _total_of(data: Dataset, work: tuple[Callable, Callable], size: int) -> Any:
    function, plus = work
    n_rows = len(data.weights)
    with one_blas_thread():
        parts = [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]
        return reduce(plus, (function(_slice(data, part)) for part in parts))


def _slice(data: Dataset, part: slice) -> Dataset:
    return Dataset(data.X[part], data.y.take(part), data.weights[part])


def _plus(one: Any, other: Any, work: tuple[Callable, Callable]) -> Any:
    """Add to a copy, because a task must not change the result of another task."""
    return work[1](copy.deepcopy(one), other)


def _same(value: Any) -> Any:
    return value


class _Named:
    """A task whose errors name the partition."""

    def __init__(self, function: Callable, number: int) -> None:
        self.function, self.number = function, number

    def __call__(self, *arguments: Any) -> Any:
        try:
            return self.function(*arguments)
        except ValueError as fault:
            raise ValueError(f"partition {self.number}: {fault}") from fault


# ------------------------------------------------------------ on the client


class OnWorkers:
    """The rows of partitions, held by workers."""

    def __init__(self, client: Client, partitions: list[Any], names: list[str] | None) -> None:
        self.client, self.names = client, names
        given: Any = client.compute(partitions)
        self.held = list(given)  # what the workers keep for the fit
        with self:
            looks = results(client, self._each(_look, given))
        kept = [number for number, (n_rows, _) in enumerate(looks) if n_rows]
        if not kept:
            raise ValueError("X has no rows")
        self.given = [given[number] for number in kept]
        lengths = [looks[number][0] for number in kept]
        self.starts = np.cumsum([0, *lengths[:-1]]).tolist()
        self.numbers, self.n_rows = kept, sum(lengths)
        self.form = self._common([(number, looks[number][1]) for number in kept])
        self.memory = min(MOST, max(LEAST, self.n_rows * self.form.row_bytes // SHARE))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        """On an error, cancel the tasks of the fit and free its data on the workers."""
        if kind is not None:
            self.client.cancel(self.held, force=True)

    def _common(self, forms: list[tuple[int, Format]]) -> Format:
        """The format of all partitions."""
        (_, first), *others = forms
        for number, form in others:
            alike = form._replace(kind=first.kind) if {form.kind, first.kind} <= set("biu") else form
            if alike != first:
                mine, theirs = first._asdict(), form._asdict()
                name = next(name for name in mine if mine[name] != theirs[name])
                raise ValueError(
                    f"partition {number} has {name}={theirs[name]!r}, and the first one {mine[name]!r}; all "
                    "partitions have the same columns and types"
                )
        return first

    def _each(self, function: Callable, over: list[Future], *arguments: Any) -> list[Future]:
        """A task for each partition; errors in its data name the partition."""
        numbers = getattr(self, "numbers", range(len(over)))
        return [
            self.client.submit(_Named(function, number), one, *(each[at] for each in arguments), pure=False)
            for at, (number, one) in enumerate(zip(numbers, over, strict=True))
        ]

    def added(self, parts: list[Future], plus: Callable, *arguments: Any) -> Any:
        """Sum the results of tasks, in a tree that depends only on the number of partitions."""
        made = list(parts)
        try:
            while len(parts) > 1:
                pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
                parts = [
                    self.client.submit(plus, *pair, *arguments, pure=False) if len(pair) == 2 else pair[0]
                    for pair in pairs
                ]
                made += parts
            return results(self.client, parts)[0]
        except BaseException:
            self.client.cancel(made, force=True)
            raise

    def survey(self, question: Question, n_jobs: int) -> Survey:
        same = question, self.form, self.n_rows
        parts = self._each(_surveyed, self.given, self.starts, *([one] * len(self.given) for one in same))
        # samples go to the client, which keeps them, so they are not merged on workers
        return reduce(Surveyor.merged, results(self.client, parts)).result("X", Vocabulary())

    def shards(self, encoding: Encoding, mass: FloatArray, moments: Moments) -> "OfPartitions":
        n = len(self.given)
        data = self._each(_encoded, self.given, self.starts, [self.form] * n, [encoding] * n)
        self.held += data
        return OfPartitions(self, data, encoding, mass, moments)


class OfPartitions:
    """The partitions as shards."""

    shuffles = False

    def __init__(
        self, rows: OnWorkers, data: list[Future], encoding: Encoding, mass: FloatArray, moments: Moments
    ) -> None:
        self.rows, self.data, self.encoding = rows, data, encoding
        self.mass, self.moments = mass, moments

    @property
    def n_rows(self) -> int:
        return self.encoding.n_rows

    @property
    def without(self) -> FloatArray | None:
        return self.encoding.without

    def total(
        self, function: Callable[[Dataset], Result], plus: Callable[[Result, Result], Result], n_jobs: int
    ) -> Result:
        rows = self.rows
        # as the result of a task it is sent once, and made again if it is lost
        work = rows.client.submit(_same, (function, plus), pure=False)
        n = len(self.data)
        parts = rows._each(_total_of, self.data, [work] * n, [rows.form.piece] * n)
        return rows.added(parts, _plus, work)

    def shuffled(self, rng: np.random.RandomState | None) -> Iterator[tuple[Dataset, IntArray]]:
        raise NotImplementedError("no solver asks for it")
