"""Models with a class of weight 0, unknown to their calibrator, can be saved and loaded."""

import io

import numpy as np
import pytest
from sklearn.datasets import load_iris

import linclf
from linclf import SoftmaxClassifier
from linclf.calibration import CalibratedClassifier

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize("n_classes", [1, 2])
@pytest.mark.parametrize("calibration", ["temperature", "platt", "vector", "dirichlet", "auto"])
def test_calibrators_of_fewer_classes(calibration, n_classes):
    weights = np.where(np.isin(Y, range(n_classes)), 1.0, 0.0)
    model = SoftmaxClassifier(calibration=calibration, early_stopping=True, random_state=0)
    model.fit(X, Y, sample_weight=weights)
    file = io.BytesIO()
    linclf.save(model, file)
    file.seek(0)
    p = linclf.load(file).predict_proba(X)
    np.testing.assert_array_equal(p, model.predict_proba(X))
    assert (p[:, n_classes:] == 0).all()


def test_a_calibrated_classifier_around_fewer_classes():
    model = CalibratedClassifier(SoftmaxClassifier()).fit(X, Y, sample_weight=1.0 * (Y < 2))
    file = io.BytesIO()
    linclf.save(model, file)
    file.seek(0)
    np.testing.assert_array_equal(linclf.load(file).predict_proba(X), model.predict_proba(X))
