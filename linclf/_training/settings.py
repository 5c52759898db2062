"""What training needs to know beside data, loss and solver."""

from typing import Literal, NamedTuple


class Settings(NamedTuple):
    """The parameters of an estimator as every solver needs them, checked."""

    alpha: float
    fit_intercept: bool
    max_iter: int | Literal["auto"]
    tol: float | Literal["auto"] | None  # "auto" is for `train` to replace
    n_iter_no_change: int
    n_jobs: int
    verbose: int
