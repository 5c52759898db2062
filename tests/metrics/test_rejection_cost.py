"""`rejection_cost`: by hand, as a scorer in a search, and bad input."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV

from linclf.decisions import RejectClassifier
from linclf.metrics import rejection_cost


@pytest.mark.parametrize(
    ("labels", "reject"), [([0, 1, 2], -1), (["a", "b", "c"], "rejected"), ([True, False, 3], 7)]
)
def test_by_hand(labels, reject):
    """Right, right, wrong, rejected, rejected."""
    a, b, c = labels
    y, found = np.array([a, b, c, a, b]), np.array([a, b, a, reject, reject])
    options = {"cost": 0.3, "reject_label": reject}
    assert rejection_cost(y, found, **options) == pytest.approx((1 + 2 * 0.3) / 5)
    assert rejection_cost(y.tolist(), found.tolist(), labels=labels, **options) == pytest.approx(0.32)
    weights = [1, 0, 2, 1, 0]
    assert rejection_cost(y, found, sample_weight=weights, **options) == pytest.approx((2 + 0.3) / 4)
    assert rejection_cost(y, np.full(5, reject), **options) == pytest.approx(0.3)
    assert rejection_cost(y, y, **options) == 0


@pytest.fixture(scope="module")
def table():
    return make_classification(600, 8, n_informative=5, flip_y=0.2, class_sep=0.6, random_state=0)


def test_chows_rule_has_the_least_cost_of_all_bounds(table):
    """With one cost for the rule and for the judge, no other bound does better if probabilities are right."""
    rng = np.random.default_rng(0)
    p = rng.uniform(size=100_000)
    y = (rng.uniform(size=len(p)) < p).astype(int)
    sure = np.maximum(p, 1 - p)
    found = {bound: np.where(sure < bound, -1, p > 0.5) for bound in (0.5, 0.65, 0.75, 0.85, 0.95)}
    costs = {bound: rejection_cost(y, each, cost=0.25, reject_label=-1) for bound, each in found.items()}
    assert min(costs, key=costs.get) == 0.75
    # by hand: of a rejected row .25, of others the mean of 1 - p from 0 to .25, half of all rows
    assert costs[0.75] == pytest.approx(0.5 * 0.25 + 0.5 * 0.125, abs=0.003)


def test_a_scorer_in_a_search(table):
    X, y = table
    scorer = make_scorer(rejection_cost, cost=0.2, reject_label=-1, greater_is_better=False)
    grid = {"estimator__C": [1e-4, 1.0], "cost": [0.02, 0.2]}
    search = GridSearchCV(RejectClassifier(LogisticRegression()), grid, scoring=scorer, cv=3).fit(X, y)
    assert search.best_params_ == {"estimator__C": 1.0, "cost": 0.2}
    fitted = RejectClassifier(LogisticRegression(C=1.0), cost=0.2).fit(X, y)
    found = fitted.predict(X)
    by_hand = np.mean(np.where(found == -1, 0.2, found != y))
    assert search.score(X, y) == pytest.approx(-by_hand)
    assert 0.05 < np.mean(found == -1) < 0.95


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cost": 1.5}, r"cost=1\.5 must lie between 0 and 1"),
        ({"cost": np.nan}, "cost=nan must lie"),
        ({"cost": "a"}, "cost='a' must lie"),
        ({"reject_label": 1}, "reject_label=1 is one of the classes"),
        ({"reject_label": "rejected"}, "is of another kind than the labels.*reject_label_ of the classifier"),
        ({"y_pred": ["a", "b"]}, "is of another kind than the labels"),
        ({"y_pred": [0]}, "y_true has 2 rows and y_pred 1"),
        ({"y_pred": [0, 5], "labels": [0, 1]}, "y_pred has the label 5, which is not in labels"),
        ({"labels": [0, 2]}, "y_true has the label 1, which is not in labels"),
        ({"sample_weight": [1, -1]}, "sample_weight"),
        ({"y_pred": [0, np.nan]}, "y_pred contains NaN"),
    ],
)
def test_bad_input_is_named(changed, message):
    arguments = {"y_true": [0, 1], "y_pred": [0, -1], "cost": 0.2, "reject_label": -1} | changed
    with pytest.raises(ValueError, match=message):
        rejection_cost(arguments.pop("y_true"), arguments.pop("y_pred"), **arguments)
