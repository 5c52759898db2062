"""Rows to calibrate on, cut into parts that are held out in turn.

A weight of k is k copies of a row, here too. Rows are laid along a line, each as long as its weight, sorted
so that copies are neighbours; each unit of the line belongs to one part. So a row of weight 1 is in one part,
and a row of weight 2 is in the parts where two copies would be. The result depends neither on the order of
the rows nor on that of the classes. The assignment of units to parts looks random but never changes.

It must look random. Parts with equal shares of each class, or of confident and doubtful rows, are so alike
that held-out rows do not reveal overfitting: with parts stratified in both ways, the weakest penalty was
chosen for 1,000 rows of networks with 100 classes, and raised their log loss by 3 %.
"""

from typing import NamedTuple

import numpy as np

from linclf._types import FloatArray, IntArray
from linclf.calibration._rows import Rows

N_PARTS = 5
PERIOD = 20_000  # units after which the assignment to parts repeats


class HeldOut(NamedTuple):
    """Rows to fit to, and the rows held out."""

    fit: Rows
    test: Rows


def held_out_parts(rows: Rows) -> list[HeldOut]:
    """A pair for each part; an empty list if a part would be empty."""
    weights = rows.weights * rows.total
    order = _order(rows)
    dealt = np.zeros((N_PARTS, len(weights)))
    dealt[:, order] = _dealt(weights[order])
    tiny = 1e-9 * weights  # rounding errors
    left = weights - dealt
    dealt[dealt <= tiny] = 0
    left[left <= tiny] = 0
    if not (dealt.any(axis=1) & left.any(axis=1)).all():
        return []
    return [
        HeldOut(_weighted(rows, kept), _weighted(rows, out)) for kept, out in zip(left, dealt, strict=True)
    ]


def _order(rows: Rows) -> IntArray:
    """By class, then by the lead of the true class; classes are ordered by their smallest lead."""
    others, target = rows.scores.copy(), rows.target[:, None]
    own = np.take_along_axis(others, target, axis=1)[:, 0]
    np.put_along_axis(others, target, -np.inf, axis=1)
    ahead = own - others.max(axis=1)
    least = np.full(others.shape[1], np.inf)
    np.minimum.at(least, rows.target, ahead)
    gaps = (rows.scores.max(axis=1, keepdims=True) - rows.scores).sum(axis=1)
    return np.lexsort((gaps, ahead, rows.target, least[rows.target]))


def _dealt(weights: FloatArray) -> FloatArray:
    """The weight (N_PARTS, n) of each row in each part."""
    part = np.random.RandomState(0).permutation(PERIOD) % N_PARTS  # NumPy guarantees this stream
    is_of = part == np.arange(N_PARTS)[:, None]
    counts = np.zeros((N_PARTS, PERIOD + 1))
    np.cumsum(is_of, axis=1, out=counts[:, 1:])
    rounds = np.floor(weights / PERIOD)
    rest = weights - PERIOD * rounds
    start = (np.cumsum(rest) - rest) % PERIOD

    def before(place: FloatArray) -> FloatArray:
        """The length of the line up to a place that belongs to each part."""
        unit = np.floor(place)
        turns, at = np.divmod(unit.astype(np.int64), PERIOD)
        return counts[:, at] + turns * counts[:, -1:] + (place - unit) * is_of[:, at]

    return rounds * counts[:, -1:] + before(start + rest) - before(start)


def _weighted(rows: Rows, weights: FloatArray) -> Rows:
    """The rows with new weights, without those of weight 0."""
    taken, total = weights > 0, weights.sum()
    return rows._replace(
        scores=rows.scores[taken], target=rows.target[taken], weights=weights[taken] / total, total=total
    )
