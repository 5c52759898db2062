"""Classifiers around another one: how they are fitted, and what they leave to the one inside."""

from abc import ABC, abstractmethod
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _estimator_has

from linclf._data.labels import Accuracy
from linclf._types import FloatArray, Function, LabelArray, typed
from linclf.calibration._folds import Given, checked_rows
from linclf.calibration._inside import check_kind, check_same_classes, refuse_decision, routed


def public(method: Function) -> Function:
    """Messages about the arguments of the method do not name the class here, which is private."""
    method.__qualname__ = method.__name__
    return method


class BaseMetaClassifier(Accuracy, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier around ``estimator``; ``cv`` is a parameter of those that need rows held out."""

    estimator: Any
    estimator_: Any
    classes_: LabelArray
    cv: Any = None

    def get_metadata_routing(self) -> MetadataRouter:
        """The routing of the metadata of `fit`.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
            To ``fit`` of the classifier and ``split`` of the splitter of ``cv``, if there is one.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
        return router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))

    def _frozen(self, given: Given) -> Any:
        """The FrozenEstimator inside; refused if there are folds, or it is not fitted to such a y."""
        if self.cv is not None:
            raise ValueError(
                f"cv={self.cv!r} is for an estimator that is fitted here, and a FrozenEstimator is not: "
                "leave cv=None, or pass the estimator itself"
            )
        estimator = self.estimator.fit(given.X, given.y)  # refused if not fitted
        check_kind(estimator, given.X, given.y)
        return estimator

    def _publish(self, estimator: Any, classes: LabelArray) -> None:
        self.estimator_, self.classes_ = estimator, classes
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))

    @typed(available_if(_estimator_has("predict_proba")))
    @public
    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the classes by the classifier inside, as they are.

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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


class WeightedMetaClassifier(BaseMetaClassifier, ABC):
    """One that takes weights, and uses probabilities or scores of the classifier inside."""

    # the parameters of the estimator are not checked yet
    @typed(_fit_context(prefer_skip_nested_validation=False))
    @public
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the classifier inside, and find what this one adds to it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, of any kind that the classifier accepts.
        y : array-like of shape (n_samples,)
            Labels. `LabelThresholdClassifier` accepts several a row, too: (n_samples, n_labels), dense or
            sparse, with 1 where a row has a label and 0 elsewhere.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights for the classifier, and for all that is done with held-out rows. A weight of
            0 removes a row from these.
        **params : dict
            For the classifier's `fit`; parameters with one entry per row are divided into folds. With
            ``sklearn.set_config(enable_metadata_routing=True)`` these and the weights are routed to the
            classifier, and to the splitter of ``cv`` (such as the ``groups`` of GroupKFold), on request;
            held-out rows always get their weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or the parameters of the class are not as described there, or do not fit each other.
            If ``cv`` or parameters are given for a FrozenEstimator, an ``offset`` is given, which held-out
            rows would not get, or the estimator is a classifier of `linclf.decisions`.
        TypeError
            If ``groups`` are given without routing, and the classifier takes none.

        Warns
        -----
        UserWarning
            If a fold does not train on a class: its held-out rows do not count. If held-out rows have weights
            that the classifier does not accept; not given if metadata are routed.
        """
        refuse_decision(self)
        X, y, weights = self._checked_rows(X, y, sample_weight)
        for_fit, for_split = routed(self, weights, params)
        self._fit(Given(X, y, weights, for_fit, for_split))
        return self

    def _checked_rows(
        self, X: Any, y: Any, sample_weight: ArrayLike | None
    ) -> tuple[Any, LabelArray, FloatArray | None]:
        return checked_rows(X, y, sample_weight)

    @abstractmethod
    def _fit(self, given: Given) -> None:
        """Fit the classifier inside, set the attributes, and `_publish` it."""
