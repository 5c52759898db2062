"""The calibrator of a classifier, fitted on its validation rows."""

import numpy as np

from linclf import calibration


def fitted_calibrator(method, scores, held_out, per_class, classes):
    """A calibrator of ``decision_function`` scores.

    Class weights are taken out of the weights of the rows: probabilities are to be those of the rows
    as they are.
    """
    calibrator = calibration.resolve(method)
    if getattr(calibrator, "input", "scores") != "scores":
        raise ValueError(
            f"calibration={calibrator!r} takes {calibrator.input}, and a classifier gives it the scores of "
            "its decision_function; use input='scores'"
        )
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
