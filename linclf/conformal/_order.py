"""Where each class stands in its row: the probability that it leaves, and how many are above it."""

import numpy as np

from linclf._types import FloatArray, IntArray


def standing(p: FloatArray) -> tuple[FloatArray, IntArray]:
    """For probabilities (n, K), the sum over classes that are not more probable, and the number of others.

    Both are (n, K). Classes of equal probability do not count as more probable, so that the order of the
    classes is irrelevant.
    """
    order = np.argsort(p, axis=1)
    ordered = np.take_along_axis(p, order, axis=1).astype(np.float64)
    up_to = np.cumsum(ordered, axis=1)  # small ones first, so that they keep their digits
    last = np.tile(np.arange(p.shape[1]), (len(p), 1))
    tied = ordered[:, 1:] == ordered[:, :-1]
    for values in (up_to, last):  # of equal classes, all get the value of the last
        values[:, :-1][tied] = p.shape[1] + 1
        backwards = values[:, ::-1]
        np.minimum.accumulate(backwards, axis=1, out=backwards)
    left, above = np.empty_like(up_to), np.empty_like(last)
    np.put_along_axis(left, order, up_to, axis=1)
    np.put_along_axis(above, order, p.shape[1] - 1 - last, axis=1)
    return left, above
