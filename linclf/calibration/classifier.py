"""A classifier whose probabilities are calibrated on rows that it was not trained on."""

from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods, StrOptions

from linclf._data.folds import Folds, Splitter
from linclf._data.labels import classes_of
from linclf._types import FloatArray, LabelArray
from linclf.calibration._base import Calibrator, calibrated, certain
from linclf.calibration._folds import (
    Given,
    HeldOut,
    Use,
    fitted_to,
    held_out_scores,
    response_of,
    scores_of,
    warn_of_weights,
)
from linclf.calibration._inside import check_same_classes
from linclf.calibration._meta import WeightedMetaClassifier
from linclf.calibration._names import CALIBRATORS, resolve

USE = Use("do not calibrate", "FrozenEstimator and other rows to calibrate on")


class CalibratedClassifier(WeightedMetaClassifier):
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
        How scores become probabilities; see `linclf.calibration`. A calibrator without a parameter ``input``
        needs a classifier with ``decision_function``: it could not be told that it gets probabilities.
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

    calibrator_: Calibrator
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

    def _fit(self, given: Given) -> None:
        rows, calibrator = given.rows, resolve(self.method)
        response = response_of(self.estimator, calibrator)
        of_softmax = response == "decision_function" and hasattr(self.estimator, "predict_proba")
        if self.method in ("platt", "auto") and of_softmax:
            calibrator.set_params(input="logits")  # softmax scores have a meaning only relative to each other
        if isinstance(self.estimator, FrozenEstimator):
            estimator = self._frozen(given)
            known = classes = estimator.classes_
            scored = HeldOut(scores_of(estimator, response, given.X_of(rows)), rows)
        else:
            classes, known = classes_of(given.y), np.unique(given.y[rows])
            if len(known) == 1:
                # nothing to calibrate: the only class with weight gets probability 1
                estimator = fitted_to(self.estimator, given, np.arange(len(given.y)))
                scored, calibrator = None, certain(calibrator, known)
            else:
                scored = held_out_scores(self, given, known, response, USE)
                estimator = fitted_to(self.estimator, given, rows)
                warn_of_weights(estimator, given, "the calibrator")
        if scored is not None:
            weights = given.weights_of(scored.rows)
            calibrator.fit(scored.scores, given.y[scored.rows], sample_weight=weights, classes=known)
        self.calibrator_, self._response = calibrator, response
        self._publish(estimator, classes)  # classes without weight get probability 0

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
