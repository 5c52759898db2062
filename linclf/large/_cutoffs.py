"""A cost model to cut classes, sorted by frequency, into a head and tails.

The cost of a row is the number of class scores that it needs. All rows need the head, with an output
for each tail, and the share p_c of them that is in tail c needs that tail; each part that a row is in
adds a fixed cost, `ROW`.
"""

from collections.abc import Iterable
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import ArrayLike

from linclf._data.limits import is_integer
from linclf._types import FloatArray

MOST = 3  # largest number of tails of automatic cut-offs
FEWEST_CLASSES = 1000  # up to this number the full softmax is cheap enough
GAIN = 1.3  # ratio of costs below which the full softmax is better
ROW = 64.0  # cost of a row in a part besides its scores, in classes
HEAD = 0.5  # least share of the rows with a class in the head: one score for a whole tail tells little
POSITIONS = 48  # positions to try for a cut-off, in geometric progression


def cost(frequencies: FloatArray, cutoffs: ArrayLike, shrinkage: float = 1.0) -> FloatArray:
    """Cost of a row under the cut-offs, for sorted frequencies; tail c costs ``shrinkage**c`` per class."""
    cutoffs = np.atleast_2d(np.asarray(cutoffs, np.int64))
    edges = np.hstack([cutoffs, np.full((len(cutoffs), 1), len(frequencies))])
    mass = np.append(0, np.cumsum(frequencies)) / frequencies.sum()
    shares, sizes = np.diff(mass[edges], axis=1), np.diff(edges, axis=1)
    factors = shrinkage ** np.arange(1, cutoffs.shape[1] + 1)
    return cutoffs[:, 0] + cutoffs.shape[1] + ROW + (shares * (sizes * factors + ROW)).sum(axis=1)


def automatic(frequencies: FloatArray, shrinkage: float = 1.0) -> list[int]:
    """Cut-offs of the least cost: at most `MOST`, with at least half of the rows in the head.

    Empty if the gain is small.
    """
    K = len(frequencies)
    if K <= FEWEST_CLASSES:
        return []
    mass = np.cumsum(frequencies)
    least = max(2, int(np.searchsorted(mass, HEAD * mass[-1])) + 1)
    if least > K - 2:
        return []
    grid = np.unique(np.geomspace(least, K - 2, POSITIONS).round().astype(np.int64))
    best, found = (K + ROW) / GAIN, []
    for n_tails in range(1, MOST + 1):
        choices = np.array(list(combinations(grid, n_tails)))
        costs = cost(frequencies, choices, shrinkage)
        if costs.min() < best:
            best, found = costs.min(), choices[costs.argmin()].tolist()
    return found


def checked(cutoffs: Iterable, n_classes: int) -> list[int]:
    """Cut-offs given by the user, as a list of int."""
    values = list(cutoffs)
    rising = all(map(is_integer, values)) and all(a < b for a, b in pairwise(values))
    if not rising or (values and not 1 <= values[0] <= values[-1] < n_classes):
        raise ValueError(
            f"cutoffs={cutoffs!r} must be 'auto' or increasing integers between 1 and {n_classes - 1}, one "
            "less than the number of classes"
        )
    return [int(c) for c in values]


def merged(cutoffs: list[int], frequencies: FloatArray) -> list[int]:
    """Drop the cut-offs at which a tail of one class, or of no weight, would begin.

    Such a tail joins the part before it.
    """
    kept = list(cutoffs)
    for start in reversed(cutoffs):
        at = kept.index(start)
        end = kept[at + 1] if at + 1 < len(kept) else len(frequencies)
        if end - start == 1 or not frequencies[start:end].any():
            kept.remove(start)
    return kept
