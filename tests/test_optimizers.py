"""Every optimizer's step: by a NumPy twin, by torch, and by its fixed point with a penalty."""

import naive
import numpy as np
import pytest
from cases import INVALID_OPTIMIZERS, OPTIMIZER_CASES, table
from numba import njit
from sklearn.utils._param_validation import InvalidParameterError

from linclf.optimizers import OPTIMIZERS, SGD, Adam, Averaged, Momentum, optimizer_for, step_row

N = 5
LENGTHS = np.array([0.3, 0.1, 0.7, 0.01, 0.2, 0.25])
PENALTY = np.array([0.0, 0.1, 2.0, 1e-3, 1e6])


@njit(error_model="numpy")
def walk(optimizer, weights, targets, slopes, lengths, penalty, slots, path):
    """Steps with the gradient ``slopes * (w - targets)`` of a parabola; ``path`` gets the weights."""
    gradient = np.empty_like(weights)
    for t in range(lengths.size):
        gradient[:] = slopes * (weights - targets)
        step_row(optimizer, weights, gradient, slots, lengths[t], t + 1, penalty)
        path[t] = weights


def path_of(optimizer, lengths=LENGTHS, penalty=PENALTY, dtype=np.float64):
    rng = np.random.default_rng(0)
    weights, targets, slopes = rng.normal(size=(3, N)).astype(dtype)
    slots, path = np.zeros((optimizer.n_slots, N), dtype), np.empty((len(lengths), N), dtype)
    walk(optimizer, weights.copy(), targets, abs(slopes), lengths, penalty.astype(dtype), slots, path)
    return path, slots, (weights, targets, abs(slopes))


def naive_path(case, lengths=LENGTHS, penalty=PENALTY):
    _, _, (w, targets, slopes) = path_of(case.optimizer, lengths[:1])
    state, path = {}, []
    for step in lengths:
        w = case.step(w, slopes * (w - targets), state, step, penalty)
        path.append(w)
    return np.array(path)


def test_every_optimizer_has_a_case():
    assert {type(case.optimizer) for case in OPTIMIZER_CASES} == set(OPTIMIZERS.values())


@table(OPTIMIZER_CASES)
def test_steps_equal_the_twin(case):
    np.testing.assert_allclose(path_of(case.optimizer)[0], naive_path(case), rtol=1e-12, atol=1e-15)


@table([case for case in OPTIMIZER_CASES if type(case.optimizer) in (SGD, Adam)])
def test_steps_in_float32(case):
    path = path_of(case.optimizer, dtype=np.float32)[0]
    assert path.dtype == np.float32
    np.testing.assert_allclose(path, naive_path(case), rtol=1e-4, atol=1e-5)


@table(OPTIMIZER_CASES)
def test_fixed_point_is_the_penalised_optimum(case):
    """With the implicit shrink, steps end at ``slope * (w - target) + penalty * w = 0``."""
    penalty = np.array([0.0, 0.1, 2.0, 1e-3, 10.0])
    path, _, (_, targets, slopes) = path_of(case.optimizer, np.linspace(0.1, 1e-5, 20_000), penalty)
    np.testing.assert_allclose(path[-1], slopes * targets / (slopes + penalty), rtol=1e-6)


@table(OPTIMIZER_CASES)
def test_shrink_is_stable_for_any_step(case):
    """A penalty of 1e6 and steps of 1e3 without a gradient: weights go to zero at once."""
    w = np.ones(N)
    path, slots = np.empty((5, N)), np.zeros((case.optimizer.n_slots, N))
    walk(case.optimizer, w, np.zeros(N), np.zeros(N), np.full(5, 1e3), np.full(N, 1e6), slots, path)
    assert np.abs(path).max() <= 1  # Nesterov looks ahead, to -beta after the first step
    assert np.abs(path[-1]).max() < 1e-8
    if not hasattr(case.optimizer, "beta"):
        assert (path >= 0).all()


@pytest.mark.oracle
@table(OPTIMIZER_CASES)
def test_steps_equal_torch_without_penalty(case):
    torch = pytest.importorskip("torch")
    step = 0.1
    path, _, (weights, targets, slopes) = path_of(case.optimizer, np.full(8, step), np.zeros(N))
    w = torch.tensor(weights, requires_grad=True)
    optimizer = case.torch(torch.optim, w, step)
    for expected in path:
        optimizer.zero_grad()
        (torch.tensor(slopes) * (w - torch.tensor(targets)) ** 2 / 2).sum().backward()
        optimizer.step()
        np.testing.assert_allclose(expected, w.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("inner", [SGD(), Adam()], ids=repr)
def test_averaged_is_the_mean_weighted_by_the_step_number(inner):
    path, slots, _ = path_of(Averaged(inner))
    moved = path_of(inner)[0]
    np.testing.assert_array_equal(path, moved)  # the average does not influence the path
    expected = np.average(moved, axis=0, weights=np.arange(1, len(moved) + 1))
    np.testing.assert_allclose(slots[-1], expected, rtol=1e-13)


@table([case for case in OPTIMIZER_CASES if hasattr(case.optimizer, "gain")])
def test_gain_is_how_far_equal_gradients_move_the_weights(case):
    state, w, moved = {}, 0.0, 0.0
    for _ in range(300):
        moved, w = w, case.step(w, 1.0, state, 1.0, 0.0)
    assert moved - w == pytest.approx(case.optimizer.gain, rel=1e-12)
    assert Averaged(case.optimizer).gain == case.optimizer.gain


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_names_resolve_to_objects_of_floats(name):
    optimizer = optimizer_for(name, False)
    assert optimizer == OPTIMIZERS[name]()
    assert all(type(field) is float for field in optimizer)
    assert optimizer_for(name, True) == Averaged(optimizer)
    assert optimizer_for(Averaged(optimizer), True) == Averaged(optimizer)


def test_integer_fields_become_floats():
    inner = optimizer_for(Averaged(Momentum(beta=np.int64(0))), False).inner
    assert inner == Momentum(0.0)
    assert type(inner.beta) is float


@pytest.mark.parametrize(("optimizer", "name", "value"), INVALID_OPTIMIZERS, ids=repr)
def test_invalid_parameters_are_named(optimizer, name, value):
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of .* Got {value} instead") as error:
        optimizer_for(optimizer, False)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize(
    "solver", [SGD, None, 0.1, (0.9,), naive.sgd], ids=["class", "None", "0.1", "tuple", "function"]
)
def test_other_objects_are_refused(solver):
    with pytest.raises(TypeError, match=r"object of linclf\.optimizers"):
        optimizer_for(solver, False)
