"""A refit leaves nothing of the fit before it: it has the attributes of a first fit with its parameters."""

import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from linclf import SoftmaxClassifier
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)

IRIS = load_iris(return_X_y=True)
WITH_ALL = {"early_stopping": True, "calibration": "temperature"}
# a classifier, parameters of a fit, and those of the fit after it
REFITS = [
    (SoftmaxClassifier(solver="sgd"), WITH_ALL, {"early_stopping": False, "calibration": None}),
    (SoftmaxClassifier(), {"standardize": True, "solver": "newton"}, {"standardize": False, "solver": "sgd"}),
    (SampledSoftmaxClassifier(), WITH_ALL, {"early_stopping": False, "calibration": None}),
    (SampledSoftmaxClassifier(), {"max_iter": 40, "tol": None}, {"n_sampled": 2}),  # at first all classes
    # at first a proven bound
    (AdaptiveSoftmaxClassifier(), {"max_iter": "auto"}, {"solver": "sgd", "early_stopping": True}),
    (NCEClassifier(), {"rank": 2}, {"rank": None}),
    (HierarchicalSoftmaxClassifier(), {"standardize": True}, {"standardize": False}),
    (AdaptiveSoftmaxClassifier(cutoffs=[1]), {}, {"cutoffs": [2]}),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("classifier", "before", "after"), REFITS)
def test_a_refit_has_the_attributes_of_a_first_fit(classifier, before, after):
    refitted = (
        clone(classifier).set_params(random_state=0, **before).fit(*IRIS).set_params(**after).fit(*IRIS)
    )
    first = clone(refitted).fit(*IRIS)
    assert set(vars(refitted)) == set(vars(first))
