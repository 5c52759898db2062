"""A threshold for each of several labels."""

import warnings
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from linclf._data.folds import Folds, Splitter
from linclf._data.labels import classes_of
from linclf._types import FloatArray, LabelArray
from linclf.calibration._folds import Given, checked_weights
from linclf.decisions._base import BaseDecision, held_out, need_probabilities
from linclf.decisions._labels import (
    OF_SEVERAL,
    held_out_labels,
    indicator_of,
    need_labels,
    of_labels,
    tuned_threshold,
)
from linclf.decisions.criteria import Criterion, RecallAtPrecision, check_criterion


class LabelThresholdClassifier(BaseDecision):
    """Any classifier of several labels with a threshold for each, tuned for a criterion.

    Row r gets label l if its probability is above ``thresholds_[l]``. The thresholds are tuned one by one, on
    rows that the classifier has not seen: for each fold, a clone is fitted to the other folds and gives the
    probabilities of the held-out rows. Of all thresholds that make a difference on the rows of all folds
    together, the one with the best value of the criterion is chosen. Then the classifier is fitted to all
    rows. A classifier that is already fitted, wrapped in ``sklearn.frozen.FrozenEstimator``, is used as it
    is, and all rows tune the thresholds; they must not be the rows that it was trained on.

    On the held-out rows no label does worse than with a threshold of 1/2. On other rows it can, if few rows
    have the label: compare with the classifier itself on test rows.

    With y of one dimension and two classes, the second class is the only label.

    Parameters
    ----------
    estimator : classifier
        With a ``predict_proba`` of shape (n, n_labels), or a list of arrays (n, 2), such as
        ``OneVsRestClassifier(SoftmaxClassifier())``; it is cloned, not changed.
    criterion : "f1" or object, default="f1"
        `F1`, `ErrorCosts`, `RecallAtPrecision` or `PrecisionAtRecall`.
    cv : int, splitter, iterable of (train, test) or None, default=None
        The folds. None means 5 folds; with a number of folds each has its share of the rows of each label,
        as far as that is possible. For y of one dimension as in `ThresholdClassifier`. Not allowed with a
        FrozenEstimator.

    Attributes
    ----------
    estimator_ : classifier
        Fitted to all rows, or the FrozenEstimator.
    thresholds_ : ndarray of shape (n_labels,)
        The thresholds, from 0 to 1; 1 predicts the label for no row, and -1 for all.
    best_scores_ : ndarray of shape (n_labels,)
        Value of the criterion for the held-out rows.
    base_scores_ : ndarray of shape (n_labels,)
        The same with thresholds of 1/2; -inf if they do not have the required precision or recall.
    classes_ : ndarray of shape (n_labels,)
        The labels: numbers of columns, or the two classes of y of one dimension.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if the classifier has them.

    References
    ----------
    Fan & Lin, "A study on threshold selection for multi-label classification", 2007. Lipton, Elkan &
    Naryanaswamy, "Optimal thresholding of classifiers to maximize F1 measure", 2014.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.metrics import f1_score
    >>> from sklearn.multiclass import OneVsRestClassifier
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.decisions import LabelThresholdClassifier
    >>> X, y = make_multilabel_classification(2000, n_classes=20, n_labels=2, random_state=0)
    >>> one_vs_rest = OneVsRestClassifier(SoftmaxClassifier(alpha=1e-3))
    >>> clf = LabelThresholdClassifier(one_vs_rest, criterion="f1").fit(X[:1000], y[:1000])
    >>> for each in (clf.estimator_, clf):
    ...     print(f"{f1_score(y[1000:], each.predict(X[1000:]), average='macro'):.2f}")
    0.37
    0.41
    """

    thresholds_: FloatArray
    best_scores_: FloatArray
    base_scores_: FloatArray
    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "criterion": "no_validation",
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        criterion: str | Criterion = "f1",
        cv: int | Splitter | Folds | None = None,
    ) -> None:
        self.estimator = estimator
        self.criterion = criterion
        self.cv = cv

    def _checked_rows(
        self, X: Any, y: Any, sample_weight: ArrayLike | None
    ) -> tuple[Any, LabelArray, FloatArray | None]:
        indicator = indicator_of(y)
        if indicator is not None:
            X, labels = cast("list[Any]", indexable(X, indicator))
            return X, labels, checked_weights(X, sample_weight)
        X, labels, weights = super()._checked_rows(X, y, sample_weight)
        if len(classes_of(labels)) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(labels)}; use ThresholdClassifier for more than two classes, or pass y "
                "of shape (n_samples, n_labels) with 1 where a row has a label and 0 elsewhere"
            )
        return X, labels, weights

    def _fit(self, given: Given) -> None:
        criterion, several = check_criterion(self.criterion), given.y.ndim == 2
        (need_labels if several else need_probabilities)(self.estimator)
        try:
            estimator = self._fit_inside(given, "the criterion of held-out rows")
        except ValueError as fault:
            if not several or "1d array" not in str(fault):
                raise
            raise ValueError(
                f"fit of {self.estimator!r} takes one label a row ({fault}); use {OF_SEVERAL}"
            ) from fault
        if several:
            classes = np.arange(given.y.shape[1])
            scored = held_out_labels(self, estimator, given)
            p, has = scored.scores, given.y[scored.rows] == 1
        else:
            classes = estimator.classes_
            if len(classes) != 2:
                raise ValueError(
                    f"{estimator!r} knows the classes {classes.tolist()}, and a threshold is between two; "
                    "use ThresholdClassifier for more"
                )
            scored = held_out(self, estimator, given, "predict_proba", "the threshold")
            p, has = scored.scores[:, 1:], (given.y[scored.rows] == classes[1])[:, None]
        weights = given.weights_of(scored.rows)
        weights = np.ones(len(p)) if weights is None else weights
        tuned = [tuned_threshold(*label, weights, criterion) for label in zip(p.T, has.T, strict=True)]
        self.thresholds_, self.best_scores_, self.base_scores_ = map(np.array, zip(*tuned, strict=True))
        never = np.flatnonzero(self.thresholds_ == 1)
        if isinstance(criterion, RecallAtPrecision) and never.size:
            warnings.warn(
                f"no threshold reaches criterion={criterion!r} on the held-out rows for label {never[0]}"
                + (f" and {len(never) - 1} others" if len(never) > 1 else "")
                + ", which is never predicted; lower the precision, or use more rows",
                stacklevel=4,
            )
        self._is_indicator = several
        self._publish(estimator, classes)

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the labels by the estimator inside; the thresholds do not change them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        p : ndarray of shape (n_samples, n_labels)
            Or (n_samples, 2) for y of one dimension.
        """
        check_is_fitted(self)
        if self._is_indicator:
            return of_labels(self.estimator_, X, len(self.thresholds_))
        return super().predict_proba(X)

    def decision_function(self, X: Any) -> FloatArray:
        """Probabilities minus thresholds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        f : ndarray of shape (n_samples, n_labels), or (n_samples,) for y of one dimension
            Labels with positive values are predicted.
        """
        p = self.predict_proba(X)
        return p - self.thresholds_ if self._is_indicator else p[:, 1] - self.thresholds_[0]

    def predict(self, X: Any) -> LabelArray:
        """The labels whose probabilities are above their thresholds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        y : ndarray of shape (n_samples, n_labels), or (n_samples,) for y of one dimension
            1 where a row gets a label and 0 elsewhere, or labels from ``classes_``.
        """
        has = (self.decision_function(X) > 0).astype(np.int64)
        return has if self._is_indicator else self.classes_[has]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inside = get_tags(self.estimator).classifier_tags
        assert tags.classifier_tags is not None
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = inside is not None and inside.multi_label
        return tags
