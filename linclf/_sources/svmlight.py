"""svmlight text files, read in chunks."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.datasets import load_svmlight_file

from linclf._sources.blocks import Block, stamp_of
from linclf._sources.vocabulary import Vocabulary
from linclf._types import Matrix

CHUNK = 2**24  # bytes of text
MOST = 2**31 - 1  # largest number of features


class Stretch(NamedTuple):
    """Some lines of a file."""

    path: Path
    offset: int
    start: int  # number of the first row


@dataclass
class SvmlightSource:
    """Files with lines of a label followed by pairs of a feature and its value."""

    paths: list[Path]
    transforms: tuple[Callable[[Any], Any], ...] = ()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    # a stamp, and for it the stretches, the number of features and the first feature
    found: tuple[Hashable, tuple[list[Stretch], int, int]] | None = None

    names = None

    def stamp(self) -> Hashable:
        return stamp_of(self.paths)

    def mapped(self, transform: Callable[[Any], Any]) -> Self:
        return replace(self, transforms=(*self.transforms, transform))

    def blocks(self, n_rows: int, order: np.random.RandomState | None) -> Iterator[Block]:
        stamp = self.stamp()
        if self.found is None or self.found[0] != stamp:
            self.found = stamp, self._looked_through()
        stretches, n_features, first = self.found[1]
        numbers = np.arange(len(stretches))
        for number in numbers if order is None else order.permutation(numbers):
            stretch = stretches[number]
            X, y = _read(stretch.path, stretch.offset, n_features + first)
            X = X[:, first:]
            for transform in self.transforms:
                X = transform(X)
            whole = np.all(y == np.rint(y))
            yield Block(stretch.start, X, y.astype(np.int64) if whole else y)

    def _looked_through(self) -> tuple[list[Stretch], int, int]:
        """One pass that counts rows and features, because a feature may first occur in the last line."""
        stretches, start, most, least = [], 0, 0, 1
        for path in self.paths:
            for offset in range(0, path.stat().st_size, CHUNK):
                X, y = _read(path, offset, MOST)
                stretches.append(Stretch(path, offset, start))
                start += len(y)
                if X.nnz:
                    most, least = max(most, int(X.indices.max()) + 1), min(least, int(X.indices.min()))
        first = 1 if least else 0  # features are numbered from 1, unless there is a 0
        return stretches, most - first, first


def _read(path: Path, offset: int, n_features: int) -> tuple[Matrix, Any]:
    try:
        options: dict[str, Any] = {"zero_based": True}
        X, y = load_svmlight_file(str(path), n_features=n_features, **options, offset=offset, length=CHUNK)[
            :2
        ]
    except ValueError as fault:
        raise ValueError(f"{path} cannot be read as svmlight: {fault}") from fault
    return X, y
