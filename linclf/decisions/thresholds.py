"""Offsets of the classes, tuned for a score of the predictions."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.metrics import get_scorer_names
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, StrOptions

from linclf._data.folds import Folds, Splitter
from linclf._types import FloatArray, LabelArray
from linclf.calibration._folds import Given
from linclf.calibration._inside import check_same_classes
from linclf.decisions._base import BaseDecision, held_out
from linclf.decisions._offsets import tuned_offsets
from linclf.decisions._scoring import judge_of


class ThresholdClassifier(BaseDecision):
    """Any classifier with an offset for each class, tuned for a score of the predictions.

    Predicts ``argmax_k (log p_k + b_k)``, with probabilities p of the classifier and offsets b, which say how
    readily a class is predicted; ``b = 0`` predicts the most probable class. For two classes, the second is
    predicted if its probability is above ``1 / (1 + exp(b_1 - b_0))``. If the classifier has no
    ``predict_proba``, its scores stand for ``log p``.

    The offsets are tuned on rows that the classifier has not seen. For each fold, a clone is fitted to the
    other folds and scores the held-out rows. On the scores of all folds together, one offset at a time is
    moved to its best value until none improves the score. Then the classifier is fitted to all rows. A
    classifier that is already fitted, wrapped in ``sklearn.frozen.FrozenEstimator``, is used as it is, and
    all rows tune the offsets; they must not be the rows that it was trained on.

    On the held-out rows the result is never worse than offsets of 0. On other rows it can be, if there are
    few rows of a class: compare with the classifier itself on test rows.

    `predict` follows `decision_function`. `predict_proba` is that of the classifier inside, as in
    TunedThresholdClassifierCV of scikit-learn, and its argmax can be another class.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba`` or ``decision_function``; it is cloned, not changed.
    scoring : str or callable, default="balanced_accuracy"
        Name of a scikit-learn scorer, or a callable ``scorer(estimator, X, y)``, of the predicted labels.
        For "accuracy", "balanced_accuracy", "recall_macro", "f1_macro", "f1_micro", "f1_weighted" and
        "jaccard_macro", and for "f1", "precision", "recall" and "jaccard" of the class 1 of two, all offsets
        that make a difference are compared at once; others are asked for at most 64 values of each offset,
        spread over the rows and over those of the rarer class.
    cv : int, splitter, iterable of (train, test) or None, default=None
        The folds. None means 5 stratified folds, or fewer if the rarest class with two rows or more has
        fewer. Not allowed with a FrozenEstimator.

    Attributes
    ----------
    estimator_ : classifier
        Fitted to all rows, or the FrozenEstimator.
    offsets_ : ndarray of shape (n_classes,)
        The offsets; the first is 0.
    best_score_ : float
        Score of the held-out rows with the offsets, all folds together. NaN if one class alone has weight.
    base_score_ : float
        The same with offsets of 0.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if the classifier has them.

    See Also
    --------
    CostSensitiveClassifier : Decides by costs, without tuning.
    LabelThresholdClassifier : A threshold for each of several labels.
    sklearn.model_selection.TunedThresholdClassifierCV : The same for two classes.

    References
    ----------
    Lachiche & Flach, "Improving accuracy and cost of two-class and multi-class probabilistic classifiers
    using ROC curves", 2003.

    Examples
    --------
    Three classes with 5 %, 15 % and 80 % of the rows:

    >>> from sklearn.datasets import make_classification
    >>> from sklearn.metrics import balanced_accuracy_score
    >>> from sklearn.model_selection import train_test_split
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.decisions import ThresholdClassifier
    >>> X, y = make_classification(
    ...     4000, n_informative=5, n_classes=3, weights=[0.05, 0.15], class_sep=0.7, random_state=0
    ... )
    >>> X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> clf = ThresholdClassifier(SoftmaxClassifier(), scoring="balanced_accuracy").fit(X, y)
    >>> for each in (clf.estimator_, clf):
    ...     print(f"{balanced_accuracy_score(y_test, each.predict(X_test)):.2f}")
    0.47
    0.62
    """

    offsets_: FloatArray
    best_score_: float
    base_score_: float
    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"]), HasMethods(["fit", "decision_function"])],
        "scoring": [StrOptions(set(get_scorer_names())), callable],
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        scoring: str | Callable[..., float] = "balanced_accuracy",
        cv: int | Splitter | Folds | None = None,
    ) -> None:
        self.estimator = estimator
        self.scoring = scoring
        self.cv = cv

    def _checked_rows(
        self, X: Any, y: Any, sample_weight: ArrayLike | None
    ) -> tuple[Any, LabelArray, FloatArray | None]:
        try:
            return super()._checked_rows(X, y.toarray() if sparse.issparse(y) else y, sample_weight)
        except ValueError as fault:
            if "one label a row" not in str(fault):
                raise
            raise ValueError(
                f"{fault}. For several labels a row use linclf.decisions.LabelThresholdClassifier, which "
                "tunes a threshold for each"
            ) from fault

    def _fit(self, given: Given) -> None:
        estimator = self._fit_inside(given, "the score of held-out rows")
        response = "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"
        scored = held_out(self, estimator, given, response, "the offsets")
        classes, rows = estimator.classes_, scored.rows
        offsets, best, base = np.zeros(len(classes)), np.nan, np.nan
        if rows.size:
            labels, weights = given.y[rows], given.weights_of(rows)
            judge = judge_of(self.scoring, _safe_indexing(given.X, rows), labels, weights, classes)
            scores = _scores(scored.scores, response)
            base = judge.value(scores.argmax(axis=1))
            offsets, best = tuned_offsets(scores, judge, _starts(labels, weights, classes))
        self.offsets_, self.best_score_, self.base_score_ = offsets, best, base
        self._response = response
        self._publish(estimator, classes)

    def decision_function(self, X: Any) -> FloatArray:
        """Logarithms of the probabilities, or scores, plus the offsets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        f : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            The class with the largest value is predicted; for two classes the second minus the first.
        """
        f = self._shifted(X)
        return f[:, 1] - f[:, 0] if f.shape[1] == 2 else f

    def predict(self, X: Any) -> LabelArray:
        """The class with the largest sum of log probability and offset.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        index = self._shifted(X).argmax(axis=1)
        return self.classes_[index]

    def _shifted(self, X: Any) -> FloatArray:
        check_same_classes(self)
        return _scores(getattr(self.estimator_, self._response)(X), self._response) + self.offsets_


def _scores(values: FloatArray, response: str) -> FloatArray:
    """Scores (n, n_classes): logarithms of probabilities, with the smallest float instead of 0."""
    values = np.asarray(values, np.float64)
    if response == "predict_proba":
        return np.log(np.maximum(values, np.finfo(np.float64).tiny))
    return np.column_stack([-values, values]) / 2 if values.ndim == 1 else values


def _starts(y: LabelArray, weights: FloatArray | None, classes: LabelArray) -> list[FloatArray]:
    """Offsets of 0, and those that are best for balanced accuracy if the probabilities are right."""
    mass = np.bincount(np.searchsorted(classes, y), weights, len(classes))
    mass = np.maximum(mass, mass[mass > 0].min())
    zero = np.zeros(len(classes))
    return [zero] if len(classes) == 2 else [zero, -np.log(mass / mass.sum())]
