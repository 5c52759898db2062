"""What training needs, from the parameters of an estimator."""

from joblib import effective_n_jobs

from linclf._estimator.parameters import CommonParameters
from linclf._training.settings import Settings
from linclf._training.solver import Solver
from linclf._training.solvers import LBFGS, Stochastic
from linclf._training.step_rule import StepRule
from linclf.optimizers import resolve

TOL_SGD, TOL_LBFGS = 1e-6, 1e-4  # of the objective, of the gradient
STOCHASTIC = ("learning_rate", "schedule", "batch_size", "average")  # parameters that "lbfgs" does not have


def settings_of(estimator: CommonParameters) -> tuple[Solver, Settings]:
    """Checked where one parameter decides what another may be."""
    if estimator.schedule == "adaptive" and estimator.tol is None:
        raise ValueError("schedule='adaptive' reduces the step by tol, and tol=None; give a number")
    tol = estimator.tol
    if estimator.solver == "lbfgs":
        for name in STOCHASTIC:
            given, default = getattr(estimator, name), estimator._declared[name].default
            if given != default:
                raise ValueError(
                    f"{name}={given!r} has no meaning with solver='lbfgs', which "
                    f"takes its steps from line searches over all rows; leave it at {default!r}"
                )
        solver, automatic_tol = LBFGS(), TOL_LBFGS
    else:
        solver, automatic_tol = Stochastic(_rule(estimator)), TOL_SGD
    settings = Settings(
        alpha=float(estimator.alpha),
        fit_intercept=estimator.fit_intercept,
        max_iter=estimator.max_iter,
        tol=automatic_tol if tol == "auto" else tol,
        n_iter_no_change=estimator.n_iter_no_change,
        n_jobs=effective_n_jobs(estimator.n_jobs),  # pyright: ignore[reportArgumentType]
        verbose=estimator.verbose,
    )
    return solver, settings


def _rule(estimator: CommonParameters) -> StepRule:
    return StepRule(
        resolve(estimator.solver, estimator.average),
        estimator.learning_rate,
        estimator.schedule,
        estimator.batch_size,
        estimator.shuffle,
    )
