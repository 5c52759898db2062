"""`SetSizeDisplay`: shares and coverage by hand, a conformal classifier, and bad input."""

import matplotlib

matplotlib.use("agg")  # no window is opened
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import sparse
from scipy.stats import binomtest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier
from linclf.conformal import ConformalClassifier
from linclf.display import SetSizeDisplay
from linclf.metrics import mean_set_size, set_coverage, size_stratified_coverage

# sizes 0, 1, 1, 1, 3; the sets of rows 1, 2 and 4 have the true class
SETS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 1, 1]])
Y = np.array(["a", "a", "b", "c", "c"])


def axes():
    return Figure(layout="constrained").subplots()


def test_by_hand():
    for sets in (SETS, SETS == 1, sparse.csr_array(SETS)):
        display = SetSizeDisplay.from_predictions(Y, sets, coverage=0.8, name="mine", ax=axes())
        assert display.labels_ == ["0", "1", "3"]
        np.testing.assert_allclose(display.share_, [1 / 5, 3 / 5, 1 / 5])
        np.testing.assert_allclose(display.coverage_, [0, 2 / 3, 1])
        assert (display.total_coverage_, display.mean_size_) == pytest.approx((3 / 5, 6 / 5))
    interval = binomtest(2, 3).proportion_ci(method="wilson")
    assert (display.low_[1], display.high_[1]) == pytest.approx((interval.low, interval.high))
    assert repr(display) == "<SetSizeDisplay of mine: coverage 0.600, mean size 1.20>"


def test_what_is_drawn():
    display = SetSizeDisplay.from_predictions(Y, SETS, coverage=0.8, name="mine", ax=axes())
    np.testing.assert_allclose([bar.get_height() for bar in display.bars_], display.share_)
    np.testing.assert_allclose(display.points_.lines[0].get_ydata(), display.coverage_)
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["0", "1", "3"]
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["share of the rows", "coverage of these rows; of all 60.0%", "asked for: 0.8"]
    assert [line.get_ydata()[0] for line in display.ax_.lines[-1:]] == [0.8]
    alone = SetSizeDisplay.from_predictions(Y, SETS, ax=axes())
    assert len(alone.ax_.get_legend().get_texts()) == 2


def test_a_weight_is_a_number_of_rows():
    weights = np.array([2, 0, 1, 3, 0])
    weighted = SetSizeDisplay.from_predictions(Y, SETS, sample_weight=weights, ax=axes())
    repeated = SetSizeDisplay.from_predictions(
        Y.repeat(weights), SETS.repeat(weights, axis=0), labels=list("abc"), ax=axes()
    )
    assert weighted.labels_ == repeated.labels_ == ["0", "1"]
    for name in ("share_", "coverage_", "total_coverage_", "mean_size_"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name))
    direct = SetSizeDisplay(SETS.sum(axis=1), [0, 1, 1, 0, 1], sample_weight=weights)
    np.testing.assert_allclose(direct.coverage_, weighted.coverage_)


def test_many_sizes_are_strata():
    sizes = np.arange(40)
    display = SetSizeDisplay(sizes, sizes % 2 == 1)
    assert display.labels_ == ["0", "1", "2-3", "4-10", "11-39"]
    np.testing.assert_allclose(display.share_, np.array([1, 1, 2, 7, 29]) / 40)
    np.testing.assert_allclose(display.coverage_, [0, 1, 1 / 2, 3 / 7, 15 / 29])
    assert SetSizeDisplay(sizes, sizes > 0, edges=[9]).labels_ == ["0-9", "10-39"]
    assert SetSizeDisplay(sizes[:12], sizes[:12] > 0).labels_ == [str(size) for size in range(12)]


def test_a_conformal_classifier():
    X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    y, y_test = (np.array(list("zyxwvutsrq"))[each] for each in (y, y_test))
    model = ConformalClassifier(SoftmaxClassifier(), conformity_score="aps", random_state=0).fit(X, y)
    display = SetSizeDisplay.from_estimator(model, X_test, y_test, coverage=0.95, ax=axes())
    sets = model.predict_set(X_test, 0.95)
    assert display.coverage == 0.95
    assert display.name == "ConformalClassifier"
    assert display.total_coverage_ == pytest.approx(set_coverage(y_test, sets, labels=model.classes_))
    assert display.mean_size_ == pytest.approx(mean_set_size(sets))
    edges = np.unique(sets.sum(axis=1))[:-1]
    least = size_stratified_coverage(y_test, sets, labels=model.classes_, edges=edges)
    assert display.coverage_.min() == pytest.approx(least)
    assert len(display.labels_) > 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SetSizeDisplay([1, 2], [1]), r"sizes has shape \(2,\) and covered \(1,\)"),
        (lambda: SetSizeDisplay([], []), "one row at least"),
        (lambda: SetSizeDisplay([[1]], [[1]]), "one entry a row"),
        (lambda: SetSizeDisplay([1.5], [1]), "whole and not negative"),
        (lambda: SetSizeDisplay([-1], [0]), "whole and not negative"),
        (lambda: SetSizeDisplay([1, 0], [1, 1]), "row 1 is covered by a set of size 0"),
        (lambda: SetSizeDisplay([1], [1], coverage=1.0), r"coverage=1\.0 must lie between 0 and 1"),
        (lambda: SetSizeDisplay([1], [1], edges=[2, 2]), r"edges=\[2, 2\] must be increasing"),
        (lambda: SetSizeDisplay.from_predictions(Y, SETS[:, :2]), "3 classes and sets is of 2"),
        (
            lambda: SetSizeDisplay.from_estimator(LogisticRegression(), SETS, Y),
            "estimator=LogisticRegression has no predict_set",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
