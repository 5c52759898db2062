"""Value, gradient and Hessian of a few weights in one sweep, compared with passes and with differences."""

import numpy as np
import pytest
from test_hessian_product import LOSSES, differences, objective_of

from linclf._kernels import second_order
from linclf._training.explicit import Explicit
from linclf.losses import Softmax, Sparsemax

CASES = [*LOSSES, Sparsemax()]


def both(loss, n_classes, **data):
    """The objective by passes over the rows, and by sweeps."""
    passes = objective_of(loss, n_classes, **data)
    return passes, Explicit(passes.fit, passes.ids)


def evaluated(objective, V):
    G = np.empty_like(V)
    return objective.value_and_gradient(V, G), G


@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
@pytest.mark.parametrize("loss", CASES, ids=repr)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_value_and_gradient_are_those_of_a_pass(loss, n_classes, soft):
    passes, sweeps = both(loss, n_classes, soft=soft)
    V = np.random.default_rng(1).normal(size=passes.fit.V.shape) / 3
    (value, G), (expected, slopes) = evaluated(sweeps, V), evaluated(passes, V)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(G, slopes, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("loss", "soft"),
    # with soft labels, Hessians without a formula are themselves computed by differences
    [*((loss, False) for loss in LOSSES), *((loss, True) for loss in LOSSES if type(loss) is Softmax)],
)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_hessian_equals_differences_of_the_gradient(loss, n_classes, soft):
    passes, sweeps = both(loss, n_classes, soft=soft)
    V = np.random.default_rng(1).normal(size=passes.fit.V.shape) / 3
    H = sweeps.hessian(V)
    np.testing.assert_allclose(H, H.T, atol=1e-15)
    for row, D in zip(H, np.eye(V.size).reshape(-1, *V.shape), strict=True):
        expected = differences(passes, V, D).ravel()
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("n", [1, 2, second_order.BLOCK, second_order.BLOCK + 1])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_any_number_of_rows(n, n_classes):
    passes, sweeps = both(LOSSES[1], n_classes, n=n)
    V = np.random.default_rng(1).normal(size=passes.fit.V.shape) / 3
    (value, G), (expected, slopes) = evaluated(sweeps, V), evaluated(passes, V)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(G, slopes, rtol=1e-10, atol=1e-13)
    # Hessian products by passes are an independent check
    D = np.random.default_rng(2).normal(size=V.shape)
    product = (sweeps.hessian(V) @ D.ravel()).reshape(V.shape)
    np.testing.assert_allclose(product, passes.hessian_product(V, D), rtol=1e-10, atol=1e-13)


def test_rows_of_float32_keep_the_digits_of_their_values():
    """Centred in float64: the same objective as for X.astype(float64), which equals X."""
    passes, sweeps = both(LOSSES[0], 3, dtype=np.float32)
    storage = passes.fit.problem.storage
    expected = (storage.X.astype(np.float64) - storage.centre) * storage.factor
    np.testing.assert_allclose(sweeps.table.Z[:, :-1], expected, rtol=1e-15)


def test_a_model_stays_that_of_its_weights():
    """Even if others are evaluated after it, and it is used repeatedly: it keeps its ridge."""
    _, sweeps = both(LOSSES[0], 3)
    V = np.random.default_rng(1).normal(size=(3, 8))
    H = sweeps.hessian(V).copy()
    models = [sweeps.at(V, 1), sweeps.at(V, 1)]
    np.testing.assert_array_equal(sweeps.hessian(V), H)
    products = [model.product(V) for model in models]
    evaluated(sweeps, 2 * V)
    for model in models:
        np.testing.assert_array_equal(model.product(V), products[0])
    np.testing.assert_array_equal(sweeps.hessian(V), H)
