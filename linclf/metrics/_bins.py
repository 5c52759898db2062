"""Bins of probabilities, of equal width or of equal weight."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from linclf._data.limits import is_integer
from linclf._types import BoolArray, FloatArray, IntArray

Strategy: TypeAlias = Literal["uniform", "quantile"]


class Bins(NamedTuple):
    """Rows in bins ``(edges[b], edges[b + 1]]``; the first also includes its left edge.

    Attributes
    ----------
    bin_of_row : ndarray of shape (n,)
        The bin of each row.
    row_weight : ndarray of shape (n,)
        The weight of each row.
    weight : ndarray of shape (n_bins,)
        The sum of the weights in each bin.
    edges : ndarray of shape (n_bins + 1,)
        From 0 to 1.
    """

    bin_of_row: IntArray
    row_weight: FloatArray
    weight: FloatArray
    edges: FloatArray

    def mean(self, values: FloatArray | BoolArray) -> FloatArray:
        """The weighted mean of the values in each bin, one value per row; NaN in empty bins."""
        sums = np.bincount(self.bin_of_row, self.row_weight * values, len(self.weight))
        return np.divide(sums, self.weight, out=np.full(len(sums), np.nan), where=self.weight > 0)


def binned(values: FloatArray, weights: FloatArray, n_bins: int, strategy: Strategy) -> Bins:
    """`Bins` of values in [0, 1].

    Raises
    ------
    ValueError
        If n_bins is not 1 or more, or the strategy is unknown.
    TypeError
        If n_bins is not an integer.
    """
    if not is_integer(n_bins):
        raise TypeError(f"n_bins={n_bins!r}: pass an integer, 1 or more, such as 15")
    if n_bins < 1:
        raise ValueError(f"n_bins={n_bins!r}: pass 1 or more, such as 15")
    if strategy not in _INNER_EDGES:
        raise ValueError(f"strategy={strategy!r}: pass one of {', '.join(map(repr, _INNER_EDGES))}")
    inner = _INNER_EDGES[strategy](values, weights, int(n_bins))
    index = np.searchsorted(inner, values)
    totals = np.asarray(np.bincount(index, weights, len(inner) + 1), np.float64)
    return Bins(index, weights, totals, np.concatenate([[0.0], inner, [1.0]]))


def _equal_width(values: FloatArray, weights: FloatArray, n_bins: int) -> FloatArray:
    return np.arange(1, n_bins) / n_bins


def _equal_weight(values: FloatArray, weights: FloatArray, n_bins: int) -> FloatArray:
    """The 1/B, 2/B, ... quantiles by weight; equal values stay together."""
    distinct, inverse = np.unique(values, return_inverse=True)
    reached = np.cumsum(np.bincount(inverse, weights))
    wanted = reached[-1] * np.arange(1, n_bins) / n_bins
    # the sum of ten weights of 0.1 may be just below 1
    last = np.unique(np.searchsorted(reached, wanted * (1 - 1e-12)))
    return distinct[last[last < len(distinct) - 1]]


_INNER_EDGES = {"uniform": _equal_width, "quantile": _equal_weight}
