"""THE function that trains a model: from data, loss and settings to weights, without any estimator."""

import warnings
from dataclasses import replace
from functools import partial
from operator import and_
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from linclf._data.dataset import Dataset
from linclf._data.targets import Indicators
from linclf._training import memory
from linclf._training.fit import (
    Fit,
    copies_of,
    norm_limits,
    penalty_factor,
    problem_for,
    shape_of,
    starting_weights,
)
from linclf._training.frames import InSpreads, Seen, frame_for
from linclf._training.left_out import Task
from linclf._training.model import LinearModel, row_blocks
from linclf._training.monitor import Callbacks, Monitor, Outcome
from linclf._training.present import present_in
from linclf._training.prior import besides_prior, with_prior
from linclf._training.sampling import Sampling
from linclf._training.settings import Settings
from linclf._training.sharded import Formulation
from linclf._training.shards import Shards
from linclf._training.solver import Solver
from linclf._training.spread import Spread
from linclf._training.standardised import for_given_rows, with_standardised_rows
from linclf._training.validation import Validation
from linclf._types import Loss
from linclf.heads import Head
from linclf.losses._evaluation import curvature
from linclf.losses._registry import trait

SMALL, MOSTLY_FULL = 2**20, 16  # most values of rows, and most of them per stored value, to make rows dense
COPIED = 2**18  # scores of rows that are checked at once
NO_MINIMUM = (
    "alpha=0 and the classes are separable: the objective has no minimum, and the weights grow with the "
    "number of epochs; use alpha > 0 (the default is 1e-4), or early_stopping=True"
)


def train(
    data: Dataset,
    loss: Loss,
    solver: Solver,
    settings: Settings,
    *,
    start: LinearModel | None = None,
    validation: Validation | None = None,
    sampling: Sampling | None = None,
    callbacks: Callbacks | None = None,
    spread: Spread | None = None,
    shards: Shards | None = None,
    prior: LinearModel | None = None,
    rng: np.random.RandomState,
) -> Outcome:
    """Minimise the weighted mean loss plus ``alpha/2 |W|^2``.

    Parameters
    ----------
    data : Dataset
        Rows, targets and weights.
    loss : NamedTuple
        A resolved loss.
    solver : Solver
        The way to the minimum.
    settings : Settings
        The penalty, and when to stop.
    start : LinearModel, default=None
        Weights to start from; None means those of the head.
    validation : Validation, default=None
        Held-out rows: their loss is watched, and the best model on them is the outcome.
    sampling : Sampling, default=None
        A sweep that sees only a part of the outputs in each step.
    callbacks : Callbacks, default=None
        Notified of each epoch.
    spread : Spread, default=None
        Spread of the features. The penalty is then on weights times the spread, and cosines are those of
        standardised rows.
    shards : Shards, default=None
        All rows, if ``data`` is a sample of them.
    prior : LinearModel, default=None
        The penalty is on the difference from it, and training starts there.
    rng : RandomState
        Orders and samples rows, and draws initial weights that nothing else determines.

    Returns
    -------
    outcome : Outcome
        The model, its history, and the number of epochs or iterations.

    Raises
    ------
    ValueError
        If the solver cannot train this loss or these data, or weights overflow.
    MemoryError
        If the weights do not fit into memory.
    """
    task = Task(data, start, validation, callbacks, spread=spread, shards=shards, prior=prior)
    outcome = trained(task, loss, solver, settings, sampling, rng)
    for message in outcome.warnings:
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    return outcome


def trained(
    task: Task,
    loss: Loss,
    solver: Solver,
    settings: Settings,
    sampling: Sampling | None,
    rng: np.random.RandomState,
) -> Outcome:
    """The same without warnings, which are in the outcome instead."""
    if sampling is None:
        task = task.without_absent_classes(loss, settings.fit_intercept)
    task = besides_prior(task)
    if task.classes is not None and len(task.classes.at) == 1:
        return of_one_class(task, loss, settings)
    solver, settings = chosen(solver, settings, loss, task, sampling)
    given, task = task, prepared(task, loss, solver)
    fit = fit_for(task, loss, solver, settings, sampling, rng)
    if fit.shards is not None and solver.needs_passes:
        fit = started_from_sample(fit, solver, rng)
    monitor = Monitor(settings, task.validation, task.callbacks)
    outcome = solver.solve(fit, monitor, rng)
    if task.validation is None and not _has_minimum(fit, task.data, outcome.model):
        monitor.warnings.append(NO_MINIMUM)
    outcome = outcome._replace(warnings=tuple(monitor.warnings), solver=solver.name)
    return _settled(of_given_rows(outcome, task, given, loss), given, sampling)


def of_one_class(task: Task, loss: Loss, settings: Settings) -> Outcome:
    """The outcome for rows of one class, from which there is nothing to learn: all weights are 0."""
    head = head_for(loss, settings, task.data, task.start, None).of_all_scores()
    model = LinearModel(np.zeros((1, task.data.X.shape[1])), np.zeros(1), head)
    monitor = Monitor(settings, None, task.callbacks)
    monitor.start("epoch", 1)
    monitor.begin()
    monitor.record(lambda: model, 0.0)
    monitor.end(lambda: model)
    return of_given_rows(monitor.outcome(lambda: model)._replace(solver="none"), task, task, loss)


def _settled(outcome: Outcome, task: Task, sampling: Sampling | None) -> Outcome:
    """The outcome with probability 0 for classes without weight, if they were trained with the others."""
    mass = task.data.y.mass(task.data.weights) if task.shards is None else task.shards.mass
    classes, model = present_in(mass), outcome.model
    if task.classes is not None or classes is None:
        return outcome
    if sampling is not None:
        return outcome._replace(model=sampling.settled(model, classes, task.data.X.dtype))
    if len(model.W) != classes.n_classes:  # scores are not those of classes
        return outcome
    return outcome._replace(model=classes.settled(model, task.data.X.dtype))


def chosen(
    solver: Solver, settings: Settings, loss: Loss, task: Task, sampling: Sampling | None = None
) -> tuple[Solver, Settings]:
    """The solver to use, and the settings with its value of "auto"."""
    data, spread = task.data, task.spread
    watched = task.validation is not None
    if task.shards is None:
        solver = solver.for_problem(loss, data, settings.alpha, watched, sampling)
    else:
        solver = solver.for_shards(loss, watched, task.shards.shuffles)
    if settings.tol == "auto":
        settings = settings._replace(tol=solver.automatic_tol)
    if settings.norm is not None:
        check_norm(loss, task.shards is not None, sampling is not None)
    solver.check(loss, data if spread is None else spread.of_sparse(data))
    return solver, settings


def check_norm(loss: Loss, elsewhere: bool, sampled: bool) -> None:
    """Refuse what has no weights of 0."""
    if elsewhere:
        raise ValueError(
            "penalty='l2' is the only one for rows that are not in memory; use it, or pass arrays"
        )
    if not trait(loss, "head").equivariant:
        raise ValueError(
            f"{loss!r} is a loss on cosines, to which the size of the weights means nothing; use penalty='l2'"
        )
    if sampled or trait(loss, "n_outputs") is not None:
        raise ValueError(f"the scores of {loss!r} are not those of classes; use penalty='l2'")


def prepared(task: Task, loss: Loss, solver: Solver) -> Task:
    """The task with rows in the form to train on; an error if the weights do not fit into memory."""
    n_published = task.data.X.shape[1]
    if task.shards is not None:  # the sample does not say which features occur
        memory.check(solver, loss, task.data, [task.validation is not None, task.start is not None])
        return task
    if solver.levels:
        task = task._replace(data=_filled(task.data))
    if task.spread is not None and not trait(loss, "head").equivariant:
        task = with_standardised_rows(task, task.spread)
    task = task.without_absent(loss, outputs_of(loss, task.data.y.n_classes))
    kept = [task.validation is not None, task.start is not None]
    memory.check(solver, loss, task.data, kept, n_published=n_published)
    return task


def of_given_rows(outcome: Outcome, task: Task, given: Task, loss: Loss) -> Outcome:
    """The outcome with a model for all features, in their units, and for all classes."""
    outcome = task.widened(outcome)
    if given.spread is not None and not trait(loss, "head").equivariant:
        outcome = outcome._replace(model=for_given_rows(outcome.model, given.spread))
    outcome = outcome._replace(model=with_prior(outcome.model, given.prior))
    if given.classes is not None:
        outcome = outcome._replace(model=given.classes.widened(outcome.model, given.data.X.dtype))
    return outcome


def _filled(data: Dataset) -> Dataset:
    """Make small sparse rows with many stored values dense, as dense rows may be centred."""
    size = data.X.shape[0] * data.X.shape[1]
    if not data.is_sparse or size > min(SMALL, MOSTLY_FULL * data.X.nnz):
        return data
    return data._replace(X=data.X.toarray(order="C"))


def head_for(
    loss: Loss, settings: Settings, data: Dataset, start: LinearModel | None, sampling: Sampling | None
) -> Head:
    """The head of a loss, with the constant of the rows, or that of the model to start from."""
    head = trait(loss, "head")(float(settings.fit_intercept)).for_data(data)
    head = head if start is None else head.after(start.head)
    if sampling is None and copies_of(loss, outputs_of(loss, data.y.n_classes)) == 2:
        return head._replace(copies=2)
    return head


def outputs_of(loss: Loss, n_classes: int) -> int:
    """The number of scores of a row."""
    n_outputs = trait(loss, "n_outputs")
    return n_classes if n_outputs is None else n_outputs(n_classes)


def fit_for(
    task: Task,
    loss: Loss,
    solver: Solver,
    settings: Settings,
    sampling: Sampling | None,
    rng: np.random.RandomState,
) -> Fit:
    """Coordinates, weights to start from, and the problem in them."""
    data, start, columns = task.data, task.start, task.columns
    n_outputs, n_features = outputs_of(loss, data.y.n_classes), data.X.shape[1]
    head = head_for(loss, settings, data, start, sampling)
    alpha = settings.ridge * penalty_factor(loss, n_outputs)
    bend = curvature(loss, n_outputs, data.X.dtype, soft=data.y.soft)
    if start is None:
        start = LinearModel(*head.start(data, n_outputs, rng), head)
    shards = task.shards
    if shards is None:
        seen = Seen(data.weights.sum(), len(data.ids))
    else:
        seen = Seen(shards.moments.weight, shards.n_rows)
    if sampling is not None:
        sampling.meet(data)
        bend = sampling.curvature(bend)
        start = start._replace(b=sampling.start(start.b, settings.fit_intercept))
    frame = frame_for(
        solver, head, data.is_sparse, start, in_memory=shards is None, mixes=settings.norm is None
    )
    frame = frame(n_features, alpha * n_outputs, settings.fit_intercept)
    if task.spread is not None:
        frame = InSpreads(frame, task.spread)
    if shards is None:
        X = frame.learn(data.X, data.weights, seen)
    else:
        frame.learn_shards(shards.moments, seen, data.is_sparse)
        X = frame.of_part(data.X)
    head = frame.head(head)
    data = data._replace(X=X)
    problem = problem_for(data, frame.coordinates, head, loss, alpha, seen.rows / seen.weight, n_outputs)
    V = starting_weights(start, head, frame.coordinates, problem.storage, X.dtype)
    n_trained = len(frame.coordinates.factor)
    n_given, n_products = columns.n_features if columns else n_features, n_outputs // head.copies
    shape = shape_of(data, n_given, n_trained, n_products, X.dtype)
    limits = norm_limits(settings, loss, n_outputs, head.copies, frame.coordinates.factor)
    fit = Fit(
        data, loss, settings, frame.coordinates, bend, problem, V, shape, sampling, columns, limits=limits
    )
    if shards is None:
        return fit
    shape = shape._replace(n_rows=shards.n_rows)
    unit = seen.rows / seen.weight
    formulation = Formulation(frame, head, loss, alpha, unit, n_outputs, shape)
    return replace(fit, shape=shape, shards=shards, formulation=formulation)


def started_from_sample(fit: Fit, solver: Solver, rng: np.random.RandomState) -> Fit:
    """Start at the minimum of the sample, from which fewer passes over all rows are left."""
    if fit.V.any():
        return fit
    sample = fit.of_sample()
    if isinstance(fit.data.y, Indicators) and not np.all(sample.masses):
        return fit  # a label that the sample lacks has no minimum there
    settings = fit.settings._replace(verbose=0)
    outcome = solver.solve(replace(sample, settings=settings), Monitor(settings, None, None), rng)
    V = starting_weights(outcome.model, fit.head, fit.coordinates, fit.problem.storage, fit.V.dtype)
    return replace(fit, V=V)


def _has_minimum(fit: Fit, data: Dataset, model: LinearModel) -> bool:
    """Whether there is a minimum: without a penalty, separable classes need a loss that attains its own."""
    settings, loss = fit.settings, fit.loss
    if settings.alpha > 0 or settings.tol is None or trait(loss, "attained") or fit.head.bounded:
        return True
    if fit.sampling is not None and fit.sampling.bounded:
        return True
    if fit.shards is None:
        return not _separated(loss, model, data)
    return not fit.shards.total(partial(_separated, loss, model), and_, settings.n_jobs)


def _separated(loss: Loss, model: LinearModel, data: Dataset) -> bool:
    """Whether each row is on its side: this proves that they are separable, so there is no false alarm."""
    if not trait(loss, "exclusive") or trait(loss, "of_labels") is not None:
        return _label_separated(model, data)
    truth, class_scores = data.y.most_probable, trait(loss, "class_scores")
    for part in row_blocks(len(truth), len(model.W), COPIED):
        if not data.y.take(part).certain:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            scores = np.asarray(data.X[part] @ model.W.T + model.b)
            if class_scores is not None:
                scores = class_scores(scores)
        rows = np.arange(len(scores))
        own = scores[rows, truth[part]]
        scores[rows, truth[part]] = -np.inf
        if not (own > scores.max(axis=1)).all():
            return False
    return True


def _label_separated(model: LinearModel, data: Dataset) -> bool:
    """The same for a sum over the classes, which has no minimum if one class is apart from the rest."""
    alone = np.ones(len(model.W), bool)
    for part in row_blocks(data.y.n_rows, len(model.W), COPIED):
        y = data.y.take(part)
        if not y.certain:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            scores = np.asarray(data.X[part] @ model.W.T + model.b)
        member: Any = y.indicator(np.ones(len(scores)))
        has = (member.toarray() if sparse.issparse(member) else member) > 0
        alone &= np.where(has, scores > 0, scores < 0).all(axis=0)
    return bool(alone.any())
