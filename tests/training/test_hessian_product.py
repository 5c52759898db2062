"""Products with the Hessian, compared with differences of the gradient and with explicit formulas."""

import numpy as np
import pytest
from cases import default_run
from scipy import sparse
from scipy.special import softmax

from linclf._data.dataset import Dataset
from linclf._data.targets import Labels, Probabilities
from linclf._training.held import Held
from linclf._training.left_out import Task
from linclf._training.objective import Rows
from linclf._training.settings import Settings
from linclf._training.solvers import LBFGS
from linclf._training.train import fit_for
from linclf.losses import CosFace, Focal, Softmax, SquaredOneVsRest, SquaredWestonWatkins
from linclf.losses._names import loss_for

LOSSES = [Softmax(), Softmax(0.1, 2.0), Focal(1.5), SquaredOneVsRest(), SquaredWestonWatkins(0.5)]


def objective_of(loss, n_classes, dtype=np.float64, csr=False, soft=False, n=203, d=7, n_jobs=1):
    """The objective of random rows with weights, in training coordinates."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(n, d)) + 3).astype(dtype)
    y = Labels(rng.integers(0, n_classes, n), n_classes)
    if soft:
        y = Probabilities(rng.dirichlet(np.ones(n_classes), n).astype(dtype))
    data = Dataset(sparse.csr_array(X) if csr else X, y, rng.uniform(0.1, 2, n))
    settings = Settings(1e-2, True, "auto", 1e-6, 5, n_jobs, 0)
    resolved = loss_for(loss, n_classes)
    fit = fit_for(Task(data, None, None, None), resolved, LBFGS(), settings, None, np.random.RandomState(0))
    return Rows(fit, fit.ids)


def product(objective, V, *directions):
    """Products for weights (K, d + 1) and such directions, through the layout of the storage."""
    by_classes = objective.fit.problem.storage.by_classes
    stored = (np.ascontiguousarray(by_classes(each)) for each in (V, np.vstack(directions)))
    return np.split(by_classes(objective.hessian_product(*stored)), len(directions))


def differences(objective, V, D, step=1e-7):
    """Differences of the gradient along D."""
    by_classes, gradients = objective.fit.problem.storage.by_classes, []
    for sign in (1, -1):
        stored = np.ascontiguousarray(by_classes(V + sign * step * D))
        G = np.empty_like(stored)
        objective.value_and_gradient(stored, G)
        gradients.append(by_classes(G))
    return (gradients[0] - gradients[1]) / (2 * step)


@pytest.mark.parametrize("csr", [False, True], ids=["dense", "csr"])
@pytest.mark.parametrize("loss", default_run(LOSSES, kept=LOSSES[1:3]), ids=repr)
@pytest.mark.parametrize("n_classes", [2, 3, 40])
def test_product_equals_differences_of_the_gradient(loss, n_classes, csr):
    """In place, copied for BLAS (40 classes), and sparse; several directions at once, and one by one."""
    objective, rng = objective_of(loss, n_classes, csr=csr), np.random.default_rng(1)
    shape = objective.fit.shape.n_products, 8
    V, D = rng.normal(size=shape) / 3, rng.normal(size=(3, *shape))
    for direction, ours in zip(D, product(objective, V, *D), strict=True):
        np.testing.assert_allclose(product(objective, V, direction)[0], ours, rtol=1e-12, atol=1e-14)
        expected = differences(objective, V, direction)
        # squared hinges have kinks, which large differences would cross
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("n_classes", [3, 40])
def test_product_with_soft_labels(n_classes):
    for loss in (Softmax(0.1, 2.0), Focal(1.5)):
        objective, rng = objective_of(loss, n_classes, soft=True, n=50), np.random.default_rng(1)
        V, D = rng.normal(size=(n_classes, 8)) / 3, rng.normal(size=(n_classes, 8))
        expected = differences(objective, V, D, step=1e-5)
        np.testing.assert_allclose(product(objective, V, D)[0], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("n_classes", "rtol"), [(2, 1e-5), (10, 1e-5), (70, 1e-5)])
def test_product_in_float32_equals_the_formula(n_classes, rtol):
    """``sum_i w_i (H_i D z_i) z_i' / sum(w)`` with ``H = diag(p) - p p'``."""
    objective, rng = objective_of(Softmax(), n_classes, np.float32), np.random.default_rng(1)
    V, D = rng.normal(size=(n_classes, 8)) / 3, rng.normal(size=(n_classes, 8))
    if n_classes == 2:  # trained with one vector of weights
        V[0], D[0] = -V[1], -D[1]
    (rows,) = objective.blocks(1000)
    p = softmax(rows.Z @ V.T, axis=1)
    s = rows.Z @ D.T
    h = p * (s - (p * s).sum(axis=1, keepdims=True)) * rows.weights[:, None]
    expected = h.T @ rows.Z / objective.n_rows + objective.penalty * D
    if n_classes == 2:
        V, D, expected = V[1:], D[1:], expected[1:] - expected[:1]
    ours = product(objective, V, D)[0]
    np.testing.assert_allclose(ours, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


def test_product_is_the_same_for_any_number_of_threads():
    rng = np.random.default_rng(1)
    V, D = rng.normal(size=(10, 31)) / 3, rng.normal(size=(2, 10, 31))
    products = [
        product(objective_of(Softmax(), 10, np.float32, n=60_000, d=30, n_jobs=n_jobs), V, *D)
        for n_jobs in (1, 2, 3)
    ]
    np.testing.assert_array_equal(products[0], products[1])
    np.testing.assert_array_equal(products[0], products[2])


def test_cosines_have_no_such_product():
    objective = objective_of(CosFace(), 3)
    with pytest.raises(TypeError, match="Cosine scores are not linear in the weights"):
        product(objective, np.ones((3, 8)), np.ones((3, 8)))


def test_units_of_held_rows_round_nothing():
    """Units that differ from those of the rows by rounding mislead steps of ill-conditioned problems."""
    objective = objective_of(Softmax(), 3, n=5000)
    held = Held(objective, None)
    rows = objective.fit.problem.storage.rows(objective.ids, 7, 1.0)
    assert held.Z.dtype == np.float32
    np.testing.assert_array_equal(held.Z / held.units, rows.astype(np.float32))
