"""Offsets of the scores of classes that raise a score of the predictions: a search along one class at a time.

If only the offset of class k changes, row r is predicted as k as soon as the offset exceeds its lead, the
best score of the others minus that of k. So the rows in the order of their leads, and a cut between two of
them, are all that can be chosen: a `Judge` values all cuts at once.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from linclf._types import FloatArray, IntArray

MOST_SWEEPS = 100  # each raises the score; a few are usual
SAME_SCORE = 1e-12  # smaller gains are rounding
SAME_LEAD = 1e-10  # leads that are closer differ by rounding, and their rows move together
MOST_TRIALS = 64  # cuts that a scorer of scikit-learn is asked about, out of up to n + 1


class Judge(Protocol):
    """The value of predictions, which are positions in the classes."""

    def value(self, predicted: IntArray) -> float:
        """The value of predictions of all rows."""
        ...

    def along(self, k: int, order: IntArray, rivals: IntArray, cuts: IntArray) -> FloatArray:
        """Values if the first ``cuts[c]`` rows of ``order`` get class k, and the others their rivals."""
        ...


class Counts(NamedTuple):
    """Per class: the weight of rows found, predicted and true; the weight of all rows, and the classes that
    occur."""

    found: FloatArray
    predicted: FloatArray
    true: FloatArray
    total: float
    n_true: int


class ByClass(NamedTuple):
    """A score that is a sum over the classes, such as balanced accuracy: all cuts take a sort and a sum."""

    y: IntArray
    weights: FloatArray
    true: FloatArray  # weight of the rows of each class
    part: Callable[[Counts], FloatArray]  # of one class in the score

    def value(self, predicted: IntArray) -> float:
        found = self._sums(self.y, self.weights * (predicted == self.y))
        return float(self._parts(found, self._sums(predicted, self.weights), self.true).sum())

    def along(self, k: int, order: IntArray, rivals: IntArray, cuts: IntArray) -> FloatArray:
        y, w, rivals = self.y[order], self.weights[order], rivals[order]
        right = w * (y == rivals)
        true = self.true
        found_at_first, predicted_at_first = self._sums(rivals, right), self._sums(rivals, w)
        gained = self._parts(_sums_before(w * (y == k)), _sums_before(w), true[k])
        # a row that leaves its rival changes the part of that class alone: sums within the rows of a rival
        by = np.argsort(rivals, kind="stable")
        of, sizes = rivals[by], np.bincount(rivals, minlength=len(true))
        found = found_at_first[of] - _sums_within(right[by], sizes)
        predicted = predicted_at_first[of] - _sums_within(w[by], sizes)
        after = self._parts(found, predicted, true[of])
        before = self._parts(found + right[by], predicted + w[by], true[of])
        lost = np.empty(len(by))
        lost[by] = after - before
        rest = self._parts(found_at_first, predicted_at_first, true)
        return (gained + _sums_before(lost) + rest.sum() - rest[k])[cuts]

    def _sums(self, of: IntArray, values: FloatArray) -> FloatArray:
        return np.bincount(of, values, len(self.true)).astype(np.float64)

    def _parts(self, found: FloatArray, predicted: FloatArray, true: FloatArray) -> FloatArray:
        found, predicted, true = np.broadcast_arrays(found, predicted, true)
        counts = Counts(found, predicted, true, self.true.sum(), int(np.count_nonzero(self.true)))
        # a class without rows has no part, also where rounding leaves a little of its weight
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(true > 0, self.part(counts), 0.0)


class OfPositive(NamedTuple):
    """A score of one of two classes, such as its F1: all cuts take a sort and a sum."""

    positive: int
    y: IntArray
    weights: FloatArray
    score: Callable[[Counts], FloatArray]

    def value(self, predicted: IntArray) -> float:
        taken = self.weights * (predicted == self.positive)
        found = np.sum(taken * (self.y == self.positive))
        return float(self._scored(found, taken.sum()))

    def along(self, k: int, order: IntArray, rivals: IntArray, cuts: IntArray) -> FloatArray:
        w = self.weights[order]
        right = w * (self.y[order] == self.positive)
        if k == self.positive:
            return self._scored(_sums_before(right), _sums_before(w))[cuts]
        # the rows before the cut leave the positive class
        return self._scored(_sums_before(right[::-1])[::-1], _sums_before(w[::-1])[::-1])[cuts]

    def _scored(self, found: FloatArray, predicted: FloatArray) -> FloatArray:
        true = self.weights[self.y == self.positive].sum()
        counts = Counts(found, predicted, true, self.weights.sum(), 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self.score(counts)
        return np.where(found > 0, value, 0.0)  # of nothing found, also 0 / 0


class Asked(NamedTuple):
    """Any value of predictions: some of the cuts are tried one by one.

    Half of them are at equal numbers of rows, and half at equal numbers of rows of class k, or of the others
    if these are fewer: of a rare class, the first half may lie between no two rows.
    """

    ask: Callable[[IntArray], float]
    y: IntArray

    def value(self, predicted: IntArray) -> float:
        return self.ask(predicted)

    def along(self, k: int, order: IntArray, rivals: IntArray, cuts: IntArray) -> FloatArray:
        values = np.full(len(cuts), -np.inf)
        tried = np.arange(len(cuts))
        if len(cuts) > MOST_TRIALS:
            of_class = self.y[order] == k
            few = 2 * of_class.sum() <= len(order)
            places = np.flatnonzero(of_class) + 1 if few else np.flatnonzero(~of_class)
            places = np.searchsorted(cuts, places[_spread(len(places), MOST_TRIALS // 2)])
            tried = np.union1d(_spread(len(cuts), MOST_TRIALS // 2), places)
        for at in tried:
            predicted = rivals.copy()
            predicted[order[: cuts[at]]] = k
            values[at] = self.ask(predicted)
        return values


def _spread(n: int, most: int) -> IntArray:
    """Positions from 0 to n - 1, evenly spread."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(int)


def _sums_before(values: FloatArray) -> FloatArray:
    """Sums of the first 0, 1, ..., n values."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _sums_within(values: FloatArray, sizes: IntArray) -> FloatArray:
    """Sums up to each value, within consecutive groups of the given sizes."""
    sums = _sums_before(values)
    firsts = np.cumsum(sizes) - sizes
    return sums[1:] - np.repeat(sums[firsts], sizes)


def tuned_offsets(scores: FloatArray, judge: Judge, starts: list[FloatArray]) -> tuple[FloatArray, float]:
    """The best offsets found from each start, 0 for the first class, and their value.

    Never worse than the first start.
    """
    found = [_climbed(scores, judge, start) for start in starts]
    candidates = [starts[0], *(offsets - offsets[0] for offsets in found)]
    values = [judge.value((scores + offsets).argmax(axis=1)) for offsets in candidates]
    best = int(np.argmax(np.asarray(values) > max(values) - SAME_SCORE))  # the first one of equals
    return candidates[best], values[best]


def _climbed(scores: FloatArray, judge: Judge, offsets: FloatArray) -> FloatArray:
    """Change one offset at a time to its best value, until none of them helps."""
    first, second = _best_two(scores + offsets)
    value = judge.value(first)
    for _ in range(MOST_SWEEPS):
        before = value
        for k in range(scores.shape[1]):
            rivals = np.where(first == k, second, first)
            leads = _of(scores + offsets, rivals) - scores[:, k]
            cuts, places, order = _cuts(leads)
            values = judge.along(k, order, rivals, cuts)
            best = np.nanmax(values)
            if not best > value + SAME_SCORE:
                continue
            equal = np.flatnonzero(values >= best - SAME_SCORE)
            pick = equal[np.abs(places[equal] - offsets[k]).argmin()]  # the least change of all equals
            trial = offsets.copy()
            trial[k] = places[pick]
            moved = _best_two(scores + trial)
            reached = judge.value(moved[0])
            if reached > value + SAME_SCORE:
                offsets, value, (first, second) = trial, reached, moved
        if not value > before:
            break
    return offsets


def _cuts(leads: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Numbers of rows below each cut, an offset for each cut, and the order of the rows."""
    order = np.argsort(leads, kind="stable")
    leads = leads[order]
    inner = np.flatnonzero(np.diff(leads) > SAME_LEAD * (1 + np.abs(leads[1:]))) + 1
    middles = leads[inner - 1] + (leads[inner] - leads[inner - 1]) / 2
    cuts = np.concatenate([[0], inner, [len(leads)]])
    return cuts, np.concatenate([[leads[0] - 1], middles, [leads[-1] + 1]]), order


def _best_two(scores: FloatArray) -> tuple[IntArray, IntArray]:
    """The first and the second class of each row."""
    first = scores.argmax(axis=1)
    scores[np.arange(len(scores)), first] = -np.inf
    return first, scores.argmax(axis=1)


def _of(scores: FloatArray, classes: IntArray) -> FloatArray:
    return scores[np.arange(len(scores)), classes]
