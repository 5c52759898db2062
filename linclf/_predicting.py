"""Predicting from what a fit has published: in NumPy and SciPy only, so that nothing waits for a compiler."""

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from linclf import _validation
from linclf._available import has_probabilities
from linclf._calibrated import calibrated
from linclf._published import scores_of
from linclf.heads import Cosine, Linear
from linclf.losses._names import resolve
from linclf.losses._registry import trait


class PredictingMixin:
    """decision_function, predict, predict_proba and their relatives."""

    def decision_function(self, X):
        """Scores of each class; for two classes one score, positive for ``classes_[1]``.

        For the losses on cosines the rows are normalised first.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            ``X @ coef_.T + intercept_``, divided by the norm of the row for cosines.
        """
        check_is_fitted(self)
        rows = _validation.check_X(self, X, reset=False, finite=False)
        head = Cosine(self.constant_) if hasattr(self, "constant_") else Linear()
        with np.errstate(invalid="ignore", over="ignore"):
            scores = scores_of(rows, self.coef_, self.intercept_, head)
        if not np.isfinite(scores).all():  # NaN and infinity always show here: X is read once, not twice
            _validation.check_X(self, X, reset=False)
        return scores.ravel() if len(self.classes_) == 2 else scores

    def predict(self, X):
        """Class of the highest score, or of the highest calibrated probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        scores = self.decision_function(X)
        if hasattr(self, "calibrator_"):
            scores = self.calibrator_.predict_proba(scores)  # in float64, which has fewer ties
        index = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[index]

    def _scored(self, X):
        """The loss, and a score of each class, also where there are two."""
        if self.calibration is not None:
            raise NotFittedError(
                f"calibration={self.calibration!r} was set after this {type(self).__name__} was fitted; "
                "call fit again"
            )
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros_like(scores), scores])
        return resolve(self._loss(), len(self.classes_)), scores

    @available_if(has_probabilities)
    def predict_proba(self, X):
        """Class probabilities, where the loss has them, or calibrated ones.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Non-negative, each row sums to 1.
        """
        if hasattr(self, "calibrator_"):
            return calibrated(self.calibrator_, self.decision_function(X))
        loss, scores = self._scored(X)
        return loss.probabilities(scores)

    @available_if(has_probabilities)
    def predict_log_proba(self, X):
        """Logarithm of `predict_proba`: -inf where that is a true 0, exact where it underflows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities.
        """
        if hasattr(self, "calibrator_"):
            return calibrated(self.calibrator_, self.decision_function(X), logarithm=True)
        loss, scores = self._scored(X)
        if trait(loss, "log_probabilities"):
            return loss.log_probabilities(scores)
        with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf
            return np.log(loss.probabilities(scores))
