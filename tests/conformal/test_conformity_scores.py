"""LAC, APS and RAPS: worked by hand, against loops, and the random number of a row."""

import numpy as np
import pytest
from given_probabilities import drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from sklearn.utils._param_validation import InvalidParameterError

from linclf.conformal import APS, LAC, RAPS
from linclf.conformal._names import score_for, taxonomy_for
from linclf.conformal._uniforms import uniforms

P = np.array([[0.1, 0.6, 0.3], [0.25, 0.25, 0.5]])


def in_loops(score, p, seed):
    """The definition, one class after the other."""
    u = uniforms(p, seed)
    found = np.empty(p.shape)
    for i, row in enumerate(p):
        for k, own in enumerate(row):
            better = [other for other in row if other > own]
            others = [other for other in row if other <= own]
            if isinstance(score, LAC):
                found[i, k] = -own
                continue
            found[i, k] = u[i] * own - sum(others)
            if isinstance(score, RAPS):
                found[i, k] += score.penalty * max(len(better) + 1 - score.k_reg, 0)
    return found


def test_by_hand():
    np.testing.assert_array_equal(LAC().of_classes(P, 0), -P)
    u = uniforms(P, 0)
    # in the second row, the equal classes do not count for each other
    above, own = [[0.9, 0.0, 0.6], [0.5, 0.5, 0.0]], [[0.1, 0.6, 0.3], [0.25, 0.25, 0.5]]
    aps = np.array(above) + u[:, None] * own - 1
    np.testing.assert_allclose(APS().of_classes(P, 0), aps, atol=1e-15)
    penalties = np.array([[0.4, 0.0, 0.2], [0.2, 0.2, 0.0]])  # ranks 3, 1, 2, and 2, 2, 1
    np.testing.assert_allclose(RAPS(penalty=0.2, k_reg=1).of_classes(P, 0), aps + penalties, atol=1e-15)


@given(st.integers(1, 12), st.integers(2, 9), st.sampled_from([np.float32, np.float64]), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_against_loops(n, n_classes, dtype, seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, size=(n, n_classes)) + np.eye(n_classes)[rng.integers(n_classes, size=n)]
    p = (counts / counts.sum(axis=1, keepdims=True)).astype(dtype)  # many are equal, many are 0
    for score in (LAC(), APS(), RAPS(), RAPS(penalty=1.0, k_reg=0)):
        found = score.of_classes(p, seed)
        np.testing.assert_allclose(found, in_loops(score, p, seed), rtol=1e-5, atol=1e-6)


def test_small_probabilities_keep_their_digits():
    p = np.array([[1.0, 1e-30, 1e-40, 0.0]])
    u = uniforms(p, 0)[0]
    for score in (APS(), RAPS(penalty=0.0)):
        np.testing.assert_allclose(score.of_classes(p, 0), [[u - 1, (u - 1) * 1e-30, (u - 1) * 1e-40, 0]])
    assert LAC().of_classes(p, 0)[0, 2] == -1e-40


def test_scores_do_not_depend_on_the_order_of_the_classes():
    p, _ = drawn(20, 6, np.random.default_rng(0))
    p[:, 1] = p[:, 4]
    order = np.random.default_rng(1).permutation(6)
    penalties = RAPS(penalty=0.3, k_reg=2).of_classes(p, 0) - APS().of_classes(p, 0)
    moved = RAPS(penalty=0.3, k_reg=2).of_classes(p[:, order], 0) - APS().of_classes(p[:, order], 0)
    np.testing.assert_allclose(penalties[:, order], moved, atol=1e-12)
    np.testing.assert_array_equal(penalties[:, 1], penalties[:, 4])


@pytest.mark.parametrize("n_classes", [2, 7, 300])
def test_random_numbers_are_uniform_and_independent_of_the_probabilities(n_classes):
    p, y = drawn(20_000, n_classes, np.random.default_rng(0))
    u = uniforms(p, 3)
    assert kstest(u, "uniform").pvalue > 0.001
    for other in (p.max(axis=1), p[np.arange(len(y)), y], uniforms(p, 4), np.roll(u, 1)):
        assert abs(np.corrcoef(u, other)[0, 1]) < 4 / np.sqrt(len(u))


def test_random_numbers_depend_on_the_row_and_the_seed_alone():
    p, _ = drawn(50, 5, np.random.default_rng(0))
    u = uniforms(p, 0)
    np.testing.assert_array_equal(u[::-1], uniforms(p[::-1], 0))
    np.testing.assert_array_equal(u[[7]], uniforms(p[[7]], 0))
    np.testing.assert_array_equal(u, uniforms(p.astype(np.float32), 0))
    assert (u != uniforms(p, 1)).all()
    almost = np.nextafter(p.astype(np.float32), 1)  # as if in another block of BLAS
    assert np.mean(u == uniforms(almost, 0)) > 0.9


@pytest.mark.parametrize(
    ("score", "fault", "message"),
    [
        ("LAC", ValueError, r"conformity_score='LAC' is unknown; use one of \['aps', 'lac', 'raps'\]"),
        (APS, TypeError, r"is a class; pass an object, APS\(\)"),
        (3, TypeError, r"conformity_score=3: use one of .* or an object with of_classes\(p, seed\)"),
        (RAPS(penalty=-1), InvalidParameterError, "The 'penalty' parameter of RAPS must be"),
        (RAPS(k_reg="5"), InvalidParameterError, "The 'k_reg' parameter of RAPS must be"),
    ],
)
def test_scores_that_are_none(score, fault, message):
    with pytest.raises(fault, match=message):
        score_for(score)


def test_taxonomies_that_are_none():
    with pytest.raises(ValueError, match=r"taxonomy='mondrian' is unknown; use one of \['class', 'cluster'"):
        taxonomy_for("mondrian")
