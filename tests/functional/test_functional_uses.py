"""Functions built on softmax: attention, segments, policies, contrastive losses, information.

Each is compared with an explicit loop. The maps themselves are in test_functional.py.
"""

import tracemalloc

import mpmath
import naive
import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from linclf.functional import (
    attention,
    cross_entropy,
    entropy,
    info_nce,
    kl_divergence,
    log_softmax,
    nt_xent,
    perplexity,
    policy_log_probability,
    policy_score_function,
    segment_softmax,
    softmax,
)

INF = np.inf
of_floats = pytest.mark.parametrize("dtype", [np.float32, np.float64])
examples = settings(deadline=None, derandomize=True, max_examples=60)


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# ---------------------------------------------------------------- attention


def direct_attention(Q, K, V, scale, causal):
    scores = scale * Q @ np.swapaxes(K, -1, -2)
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -INF)
    return scipy.special.softmax(scores, axis=-1) @ V


@of_floats
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("queries", "keys", "values"),
    [
        *(((1, 4), (1, 4), (1, 3)), ((3, 1), (7, 1), (7, 2)), ((9, 5), (4, 5), (4, 5))),
        *(((2, 4), (2, 4), (2, 3)), ((3, 4), (2, 4), (2, 3))),
        ((700, 8), (2500, 8), (2500, 3)),  # more than a block of each
        ((1500, 8), (600, 8), (600, 3)),
        ((2, 3, 50, 4), (2, 3, 60, 4), (2, 3, 60, 5)),
        ((6, 1, 30, 4), (5, 20, 4), (1, 1, 20, 2)),  # broadcast
        ((9, 5, 300, 4), (5, 300, 4), (300, 2)),  # several at a time
        ((3, 2, 600, 4), (1, 1100, 4), (2, 1100, 2)),
        ((0, 4), (3, 4), (3, 2)),
    ],
)
def test_attention_is_the_direct_formula(queries, keys, values, causal, dtype):
    Q, K, V = normal(*queries, dtype=dtype), normal(*keys, seed=1, dtype=dtype), normal(*values, seed=2)
    V = V.astype(dtype)
    result = attention(Q, K, V, causal=causal)
    assert result.dtype == dtype
    expected = direct_attention(*(a.astype(float) for a in (Q, K, V)), queries[-1] ** -0.5, causal)
    near = {np.float32: 5e-6, np.float64: 1e-13}[dtype]
    np.testing.assert_allclose(result, expected, rtol=near, atol=near)
    scaled = attention(Q, K, V, scale=-2.0, causal=causal)
    expected = direct_attention(*(a.astype(float) for a in (Q, K, V)), -2.0, causal)
    np.testing.assert_allclose(scaled, expected, rtol=10 * near, atol=10 * near)


def test_attention_to_extreme_scores():
    keys = np.zeros((3000, 1), np.float32)
    keys[2900], keys[5] = 1e4, -1e4  # the running maximum rises late
    values = np.arange(3000, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(attention([[1.0], [-1.0]], keys, values).ravel(), [2900, 5])


@of_floats
def test_attention_to_keys_that_are_hidden_by_minus_infinity(dtype):
    """Even if a whole block of keys is hidden, the first or a later one, or all of them."""
    n = 2100
    values = np.arange(n, dtype=dtype)[:, None]
    for seen in (slice(1024, 1029), slice(0, 3), slice(2090, n)):
        keys = np.full((n, 1), -INF, dtype)
        keys[seen] = 1
        mean = values[seen].mean()
        np.testing.assert_allclose(attention(np.ones((2, 1), dtype), keys, values), mean, rtol=1e-6)
    assert np.isnan(attention(np.ones((1, 1), dtype), np.full((n, 1), -INF, dtype), values)).all()


@of_floats
def test_attention_to_values_whose_sum_overflows(dtype):
    large = dtype(0.6) * np.finfo(dtype).max
    for n in (4, 3000):
        values = np.full((n, 2), large, dtype)
        values[:, 1] = 1
        found = attention(np.ones((3, 1), dtype), np.zeros((n, 1), dtype), values)
        np.testing.assert_allclose(found[:, 0] / large, 1, rtol=100 * np.finfo(dtype).eps)
        np.testing.assert_allclose(found[:, 1], 1, rtol=100 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(attention(np.ones((1, 1), dtype), np.ones((1, 1), dtype), [[INF]]), INF)


def test_attention_needs_linear_memory():
    n = 20_000
    Q, K, V = (normal(n, 16, seed=s, dtype=np.float32) for s in range(3))
    tracemalloc.start()
    result = attention(Q, K, V, causal=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < result.nbytes + 16 * 2**20  # the matrix of weights would have 1.6 GB
    np.testing.assert_allclose(result[:50], direct_attention(Q[:50], K[:50], V[:50], 0.25, True), rtol=1e-4)
    np.testing.assert_allclose(result[-1:], direct_attention(Q[-1:], K, V, 0.25, False), rtol=1e-3, atol=1e-5)


# ---------------------------------------------------------------- segments


@of_floats
@pytest.mark.parametrize("trailing", [(), (3,), (2, 4)])
def test_segment_softmax_is_a_softmax_of_each_group(trailing, dtype):
    rng = np.random.default_rng(0)
    f, ids = normal(200, *trailing, dtype=dtype), rng.choice([0, 1, 3, 8, 9, 40], 200)
    before = f.copy()
    p = segment_softmax(f, ids, n_segments=41)
    assert p.dtype == dtype
    for group in np.unique(ids):
        np.testing.assert_allclose(p[ids == group], softmax(f[ids == group], axis=0), rtol=1e-6)
    np.testing.assert_array_equal(f, before)
    np.testing.assert_array_equal(segment_softmax(f, ids), p)


def test_segment_softmax_limits():
    f = [1e30, 1e30, -INF, 5, -INF, -1e30]
    p = segment_softmax(f, [1, 1, 1, 0, 2, 7])
    np.testing.assert_array_equal(p, [0.5, 0.5, 0, 1, np.nan, 1])
    assert segment_softmax(np.zeros((0, 3)), []).shape == (0, 3)
    many = segment_softmax(np.zeros(100_000, np.float32), np.zeros(100_000, int))
    np.testing.assert_allclose(many, 1e-5, rtol=1e-6)


# ---------------------------------------------------------------- policies


def test_policy_gradient_is_that_of_the_log_probability():
    scores, actions = normal(4, 3, 5), np.random.default_rng(1).integers(5, size=(4, 3))
    expected = [
        [log_softmax(f)[a] for f, a in zip(*pair, strict=True)] for pair in zip(scores, actions, strict=True)
    ]
    np.testing.assert_array_equal(policy_log_probability(scores, actions), expected)
    gradient = policy_score_function(scores, actions)
    numeric = naive.central_gradient(lambda f: policy_log_probability(f, actions).sum(), scores, h=1e-3)
    np.testing.assert_allclose(gradient, numeric, atol=1e-10)


def test_policy_score_function_has_mean_zero():
    f = np.array([0.3, -INF, 2, 1])
    p = softmax(f)
    each = policy_score_function(np.tile(f, (4, 1)), np.arange(4))
    np.testing.assert_allclose(p @ each, 0, atol=1e-16)
    assert policy_log_probability(f, 1) == -INF
    assert policy_score_function(np.float32([1e4, -1e4]), 1).dtype == np.float32


# ---------------------------------------------------------------- contrastive losses


def naive_info_nce(Q, K, temperature):
    scores = Q @ K.T / temperature
    return np.mean(scipy.special.logsumexp(scores, axis=1) - np.diag(scores))


def naive_nt_xent(A, B, temperature):
    rows, n = [*A, *B], len(A)

    def cosine(x, y):
        length = np.linalg.norm(x) * np.linalg.norm(y)
        return x @ y / length if length else 0.0

    total = 0.0
    for i, x in enumerate(rows):
        others = [j for j in range(2 * n) if j != i]
        right = cosine(x, rows[(i + n) % (2 * n)]) / temperature
        total += scipy.special.logsumexp([cosine(x, rows[j]) / temperature for j in others]) - right
    return total / (2 * n)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 3.0])
@pytest.mark.parametrize(("n", "m", "d"), [(1, 1, 3), (5, 5, 3), (4, 9, 2)])
def test_info_nce(n, m, d, temperature):
    Q, K = normal(n, d) / 2, normal(m, d, seed=1) / 2
    value, (grad_queries, grad_keys) = info_nce(Q, K, temperature)
    assert value == pytest.approx(naive_info_nce(Q, K, temperature), rel=1e-12, abs=1e-15)
    numeric = naive.central_gradient(lambda x: naive_info_nce(x, K, temperature), Q)
    np.testing.assert_allclose(grad_queries, numeric, atol=1e-8)
    numeric = naive.central_gradient(lambda x: naive_info_nce(Q, x, temperature), K)
    np.testing.assert_allclose(grad_keys, numeric, atol=1e-8)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 3.0])
@pytest.mark.parametrize(("n", "d"), [(1, 3), (5, 3), (6, 1)])
def test_nt_xent(n, d, temperature):
    A, B = normal(n, d), 3 * normal(n, d, seed=1)
    value, (grad_first, grad_second) = nt_xent(A, B, temperature)
    assert value == pytest.approx(naive_nt_xent(A, B, temperature), rel=1e-12, abs=1e-15)
    numeric = naive.central_gradient(lambda x: naive_nt_xent(x, B, temperature), A, h=1e-5)
    np.testing.assert_allclose(grad_first, numeric, atol=1e-7)
    numeric = naive.central_gradient(lambda x: naive_nt_xent(A, x, temperature), B, h=1e-5)
    np.testing.assert_allclose(grad_second, numeric, atol=1e-7)


@of_floats
def test_nt_xent_of_rows_of_any_length(dtype):
    A, B = normal(4, 3, dtype=dtype), normal(4, 3, seed=1, dtype=dtype)
    value, (grad_first, _) = nt_xent(A, B)
    assert grad_first.dtype == dtype
    for size in (1e30, 1e-30):
        scaled, (gradient, _) = nt_xent(A * dtype(size), B)
        assert scaled == pytest.approx(value, rel=1e-5)
        np.testing.assert_allclose(gradient.astype(float) * size, grad_first, rtol=1e-3, atol=1e-6)
    A[1] = 0
    value, (grad_first, grad_second) = nt_xent(A, B)
    assert value == pytest.approx(naive_nt_xent(A.astype(float), B.astype(float), 0.5), rel=1e-5)
    np.testing.assert_array_equal(grad_first[1], 0)
    assert np.isfinite(grad_first).all()
    assert np.isfinite(grad_second).all()


@pytest.mark.oracle
def test_contrastive_gradients_by_torch():
    torch = pytest.importorskip("torch")
    A, B = (
        torch.tensor(normal(6, 4), requires_grad=True),
        torch.tensor(normal(6, 4, seed=1), requires_grad=True),
    )
    theirs = torch.nn.functional.cross_entropy(A @ B.T / 0.3, torch.arange(6))
    theirs.backward()
    value, gradients = info_nce(A.detach().numpy(), B.detach().numpy(), 0.3)
    assert value == pytest.approx(theirs.item(), rel=1e-12)
    for ours, x in zip(gradients, (A, B), strict=True):
        np.testing.assert_allclose(ours, x.grad.numpy(), atol=1e-13)


# ---------------------------------------------------------------- information


@examples
@given(weights=arrays(np.float64, (2, 7), elements=st.floats(1e-6, 1)))
def test_information_is_that_of_scipy(weights):
    p, q = weights / weights.sum(axis=1, keepdims=True)
    assert entropy(p) == pytest.approx(scipy.stats.entropy(p), rel=1e-12)
    assert kl_divergence(p, q) == pytest.approx(scipy.stats.entropy(p, q), rel=1e-9, abs=1e-14)
    assert cross_entropy(p, q) == pytest.approx(entropy(p) + kl_divergence(p, q), rel=1e-12)
    assert kl_divergence(p, q) >= -1e-15
    assert perplexity(p) == pytest.approx(2 ** entropy(p, unit="bits"), rel=1e-12)


def test_information_by_mpmath():
    p, q = [1e-300, 0.25, 0.75 - 1e-9], [0.5, 1e-200, 0.5]
    exact = [[mpmath.mpf(x) for x in row] for row in (p, q)]
    terms = [(a * mpmath.log(a), a * mpmath.log(b)) for a, b in zip(*exact, strict=True)]
    own, cross = (mpmath.fsum(column) for column in zip(*terms, strict=True))
    assert entropy(p) == pytest.approx(float(-own), rel=1e-14)
    assert cross_entropy(p, q) == pytest.approx(float(-cross), rel=1e-14)
    divergence = own - cross - mpmath.fsum(exact[0]) + mpmath.fsum(exact[1])
    assert kl_divergence(p, q, unit="bits") == pytest.approx(float(divergence / mpmath.log(2)), rel=1e-14)


@of_floats
def test_information_at_zeros(dtype):
    p, q = np.array([[0.5, 0.5, 0], [1, 0, 0]], dtype), np.array([[0.5, 0, 0.5], [0.5, 0.5, 0]], dtype)
    for values, expected in [
        (entropy(p, unit="bits"), [1, 0]),
        (cross_entropy(p, q, unit="bits"), [INF, 1]),
        (kl_divergence(p, q, unit="bits"), [INF, 1]),
        (perplexity(p), [2, 1]),
        (perplexity(p.T, axis=0), [2, 1]),
    ]:
        assert values.dtype == dtype
        np.testing.assert_allclose(values, np.array(expected, dtype), rtol=1e-6)
    assert not np.signbit(entropy(p)).any()
    assert not np.signbit(cross_entropy(p[1:], p[1:])).any()


def test_information_of_many_classes_in_float32_along_any_axis():
    n = 10**6
    p = np.full((n, 3), 1e-6, np.float32)
    for axis, rows in ((0, p), (1, p.T.copy()), (1, p.T)):
        np.testing.assert_allclose(entropy(rows, axis), np.log(n), rtol=1e-6)
        np.testing.assert_allclose(perplexity(rows, axis), n, rtol=1e-5)
        np.testing.assert_allclose(cross_entropy(rows, rows, axis), np.log(n), rtol=1e-6)
        np.testing.assert_allclose(kl_divergence(rows, 2 * rows, axis), 1 - np.log(2), rtol=1e-6)


@of_floats
def test_divergence_is_never_negative(dtype):
    """Near equality, the sums of p and of q differ by more than the divergence."""
    close = kl_divergence(np.array([0.5, 0.5], dtype), np.array([0.5001, 0.4999], dtype))
    assert close.dtype == dtype
    assert close == pytest.approx(2e-8, rel=1e-3)
    p = softmax(normal(2000, 6, dtype=dtype))
    for times in (0, 1, 3, 1000):
        q = p * (1 + times * np.finfo(dtype).eps * normal(2000, 6, seed=1, dtype=dtype))
        found = kl_divergence(p, q)
        assert (found >= 0).all()
        assert found.max() <= 1e-15 + 100 * (times * np.finfo(dtype).eps) ** 2
    np.testing.assert_array_equal(kl_divergence(p, p), 0)


def test_maximum_likelihood_is_minimum_divergence():
    """The mean log loss of labels is the divergence from their frequencies plus a constant."""
    labels, models = np.array([0, 0, 0, 1, 2, 2]), softmax(normal(50, 3))
    seen = np.bincount(labels) / 6
    losses = -np.log(models[:, labels]).mean(axis=1)
    divergences = kl_divergence(np.broadcast_to(seen, models.shape), models)
    np.testing.assert_allclose(losses - divergences, entropy(seen), rtol=1e-12)


# ---------------------------------------------------------------- bad input

X = np.ones((3, 2))
WRONG = [
    (lambda: attention(X, np.ones((3, 4)), X), ValueError, "queries has 2 features and keys 4"),
    (lambda: attention(X, X, np.ones((4, 2))), ValueError, "keys has 3 rows and values 4"),
    (lambda: attention([1, 2], X, X), ValueError, r"queries has shape \(2,\): pass at least two axes"),
    (lambda: attention(np.ones((2, 3, 2)), np.ones((4, 3, 2)), X), ValueError, "leading axes that broadcast"),
    (lambda: attention(X, X, X, scale=INF), ValueError, "scale=inf: pass a finite number"),
    (lambda: attention(X, X, X, scale="x"), ValueError, "scale='x': pass a finite number, or None"),
    (lambda: attention(X, X, X, scale=[1, 2]), ValueError, r"scale=\[1, 2\]: pass a finite number"),
    (lambda: attention(X, np.ones((0, 2)), np.ones((0, 2))), ValueError, "keys has 0 rows"),
    (lambda: segment_softmax([1, 2], [0]), ValueError, r"segments has shape \(1,\) and scores \(2,\)"),
    (lambda: segment_softmax([1, 2], [0, -1]), ValueError, "segments has -1: pass ids that are not negative"),
    (lambda: segment_softmax([1, 2], [0, 2], 2), ValueError, "segments has 2: pass ids from 0 to 1"),
    (lambda: segment_softmax([1, 2], [0.0, 1]), TypeError, "segments has dtype float64: pass integers"),
    (lambda: policy_log_probability(X, [0, 1, 2]), ValueError, "actions has 2: pass integers from 0 to 1"),
    (lambda: policy_score_function(X, [0]), ValueError, "pass one action a row"),
    (lambda: policy_score_function(X, [0.0, 1, 1]), TypeError, "actions has dtype float64"),
    (lambda: info_nce(X, X[:2]), ValueError, "a key for each query"),
    (lambda: info_nce(X, X, temperature=0), ValueError, "temperature=0"),
    (lambda: nt_xent(X, X[:2]), ValueError, r"first has shape \(3, 2\) and second \(2, 2\)"),
    (lambda: nt_xent(X[0], X[0]), ValueError, r"first has shape \(2,\): pass rows"),
    (lambda: entropy([0.5, -0.5]), ValueError, "p has -0.5: pass probabilities"),
    (lambda: entropy([0.5, 0.5], unit="bans"), ValueError, "unit='bans': pass one of 'nats', 'bits'"),
    (lambda: kl_divergence([1, 0], [1, 0, 0]), ValueError, r"p has shape \(2,\) and q \(3,\)"),
    (lambda: cross_entropy([1, 0], [np.nan, 1]), ValueError, "q has nan"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ---------------------------------------------------------------- edges


def test_segments_may_have_any_ids():
    ids = np.array([2**64 - 1, 0, 2**64 - 1], np.uint64)
    np.testing.assert_allclose(segment_softmax([0.0, 1.0, 0.0], ids), [0.5, 1, 0.5])
    for wrong in ("a", 0, 1.5):
        with pytest.raises(ValueError, match=r"n_segments=.*integer above 0"):
            segment_softmax([0.0, 1.0], [0, 0], wrong)


def test_long_segments_keep_the_digits_of_float32():
    n = 2_000_000
    p = segment_softmax(np.zeros(n, np.float32), np.zeros(n, int))
    np.testing.assert_allclose(p, 1 / n, rtol=1e-6)


def test_segments_of_uneven_float32_scores_by_float64():
    rng = np.random.default_rng(0)
    f, ids = (8 * rng.standard_normal(300_000)).astype(np.float32), rng.integers(8, size=300_000)
    p = segment_softmax(f, ids)
    np.testing.assert_allclose(p, segment_softmax(f.astype(np.float64), ids), rtol=4e-6)
    # rounding of the divisor and of the quotients; sums in float32 are off by more
    sums = np.bincount(ids, weights=p)
    np.testing.assert_allclose(sums, 1, atol=np.finfo(np.float32).eps)


def test_a_row_of_nan_is_no_row_of_zeros():
    value, (gradient, _) = nt_xent([[np.nan, 1.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
    assert np.isnan(value)
    assert np.isnan(gradient).any()
