"""What training needs to know beside the data and the loss."""

from typing import NamedTuple


class Settings(NamedTuple):
    """What training needs, with the solver as an optimizer object."""

    alpha: float
    fit_intercept: bool
    optimizer: tuple
    learning_rate: float | str
    schedule: str
    batch_size: int | str
    max_iter: int | str
    tol: float | None
    n_iter_no_change: int
    shuffle: bool
    n_jobs: int
    verbose: int
