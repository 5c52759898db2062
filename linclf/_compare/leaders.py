"""A closer look at the leading models: the effect of more rows, and of calibration."""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from linclf._compare.candidates import Candidate
from linclf._compare.measures import NEED_PROBABILITIES, outputs_of, value_of
from linclf._compare.splitting import Parts
from linclf._compare.tuning import Rows
from linclf.calibration import CalibratedClassifier

MOST_LEADERS = 3
SHARES = (0.125, 0.25, 0.5)  # of the training part; the whole has been measured before


class Look(NamedTuple):
    """One leader on one split.

    Attributes
    ----------
    curve : list of (n_rows, value)
        The measure that the comparison is sorted by, by the number of training rows.
    calibrator : str
    calibrated : dict
        Log loss and calibration error after calibration.
    """

    curve: list[tuple[int, float | None]]
    calibrator: str
    calibrated: dict[str, float | None]


def look_at(
    candidate: Candidate, alpha: float, train: Rows, test: Rows, *, folds: Parts, sort: str, random_state: int
) -> Look:
    """Fit the model to shares of the training part, and calibrate it on folds of the whole."""
    with warnings.catch_warnings():  # the fit to all rows has been reported already
        warnings.simplefilter("ignore")
        curve = []
        for rows in _shares(train, random_state):
            part = train.take(rows)
            model = candidate.make(alpha, rows.size).fit(part.X, part.y)
            curve.append((rows.size, _value(model, test, sort)))
        model = candidate.make(alpha, train.y.size)
        calibrator = "temperature" if hasattr(model, "predict_proba") else "platt"
        calibrated: Any = CalibratedClassifier(model, method=calibrator, cv=folds)
        outputs = outputs_of(calibrated.fit(train.X, train.y), test.X, test.classes)
    after = {key: value_of(key, test.codes, outputs, test.class_of_interest) for key in NEED_PROBABILITIES}
    return Look(curve, calibrator, after)


def _value(model: Any, test: Rows, sort: str) -> float | None:
    return value_of(sort, test.codes, outputs_of(model, test.X, test.classes), test.class_of_interest)


def _shares(train: Rows, random_state: int) -> Iterator[Any]:
    """Row numbers of growing stratified parts; parts too small for stratification are skipped."""
    _, counts = np.unique(train.codes, return_counts=True)
    for share in SHARES:
        if share * train.y.size >= 2 * counts.size and counts.min() > 1:
            positions = np.arange(train.y.size)
            rows, _ = train_test_split(
                positions, train_size=share, stratify=train.codes, random_state=random_state
            )
            yield rows
