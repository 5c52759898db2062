"""One quantile for all classes."""

from typing import NamedTuple

import numpy as np

from linclf._types import FloatArray, IntArray
from linclf.conformal._interfaces import ALL_ROWS, Assignment


class Marginal(NamedTuple):
    """All classes share one threshold: coverage holds on average over all rows.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.conformal import Marginal
    >>> rng = np.random.RandomState(0)
    >>> Marginal().assign(np.array([0.1, 0.4]), np.array([0, 2]), 3, rng).categories  # -1 means all rows
    array([-1, -1, -1])
    """

    limits = {}

    def assign(
        self, scores: FloatArray, codes: IntArray, n_classes: int, rng: np.random.RandomState
    ) -> Assignment:
        """Put all classes into one category.

        Parameters
        ----------
        scores : ndarray of shape (n,)
            Scores of the true classes of the calibration rows.
        codes : ndarray of shape (n,)
            These classes as numbers, -1 if the classifier does not know them.
        n_classes : int
            Number of classes.
        rng : RandomState
            Not needed.

        Returns
        -------
        categories : ndarray of shape (n_classes,)
            Category of each class.
        rows : ndarray of shape (m,)
            Calibration rows whose scores count.
        """
        return Assignment(np.full(n_classes, ALL_ROWS), np.arange(len(scores)))
