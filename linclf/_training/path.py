"""Many penalties: training with each starts from the model of the last, stronger one."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from linclf._training.fit import Fit
from linclf._training.left_out import Task
from linclf._training.monitor import Outcome
from linclf._training.prior import besides_prior
from linclf._training.settings import Settings
from linclf._training.solver import Solver
from linclf._training.train import chosen, fit_for, of_given_rows, of_one_class, prepared, trained
from linclf._types import Loss


@runtime_checkable
class Follower(Protocol):
    """A solver that goes from one penalty to the next and keeps all that it knows about the rows."""

    def follow(self, fit: Fit, alphas: Sequence[float]) -> Iterator[Outcome]:
        """The outcome for each of the decreasing penalties, without bounds."""
        ...


def path(
    task: Task,
    loss: Loss,
    solver: Solver,
    settings: Settings,
    alphas: Sequence[float],
    rng: np.random.RandomState,
) -> Iterator[Outcome]:
    """Train with each of the decreasing penalties; ``settings.alpha`` is ignored."""
    # coordinates are made for the weakest penalty: they then depend on the features only
    settings = settings._replace(alpha=min(alphas), verbose=0)
    whole, task = task, besides_prior(task.without_absent_classes(loss, settings.fit_intercept))
    if task.classes is not None and len(task.classes.at) == 1:
        yield from (of_one_class(task, loss, settings) for _ in alphas)
        return
    follower, followed = chosen(solver, settings, loss, task)
    if not isinstance(follower, Follower):
        for alpha in alphas:
            outcome = trained(whole, loss, solver, settings._replace(alpha=alpha), None, rng)
            whole = whole._replace(start=outcome.model)
            yield outcome
        return
    given, task = task, prepared(task, loss, follower)
    fit = fit_for(task, loss, follower, followed, None, rng)
    for outcome in follower.follow(fit, alphas):
        yield of_given_rows(outcome._replace(solver=follower.name), task, given, loss)
