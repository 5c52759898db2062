"""What training needs, from the parameters of an estimator."""

from joblib import effective_n_jobs

from linclf._estimator.parameters import CommonParameters
from linclf._training.settings import Settings
from linclf._training.solver import Solver
from linclf._training.solvers import Stochastic, exact_solver
from linclf._training.step_rule import StepRule
from linclf.optimizers import optimizer_for

STOCHASTIC = ("learning_rate", "schedule", "batch_size", "average")  # parameters of stochastic steps only


def settings_of(estimator: CommonParameters) -> tuple[Solver, Settings]:
    """The solver and the settings of an estimator; parameters that exclude each other are refused."""
    if estimator.schedule == "adaptive" and estimator.tol is None:
        raise ValueError("schedule='adaptive' reduces the step by tol, and tol=None; give a number")
    solver, tol = exact_solver(estimator.solver), estimator.tol
    if solver is None:
        solver = Stochastic(_rule(estimator))
    else:
        _refuse_rule(estimator)
    settings = Settings(
        alpha=float(estimator.alpha),
        fit_intercept=estimator.fit_intercept,
        max_iter=estimator.max_iter,
        tol=solver.automatic_tol if tol == "auto" else tol,
        n_iter_no_change=estimator.n_iter_no_change,
        n_jobs=effective_n_jobs(estimator.n_jobs),  # pyright: ignore[reportArgumentType]
        verbose=estimator.verbose,
    )
    return solver, settings


def _refuse_rule(estimator: CommonParameters) -> None:
    """Parameters of stochastic steps have no meaning to an exact solver."""
    for name in STOCHASTIC:
        value, default = getattr(estimator, name), estimator._declared[name].default
        if value != default:
            raise ValueError(
                f"{name}={value!r} has no meaning with solver={estimator.solver!r}, which "
                f"takes its steps from line searches over all rows; leave it at {default!r}"
            )


def _rule(estimator: CommonParameters) -> StepRule:
    return StepRule(
        optimizer_for(estimator.solver, estimator.average),
        estimator.learning_rate,
        estimator.schedule,
        estimator.batch_size,
        estimator.shuffle,
    )
