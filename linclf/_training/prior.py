"""A prior is an offset: the weights are those of an earlier model plus others, which start at 0.

The penalty is then on these others, ``alpha/2 |W - W0|^2``, and no solver has to know: it minimises the
objective with the scores of the earlier model as known scores.
"""

import numpy as np

from linclf._data.dataset import Dataset
from linclf._training.left_out import Task, Widening
from linclf._training.model import LinearModel


def besides_prior(task: Task) -> Task:
    """The task for the difference from the prior, if there is one; `with_prior` is its inverse."""
    prior, validation, callbacks = task.prior, task.validation, task.callbacks
    if prior is None:
        return task
    if task.classes is not None:
        prior = task.classes.start(prior)
    start = task.start
    if start is not None:
        start = without_prior(start, prior)
    if validation is not None:
        validation = validation._replace(data=_with_scores(validation.data, prior))
    if callbacks is not None:
        callbacks = Widening(callbacks, lambda model: with_prior(model, prior))
    data = _with_scores(task.data, prior)
    return task._replace(data=data, start=start, validation=validation, callbacks=callbacks, prior=prior)


def with_prior(model: LinearModel, prior: LinearModel | None) -> LinearModel:
    """The sum of a prior and the difference from it."""
    return model if prior is None else model._replace(W=model.W + prior.W, b=model.b + prior.b)


def without_prior(model: LinearModel, prior: LinearModel | None) -> LinearModel:
    """The difference of a model from a prior."""
    return model if prior is None else model._replace(W=model.W - prior.W, b=model.b - prior.b)


def _with_scores(data: Dataset, prior: LinearModel) -> Dataset:
    with np.errstate(over="ignore", invalid="ignore"):
        scores = prior.scores(data.X)
        data = data.plus_offset(scores)
    if not np.isfinite(scores if data.offset is None else data.offset).all():
        largest = max(np.abs(prior.W).max(), np.abs(prior.b).max())
        raise ValueError(
            f"the weights of prior reach {largest:.3g}, and its scores overflow {data.X.dtype}; pass X as "
            "float64, or scale its columns before both fits"
        )
    return data
