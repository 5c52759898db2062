"""Many penalties: the model of each is where training for the next, weaker one starts."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from linclf._data.dataset import Dataset
from linclf._training.fit import Fit
from linclf._training.model import LinearModel
from linclf._training.monitor import Outcome
from linclf._training.settings import Settings
from linclf._training.solver import Solver
from linclf._training.train import chosen, fit_for, task_of, trained
from linclf._types import Loss


@runtime_checkable
class Follower(Protocol):
    """A solver that goes on from one penalty to the next with all that it knows of the rows."""

    def follow(self, fit: Fit, alphas: Sequence[float]) -> Iterator[Outcome]:
        """The outcome for each of the penalties, which fall; without bounds of what is left."""
        ...


def path(
    data: Dataset,
    loss: Loss,
    solver: Solver,
    settings: Settings,
    alphas: Sequence[float],
    rng: np.random.RandomState,
) -> Iterator[Outcome]:
    """Train with each of the penalties, which fall; ``settings.alpha`` has no meaning."""
    settings = settings._replace(alpha=min(alphas))  # for which coordinates are made: those of the features
    follower, followed = chosen(solver, settings, loss, data, False, None)
    if not isinstance(follower, Follower):
        yield from _one_by_one(data, loss, solver, settings, alphas, rng)
        return
    task = task_of(data, loss, follower)
    fit = fit_for(task, loss, follower, followed, None, rng)
    for outcome in follower.follow(fit, alphas):
        yield task.widened(outcome)._replace(solver=follower.name)


def _one_by_one(
    data: Dataset,
    loss: Loss,
    solver: Solver,
    settings: Settings,
    alphas: Sequence[float],
    rng: np.random.RandomState,
) -> Iterator[Outcome]:
    """By solvers whose steps depend on the penalty."""
    start: LinearModel | None = None
    for alpha in alphas:
        there = settings._replace(alpha=alpha)
        outcome = trained(data, loss, solver, there, start, None, None, None, rng)
        start = outcome.model
        yield outcome
