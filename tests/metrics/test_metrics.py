"""Scores of doubt: formulas by hand, their order, and rows of unknown classes in practice."""

import math

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy
from sklearn.datasets import load_digits, load_iris
from sklearn.metrics import roc_auc_score

from linclf import SoftmaxClassifier
from linclf.functional import softmax
from linclf.metrics import DOUBT_SCORES, energy_doubt, entropy_doubt, margin_doubt, max_probability_doubt

SCORES = np.array([[2.0, 4.0, 2.0, 1.0], [3.0, 3.0, -1.0, 0.0], [-800.0, 900.0, 0.0, 5.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_formulas(dtype):
    scores = SCORES.astype(dtype)
    p = softmax(scores)
    rtol = 10 * np.finfo(dtype).eps
    totals = [1 + 2 * math.exp(-2) + math.exp(-3), 2 + math.exp(-4) + math.exp(-3), 1]  # over the highest
    np.testing.assert_allclose(max_probability_doubt(p), 1 - 1 / np.array(totals), rtol=10 * rtol)
    np.testing.assert_allclose(entropy_doubt(p), scipy_entropy(p, axis=1), rtol=20 * rtol, atol=1e-12)
    np.testing.assert_allclose(margin_doubt(scores), [-2, 0, -895])
    np.testing.assert_allclose(
        energy_doubt(scores), [-4 - math.log(totals[0]), -3 - math.log(totals[1]), -900], rtol=rtol
    )
    np.testing.assert_allclose(energy_doubt(scores, 2.0), 2 * energy_doubt(scores / 2), rtol=rtol)
    # at a low temperature only the largest class counts, even if scores / T would overflow
    cold = energy_doubt(np.array([[1e30, 0.0], [3.0, 2.0]], scores.dtype), 1e-30)
    np.testing.assert_allclose(cold, [-1e30, -3.0], rtol=rtol)
    for function, takes in DOUBT_SCORES.values():
        assert function(p if takes == "predict_proba" else scores).dtype == dtype


def test_two_classes_have_the_scores_zero_and_f():
    f = np.array([-3.0, 0.0, 2.0])
    both = np.column_stack([np.zeros(3), f])
    np.testing.assert_allclose(energy_doubt(f), energy_doubt(both))
    np.testing.assert_allclose(margin_doubt(f), -np.abs(f))


@pytest.mark.parametrize("name", DOUBT_SCORES)
def test_doubt_falls_as_one_class_leads(name):
    function, takes = DOUBT_SCORES[name]
    scores = np.column_stack([np.linspace(0, 20, 50), np.zeros(50), np.zeros(50)])
    doubt = function(softmax(scores) if takes == "predict_proba" else scores)
    assert (np.diff(doubt) < 0).all()


def test_unknown_digits_are_doubted():
    """Trained on 0 to 7, asked about 8 and 9 as well."""
    X, y = load_digits(return_X_y=True)
    train, test = np.arange(len(y)) < 1200, np.arange(len(y)) >= 1200
    model = SoftmaxClassifier(alpha=1e-2, random_state=0).fit(X[train & (y < 8)], y[train & (y < 8)])
    for function, takes in DOUBT_SCORES.values():
        assert roc_auc_score(y[test] >= 8, function(getattr(model, takes)(X[test]))) > 0.8
    X, y = load_iris(return_X_y=True)
    binary = SoftmaxClassifier().fit(X[:100], y[:100])
    assert margin_doubt(binary.decision_function(X)).shape == energy_doubt(binary.decision_function(X)).shape


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_probability_doubt(SCORES), r"row 0 of p is .*linclf\.functional\.softmax first"),
        (lambda: entropy_doubt([[0.5, -0.5, 1.0]]), "not a distribution"),
        (lambda: entropy_doubt([0.5, 0.5]), r"p has shape \(2,\).*predict_proba"),
        (lambda: max_probability_doubt([[np.nan, 1.0]]), "not a distribution"),
        (lambda: margin_doubt(np.zeros((2, 1))), r"scores have shape \(2, 1\)"),
        (lambda: energy_doubt(np.zeros((2, 2, 2))), r"scores have shape \(2, 2, 2\)"),
        (lambda: energy_doubt(SCORES, temperature=0), "temperature=0"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
