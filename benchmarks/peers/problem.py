"""The objective on one data set that every peer minimises."""

from typing import NamedTuple, Self

import numpy as np

from benchmarks.data.dataset import DataSet
from benchmarks.peers.objective import objective

Weights = tuple[np.ndarray, np.ndarray]  # W with a row for each class, or one row for two classes, and b


class Problem(NamedTuple):
    data: DataSet
    loss: str  # a name in `objective.LOSSES` and in `linclf.losses.LOSSES`
    alpha: float

    @property
    def C(self) -> float:
        return 1 / (self.alpha * len(self.data.y))

    @property
    def n_parameters(self) -> int:
        n_rows = 1 if self.data.n_classes == 2 else self.data.n_classes
        return n_rows * (self.data.X.shape[1] + 1)

    def objective(self, W: np.ndarray, b: np.ndarray) -> float:
        return objective(self.loss, W, b, self.data.X, self.data.y, self.alpha)

    def small(self) -> Self:
        """The same with few rows, to trigger what a package loads at its first call."""
        rows = np.random.default_rng(0).permutation(len(self.data.y))[:1000]
        y = np.unique(self.data.y[rows], return_inverse=True)[1]
        return self._replace(data=self.data._replace(X=self.data.X[rows], y=y))
