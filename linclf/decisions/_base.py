"""What the classifiers of this room share: an estimator inside, fitted with routed parameters."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, _safe_indexing, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, _routing_enabled

from linclf._data.folds import Fold, folds_of, warn_of_missing
from linclf._data.labels import index_of
from linclf._types import FloatArray, IntArray, LabelArray
from linclf.calibration._folds import Given, fitted_to, held_out_scores, scores_of
from linclf.calibration._inside import check_one_label, check_same_classes, predicts_several

REMEDY = "; pass rows of the classes that the FrozenEstimator was fitted to"
OTHER_ROWS = "FrozenEstimator and other rows to decide on"  # what to do without folds


class HeldOut(NamedTuple):
    """Scores (n, K) of rows that the estimator was not fitted to, and which rows these are."""

    scores: FloatArray
    rows: IntArray


class BaseDecision(MetaEstimatorMixin, BaseEstimator):
    """A classifier around another one; ``cv`` is a parameter of those that need rows held out."""

    estimator: Any
    estimator_: Any
    cv: Any = None
    _is_decision = True

    def get_metadata_routing(self) -> MetadataRouter:
        """The routing of the metadata of `fit`.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
            To ``fit`` of the classifier and ``split`` of the splitter.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
        return router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))

    def _fit_inside(self, given: Given, held_out: str | None) -> Any:
        """The estimator, fitted to all rows, or as it is if it is frozen.

        ``held_out`` says what else the weights are for; without that, an estimator that does not take
        weights is refused.
        """
        weights = given.weights
        if isinstance(self.estimator, FrozenEstimator):
            refuse_folds(self.cv)
            estimator = self.estimator.fit(given.X, given.y)  # refused if not fitted
            if given.y.ndim == 1:
                check_one_label(estimator, given.X)
                known = given.y if weights is None else given.y[weights > 0]
                index_of(known, estimator.classes_, REMEDY)
            elif not predicts_several(estimator, given.X):
                raise ValueError(
                    f"{estimator!r} predicts one label a row, and y has {given.y.shape[1]}: pass a "
                    "classifier that was fitted to such a y"
                )
            return estimator
        if weights is None or "sample_weight" in given.params:
            return fitted_to(self.estimator, given, np.arange(len(given.y)))
        if not _routing_enabled() and np.ptp(weights) > 0:
            if held_out is None:
                raise ValueError(
                    f"sample_weight is given, and fit of {self.estimator!r} takes none; leave it out, or "
                    "pass it in the name of the step of a pipeline, such as logisticregression__sample_weight"
                )
            if np.ptp(weights[weights > 0]) > 0:
                warnings.warn(
                    f"fit of {self.estimator!r} takes no sample_weight, so that only {held_out} uses it",
                    stacklevel=3,
                )
        return fitted_to(self.estimator, given, np.flatnonzero(weights))

    def _published(self, estimator: Any) -> None:
        self.estimator_ = estimator
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the classes by the estimator inside; the decision does not change them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            ``estimator_.predict_proba(X)``.
        """
        check_same_classes(self)
        return self.estimator_.predict_proba(X)

    predict_proba.__qualname__ = "predict_proba"  # in messages about arguments; the class here is private

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def need_probabilities(estimator: Any) -> None:
    """Refuse an estimator without ``predict_proba``."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"estimator={estimator!r} has no predict_proba; use "
            "linclf.calibration.CalibratedClassifier around it, or calibration='auto' for a classifier of "
            "linclf"
        )


def refuse_folds(cv: Any) -> None:
    """Refuse ``cv`` for a frozen estimator."""
    if cv is not None:
        raise ValueError(
            f"cv={cv!r} is for an estimator that is fitted here, and a FrozenEstimator is not: leave "
            "cv=None, or pass the estimator itself"
        )


def held_out(
    owner: BaseDecision, fitted: Any, given: Given, for_split: dict[str, Any], response: str, purpose: str
) -> HeldOut:
    """Scores of all rows with weight, each by a clone that was not fitted to it; columns as of ``fitted``.

    A frozen estimator scores all rows. Rows of classes that a fold does not train on are left out, with a
    warning that names the ``purpose``.
    """
    rows = np.arange(len(given.y)) if given.weights is None else np.flatnonzero(given.weights)
    classes = fitted.classes_
    if isinstance(owner.estimator, FrozenEstimator):
        known = given.X if len(rows) == len(given.y) else _safe_indexing(given.X, rows)
        return HeldOut(_columns(scores_of(fitted, response, known)), rows)
    if len(np.unique(given.y[rows])) == 1:
        return HeldOut(np.empty((0, len(classes))), rows[:0])  # one class with weight: nothing to decide
    folds = folds_of(owner.cv, given.X, given.y, rows, for_split, OTHER_ROWS)
    folds = [_known(given.y, fold, purpose) for fold in folds]
    folds = [(train, test) for train, test in folds if test.size]
    if not folds:
        raise ValueError(
            f"no fold of cv={owner.cv!r} holds out a row of a class that it trains on; use a stratified cv, "
            f"or {OTHER_ROWS}"
        )
    parts = [_columns(held_out_scores(owner.estimator, given, fold, classes, response)) for fold in folds]
    return HeldOut(np.concatenate(parts), np.concatenate([test for _, test in folds]))


def _known(y: LabelArray, fold: Fold, purpose: str) -> Fold:
    """Drop held-out rows of classes that the fold does not train on, with a warning."""
    train, test = fold
    unknown = ~np.isin(y[test], y[train])
    missing = np.unique(y[test][unknown])
    warn_of_missing(missing, int(unknown.sum()), f"do not count for {purpose}", OTHER_ROWS)
    return train, test[~unknown]


def _columns(scores: FloatArray) -> FloatArray:
    """A column for each class: two for a ``decision_function`` of two classes."""
    return np.column_stack([-scores, scores]) / 2 if scores.ndim == 1 else scores
