"""What training needs to know beside data and loss."""

from typing import NamedTuple

from linclf._training.solver import Solver


class Settings(NamedTuple):
    """The parameters of an estimator as training needs them: checked, with the solver as an object."""

    alpha: float
    fit_intercept: bool
    solver: Solver
    max_iter: int | str
    tol: float | None
    n_iter_no_change: int
    n_jobs: int
    verbose: int
