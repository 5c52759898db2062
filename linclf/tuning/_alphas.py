"""The penalties to choose from."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from linclf._training.left_out import Task
from linclf._training.objective import Rows
from linclf._training.optimality import Optimality
from linclf._training.prior import besides_prior
from linclf._training.settings import Settings
from linclf._training.solvers import LBFGS, NewtonCD
from linclf._training.sparse_steps import SparseSteps
from linclf._training.spread import spread_of
from linclf._training.train import check_norm, fit_for, prepared
from linclf._types import FloatArray, Loss

NEARLY_ZERO = 0.01  # largest share by which weights lower the objective at the strongest penalty
SPAN = 1e8  # ratio of the strongest penalty to the weakest
SPAN_OF_NORMS, SIZE_OF_NORMS = 1e3, 10  # the same if weights become 0, and the number of penalties


def checked_alphas(alphas: ArrayLike) -> FloatArray:
    """The given penalties without duplicates, strongest first."""
    given = np.asarray(alphas)
    if given.ndim != 1 or given.dtype.kind not in "fiu" or not given.size:
        raise ValueError(f"alphas={alphas!r} must be a number of penalties, or an array of penalties")
    given = given.astype(np.float64)
    wrong = given[~(np.isfinite(given) & (given > 0))].tolist()
    if wrong:
        raise ValueError(
            f"alphas has {wrong[0]!r}, but penalties to choose from are positive and finite; leave it out "
            "(alpha=0 is for the classifier that does not choose)"
        )
    return np.unique(given)[::-1]


def alphas_of(
    alphas: int | str | ArrayLike, task: Task, losses: Sequence[Loss], settings: Settings
) -> FloatArray:
    """A grid for the rows if its size is given, with one per decade for "auto", else the given penalties."""
    if not isinstance(alphas, (Integral, str)):
        return checked_alphas(alphas)
    strongest = max(_strongest(task, loss, settings) for loss in losses)
    if settings.norm is None:
        span = SPAN * _units(task)
        size = round(np.log10(span)) + 1
    else:
        span, size = SPAN_OF_NORMS, SIZE_OF_NORMS
    size = size if isinstance(alphas, str) else int(alphas)
    return np.geomspace(strongest, strongest / span, size) if size > 1 else np.array([strongest])


def _units(task: Task) -> float:
    """Ratio of the largest variance of a column to that of a typical one.

    The strongest penalty is for the former, and the other columns need one weaker by this ratio.
    """
    data = task.data
    if data.is_sparse or task.spread is not None:
        return 1.0
    variances = np.square(spread_of(data, centred=True).scale)
    return float(variances.max() / np.median(variances))


def _strongest(task: Task, loss: Loss, settings: Settings) -> float:
    """The penalty with which weights lower the objective by no more than a small share, or are all 0.

    From the best intercepts alone, weights can lower it by ``|gradient|^2 / (2 alpha)`` at most.
    """
    rng, settings, task = (
        np.random.RandomState(0),
        settings._replace(alpha=1.0),
        besides_prior(task.without_absent_classes(loss, settings.fit_intercept)),
    )
    if task.data.y.n_classes == 1:
        return 1.0
    norm = settings.norm
    if norm is not None and norm.share > 0:
        check_norm(loss, elsewhere=False, sampled=False)
        fit = fit_for(prepared(task, loss, NewtonCD()), loss, NewtonCD(), settings, None, rng)
        return SparseSteps(fit, 0.0, None).strongest() or 1.0
    fit = fit_for(prepared(task, loss, LBFGS()), loss, LBFGS(), settings, None, rng)
    optimality = Optimality(Rows(fit, fit.ids))
    least = NEARLY_ZERO * optimality.start.value
    return optimality.of_weights(optimality.start.G) / least or 1.0
