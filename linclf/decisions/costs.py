"""The class of least expected cost."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods

from linclf._types import FloatArray, LabelArray
from linclf.calibration._folds import Given
from linclf.decisions._base import BaseDecision, need_probabilities


class CostSensitiveClassifier(BaseDecision):
    """Any classifier with probabilities, deciding for the class of least expected cost.

    With probabilities p of the classes and ``costs[i, j]``, the cost of predicting class j if the truth is
    class i, the expected cost of predicting j is ``sum_i p_i * costs[i, j]``. `predict` returns the class
    for which it is least, and the first of these if there are several. Nothing is tuned, so no rows are
    held out: the decision is as good as the probabilities. Calibrate them first if they are not
    (`linclf.calibration.CalibratedClassifier`).

    For two classes with costs of 0 on the diagonal this is a threshold: class 1 is predicted if its
    probability is above ``costs[0, 1] / (costs[0, 1] + costs[1, 0])``.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``; it is cloned, not changed. A ``sklearn.frozen.FrozenEstimator`` is used as it
        is.
    costs : array-like of shape (n_classes, n_classes), DataFrame, dict or None, default=None
        Costs of 0 or more; rows are true and columns predicted classes, in the order of ``classes_``. A dict
        has an entry for each wrong answer, ``{(true, predicted): cost}``; right answers cost 0 unless they
        are in it. The index (true) and the columns (predicted) of a pandas DataFrame name the classes. Dicts
        and DataFrames may have further classes, all with all, so that one is for every part of the rows.
        None means 1 for each wrong answer: the most probable class is predicted.
        Only differences within a row matter, so a gain for the right answer is written as the cost of
        missing it: subtract from each row its smallest entry.

    Attributes
    ----------
    estimator_ : classifier
        Fitted to all rows, or the FrozenEstimator.
    costs_ : ndarray of shape (n_classes, n_classes)
        The costs.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if the classifier has them.

    See Also
    --------
    ThresholdClassifier : Tunes the decision for any score of the predictions.

    References
    ----------
    Elkan, "The foundations of cost-sensitive learning", 2001.

    Examples
    --------
    A malignant tumour (class 0) that is missed costs ten times as much as a false alarm:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.decisions import CostSensitiveClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X, X_test, y, y_test = train_test_split(X, y, random_state=1, stratify=y)
    >>> costs = {(0, 1): 10, (1, 0): 1}
    >>> clf = CostSensitiveClassifier(SoftmaxClassifier(alpha=1e-3), costs).fit(X, y)
    >>> for each in (clf.estimator_, clf):
    ...     found = each.predict(X_test)
    ...     missed, alarms = (y_test == 0) & (found == 1), (y_test == 1) & (found == 0)
    ...     print("missed", missed.sum(), "alarms", alarms.sum())
    missed 5 alarms 3
    missed 0 alarms 8
    """

    costs_: FloatArray
    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "costs": ["array-like", dict, None],
    }

    def __init__(
        self, estimator: Any, costs: ArrayLike | Mapping[tuple[Any, Any], float] | None = None
    ) -> None:
        self.estimator = estimator
        self.costs = costs

    def _fit(self, given: Given) -> None:
        need_probabilities(self.estimator)
        if not isinstance(self.estimator, FrozenEstimator):
            _matrix(self.costs, np.unique(given.y))  # refused before a long fit
        estimator = self._fit_inside(given, None)
        self.costs_ = _matrix(self.costs, estimator.classes_)
        self._publish(estimator, estimator.classes_)

    def expected_cost(self, X: Any, costs: ArrayLike | None = None) -> FloatArray:
        """Expected cost of each answer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.
        costs : array-like of shape (n_samples, n_classes, n_classes), default=None
            ``costs[r, i, j]`` is the cost of predicting class j in row r if its truth is class i, instead of
            the costs that were given to the classifier.

        Returns
        -------
        cost : ndarray of shape (n_samples, n_classes)
            ``sum_i p_i * costs[i, j]`` for each class j.
        """
        p = np.asarray(self.predict_proba(X), np.float64)
        if costs is None:
            return p @ self.costs_
        if hasattr(costs, "columns") or isinstance(costs, Mapping):
            raise ValueError(
                f"costs of rows are an array (n_samples, n_classes, n_classes), not a {type(costs).__name__}"
                "; give one table for all rows to the classifier"
            )
        costs = _numbers(costs)
        K = len(self.classes_)
        if costs.shape != (len(p), K, K):
            raise ValueError(
                f"costs has shape {costs.shape}: pass an array (n_samples, n_classes, n_classes), here "
                f"{(len(p), K, K)}, or give one matrix for all rows to the classifier"
            )
        _check(costs)
        return np.einsum("ri,rij->rj", p, costs)

    def decision_function(self, X: Any) -> FloatArray:
        """Minus the expected costs.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        f : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            Minus `expected_cost`. For two classes, what predicting the second one saves.
        """
        cost = self.expected_cost(X)
        return cost[:, 0] - cost[:, 1] if cost.shape[1] == 2 else -cost

    def predict(self, X: Any, costs: ArrayLike | None = None) -> LabelArray:
        """The class of least expected cost.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.
        costs : array-like of shape (n_samples, n_classes, n_classes), default=None
            Costs of each row, as in `expected_cost`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        index = self.expected_cost(X, costs).argmin(axis=1)
        return self.classes_[index]


def _matrix(costs: ArrayLike | Mapping[tuple[Any, Any], float] | None, classes: LabelArray) -> FloatArray:
    """The costs as a checked array (n_classes, n_classes)."""
    K = len(classes)
    if costs is None:
        return 1.0 - np.eye(K)
    if hasattr(costs, "columns"):
        costs = _pairs_of(costs)
    if isinstance(costs, Mapping):
        costs = _from_pairs(costs, classes)
    matrix = _numbers(costs)
    if matrix.shape != (K, K):
        raise ValueError(
            f"costs has shape {matrix.shape}, and there are {K} classes: pass an array {(K, K)}, with a row "
            f"for each true and a column for each predicted class, in the order {classes.tolist()}"
        )
    _check(matrix)
    return matrix


def _pairs_of(table: Any) -> dict[tuple[Any, Any], float]:
    """The entries of a pandas DataFrame by their labels."""
    if not hasattr(table, "index"):
        raise ValueError(
            f"costs is a {type(table).__name__} without labels of its rows; pass a dict, a pandas DataFrame "
            "with the classes as index and columns, or an array in the order of classes_"
        )
    true, predicted = table.index.tolist(), table.columns.tolist()
    if len(set(true)) < len(true) or set(true) != set(predicted) or len(true) != len(predicted):
        raise ValueError(
            f"costs is a DataFrame with the index {true} and the columns {predicted}: both must name each "
            "class once; pass costs.to_numpy() if it is in the order of classes_"
        )
    values = _numbers(table.to_numpy())
    return {(i, j): float(values[r, c]) for r, i in enumerate(true) for c, j in enumerate(predicted)}


def _from_pairs(costs: Mapping[tuple[Any, Any], float], classes: LabelArray) -> FloatArray:
    """Costs of pairs of classes; there may be more, if all pairs of these with the classes are there, too."""
    names = classes.tolist()
    if wrong := [pair for pair in costs if not isinstance(pair, tuple) or len(pair) != 2]:
        raise ValueError(
            f"costs has the key {wrong[0]!r}: keys are pairs (true, predicted) of the classes {names}"
        )
    others = {label for pair in costs for label in pair}.difference(names)
    needed = [(i, j) for i in [*names, *others] for j in [*names, *others] if i != j]
    missing = [pair for pair in needed if pair not in costs]
    if missing and others:
        unknown = next(pair for pair in costs if not others.isdisjoint(pair))
        raise ValueError(
            f"costs has the key {unknown!r}: keys are pairs (true, predicted) of the classes {names}. Costs "
            f"of more classes are accepted if they have every wrong pair, and {missing[0]!r} is missing"
        )
    if missing:
        raise ValueError(f"costs has no entry {missing[0]!r}: give one for each wrong (true, predicted)")
    return np.array([[costs.get((i, j), 0.0) for j in names] for i in names])


def _numbers(costs: ArrayLike) -> FloatArray:
    try:
        return np.array(costs, np.float64)
    except (TypeError, ValueError) as fault:
        raise ValueError(f"costs={costs!r} is not an array of numbers ({fault})") from fault


def _check(costs: FloatArray) -> None:
    """Refuse costs (..., K, K) that are no costs."""
    for wrong, what in ((~np.isfinite(costs), "not finite"), (costs < 0, "negative")):
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise ValueError(
                f"costs[{', '.join(map(str, at))}]={costs[at]} is {what}; costs are finite and not negative. "
                "If it is a gain, subtract from each row its smallest entry, costs - costs.min(axis=-1, "
                "keepdims=True): this changes no decision, and the right answer costs 0"
            )
    right = np.diagonal(costs, axis1=-2, axis2=-1)[..., None]
    if costs.size and not (costs > right).any():
        raise ValueError(
            f"costs={costs.tolist()!r} makes no wrong answer dearer than the right one; if these are gains, "
            "pass gains.max(axis=1, keepdims=True) - gains"
        )
