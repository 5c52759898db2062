"""Known scores in every sweep, storage and quadratic model: they act as other weights would.

With known scores ``X A'`` the weights V have the products, losses and derivatives of V + A without them.
"""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from linclf import LinearClassifier
from linclf._data.dataset import Dataset
from linclf._data.targets import Labels
from linclf._training.explicit import Explicit
from linclf._training.held import Held
from linclf._training.intercepts import intercept_hessian, intercepts_alone
from linclf._training.left_out import Task
from linclf._training.objective import Rows
from linclf._training.preconditioner import Preconditioner
from linclf._training.settings import Settings
from linclf._training.solvers import LBFGS, stochastic
from linclf._training.train import fit_for
from linclf.losses import Softmax, SquaredOneVsRest
from linclf.losses._names import loss_for

FORMS = {"dense": np.asarray, "csr": sparse.csr_array}


def table(n, d, n_classes, dtype=np.float64):
    """Rows, labels, weights, and weights A of a model with known scores ``X A'``."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)).astype(dtype)
    X[:, 1] *= rng.random(n) < 0.5
    y = np.r_[np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)]
    A = rng.normal(size=(1 if n_classes == 2 else n_classes, d))
    return X, y, rng.uniform(0.1, 2, n), A


WAYS = [
    pytest.param("dense", "float64", 2, {}, id="direct-in-place"),
    pytest.param("dense", "float32", 3, {}, id="direct-float32"),
    pytest.param("dense", "float64", 40, {}, id="direct-copied"),
    pytest.param("csr", "float64", 3, {}, id="direct-csr"),
    pytest.param("csr", "float32", 2, {}, id="direct-csr-float32"),
    pytest.param("dense", "float64", 3, {"solver": "adam"}, id="batches"),
    pytest.param("csr", "float64", 2, {"solver": "momentum"}, id="batches-csr"),
    pytest.param("dense", "float64", 3, {"batch_size": 800}, id="batches-large"),
    pytest.param("dense", "float64", 40, {"batch_size": 5000, "n": 5000, "d": 60}, id="pieces"),
    pytest.param("dense", "float32", 200, {"d": 1500, "n": 400}, id="wide"),
    pytest.param("dense", "float64", 3, {"loss": "crammer-singer"}, id="hinge"),
]


@pytest.mark.parametrize(("form", "dtype", "n_classes", "options"), WAYS)
def test_steps_are_those_from_the_weights_of_the_known_scores(form, dtype, n_classes, options, monkeypatch):
    """Without a penalty, from 0 with an offset ``X A'`` and from A without one, in every sweep."""
    options = {"loss": "softmax", "solver": "sgd", "batch_size": 32, **options}
    monkeypatch.setattr(stochastic, "_besides_offset", lambda fit: fit)  # they would start elsewhere
    X, y, weights, A = table(options.pop("n", 900), options.pop("d", 6), n_classes, np.dtype(dtype))
    if n_classes == 200:
        A = A / 30
    model = LinearClassifier(
        alpha=0.0, learning_rate=0.05, max_iter=2, tol=None, schedule="constant", random_state=0, **options
    )
    scores = X.astype(np.float64) @ A.T
    offset = scores.ravel() if n_classes == 2 else scores
    X = FORMS[form](X)
    besides = model.fit(X, y, weights, offset=offset)
    moved, b, known = (
        besides.coef_.copy(),
        besides.intercept_.copy(),
        besides.decision_function(X, offset=offset),
    )
    start = clone(model).fit(X, y, weights, coef_init=A)
    close = {"rtol": 1e-9, "atol": 1e-9} if dtype == "float64" else {"rtol": 1e-3, "atol": 2e-4}
    assert np.abs(moved).max() > 1e-3
    np.testing.assert_allclose(moved + A, start.coef_, **close)
    np.testing.assert_allclose(b, start.intercept_, **close)
    np.testing.assert_allclose(
        known, start.decision_function(X), rtol=close["rtol"], atol=100 * close["atol"]
    )


def fits(loss, n_classes, form, dtype=np.float64, n=203, d=4):
    """The same problem with known scores and without, the weights V that add A, in training coordinates."""
    X, y, weights, A = table(n, d, n_classes, dtype)
    A = np.vstack([-A, A]) / 2 if n_classes == 2 else A
    data = Dataset(FORMS[form](X), Labels(y, n_classes), weights)
    settings, resolved = Settings(1e-2, True, "auto", 1e-6, 5, 1, 0), loss_for(loss, n_classes)
    made = []
    for offset in ((X @ A.T).astype(dtype), None):
        task = Task(data._replace(offset=offset), None, None, None)
        made.append(fit_for(task, resolved, LBFGS(), settings, None, np.random.RandomState(0)))
    head, coordinates = made[0].head, made[0].coordinates
    V = head.trained_from(coordinates.weights_from(A, np.zeros(n_classes), head.intercept))
    return *made, V


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", [Softmax(), SquaredOneVsRest()], ids=repr)
def test_derivatives_are_those_of_the_sum_of_the_weights(loss, n_classes, form):
    """Value, gradient and products with the Hessian, by rows, explicit, and with rows that are held."""
    shifted, plain, A = fits(loss, n_classes, form)
    rng, stored = np.random.default_rng(1), plain.problem.storage.by_classes
    V, D = 0.3 * rng.normal(size=A.shape), rng.normal(size=A.shape)
    penalty = plain.problem.penalty * plain.head.copies
    kinds = [Rows] if form == "csr" else [Rows, Explicit]
    for kind in kinds:
        found, expected = kind(shifted, shifted.ids), kind(plain, plain.ids)
        values, gradients = [], []
        for objective, W in ((found, V), (expected, V + A)):
            at = np.ascontiguousarray(stored(W))
            G = np.empty_like(at)
            value = objective.value_and_gradient(at, G)
            values.append(value - 0.5 * np.sum(penalty * W**2))
            gradients.append(stored(G) - penalty * W)
        np.testing.assert_allclose(*values, rtol=1e-10)
        np.testing.assert_allclose(*gradients, rtol=1e-8, atol=1e-10)
    at, of = ([np.ascontiguousarray(stored(W)) for W in (V, V + A)], np.ascontiguousarray(stored(D)))
    objectives = Rows(shifted, shifted.ids), Rows(plain, plain.ids)
    products = [one.hessian_product(W, of) for one, W in zip(objectives, at, strict=True)]
    np.testing.assert_allclose(*products, rtol=1e-7, atol=1e-9)
    held = [Held(one, None).at(W, 1) for one, W in zip(objectives, (V, V + A), strict=True)]
    np.testing.assert_allclose(*(one.product(D) for one in held), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(held[0].product(D), stored(products[1]), rtol=1e-6, atol=1e-8)
    factors = [Preconditioner(one.fit, one, W) for one, W in zip(objectives, at, strict=True)]
    np.testing.assert_allclose(*(one.solve(of.copy()) for one in factors), rtol=1e-7)
    bends = [intercept_hessian(one, W) for one, W in zip(objectives, at, strict=True)]
    np.testing.assert_allclose(*bends, rtol=1e-7, atol=1e-12)
    if kinds[-1] is Explicit:
        whole = [Explicit(one.fit, one.ids).hessian(W) for one, W in zip(objectives, at, strict=True)]
        np.testing.assert_allclose(*whole, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", [Softmax(), SquaredOneVsRest()], ids=repr)
def test_the_reference_has_the_best_intercepts_besides_the_known_scores(loss, n_classes):
    """No other intercepts are better, and the other weights are 0."""
    fit, _, _ = fits(loss, n_classes, "dense")
    objective, stored = Rows(fit, fit.ids), fit.problem.storage.by_classes
    V = intercepts_alone(fit)
    assert not stored(V)[:, :-1].any()
    assert stored(V)[:, -1].any()
    G = np.empty_like(V)
    objective.value_and_gradient(V, G)
    np.testing.assert_allclose(stored(G)[:, -1], 0, atol=1e-5)
