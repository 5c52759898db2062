"""Settings of training, besides data, loss and solver."""

from typing import Literal, NamedTuple


class Settings(NamedTuple):
    """The checked parameters of an estimator that every solver needs."""

    alpha: float
    fit_intercept: bool
    max_iter: int | Literal["auto"]
    tol: float | Literal["auto"] | None  # `train` replaces "auto"
    n_iter_no_change: int
    n_jobs: int
    verbose: int
