"""Calibrators of probmetrics."""

import contextlib
import io
import warnings

NAMES = ("svs", "logistic")  # structured vector scaling, and its matrix scaling for more than two classes


def calibrated(name, p, y, p_test):
    """Probabilities of rows from a calibrator fitted to other rows; all rows are given as probabilities."""
    import torch
    from probmetrics.calibrators import get_calibrator

    torch.set_num_threads(1)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return get_calibrator(name).fit(p, y).predict_proba(p_test)
