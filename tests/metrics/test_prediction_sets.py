"""Metrics of prediction sets: by hand, against loops, and what is refused."""

import numpy as np
import pytest
from scipy import sparse

from linclf.metrics import class_coverage_gap, mean_set_size, set_coverage, size_stratified_coverage

Y = np.array(["a", "a", "b", "c", "c", "c"])
SETS = np.array(
    [[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]], bool
)  # covered: 1 0 1 1 1 0


def test_by_hand():
    assert set_coverage(Y, SETS) == pytest.approx(4 / 6)
    assert mean_set_size(SETS) == pytest.approx(9 / 6)
    # sizes 1 2 2 1 3 0: at most 1: 2 of 3; at most 2: 1 of 2; more: 1 of 1
    assert size_stratified_coverage(Y, SETS, edges=(1, 2)) == 0.5
    assert size_stratified_coverage(Y, SETS, edges=()) == pytest.approx(4 / 6)
    # of a half, of b all, of c two thirds
    assert class_coverage_gap(Y, SETS, 0.8) == pytest.approx((0.3 + 0.2 + 0.8 - 2 / 3) / 3)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.coo_array, sparse.csc_matrix, np.ndarray.tolist])
def test_forms(make):
    for metric in (set_coverage, size_stratified_coverage):
        assert metric(Y, make(SETS)) == metric(Y, SETS)
    assert mean_set_size(make(SETS.astype(int))) == 1.5


def test_stored_zeros_and_duplicates_do_not_count():
    sets = sparse.csr_array((np.array([1, 0, 1, 1]), np.array([0, 1, 2, 2]), np.array([0, 2, 4])), (2, 3))
    assert mean_set_size(sets) == 1
    assert set_coverage([1, 2], sets, labels=[0, 1, 2]) == 0.5
    assert sets.nnz == 4  # unchanged


def test_weights_are_copies():
    weights = np.array([3, 1, 0, 2, 1, 1])
    rows = np.repeat(np.arange(6), weights)
    labels = ["a", "b", "c"]
    for metric in (set_coverage, size_stratified_coverage):
        assert metric(Y, SETS, labels=labels, sample_weight=weights) == metric(
            Y[rows], SETS[rows], labels=labels
        )
    weighted = class_coverage_gap(Y, SETS, 0.8, labels=labels, sample_weight=weights)
    assert weighted == pytest.approx(class_coverage_gap(Y[rows], SETS[rows], 0.8, labels=labels))
    assert mean_set_size(SETS, sample_weight=weights) == mean_set_size(SETS[rows])


def test_columns_in_another_order():
    assert set_coverage(Y, SETS[:, [2, 0, 1]], labels=["c", "a", "b"]) == set_coverage(Y, SETS)


def test_against_mapie():
    mapie = pytest.importorskip("mapie.metrics.classification")
    rng = np.random.default_rng(0)
    sets, y = rng.uniform(size=(300, 5)) < 0.4, rng.integers(5, size=300)
    assert set_coverage(y, sets) == pytest.approx(mapie.classification_coverage_score(y, sets[:, :, None])[0])
    assert mean_set_size(sets) == pytest.approx(mapie.classification_mean_width_score(sets[:, :, None])[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: set_coverage(Y[:5], SETS), "y_true has 5 rows and sets 6"),
        (lambda: set_coverage([], np.zeros((0, 3))), "one at least"),
        (lambda: set_coverage(Y, SETS[:, :2]), "y_true has 3 classes and sets is of 2"),
        (lambda: set_coverage(Y, SETS * 0.5), r"sets has the entry 0\.5: pass True or 1"),
        (lambda: set_coverage(Y, np.full((6, 3), np.nan)), "sets has the entry nan"),
        (lambda: mean_set_size(np.zeros((0, 3))), "sets has 0 rows"),
        (lambda: set_coverage(["a", "b"], SETS[:2]), "y_true has 2 classes and sets is of 3; pass labels"),
        (lambda: mean_set_size([1, 0]), r"sets has shape \(2,\)"),
        (lambda: mean_set_size(np.zeros((2, 3, 1))), r"sets has shape \(2, 3, 1\)"),
        (lambda: size_stratified_coverage(Y, SETS, edges=(3, 1)), r"edges=\(3, 1\) must be increasing"),
        (lambda: class_coverage_gap(Y, SETS, 90), "coverage=90 must lie between"),
        (
            lambda: set_coverage(np.array(["a", "z"]), SETS[:2], labels=list("abc")),
            "'z', which is not in labels",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
