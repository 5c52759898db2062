"""RAPS: APS with a penalty on classes far down the list."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._types import FloatArray
from linclf.conformal._order import standing
from linclf.conformal._uniforms import uniforms


class RAPS(NamedTuple):
    """Regularised APS, with the score of `APS` plus ``penalty * max(rank_k - k_reg, 0)``.

    The rank of the most probable class is 1. The penalty keeps sets from growing far beyond `k_reg` classes.

    Parameters
    ----------
    penalty : float >= 0, default=0.01
        Added for each rank after `k_reg`; 0 is `APS`.
    k_reg : float >= 0, default=5
        Ranks without penalty.

    References
    ----------
    Angelopoulos et al., "Uncertainty sets for image classifiers using conformal prediction", 2021,
    equation 4.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.conformal import APS, RAPS
    >>> p = np.array([[0.5, 0.3, 0.2]])
    >>> (RAPS(penalty=0.1, k_reg=1).of_classes(p, seed=0) - APS().of_classes(p, seed=0)).round(2)
    array([[0. , 0.1, 0.2]])
    """

    penalty: float = 0.01
    k_reg: float = 5

    limits = {
        "penalty": Interval(Real, 0, None, closed="left"),
        "k_reg": Interval(Real, 0, None, closed="left"),
    }

    def of_classes(self, p: FloatArray, seed: int) -> FloatArray:
        """Scores of all classes.

        Parameters
        ----------
        p : ndarray of shape (n, n_classes)
            Probabilities.
        seed : int
            Of the random numbers.

        Returns
        -------
        scores : ndarray of shape (n, n_classes)
            Low for classes that belong into the set.
        """
        left, above = standing(p)
        penalties = self.penalty * np.maximum(above + 1 - self.k_reg, 0)
        return uniforms(p, seed)[:, None] * p - left + penalties
