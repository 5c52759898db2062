"""How good sets of classes are: how often they contain the true class, and how small they are.

Sets are an array (n, K) of memberships, sparse or dense, such as ``predict_set(X)`` of
`linclf.conformal.ConformalClassifier`.
"""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from linclf._data.labels import labels_of
from linclf._types import BoolArray, FloatArray, IntArray, Matrix, MatrixLike
from linclf.metrics._forecasts import counting, encoded

EDGES = (1, 3, 10, 100, 1000)  # of the sizes in the article on RAPS


def set_coverage(
    y_true: ArrayLike,
    sets: MatrixLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of the rows whose set contains the true class.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    sets : {array-like, sparse array} of shape (n, K)
        Memberships, True or 1 for the classes in the set of a row.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more.

    Returns
    -------
    coverage : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If shapes do not match, a label is unknown, or an entry of sets is neither 0 nor 1.

    References
    ----------
    Vovk, Gammerman & Shafer, "Algorithmic learning in a random world", 2005.

    Examples
    --------
    >>> from linclf.metrics import set_coverage
    >>> set_coverage(["a", "b", "c", "c"], [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]])
    0.75
    """
    covered, _, _, weights = judged(y_true, sets, labels, sample_weight)
    return float(np.average(covered, weights=weights))


def mean_set_size(sets: MatrixLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean number of classes in a set.

    Parameters
    ----------
    sets : {array-like, sparse array} of shape (n, K)
        Memberships, True or 1 for the classes in the set of a row.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more.

    Returns
    -------
    size : float
        From 0 to K; at equal coverage, smaller is better.

    Raises
    ------
    ValueError
        If shapes do not match, or an entry of sets is neither 0 nor 1.

    References
    ----------
    Sadinle, Lei & Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", 2019.

    Examples
    --------
    >>> from linclf.metrics import mean_set_size
    >>> mean_set_size([[1, 0, 0], [1, 1, 0]])
    1.5
    """
    sizes = np.diff(_as_sets(sets).indptr)
    if not len(sizes):
        raise ValueError("sets has 0 rows: pass one at least")
    rows, weights = counting(sample_weight, len(sizes))
    return float(np.average(sizes[rows], weights=weights))


def size_stratified_coverage(
    y_true: ArrayLike,
    sets: MatrixLike,
    *,
    edges: Sequence[int] = EDGES,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Coverage of the rows whose sets are of about the same size, the least over all such strata.

    Coverage is often bought with easy rows. If it is much lower for large sets, those claim too much. A
    stratum with few rows may be low by chance.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels.
    sets : {array-like, sparse array} of shape (n, K)
        Memberships, True or 1 for the classes in the set of a row.
    edges : sequence of int, default=(1, 3, 10, 100, 1000)
        The largest size of each stratum but the last, increasing.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more.

    Returns
    -------
    coverage : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If shapes do not match, a label is unknown, edges do not increase, or an entry of sets is neither 0
        nor 1.

    References
    ----------
    Angelopoulos et al., "Uncertainty sets for image classifiers using conformal prediction", 2021.

    Examples
    --------
    >>> from linclf.metrics import size_stratified_coverage
    >>> sets = [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1]]
    >>> size_stratified_coverage(["a", "b", "c", "c"], sets)  # 1 of the 2 sets with two classes
    0.5
    """
    bounds = np.asarray(edges)
    if bounds.ndim != 1 or (np.diff(bounds) <= 0).any():
        raise ValueError(f"edges={edges!r} must be increasing sizes, such as {EDGES}")
    covered, sizes, _, weights = judged(y_true, sets, labels, sample_weight)
    return float(_by_group(covered, np.searchsorted(bounds, sizes), weights).min())


def class_coverage_gap(
    y_true: ArrayLike,
    sets: MatrixLike,
    coverage: float,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean over the classes of ``|coverage of the class - coverage|``.

    A class with few rows has a gap by chance alone, about ``0.8 sqrt(c (1 - c) / n)`` for n rows.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class labels; classes without rows do not count.
    sets : {array-like, sparse array} of shape (n, K)
        Memberships, True or 1 for the classes in the set of a row.
    coverage : float in (0, 1)
        The coverage that was asked for.
    labels : array-like of shape (K,), default=None
        The classes in the order of the columns; None uses the sorted labels in y_true.
    sample_weight : array-like of shape (n,), default=None
        Weights, 0 or more; they count in the coverage of a class.

    Returns
    -------
    gap : float
        From 0 to 1; 0 if each class has exactly this coverage.

    Raises
    ------
    ValueError
        If the coverage is not between 0 and 1, shapes do not match, a label is unknown, or an entry of sets
        is neither 0 nor 1.

    References
    ----------
    Ding et al., "Class-conditional conformal prediction with many classes", 2023.

    Examples
    --------
    >>> from linclf.metrics import class_coverage_gap
    >>> sets = [[1, 0], [1, 0], [0, 1], [1, 0]]
    >>> class_coverage_gap(["a", "a", "b", "b"], sets, 0.75)  # of a always, of b half of the time
    0.25
    """
    if not isinstance(coverage, Real) or not 0 < coverage < 1:
        raise ValueError(f"coverage={coverage!r} must lie between 0 and 1, such as 0.9 for 90 %")
    covered, _, codes, weights = judged(y_true, sets, labels, sample_weight)
    return float(np.abs(_by_group(covered, codes, weights) - float(coverage)).mean())


def _by_group(covered: BoolArray, groups: IntArray, weights: FloatArray) -> FloatArray:
    """Coverage of each group that has rows."""
    total = np.bincount(groups, weights)
    hit = np.bincount(groups, weights * covered)
    return hit[total > 0] / total[total > 0]


def judged(
    y_true: ArrayLike, sets: MatrixLike, labels: ArrayLike | None, sample_weight: ArrayLike | None
) -> tuple[BoolArray, IntArray, IntArray, FloatArray]:
    """Whether each row is covered, the size of its set, its class and its weight; weight 0 is left out."""
    members, y = _as_sets(sets), labels_of(y_true, "y_true")
    n, K = np.shape(members)
    if len(y) != n or not n:
        raise ValueError(f"y_true has {len(y)} rows and sets {n}: pass equally many, one at least")
    rows, weights = counting(sample_weight, n)
    codes, _ = encoded(y[rows], K, labels, rows, "sets")
    sizes = np.diff(members.indptr)
    # a class is in a set if its place is among the places of the members
    places = np.repeat(np.arange(n) * K, sizes) + members.indices
    covered = np.isin(rows * K + codes, places)
    return covered, sizes[rows], codes, weights


def _as_sets(sets: Any) -> Matrix:
    """Memberships as CSR without explicit zeros."""
    given = sets if sparse.issparse(sets) else np.asarray(sets)
    if given.ndim != 2:
        raise ValueError(f"sets has shape {given.shape}: pass memberships (n, K), such as predict_set(X)")
    members: Matrix = sparse.csr_array(given)
    wrong = (members.data != 0) & (members.data != 1)
    if wrong.any():
        raise ValueError(
            f"sets has the entry {members.data[wrong][0]}: pass True or 1 for classes in a set, 0 for others"
        )
    if not members.data.all() or not members.has_canonical_format:
        members = members.astype(bool)
        members.sum_duplicates()
        members.eliminate_zeros()
    return members
