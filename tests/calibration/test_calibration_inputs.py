"""How calibrators treat their input: zeros, sums, weights, masks and labels; and Newton's steps.

Not tested here: what they fit (test_calibration.py).
"""

import warnings

import numpy as np
import pytest
import sklearn.metrics
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from linclf.calibration import CALIBRATORS, CalibratedClassifier, TemperatureScaling, VectorScaling, resolve
from linclf.calibration._newton import Point, minimise
from linclf.calibration._rows import centred
from linclf.metrics import log_loss


def as_they_are(p, sample_weight=None):
    """A calibrator fitted to probabilities that then leaves probabilities unchanged."""
    y = np.arange(len(p)) % 2
    model = TemperatureScaling(input="probabilities").fit(p, y, sample_weight)
    model.temperature_ = 1.0
    return model


# ---------------------------------------------------------------- probabilities of 0, and small ones


@pytest.mark.parametrize(("smallest", "floor"), [(0.3, 1e-4), (1e-12, 1e-12), (1e-50, 1e-30)])
def test_a_probability_of_zero_is_one_of_the_smallest_in_fit(smallest, floor):
    model = as_they_are([[1.0, 0.0], [smallest, 1 - smallest], [0.6, 0.4]])
    log_p = model.predict_log_proba([[0.0, 1.0], [floor / 2, 1.0], [1e-3, 0.999]])
    shares = np.array([floor / (1 + floor), floor / (1 + floor), 1e-3])
    np.testing.assert_allclose(log_p[:, 0], np.log(shares), rtol=1e-12)
    assert model.predict_log_proba([0.0])[0, 1] == pytest.approx(np.log(shares[0]), rel=1e-12)


def test_rows_of_weight_zero_say_nothing_about_zero():
    p = [[1.0, 0.0], [1e-20, 1.0], [0.6, 0.4], [0.3, 0.7]]
    model = as_they_are(p, sample_weight=[1, 0, 1, 1])
    assert model.predict_log_proba([[0.0, 1.0]])[0, 0] == pytest.approx(np.log(1e-4 / 1.0001))


def test_models_that_were_saved_without_a_floor_keep_theirs():
    model = as_they_are([[1.0, 0.0], [0.3, 0.7], [0.6, 0.4]])
    del model._floor
    assert model.predict_log_proba([[0.0, 1.0]])[0, 0] == pytest.approx(np.log(1e-30))


def test_a_forest_with_zeros_becomes_better_and_not_worse():
    """With zeros replaced by 1e-30 the log loss rose, by 0.07 to 0.11."""
    X, y = make_classification(1500, 12, n_informative=6, n_classes=4, flip_y=0.1, random_state=0)
    forest = RandomForestClassifier(50, random_state=0)
    p = cross_val_predict(forest, X, y, method="predict_proba")
    assert (p == 0).any()
    fit, test = np.arange(750), np.arange(750, 1500)
    before = sklearn.metrics.log_loss(y[test], p[test])  # with zeros at 2e-16
    for name in CALIBRATORS:
        model = resolve(name).set_params(input="probabilities").fit(p[fit], y[fit])
        assert log_loss(y[test], model.predict_proba(p[test])) < before


@pytest.mark.parametrize("total", [1.001, 0.999])
def test_sums_of_probabilities(total):
    p = np.array([[0.25, 0.75], [0.5, 0.5], [0.6, 0.4]])
    nearly = p * (1 + (total - 1) / 20)
    model = TemperatureScaling(input="probabilities").fit(nearly, [0, 1, 1])
    np.testing.assert_allclose(model.predict_proba(nearly).sum(axis=1), 1)
    with pytest.raises(ValueError, match=rf"row 0 is .* \(sum {total}\).* sum to 1; use input='scores'"):
        TemperatureScaling(input="probabilities").fit(p * total, [0, 1, 1])
    with pytest.raises(ValueError, match="row 0 is"):
        model.predict_proba(p * total)


def test_equal_scores_are_centred_to_zero_exactly():
    """The computed mean of three numbers 0.1 is not 0.1."""
    np.testing.assert_array_equal(centred(np.full((1, 3), 0.1)), np.zeros((1, 3)))


# ---------------------------------------------------------------- weights, masks, labels

F, Y = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [3.0, 0.0, 1.0], [0.0, 2.0, 1.0]]), [0, 1, 2, 1]


@pytest.mark.parametrize("name", CALIBRATORS)
@pytest.mark.parametrize(("size", "shown"), [(1e31, r"1e\+31"), (1e-31, "1e-31"), (1e300, r"1e\+300")])
def test_weights_are_counts_and_have_a_size(name, size, shown):
    with pytest.raises(ValueError, match=f"sample_weight reaches {shown}; .* k copies .* 1e-30 and 1e30"):
        resolve(name).fit(F, Y, np.full(4, size))
    with pytest.raises(ValueError, match=f"sample_weight reaches {shown}"):
        CalibratedClassifier(LogisticRegression(), method=name, cv=2).fit(F, [0, 0, 1, 1], [0, 0, 0, size])
    resolve(name).fit(F, Y, [1e29, 1e-40, 1.0, 1.0])


def masked(values, *places):
    array = np.ma.array(values)
    for place in places:
        array[place] = np.ma.masked
    return array


@pytest.mark.parametrize("input", ["scores", "probabilities"])
def test_masked_entries_are_refused(input):
    given = F / F.sum(axis=1, keepdims=True)
    model = VectorScaling(input=input).fit(masked(given), masked(Y), masked(np.ones(4)))  # none is masked
    for arguments, name in [
        ((masked(given, (1, 0)), Y), "scores"),
        ((given, masked(Y, 2)), "y"),
        ((given, Y, masked(np.ones(4), 0)), "sample_weight"),
    ]:
        with pytest.raises(ValueError, match=f"^{name} is a masked array with 1 masked entries"):
            VectorScaling(input=input).fit(*arguments)
    with pytest.raises(ValueError, match="scores is a masked array"):
        model.predict_proba(masked(given, (0, 0), (1, 1)))


def test_masked_labels_and_weights_of_a_calibrated_classifier_are_refused():
    X, y, model = np.arange(8.0)[:, None], np.arange(8) % 2, CalibratedClassifier(LogisticRegression(), cv=2)
    with pytest.raises(ValueError, match="y is a masked array with 1 masked"):
        model.fit(X, masked(y, 3))
    with pytest.raises(ValueError, match="sample_weight is a masked array with 2 masked"):
        model.fit(X, y, masked(np.ones(8), 3, 4))


def test_many_classes_in_few_rows_are_no_regression():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), np.arange(60) % 20
    few = np.arange(30)  # 20 classes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resolve("temperature").fit(rng.standard_normal((30, 20)), y[few])
        known = LogisticRegression().fit(X, y)
        CalibratedClassifier(FrozenEstimator(known)).fit(X[few], y[few])


# ---------------------------------------------------------------- the steps of Newton


def test_a_step_that_overshoots_is_made_shorter():
    """For sqrt(1 + x^2) a full step goes from x to -x^3, farther away if x > 1."""
    values = []

    def function(x):
        root = float(np.sqrt(1 + x @ x))

        def product(step):  # called only after an accepted step
            values.append(root)
            return step / root**3

        return Point(root, x / root, product, np.full(1, root**-3))

    found = minimise(function, np.array([3.0]))
    assert abs(found[0]) <= 1e-8
    assert len(values) >= 3
    assert (np.diff(values) < 0).all()


def test_where_only_rounding_is_left_the_gradient_decides():
    start, norms = np.array([1e-7]), []

    def function(x):
        value = 1.0 if x[0] == start[0] else 1.0 + 4e-15  # as if summed in another order
        norms.append(abs(x[0]))
        return Point(value, x, lambda step: step, np.ones(1))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = minimise(function, start)
    assert abs(found[0]) <= 1e-8
    assert norms == [1e-7, 0.0]
