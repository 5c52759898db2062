"""Labels and the one-hot probabilities of the same labels give the same answers."""

import numpy as np
import pytest
from scipy import sparse

from linclf._data.targets import Labels, Probabilities

N, K = 40, 5
rng = np.random.default_rng(0)
INDEX = rng.integers(0, K, N)
WEIGHTS, PER_CLASS = rng.uniform(0.1, 2, N), rng.uniform(0.5, 3, K)
LABELS, ONE_HOT = Labels(INDEX, K), Probabilities(np.eye(K)[INDEX])
SOFT = Probabilities(rng.dirichlet(np.ones(K), N))


def test_what_they_are():
    assert (LABELS.soft, ONE_HOT.soft) == (False, True)
    for y in (LABELS, ONE_HOT):
        assert (y.n_rows, y.n_classes) == (N, K)
        assert y.certain
        np.testing.assert_array_equal(y.most_probable, INDEX)
    assert LABELS.array is INDEX
    assert ONE_HOT.array is ONE_HOT.p
    assert not SOFT.certain


@pytest.mark.parametrize(
    "answer",
    [
        lambda y: y.mass(WEIGHTS),
        lambda y: y.balanced(WEIGHTS),
        lambda y: y.expected(PER_CLASS),
    ],
    ids=["mass", "balanced", "expected"],
)
def test_sums_over_classes_agree(answer):
    np.testing.assert_allclose(answer(LABELS), answer(ONE_HOT), rtol=1e-13)


def test_balanced_classes_weigh_the_same():
    for y in (LABELS, ONE_HOT, SOFT):
        np.testing.assert_allclose(y.balanced(WEIGHTS) * y.mass(WEIGHTS), WEIGHTS.sum() / K, rtol=1e-13)


def test_indicators_agree():
    found = LABELS.indicator(WEIGHTS)
    assert sparse.issparse(found)
    np.testing.assert_array_equal(found.toarray(), ONE_HOT.indicator(WEIGHTS))


def test_copies_agree():
    for mine, theirs in zip(LABELS.copies(), ONE_HOT.copies(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    rows, classes, shares = SOFT.copies()
    np.testing.assert_array_equal(SOFT.p[rows, classes], shares)
    np.testing.assert_allclose(np.bincount(rows, shares), 1, rtol=1e-13)


@pytest.mark.parametrize("ids", [np.array([7, 3, 3, 0]), slice(5, 9), np.zeros(0, np.int64)], ids=str)
def test_taken_rows_agree(ids):
    labels, one_hot = LABELS.take(ids), ONE_HOT.take(ids)
    assert (type(labels), type(one_hot)) == (Labels, Probabilities)
    np.testing.assert_array_equal(labels.most_probable, one_hot.most_probable)
    np.testing.assert_array_equal(labels.most_probable, INDEX[ids])
    assert labels.n_classes == one_hot.n_classes == K


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_casts_keep_the_classes(dtype):
    by_columns = Probabilities(np.asfortranarray(ONE_HOT.p))
    cast = by_columns.cast(np.dtype(dtype))
    assert cast.p.dtype == dtype
    assert cast.p.flags.c_contiguous
    np.testing.assert_array_equal(cast.most_probable, LABELS.cast(np.dtype(dtype)).most_probable)
    assert LABELS.cast(np.dtype(dtype)).array.dtype == np.int64
