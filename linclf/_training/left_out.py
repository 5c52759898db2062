"""Features that do not occur in sparse rows are left out of training: their weights are 0.

That is where the penalty takes them. Without a penalty nothing moves them, and so weights to start from that
are not 0 stay as they are: then all features are trained.
"""

from typing import NamedTuple, Self

import numpy as np

from linclf._data.columns import Columns, occurring
from linclf._data.dataset import Dataset
from linclf._training.model import LinearModel
from linclf._training.monitor import Callbacks, Outcome, Reached
from linclf._training.validation import Validation
from linclf._types import Loss
from linclf.losses._registry import trait


class Task(NamedTuple):
    """What a training is given of features: rows, weights to start from, and who sees the model."""

    data: Dataset
    start: LinearModel | None
    validation: Validation | None
    callbacks: Callbacks | None
    columns: Columns | None = None  # the features that are trained, if not all

    def without_absent(self, loss: Loss, alpha: float, n_outputs: int) -> Self:
        """With the features that occur only, if these are so few that it pays."""
        data, start, validation = self.data, self.start, self.validation
        if not data.is_sparse:
            return self
        columns = occurring(data.X, data.chosen)
        n_absent = columns.n_features - len(columns.at)
        if start is not None and n_absent:
            weights = columns.widened(start.W[:, columns.at])
            if alpha > 0 and trait(loss, "head").equivariant:
                start = start._replace(W=weights)
            elif not np.array_equal(start.W, weights):
                return self
        # a copy of the indices has to be smaller than the weights that are saved
        if not len(columns.at) < n_absent or data.X.nnz > n_outputs * n_absent:
            return self._replace(start=start)
        if start is not None:
            start = start._replace(W=start.W[:, columns.at])
        if validation is not None:
            rows = validation.data
            validation = validation._replace(data=rows._replace(X=columns.narrowed(rows.X)))
        callbacks = self.callbacks
        if callbacks is not None:
            callbacks = _Widening(callbacks, columns)
        data = data._replace(X=columns.narrowed(data.X))
        return type(self)(data, start, validation, callbacks, columns)

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
