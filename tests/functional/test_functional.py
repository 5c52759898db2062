"""Maps from scores to probabilities: values by mpmath and SciPy, defining conditions, limits.

Functions built on the maps are in test_functional_uses.py; speed is in benchmarks/questions/functional.py.
"""

import mpmath
import naive
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare

from linclf import functional
from linclf.functional import (
    entmax,
    entmax_jvp,
    gibbs,
    gumbel_max,
    gumbel_softmax,
    linear_normalization,
    log_softmax,
    logsumexp,
    softmax,
    sparsemax,
    sparsemax_jvp,
)
from linclf.functional._blocks import total

REFERENCE = np.array([2.0, 4.0, 2.0, 1.0])
INF = np.inf
MAPS = {
    "softmax": softmax,
    "sparsemax": sparsemax,
    "entmax 1.5": lambda f, axis=-1: entmax(f, axis=axis),
    "entmax 1.25": lambda f, axis=-1: entmax(f, 1.25, axis),
    "entmax 1.01": lambda f, axis=-1: entmax(f, 1.01, axis),
}
every_map = pytest.mark.parametrize("map_", MAPS.values(), ids=MAPS)
of_floats = pytest.mark.parametrize("dtype", [np.float32, np.float64])
examples = settings(deadline=None, derandomize=True, max_examples=60)
a_row = arrays(np.float64, st.integers(1, 12), elements=st.floats(-30, 30))
# one for each memory layout: few, short rows, long rows, slabs, more than a block
SHAPES = [((3,), -1), ((700, 1), 1), ((900, 10), -1), ((40, 300), 1), ((10, 900), 0), ((300, 40), 0),
          ((20, 9, 7), 1), ((5, 90, 7), 1), ((3, 40, 50), -2), ((1200, 1000), -1), ((9, 140_000), 0),
          ((1200, 900), 0), ((2003, 33), 0), ((40_000, 31), 0), ((1, 300), 1), ((26, 10), 1), ((3, 20), 0),
          ((0, 4), 1)]  # fmt: skip


def normal(shape, seed=0, dtype=np.float64, size=1.0):
    return (size * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def rounding(dtype, times=8):
    return times * float(np.finfo(dtype).eps)


# ---------------------------------------------------------------- softmax, its logarithm, its normaliser


@of_floats
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_softmax_family_is_that_of_scipy(shape, axis, dtype):
    f = normal(shape, dtype=dtype, size=3)
    before, exact = f.copy(), f.astype(np.float64)
    near = {"rtol": rounding(dtype, 40), "atol": rounding(dtype, 40)}
    p, logs, total = softmax(f, axis), log_softmax(f, axis), logsumexp(f, axis)
    assert p.dtype == logs.dtype == total.dtype == dtype
    np.testing.assert_allclose(p, scipy.special.softmax(exact, axis=axis), **near)
    np.testing.assert_allclose(logs, scipy.special.log_softmax(exact, axis=axis), **near)
    if f.size:
        np.testing.assert_allclose(total, scipy.special.logsumexp(exact, axis=axis), **near)
    np.testing.assert_array_equal(np.expand_dims(total, axis), logsumexp(f, axis, keepdims=True))
    np.testing.assert_array_equal(f, before)


@every_map
def test_memory_layout_changes_nothing(map_):
    f = normal((6, 90, 8))
    p = map_(f)
    layouts = {
        "Fortran": np.asfortranarray(f),
        "strided": np.repeat(f, 2, axis=-1)[..., ::2],
        "reversed": f[::-1, :, ::-1].copy()[::-1, :, ::-1],
        "transposed": f.transpose(2, 0, 1).copy().transpose(1, 2, 0),
        "broadcast": np.broadcast_to(f, (2, *f.shape)),
        "read-only": np.frombuffer(f.tobytes()).reshape(f.shape),
    }
    for name, g in layouts.items():
        np.testing.assert_allclose(map_(g), np.broadcast_to(p, g.shape), rtol=1e-13, atol=1e-15, err_msg=name)
    for axis in (0, 1, 2, -2):
        moved = map_(np.moveaxis(f, -1, axis), axis)
        np.testing.assert_allclose(moved, np.moveaxis(p, -1, axis), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("function", [softmax, log_softmax])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_out_is_filled_and_may_be_the_input(function, shape, axis):
    f = normal(shape)
    expected = function(f, axis)
    for out in (np.empty(shape), np.empty(shape, order="F"), f.copy()):
        assert function(f, axis, out=out) is out
        np.testing.assert_array_equal(out, expected)
    assert function(f, axis, out=f) is f
    np.testing.assert_array_equal(f, expected)


def test_out_that_overlaps_the_input():
    memory = normal((300_001, 10))  # many blocks: one is written over rows of the next
    expected = softmax(memory[:-1])
    np.testing.assert_array_equal(softmax(memory[:-1], out=memory[1:]), expected)
    square = normal((1500, 1500))
    expected = softmax(square)
    np.testing.assert_array_equal(softmax(square, out=square.T), expected)


def test_reference_example():
    np.testing.assert_allclose(softmax(REFERENCE), [0.1025, 0.7573, 0.1025, 0.0377], atol=5e-5)
    np.testing.assert_allclose(linear_normalization(REFERENCE), [0.2222, 0.4444, 0.2222, 0.1111], atol=5e-5)


EXTREMES = [
    (np.float32, [1e4, -1e4, 9999.5, 9990]), (np.float32, [-1e4, -1e4, -10010]), (np.float32, [0, -80, -100]),
    (np.float64, [1e30, -1e30, 1e30]), (np.float64, [-1e30, -1e30]), (np.float64, [700, 710, -740]),
    (np.float64, [1e-300, 0, -1e-300]), (np.float64, [-INF, 3, 4]), (np.float32, [5]),
    (np.float64, [1e308, -1e308]),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "row"), EXTREMES)
def test_extreme_scores_by_mpmath(dtype, row):
    f = np.array(row, dtype)
    with mpmath.workdps(50):
        exact = [mpmath.mpf(float(x)) for x in f]
        top = max(exact)
        terms = [mpmath.exp(x - top) for x in exact]
        log_sum = mpmath.log(mpmath.fsum(terms))
        p = [float(t / mpmath.fsum(terms)) for t in terms]
        logs = [float(x - top - log_sum) for x in exact]
        total = float(top + log_sum)
    tiny = float(np.finfo(dtype).tiny)
    np.testing.assert_allclose(softmax(f), p, rtol=rounding(dtype), atol=tiny)
    with np.errstate(over="ignore"):
        expected = np.array(logs, dtype)
    np.testing.assert_allclose(log_softmax(f), expected, rtol=rounding(dtype), atol=rounding(dtype, 1))
    np.testing.assert_allclose(logsumexp(f), dtype(total), rtol=rounding(dtype), atol=rounding(dtype, 1))


@every_map
@of_floats
@pytest.mark.parametrize("n_classes", [3, 50])
def test_infinite_scores(map_, dtype, n_classes):
    f = np.full((5, n_classes), -INF, dtype)
    f[0, :2], f[1, 0], f[2, 1], f[3, 2] = [1, 1], -3, INF, np.nan
    p = map_(f)
    np.testing.assert_array_equal(p[0, :3], [0.5, 0.5, 0])
    np.testing.assert_array_equal(p[1], naive.one_hot(0, n_classes))
    assert np.isnan(p[2:]).all()
    np.testing.assert_array_equal(p.sum(axis=1)[:2], 1)


def test_infinite_scores_of_logarithms():
    f = [[0, -INF], [-INF, -INF], [INF, 0], [np.nan, 0]]
    np.testing.assert_array_equal(logsumexp(f), [0, -INF, INF, np.nan])
    np.testing.assert_array_equal(log_softmax(f)[0], [0, -INF])
    assert np.isnan(log_softmax(f)[1:]).all()


def test_sums_in_float32_do_not_lose_digits_along_any_axis():
    f = np.zeros((100_003, 40), np.float32)
    np.testing.assert_allclose(softmax(f, axis=0), 1 / 100_003, rtol=1e-6)
    np.testing.assert_allclose(softmax(f.T.copy(), axis=1), 1 / 100_003, rtol=1e-6)
    few = np.full((10_007, 40), 0.1, np.float32)  # in one block, in place
    for g, axis in ((few, 0), (np.asfortranarray(few.T), 1)):
        np.testing.assert_allclose(logsumexp(g, axis), 0.1 + np.log(10_007), rtol=2e-7)
        p = linear_normalization(g, axis)
        np.testing.assert_allclose(p, 1 / 10_007, rtol=3e-7)
        np.testing.assert_allclose(sparsemax_jvp(p, g, axis), 0, atol=3e-8)


def test_total_of_any_length_by_float64():
    """The cut into parts depends on the length; no part is lost or counted twice."""
    for length in (1, 256, 512, 513, 640, 1000, 4095, 4096, 70_001):
        terms = np.random.default_rng(0).random((length, 3), np.float32)
        exact = terms.sum(axis=0, dtype=np.float64)
        for laid_out in (terms, np.asfortranarray(terms)):
            np.testing.assert_allclose(total(laid_out, 0)[0], exact, rtol=1e-6)
            np.testing.assert_array_equal(total(laid_out.T, 1), total(laid_out, 0).T)


def test_dtypes():
    assert softmax([1, 2]).dtype == softmax(np.array([True, False])).dtype == np.float64
    assert softmax(np.array([1, 2], np.float16)).dtype == np.float32
    assert entmax(np.array([1, 2], np.float32)).dtype == np.float32
    assert gibbs(np.array([1, 2], np.float32), 3.0).dtype == np.float32
    assert linear_normalization(np.array([1, 2], np.float32)).dtype == np.float32
    assert type(logsumexp(np.array([1, 2], np.float32))) is np.float32


@pytest.mark.parametrize("dtype", [">f4", "<f4", ">f8", "<f8"])
def test_results_have_the_byte_order_of_the_machine(dtype):
    f = np.array([[2, 4, 2, 1], [1, 3, 3, 2]], dtype)
    native = f.astype(f.dtype.newbyteorder("="))
    functions = [*MAPS.values(), log_softmax, gibbs, linear_normalization, logsumexp, functional.entropy]
    functions.append(lambda f: gumbel_softmax(f, random_state=0))
    for function in functions:
        found = function(f)
        assert found.dtype.isnative
        np.testing.assert_array_equal(found, function(native), strict=True)


# ---------------------------------------------------------------- why softmax


@every_map
@examples
@given(f=a_row)
def test_distribution_in_the_order_of_the_scores(map_, f):
    p = map_(f)
    assert (p >= 0).all()
    assert p.sum() == pytest.approx(1, abs=1e-14)
    ranked = p[np.argsort(f, kind="stable")]
    assert (np.diff(ranked) >= -1e-15).all()
    if map_ is softmax:
        assert (p > 0).all()


@every_map
@examples
@given(f=a_row, shift=st.sampled_from([-1e6, -3.5, 1.0, 2.0**20]))
def test_shift_changes_nothing(map_, f, shift):
    f = np.round(f * 16) / 16  # so that the sum is exact
    np.testing.assert_array_equal(map_(f + shift), map_(f))


@every_map
@examples
@given(f=a_row, seed=st.integers(0, 99))
def test_order_of_classes_does_not_matter(map_, f, seed):
    order = np.random.default_rng(seed).permutation(len(f))
    np.testing.assert_allclose(map_(f[order]), map_(f)[order], rtol=1e-12, atol=1e-15)


@every_map
@examples
@given(f=arrays(np.float32, (4, 7), elements=st.floats(-8, 8, width=32)))
def test_float32_is_near_float64(map_, f):
    np.testing.assert_allclose(map_(f), map_(f.astype(np.float64)), rtol=2e-5, atol=1e-6)


@examples
@given(f=arrays(np.float64, 4, elements=st.floats(-20, 20)), other=st.floats(-20, 20))
def test_odds_of_softmax_do_not_depend_on_other_scores(f, other):
    g = np.append(f, other)
    for p in (softmax(f), softmax(g)):
        assert p[0] / p[1] == pytest.approx(np.exp(f[0] - f[1]), rel=1e-12)


def test_odds_of_sparsemax_do():
    assert sparsemax([1.0, 0.5]).tolist() == [0.75, 0.25]
    np.testing.assert_allclose(sparsemax([1.0, 0.5, 0.75]), [7 / 12, 1 / 12, 4 / 12])  # 7 : 1, not 3 : 1


@examples
@given(f=a_row, base=st.floats(1.1, 50))
def test_temperature_is_the_base(f, base):
    powers = base ** (f - f.max())
    np.testing.assert_allclose(gibbs(-f, 1 / np.log(base)), powers / powers.sum(), rtol=1e-11)


@examples
@given(f=arrays(np.float64, 5, elements=st.floats(-5, 5)), seed=st.integers(0, 99))
def test_softmax_has_the_largest_entropy_of_its_mean_score(f, seed):
    p = softmax(f)
    away = np.random.default_rng(seed).standard_normal(5)
    fixed = np.linalg.qr(np.column_stack([np.ones(5), f]))[0]
    away -= fixed @ (fixed.T @ away)
    step = 0.5 * p.min() / max(np.abs(away).max(), 1e-9)
    other = p + step * away  # sums to 1, with the same mean score
    assert (other > 0).all()
    assert other @ f == pytest.approx(p @ f, abs=1e-12)
    assert functional.entropy(other) <= functional.entropy(p) + 1e-15


def test_gibbs_at_extreme_temperatures():
    energies = [1.0, 2.0, INF]
    np.testing.assert_allclose(gibbs(energies, 1e300), [0.5, 0.5, 0])
    np.testing.assert_array_equal(gibbs(energies, 1e-300), [1, 0, 0])
    np.testing.assert_array_equal(gibbs([1e30, 1e30 + 1e20], 1e-3), [1, 0])
    np.testing.assert_array_equal(
        gibbs([[1e300, 1e300, INF], [-1e300, 1, 2]], 1e-300), [[0.5, 0.5, 0], [1, 0, 0]]
    )
    np.testing.assert_allclose(gibbs(energies, 2.0), scipy.special.softmax([-0.5, -1, -INF]))


def test_linear_normalization_of_large_scores():
    np.testing.assert_array_equal(linear_normalization([[1e308, 1e308], [0, 1e-308]]), [[0.5, 0.5], [0, 1]])
    f = np.abs(normal((3, 4, 5)))
    np.testing.assert_allclose(linear_normalization(f, 1), f / f.sum(axis=1, keepdims=True), rtol=1e-14)


# ---------------------------------------------------------------- sparsemax and entmax


def projection(f):
    """Projection onto the simplex, by sorting: the largest k scores such that the smallest stays positive."""
    ranked = np.sort(f)[::-1]
    for k in range(len(f), 0, -1):
        tau = (ranked[:k].sum() - 1) / k
        if ranked[k - 1] > tau:
            return np.maximum(f - tau, 0)


@pytest.mark.parametrize("size", [1e-3, 0.3, 3.0])
@pytest.mark.parametrize("n_classes", [1, 2, 10, 31, 32, 200])
def test_sparsemax_is_the_projection(n_classes, size):
    f = normal((300, n_classes), size=size)
    np.testing.assert_allclose(sparsemax(f), [projection(row) for row in f], atol=1e-14)


@of_floats
@pytest.mark.parametrize("alpha", [1.01, 1.2, 1.5, 1.9, 2.0])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_optimality_of_entmax(shape, axis, alpha, dtype):
    """The gradient f - p^(a-1) / (a-1) of the objective is equal on the support, and not larger off it."""
    f = normal(shape, dtype=dtype, size=2)
    p = entmax(f, alpha, axis)
    assert p.shape == f.shape
    assert p.dtype == dtype
    f, p = np.moveaxis(f, axis, -1).astype(np.float64), np.moveaxis(p, axis, -1).astype(np.float64)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=rounding(dtype, 4) * np.sqrt(f.shape[-1]))
    slack = f - p ** (alpha - 1) / (alpha - 1)
    level = np.max(np.where(p > 0, slack, -INF), axis=-1, keepdims=True, initial=-INF)
    # x = (a - 1) (f - max) + 1 - d is exact up to rounding, and x = p^(a - 1)
    allowed = rounding(dtype, 8) * (1 / (alpha - 1) + np.abs(f))
    solid = p > np.finfo(dtype).tiny * 1e4
    assert (np.abs(slack - level) <= allowed)[solid].all()
    assert (slack <= level + allowed)[p == 0].all()
    assert (p[f < f.max(axis=-1, keepdims=True, initial=-INF) - 1.0001 / (alpha - 1)] == 0).all()


@of_floats
@pytest.mark.parametrize("alpha", [1.001, 1.01, 1.5, 2.0])
@pytest.mark.parametrize("n_classes", [1, 2, 7, 40, 1000])
def test_entmax_of_ties_and_of_extreme_scores(n_classes, alpha, dtype):
    big = {np.float32: 1e4, np.float64: 1e30}[dtype]
    f = np.full((3, n_classes), big, dtype)
    f[1], f[2] = -big, -big
    f[2, 0] = big
    p = entmax(f, alpha)
    np.testing.assert_allclose(p[:2], 1 / n_classes, rtol=rounding(dtype, 8 + n_classes / 50))
    np.testing.assert_array_equal(p[2], naive.one_hot(0, n_classes))


def test_entmax_near_1_is_near_softmax():
    f = normal((50, 6))
    np.testing.assert_allclose(entmax(f, 1 + 1e-9), softmax(f), rtol=1e-7)
    np.testing.assert_allclose(entmax(f.astype(np.float32), 1.0001), softmax(f), rtol=3e-3)


@pytest.mark.parametrize("alpha", [1.1, 1.5, 2.0])
def test_jacobian_by_differences(alpha):
    rng, h = np.random.default_rng(0), 1e-5
    f, v = normal((200, 6)), rng.standard_normal((200, 6))
    p, ahead, behind = entmax(f, alpha), entmax(f + h * v, alpha), entmax(f - h * v, alpha)
    smooth = ((ahead > 0) == (p > 0)).all(axis=1) & ((behind > 0) == (p > 0)).all(axis=1)
    smooth &= np.where(p > 0, p, 1).min(axis=1) > 1e-3
    assert smooth.sum() > 30
    np.testing.assert_allclose(
        entmax_jvp(p, v, alpha)[smooth], ((ahead - behind) / (2 * h))[smooth], atol=1e-6
    )
    np.testing.assert_allclose(entmax_jvp(p.T, v.T, alpha, axis=0), entmax_jvp(p, v, alpha).T, rtol=1e-12)
    if alpha == 2:
        np.testing.assert_array_equal(sparsemax_jvp(p, v), entmax_jvp(p, v, 2.0))


@pytest.mark.oracle
@of_floats
@pytest.mark.parametrize("alpha", [1.2, 1.5, 2.0])
def test_entmax_package(alpha, dtype):
    oracle, torch = pytest.importorskip("entmax"), pytest.importorskip("torch")
    rows, v = normal((300, 12), size=2, dtype=dtype), normal((300, 12), seed=1, dtype=dtype)
    maps = [lambda f: oracle.entmax_bisect(f, alpha, dim=-1, n_iter=80)]
    maps += {1.5: [oracle.entmax15], 2.0: [oracle.sparsemax]}.get(alpha, [])
    for theirs in maps:
        f = torch.tensor(rows, requires_grad=True)
        p = theirs(f)
        p.backward(torch.tensor(v))
        near = {"rtol": rounding(dtype, 60), "atol": rounding(dtype, 60)}
        np.testing.assert_allclose(entmax(rows, alpha), p.detach().numpy(), **near)
        solid = np.where(p.detach().numpy() > 0, p.detach().numpy(), 1).min(axis=1) > 1e-3
        ours = entmax_jvp(entmax(rows, alpha), v, alpha)
        np.testing.assert_allclose(ours[solid], f.grad.numpy()[solid], rtol=1e-3, atol=rounding(dtype, 1000))


# ---------------------------------------------------------------- samples


@of_floats
def test_gumbel_max_draws_from_softmax(dtype):
    f = np.array([[2, 4, 2, 1], [1e4, 1e4 - 1, -INF, 1e4 - 2]], dtype)
    drawn = gumbel_max(f, size=40_000, random_state=3)
    assert drawn.shape == (40_000, 2)
    for row, p in zip(drawn.T, softmax(f.astype(np.float64)), strict=True):
        counts = np.bincount(row, minlength=4)
        assert (counts[p == 0] == 0).all()
        assert chisquare(counts[p > 0], 40_000 * p[p > 0]).pvalue > 0.01


def test_gumbel_max_shapes_and_seeds():
    f = normal((3, 4, 5))
    assert gumbel_max(f, axis=1, random_state=0).shape == (3, 5)
    assert gumbel_max(f, size=(2, 6), random_state=0).shape == (2, 6, 3, 4)
    assert gumbel_max(f[0, 0], random_state=0).shape == ()
    assert gumbel_max(f, size=0).shape == (0, 3, 4)
    generators = [5, np.random.default_rng(5)]
    drawn = [gumbel_max(f, size=7, random_state=generator) for generator in generators]
    np.testing.assert_array_equal(*drawn)
    assert gumbel_max(f, random_state=np.random.RandomState(0)).max() < 5


@pytest.mark.parametrize("tau", [1e-3, 0.5, 20.0])
def test_gumbel_softmax_is_soft_and_hard_of_one_sample(tau):
    f = np.tile(REFERENCE, (20_000, 1))
    soft = gumbel_softmax(f, tau, random_state=0)
    hard = gumbel_softmax(f, tau, hard=True, random_state=0)
    np.testing.assert_allclose(soft.sum(axis=1), 1, atol=1e-14)
    np.testing.assert_array_equal(hard, np.eye(4)[soft.argmax(axis=1)])
    assert chisquare(hard.sum(axis=0), 20_000 * softmax(REFERENCE)).pvalue > 0.01
    if tau == 1e-3:
        np.testing.assert_allclose(soft.mean(axis=0), hard.mean(axis=0), atol=1e-3)
    across = gumbel_softmax(f.T, tau, axis=0, random_state=0)
    np.testing.assert_allclose(across.sum(axis=0), 1, atol=1e-14)


def test_gumbel_softmax_limits():
    f = np.array([[-INF, 0, 1], [-INF, -INF, -INF]], np.float32)
    for hard in (False, True):
        p = gumbel_softmax(f, hard=hard, random_state=0)
        assert p.dtype == np.float32
        assert p[0, 0] == 0
        assert p[0].sum() == pytest.approx(1)
        assert np.isnan(p[1]).all()


@of_floats
@pytest.mark.parametrize("hard", [False, True])
def test_gumbel_softmax_keeps_its_noise_beside_large_scores(hard, dtype):
    size = {np.float32: 1e8, np.float64: 1e20}[dtype]
    f = np.tile(np.array([size, size, -size], dtype), (3000, 1))
    chosen = gumbel_softmax(f, hard=hard, random_state=0).argmax(axis=1)
    assert chisquare(np.bincount(chosen)).pvalue > 1e-3
    small = gumbel_softmax(f - dtype(size), hard=hard, random_state=0)
    np.testing.assert_array_equal(gumbel_softmax(f, hard=hard, random_state=0), small)


def test_gumbel_softmax_seeds():
    f = normal((4, 5))
    first, again, other = (gumbel_softmax(f, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.isclose(first, other).any()
    random = np.random.default_rng(0)
    np.testing.assert_array_equal(gumbel_softmax(f, random_state=random), first)
    assert not np.isclose(gumbel_softmax(f, random_state=random), first).any()


@of_floats
def test_gumbel_softmax_of_what_tau_would_overflow(dtype):
    tau, size = np.finfo(dtype).tiny, {np.float32: 1e30, np.float64: 1e300}[dtype]
    f = np.array([[size, 0, size], [-size, size, -size], *[[0, 0, 0]] * 50], dtype)
    p = gumbel_softmax(f, tau, random_state=0)
    np.testing.assert_array_equal(p, gumbel_softmax(f, tau, hard=True, random_state=0))
    assert np.isfinite(p).all()
    np.testing.assert_array_equal(p[:2, 1], [0, 1])


# ---------------------------------------------------------------- bad input

WRONG = [
    (lambda: softmax(3.0), ValueError, "scores=.* is a single number: pass an array"),
    (lambda: softmax(np.zeros((3, 0))), ValueError, r"shape \(3, 0\): axis=-1 needs at least one entry"),
    (lambda: softmax([1, 2], axis=1), ValueError, "axis=1 of scores .* from -1 to 0"),
    (lambda: softmax([1, 2], axis=None), TypeError, "axis=None: pass one integer"),
    (lambda: softmax([1, 2j]), TypeError, "scores has dtype complex128: pass real numbers"),
    (lambda: softmax(["a"]), TypeError, "scores has dtype <U1: pass real numbers"),
    (lambda: softmax(["1", "2"]), TypeError, "scores has dtype <U1: pass real numbers"),
    (lambda: softmax(np.array(["2020-01-01"], "M8[D]")), TypeError, "scores has dtype datetime64"),
    (lambda: softmax([None, 1.0]), TypeError, "scores contains None: pass real numbers"),
    (lambda: softmax([1, 2], out=np.zeros(2, np.float32)), ValueError, r"out is float32 \(2,\): pass"),
    (lambda: log_softmax([1, 2], out=[0, 0]), ValueError, "out is list: pass an array of float64"),
    (lambda: linear_normalization([1, -2]), ValueError, "scores has -2.0, .*use softmax"),
    (lambda: linear_normalization([1, np.nan]), ValueError, "scores has nan"),
    (lambda: linear_normalization([[1, 2], [0, 0]]), ValueError, "a row of zeros"),
    (lambda: gibbs([1, 2], 0), ValueError, "temperature=0: pass a finite number above 0"),
    (lambda: gibbs([1, 2], "hot"), TypeError, "temperature='hot': pass a number above 0"),
    (lambda: entmax([1, 2], 1), ValueError, r"alpha=1: pass a number in \(1, 2\]; the limit at 1 is softmax"),
    (lambda: entmax([1, 2], 2.5), ValueError, "alpha=2.5"),
    (lambda: entmax([1, 2], None), TypeError, "alpha=None"),
    (lambda: entmax_jvp([1, 0], [1, 0, 0]), ValueError, r"p has shape \(2,\) and direction \(3,\)"),
    (lambda: gumbel_softmax([1, 2], tau=-1), ValueError, "tau=-1"),
    (lambda: gumbel_softmax([1, 2], random_state="x"), TypeError, "random_state='x': pass an integer"),
    (lambda: gumbel_max([1, 2], size=3.5), TypeError, "size=3.5: pass an integer, a tuple of integers"),
    (lambda: gumbel_max([1, 2], size=(2, "x")), TypeError, r"size=\(2, 'x'\): pass an integer"),
    (lambda: gumbel_max([-INF, -INF]), ValueError, "a row whose largest score is -inf"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_public_names():
    assert functional.__all__ == sorted(functional.__all__)
    assert all(getattr(functional, name).__doc__ for name in functional.__all__)


# ---------------------------------------------------------------- edges


def test_derivatives_ignore_directions_off_the_support():
    for jvp in (sparsemax_jvp, entmax_jvp):
        np.testing.assert_array_equal(jvp([1.0, 0.0], [1.0, INF]), [0, 0])
        np.testing.assert_array_equal(
            jvp([0.5, 0.5, 0.0], [1.0, 0.0, np.nan]), jvp([0.5, 0.5, 0.0], [1, 0, 9])
        )
        np.testing.assert_array_equal(jvp([0.5, 0.5, -1e-20], [1, 0, 9]), jvp([0.5, 0.5, 0.0], [1, 0, 9]))


@of_floats
def test_derivatives_of_nan_are_nan(dtype):
    p, v = np.array([[np.nan, np.nan, np.nan], [0.5, 0.5, 0]], dtype), np.array([[1, 2, 3]] * 2, dtype)
    for jvp in (sparsemax_jvp, entmax_jvp):
        found = jvp(p, v)
        assert np.isnan(found[0]).all()
        np.testing.assert_allclose(found[1, [0, 2]], [-found[1, 1], 0])
        assert found[1, 1] > 0


@pytest.mark.parametrize("call", [gibbs, gumbel_softmax])
def test_a_temperature_that_float32_rounds_to_zero_is_refused(call):
    with pytest.raises(ValueError, match="1e-50: pass a finite number above 0 in float32"):
        call(np.ones(3, np.float32), 1e-50)


def test_hard_samples_do_not_depend_on_tau():
    """Even if dividing by tau rounds away the lead of the largest score."""
    scores = np.zeros((2000, 3), np.float32)
    shares = [gumbel_softmax(scores, tau, hard=True, random_state=0).mean(axis=0) for tau in (1.0, 1e9)]
    np.testing.assert_array_equal(*shares)
    assert chisquare(2000 * shares[0]).pvalue > 1e-3


def test_gumbel_max_of_large_scores_and_of_no_rows():
    drawn = gumbel_max([1e20, 1e20, -1e20], size=3000, random_state=0)
    assert chisquare(np.bincount(drawn)).pvalue > 1e-3
    assert gumbel_max(np.zeros((0, 3)), size=4).shape == (4, 0)
    with pytest.raises(ValueError, match="size=-1"):
        gumbel_max([0.0, 1.0], size=-1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_left_beside_one_large_score_is_not_lost(dtype, axis):
    """logsumexp([0, -40]) is log1p(exp(-40)) and not 0."""
    gaps = np.linspace(-80, -0.5, 40)
    scores = np.column_stack([np.zeros(40), gaps, gaps - 1]).astype(dtype)
    scores = np.vstack([scores, np.full(3, -np.inf), [0, np.inf, 0]])
    rest = np.log1p(np.exp(scores[:40, 1:].astype(float)).sum(axis=1))
    found = functional.logsumexp(scores if axis else scores.T, axis=axis)
    np.testing.assert_allclose(found[:40], rest, rtol=1e-6 if dtype == np.float32 else 1e-12)
    np.testing.assert_array_equal(found[40:], [-np.inf, np.inf])
    if dtype == np.float64:
        logs = functional.log_softmax(scores[:40] if axis else scores[:40].T, axis=axis)
        np.testing.assert_allclose(logs[:, 0] if axis else logs[0], -rest, rtol=1e-12)
    assert functional.logsumexp([0.0, -40.0]) == 4.248354255291589e-18
