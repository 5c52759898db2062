"""APS: how much probability is listed before a class is reached."""

from typing import NamedTuple

from linclf._types import FloatArray
from linclf.conformal._order import standing
from linclf.conformal._uniforms import uniforms


class APS(NamedTuple):
    """Adaptive prediction sets, with the score ``sum_{p_j > p_k} p_j + u p_k - 1``.

    The sets list classes from the most probable one until their sum reaches a calibrated level: few for easy
    rows, many for hard ones. With many classes, the sum of many small probabilities makes them long; `RAPS`
    counters that. The random number u of a row, from 0 to 1, is a hash of its probabilities with the
    `random_state` of the classifier. Without it, all rows whose true class comes first would have the same
    score, and coverage would be higher than asked for. The sum is computed as minus that of the other
    classes, which keeps the digits of small probabilities.

    References
    ----------
    Romano, Sesia & Candès, "Classification with valid and adaptive coverage", 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.conformal import APS
    >>> scores = APS().of_classes(np.array([[0.5, 0.3, 0.2]]), seed=0)
    >>> u = (scores - [[-1.0, -0.5, -0.2]]) / [[0.5, 0.3, 0.2]]  # the random number, the same for all classes
    >>> u.round(2)
    array([[0.12, 0.12, 0.12]])
    """

    limits = {}

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
        left, _ = standing(p)
        return uniforms(p, seed)[:, None] * p - left
