"""Rows with any number of labels, for classifiers whose loss may be a sum over the classes."""

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils import Tags

from linclf._data.targets import Indicators, Targets
from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import attribute
from linclf._estimator.fitting import Fitting
from linclf._estimator.part_classes import other_form
from linclf._sources.batches import Batches
from linclf._training.model import LinearModel
from linclf._types import FloatArray, LabelArray, Loss, MatrixLike
from linclf.calibration import PerLabelCalibration
from linclf.losses import LOSSES
from linclf.losses._names import loss_of_labels
from linclf.losses._registry import trait


class SeveralLabels(BaseLinearClassifier):
    """A classifier that is fitted to several labels a row if y is an indicator.

    Each label is then a binary problem of its own; all are trained together.
    """

    multilabel_: bool = attribute(
        type="bool",
        description="""
        True if y was an indicator of several labels a row: `classes_` are then the numbers of its columns,
        `coef_` has one row for each, and `predict` returns an indicator. Otherwise it is missing.
        """,
    )

    _not_always = (*BaseLinearClassifier._not_always, "multilabel_")

    @property
    def _several(self) -> bool:
        return self._has("multilabel_")

    def _loss_to_fit(self) -> str | Loss:
        """The loss from the parameters, also after a fit that chose another."""
        return self._loss()

    def _several_labels_loss(self) -> Loss:
        loss = loss_of_labels(self._loss_to_fit())
        if loss is None:
            able = [name for name, cls in LOSSES.items() if trait(cls, "of_labels") is not None]
            raise ValueError(
                "y has a column of 0 and 1 for each of several labels, which needs a loss that is a sum over "
                f"the classes, and {self._loss_to_fit()!r} is not; use the loss "
                f"{', '.join(map(repr, able))}, or pass y.argmax(axis=1) if each row has one label"
            )
        return loss

    def _loss_for(self, y: Targets, n_classes: int) -> Loss:
        return self._several_labels_loss() if isinstance(y, Indicators) else super()._loss_for(y, n_classes)

    def _attributes(self, model: LinearModel, fitting: Fitting) -> dict:
        if not isinstance(fitting.data.y, Indicators):
            return super()._attributes(model, fitting)
        model = model.rounded(fitting.dtype)
        published = {"classes_": fitting.classes, "coef_": model.W, "intercept_": model.b}
        return published | model.head.attributes() | fitting.published

    def _reached(self, fitting: Fitting, loss: Loss) -> LinearModel | None:
        if hasattr(self, "coef_") and self._several != isinstance(fitting.data.y, Indicators):
            raise other_form(self._several)
        return super()._reached(fitting, loss)

    # ------------------------------------------------------------ prediction

    def _loss_and_columns(self, scores: FloatArray) -> tuple[Any, FloatArray]:
        one, scores = super()._loss_and_columns(scores)  # refuses a calibration that was set later
        if not self._several:
            return one, scores
        loss = loss_of_labels(self._loss())
        if loss is None:
            raise NotFittedError(
                f"the loss {self._loss()!r} was set after this {type(self).__name__} was fitted to several "
                "labels a row, and is for one label a row; fit again"
            )
        return loss, scores

    def predict(
        self, X: MatrixLike | Batches, *, offset: ArrayLike | None = None
    ) -> LabelArray | NDArray[np.int64]:
        """Class of the highest score, or of the highest calibrated probability.

        If the classifier was fitted to several labels a row, all labels with a positive score, or with a
        calibrated probability above 1/2.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Rows to classify.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores to add, as in `fit`; None adds nothing.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels from ``classes_``, or 1 for each label of a row and 0 for the others.
        """
        if not self._several:
            return super().predict(X, offset=offset)
        return self._by_blocks(X, lambda scores: self._ranking(scores) > 0, offset=offset).astype(np.int64)

    def _ranking(self, scores: FloatArray) -> FloatArray:
        if self._several and self._is_calibrated:
            return cast("PerLabelCalibration", self.calibrator_).decision_function(scores)
        return super()._ranking(scores)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        classifier_tags: Any = tags.classifier_tags
        try:
            self._several_labels_loss()
        except (KeyError, TypeError, ValueError):  # parameters that fit will refuse
            return tags
        classifier_tags.multi_label = True
        return tags
