"""The interface of solvers, each of which is one way to a minimum."""

from typing import Protocol

import numpy as np

from linclf._data.dataset import Dataset
from linclf._training.fit import Fit
from linclf._training.monitor import Monitor, Outcome
from linclf._training.sampling import Sampling
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._types import Loss
from linclf.heads import Head


class Solver(Protocol):
    """Declares what it needs before anything large is created, and then goes to the minimum."""

    @property
    def streams(self) -> bool:
        """Whether it can train on a part of the rows."""
        ...

    @property
    def levels(self) -> bool:
        """Whether it copes by itself with sparse columns that outweigh all others."""
        ...

    @property
    def automatic_tol(self) -> float:
        """The value of tol="auto"."""
        ...

    @property
    def name(self) -> str:
        """The name that a user gives, for messages."""
        ...

    @property
    def automatic(self) -> bool:
        """Whether its steps have no unit, so that the features may be brought to other coordinates."""
        ...

    @property
    def needs_passes(self) -> bool:
        """Whether each step is a pass over all rows."""
        ...

    def for_problem(
        self, loss: Loss, data: Dataset, alpha: float, watched: bool, sampling: Sampling | None
    ) -> "Solver":
        """The solver to use, by default itself; ``watched`` says whether there are validation rows."""
        ...

    def for_shards(self, loss: Loss, watched: bool, shuffles: bool) -> "Solver":
        """The same for rows that are not in memory; ``shuffles``: whether they have a random order."""
        ...

    def check(self, loss: Loss, data: Dataset) -> None:
        """Refuse a loss or data that it cannot train; the error names both sides."""
        ...

    def bytes_needed(self, shape: Shape) -> int:
        """Bytes that training needs at least for weights of this shape."""
        ...

    def extent(self, settings: Settings, loss: Loss, head: Head, shape: Shape) -> tuple[int, int | None]:
        """Maximum number of passes over the rows, and the rows of a batch, or None for all rows."""
        ...

    def solve(self, fit: Fit, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        """Train, and record each epoch or iteration in the monitor."""
        ...
