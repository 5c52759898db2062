"""Properties that hold at any scores, tested by hypothesis; and losses of other libraries.

Values and gradients at given scores are tested in test_losses.py.
"""

import numpy as np
import pytest
from cases import LOSS_CASES, table
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from linclf.functional import entmax as entmax_of
from linclf.functional import softmax
from linclf.losses import (
    ArcFace,
    CosFace,
    Entmax,
    Focal,
    NormFace,
    Softmax,
    Sparsemax,
    SphereFace,
    value_and_gradient,
)
from linclf.losses._registry import trait

searched = settings(deadline=None, derandomize=True, max_examples=60)
CONVEX = [case for case in LOSS_CASES if trait(case.loss, "convex")]
NOT_CONVEX = [case for case in LOSS_CASES if not trait(case.loss, "convex")]
NORMFACE = next(case for case in LOSS_CASES if isinstance(case.loss, NormFace))
SHIFTED = [case for case in LOSS_CASES if trait(case.loss, "shift_invariant") and not case.on_cosines]
WITH_PROBABILITIES = [case for case in LOSS_CASES if trait(case.loss, "probabilities")]


def scores_of(case, n_classes, draw):
    """Scores in 64ths, so that shifts of them are exact; cosines for the losses on them."""
    high = 1 if case.on_cosines else 40
    return draw(arrays(np.int64, n_classes, elements=st.integers(-64 * high, 64 * high))) / 64


@st.composite
def rows(draw, case, count=1):
    """``count`` rows of scores of one size, and a class."""
    n_classes = draw(st.integers(2, 7))
    y = draw(st.integers(0, n_classes - 1))
    return (*(scores_of(case, n_classes, draw) for _ in range(count)), y)


@table(LOSS_CASES)
@searched
@given(data=st.data())
def test_not_negative_and_lower_for_a_higher_true_score(case, data):
    f, y = data.draw(rows(case))
    value, gradient = value_and_gradient(case.loss, f, y)
    assert 0 <= value < np.inf
    assert np.isfinite(gradient).all()
    if getattr(case.loss, "label_smoothing", 0):
        return  # it pulls a high true score down
    assert gradient[y] <= (1e-6 if case.on_cosines else 1e-12)  # at a pole arccos leaves a rounding error
    higher = f.copy()
    higher[y] = 1.0 if case.on_cosines else f[y] + 1
    assert value_and_gradient(case.loss, higher, y)[0] <= value + 1e-12 * max(value, 1)


@st.composite
def rows_off_kinks(draw, case):
    """Scores 1e-4 or more from the kinks of hinges of margin n/100 and of margins on cosines."""
    n_classes = draw(st.integers(2, 7))
    high = 90 if case.on_cosines else 1000
    hundredths = draw(arrays(np.int64, n_classes, elements=st.integers(-high, high)))
    return hundredths / 100 + 0.001 * np.arange(1, n_classes + 1), draw(st.integers(0, n_classes - 1))


@table(LOSS_CASES)
@searched
@given(data=st.data())
def test_the_gradient_is_the_slope_of_the_value(case, data):
    f, y = data.draw(rows_off_kinks(case))
    gradient = value_and_gradient(case.loss, f, y)[1]
    step = (1e-6 if case.on_cosines else 1e-5) * np.eye(len(f))
    high, low = (value_and_gradient(case.loss, f + move, np.full(len(f), y))[0] for move in (step, -step))
    np.testing.assert_allclose(
        gradient, (high - low) / (2 * step.max()), rtol=0, atol=1e-5 * (1 + np.abs(gradient).max())
    )


@table(NOT_CONVEX)
@searched
@given(data=st.data())
def test_losses_that_are_not_convex_pull_at_the_true_class_and_push_its_rivals(case, data):
    """So, like convex losses, they rise along every line on which rivals rise and the true score falls."""
    f, y = data.draw(rows(case))
    value, gradient = value_and_gradient(case.loss, f, y)
    rivals = np.arange(len(f)) != y
    assert (gradient[rivals] >= 0).all()
    rise = np.abs(data.draw(arrays(np.int64, len(f), elements=st.integers(-128, 128)))) / 64
    worse = np.where(rivals, f + rise, f - rise)
    worse = np.clip(worse, -1, 1) if case.on_cosines else worse
    assert value_and_gradient(case.loss, worse, y)[0] >= value - 1e-12 * max(value, 1)


@searched
@given(data=st.data(), gammas=st.tuples(st.floats(0, 5), st.floats(0, 5)))
def test_focus_takes_from_the_cross_entropy_and_more_focus_more(data, gammas):
    f, y = data.draw(rows(LOSS_CASES[0]))
    less, more = (value_and_gradient(Focal(gamma), f, y)[0] for gamma in sorted(gammas))
    p = softmax(f)
    cross_entropy = value_and_gradient(Softmax(), f, y)[0]
    assert more <= less * (1 + 1e-12)
    expected = np.delete(p, y).sum() ** max(gammas) * cross_entropy
    assert more == pytest.approx(expected, rel=1e-9)


@searched
@given(data=st.data(), more=st.floats(0.0, 1.0), scale=st.floats(1.0, 64.0))
@pytest.mark.parametrize(
    "make",
    [CosFace, ArcFace, lambda s, m: SphereFace(s, 1 + 3 * m)],
    ids=["CosFace", "ArcFace", "SphereFace"],
)
def test_a_margin_makes_it_harder(make, data, more, scale):
    """A larger margin gives a larger loss at any cosines, and no margin is normface."""
    c, y = data.draw(rows(NORMFACE))
    losses = [NormFace(scale), make(scale, 0.0), make(scale, more / 2), make(scale, more)]
    values = [value_and_gradient(loss, c, y)[0] for loss in losses]
    assert values[1] == pytest.approx(values[0], rel=1e-12, abs=1e-13)
    assert (np.diff(values) >= -1e-12 * (1 + max(values))).all()


@searched
@given(data=st.data(), alpha=st.floats(1.05, 2.0))
def test_odds_of_entmax_depend_on_a_third_class_and_those_of_softmax_do_not(data, alpha):
    """Once a third class has a share, the odds of the other two move away from 1: only softmax has IIA."""
    f = data.draw(arrays(np.int64, 3, elements=st.integers(-64, 64))) / 64
    pair, three = entmax_of(f[:2], alpha), entmax_of(f, alpha)
    assume(f[0] > f[1] and three[1] > 1e-3 and three[2] > 1e-3)
    # the quantity that does not depend on the third class, and tends to the odds as alpha -> 1
    for p in (pair, three):
        power = p ** (alpha - 1)
        assert power[0] - power[1] == pytest.approx((alpha - 1) * (f[0] - f[1]), rel=1e-6)
    assert three[0] / three[1] > pair[0] / pair[1]
    of_two, of_three = softmax(f[:2]), softmax(f)
    assert of_three[0] / of_three[1] == pytest.approx(of_two[0] / of_two[1], rel=1e-12)


@table(CONVEX)
@searched
@given(data=st.data())
def test_convex_and_the_gradient_supports_it(case, data):
    """The loss nowhere lies below a tangent: this shows both convexity and a correct (sub)gradient."""
    f, g, y = data.draw(rows(case, 2))
    (here, gradient), (there, _) = (value_and_gradient(case.loss, s, y) for s in (f, g))
    slope = gradient @ (g - f)
    assert there >= here + slope - 1e-11 * (1 + abs(here) + abs(slope))


@table(SHIFTED)
@searched
@given(data=st.data(), shift=st.integers(-(2**20), 2**20))
def test_shift_invariant(case, data, shift):
    f, y = data.draw(rows(case))
    value, gradient = value_and_gradient(case.loss, f, y)
    moved, moved_gradient = value_and_gradient(case.loss, f + shift / 64, y)
    assert moved == value
    np.testing.assert_array_equal(moved_gradient, gradient)
    assert abs(gradient.sum()) <= 1e-12 * (1 + np.abs(gradient).max())


@table(LOSS_CASES)
@searched
@given(data=st.data())
def test_permutation_equivariant(case, data):
    """The order of classes does not matter, except which of several tied rivals gets the gradient."""
    f, y = data.draw(rows(case))
    order = np.array(data.draw(st.permutations(range(len(f)))))
    value, gradient = value_and_gradient(case.loss, f, y)
    permuted, permuted_gradient = value_and_gradient(case.loss, f[order], int(np.flatnonzero(order == y)[0]))
    assert permuted == pytest.approx(value, rel=1e-12, abs=1e-14)
    if len(np.unique(f)) == len(f):
        np.testing.assert_allclose(permuted_gradient, gradient[order], rtol=1e-10, atol=1e-13)


@table(WITH_PROBABILITIES)
@searched
@given(data=st.data())
def test_probabilities_keep_the_order_of_the_scores(case, data):
    f, _ = data.draw(rows(case))
    p = case.loss.probabilities(f[None])[0]
    assert p.sum() == pytest.approx(1, rel=1e-13)
    assert (p >= 0).all()
    above = f[:, None] > f
    assert (p[:, None] >= p)[above].all()
    # the gradient of a plain maximum-likelihood loss is p - e_y, so the push is proportional to p
    assert np.allclose(p[f == f.max()], p.max(), rtol=1e-13)


@table(LOSS_CASES)
@searched
@given(data=st.data())
def test_float32_is_float64_rounded(case, data):
    f, y = data.draw(rows(case))
    value, gradient = value_and_gradient(case.loss, f, y)
    single, single_gradient = value_and_gradient(case.loss, f.astype(np.float32), y)
    assert single_gradient.dtype == np.float32
    size = 1 + abs(value) + np.abs(gradient).max()
    assert abs(single - value) <= 1e-5 * size
    steep = case.on_cosines and abs(f[y]) > 0.99  # arccos has no bounded derivative there
    if not steep:
        np.testing.assert_allclose(single_gradient, gradient, atol=1e-5 * size, rtol=1e-4)


# ---------------------------------------------------------------- other implementations


@pytest.mark.oracle
@pytest.mark.parametrize("loss", [Sparsemax(), Entmax(1.5), Entmax(1.2), Entmax(1.8)], ids=repr)
def test_entmax_losses_equal_those_of_the_entmax_package(loss):
    torch, entmax = pytest.importorskip("torch"), pytest.importorskip("entmax")
    scores = np.random.default_rng(0).normal(size=(50, 8)) * 2
    y = np.random.default_rng(1).integers(0, 8, 50)
    tensor = torch.tensor(scores, requires_grad=True)
    theirs = {
        Sparsemax(): lambda: entmax.SparsemaxLoss(reduction="none"),
        Entmax(1.5): lambda: entmax.Entmax15Loss(reduction="none"),
    }.get(loss, lambda: entmax.EntmaxBisectLoss(loss.alpha, n_iter=60, reduction="none"))()
    values = theirs(tensor, torch.tensor(y))
    values.sum().backward()
    ours, gradient = value_and_gradient(loss, scores, y)
    np.testing.assert_allclose(ours, values.detach().numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gradient, tensor.grad.numpy(), atol=1e-7)


def torch_margin_loss(torch, loss, cosines, y):
    """Deng et al.'s table: ``s cos(m1 theta + m2) - m3`` for the true class, by torch's autograd."""
    c = cosines.clone()
    true = cosines.gather(1, y[:, None])[:, 0]
    theta = torch.arccos(true)
    if isinstance(loss, CosFace):
        true = true - loss.margin
    elif isinstance(loss, ArcFace):
        past = true + np.cos(loss.margin) - 1
        true = torch.where(theta + loss.margin <= np.pi, torch.cos(theta + loss.margin), past)
    elif isinstance(loss, SphereFace):
        turn = torch.floor(theta * loss.margin / np.pi)
        true = (-1) ** turn * torch.cos(loss.margin * theta) - 2 * turn
    c = c.scatter(1, y[:, None], true[:, None])
    return torch.nn.functional.cross_entropy(loss.scale * c, y, reduction="none")


@pytest.mark.oracle
@pytest.mark.parametrize(
    "loss",
    [
        NormFace(20.0),
        CosFace(20.0, 0.35),
        ArcFace(20.0, 0.5),
        ArcFace(20.0, 1.5),
        SphereFace(20.0, 1.35),
        SphereFace(20.0, 4.0),
    ],
    ids=repr,
)
def test_margin_losses_equal_torch_from_rows_and_weights(loss):
    """Rows and weights are normalised inside, so the whole chain is compared."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    X, W, y = rng.normal(size=(40, 5)), rng.normal(size=(7, 5)), rng.integers(0, 7, 40)
    weights = torch.tensor(W, requires_grad=True)
    cosines = torch.nn.functional.normalize(torch.tensor(X)) @ torch.nn.functional.normalize(weights).T
    values = torch_margin_loss(torch, loss, cosines, torch.tensor(y))
    values.mean().backward()
    ours, gradient = value_and_gradient(loss, cosines.detach().numpy(), y)
    np.testing.assert_allclose(ours, values.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        cosine_head_gradient(loss, X, W, y), weights.grad.numpy(), rtol=1e-9, atol=1e-11
    )
    assert np.isfinite(gradient).all()


def cosine_head_gradient(loss, X, W, y):
    """The gradient of the mean loss with respect to the weights, by the epoch kernel used in training."""
    from linclf._kernels.problem import Problem
    from linclf._storage import dense_storage, read_only
    from linclf._training.gradients import mean_gradient
    from linclf.heads import Cosine

    n, d = X.shape
    storage = dense_storage(X, np.zeros(d), np.ones(d), len(W))
    y, weights = read_only(y), read_only(np.ones(n))
    problem = Problem(storage, Cosine(0.0), loss, y, weights, np.zeros(d + 1))
    V = np.ascontiguousarray(np.column_stack([W, np.zeros(len(W))]))
    return mean_gradient(problem, V, np.arange(n), 1, None)[1][:, :-1]
