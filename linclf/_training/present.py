"""Classes without weight get a probability of 0, and the others are trained as if these did not exist.

A class has no weight if all of its rows have weight 0, or if it is missing in a fold or a bootstrap sample.
"""

from typing import NamedTuple

import numpy as np

from linclf._data.dataset import Dataset
from linclf._data.targets import Indicators, Labels, Probabilities, Targets
from linclf._training.model import LinearModel
from linclf._types import FloatArray, IntArray

# how far the score of such a class is below the mean of the others, and so below the highest: exp(-GAP) is 0
GAP = 1000.0
# the same for products that are divided by the length of a row, which `check_scale` limits
GAPS_OF_PRODUCTS = {np.dtype(np.float32): 1e30, np.dtype(np.float64): 1e120}


class Present(NamedTuple):
    """The classes that have weight, sorted, and the number of all classes."""

    at: IntArray
    n_classes: int
    known: LinearModel | None = None  # a model whose weights the others keep

    @property
    def absent(self) -> IntArray:
        return np.delete(np.arange(self.n_classes), self.at)

    def narrowed(self, data: Dataset) -> Dataset:
        """The rows with these classes only; rows of other classes do not count."""
        y, weights = data.y, data.weights
        if isinstance(y, Labels):
            place = np.full(self.n_classes, -1)
            place[self.at] = np.arange(len(self.at))
            codes = place[y.codes]
            counts = codes >= 0
            targets: Targets = Labels(np.maximum(codes, 0), len(self.at))
        else:
            assert not isinstance(y, Indicators), "labels without rows are refused"
            p = y.p[:, self.at]
            shares = p.sum(axis=1, dtype=np.float64)
            counts = shares > 0
            weights = weights * shares
            p = p / np.where(counts, shares, 1)[:, None]
            targets = Probabilities(np.ascontiguousarray(p, y.p.dtype))
        if data.offset is not None:
            data = data._replace(offset=np.ascontiguousarray(data.offset[:, self.at]))
        ids = data.ids[counts[data.ids]]
        if len(ids) == len(data.ids):
            return data._replace(y=targets, weights=weights)
        narrowed = data._replace(y=targets, weights=np.where(counts, weights, 0), chosen=ids)
        return narrowed.compact() if data.is_sparse else narrowed

    def start(self, model: LinearModel) -> LinearModel:
        """The model to start from."""
        return model._replace(W=model.W[self.at], b=model.b[self.at])

    def widened(self, model: LinearModel, dtype: np.dtype) -> LinearModel:
        """The model of all classes, for rows of this dtype."""
        W, b = np.empty((self.n_classes, model.W.shape[1]), model.W.dtype), np.empty(self.n_classes)
        W[self.at], b[self.at] = model.W, model.b
        if self.known is not None:
            W[self.absent], b[self.absent] = self.known.W[self.absent], self.known.b[self.absent]
            return model._replace(W=W, b=b)
        W[self.absent] = model.W.mean(axis=0)
        gap = GAP if model.head.equivariant else GAPS_OF_PRODUCTS[np.dtype(dtype)]
        b[self.absent] = model.b.mean() - gap
        return model._replace(W=W, b=b)

    def settled(self, model: LinearModel, dtype: np.dtype) -> LinearModel:
        """A model that was trained with all classes, as if it had been trained with these only."""
        return self.widened(self.start(model), dtype)


def present_in(mass: FloatArray) -> Present | None:
    """The classes with weight, or None if all have some."""
    at = np.flatnonzero(mass)
    return None if len(at) == len(mass) else Present(at, len(mass))


def revived(model: LinearModel) -> LinearModel | None:
    """The model to start from: a class without weight in the last fit starts at the mean of the others.

    None for cosines: the mean of directions may have no direction, so they start again.
    """
    lost = model.b < model.b.max(initial=-np.inf) - GAP / 2
    if not lost.any():
        return model
    if not model.head.equivariant:
        return None
    W, b = model.W[~lost].mean(axis=0), model.b[~lost].mean()
    untrained = np.isclose(model.b, b - GAP) & np.isclose(model.W, W, rtol=1e-4, atol=1e-30).all(axis=1)
    b = np.where(lost & untrained, b, model.b)
    if len(b) == 2:  # they were made from their difference, with opposite signs
        b -= b.mean()
    return model._replace(b=b)
