"""A classifier whose probabilities are calibrated on rows that it was not trained on."""

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, _safe_indexing, get_tags
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, _routing_enabled

from linclf._data.folds import Folds, Splitter, folds_of
from linclf._data.labels import Accuracy, classes_of
from linclf._types import FloatArray, LabelArray, typed
from linclf.calibration._base import Calibrator, calibrated, certain
from linclf.calibration._folds import (
    OTHER_ROWS,
    Given,
    checked_rows,
    fitted_to,
    held_out_scores,
    response_of,
    scored_rows,
    scores_of,
)
from linclf.calibration._inside import check_one_label, check_same_classes, refuse_decision, routed
from linclf.calibration._names import CALIBRATORS, resolve


class CalibratedClassifier(Accuracy, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Any classifier with calibrated probabilities.

    The calibrator learns from scores of rows that the classifier has not seen. For each fold, a clone is
    fitted to the other folds and scores the held-out rows; one calibrator is fitted to the scores of all
    folds, and the classifier is then fitted to all rows. A classifier that is already fitted, wrapped in
    ``sklearn.frozen.FrozenEstimator``, is used as it is, and all rows calibrate it; they must not be the
    rows that it was trained on.

    If a fold does not train on a class, the class has a probability of 0 there, its held-out rows are not
    used for calibration, and a warning is given.

    The scores are those of ``decision_function``. If the classifier has none, or the calibrator has
    ``input="probabilities"``, they are the logarithms of ``predict_proba``. For more than two classes,
    ``method="platt"`` and "auto" treat scores as logits if the classifier has ``predict_proba``, and
    otherwise (as for a support vector machine) as scores that each have a meaning alone; a `PlattScaling`
    object follows its ``input``. `predict` returns the most probable class by `predict_proba`. Except with
    one temperature for all classes, it can differ from the classifier's own prediction.

    Parameters
    ----------
    estimator : classifier
        With ``decision_function`` or ``predict_proba``; it is cloned, not changed.
    method : {"temperature", "platt", "vector", "dirichlet", "auto"} or calibrator, default="temperature"
        How scores become probabilities; see `linclf.calibration`.
    cv : int, splitter, iterable of (train, test) or None, default=None
        The folds. None means 5 stratified folds, or fewer if the rarest class with two rows or
        more has fewer. Not allowed with a FrozenEstimator.

    Attributes
    ----------
    estimator_ : classifier
        Fitted to all rows, or the FrozenEstimator.
    calibrator_ : calibrator
        Fitted to the scores.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if the classifier has them.

    See Also
    --------
    sklearn.calibration.CalibratedClassifierCV : One calibrator for each fold, and isotonic regression.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood
    methods", 1999, section 2.1.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from linclf import SVMClassifier
    >>> from linclf.calibration import CalibratedClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = CalibratedClassifier(SVMClassifier(random_state=0), method="platt").fit(X, y)
    >>> clf.predict_proba(X[:2]).shape
    (2, 2)
    """

    estimator_: Any
    calibrator_: Calibrator
    classes_: LabelArray
    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "decision_function"]), HasMethods(["fit", "predict_proba"])],
        "method": [StrOptions(set(CALIBRATORS)), HasMethods(["fit", "predict_proba", "get_params"])],
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        method: str | Calibrator = "temperature",
        cv: int | Splitter | Folds | None = None,
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.cv = cv

    # the parameters of the estimator are not checked yet
    @typed(_fit_context(prefer_skip_nested_validation=False))
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the classifier and the calibrator.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, of any kind that the classifier accepts.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights for the classifier and the calibrator. A weight of 0 removes the row,
            but a class that has only such rows stays in ``classes_``, with a probability of 0.
            For the calibrator they are counts of rows, see its `fit`.
        **params : dict
            For the classifier's `fit`; parameters with one entry per row are divided into folds. With
            ``sklearn.set_config(enable_metadata_routing=True)`` these and the weights are routed to the
            classifier and to the splitter of ``cv`` (such as the ``groups`` of GroupKFold) on request;
            the calibrator always gets the weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If ``cv`` or parameters are given for a FrozenEstimator, an ``offset`` is given, which held-out
            rows would not get, the estimator is a classifier of `linclf.decisions`, or the data do not fit.
        TypeError
            If ``method`` cannot be told that it gets probabilities.

        Warns
        -----
        UserWarning
            If a fold does not train on a class: its probability is 0 there, and its held-out rows are not
            used for calibration. If the classifier does not accept ``sample_weight``, so that only the
            calibrator uses it; not given if metadata are routed.
        """
        refuse_decision(self)
        X, y, weights = checked_rows(X, y, sample_weight)
        for_fit, for_split = routed(self, weights, params)
        given = Given(X, y, weights, for_fit)
        rows = np.arange(len(y)) if weights is None else np.flatnonzero(weights)
        calibrator = resolve(self.method)
        response = response_of(self.estimator, calibrator)
        of_softmax = response == "decision_function" and hasattr(self.estimator, "predict_proba")
        if self.method in ("platt", "auto") and of_softmax:
            calibrator.set_params(input="logits")  # softmax scores have a meaning only relative to each other
        if isinstance(self.estimator, FrozenEstimator):
            if self.cv is not None:
                raise ValueError(
                    f"cv={self.cv!r} is for an estimator that is fitted here, and a FrozenEstimator is not: "
                    "leave cv=None, or pass the estimator itself"
                )
            estimator, scored = self.estimator.fit(X, y, **for_fit), rows  # refused if not fitted
            check_one_label(estimator, X)
            known = given.X if len(rows) == len(given.y) else _safe_indexing(given.X, rows)
            classes, scores = estimator.classes_, scores_of(estimator, response, known)
        elif len(classes_of(given.y)) > len(np.unique(given.y[rows])) == 1:
            # nothing to calibrate: the only class with weight gets probability 1
            estimator, scored = fitted_to(self.estimator, given, np.arange(len(given.y))), rows
            classes = estimator.classes_
            scores = scores_of(estimator, response, _safe_indexing(given.X, rows))
        else:
            classes = classes_of(given.y[rows])
            folds = folds_of(self.cv, given.X, given.y, rows, for_split, OTHER_ROWS)
            folds = [scored_rows(given.y, fold) for fold in folds]
            folds = [(train, test) for train, test in folds if test.size]
            if not folds:
                raise ValueError(
                    f"no fold of cv={self.cv!r} holds out a row of a class that it trains on; use a "
                    f"stratified cv, or {OTHER_ROWS}"
                )
            parts = [held_out_scores(self.estimator, given, fold, classes, response) for fold in folds]
            scores, scored = np.concatenate(parts), np.concatenate([test for _, test in folds])
            estimator = fitted_to(self.estimator, given, rows)
            unequal = weights is not None and np.ptp(weights[rows]) > 0
            if unequal and not _routing_enabled() and "sample_weight" not in for_fit:
                warnings.warn(
                    f"fit of {estimator!r} takes no sample_weight, so that only the calibrator uses it",
                    stacklevel=2,
                )
        counts = None if weights is None else weights[scored]
        with_weight, is_fitted_here = (
            np.unique(given.y[rows]),
            not isinstance(self.estimator, FrozenEstimator),
        )
        if len(with_weight) == 1 and is_fitted_here:
            calibrator = certain(calibrator, with_weight)
        else:
            calibrator.fit(scores, given.y[scored], sample_weight=counts, classes=classes)
        if weights is not None and is_fitted_here:
            classes = classes_of(given.y)  # classes without weight get probability 0
        self.estimator_, self.calibrator_, self.classes_ = estimator, calibrator, classes
        self._response = response
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Calibrated probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Non-negative; each row sums to 1.
        """
        scores = self._scores(X)
        return calibrated(self.calibrator_, scores, self.classes_)

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Logarithm of `predict_proba`, accurate even if that underflows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities.
        """
        scores = self._scores(X)
        return calibrated(self.calibrator_, scores, self.classes_, logarithm=True)

    def predict(self, X: Any) -> LabelArray:
        """The most probable class by `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        index = self.predict_proba(X).argmax(axis=1)
        return self.classes_[index]

    def _scores(self, X: Any) -> FloatArray:
        # classes without weight are not among those of the estimator
        check_same_classes(self, getattr(getattr(self, "calibrator_", None), "classes_", ()))
        return getattr(self.estimator_, self._response)(X)

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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
