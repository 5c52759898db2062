"""One quantile for each class."""

from typing import NamedTuple

import numpy as np

from linclf._types import FloatArray, IntArray
from linclf.conformal._interfaces import Assignment


class ClassConditional(NamedTuple):
    """Each class has its own threshold: coverage holds for the rows of each class.

    Also called Mondrian or label-conditional. Each class needs ``coverage / (1 - coverage)`` calibration
    rows, which are 9 for 90 %; a class with fewer is in every set.

    References
    ----------
    Vovk, "Conditional validity of inductive conformal predictors", 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.conformal import ClassConditional
    >>> rng = np.random.RandomState(0)
    >>> ClassConditional().assign(np.array([0.1, 0.4]), np.array([0, 2]), 3, rng).categories
    array([0, 1, 2])
    """

    limits = {}

    def assign(
        self, scores: FloatArray, codes: IntArray, n_classes: int, rng: np.random.RandomState
    ) -> Assignment:
        """Put each class into its own category.

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
        return Assignment(np.arange(n_classes), np.arange(len(scores)))
