"""Training data: checked rows, targets and weights, in the form that all training code uses."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split

from linclf._data.offsets import of_decisions
from linclf._data.targets import Indicators, Labels, Targets
from linclf._types import FloatArray, IntArray, Matrix

COPIED = 2**18  # dense values copied at once


class Dataset(NamedTuple):
    """X (float32/float64, C-ordered or canonical CSR), targets, and a weight for each row.

    If ``chosen`` is given, only these rows count; the others have weight 0, or belong to another part of the
    same X. ``offset (n, K)`` are known scores, which are added to those of the model.
    """

    X: Matrix
    y: Targets
    weights: FloatArray
    chosen: IntArray | None = None
    offset: FloatArray | None = None

    @property
    def ids(self) -> IntArray:
        """The rows that count."""
        return np.arange(len(self.weights)) if self.chosen is None else self.chosen

    @property
    def is_sparse(self) -> bool:
        return sparse.issparse(self.X)

    def take(self, ids: IntArray) -> "Dataset":
        offset = None if self.offset is None else self.offset[ids]
        return Dataset(self.X[ids], self.y.take(ids), self.weights[ids], offset=offset)

    @property
    def counted_offset(self) -> FloatArray | None:
        """The offset of the rows that count."""
        return self.offset if self.offset is None or self.chosen is None else self.offset[self.chosen]

    @property
    def decision_offset(self) -> FloatArray | None:
        """The same in the shape of ``decision_function``: a difference for two classes, not for labels."""
        offset = self.counted_offset
        return offset if offset is None or isinstance(self.y, Indicators) else of_decisions(offset)

    def plus_offset(self, scores: FloatArray) -> "Dataset":
        """The data with further known scores (n, K)."""
        return self._replace(offset=scores if self.offset is None else self.offset + scores)

    @property
    def counted(self) -> tuple[Targets, FloatArray]:
        """Targets and weights of the rows that count."""
        if self.chosen is None:
            return self.y, self.weights
        return self.y.take(self.chosen), self.weights[self.chosen]

    def compact(self) -> "Dataset":
        """The data with only the rows that count."""
        return self if self.chosen is None else self.take(self.chosen)

    def blocks(self, n_scores: int, limit: float) -> Iterator[tuple[slice, Matrix]]:
        """The rows that count, in blocks of at most ``limit`` scores; smaller ones if rows are copied."""
        chosen, n = self.chosen, self.X.shape[0] if self.chosen is None else len(self.chosen)
        size = int(min(limit / n_scores, n))
        if chosen is not None:
            size = min(size, COPIED // self.X.shape[1])
        size = max(1, size)
        if chosen is None and size >= n:  # sparse rows would be copied
            yield slice(0, n), self.X
            return
        for start in range(0, n, size):
            part = slice(start, min(start + size, n))
            yield part, self.X[part] if chosen is None else self.X[chosen[part]]

    def with_labels(self) -> "Dataset":
        """Rows of class probabilities as weighted copies, one for each class."""
        if not self.y.soft:
            return self
        ids = self.ids
        rows, classes, shares = self.y.take(ids).copies()
        rows = ids[rows]
        return Dataset(self.X[rows], Labels(classes, self.y.n_classes), self.weights[rows] * shares)


def dataset(
    X: Matrix,
    y: Targets,
    weights: FloatArray,
    per_class: FloatArray | None,
    offset: FloatArray | None = None,
) -> Dataset:
    """A dataset with class weights multiplied in; a row of probabilities gets its expected class weight."""
    if per_class is not None:
        weights = weights * y.expected(per_class)
        kept = np.flatnonzero(weights)
        if not kept.size:
            raise ValueError("class_weight leaves no row with a positive weight")
        if kept.size < len(weights):
            X, y, weights = X[kept], y.take(kept), weights[kept]
            offset = None if offset is None else offset[kept]
    return Dataset(X, y.cast(X.dtype), weights, offset=offset)


def _divided(labels: IntArray, fraction: float, rng: np.random.RandomState) -> tuple[IntArray, IntArray]:
    """Rows to train on and rows to hold out, stratified by class if there are enough of them."""
    ids, counts = np.arange(len(labels)), np.bincount(labels)
    n_held_out, n_classes = int(np.ceil(fraction * len(labels))), np.count_nonzero(counts > 1)
    several = ids[counts[labels] > 1]  # rows of classes with more than one row
    if 1 < n_classes <= n_held_out <= len(several) - n_classes:
        stratify = labels[several]
        found = train_test_split(several, test_size=n_held_out, random_state=rng, stratify=stratify)
        test = np.asarray(found[1])
        return np.setdiff1d(ids, test), test
    order = rng.permutation(len(labels))
    # in a random order, keep the first row of each class, and hold out rows from the others
    first = np.unique(labels[order], return_index=True)[1]
    others = np.delete(order, first)
    test = others[:n_held_out]
    if not test.size:
        raise ValueError(
            f"early_stopping=True cannot hold out any of {len(labels)} samples: one row of each class has to "
            "be trained on, and there are no others; pass X_val and y_val, or use early_stopping=False"
        )
    return np.setdiff1d(ids, test), test


def _divided_labels(y: Indicators, fraction: float, rng: np.random.RandomState) -> tuple[IntArray, IntArray]:
    """The same for several labels a row: a row with each label and one without it stay in training."""
    order = rng.permutation(y.n_rows)
    has = y.signs[order] > 0
    kept = np.unique(np.concatenate([has.argmax(axis=0), (~has).argmax(axis=0)]))
    test = np.delete(order, kept)[: int(np.ceil(fraction * y.n_rows))]
    if not test.size:
        raise ValueError(
            f"early_stopping=True cannot hold out any of {y.n_rows} samples: rows with and without each "
            "label have to be trained on, and there are no others; pass X_val and y_val, or use "
            "early_stopping=False"
        )
    return np.setdiff1d(order, test), test


def split(data: Dataset, fraction: float, rng: np.random.RandomState) -> tuple[Dataset, Dataset]:
    """Split into training and held-out data; dense rows are shared, sparse held-out rows are copied.

    At least one row of each class is used for training.
    """
    if isinstance(data.y, Indicators):
        train, test = _divided_labels(data.y, fraction, rng)
    else:
        train, test = _divided(data.y.most_probable, fraction, rng)
    test = np.sort(test)
    weights = data.weights.copy()
    weights[test] = 0
    held_out = data.take(test) if data.is_sparse else data._replace(chosen=test)
    return data._replace(weights=weights, chosen=np.sort(train)), held_out
