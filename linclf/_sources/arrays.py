"""Array sources: in memory, in memory-mapped files, and sparse rows in archives."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from scipy import sparse

from linclf._sources.blocks import Block, stamp_of
from linclf._sources.vocabulary import Vocabulary
from linclf._types import LabelArray, Matrix


class Part(NamedTuple):
    """Rows that are opened on reading."""

    name: str
    n_rows: int
    open: Callable[[], tuple[Matrix, Any, Any]]  # X, y and weights, as arrays


@dataclass
class ArraySource:
    """One part after the other; with ``order``, parts and pieces within them come in random order."""

    parts: list[Part]
    paths: list[Path]
    transforms: tuple[Callable[[Any], Any], ...] = ()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    names = None

    def stamp(self) -> Hashable:
        return stamp_of(self.paths)

    def mapped(self, transform: Callable[[Any], Any]) -> Self:
        return replace(self, transforms=(*self.transforms, transform))

    def blocks(self, n_rows: int, order: np.random.RandomState | None) -> Iterator[Block]:
        starts = np.cumsum([0, *[part.n_rows for part in self.parts]])
        numbers = np.arange(len(self.parts))
        for number in numbers if order is None else order.permutation(numbers):
            part, start = self.parts[number], int(starts[number])
            X, y, weights = part.open()
            places = np.arange(0, X.shape[0], n_rows)
            for place in places if order is None else order.permutation(places):
                rows = slice(int(place), min(int(place) + n_rows, X.shape[0]))
                yield Block(
                    start + rows.start,
                    self._features(X[rows]),
                    None if y is None else self._labels(y[rows]),
                    None if weights is None else np.asarray(weights[rows], np.float64),
                )

    def _features(self, X: Any) -> Matrix:
        for transform in self.transforms:
            X = transform(X)
        return X

    def _labels(self, y: Any) -> LabelArray:
        return self.vocabulary.numbered(y)


def of_arrays(X: Any, y: Any, weights: Any, name: str = "X") -> ArraySource:
    """A source of arrays, sparse matrices or memory maps, or lists of them, one after the other."""
    lists = [X, y, weights] if isinstance(X, list) else [[X], [y], [weights]]
    Xs = lists[0]
    ys, all_weights = (part if part is not None else [None] * len(Xs) for part in lists[1:])
    for what, given in (("target", ys), ("weight", all_weights)):
        if not isinstance(given, list) or len(given) != len(Xs):
            raise ValueError(f"{what} must be a list of {len(Xs)} arrays, as the source is one")
    parts, paths = [], []
    for number, (one, y_one, w_one) in enumerate(zip(Xs, ys, all_weights, strict=True)):
        paths += [Path(each) for each in (one, y_one, w_one) if isinstance(each, (str, Path))]
        label = str(one) if isinstance(one, (str, Path)) else f"{name}[{number}]" if len(Xs) > 1 else name
        opened = _opened(one), _opened(y_one), _opened(w_one)
        shapes = [np.shape(each) for each in opened if each is not None]
        if len({shape[0] for shape in shapes}) > 1:
            raise ValueError(f"{label} has {shapes[0][0]} rows, and its target or weight {shapes[-1][0]}")
        open_ = _opener(one, y_one, w_one)
        parts.append(Part(label, shapes[0][0], open_))
    return ArraySource(parts, paths)


def _opener(X: Any, y: Any, weights: Any) -> Callable[[], tuple[Matrix, Any, Any]]:
    return lambda: (_opened(X), _opened(y), _opened(weights))


def _opened(given: Any) -> Any:
    """An array, memory-mapped if it is a path; sparse matrices as CSR."""
    if given is None:
        return None
    if isinstance(given, (str, Path)):
        try:
            return np.load(given, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as fault:
            raise ValueError(f"{given} cannot be read as an array of NumPy: {fault}") from fault
    if sparse.issparse(given):
        return given.tocsr()
    return given if isinstance(given, np.ndarray) else np.asarray(given)


def of_archives(paths: list[Path], target: str | None, weight: str | None) -> ArraySource:
    """Files of `scipy.sparse.save_npz` or `numpy.savez` that also contain target and weights."""

    def open_(path: Path) -> tuple[Matrix, Any, Any]:
        try:
            with np.load(path, allow_pickle=False) as found:
                arrays = dict(found)
        except (ValueError, EOFError, OSError) as fault:
            raise ValueError(f"{path} cannot be read as an archive of NumPy: {fault}") from fault
        if {"data", "indices", "indptr", "shape"} <= set(arrays):
            csr = (arrays["data"], arrays["indices"], arrays["indptr"])
            arrays["X"] = sparse.csr_array(csr, shape=tuple(arrays["shape"]))
        for name in filter(None, ("X", target, weight)):
            if name not in arrays:
                raise ValueError(f"{path} has no array {name!r}, only {', '.join(arrays)}")
        return arrays["X"], arrays.get(target or ""), arrays.get(weight or "")

    parts = [Part(str(path), open_(path)[0].shape[0], lambda path=path: open_(path)) for path in paths]
    return ArraySource(parts, paths)
