"""Every loss: its value by a twin, its gradient by finite differences, its limits and its conventions."""

import math
from typing import NamedTuple

import mpmath
import naive
import numpy as np
import pytest
from cases import INVALID_LOSSES, LOSS_CASES, LossCase, table
from scipy.special import logsumexp
from sklearn.utils._param_validation import InvalidParameterError

from linclf._data.dataset import Dataset
from linclf._data.targets import Labels
from linclf._numba import simplex as _simplex
from linclf._training.model import LinearModel
from linclf._training.validation import Validation
from linclf.functional import log_softmax, softmax
from linclf.heads import Linear
from linclf.losses import (
    LOSSES,
    ArcFace,
    CosFace,
    Entmax,
    Focal,
    NormFace,
    OneVsRest,
    OneVsRestLogistic,
    Softmax,
    Sparsemax,
    SphereFace,
    SquaredCrammerSinger,
    SquaredOneVsRest,
    SquaredWestonWatkins,
    WestonWatkins,
)
from linclf.losses._checks import CHECKS
from linclf.losses._evaluation import evaluate
from linclf.losses._names import loss_for
from linclf.losses._registry import expected_row_loss, soft_row_loss, trait
from linclf.losses.margin import automatic_scale

K = 6
ON_SCORES = [case for case in LOSS_CASES if not case.on_cosines]
REFERENCE = np.array([2.0, 4.0, 2.0, 1.0])
SOFT_COMPILED = (Softmax, ArcFace)  # compilation takes seconds; the others run in Python


def evaluate_soft(loss, scores, q):
    if type(loss) in SOFT_COMPILED:
        return evaluate(loss, scores, q)
    function = soft_row_loss.find(type(loss)) or getattr(expected_row_loss, "py_func", expected_row_loss)
    gradient = np.array(scores)
    return np.array([function(loss, row, target) for row, target in zip(gradient, q, strict=True)]), gradient


def soft_targets(n, n_classes=K, seed=1):
    """Rows of probabilities, some with zeros, the first one-hot."""
    q = np.random.default_rng(seed).dirichlet(np.ones(n_classes), n)
    q[0] = naive.one_hot(1, n_classes)
    q[1::3, 0] = 0
    return q / q.sum(axis=1, keepdims=True)


def hard_targets(n, n_classes=K, seed=1):
    return np.random.default_rng(seed).integers(0, n_classes, n)


# ---------------------------------------------------------------- all losses


@pytest.mark.parametrize("name", LOSSES)
def test_every_name_has_a_case(name):
    assert type(loss_for(name, K)) in {type(case.loss) for case in LOSS_CASES}
    assert all(type(field) is float for field in loss_for(name, K))


@table(LOSS_CASES)
@pytest.mark.parametrize("n_classes", [2, K])
def test_values(case, n_classes):
    scores, y = case.scores(50, n_classes), hard_targets(50, n_classes)
    expected = [case.value(f, k) for f, k in zip(scores, y, strict=True)]
    np.testing.assert_allclose(evaluate(case.loss, scores, y)[0], expected, rtol=1e-11, atol=1e-13)


@table(LOSS_CASES)
def test_a_measured_loss_is_the_weighted_mean(case):
    scores, y = case.scores(50, K), hard_targets(50)
    weights = np.random.default_rng(3).uniform(0, 2, 50)
    before = scores.copy()
    expected = np.average([case.value(f, k) for f, k in zip(scores, y, strict=True)], weights=weights)
    validation = Validation(Dataset(scores, Labels(y, K), weights), case.loss)
    scores_themselves = LinearModel(np.eye(K), np.zeros(K), Linear())
    assert validation.measure(scores_themselves)[0] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(scores, before)


@table(LOSS_CASES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("n_classes", [2, K])
def test_checks(case, check, n_classes):
    """The checks of `check_loss`; test_check_loss.py shows that each of them can fail."""
    check(case.loss, n_classes, np.random.default_rng(0))


@table(LOSS_CASES)
def test_soft_labels_are_the_expectation(case):
    scores, q = case.scores(9, K), soft_targets(9)
    values, gradient = evaluate_soft(case.loss, scores, q)
    expected = [case.value(f, row) for f, row in zip(scores, q, strict=True)]
    np.testing.assert_allclose(values, expected, rtol=1e-11, atol=1e-13)
    per_class = [evaluate(case.loss, scores, np.full(9, k))[1] for k in range(K)]
    mean = np.einsum("nk,knj->nj", q, per_class)
    np.testing.assert_allclose(gradient, mean, rtol=1e-11, atol=1e-12 * np.abs(mean).max())


@table(ON_SCORES)
def test_extreme_scores_by_their_twin(case):
    scores = 1e30 * np.array([[1, 0, -1, 0.5], [-1, 1, 0.5, 0], [0, 0, -1, -1]])
    for y in range(4):
        with np.errstate(divide="ignore"):
            expected = [case.value(f, y) for f in scores]
        if isinstance(case.loss, Focal):  # the twin's log overflows
            expected = [logsumexp(f) - f[y] for f in scores]
        np.testing.assert_allclose(
            evaluate(case.loss, scores, np.full(3, y))[0], expected, rtol=1e-12, atol=1
        )


@table([case for case in ON_SCORES if not getattr(case.loss, "label_smoothing", 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_score_of_minus_infinity_is_a_class_less(case, dtype):
    scores = case.scores(20, K).astype(dtype)
    y = hard_targets(20, K - 1)
    values, gradient = evaluate(case.loss, scores[:, :-1], y)
    scores[:, -1] = -np.inf
    with_it, with_gradient = evaluate(case.loss, scores, y)
    rtol = 8 * np.finfo(dtype).eps  # another order of summation
    np.testing.assert_allclose(with_it, values, rtol=rtol)
    np.testing.assert_allclose(with_gradient[:, :-1], gradient, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(with_gradient[:, -1], 0)


def hessians(loss, scores, targets, h=1e-5):
    columns = []
    for k in range(scores.shape[1]):
        e = h * naive.one_hot(k, scores.shape[1])
        columns.append(
            (evaluate(loss, scores + e, targets)[1] - evaluate(loss, scores - e, targets)[1]) / (2 * h)
        )
    H = np.stack(columns, axis=-1)
    return (H + H.transpose(0, 2, 1)) / 2


# arccos has no bounded second derivative, tied rivals have none, and the bound of SquaredWestonWatkins
# assumes that all rivals are active at once, which is rare
UNBOUNDED = ArcFace | SphereFace | SquaredCrammerSinger | SquaredWestonWatkins
BOUNDED = [case for case in LOSS_CASES if trait(case.loss, "smooth") and not isinstance(case.loss, UNBOUNDED)]


@table(BOUNDED)
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_curvature_bounds_the_hessian_of_few_classes(case, n_classes):
    """For more classes it may be less than the bound, so that steps can be longer."""
    scores = np.vstack([case.scores(200, n_classes, size) for size in (0.1, 1.0, 3.0)])
    H = hessians(case.loss, scores, hard_targets(600, n_classes))
    assert np.linalg.eigvalsh(H)[:, -1].max() <= case.loss.curvature(n_classes) * (1 + 1e-4)


@table(BOUNDED)
@pytest.mark.parametrize("n_classes", [10, 40])
def test_curvature_bounds_the_hessian_where_training_starts(case, n_classes):
    H = hessians(case.loss, np.zeros((1, n_classes)), np.array([1]))
    assert np.linalg.eigvalsh(H).max() <= case.loss.curvature(n_classes) * (1 + 1e-4)


@pytest.mark.parametrize(
    ("loss", "n_classes", "scores"),
    [
        (Softmax(temperature=0.5), 2, [0.0, 0.0]),
        (Focal(gamma=0.0), 2, [0.0, 0.0]),
        (SquaredWestonWatkins(), 2, np.zeros(2)),
        (SquaredOneVsRest(), 5, np.zeros(5)),
        (OneVsRestLogistic(), 5, np.zeros(5)),
        (NormFace(scale=7.0), 2, [0.3, 0.3]),
        (Sparsemax(), 2, [0.0, 0.0]),
        (Entmax(1.5), 2, [0.0, 0.0]),
        (Entmax(1.1), 2, [0.0, 0.0]),
    ],
    ids=repr,
)
def test_curvature_is_reached(loss, n_classes, scores):
    H = hessians(loss, np.array([scores]), np.array([0]))
    assert np.linalg.eigvalsh(H).max() == pytest.approx(loss.curvature(n_classes), rel=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_one_vs_rest_logistic(dtype):
    scores = (3 * np.random.default_rng(0).normal(size=(7, K))).astype(dtype)
    p = 1 / (1 + np.exp(-scores.astype(float)))
    p /= p.sum(axis=1, keepdims=True)
    loss = OneVsRestLogistic()
    np.testing.assert_allclose(loss.probabilities(scores), p, rtol=20 * np.finfo(dtype).eps * 10)
    np.testing.assert_allclose(loss.log_probabilities(scores), np.log(p), atol=200 * np.finfo(dtype).eps)
    far = loss.probabilities(np.array([[-9e3, -1e4, -1e4]], dtype))  # every sigmoid is 0
    np.testing.assert_array_equal(far, [[1, 0, 0]])


WITH_SOFTMAX = [
    case
    for case in LOSS_CASES
    if trait(case.loss, "log_probabilities") and trait(case.loss, "of_labels") is None
]


@table(WITH_SOFTMAX)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_softmax(case, dtype):
    scores = case.scores(7, K).astype(dtype)
    factor = 1 / getattr(case.loss, "temperature", 1.0)  # cosines are already scaled here
    expected = [[math.exp(a - logsumexp(f)) for a in f] for f in factor * scores.astype(np.float64)]
    rtol = 100 * np.finfo(dtype).eps
    p = case.loss.probabilities(scores)
    assert p.dtype == dtype
    np.testing.assert_allclose(p, expected, rtol=rtol)
    np.testing.assert_allclose(case.loss.log_probabilities(scores), np.log(expected), rtol=rtol, atol=rtol)


@table([case for case in LOSS_CASES if isinstance(case.loss, Sparsemax | Entmax)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_entmax(case, dtype):
    scores = case.scores(50, K).astype(dtype)
    expected = [naive.entmax(f, getattr(case.loss, "alpha", 2.0)) for f in scores.astype(np.float64)]
    p = case.loss.probabilities(scores)
    assert p.dtype == dtype
    np.testing.assert_allclose(p, expected, atol=4 * np.finfo(dtype).eps)
    # the gradient used in training, plus the one-hot label
    gradient = evaluate(case.loss, scores, np.zeros(50, int))[1]
    np.testing.assert_allclose(gradient + naive.one_hot(0, K), expected, atol=4 * np.finfo(dtype).eps)
    assert (p == 0).any() == (case.loss != Entmax(alpha=1.1))  # its reach is 10


# ---------------------------------------------------------------- softmax


def test_reference_example():
    np.testing.assert_allclose(softmax(REFERENCE), [0.1025, 0.7573, 0.1025, 0.0377], atol=5e-5)
    values, gradient = evaluate(Softmax(), REFERENCE[None], np.array([1]))
    log_sum = math.log(math.exp(4) + 2 * math.exp(2) + math.exp(1))
    assert values[0] == pytest.approx(log_sum - 4, rel=1e-14)
    np.testing.assert_allclose(gradient[0], [0.1025, 0.7573 - 1, 0.1025, 0.0377], atol=5e-5)


def test_label_smoothing_in_pytorchs_convention_by_hand():
    """PyTorch's 0.1 on four classes gives .025 to each, and .925 to the true one; e = .1 * 3/4."""
    log_sum = math.log(math.exp(4) + 2 * math.exp(2) + math.exp(1))
    expected = log_sum - (0.925 * 4 + 0.025 * (2 + 2 + 1))
    values, gradient = evaluate(Softmax(label_smoothing=0.1 * 3 / 4), REFERENCE[None], np.array([1]))
    assert values[0] == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(
        gradient[0], np.exp(REFERENCE - log_sum) - [0.025, 0.925, 0.025, 0.025], atol=1e-15
    )


@pytest.mark.oracle
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("soft", [False, True])
def test_cross_entropy_equals_torch(smoothing, soft):
    torch = pytest.importorskip("torch")
    scores = np.random.default_rng(0).normal(size=(20, K)) * 3
    target = soft_targets(20) if soft else hard_targets(20)
    tensor = torch.tensor(scores, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        tensor, torch.tensor(target), reduction="none", label_smoothing=smoothing
    )
    theirs.sum().backward()
    values, gradient = evaluate(Softmax(label_smoothing=smoothing * (K - 1) / K), scores, target)
    np.testing.assert_allclose(values, theirs.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(gradient, tensor.grad.numpy(), atol=1e-13)


@pytest.mark.oracle
@pytest.mark.parametrize(("loss", "power"), [(WestonWatkins(0.75), 1), (SquaredWestonWatkins(0.75), 2)])
def test_weston_watkins_equals_torch(loss, power):
    """PyTorch divides the sum over the rivals by the number of classes."""
    torch = pytest.importorskip("torch")
    scores, y = np.random.default_rng(0).normal(size=(20, K)) * 3, hard_targets(20)
    tensor = torch.tensor(scores, requires_grad=True)
    theirs = K * torch.nn.functional.multi_margin_loss(
        tensor, torch.tensor(y), p=power, margin=0.75, reduction="none"
    )
    theirs.sum().backward()
    values, gradient = evaluate(loss, scores, y)
    np.testing.assert_allclose(values, theirs.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(gradient, tensor.grad.numpy(), atol=1e-12)


EXTREME_ROWS = [
    [0.0, 0.0, 0.0],
    [1e4, 1e4 - 1, -1e4],
    [-1e4, -1e4 + 30, -1e4 + 2],
    [1e30, 1e30, -1e30],
    [1e30, 0.0, 700.0],
    [745.0, 0.0, 1.0],
    [1e-300, -1e-300, 0.0],
    [3.0, -np.inf, 1.0],
]


@pytest.mark.parametrize("row", EXTREME_ROWS, ids=str)
@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_softmax_equals_mpmath(row, temperature):
    with mpmath.workdps(60):
        scores = [mpmath.mpf(f) / mpmath.mpf(temperature) for f in row]
        top = max(scores)
        total = mpmath.fsum(mpmath.exp(f - top) for f in scores)
        p = np.array([float(mpmath.exp(f - top) / total) for f in scores])
        logarithms = np.array([float(f - top - mpmath.log(total)) for f in scores])
        log_total = float(mpmath.log(total))
    in_place = np.array(row)
    top, log_sum = _simplex.softmax_row(in_place, temperature)
    assert top == max(row)
    assert log_sum == pytest.approx(log_total, rel=1e-15, abs=1e-15)
    # exp turns the absolute error of its argument (up to 708, before underflow) into a relative error
    np.testing.assert_allclose(in_place, p, rtol=2e-13, atol=3.4e-308)
    scaled = np.array(row) / temperature  # an error of 4e-12 at 1e4 / 0.3
    np.testing.assert_allclose(softmax(scaled), p, rtol=1e-11, atol=3.4e-308)
    np.testing.assert_allclose(log_softmax(scaled), logarithms, rtol=1e-13, atol=1e-11)
    values, gradient = evaluate(Softmax(temperature=temperature), np.tile(row, (3, 1)), np.arange(3))
    np.testing.assert_allclose(values, -logarithms, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(gradient, (p - np.eye(3)) / temperature, rtol=2e-13, atol=1e-15)


@pytest.mark.parametrize("row", EXTREME_ROWS, ids=str)
@pytest.mark.parametrize("alpha", [2.0, 1.5, 1.1, 1.001])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_entmax_equals_mpmath(row, alpha, dtype):
    """Compared with bisection in 60 digits; as alpha falls to 1, digits must not be lost."""
    scores = np.array(row, dtype)
    with mpmath.workdps(60):
        f, a = [mpmath.mpf(float(x)) for x in scores], mpmath.mpf(alpha)
        s = [x - max(f) for x in f]

        def p_of(shift):
            return [max(mpmath.mpf(0), 1 + (a - 1) * (x - shift)) ** (1 / (a - 1)) for x in s]

        low, high = mpmath.mpf(0), mpmath.mpf(3)
        for _ in range(180):
            shift = (low + high) / 2
            low, high = (shift, high) if mpmath.fsum(p_of(shift)) > 1 else (low, shift)
        p = p_of(low)
        entropy = mpmath.fsum(x - x**a for x in p) / (a * (a - 1))
        potential = mpmath.fsum(x * y for x, y in zip(p, s, strict=True) if x > 0) + entropy
        values = [float(potential - x) for x in s]
        p = np.array([float(x) for x in p])
    found, gradient = evaluate(Entmax(alpha), np.tile(scores, (3, 1)), np.arange(3))
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(found, values, rtol=4 * eps, atol=4e-16)
    np.testing.assert_allclose(gradient + np.eye(3), np.tile(p, (3, 1)), atol=4 * eps, rtol=20 * eps)
    if alpha == 2.0:
        np.testing.assert_array_equal(evaluate(Sparsemax(), np.tile(scores, (3, 1)), np.arange(3))[0], found)


@pytest.mark.parametrize("loss", [Softmax(), Sparsemax(), Entmax(1.5), Entmax(1.1)], ids=repr)
def test_soft_labels_at_extreme_scores_and_at_their_optimum(loss):
    q = np.tile([0.5, 0.3, 0.2], (2, 1))
    for scores in ([[1e30, 0, -1e30], [0.0, 1e30, 1e30]], [[1e4, 0, -1e4], [-1e4, 1e4, 1e4 - 0.5]]):
        hard = [evaluate(loss, np.array(scores), np.full(2, k)) for k in range(3)]
        values, gradient = evaluate(loss, np.array(scores), q)
        np.testing.assert_allclose(values, sum(s * h[0] for s, h in zip(q[0], hard, strict=True)), rtol=1e-12)
        np.testing.assert_allclose(
            gradient, sum(s * h[1] for s, h in zip(q[0], hard, strict=True)), atol=1e-12
        )
    p = loss.probabilities(np.random.default_rng(0).normal(size=(500, 3)) / 4)
    scores = np.log(p) if isinstance(loss, Softmax) else p ** (getattr(loss, "alpha", 2.0) - 1)
    if not isinstance(loss, Softmax):
        scores /= getattr(loss, "alpha", 2.0) - 1
    values, gradient = evaluate(loss, scores, p)
    assert (values >= 0).all()
    np.testing.assert_allclose(gradient, 0, atol=1e-13)


def test_exponential_equals_mpmath():
    """The polynomial of `exp_negative`, over its whole range and on both sides of the rounding of n."""
    x = -np.r_[0, np.logspace(-20, 2.84, 2000), np.log(2) * np.arange(0.5, 1020, 7.0)]
    ours = np.array([_simplex.exp_negative(one) for one in x])
    with mpmath.workdps(40):
        errors = [
            float(abs(mpmath.mpf(a) / mpmath.exp(mpmath.mpf(b)) - 1)) for a, b in zip(ours, x, strict=True)
        ]
    assert max(errors) <= 3e-16
    assert ours[0] == 1
    assert [_simplex.exp_negative(one) for one in (-708.1, -1e30, -np.inf)] == [0, 0, 0]


# ---------------------------------------------------------------- focal


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_focal_without_focus_is_softmax_to_the_last_digit(dtype):
    rng = np.random.default_rng(0)
    scores = np.vstack([size * rng.normal(size=(100, K)) for size in (0.1, 1, 30, 1e4)]).astype(dtype)
    y = hard_targets(400)
    for ours, theirs in zip(
        evaluate(Focal(gamma=0.0), scores, y), evaluate(Softmax(), scores, y), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("lead", [-1e4, -700.0, -30.0, -1.0, 0.0, 1.0, 10.0, 25.0, 30.0, 40.0, 300.0, 1e4])
def test_focal_limits(gamma, lead):
    """Against the formula in 60 digits if the true class leads by ``lead``: u from 0 to 1."""
    with mpmath.workdps(6000):
        g, u = mpmath.mpf(gamma), 1 / (1 + 2 * mpmath.exp(-mpmath.mpf(lead)))
        value = float(-((1 - u) ** g) * mpmath.log(u))
        factor = g * u * (1 - u) ** (g - 1) * mpmath.log(u) - (1 - u) ** g
        expected = [float(factor * (1 - u)), *[float(-factor * (1 - u) / 2)] * 2]
    values, gradient = evaluate(Focal(gamma), np.array([[lead, 0.0, 0.0]]), np.array([0]))
    np.testing.assert_allclose(values[0], value, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(gradient[0], expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gradient[0, 1:], expected[1:], rtol=1e-3, atol=1e-300)  # sign and size


def test_focal_hessian_twin_equals_differences():
    scores = np.random.default_rng(0).normal(size=(20, 4))
    y = hard_targets(20, 4)
    for gamma in (0.5, 1.0, 3.0):
        H = hessians(Focal(gamma), scores, y)
        p = softmax(scores)
        expected = [naive.focal_hessian(row, k, gamma) for row, k in zip(p, y, strict=True)]
        np.testing.assert_allclose(H, expected, atol=1e-8)


@pytest.mark.parametrize("gamma", [*np.linspace(0, 10, 41), 20.0, 50.0, 100.0, 1000.0])
def test_focal_curvature_bounds_the_tabulated_hessian(gamma):
    """For two classes over all probabilities, and for more on random ones."""
    u = 1 / (1 + np.exp(np.linspace(-12, 12, 4001)))
    factor = gamma * u * (1 - u) ** (gamma - 1) * np.log(u) - (1 - u) ** gamma
    slope = (gamma * (1 - u) ** (gamma - 1) - gamma * (gamma - 1) * u * (1 - u) ** (gamma - 2)) * np.log(
        u
    ) + 2 * gamma * (1 - u) ** (gamma - 1)
    binary = 2 * (slope * u * (1 - u) ** 2 - factor * u * (1 - u))  # along (1, -1), whose square is 2
    assert binary.max() <= Focal(gamma).curvature(2) * (1 + 1e-12)
    rng = np.random.default_rng(0)
    for n_classes in (3, 6):
        for p in rng.dirichlet(np.full(n_classes, 0.5), 60).clip(1e-9, None):
            largest = np.linalg.eigvalsh(naive.focal_hessian(p / p.sum(), 0, gamma))[-1]
            assert largest <= Focal(gamma).curvature(n_classes) * (1 + 1e-12)


# ---------------------------------------------------------------- hinges


def test_two_classes_train_one_vs_rest_as_weston_watkins():
    assert loss_for(OneVsRest(0.5), 2) == WestonWatkins(0.5)
    assert type(loss_for(SquaredOneVsRest(0.5), 2)) is SquaredWestonWatkins
    assert type(loss_for(OneVsRest(0.5), 3)) is OneVsRest


def test_two_classes_train_one_vs_rest_logistic_as_softmax():
    assert loss_for("one-vs-rest-logistic", 2) == Softmax()
    assert type(loss_for("one-vs-rest-logistic", 3)) is OneVsRestLogistic


# ---------------------------------------------------------------- margins on cosines


@pytest.mark.parametrize(
    ("make", "twin", "parameters"),
    [
        (ArcFace, naive.arcface_cosine, [0.0, 0.05, 0.5, 1.0, math.pi / 2]),
        (SphereFace, naive.sphereface_cosine, [1.0, 1.05, 1.5, 2.0, 3.0, 4.0]),
    ],
)
def test_true_cosine_is_continuous_and_decreases_over_all_angles(make, twin, parameters):
    """With scale 1 and a rival at 0 the loss is ``log(1 + exp(-psi))``, which gives psi."""
    theta = np.linspace(0, np.pi, 20001)
    scores = np.column_stack([np.cos(theta), np.zeros_like(theta)])
    for parameter in parameters:
        values, gradient = evaluate(make(1.0, parameter), scores, np.zeros(len(theta), int))
        psi = -np.log(np.expm1(values))
        np.testing.assert_allclose(psi, twin(theta, parameter), atol=1e-10)
        steps = -np.diff(psi)
        assert (steps > -1e-12).all()
        assert steps.max() <= max(parameter, 1) * (theta[1] - theta[0]) * 1.001
        assert np.isfinite(gradient).all()
        assert (gradient[:, 0] <= 1e-8).all()


@pytest.mark.parametrize("loss", [ArcFace(64.0, 0.5), ArcFace(64.0, 0.0), SphereFace(64.0, 1.35)], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_is_finite_at_the_poles(loss, dtype):
    poles = np.array([[1, 0], [-1, 0], [1, 1], [-1, -1], [1, -1], [-1, 1]], dtype)
    near = np.nextafter(poles, dtype(0))
    for cosines in (poles, near, poles * dtype(1 + 1e-6)):  # rounding may make a cosine larger than 1
        values, gradient = evaluate(loss, cosines, np.zeros(len(cosines), int))
        assert np.isfinite(values).all()
        assert (np.abs(gradient) <= 1e8).all()


@pytest.mark.parametrize("loss", [CosFace(20.0, 0.0), ArcFace(20.0, 0.0), SphereFace(20.0, 1.0)], ids=repr)
def test_no_margin_is_normface(loss):
    cosines, y = LossCase(loss, None).scores(200, K), hard_targets(200)
    values, gradient = evaluate(loss, cosines, y)
    expected, expected_gradient = evaluate(NormFace(20.0), cosines, y)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 10, 1000])
def test_automatic_scale(n_classes):
    """A fifth of the scale gives a perfectly placed row a probability of 0.999."""
    s = automatic_scale(n_classes) / 5
    others = (n_classes - 1) * math.exp(-s / (n_classes - 1))
    assert math.exp(s) / (math.exp(s) + others) == pytest.approx(0.999, rel=1e-12)
    assert loss_for("normface", n_classes).scale == automatic_scale(n_classes)
    assert loss_for(ArcFace(scale=3, margin=0), n_classes) == ArcFace(3.0, 0.0)


# ---------------------------------------------------------------- resolve


@pytest.mark.parametrize(("loss", "name", "value"), INVALID_LOSSES, ids=repr)
def test_invalid_parameters_are_named(loss, name, value):
    with pytest.raises(
        InvalidParameterError, match=rf"'{name}' parameter of .* Got {value} instead"
    ) as error:
        loss_for(loss, K)
    assert isinstance(error.value, ValueError)


class Unregistered(NamedTuple):
    margin: float = 1.0


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Unregistered(), r"has no row function.*@linclf\.losses\.row_loss\.register\(Unregistered\)"),
        (Softmax, r"is a class; pass an object, Softmax\(\)"),
        (None, "is not a loss: use one of .*'softmax'"),
        (3, "is not a loss"),
        ((0.0, 1.0), "NamedTuple of numbers with a row function"),
        (Focal(gamma="2"), "'gamma' parameter of Focal must be a float"),
    ],
    ids=repr,
)
def test_other_objects_are_refused(loss, message):
    with pytest.raises((TypeError, InvalidParameterError), match=message):
        loss_for(loss, K)


def test_fields_become_floats():
    loss = loss_for(Focal(gamma=np.int64(2)), K)
    assert loss == Focal(2.0)
    assert type(loss.gamma) is float
