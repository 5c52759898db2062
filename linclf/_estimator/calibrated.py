"""The calibrator of a classifier, fitted on its validation rows."""

import numpy as np

from linclf import calibration
from linclf.losses._registry import trait


def checked_calibrator(method, loss, per_class, classes):
    """A new calibrator, or None; refused before training what would be refused after it."""
    if method is None:
        return None
    calibrator = calibration.resolve(method)
    together = trait(loss, "shift_invariant") or trait(loss, "probabilities") is not None
    if isinstance(method, str) and method == "platt" and together:
        calibrator.set_params(input="logits")  # one score alone means something in one-vs-rest only
    if getattr(calibrator, "input", "scores") not in ("scores", "logits"):
        raise ValueError(
            f"calibration={calibrator!r} takes {calibrator.input}, and a classifier gives it the scores of "
            "its decision_function; use input='scores'"
        )
    if per_class is not None and not per_class.all():
        left_out = classes.tolist()[int(np.argmin(per_class))]
        raise ValueError(
            f"class_weight leaves out class {left_out!r}, whose rows calibration={method!r} needs; give it a "
            "small weight"
        )
    return calibrator


def fitted_calibrator(calibrator, scores, held_out, per_class, classes):
    """The calibrator, fitted to ``decision_function`` scores.

    Class weights are taken out of the weights of the rows: probabilities are to be those of the rows
    as they are.
    """
    y, weights = held_out.y, held_out.weights
    if per_class is not None:
        weights = weights / (per_class[y] if y.ndim == 1 else y @ per_class)
    if y.ndim == 2:  # a row of probabilities is a weighted copy for each class
        rows, columns = np.nonzero(y)
        scores, weights, y = scores[rows], weights[rows] * y[rows, columns], columns
    return calibrator.fit(scores, classes[y], sample_weight=weights, classes=classes)


def calibrated(calibrator, scores, logarithm=False):
    """Probabilities, or their logarithms, in the dtype of the scores."""
    if not logarithm:
        return calibrator.predict_proba(scores).astype(scores.dtype, copy=False)
    if hasattr(calibrator, "predict_log_proba"):
        return calibrator.predict_log_proba(scores).astype(scores.dtype, copy=False)
    with np.errstate(divide="ignore"):  # a probability of 0 has the logarithm -inf
        return np.log(calibrator.predict_proba(scores)).astype(scores.dtype, copy=False)
