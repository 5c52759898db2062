"""Losses on cosines with ``standardize=True``: rows are standardised before their cosines are taken.

Cosines change with the columns, and neither weights nor a penalty could make up for it. So training uses a
copy of the rows, and everything else sees a model for the original rows.
"""

import numpy as np

from linclf._training.left_out import Task
from linclf._training.model import LinearModel
from linclf._training.monitor import Callbacks, Reached
from linclf._training.spread import Spread
from linclf.heads import Cosine, Linear, StandardisedCosine


def with_standardised_rows(task: Task, spread: Spread) -> Task:
    """The same task, on standardised rows."""
    data, start, validation, callbacks = task.data, task.start, task.validation, task.callbacks
    Z = spread.standardised(data.X)
    if validation is not None:
        rows = validation.data
        held_out = Z if rows.X is data.X else spread.standardised(rows.X)
        validation = validation._replace(data=rows._replace(X=held_out))
    if start is not None:
        # a constant that suits the original rows does not suit these
        head = Cosine(start.head.intercept) if isinstance(start.head, StandardisedCosine) else Linear()
        W = np.asarray(start.W, np.float64)
        start = LinearModel(W * spread.scale, start.b + W @ spread.centre, head)
    if callbacks is not None:
        callbacks = _Converting(callbacks, spread)
    return task._replace(
        data=data._replace(X=Z), start=start, validation=validation, callbacks=callbacks, spread=None
    )


def for_given_rows(model: LinearModel, spread: Spread) -> LinearModel:
    """Turn a model of standardised rows into one of the original rows."""
    W = model.W / spread.scale
    head = StandardisedCosine(model.head.intercept, spread.centre, spread.scale)
    return LinearModel(W, model.b - W @ spread.centre, head)


class _Converting:
    """Shows models of the original rows to callbacks."""

    def __init__(self, callbacks: Callbacks, spread: Spread) -> None:
        self.callbacks, self.spread = callbacks, spread

    def start(self, total: int) -> None:
        self.callbacks.start(total)

    def begin(self) -> None:
        self.callbacks.begin()

    def end(self, model: Reached) -> bool:
        return self.callbacks.end(lambda: for_given_rows(model(), self.spread))
