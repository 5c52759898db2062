"""Which models are as good as the best: paired differences over splits whose training parts overlap."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

CONFIDENCE = 0.95


class Difference(NamedTuple):
    """How much worse than the best a model is, with half the width of its interval.

    Attributes
    ----------
    mean : float
        0 or more; positive if the model is worse, whether higher or lower is better.
    margin : float or None
        The interval is ``mean - margin ... mean + margin``; None if there is only one split.
    """

    mean: float
    margin: float | None

    @property
    def is_apart(self) -> bool:
        """Whether the interval excludes 0. With one split, it never does."""
        return self.margin is not None and abs(self.mean) > self.margin


def paired_difference(
    best: ArrayLike, other: ArrayLike, higher_is_better: bool, test_to_train: float
) -> Difference:
    """The mean of the differences in each split, and its corrected resampled t interval.

    The variance of the mean of J differences is estimated as ``(1/J + n_test/n_train)`` times their variance,
    not ``1/J`` times: training parts share rows, so splits are not independent.

    Parameters
    ----------
    best, other : array-like of shape (J,)
        The measure of two models in the same splits.
    higher_is_better : bool
    test_to_train : float
        Number of test rows divided by the number of training rows.

    References
    ----------
    Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52, 2003.

    Examples
    --------
    >>> from linclf._compare.judging import paired_difference
    >>> difference = paired_difference([0.9, 0.8, 0.85], [0.88, 0.8, 0.82], True, 1 / 3)
    >>> round(difference.mean, 4), round(difference.margin, 4), difference.is_apart
    (0.0167, 0.0537, False)
    """
    differences = np.subtract(best, other) if higher_is_better else np.subtract(other, best)
    n_splits = differences.size
    mean = float(differences.mean())
    if n_splits < 2:
        return Difference(mean, None)
    variance = differences.var(ddof=1) * (1 / n_splits + test_to_train)
    quantile = stats.t.ppf(0.5 + CONFIDENCE / 2, n_splits - 1)
    return Difference(mean, float(quantile * np.sqrt(variance)))
