"""The first pass over rows that are not in memory: what training must know about them, and a sample."""

from typing import Any, NamedTuple, Self

import numpy as np
from scipy import sparse

from linclf._data import scale
from linclf._data.labels import classes_of
from linclf._data.targets import Indicators
from linclf._sources.blocks import Block, uniform
from linclf._sources.formats import Format, labels_at, weights_of
from linclf._sources.vocabulary import Vocabulary
from linclf._training.coordinates import Moments, add_squares, least_scale, moments
from linclf._types import FloatArray, IntArray, LabelArray, Matrix

MOST_SAMPLED = 2**24  # values of the sample
SPARE = 1.25  # keys are random: of a part, this many times its share is kept, to have enough
SHARE_SAMPLED, SHARE_HELD_OUT = 16, 4  # the sample may take 1/16 of the memory, and held-out rows 1/4


class Some(NamedTuple):
    """Some of the rows, as a source has them."""

    X: Matrix
    y: LabelArray
    weights: FloatArray

    def take(self, ids: IntArray) -> "Some":
        return Some(self.X[ids], self.y[ids], self.weights[ids])

    @property
    def n_bytes(self) -> int:
        X = self.X
        return X.data.nbytes + X.indices.nbytes if sparse.issparse(X) else X.nbytes


def _joined(parts: list[Some]) -> Some:
    if len(parts) == 1:
        return parts[0]
    stack: Any = sparse.vstack if sparse.issparse(parts[0].X) else np.concatenate
    y, weights = ([getattr(one, name) for one in parts] for name in ("y", "weights"))
    return Some(stack([one.X for one in parts]), np.concatenate(y), np.concatenate(weights))


class Question(NamedTuple):
    """What the first pass has to find out, and how."""

    name: str  # of the estimator, for refusals
    as_it_is: bool  # whether features are used as they are, and may be too small
    memory: int
    held_out: tuple[int, float]  # seed and share of the rows that are not trained on
    seed: int  # of the sample


class Survey(NamedTuple):
    """The results of the first pass; held-out rows are neither counted nor sampled."""

    n_read: int
    n_rows: int
    classes: LabelArray
    lookup: IntArray | None  # class of each number of a vocabulary, or -1 if it is not a class
    mass: FloatArray  # of each class
    without: FloatArray | None  # the weight of the rows without each of several labels
    moments: Moments
    sample: Some
    held_out: Some | None


class Surveyor:
    """Surveys rows block by block.

    ``n_rows`` is the number of all rows, if these are only a part of them: it then keeps hardly more rows
    than the sample of all will have.
    """

    def __init__(self, question: Question, form: Format, n_rows: int = 0) -> None:
        self.question, self.labels = question, _Labels()
        self.moments: Moments | None = None
        self.n_read = self.n_rows = 0
        by_memory = question.memory // (SHARE_SAMPLED * max(form.row_bytes, 1))
        size = (
            form.piece if form.is_sparse else max(min(MOST_SAMPLED // form.n_features, by_memory), form.piece)
        )
        self.sample, self.apart = _Smallest(size, size * SPARE / max(n_rows, 1)), _Smallest(None, 1.0)

    def add(self, block: Block) -> None:
        question, X = self.question, block.checked()
        if not scale.is_ordinary(X):
            scale.check_scale(X, question.name, question.as_it_is)
        some = Some(X, labels_at(block), weights_of(block))
        seed, share = question.held_out
        keys, weights = uniform(block.start, block.n_rows, question.seed), some.weights
        here = np.ones(block.n_rows, bool)  # rows of any weight, as their labels are classes
        if share:
            away = uniform(block.start, block.n_rows, seed) < share
            self.apart.add(some, keys, np.flatnonzero(away & (weights > 0)))
            self._check_held_out(share)
            weights, here = np.where(away, 0.0, weights), ~away
        counted = np.flatnonzero(weights)
        self.n_read, self.n_rows = self.n_read + block.n_rows, self.n_rows + len(counted)
        self.labels.add(some.y[here], weights[here])
        if not len(counted):
            return
        self.sample.add(some, keys, counted)
        self._add_moments(moments_of(X, weights))

    def merged(self, other: Self) -> Self:
        """Merged with another surveyor, which has seen the rows after these."""
        self.n_read, self.n_rows = self.n_read + other.n_read, self.n_rows + other.n_rows
        self.labels.merge(other.labels)
        self.sample.merge(other.sample)
        self.apart.merge(other.apart)
        if self.question.held_out[1]:
            self._check_held_out(self.question.held_out[1])
        if other.moments is not None:
            self._add_moments(other.moments)
        return self

    def result(self, name: str, vocabulary: Vocabulary) -> Survey:
        sample = self.sample.rows()
        if self.moments is None or sample is None:
            raise ValueError(f"{name} has no row with a positive weight")
        classes, lookup, mass = self.labels.found(vocabulary)
        apart = self.apart.rows()
        counts = self.n_read, self.n_rows, classes, lookup, mass, self.labels.without
        return Survey(*counts, self.moments, sample, apart)

    def _add_moments(self, found: Moments) -> None:
        self.moments = found if self.moments is None else self.moments.merged(found)

    def _check_held_out(self, share: float) -> None:
        if self.apart.n_bytes > self.question.memory // SHARE_HELD_OUT:
            raise ValueError(
                f"validation_fraction={share}: the rows that are held out take more than a quarter of "
                f"memory={self.question.memory}; use a smaller fraction, more memory, or X_val and y_val"
            )


class _Smallest:
    """Rows with the smallest keys; if keys are random, a sample without replacement of any number of rows."""

    def __init__(self, size: int | None, limit: float) -> None:
        self.size, self.limit = size, limit
        self.parts: list[tuple[FloatArray, Some]] = []
        self.n_waiting = self.n_bytes = 0

    def add(self, some: Some, keys: FloatArray, ids: IntArray) -> None:
        ids = ids[keys[ids] < self.limit]
        if len(ids):
            self._keep(keys[ids], some.take(ids))

    def merge(self, other: "_Smallest") -> None:
        for keys, some in other.parts:
            self.add(some, keys, np.arange(len(keys)))

    def _keep(self, keys: FloatArray, some: Some) -> None:
        self.parts.append((keys, some))
        self.n_waiting, self.n_bytes = self.n_waiting + len(keys), self.n_bytes + some.n_bytes
        if self.size is not None and 2 * self.n_waiting > 3 * self.size:
            self.rows()

    def rows(self) -> Some | None:
        """The rows with the smallest keys, in the order in which they came; the others are forgotten."""
        if not self.parts:
            return None
        parts = self.parts
        keys = np.concatenate([keys for keys, _ in parts])
        if self.size is not None and len(keys) > self.size:
            self.limit = float(np.partition(keys, self.size)[self.size])
            parts = [(of[of < self.limit], some.take(np.flatnonzero(of < self.limit))) for of, some in parts]
            keys = keys[keys < self.limit]
        some = _joined([some for _, some in parts])
        self.parts, self.n_waiting, self.n_bytes = [(keys, some)], len(keys), some.n_bytes
        return some


class _Labels:
    """The weight of each label, of each class of probabilities, or of rows with and without each label."""

    def __init__(self) -> None:
        self.mass: dict[Any, float] = {}
        self.of_columns: FloatArray | None = None
        self.without: FloatArray | None = None
        self.dtype: np.dtype | None = None

    def add(self, y: LabelArray, weights: FloatArray) -> None:
        if y.ndim == 2 and y.dtype == np.int8:
            without, with_label = Indicators(y).masses(weights)
            self._add_columns(with_label, without)
            return
        if y.ndim == 2:
            self._add_columns(weights @ np.asarray(y, np.float64))
            return
        if not len(y):
            return
        values, inverse = np.unique(y, return_inverse=True)
        masses = np.bincount(inverse, weights, len(values))
        self._add(values.dtype, dict(zip(values.tolist(), masses.tolist(), strict=True)))

    def merge(self, other: "_Labels") -> None:
        if other.of_columns is not None:
            self._add_columns(other.of_columns, other.without)
        if other.dtype is not None:
            self._add(other.dtype, other.mass)

    def _add_columns(self, mass: FloatArray, without: FloatArray | None = None) -> None:
        self.of_columns = mass if self.of_columns is None else self.of_columns + mass
        if without is not None:
            self.without = without if self.without is None else self.without + without

    def _add(self, dtype: np.dtype, mass: dict[Any, float]) -> None:
        self.dtype = dtype if self.dtype is None else np.result_type(self.dtype, dtype)
        for value, more in mass.items():
            self.mass[value] = self.mass.get(value, 0.0) + more

    def found(self, vocabulary: Vocabulary) -> tuple[LabelArray, IntArray | None, FloatArray]:
        """Sorted classes, the class of each number of a vocabulary, and the mass of the classes."""
        if self.of_columns is not None:
            return classes_of(self.of_columns[None]), None, self.of_columns
        numbers = np.array(sorted(self.mass), self.dtype)
        mass = np.array([self.mass[value] for value in numbers.tolist()])
        if not vocabulary.numbers:
            return classes_of(numbers), None, mass
        labels = vocabulary.labels(numbers)
        order = np.argsort(labels, kind="stable")
        lookup = np.full(len(vocabulary.numbers), -1, np.int64)
        lookup[numbers[order]] = np.arange(len(order))
        return classes_of(labels), lookup, mass[order]


def moments_of(X: Matrix, weights: FloatArray) -> Moments:
    """Moments of rows; for sparse rows, sums of squares around 0."""
    if not sparse.issparse(X):
        return moments(X, weights)
    squares = np.zeros(X.shape[1])
    add_squares(X, weights, squares)
    return Moments(weights.sum(), np.zeros(X.shape[1]), squares, least_scale(X.dtype))
