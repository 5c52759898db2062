"""The largest score that still belongs into a set: a quantile of the scores of calibration rows."""

import math
from numbers import Real
from typing import NamedTuple

import numpy as np

from linclf._types import FloatArray, IntArray
from linclf.conformal._interfaces import ALL_ROWS

# (n + 1) * coverage can lie a few units in the last place above a whole number, which it is meant to be
ROUNDING = 1e-12


class Thresholds(NamedTuple):
    """For each class, the threshold (inf: always in the set) and the number of rows behind it."""

    values: FloatArray
    n_rows: IntArray


def check_coverage(coverage: float) -> float:
    """The coverage as a float between 0 and 1."""
    if not isinstance(coverage, Real) or isinstance(coverage, (bool, np.bool_)):
        raise TypeError(f"coverage={coverage!r}: pass a number between 0 and 1, such as 0.9")
    if not 0 < coverage < 1:
        raise ValueError(f"coverage={coverage!r} must lie between 0 and 1, such as 0.9 for 90 %")
    return float(coverage)


def rows_needed(coverage: float) -> int:
    """The fewest calibration rows for which some score of theirs is high enough."""
    return math.ceil(coverage / (1 - coverage) * (1 - ROUNDING))


def thresholds(
    scores: FloatArray, row_categories: IntArray, categories: IntArray, coverage: float
) -> Thresholds:
    """The score of rank ``ceil((n + 1) * coverage)`` among the n rows of each category.

    ``scores`` are sorted, and ``row_categories`` are the categories of these rows.
    """
    wanted, of_class = np.unique(categories, return_inverse=True)
    order = np.argsort(row_categories, kind="stable")  # by category, and by score within it
    grouped = row_categories[order]
    start, end = (np.searchsorted(grouped, wanted, side) for side in ("left", "right"))
    n_rows = np.where(wanted == ALL_ROWS, len(scores), end - start)
    ranks = np.ceil((n_rows + 1) * coverage * (1 - ROUNDING)).astype(np.intp)
    values = np.full(len(wanted), np.inf)
    for at in np.flatnonzero(ranks <= n_rows):
        row = ranks[at] - 1
        values[at] = scores[row if wanted[at] == ALL_ROWS else order[start[at] + row]]
    return Thresholds(values[of_class], n_rows[of_class])
