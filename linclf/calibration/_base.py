"""The abstract base of all calibrators: a map from scores to scores whose softmax is calibrated."""

import inspect
from abc import ABC, abstractmethod
from typing import Any, Protocol, Self, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from linclf._training.blas import one_blas_thread
from linclf._types import FloatArray, LabelArray, typed
from linclf.calibration._rows import Rows, as_scores, checked
from linclf.functional import log_softmax, softmax

Estimator = TypeVar("Estimator", bound=BaseEstimator)


class Calibrator(Protocol):
    """Maps scores to probabilities: a calibrator of this package, or any object with the same methods."""

    def fit(
        self,
        scores: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        classes: Any = None,
    ) -> Any: ...

    def predict_proba(self, scores: Any, /) -> FloatArray: ...

    def get_params(self, deep: bool = True) -> dict[str, Any]: ...

    def set_params(self, **params: Any) -> Any: ...


def log_probabilities(calibrator: Calibrator, scores: FloatArray) -> FloatArray:
    """Log probabilities, also for a calibrator without ``predict_log_proba``."""
    method = getattr(calibrator, "predict_log_proba", None)
    if method is not None:
        return method(scores)
    with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf
        return np.log(calibrator.predict_proba(scores))


def calibrated(
    calibrator: Calibrator, scores: FloatArray, classes: LabelArray, logarithm: bool = False
) -> FloatArray:
    """Probabilities of the classes, or their logarithms; classes unknown to the calibrator get 0.

    Scores have one column for each class, or one for each class that the calibrator knows.
    """
    known = getattr(calibrator, "classes_", classes)
    at, (never, always) = np.searchsorted(classes, known), (-np.inf, 0.0) if logarithm else (0.0, 1.0)
    found = np.full((len(scores), 1), always)
    if len(known) > 1:
        if scores.ndim == 2 and len(known) < scores.shape[1]:
            scores = scores[:, at]
        found = log_probabilities(calibrator, scores) if logarithm else calibrator.predict_proba(scores)
        if len(known) == len(classes):
            return found
    whole = np.full((len(scores), len(classes)), never)
    whole[:, at] = found
    return whole


def certain(calibrator: Calibrator, label: LabelArray) -> Calibrator:
    """The calibrator for a single class: there is nothing to fit, and its probability is 1."""
    known = cast("Calibrator", clone(calibrator))
    vars(known)["classes_"] = label
    return known


INPUT = """input : {"scores", "probabilities"}, default="scores"
    The input of `fit` and `predict_proba`. Scores are logits or values of a ``decision_function``.
    Probabilities are replaced by their logarithms; a probability of 0 counts as the smallest positive
    one in `fit`, clipped to [1e-30, 1e-4]."""


SHRINKAGE = """shrinkage : "auto" or float >= 0, default="auto"
    Factor s of the penalties. "auto" tries ``inf`` (the temperature alone) and ``256, 64, 16, 4, 1, 1/4``,
    without those below ``2 n_classes / n_rows``, and holds out five parts of the rows in turn. The
    coefficients are an average over these factors, each fitted to all rows, with weights proportional to
    ``exp(-c L)``, where L is the sum of the held-out log losses and ``c = n_rows / (n_rows + 300)``."""


def documented(cls: type[Estimator]) -> type[Estimator]:
    """Put the parameters that calibrators share into a docstring."""
    if cls.__doc__ is not None:  # None under python -OO
        cls.__doc__ = inspect.cleandoc(cls.__doc__).replace("{input}", INPUT)
        cls.__doc__ = cls.__doc__.replace("{shrinkage}", SHRINKAGE)
    return cls


class BaseCalibrator(BaseEstimator, ABC):
    """Fitting and predicting, shared by all calibrators; a subclass defines the map."""

    input: str
    classes_: LabelArray
    _floor: float  # not a class attribute: linclf.load does not let a model override those
    _parameter_constraints: dict = {"input": [StrOptions({"scores", "probabilities"})]}

    @abstractmethod
    def _parameters(self, rows: Rows) -> dict[str, FloatArray | float]:
        """Fit to `_rows.Rows`, and return the fitted attributes in a dict."""

    @abstractmethod
    def _mapped(self, scores: FloatArray) -> FloatArray:
        """Map scores (n, K) to calibrated scores (n, K)."""

    @typed(_fit_context(prefer_skip_nested_validation=True))
    def fit(
        self,
        scores: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Fit the map to scores of rows that the classifier was not trained on.

        Parameters
        ----------
        scores : array-like of shape (n_samples, n_classes), or (n_samples,) for two classes
            A single score stands for the pair (0, score), so a positive score favours the second class.
            With ``input="probabilities"`` it is the probability of the second class.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative counts of rows: a weight of k is k copies, and 0 removes the row. Their scale
            matters, because the penalties and Platt's targets depend on their sum. The largest must be
            between 1e-30 and 1e30.
        classes : array-like of shape (n_classes,), default=None
            The label of each column of scores. The default is the sorted labels in y; if y lacks some
            classes and holds integers from 0 to ``n_classes - 1``, they are column indices, as in torch.
            Required if y lacks a class and has other labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If shapes, labels or weights do not fit, or the scores are not finite (with
            ``input="probabilities"``, not distributions).
        TypeError
            If the scores are not real numbers.
        """
        rows = checked(scores, y, sample_weight, classes, self.input)
        with one_blas_thread():
            self._publish(self._parameters(rows), rows)
        return self

    def predict_proba(self, scores: ArrayLike) -> FloatArray:
        """Calibrated probabilities.

        Parameters
        ----------
        scores : array-like of shape (n_samples, n_classes), or (n_samples,) for two classes
            As in `fit`.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            In float64; each row sums to 1.

        Raises
        ------
        ValueError
            If the number of classes differs from `fit`, or the scores are not finite.
        TypeError
            If the scores are not real numbers.
        """
        return softmax(self._checked_map(scores))

    def predict_log_proba(self, scores: ArrayLike) -> FloatArray:
        """Logarithm of `predict_proba`, accurate even if that underflows.

        Parameters
        ----------
        scores : array-like of shape (n_samples, n_classes), or (n_samples,) for two classes
            As in `fit`.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities.

        Raises
        ------
        ValueError
            If the number of classes differs from `fit`, or the scores are not finite.
        TypeError
            If the scores are not real numbers.
        """
        return log_softmax(self._checked_map(scores))

    def _publish(self, found: dict[str, Any], rows: Rows) -> Self:
        """Become the fitted calibrator of the rows."""
        for name, value in found.items():
            setattr(self, name, value)
        self.classes_, self._floor = rows.classes, rows.floor
        return self

    def _checked_map(self, scores: ArrayLike) -> FloatArray:
        check_is_fitted(self)
        floor = getattr(self, "_floor", 1e-30)  # models saved by earlier versions all have this one
        values = as_scores(scores, self.input, floor)
        if values.shape[1] != len(self.classes_):
            raise ValueError(
                f"scores are for {values.shape[1]} classes, and the calibrator was fitted to "
                f"{len(self.classes_)}: pass a column for each of classes_"
            )
        with np.errstate(over="ignore", under="ignore"):  # an infinite gap is a probability of 0
            return self._mapped(values)
