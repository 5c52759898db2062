"""Settings of training, besides data, loss and solver."""

from typing import Literal, NamedTuple

from linclf._kernels.norms import Norm


class Settings(NamedTuple):
    """The checked parameters of an estimator that every solver needs."""

    alpha: float
    fit_intercept: bool
    max_iter: int | Literal["auto"]
    tol: float | Literal["auto"] | None  # `train` replaces "auto"
    n_iter_no_change: int
    n_jobs: int
    verbose: int
    norm: Norm | None = None  # of the weights, in the penalty besides half their squares

    @property
    def ridge(self) -> float:
        """The factor of half the squares of the weights."""
        return self.alpha if self.norm is None else self.alpha * (1 - self.norm.share)
