"""Features that do not occur in sparse rows are left out of training if their weights start at 0.

They stay at 0, with or without a penalty. With other weights to start from, all features are trained.
Classes without weight are left out, too (`present.py`).
"""

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from linclf._data.columns import Columns, occurring
from linclf._data.dataset import Dataset
from linclf._training.model import LinearModel
from linclf._training.monitor import Callbacks, Outcome, Reached
from linclf._training.present import Present, present_in
from linclf._training.shards import Shards
from linclf._training.spread import Spread
from linclf._training.validation import Validation
from linclf._types import Loss
from linclf.losses._registry import trait


class Task(NamedTuple):
    """The inputs of training that depend on features: rows, weights to start from, and callbacks."""

    data: Dataset
    start: LinearModel | None = None
    validation: Validation | None = None
    callbacks: Callbacks | None = None
    columns: Columns | None = None  # the features that are trained, if not all
    spread: Spread | None = None  # of the features, if the penalty is in its units
    shards: Shards | None = None  # all rows, if data are a sample of them
    classes: Present | None = None  # the classes that are trained, if not all
    prior: LinearModel | None = None  # the penalty is on the difference from it

    def without_absent_classes(self, loss: Loss, fit_intercept: bool) -> Self:
        """The task without classes of weight 0, unless rows are elsewhere or scores are not of classes.

        Without intercepts that are fitted, nothing but the rows says that they are rare: they keep a prior.
        """
        classes = present_in(self.data.y.mass(self.data.weights))
        if classes is None or self.shards is not None or trait(loss, "n_outputs") is not None:
            return self
        if not fit_intercept:
            classes = classes._replace(known=self.prior)
        validation, callbacks = self.validation, self.callbacks
        if validation is not None:
            rows = classes.narrowed(validation.data)
            if not len(rows.ids):
                raise ValueError(
                    "all validation rows are of classes without a row of positive weight to train on; "
                    "pass others as X_val and y_val, or use early_stopping=False"
                )
            validation = validation._replace(data=rows)
        if callbacks is not None:
            dtype = self.data.X.dtype
            callbacks = Widening(callbacks, lambda model: classes.widened(model, dtype))
        return self._replace(
            data=classes.narrowed(self.data),
            start=None if self.start is None else classes.start(self.start),
            validation=validation,
            callbacks=callbacks,
            classes=classes,
        )

    def without_absent(self, loss: Loss, n_outputs: int) -> Self:
        """The task with only the features that occur, if these are so few that it pays."""
        data, start, validation = self.data, self.start, self.validation
        if not data.is_sparse:
            return self
        if validation is not None and not trait(loss, "head").equivariant:
            return self  # the lengths of its rows include features that are not trained
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
            callbacks = Widening(callbacks, lambda model: _widened(model, columns))
        data = data._replace(X=columns.narrowed(data.X))
        spread = None if self.spread is None else self.spread.narrowed(columns)
        return self._replace(
            data=data, start=start, validation=validation, callbacks=callbacks, columns=columns, spread=spread
        )

    def widened(self, outcome: Outcome) -> Outcome:
        """The outcome with weights of all features."""
        if self.columns is None:
            return outcome
        return outcome._replace(model=_widened(outcome.model, self.columns))


class Widening:
    """Shows whole models to callbacks."""

    def __init__(self, callbacks: Callbacks, whole: Callable[[LinearModel], LinearModel]) -> None:
        self.callbacks, self.whole = callbacks, whole

    def start(self, total: int) -> None:
        self.callbacks.start(total)

    def begin(self) -> None:
        self.callbacks.begin()

    def end(self, model: Reached) -> bool:
        return self.callbacks.end(lambda: self.whole(model()))


def _widened(model: LinearModel, columns: Columns) -> LinearModel:
    return model._replace(W=columns.widened(model.W))
