"""What the classifier asks of a conformity score and of a taxonomy."""

from typing import NamedTuple, Protocol

import numpy as np

from linclf._types import FloatArray, IntArray

ALL_ROWS = -1  # the category of classes that share the quantile of all rows


class Score(Protocol):
    """How badly each class fits a row: a class is in the set if its score is low enough."""

    def of_classes(self, p: FloatArray, seed: int) -> FloatArray:
        """Scores (n, K) for probabilities (n, K); a row's scores depend on that row and the seed only."""
        ...


class Assignment(NamedTuple):
    """Categories of the classes, and the rows whose scores give the quantiles.

    ``categories`` (K,) are numbers; the quantile of a category is that of its own rows, or of all rows for
    `ALL_ROWS`. ``rows`` (m,) are indices into the calibration rows.
    """

    categories: IntArray
    rows: IntArray


class Taxonomy(Protocol):
    """Which classes share a quantile."""

    def assign(
        self, scores: FloatArray, codes: IntArray, n_classes: int, rng: np.random.RandomState
    ) -> Assignment:
        """The categories, from the scores of the calibration rows and their classes (-1: unknown)."""
        ...
