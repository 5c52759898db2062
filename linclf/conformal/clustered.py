"""One quantile for classes whose scores are alike."""

from numbers import Integral
from typing import Any, NamedTuple, cast

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._types import FloatArray, IntArray
from linclf.conformal._interfaces import ALL_ROWS, Assignment

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)  # of the quantiles that describe a class, as in the article


class Clustered(NamedTuple):
    """Classes with similar scores share a threshold, for many classes with few rows each.

    A part of the calibration rows describes each class by five quantiles of its scores, and k-means groups
    these; the other rows give the quantile of each cluster. Rare classes, with fewer than `min_rows` rows in
    the first part, share the quantile of all rows. Coverage holds for the rows of each cluster, and nearly
    for each class whose scores are like those of its cluster.

    With K' classes of at least `min_rows` calibration rows, the least of which has n, the first part has the
    share ``K' / (75 + K')`` of the rows. If no two classes are frequent enough, all classes share the
    quantile of all rows.

    Parameters
    ----------
    n_clusters : int >= 1 or None, default=None
        Number of clusters. None means ``n K' / (75 + K') / 2``, rounded down.
    min_rows : int >= 2, default=9
        Rows that a class needs to be clustered.

    References
    ----------
    Ding et al., "Class-conditional conformal prediction with many classes", 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.conformal import Clustered
    >>> rng = np.random.RandomState(0)
    >>> codes = np.arange(4000) % 4
    >>> scores = rng.uniform(size=4000) * np.array([1, 5, 1, 5])[codes]  # classes 1 and 3 are hard
    >>> Clustered(n_clusters=2).assign(scores, codes, 5, rng).categories  # no row of class 4
    array([ 1,  0,  1,  0, -1])
    """

    n_clusters: int | None = None
    min_rows: int = 9

    limits = {
        "n_clusters": [Interval(Integral, 1, None, closed="left"), None],
        "min_rows": [Interval(Integral, 2, None, closed="left")],
    }

    def assign(
        self, scores: FloatArray, codes: IntArray, n_classes: int, rng: np.random.RandomState
    ) -> Assignment:
        """Put frequent classes into clusters.

        Parameters
        ----------
        scores : ndarray of shape (n,)
            Scores of the true classes of the calibration rows.
        codes : ndarray of shape (n,)
            These classes as numbers, -1 if the classifier does not know them.
        n_classes : int
            Number of classes.
        rng : RandomState
            Divides the rows, and starts k-means.

        Returns
        -------
        categories : ndarray of shape (n_classes,)
            Cluster of each class; -1 for rare ones.
        rows : ndarray of shape (m,)
            Calibration rows whose scores count: those that did not describe the classes.
        """
        counts = np.bincount(codes[codes >= 0], minlength=n_classes)
        frequent = counts[counts >= self.min_rows]
        share = len(frequent) / (75 + len(frequent))
        describes = rng.uniform(size=len(codes)) < share
        described = np.bincount(codes[describes & (codes >= 0)], minlength=n_classes)
        clustered = np.flatnonzero(described >= self.min_rows)
        categories = np.full(n_classes, ALL_ROWS)
        if len(clustered) < 2:
            return Assignment(categories, np.arange(len(codes)))
        first, first_codes = scores[describes], codes[describes]
        order = np.argsort(first_codes, kind="stable")
        ends = np.searchsorted(first_codes[order], clustered, side="right")
        rows_of = [order[end - described[k] : end] for k, end in zip(clustered, ends, strict=True)]
        traits = np.array([np.quantile(first[rows], LEVELS) for rows in rows_of])
        wanted = self.n_clusters or max(int(frequent.min() * share / 2), 1)
        from sklearn.cluster import KMeans  # its import takes longer than that of the whole package

        n_clusters = min(wanted, len(np.unique(traits, axis=0)))
        means: Any = KMeans(n_clusters, random_state=rng, n_init=cast("Any", 10))
        categories[clustered] = means.fit(traits, sample_weight=np.sqrt(described[clustered])).labels_
        return Assignment(categories, np.flatnonzero(~describes))
