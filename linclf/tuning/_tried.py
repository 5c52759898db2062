"""Penalties that have been tried, and which ones to try next."""

from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np

from linclf._types import FloatArray
from linclf.tuning._paths import PartPath

BETWEEN = 3  # penalties between the best one and a neighbour


class Tried(NamedTuple):
    """Penalties from strong to weak, the path of each part, and values of rows left out one by one."""

    alphas: FloatArray
    paths: list[PartPath]
    of_rows: FloatArray | None = None

    def around_best(self) -> FloatArray:
        """Penalties between the best one and its neighbours, the strongest first."""
        scores = np.mean([one.scores for one in self.paths], axis=0)
        best = int(scores.max(axis=0).argmax())
        near = self.alphas[max(best - 1, 0) : best + 2]
        return np.concatenate([np.geomspace(*pair, BETWEEN + 2)[1:-1] for pair in pairwise(near)])

    def merged(self, other: Self) -> Self:
        """Both merged, from strong to weak."""
        alphas = np.concatenate([self.alphas, other.alphas])
        order = np.argsort(-alphas, kind="stable")
        paths = [a.merged(b, order) for a, b in zip(self.paths, other.paths, strict=True)]
        of_rows = self.of_rows
        if of_rows is not None and other.of_rows is not None:
            of_rows = np.concatenate([of_rows, other.of_rows], axis=1)[:, order]
        return type(self)(alphas[order], paths, of_rows)
