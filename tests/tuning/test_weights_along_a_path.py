"""The weights along a path of penalties equal those of independent fits."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from linclf import FocalClassifier, MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier, path
from linclf.large import AdaptiveSoftmaxClassifier

ALPHAS = [10.0, 1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6]
ESTIMATORS = {
    "newton": SoftmaxClassifier(solver="newton"),
    "lbfgs": SoftmaxClassifier(solver="lbfgs"),
    "smoothed": SoftmaxClassifier(label_smoothing=0.1),
    "standardised": SoftmaxClassifier(standardize=True),
    "no intercept": SoftmaxClassifier(fit_intercept=False),
    "squared": SVMClassifier(squared=True),
    "one against the rest": SVMClassifier(squared=True, multi_class="one-vs-rest"),
}


def objective_of(model):
    return model.history_["objective"][-1]


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_objectives_are_those_of_fits_from_nothing(name, n_classes, storage):
    """Up to 1e-6 of the objective, if both have this tol."""
    X, y = load_wine(return_X_y=True)
    X, y = X[y < n_classes], y[y < n_classes]
    X = storage(X if name == "standardised" else StandardScaler().fit_transform(X))
    estimator = ESTIMATORS[name].set_params(tol=1e-9)
    found = path(X, y, ALPHAS, estimator=estimator)
    plain = [type(estimator)(**estimator.get_params() | {"alpha": alpha}).fit(X, y) for alpha in ALPHAS]
    np.testing.assert_allclose(found.objectives, [objective_of(one) for one in plain], rtol=1e-6, atol=1e-9)
    assert found.coefs.shape == (7, *plain[0].coef_.shape)


@pytest.mark.parametrize("tol", [1e-4, 1e-6])
@pytest.mark.parametrize("ratio", [1.5, 10, 1000])
@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_tol_holds_for_each_of_close_and_of_distant_penalties(solver, ratio, tol):
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X)[:900]
    y = y[:900]
    alphas = 10.0 / ratio ** np.arange(1 + np.log(1e7) // np.log(ratio))
    found = path(X, y, alphas, estimator=SoftmaxClassifier(solver=solver, tol=tol))
    exact = path(X, y, alphas, estimator=SoftmaxClassifier(solver="newton", tol=1e-10))
    way = np.log(10) - exact.objectives
    assert ((found.objectives - exact.objectives) / way).max() <= tol


def test_a_loss_that_is_not_convex():
    X, y = load_iris(return_X_y=True)
    found = path(X, y, [1.0, 1e-1, 1e-2], estimator=FocalClassifier(tol=1e-8))
    plain = FocalClassifier(alpha=1e-2, tol=1e-8).fit(X, y)
    assert found.objectives[-1] == pytest.approx(objective_of(plain), rel=1e-5)


def test_hinges_one_after_the_other():
    X, y = load_iris(return_X_y=True)
    found = path(X, y, [1e-1, 1e-3], estimator=SVMClassifier(solver="dual"))
    for alpha, coef in zip(found.alphas, found.coefs, strict=True):
        plain = SVMClassifier(solver="dual", alpha=alpha).fit(X, y)
        np.testing.assert_allclose(coef, plain.coef_, atol=0.05)


def test_a_grid_and_what_it_is_of():
    X, y = load_iris(return_X_y=True)
    names = np.array(["a", "b", "c"])[y]
    found = path(X, names, sample_weight=np.arange(1, 151), estimator=SoftmaxClassifier(tol=1e-10))
    assert found.alphas.shape == (20,)
    assert (np.diff(found.alphas) < 0).all()
    assert found.classes.tolist() == ["a", "b", "c"]
    assert (np.diff(np.square(found.coefs).sum(axis=(1, 2))) > 0).all()
    assert (np.diff(found.objectives) < 0).all()


def test_models_that_are_far_are_counted():
    X, y = load_digits(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match=r"of 2 models may be far from their minimum, the first"):
        path(X, y, [1e-3, 1e-6], estimator=SoftmaxClassifier(max_iter=1))


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (AdaptiveSoftmaxClassifier(), TypeError, "has no path"),
        (StandardScaler(), TypeError, "has no path"),
        (SoftmaxClassifier(early_stopping=True), ValueError, "early_stopping=True means nothing"),
        (SoftmaxClassifier(calibration="platt"), ValueError, "calibration='platt' means nothing"),
        (SoftmaxClassifier(warm_start=True), ValueError, "warm_start=True means nothing"),
        (SoftmaxClassifier(tol=-1), InvalidParameterError, "tol"),
        (MarginSoftmaxClassifier(), ValueError, "cosines"),
    ],
)
def test_what_has_no_path(estimator, error, message):
    with pytest.raises(error, match=message):
        path(*load_iris(return_X_y=True), estimator=estimator)
