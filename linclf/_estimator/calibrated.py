"""The calibrator of a classifier, fitted on its validation rows."""

import numpy as np

from linclf import calibration
from linclf._data.dataset import Dataset
from linclf._training.present import Present
from linclf._types import FloatArray, LabelArray, Loss
from linclf.calibration import PerLabelCalibration
from linclf.calibration._base import Calibrator, calibrated, certain
from linclf.losses._registry import trait


def checked_calibrator(
    method: str | Calibrator | None, loss: Loss, per_class: FloatArray | None, classes: LabelArray
) -> Calibrator | None:
    """A new calibrator, or None; what would fail after training is refused before it."""
    if method is None:
        return None
    calibrator = calibration.resolve(method)
    together = trait(loss, "shift_invariant") or trait(loss, "probabilities") is not None
    together = together and trait(loss, "of_labels") is None
    if method in ("platt", "auto") and together:
        calibrator.set_params(input="logits")  # a single score has a meaning only in one-vs-rest
    _check_takes_scores(calibrator)
    if per_class is not None and not per_class.all():
        left_out = classes.tolist()[int(np.argmin(per_class))]
        raise ValueError(
            f"class_weight leaves out class {left_out!r}, whose rows calibration={method!r} needs; give it a "
            "small weight"
        )
    return calibrator


def label_calibrator(method: str | Calibrator | None) -> PerLabelCalibration | None:
    """A new calibrator of several labels a row, or None."""
    if method is None:
        return None
    each = method.calibrator if isinstance(method, PerLabelCalibration) else method
    _check_takes_scores(calibration.resolve(each))
    return PerLabelCalibration(each)


def _check_takes_scores(calibrator: Calibrator) -> None:
    taken = getattr(calibrator, "input", "scores")
    if taken not in ("scores", "logits"):
        raise ValueError(
            f"calibration={calibrator!r} takes {taken}, but a classifier passes it the scores of "
            "its decision_function; use input='scores'"
        )


def fitted_calibrator(
    calibrator: Calibrator | PerLabelCalibration,
    scores: FloatArray,
    held_out: Dataset,
    per_class: FloatArray | None,
    classes: LabelArray,
    present: Present | None,
) -> Calibrator | PerLabelCalibration:
    """The calibrator, fitted to ``decision_function`` scores.

    Class weights are removed from the row weights, as the probabilities should be those of the rows
    as they are. Rows and scores of classes that were not trained are ignored.
    """
    if isinstance(calibrator, PerLabelCalibration):
        y, weights = held_out.counted
        return calibrator.fit(scores, y.named(classes), weights)
    if present is not None:
        if len(present.at) == 1:
            return certain(calibrator, classes[present.at])
        rows = present.narrowed(held_out).ids
        kept = np.isin(held_out.ids, rows)
        scores, held_out = scores[kept][:, present.at], present.narrowed(held_out.take(rows))
        classes = classes[present.at]
        per_class = None if per_class is None else per_class[present.at]
    y, weights = held_out.counted
    if per_class is not None:
        weights = weights / y.expected(per_class)
    rows, index, shares = y.copies()
    calibrator.fit(scores[rows], classes[index], sample_weight=weights[rows] * shares, classes=classes)
    return calibrator


LOWEST = -1e30  # the decision for a class of probability 0: finite, so that means stay finite


def decisions_of(calibrator: Calibrator, scores: FloatArray, classes: LabelArray) -> FloatArray:
    """Decision values: logarithms of the probabilities, for two classes their difference; in float64."""
    logs = np.maximum(calibrated(calibrator, scores.astype(np.float64), classes, logarithm=True), LOWEST)
    return logs[:, 1] - logs[:, 0] if scores.ndim == 1 else logs
