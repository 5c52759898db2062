"""LAC: one threshold on the probability."""

from typing import NamedTuple

from linclf._types import FloatArray


class LAC(NamedTuple):
    """Least ambiguous sets, with the score ``-p_k``: all classes above one probability.

    The score orders classes as ``1 - p_k`` does, the one of the article, and keeps the digits of small
    probabilities. If the probabilities are right, no sets of this coverage are smaller on average. Easy rows
    get more than their share of the coverage, and rows on which all probabilities are low get empty sets.

    References
    ----------
    Sadinle, Lei & Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.conformal import LAC
    >>> LAC().of_classes(np.array([[0.7, 0.2, 0.1]]), seed=0).round(1)
    array([[-0.7, -0.2, -0.1]])
    """

    limits = {}

    def of_classes(self, p: FloatArray, seed: int) -> FloatArray:
        """Scores of all classes.

        Parameters
        ----------
        p : ndarray of shape (n, n_classes)
            Probabilities.
        seed : int
            Not needed: this score has no random part.

        Returns
        -------
        scores : ndarray of shape (n, n_classes)
            Low for classes that belong into the set.
        """
        return -p
