"""A calibrator for each of several labels a row."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import check_is_fitted

from linclf._data.indicators import indicator_of, is_indicator
from linclf._types import FloatArray, LabelArray, typed
from linclf.calibration._base import Calibrator, log_probabilities
from linclf.calibration._names import CALIBRATORS, resolve
from linclf.functional._inputs import as_floats

LOWEST = -1e30  # the logarithm of a probability of 0: finite, so that differences are


class PerLabelCalibration(BaseEstimator):
    """Probabilities of several labels a row: a calibrator of two classes for each label.

    The score f of a label stands for the pair (0, f) of "no" and "yes", so that temperature scaling is
    ``sigmoid(f / T)`` with a T for each label, and Platt scaling ``sigmoid(a f + b)``. Labels are calibrated
    independently, as they are trained. Rows of a label that are few keep its probabilities near those of the
    scores ("temperature", "vector", "dirichlet" and "auto"), or near 1/2 ("platt").

    Parameters
    ----------
    calibrator : {"temperature", "platt", "vector", "dirichlet", "auto"} or calibrator, default="platt"
        The calibrator of each label; an object is cloned, not changed.

    Attributes
    ----------
    calibrators_ : list of calibrators
        One for each label, with the classes 0 and 1.
    classes_ : ndarray of shape (n_labels,)
        The numbers of the columns.

    See Also
    --------
    linclf.metrics.label_calibration_errors : Judges the probabilities of each label.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood
    methods", 1999.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from linclf import SVMClassifier
    >>> from linclf.calibration import PerLabelCalibration
    >>> X, Y = make_multilabel_classification(1500, n_classes=3, random_state=0)
    >>> svm = SVMClassifier(multi_class="one-vs-rest", squared=True).fit(X[:1000], Y[:1000])
    >>> calibrator = PerLabelCalibration().fit(svm.decision_function(X[1000:]), Y[1000:])
    >>> calibrator.predict_proba([[-2.0, 0.0, 1.0]]).round(1)
    array([[0. , 0.5, 0.9]])
    """

    calibrators_: list[Calibrator]
    classes_: LabelArray
    _parameter_constraints: dict = {
        "calibrator": [StrOptions(set(CALIBRATORS)), HasMethods(["fit", "predict_proba", "get_params"])]
    }

    def __init__(self, calibrator: str | Calibrator = "platt") -> None:
        self.calibrator = calibrator

    @typed(_fit_context(prefer_skip_nested_validation=True))
    def fit(self, scores: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the calibrators to scores of rows that the classifier was not trained on.

        Parameters
        ----------
        scores : array-like of shape (n_samples, n_labels)
            A score for each label, or its probability if the calibrator has ``input="probabilities"``.
        y : {array-like, sparse matrix} of shape (n_samples, n_labels)
            An indicator: 1 for each label of a row, else 0. No row needs to have a label.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative counts of rows, as for each calibrator.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If shapes, labels or weights do not fit, or the scores are not finite.
        TypeError
            If the scores are not real numbers, or the calibrator is none.
        """
        if not is_indicator(y):
            raise ValueError(
                "y must be an indicator, integers or bools of shape (n_samples, n_labels), or sparse, "
                f"not {type(y).__name__} of shape {np.shape(y)}"
            )
        has = indicator_of(y) > 0
        values = self._columns(scores, has.shape[1], "y")
        if len(values) != len(has):
            raise ValueError(f"scores have {len(values)} rows, and y has {len(has)}; pass equally many")
        self.calibrators_ = [
            resolve(self.calibrator).fit(column, own, sample_weight=sample_weight, classes=[0, 1])
            for column, own in zip(values.T, has.astype(np.int64).T, strict=True)
        ]
        self.classes_ = np.arange(has.shape[1])
        return self

    def decision_function(self, scores: ArrayLike) -> FloatArray:
        """Log odds of each label, positive if its probability is above 1/2.

        Parameters
        ----------
        scores : array-like of shape (n_samples, n_labels)
            As in `fit`.

        Returns
        -------
        log_odds : ndarray of shape (n_samples, n_labels)
            ``log(p / (1 - p))``, in float64.
        """
        logs = self._logs(scores)
        return np.maximum(logs[:, :, 1], LOWEST) - np.maximum(logs[:, :, 0], LOWEST)

    def predict_proba(self, scores: ArrayLike) -> FloatArray:
        """Calibrated probabilities of the labels.

        Parameters
        ----------
        scores : array-like of shape (n_samples, n_labels)
            As in `fit`.

        Returns
        -------
        p : ndarray of shape (n_samples, n_labels)
            In float64; rows do not sum to 1.
        """
        return np.exp(self.predict_log_proba(scores))

    def predict_log_proba(self, scores: ArrayLike) -> FloatArray:
        """Logarithm of `predict_proba`, accurate even if that underflows.

        Parameters
        ----------
        scores : array-like of shape (n_samples, n_labels)
            As in `fit`.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_labels)
            Logarithms of the probabilities.
        """
        return self._logs(scores)[:, :, 1]

    def _logs(self, scores: ArrayLike) -> FloatArray:
        """Log probabilities (n, n_labels, 2) of not having and of having each label."""
        check_is_fitted(self)
        values = self._columns(scores, len(self.classes_), "the calibrator")
        pairs = zip(self.calibrators_, values.T, strict=True)
        return np.stack([log_probabilities(calibrator, column) for calibrator, column in pairs], axis=1)

    def _columns(self, scores: ArrayLike, n_labels: int, other: str) -> FloatArray:
        values = as_floats(scores, "scores")
        if values.ndim != 2 or values.shape[1] != n_labels:
            raise ValueError(
                f"scores has shape {values.shape}, and {other} has {n_labels} labels; pass a column for each"
            )
        return values
