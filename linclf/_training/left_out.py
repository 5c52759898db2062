"""Features that do not occur in sparse rows are left out of training if their weights start at 0.

There they stay, with a penalty and without. Other weights to start from are trained with all features.
"""

from typing import NamedTuple, Self

import numpy as np

from linclf._data.columns import Columns, occurring
from linclf._data.dataset import Dataset
from linclf._training.model import LinearModel
from linclf._training.monitor import Callbacks, Outcome, Reached
from linclf._training.shards import Shards
from linclf._training.spread import Spread
from linclf._training.validation import Validation
from linclf._types import Loss
from linclf.losses._registry import trait


class Task(NamedTuple):
    """What a training is given of features: rows, weights to start from, and who sees the model."""

    data: Dataset
    start: LinearModel | None = None
    validation: Validation | None = None
    callbacks: Callbacks | None = None
    columns: Columns | None = None  # the features that are trained, if not all
    spread: Spread | None = None  # of the features, if the penalty is in its units
    shards: Shards | None = None  # all rows, if data are a sample of them

    def without_absent(self, loss: Loss, n_outputs: int) -> Self:
        """With the features that occur only, if these are so few that it pays."""
        data, start, validation = self.data, self.start, self.validation
        if not data.is_sparse:
            return self
        if validation is not None and not trait(loss, "head").equivariant:
            return self  # the lengths of its rows count features that are not trained
        columns = occurring(data.X, data.chosen)
        n_absent = columns.n_features - len(columns.at)
        # a copy of the indices has to be smaller than the weights that are saved
        if not len(columns.at) < n_absent or data.X.nnz > n_outputs * n_absent:
            return self
        if start is not None and columns.without(np.any(start.W, axis=0)).any():
            return self
        if start is not None:
            start = start._replace(W=start.W[:, columns.at])
        if validation is not None:
            rows = validation.data
            validation = validation._replace(data=rows._replace(X=columns.narrowed(rows.X)))
        callbacks = self.callbacks
        if callbacks is not None:
            callbacks = _Widening(callbacks, columns)
        data = data._replace(X=columns.narrowed(data.X))
        spread = None if self.spread is None else self.spread.narrowed(columns)
        return type(self)(data, start, validation, callbacks, columns, spread)

    def widened(self, outcome: Outcome) -> Outcome:
        """With weights of all features."""
        if self.columns is None:
            return outcome
        return outcome._replace(model=_widened(outcome.model, self.columns))


class _Widening:
    """Shows models of all features to callbacks."""

    def __init__(self, callbacks: Callbacks, columns: Columns) -> None:
        self.callbacks, self.columns = callbacks, columns

    def start(self, total: int) -> None:
        self.callbacks.start(total)

    def begin(self) -> None:
        self.callbacks.begin()

    def end(self, model: Reached) -> bool:
        return self.callbacks.end(lambda: _widened(model(), self.columns))


def _widened(model: LinearModel, columns: Columns) -> LinearModel:
    return model._replace(W=columns.widened(model.W))
