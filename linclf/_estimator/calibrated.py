"""The calibrator of a classifier, fitted on its validation rows."""

import numpy as np

from linclf import calibration
from linclf._data.dataset import Dataset
from linclf._types import FloatArray, LabelArray, Loss
from linclf.calibration._base import Calibrator, log_probabilities
from linclf.losses._registry import trait


def checked_calibrator(
    method: str | Calibrator | None, loss: Loss, per_class: FloatArray | None, classes: LabelArray
) -> Calibrator | None:
    """A new calibrator, or None; refused before training what would be refused after it."""
    if method is None:
        return None
    calibrator = calibration.resolve(method)
    together = trait(loss, "shift_invariant") or trait(loss, "probabilities") is not None
    if method in ("platt", "auto") and together:
        calibrator.set_params(input="logits")  # one score alone means something in one-vs-rest only
    taken = getattr(calibrator, "input", "scores")
    if taken not in ("scores", "logits"):
        raise ValueError(
            f"calibration={calibrator!r} takes {taken}, and a classifier gives it the scores of "
            "its decision_function; use input='scores'"
        )
    if per_class is not None and not per_class.all():
        left_out = classes.tolist()[int(np.argmin(per_class))]
        raise ValueError(
            f"class_weight leaves out class {left_out!r}, whose rows calibration={method!r} needs; give it a "
            "small weight"
        )
    return calibrator


def fitted_calibrator(
    calibrator: Calibrator,
    scores: FloatArray,
    held_out: Dataset,
    per_class: FloatArray | None,
    classes: LabelArray,
) -> Calibrator:
    """The calibrator, fitted to ``decision_function`` scores.

    Class weights are taken out of the weights of the rows: probabilities are to be those of the rows
    as they are.
    """
    y, weights = held_out.counted
    if per_class is not None:
        weights = weights / y.expected(per_class)
    rows, index, shares = y.copies()
    return calibrator.fit(scores[rows], classes[index], sample_weight=weights[rows] * shares, classes=classes)


def calibrated(calibrator: Calibrator, scores: FloatArray, logarithm: bool = False) -> FloatArray:
    """Probabilities, or their logarithms, in the dtype of the scores."""
    found = log_probabilities(calibrator, scores) if logarithm else calibrator.predict_proba(scores)
    return found.astype(scores.dtype, copy=False)
