"""A function as a source: it yields the same blocks each time it is called."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from linclf._sources.blocks import Block
from linclf._sources.vocabulary import Vocabulary


@dataclass
class FunctionSource:
    """``make()`` yields X, or (X, y), or (X, y, weights)."""

    make: Callable[[], Iterable[Any]]
    has_target: bool
    transforms: tuple[Callable[[Any], Any], ...] = ()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    names = None

    def stamp(self) -> Hashable:
        return None

    def mapped(self, transform: Callable[[Any], Any]) -> Self:
        return replace(self, transforms=(*self.transforms, transform))

    def blocks(self, n_rows: int, order: np.random.RandomState | None) -> Iterator[Block]:
        start = 0
        for number, item in enumerate(self.make()):
            given = item if isinstance(item, tuple) else (item,)
            if not 1 + self.has_target <= len(given) <= 3:
                raise ValueError(
                    f"block {number} of the source is a tuple of {len(given)}; the function yields (X, y) or "
                    "(X, y, weights), or X with target=None"
                )
            X, y, weights = (*given, None, None)[:3]
            for transform in self.transforms:
                X = transform(X)
            block = Block(
                start,
                X,
                None if y is None else self._labels(y),
                None if weights is None else np.asarray(weights, np.float64),
            )
            lengths = {len(part) for part in (block.y, block.weights) if part is not None}
            if lengths - {block.n_rows}:
                raise ValueError(
                    f"block {number} of the source has {block.n_rows} rows, and y or weights of {lengths} "
                    "rows"
                )
            yield block
            start += block.n_rows

    def _labels(self, y: Any) -> Any:
        return self.vocabulary.numbered(y)
