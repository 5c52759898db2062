"""Solver and settings of training, from the parameters of an estimator."""

import os
from collections.abc import Iterator
from typing import Any

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

from linclf._estimator.parameters import CommonParameters
from linclf._kernels.norms import Norm, OfFeatures, OfWeights
from linclf._training.settings import Settings
from linclf._training.solver import Solver
from linclf._training.solvers import Automatic, AutomaticSparse, Stochastic, exact_solver
from linclf._training.step_rule import StepRule
from linclf.optimizers import SGD, Optimizer, optimizer_for

STOCHASTIC = ("learning_rate", "schedule", "batch_size", "average")  # parameters of stochastic steps only


def settings_of(estimator: CommonParameters) -> tuple[Solver, Settings]:
    """The solver and the settings of an estimator; parameters that exclude each other are refused."""
    if estimator.schedule == "adaptive" and estimator.tol is None:
        raise ValueError("schedule='adaptive' reduces the step according to tol, but tol=None; give a number")
    norm = norm_of(estimator)
    solver = exact_solver(estimator.solver)
    if solver is not None:
        _refuse_rule(estimator)
    elif isinstance(estimator.solver, str) and estimator.solver == "auto":
        solver = Stochastic(_rule(estimator, "sgd"))
        if not any(_changed(estimator)) and estimator.shuffle:
            solver = Automatic(solver) if norm is None else AutomaticSparse(solver)
    else:
        solver = Stochastic(_rule(estimator, estimator.solver))
    settings = Settings(
        alpha=float(estimator.alpha),
        fit_intercept=estimator.fit_intercept,
        max_iter=estimator.max_iter,
        tol=estimator.tol,
        n_iter_no_change=estimator.n_iter_no_change,
        n_jobs=_n_threads(estimator.n_jobs),
        verbose=estimator.verbose,
        norm=norm,
    )
    return solver, settings


def norm_of(estimator: CommonParameters) -> Norm | None:
    """The norm in the penalty; what contradicts it is refused."""
    penalty, share = estimator.penalty, estimator.l1_ratio
    solver, descends = estimator.solver, estimator.solver == "newton-cd"
    if share is not None and penalty in ("l1", "l2"):
        raise ValueError(
            f"l1_ratio={share!r} is for penalty='elasticnet' and 'group', and penalty={penalty!r}; leave it "
            "at None, or use penalty='elasticnet'"
        )
    if descends and (penalty == "l2" or estimator.alpha == 0):
        given = f"penalty={penalty!r}" if penalty == "l2" else f"alpha={estimator.alpha!r}"
        raise ValueError(
            f"solver='newton-cd' is for penalties that make weights exactly 0, and {given}; use "
            "solver='newton' or 'lbfgs'"
        )
    if share is None:
        share = 0.5 if penalty == "elasticnet" else 1.0
    if penalty == "l2" or (not descends and share * estimator.alpha == 0):
        return None
    plain = isinstance(solver, SGD) or (isinstance(solver, str) and solver in ("auto", "sgd", "newton-cd"))
    if not plain:
        raise ValueError(
            f"solver={solver!r} minimises smooth objectives, and penalty={penalty!r} has kinks where weights "
            "are 0; use solver='auto', 'newton-cd' or 'sgd'"
        )
    if estimator.average:
        raise ValueError(
            f"average=True publishes a mean of weights, which is hardly ever 0, and penalty={penalty!r} is "
            "for weights of 0; use average=False"
        )
    return OfFeatures(float(share)) if penalty == "group" else OfWeights(float(share))


def _n_threads(n_jobs: int | None) -> int:
    """Number of threads; None means as many as OpenMP would use, in worker processes their share of cores.

    Worker threads have no such share and use one thread each.
    """
    given = effective_n_jobs(n_jobs)  # pyright: ignore[reportArgumentType]
    if n_jobs is not None or given > 1:
        return given
    backend, _ = get_active_backend()
    if getattr(backend, "nesting_level", 0) and "OMP_NUM_THREADS" not in os.environ:
        return 1
    return _openmp_effective_n_threads()


def _refuse_rule(estimator: CommonParameters) -> None:
    """Refuse parameters of stochastic steps, which have no meaning for an exact solver."""
    for name, value, default in _changed(estimator):
        raise ValueError(
            f"{name}={value!r} has no meaning with solver={estimator.solver!r}, which "
            f"finds the length of its steps itself; leave it at {default!r}"
        )


def _changed(estimator: CommonParameters) -> Iterator[tuple[str, Any, Any]]:
    """Parameters of stochastic steps that the user has given: name, value and default."""
    for name in STOCHASTIC:
        value, default = getattr(estimator, name), estimator._declared[name].default
        if value != default:
            yield name, value, default


def _rule(estimator: CommonParameters, solver: str | Optimizer) -> StepRule:
    return StepRule(
        optimizer_for(solver, estimator.average),
        estimator.learning_rate,
        estimator.schedule,
        estimator.batch_size,
        estimator.shuffle,
    )
