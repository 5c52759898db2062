"""Metrics of probabilities: by hand, compared with scikit-learn, and with loops over the rows."""

import importlib.util
import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from linclf.functional import softmax
from linclf.metrics import (
    brier_decomposition,
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
    log_loss,
    maximum_calibration_error,
    reliability_curve,
)

METRICS = {
    "log_loss": log_loss,
    "brier_score": brier_score,
    "ece": expected_calibration_error,
    "mce": maximum_calibration_error,
    "classwise": classwise_calibration_error,
}
BINNED = {
    "ece": expected_calibration_error,
    "mce": maximum_calibration_error,
    "classwise": classwise_calibration_error,
    "decomposition": brier_decomposition,
    "curve": reliability_curve,
}


def forecasts(seed, n=200, K=4, decimals=None):
    """Overconfident probabilities for random labels, and integer weights including zeros.

    Rounded probabilities have ties, and values on the edges of bins.
    """
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, K))
    y = np.array([rng.choice(K, p=p) for p in softmax(logits)])
    y[:K] = np.arange(K)
    P = softmax(2 * logits)
    if decimals is not None:
        P = np.round(P, decimals)
        P[:, 0] = np.round(1 - P[:, 1:].sum(axis=1), decimals)
        keep = P[:, 0] >= 0
        keep[:K], P[:K] = True, np.eye(K)
        y, P = y[keep], P[keep]
    weights = rng.integers(0, 4, len(y)).astype(float)
    weights[:K] = 1
    return y, P, weights


# ---------------------------------------------------------------- loops over the rows


def naive_bins(values, weights, n_bins, strategy):
    """Lists of rows, without rows of weight 0."""
    rows = [i for i in range(len(values)) if weights[i] > 0]
    if strategy == "uniform":
        bins = [[i for i in rows if b / n_bins < values[i] <= (b + 1) / n_bins] for b in range(n_bins)]
        bins[0] += [i for i in rows if values[i] == 0]
        return bins
    total = math.fsum(weights[i] for i in rows)
    groups, wanted = [[]], 1
    for value in sorted({values[i] for i in rows}):
        groups[-1] += [i for i in rows if values[i] == value]
        reached = math.fsum(weights[i] for group in groups for i in group)
        if reached * n_bins >= wanted * total * (1 - 1e-12):
            while reached * n_bins >= wanted * total * (1 - 1e-12):
                wanted += 1
            groups.append([])
    return [group for group in groups if group]


def naive_mean(values, weights, rows):
    return math.fsum(weights[i] * values[i] for i in rows) / math.fsum(weights[i] for i in rows)


def naive_error(events, weights, n_bins, strategy, norm, debiased=False):
    """``events`` are pairs (probabilities, outcomes), one pair per class."""
    terms = []
    for p, true in events:
        for rows in naive_bins(p, weights, n_bins, strategy):
            if rows:
                excess = [p[i] - true[i] for i in range(len(p))]
                n = math.fsum(weights[i] for i in rows)
                gap = abs(naive_mean(excess, weights, rows))
                term = gap**norm if norm < math.inf else gap
                if debiased and n > 1:
                    copies = [excess[i] for i in rows for _ in range(int(weights[i]))]
                    term -= np.var(copies, ddof=1) / n
                terms.append((n / weights.sum() / len(events), 0.0 if debiased and n == 1 else term))
    if norm == math.inf:
        return max(term for _, term in terms)
    return max(math.fsum(share * term for share, term in terms), 0.0) ** (1 / norm)


def top_class(y, P):
    winners = [list(p).index(max(p)) for p in P]
    return [P[i][k] for i, k in enumerate(winners)], [float(k == y[i]) for i, k in enumerate(winners)]


def each_class(y, P):
    return [(P[:, k].tolist(), [float(label == k) for label in y]) for k in range(P.shape[1])]


CASES = [(seed, decimals) for seed in range(3) for decimals in (None, 1)]


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize(("seed", "decimals"), CASES)
def test_errors_are_those_of_the_loops(seed, decimals, strategy):
    y, P, weights = forecasts(seed, decimals=decimals)
    for n_bins in (1, 4, 10, 300):
        for norm, debiased in [(1, False), (2, False), (3.5, False), (np.inf, False), (2, True)]:
            settings = {"n_bins": n_bins, "strategy": strategy, "norm": norm, "debiased": debiased}
            ours = expected_calibration_error(y, P, sample_weight=weights, **settings)
            assert ours == pytest.approx(naive_error([top_class(y, P)], weights, **settings), abs=1e-7)
            ours = classwise_calibration_error(y, P, sample_weight=weights, **settings)
            assert ours == pytest.approx(naive_error(each_class(y, P), weights, **settings), abs=1e-7)
        ours = maximum_calibration_error(y, P, n_bins=n_bins, strategy=strategy, sample_weight=weights)
        expected = naive_error([top_class(y, P)], weights, n_bins, strategy, np.inf)
        assert ours == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize(("seed", "decimals"), CASES)
def test_curve_is_that_of_the_loops(seed, decimals, strategy):
    y, P, weights = forecasts(seed, decimals=decimals)
    for n_bins in (1, 4, 10, 300):
        for column, (p, true) in [(None, top_class(y, P)), *enumerate(each_class(y, P))]:
            curve = reliability_curve(
                y, P, n_bins=n_bins, strategy=strategy, class_of_interest=column, sample_weight=weights
            )
            bins = naive_bins(p, weights, n_bins, strategy)
            assert len(curve.weight) == len(bins) == len(curve.edges) - 1
            for b, rows in enumerate(bins):
                assert curve.weight[b] == sum(weights[i] for i in rows)
                if not rows:
                    assert np.isnan([curve.confidence[b], curve.accuracy[b]]).all()
                    continue
                assert curve.confidence[b] == pytest.approx(naive_mean(p, weights, rows), abs=1e-12)
                assert curve.accuracy[b] == pytest.approx(naive_mean(true, weights, rows), abs=1e-12)
                assert all(curve.edges[b] < p[i] or b == 0 for i in rows)
                assert all(p[i] <= curve.edges[b + 1] for i in rows)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize(("seed", "decimals"), CASES)
def test_proper_scores_and_parts_are_those_of_the_loops(seed, decimals, strategy):
    y, P, weights = forecasts(seed, decimals=decimals)
    n, K = P.shape
    P = 0.99 * P + 0.01 / K
    losses = [-math.log(P[i, y[i]]) for i in range(n)]
    squares = [math.fsum((P[i, k] - (y[i] == k)) ** 2 for k in range(K)) for i in range(n)]
    assert log_loss(y, P, sample_weight=weights) == pytest.approx(naive_mean(losses, weights, range(n)))
    score = brier_score(y, P, sample_weight=weights)
    assert score == pytest.approx(naive_mean(squares, weights, range(n)))
    for n_bins in (1, 4, 10, 300):
        parts = brier_decomposition(y, P, n_bins=n_bins, strategy=strategy, sample_weight=weights)
        calibration = refinement = grouped = 0.0
        for p, true in each_class(y, P):
            for rows in filter(None, naive_bins(p, weights, n_bins, strategy)):
                share = sum(weights[i] for i in rows) / weights.sum()
                mean, hit = naive_mean(p, weights, rows), naive_mean(true, weights, rows)
                calibration += share * (mean - hit) ** 2
                refinement += share * hit * (1 - hit)
                grouped += share * naive_mean([(mean - t) ** 2 for t in true], weights, rows)
        assert parts.calibration == pytest.approx(calibration, abs=1e-12)
        assert parts.refinement == pytest.approx(refinement, abs=1e-12)
        assert parts.calibration + parts.refinement == pytest.approx(grouped, abs=1e-12)
        assert sum(parts) == pytest.approx(score, abs=1e-12)
        classwise = classwise_calibration_error(
            y, P, n_bins=n_bins, strategy=strategy, norm=2, sample_weight=weights
        )
        assert parts.calibration == pytest.approx(K * classwise**2, abs=1e-12)


# ---------------------------------------------------------------- by hand

FIVE = np.array([[0.6, 0.4], [0.3, 0.7], [0.1, 0.9], [0.2, 0.8], [0.5, 0.5]])
NAMES = ["no", "no", "yes", "yes", "yes"]


def test_by_hand():
    # confidences: .6 correct, .7 wrong, .9 correct, .8 correct, .5 (a tie: "no") wrong
    curve = reliability_curve(NAMES, FIVE, n_bins=4)
    np.testing.assert_allclose(curve.confidence, [np.nan, 0.5, 0.65, 0.85])
    np.testing.assert_allclose(curve.accuracy, [np.nan, 0, 0.5, 1])
    np.testing.assert_array_equal(curve.weight, [0, 1, 2, 2])
    np.testing.assert_array_equal(curve.edges, [0, 0.25, 0.5, 0.75, 1])
    gaps = np.array([0.5, 0.15, 0.15])
    shares = np.array([0.2, 0.4, 0.4])
    errors = {1: shares @ gaps, 2: np.sqrt(shares @ gaps**2), np.inf: 0.5}
    for norm, error in errors.items():
        assert expected_calibration_error(NAMES, FIVE, n_bins=4, norm=norm) == pytest.approx(error)
    assert maximum_calibration_error(NAMES, FIVE, n_bins=4) == pytest.approx(0.5)
    # bins of "yes": .4 no | .7 no | .9 yes, .8 yes | .5 yes with .4
    curve = reliability_curve(NAMES, FIVE, n_bins=4, class_of_interest="yes")
    np.testing.assert_allclose(curve.confidence, [np.nan, 0.45, 0.7, 0.85])
    np.testing.assert_allclose(curve.accuracy, [np.nan, 0.5, 0, 1])
    assert brier_score(NAMES, FIVE) == pytest.approx(2 * (0.16 + 0.49 + 0.01 + 0.04 + 0.25) / 5)
    assert log_loss(NAMES, FIVE) == pytest.approx(-np.log(0.6 * 0.3 * 0.9 * 0.8 * 0.5) / 5)


def test_bins_are_open_on_the_left_and_zero_is_in_the_first():
    p = np.array([0.0, 0.2, 0.2 + 1e-12, 0.4, 7 / 15, 1.0])
    y = [0, 0, 1, 0, 1, 1]
    for n_bins in (5, 15):
        curve = reliability_curve(y, p, n_bins=n_bins, class_of_interest=1)
        for b in range(n_bins):
            expected = (p > b / n_bins) & (p <= (b + 1) / n_bins)
            expected[0] = b == 0
            assert curve.weight[b] == expected.sum()


def test_quantile_bins_keep_ties_together():
    p, y = np.array([0.1, 0.2, 0.2, 0.2, 0.2, 0.9]), [0, 0, 1, 0, 0, 1]
    curve = reliability_curve(y, p, n_bins=3, strategy="quantile", class_of_interest=1)
    np.testing.assert_array_equal(curve.weight, [5, 1])
    np.testing.assert_array_equal(curve.edges, [0, 0.2, 1])
    curve = reliability_curve(y, p, n_bins=100, strategy="quantile", class_of_interest=1)
    np.testing.assert_array_equal(curve.weight, [1, 4, 1])
    curve = reliability_curve(y, p, n_bins=3, strategy="quantile", class_of_interest=0)
    np.testing.assert_array_equal(curve.weight, [5, 1])  # .1 and the four of .8
    constant = np.full(6, 0.3)
    assert reliability_curve(y, constant, strategy="quantile").weight.tolist() == [6]
    zeros = np.array([0.0, 0.0, 0.0, 0.5, 0.6, 0.7])
    curve = reliability_curve(y, zeros, n_bins=2, strategy="quantile", class_of_interest=1)
    np.testing.assert_allclose(curve.accuracy, [1 / 3, 1 / 3])


def test_quantile_bins_of_fractional_weights():
    """By rounding, the running sum of twelve weights of 0.1 falls short of a sixth of their sum."""
    p, y = (np.arange(12) + 0.5) / 12, [0, 1] * 6
    curve = reliability_curve(
        y, p, n_bins=6, strategy="quantile", class_of_interest=1, sample_weight=np.full(12, 0.1)
    )
    np.testing.assert_allclose(curve.weight, 0.2)


def test_a_true_class_of_probability_zero_is_infinitely_bad():
    P = np.array([[0.0, 1.0], [0.5, 0.5]])
    assert log_loss([0, 1], P) == np.inf
    assert log_loss([1, 0], P) == pytest.approx(np.log(2) / 2)
    assert log_loss([0, 1], P, sample_weight=[0, 1], labels=[0, 1]) == pytest.approx(np.log(2))
    assert math.copysign(1, log_loss([0, 1], np.eye(2))) == 1
    for p in (1e-30, 1e-300):  # scikit-learn clips these too
        assert log_loss([0, 1], [[p, 1.0], [0.5, 0.5]]) == pytest.approx((np.log(2) - np.log(p)) / 2)


def test_large_norms_do_not_underflow():
    P = np.tile([0.52, 0.48], (50, 1))
    y = np.arange(50) % 2
    assert expected_calibration_error(y, P, norm=1000) == pytest.approx(0.02)
    assert expected_calibration_error(np.arange(2), np.eye(2), norm=3) == 0


def test_within_bins_is_zero_for_one_value_a_bin():
    y, p = np.array([0, 1, 1, 0, 1, 1, 0, 1]), np.array([0.1, 0.1, 0.3, 0.3, 0.3, 0.9, 0.9, 0.9])
    parts = brier_decomposition(y, p, n_bins=10)
    assert parts.within_bins == pytest.approx(0, abs=1e-15)
    hits = {0.1: 1 / 2, 0.3: 2 / 3, 0.9: 2 / 3}
    n = {0.1: 2, 0.3: 3, 0.9: 3}
    assert parts.calibration == pytest.approx(2 * sum(n[v] * (v - hits[v]) ** 2 for v in n) / 8)
    assert parts.refinement == pytest.approx(2 * sum(n[v] * hits[v] * (1 - hits[v]) for v in n) / 8)


def test_debiased_is_the_formula_of_the_paper_where_confidences_are_equal():
    """Kumar, Liang & Ma: sum_b w_b ((s_b - y_b)^2 - y_b (1 - y_b) / (n_b - 1))."""
    n, right = np.array([10, 20, 5]), np.array([2, 15, 1])
    s, hit = np.array([0.55, 0.7, 0.95]), np.array([2, 15, 1]) / [10, 20, 5]
    p = np.repeat(s, n)
    y = np.concatenate([np.arange(size) < k for size, k in zip(n, right, strict=True)]).astype(int)
    square = n @ ((s - hit) ** 2 - hit * (1 - hit) / (n - 1)) / n.sum()
    ours = expected_calibration_error(y, p, n_bins=10, norm=2, debiased=True)
    assert ours == pytest.approx(np.sqrt(square))


def test_a_negative_debiased_square_counts_as_zero():
    """Half of the rows are correct, as predicted: a difference of 0, minus its expected square."""
    assert expected_calibration_error([0, 1, 0, 1], np.full(4, 0.5), norm=2, debiased=True) == 0


# ---------------------------------------------------------------- against scikit-learn


@pytest.mark.parametrize("seed", range(3))
def test_equals_scikit_learn(seed):
    y, P, weights = forecasts(seed)
    names = np.array(["d", "a", "c", "b"])[y]
    by_name = P[:, [1, 3, 2, 0]]
    for w in (None, weights):
        expected = sklearn.metrics.log_loss(names, by_name, sample_weight=w)
        assert log_loss(names, by_name, sample_weight=w) == pytest.approx(expected, rel=1e-12)
        expected = brier_score_loss(names, by_name, sample_weight=w, scale_by_half=False)
        assert brier_score(names, by_name, sample_weight=w) == pytest.approx(expected, rel=1e-12)
    some = np.flatnonzero(y != 2)
    expected = sklearn.metrics.log_loss(y[some], P[some], labels=range(4))
    assert log_loss(y[some], P[some], labels=range(4)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_equals_scikit_learn_for_two_classes(seed):
    y, P, weights = forecasts(seed, n=400, K=2)
    p = P[:, 1]
    for q in (p, P):
        expected = 2 * brier_score_loss(y, p, sample_weight=weights)
        assert brier_score(y, q, sample_weight=weights) == pytest.approx(expected, rel=1e-12)
        expected = sklearn.metrics.log_loss(y, p, sample_weight=weights)
        assert log_loss(y, q, sample_weight=weights) == pytest.approx(expected, rel=1e-12)
        for strategy in ("uniform", "quantile"):
            share, mean = calibration_curve(y, p, n_bins=20, strategy=strategy)
            curve = reliability_curve(y, q, n_bins=20, strategy=strategy, class_of_interest=1)
            filled = curve.weight > 0
            np.testing.assert_allclose(curve.accuracy[filled], share, atol=1e-12)
            np.testing.assert_allclose(curve.confidence[filled], mean, atol=1e-12)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "percent"),
    [
        ("wideresnet-16-4-cifar-10", 5.4),
        ("lenet-5-cifar-10", 10.8),
        ("densenet-bc-100-cifar-100", 14.2),
        ("wideresnet-16-4-cifar-100", 5.8),
        ("lenet-5-cifar-100", 1.5),
    ],
)
def test_published_errors_of_networks(data_folder, name, percent):
    spec = importlib.util.spec_from_file_location("load", data_folder / "load.py")
    load = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(load)
    logits, y = load.network_logits(name)
    assert 100 * expected_calibration_error(y, softmax(logits)) == pytest.approx(percent, abs=0.05)


# ---------------------------------------------------------------- statistics


def drawn(rng, n, stated, true):
    """Two-class rows: p from ``stated``, and the second class with probability ``true(p)``."""
    p = rng.choice(stated, n) if isinstance(stated, np.ndarray) else stated(rng, n)
    return (rng.random(n) < true(p)).astype(int), p


def test_calibrated_forecasts_have_small_errors():
    """Labels drawn from the predicted probabilities.

    A gap in a bin of n_b rows has a standard deviation of at most 1 / (2 sqrt(n_b)), so by Jensen
    the expected ECE is at most sqrt(B / n) / 2 = 0.0061 for B = 15, n = 100,000. As a mean over bins
    it hardly varies, and the test doubles the bound.
    """
    rng = np.random.default_rng(0)
    P = softmax(2 * rng.normal(size=(100_000, 4)))
    y = (P.cumsum(axis=1) < rng.random((len(P), 1))).sum(axis=1).clip(0, 3)
    for strategy in ("uniform", "quantile"):
        assert expected_calibration_error(y, P, strategy=strategy) < 0.0122
        assert classwise_calibration_error(y, P, strategy=strategy) < 0.0122
        # the last square is at most 2 * 15 / (4 n), with noise as large; so the root is bounded
        assert expected_calibration_error(y, P, strategy=strategy, norm=2, debiased=True) < 0.0122
        assert brier_decomposition(y, P, strategy=strategy).calibration < 4 * 0.0122**2
    overconfident = softmax(2 * np.log(P))
    assert expected_calibration_error(y, overconfident) > 0.1


@pytest.mark.parametrize("classwise", [False, True])
def test_the_debiased_square_is_unbiased(classwise):
    """p is uniform in (0.6, 0.9), and y is 1 with probability p - 0.3, so each bin is off by 0.3.

    The true square is 0.09, and its noise is too small for a sum below 0, which would be cut. The
    plug-in estimate is too large by about the number of bins times the variance over n, 4 * 0.24 / 80.
    The mean of 2,000 samples must be within five standard errors of the truth (a chance of 6e-7 to
    fail), and the plug-in estimate must not.
    """
    rng = np.random.default_rng(1)
    metric = classwise_calibration_error if classwise else expected_calibration_error
    squares = {False: [], True: []}
    for _ in range(2000):
        y, p = drawn(rng, 80, lambda rng, n: rng.uniform(0.6, 0.9, n), lambda p: p - 0.3)
        for debiased in squares:
            squares[debiased].append(metric(y, p, n_bins=10, norm=2, debiased=debiased, labels=[0, 1]) ** 2)
    assert min(squares[True]) > 0
    five = {key: 5 * np.std(values) / np.sqrt(2000) for key, values in squares.items()}
    # each of the three bins has two rows, except with a probability of 80 (2/3)^80
    assert abs(np.mean(squares[True]) - 0.09) < five[True]
    assert np.mean(squares[False]) - 0.09 > five[False]


# ---------------------------------------------------------------- invariances


@settings(max_examples=60, deadline=None)
@given(data=st.data(), strategy=st.sampled_from(["uniform", "quantile"]), n_bins=st.integers(1, 12))
def test_weights_are_copies(data, strategy, n_bins):
    """A weight of k is k copies, 0 is no row; multiples of 1/8 give ties and values on edges."""
    K = data.draw(st.integers(2, 4))
    cuts = data.draw(
        st.lists(st.lists(st.integers(0, 8), min_size=K - 1, max_size=K - 1), min_size=1, max_size=12)
    )
    P = np.array([np.diff([0, *sorted(row), 8]) for row in cuts]) / 8
    n = len(P)
    y = np.array(data.draw(st.lists(st.integers(0, K - 1), min_size=n, max_size=n)))
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    weights[0] = max(weights[0], 1)
    copies = np.repeat(np.arange(n), weights)
    both = [(y, P, weights), (y[copies], P[copies], None)]
    settings = {"labels": range(K)}
    binning = {**settings, "n_bins": n_bins, "strategy": strategy}
    calls = [
        lambda y, P, w: log_loss(y, P, sample_weight=w, **settings),
        lambda y, P, w: brier_score(y, P, sample_weight=w, **settings),
        lambda y, P, w: maximum_calibration_error(y, P, sample_weight=w, **binning),
        lambda y, P, w: brier_decomposition(y, P, sample_weight=w, **binning),
        lambda y, P, w: np.concatenate(reliability_curve(y, P, sample_weight=w, **binning)),
    ]
    for metric in (expected_calibration_error, classwise_calibration_error):
        for norm in (1, 2, np.inf):
            calls.append(lambda y, P, w, m=metric, q=norm: m(y, P, sample_weight=w, norm=q, **binning))
        # the root turns a rounding error of 1e-16 into 1e-8
        calls.append(
            lambda y, P, w, m=metric: m(y, P, sample_weight=w, norm=2, debiased=True, **binning) ** 2
        )
    for call in calls:
        ours, expected = (call(*arguments) for arguments in both)
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_order_of_rows_and_classes_does_not_matter(strategy):
    y, P, weights = forecasts(3)
    names = np.array(["d", "a", "c", "b"])
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(len(y)), rng.permutation(4)
    for name, metric in (METRICS | BINNED).items():
        settings = {"strategy": strategy} if name in BINNED else {}
        expected = metric(names[y], P, labels=names, sample_weight=weights, **settings)
        moved = metric(
            names[y][rows],
            P[rows][:, columns],
            labels=names[columns],
            sample_weight=weights[rows],
            **settings,
        )
        moved, expected = (
            np.hstack(parts if name in ("curve", "decomposition") else [parts]) for parts in (moved, expected)
        )
        np.testing.assert_allclose(moved, expected, rtol=1e-9, atol=1e-12)


def test_classes_that_y_lacks_count():
    P = np.array([[0.5, 0.3, 0.2], [0.5, 0.2, 0.3]])
    ours = classwise_calibration_error(["a", "b"], P, labels=["a", "b", "c"], n_bins=1)
    assert ours == pytest.approx((0 + 0.25 + 0.25) / 3)
