"""The numbers behind the plots, the axes that they use, and errors for bad input.

Not tested here: the metrics (test_calibration_metrics.py), and the look of the plots.
"""

import builtins
import subprocess
import sys
from itertools import permutations

import matplotlib

matplotlib.use("agg")  # no window is opened
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from scipy.stats import norm
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linclf import SoftmaxClassifier, SparsemaxClassifier, SVMClassifier
from linclf.calibration import CalibratedClassifier
from linclf.display import (
    CoefficientsDisplay,
    HistoryDisplay,
    PathDisplay,
    ReliabilityDisplay,
    RiskCoverageDisplay,
    SetSizeDisplay,
    SimplexDisplay,
)
from linclf.display._axes import line_style
from linclf.metrics import DOUBT_SCORES, expected_calibration_error, reliability_curve

P = np.array([[0.6, 0.4], [0.3, 0.7], [0.1, 0.9], [0.2, 0.8]])
Y = np.array(["no", "no", "yes", "yes"])
HISTORY = {
    "objective": [1.0, 0.5, 0.4],
    "validation_loss": [0.9, 0.6, 0.7],
    "validation_score": [0.5, 0.8, 0.7],
}
THREE = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.1, 0.1, 0.8], [0.2, 0.5, 0.3]])
COEF = np.array([[3.0, -1.0, 0.0, 2.0], [-4.0, 1.0, 0.5, 0.0], [1.0, 0.0, -0.5, -2.0]])


@pytest.fixture(autouse=True)
def _closed():
    """No figure is open before or after a test."""
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:1000], y[:1000], X[1000:], y[1000:]


@pytest.fixture(scope="module")
def classifier(digits):
    return SoftmaxClassifier(early_stopping=True, max_iter=8, random_state=0).fit(*digits[:2])


@pytest.fixture(scope="module")
def iris():
    data = load_iris(as_frame=True)
    return SoftmaxClassifier(solver="lbfgs").fit(data.data, data.target), data.data, data.target


def axes():
    return Figure(layout="constrained").subplots()


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# every display on tiny data: ax -> display
DRAWN = {
    "reliability": lambda ax=None: ReliabilityDisplay.from_predictions(Y, P, ax=ax),
    "history": lambda ax=None: HistoryDisplay(HISTORY).plot(ax),
    "images": lambda ax=None: CoefficientsDisplay(COEF, [0, 1, 2], image_shape=(2, 2)).plot(ax),
    "bars": lambda ax=None: CoefficientsDisplay(COEF, [0, 1, 2]).plot(ax),
    "simplex": lambda ax=None: SimplexDisplay.from_predictions(list("abcb"), THREE, ax=ax),
    "risk": lambda ax=None: RiskCoverageDisplay([0, 1], {"mine": [1, 2]}).plot(ax),
    "sizes": lambda ax=None: SetSizeDisplay([1, 2, 1], [True, True, False], coverage=0.9).plot(ax),
    "path": lambda ax=None: PathDisplay([1, 0.1], scores={"mine": [0.2, 0.5]}, chosen=0.1).plot(ax),
    "path and coefficients": lambda ax=None: PathDisplay(
        [1, 0.1], scores={"mine": [0.2, 0.5]}, coefs=[COEF / 2, COEF], classes=[0, 1, 2]
    ).plot(ax),
}
PANELS = ("images", "bars", "path", "path and coefficients")


# ---------------------------------------------------------------- where they draw


@pytest.mark.parametrize("name", DRAWN)
def test_new_axes_belong_to_pyplot_and_nothing_is_shown(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("plt.show was called"))
    display = DRAWN[name]()
    assert plt.get_fignums() == [1]
    assert display.figure_ is plt.figure(1)
    assert set(np.ravel(display.ax_)) <= set(display.figure_.axes)
    display.figure_.draw_without_rendering()  # warnings of the layout would show here


@pytest.mark.parametrize("layout", ["constrained", "none"])
@pytest.mark.parametrize("name", DRAWN)
def test_given_axes_are_used_and_pyplot_is_not(name, layout):
    figure = Figure(layout=layout)
    left, right = figure.subplots(1, 2)
    display = DRAWN[name](left)
    assert display.figure_ is figure
    assert plt.get_fignums() == []
    assert not right.lines
    if name not in PANELS:
        assert display.ax_ is left
    figure.draw_without_rendering()
    edge = right.get_position().x0
    assert all(panel.get_position().x1 <= edge + 0.01 for panel in np.ravel(display.ax_))


@pytest.mark.parametrize("name", DRAWN)
def test_a_second_plot_draws_the_same_elsewhere(name):
    display = DRAWN[name]()
    first = display.ax_
    assert display.plot(axes()) is display
    assert np.ravel(display.ax_)[0] is not np.ravel(first)[0]
    assert len(np.ravel(display.ax_)[0].lines) == len(np.ravel(first)[0].lines)


@pytest.mark.parametrize("name", DRAWN)
def test_matplotlib_missing_names_the_extra(name, monkeypatch):
    found = builtins.__import__

    def absent(module, *args, **kwargs):
        if module.partition(".")[0] == "matplotlib":
            raise ImportError("No module named 'matplotlib'")
        return found(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImportError, match=r'Display needs matplotlib: pip install "linclf\[plot\]"'):
        DRAWN[name]()


def test_matplotlib_is_not_imported_before_plotting():
    code = (
        "import sys, linclf.display as d\n"
        "d.RiskCoverageDisplay([0, 1], {'a': [1, 2]}); d.HistoryDisplay({'objective': [1.0]})\n"
        "d.PathDisplay([1.0], scores={'a': [1]}, coefs=[[[1]]], classes=[0, 1])\n"
        "assert not any(name.partition('.')[0] == 'matplotlib' for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["images", "bars"])
def test_panels_take_one_axes_each(name):
    given = Figure().subplots(1, 3)
    assert DRAWN[name](given).ax_.tolist() == given.tolist()
    assert DRAWN[name](list(given)).ax_.tolist() == given.tolist()


def test_dollars_and_underscores_are_shown_as_they_are():
    labels = ["_a$1$", "$b", "c_^$"]
    display = SimplexDisplay.from_predictions(labels, THREE[:3], labels=labels, name="$x_$")
    assert legend_texts(display.ax_) == labels
    bars = CoefficientsDisplay(COEF, labels, feature_names=["$", "a$b$", "_", "^$\\bad$"]).plot()
    assert [ax.get_title() for ax in bars.ax_] == labels
    named = RiskCoverageDisplay([0, 1], {"$\\bad$": [1, 2]}, name="$\\bad$").plot()
    history = HistoryDisplay(HISTORY, name="$\\bad$").plot()
    curve = ReliabilityDisplay.from_predictions(Y, P, name="$\\bad$", class_of_interest="yes")
    for drawn in (display, bars, named, history, curve):
        drawn.figure_.draw_without_rendering()


@pytest.mark.parametrize("inches", [3, 6.4])
@pytest.mark.parametrize("layout", ["constrained", "none"])
@pytest.mark.parametrize("name", ["history", "risk"])
def test_the_legend_is_inside_given_axes_and_over_no_curve(name, layout, inches):
    figure = Figure(figsize=(inches, 0.8 * inches), layout=layout)
    ax = figure.subplots()
    ax.set_title("a title of the user")
    DRAWN[name](ax)
    figure.draw_without_rendering()
    box, frame = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert frame.x0 <= box.x0 + 2  # in pixels
    assert box.x1 <= frame.x1 + 2
    assert box.y1 <= frame.y1
    for one in {ax, *figure.axes}:
        for line in one.lines:
            points = one.transData.transform(line.get_xydata())
            assert (points[:, 1] <= box.y0).all()
    assert ax.get_title() == "a title of the user"


@pytest.mark.parametrize("shared", [True, False], ids=["axes that share y", "the same axes"])
def test_a_second_curve_is_seen_whole(shared):
    first, second = Figure().subplots(1, 2, sharey=True)
    second = second if shared else first
    HistoryDisplay({"objective": [0.3, 0.1]}).plot(first)
    HistoryDisplay({"objective": [3.0, 1.0]}).plot(second)
    low, high = first.get_ylim()
    assert low < 0.1
    assert high > 3
    first, second = Figure().subplots(1, 2, sharey=True)
    second = second if shared else first
    RiskCoverageDisplay([0, 0, 0, 0, 1], {"a": [1, 2, 3, 4, 5]}).plot(first)
    RiskCoverageDisplay([1, 1], {"b": [1, 2]}).plot(second)
    assert first.get_ylim()[0] == 0
    assert first.get_ylim()[1] > 1


@pytest.mark.parametrize("inches", [3, 4, 6.4])
def test_a_long_name_stays_inside(inches):
    ax = Figure(figsize=(inches, 3), layout="constrained").subplots()
    HistoryDisplay(HISTORY, name="a classifier of which there is a lot to be said, in words").plot(ax)
    ax.figure.draw_without_rendering()
    box, frame = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert frame.x0 - 2 <= box.x0
    assert box.x1 <= frame.x1 + 2


@pytest.mark.parametrize(
    ("name", "text"),
    {
        "reliability": "<ReliabilityDisplay of probabilities: ECE 0.35, 4 rows in 4 bins>",
        "history": "<HistoryDisplay of a fit: objective 0.4 after 3 epochs>",
        "bars": "<CoefficientsDisplay: coefficient per unit, 3 classes, 4 features>",
        "simplex": "<SimplexDisplay of probabilities: 4 rows, classes a, b, c>",
        "risk": "<RiskCoverageDisplay of predictions: AURC mine 0.25 of at least 0.25>",
        "path": "<PathDisplay of a path: 2 penalties from 1 to 0.1, chosen 0.1>",
    }.items(),
)
def test_a_display_says_its_numbers(name, text):
    assert repr(DRAWN[name](axes())) == text


def test_a_display_of_weighted_rows_says_what_it_counts():
    display = ReliabilityDisplay.from_predictions(Y, P, sample_weight=[3, 1, 1, 1], n_bins=1, ax=axes())
    assert repr(display).endswith("3 effective rows in 1 bins>")


def test_styles_differ():
    styles = {(line_style(rank)["color"], line_style(rank)["linestyle"]) for rank in range(28)}
    assert len(styles) == 28


# ---------------------------------------------------------------- reliability


def test_reliability_draws_the_curve_and_its_histogram():
    display = ReliabilityDisplay.from_predictions(Y, P, n_bins=4, ax=axes())
    np.testing.assert_allclose(display.line_.get_xydata(), [[0.65, 0.5], [0.85, 1.0]])
    assert display.ece_ == pytest.approx(0.15)
    assert legend_texts(display.ax_) == ["ECE 0.15"]
    np.testing.assert_allclose(display.histogram_.get_data().values, [0, 0, 0.5, 0.5])
    np.testing.assert_allclose(display.histogram_.get_data().edges, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(display.ax_.lines[0].get_xydata(), [[0, 0], [1, 1]])
    assert display.ax_.get_xlim() == display.ax_histogram_.get_xlim() == (0, 1)


def test_wilson_interval_by_hand():
    # 1 of 2 is correct: centre 0.5, half-width z / (2 sqrt(n + z^2)) = 1.96 / (2 sqrt(5.84))
    display = ReliabilityDisplay.from_predictions(Y, P, n_bins=4, ax=axes())
    np.testing.assert_allclose(display.lower_[2:], [0.5 - 0.405469, 2 / (2 + 3.841459)], rtol=1e-5)
    np.testing.assert_allclose(display.upper_[2:], [0.5 + 0.405469, 1.0], rtol=1e-5)
    assert np.isnan(display.lower_[:2]).all()
    ends = np.array([segment[:, 1] for segment in display.interval_.get_segments()])
    np.testing.assert_allclose(ends, np.column_stack([display.lower_, display.upper_])[2:])


def test_wilson_ends_solve_its_equation():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=2000)
    display = ReliabilityDisplay.from_predictions(rng.uniform(size=2000) < p**2, p, level=0.9, ax=axes())
    a, n, z = display.curve.accuracy, display.curve.weight, norm.ppf(0.95)
    for end in (display.lower_, display.upper_):
        filled = n > 0
        inside = filled & (end > 0) & (end < 1)
        np.testing.assert_allclose(abs(a - end)[inside], (z * np.sqrt(end * (1 - end) / n))[inside])


def test_bins_of_few_rows_are_hollow_and_pale():
    right = np.repeat([1, 0, 1], [30, 10, 2])
    p = np.repeat([0.75, 0.75, 0.95], [30, 10, 2])
    display = ReliabilityDisplay.from_predictions(right, p, n_bins=2, class_of_interest=1, ax=axes())
    assert display.effective_rows.tolist() == [0, 42]
    display = ReliabilityDisplay.from_predictions(right, p, n_bins=10, class_of_interest=1, ax=axes())
    np.testing.assert_allclose(display.line_.get_xydata(), [[0.75, 0.75], [0.95, 1.0]])
    assert display.line_.get_markevery() == [0]
    hollow = display.ax_.lines[-1]
    assert hollow.get_markevery() == [1]
    assert hollow.get_markerfacecolor() == "white"
    pale, solid = sorted(display.interval_.get_alpha())
    assert pale < 0.5 < solid == 1
    assert hollow.get_color() == display.line_.get_color()
    styled = ReliabilityDisplay.from_predictions(right, p, n_bins=10, markersize=12, alpha=0.5, ax=axes())
    assert styled.ax_.lines[-1].get_markersize() == 12
    assert max(styled.interval_.get_alpha()) == 0.5


def test_effective_rows_of_weights():
    def rows(weights):
        display = ReliabilityDisplay.from_predictions(Y, P, n_bins=1, sample_weight=weights, ax=axes())
        return display.effective_rows

    np.testing.assert_allclose(rows([1, 1, 1, 1]), 4)
    np.testing.assert_allclose(rows([5, 5, 5, 5]), 4)
    np.testing.assert_allclose(rows([1, 0, 1, 0]), 2)
    np.testing.assert_allclose(rows([3, 0, 1, 0]), 16 / 10)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_reliability_of_an_estimator(digits, classifier, strategy):
    X, y = digits[2:]
    display = ReliabilityDisplay.from_estimator(classifier, X, y, strategy=strategy, ax=axes())
    p = classifier.predict_proba(X)
    curve = reliability_curve(y, p, strategy=strategy)
    filled = curve.weight > 0
    np.testing.assert_allclose(display.line_.get_xdata(), curve.confidence[filled])
    np.testing.assert_allclose(display.line_.get_ydata(), curve.accuracy[filled])
    assert display.ece_ == pytest.approx(expected_calibration_error(y, p, strategy=strategy))
    assert legend_texts(display.ax_) == [f"SoftmaxClassifier: ECE {display.ece_:.3g}"]
    np.testing.assert_allclose(display.effective_rows, curve.weight)
    heights = display.histogram_.get_data().values
    if strategy == "quantile":
        np.testing.assert_allclose(heights, np.histogram(p.max(axis=1), 20, (0, 1))[0] / len(y))
    assert heights.sum() == pytest.approx(1)


def test_reliability_of_one_class():
    display = ReliabilityDisplay.from_predictions(Y, P, class_of_interest="no", n_bins=1, ax=axes())
    np.testing.assert_allclose(display.line_.get_xydata(), [[0.3, 0.5]])
    assert display.ax_.get_ylabel() == "share of class no"
    assert display.ax_histogram_.get_xlabel() == "probability of class no"


def test_the_histogram_of_equal_bins_is_weighted():
    p, weights = [0.55, 0.6, 0.65, 0.975], [1.0, 2.0, 0.0, 5.0]
    display = ReliabilityDisplay.from_predictions(
        [0, 1, 1, 1], p, strategy="quantile", sample_weight=weights, class_of_interest=1, ax=axes()
    )
    heights = display.histogram_.get_data().values
    assert np.flatnonzero(heights).tolist() == [10, 11, 19]  # bins of 0.05, with their right ends
    np.testing.assert_allclose(heights[[10, 11, 19]], [1 / 8, 2 / 8, 5 / 8])


@pytest.mark.parametrize("panels", [1, 3])
def test_a_long_name_leaves_room_for_the_curve(panels):
    name = "a softmax classifier with a very long name indeed"
    figure = Figure(figsize=(4.4 * panels, 4.5), layout="constrained")
    given = figure.subplots(1, panels, squeeze=False)[0]
    for ax in given:
        ReliabilityDisplay.from_predictions(Y, P, n_bins=4, name=name, ax=ax)
    figure.draw_without_rendering()
    assert all(ax.get_position().width > 0.8 / panels for ax in given)
    assert legend_texts(given[0])[0].split() == f"{name}: ECE 0.15".split()
    ends = [ax.get_legend().get_window_extent().x1 for ax in given]
    starts = [ax.get_window_extent().x0 for ax in given[1:]] + [figure.bbox.x1]
    assert all(end < start for end, start in zip(ends, starts, strict=True))


def test_reliability_curves_side_by_side_differ():
    first = ReliabilityDisplay.from_predictions(Y, P, name="a", ax=axes())
    second = ReliabilityDisplay.from_predictions(
        Y, P**2 / (P**2).sum(1, keepdims=True), name="b", ax=first.ax_, histogram=first.ax_histogram_
    )
    assert first.line_.get_color() != second.line_.get_color()
    assert first.line_.get_linestyle() != second.line_.get_linestyle()
    assert first.line_.get_marker() != second.line_.get_marker()
    assert [text[:2] for text in legend_texts(first.ax_)] == ["a:", "b:"]
    assert second.ax_histogram_ is first.ax_histogram_
    assert len(first.figure_.axes) == 2


def test_reliability_without_a_histogram_and_with_keywords():
    display = ReliabilityDisplay.from_predictions(Y, P, histogram=False, color="red", label="mine", ax=axes())
    assert display.ax_histogram_ is None
    assert display.histogram_ is None
    assert len(display.figure_.axes) == 1
    assert display.ax_.get_xlabel() == "confidence"
    assert display.line_.get_color() == "red"
    assert legend_texts(display.ax_) == ["mine"]


def test_reliability_takes_axes_outside_of_a_grid():
    figure = Figure()
    ax = figure.add_axes([0.1, 0.1, 0.8, 0.8])
    display = ReliabilityDisplay.from_predictions(Y, P, ax=ax)
    below, above = display.ax_histogram_.get_position(), ax.get_position()
    assert below.y0 == pytest.approx(0.1)
    assert below.y1 < above.y0
    assert above.y1 == pytest.approx(0.9)


# ---------------------------------------------------------------- history


def test_history_draws_what_training_recorded(classifier):
    display = HistoryDisplay.from_estimator(classifier, ax=axes())
    history = classifier.history_
    assert list(display.lines_) == ["objective", "validation_loss", "validation_score"]
    for key, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, len(history["objective"]) + 1))
        np.testing.assert_allclose(line.get_ydata(), history[key])
    assert display.lines_["validation_score"].axes is display.ax_score_
    best = int(np.argmin(history["validation_loss"])) + 1
    assert legend_texts(display.ax_) == [
        "objective",
        "validation loss",
        f"least validation loss, at epoch {best}",
        "validation score",
    ]
    assert display.ax_.get_legend().get_title().get_text() == "SoftmaxClassifier"


def test_the_dot_is_where_the_kept_weights_were(digits):
    X, y, X_val, y_val = digits
    clf = SoftmaxClassifier(max_iter=12, random_state=0).fit(X, y, X_val=X_val, y_val=y_val)
    display = HistoryDisplay.from_estimator(clf, ax=axes())
    dot = display.ax_.lines[-1]
    p = clf.predict_proba(X_val)[np.arange(len(y_val)), y_val]
    assert dot.get_ydata()[0] == pytest.approx(-np.log(p).mean(), rel=1e-6)


@pytest.mark.parametrize(
    ("objective", "scales"),
    [
        ([3.0, 2.0, 1.0], ("linear", "linear")),
        ([30.0, 2.0, 1.0], ("linear", "log")),
        ([30.0, 2.0, 0.0], ("linear", "linear")),
        ([np.inf, 2.0, 1.0], ("linear", "linear")),
        (np.linspace(2, 1, 51).tolist(), ("log", "linear")),
    ],
)
def test_logarithmic_scales_only_where_they_help(objective, scales):
    ax = HistoryDisplay({"objective": objective}).plot(axes()).ax_
    assert (ax.get_xscale(), ax.get_yscale()) == scales


def test_history_without_validation_of_one_epoch_and_of_lbfgs(iris):
    display = HistoryDisplay({"objective": [1.0]}).plot(axes())
    assert display.ax_score_ is None
    assert display.lines_["objective"].get_marker() == "o"
    assert HistoryDisplay.from_estimator(iris[0], ax=axes()).ax_.get_xlabel() == "iteration"


def test_history_goes_on_after_early_stopping(digits):
    X, y = digits[:2]
    clf = SoftmaxClassifier(early_stopping=True, max_iter=3, random_state=0).fit(X, y)
    clf.set_params(early_stopping=False).partial_fit(X, y)
    display = HistoryDisplay.from_estimator(clf, ax=axes())
    assert len(display.lines_["objective"].get_xdata()) == 4
    assert len(display.lines_["validation_loss"].get_xdata()) == 3


def test_history_inside_of_other_estimators(iris):
    _, X, y = iris
    inner = SoftmaxClassifier(solver="lbfgs", max_iter=30, tol=1e-3)
    for outer in (
        make_pipeline(StandardScaler(), inner),
        GridSearchCV(make_pipeline(StandardScaler(), inner), {}, cv=2),
    ):
        display = HistoryDisplay.from_estimator(outer.fit(X, y), ax=axes())
        assert display.name == "SoftmaxClassifier"
    calibrated = CalibratedClassifier(inner).fit(X, y)
    assert HistoryDisplay.from_estimator(calibrated, ax=axes()).name == "SoftmaxClassifier"


def test_noise_of_the_score_does_not_fill_its_axis():
    noise = {"objective": [3.0, 2.0, 1.0], "validation_score": [0.924, 0.923, 0.925]}
    low, high = HistoryDisplay(noise).plot(axes()).ax_score_.get_ylim()
    assert high - low > 0.1
    low, high = (
        HistoryDisplay({**noise, "validation_score": [0.001, 0.01, 0.002]}).plot(axes()).ax_score_.get_ylim()
    )
    assert -0.01 < low < 0.001
    assert high > 0.1
    rise = {"objective": [3.0, 2.0, 1.0], "validation_score": [0.2, 0.8, 0.9]}
    low, high = HistoryDisplay(rise).plot(axes()).ax_score_.get_ylim()
    assert 0.1 < low < 0.2


# ---------------------------------------------------------------- coefficients


def test_images_share_a_symmetric_scale(digits, classifier):
    display = CoefficientsDisplay.from_estimator(classifier, image_shape=(8, 8))
    assert len(display.images_) == 10
    limit = np.sort(np.abs(classifier.coef_), axis=None)[-7]  # 99 % of 640 are smaller
    for image, row, ax in zip(display.images_, classifier.coef_, display.ax_, strict=True):
        np.testing.assert_allclose(image.get_array(), row.reshape(8, 8))
        assert image.get_clim() == pytest.approx((-limit, limit))
        assert image.axes is ax
    assert [ax.get_title() for ax in display.ax_] == list("0123456789")


def reddish(colour):
    red, _, blue, _ = to_rgba(colour)
    return red > blue


def test_what_speaks_for_a_class_is_blue_and_against_it_red():
    image = CoefficientsDisplay(COEF, [0, 1, 2], image_shape=(2, 2)).plot(axes()).images_[0]
    assert not reddish(image.cmap(image.norm(3.0)))
    assert reddish(image.cmap(image.norm(-3.0)))
    for bars in CoefficientsDisplay(COEF, [0, 1, 2]).plot(axes()).bars_:
        for bar in bars:
            assert reddish(bar.get_facecolor()) == (bar.get_width() < 0)


def test_bars_are_the_largest_and_the_least():
    display = CoefficientsDisplay(COEF, ["a", "b", "c"], feature_names=list("wxyz"), top=1).plot(axes())
    assert [[bar.get_width() for bar in bars] for bars in display.bars_] == [[3, -1], [1, -4], [1, -2]]
    assert [display.largest(label) for label in "abc"] == [["w", "x"], ["x", "w"], ["w", "z"]]
    for ax, label in zip(display.ax_, "abc", strict=True):
        assert [text.get_text() for text in ax.get_yticklabels()] == display.largest(label)
        assert ax.yaxis_inverted()  # the largest is at the top
    # zeros have no bars; with fewer features than twice the top, each is shown once
    assert CoefficientsDisplay(COEF, ["a", "b", "c"]).largest("a") == ["x0", "x3", "x1"]


def test_many_classes_have_fewer_bars_each():
    coef = np.random.default_rng(0).normal(size=(20, 50))
    few = CoefficientsDisplay(coef[:6], range(6)).plot()
    many = CoefficientsDisplay(coef, range(20)).plot()
    assert (few.top, many.top) == (10, 5)
    assert CoefficientsDisplay(coef, range(20), shown=[3, 4]).top == 10
    assert all(many.figure_.get_size_inches() < 13)


def test_two_classes_have_one_panel():
    display = CoefficientsDisplay([[1.0, -2.0]], ["no", "yes"]).plot(axes())
    assert [ax.get_title() for ax in display.ax_] == ["yes, not no"]
    assert display.largest("yes") == ["x0", "x1"]


def test_shown_classes_and_their_scale():
    display = CoefficientsDisplay(COEF, [0, 1, 2], shown=[2, 0], image_shape=(2, 2)).plot(axes())
    assert [ax.get_title() for ax in display.ax_] == ["2", "0"]
    assert display.images_[0].get_clim() == (-3, 3)


def test_coefficients_are_scaled_and_the_axes_say_so():
    scale = [10.0, 1.0, 1.0, 0.1]
    display = CoefficientsDisplay(COEF, ["a", "b", "c"], feature_scale=scale).plot(axes())
    np.testing.assert_array_equal(display.coef, np.array(COEF) * scale)
    assert {ax.get_xlabel() for ax in display.ax_} == {"scaled coefficient"}
    assert CoefficientsDisplay(COEF, [0, 1, 2]).plot(axes()).ax_[0].get_xlabel() == "coefficient per unit"
    with pytest.raises(
        ValueError, match=r"feature_scale has shape \(3,\): pass a finite number for each of 4"
    ):
        CoefficientsDisplay(COEF, [0, 1, 2], feature_scale=[1, 2, 3])


def test_coefficients_as_a_table():
    table = CoefficientsDisplay(COEF, ["a", "b", "c"], feature_names=list("wxyz")).to_frame()
    assert table.columns.tolist() == ["a", "b", "c"]
    assert table.loc["w"].tolist() == [row[0] for row in COEF]
    two = CoefficientsDisplay([[1.0, -2.0]], ["no", "yes"]).to_frame()
    assert two["yes"].to_dict() == {"x0": 1.0, "x1": -2.0}


def test_a_few_large_coefficients_do_not_make_the_others_white():
    coef = np.concatenate([np.ones(199), [1000.0]])
    display = CoefficientsDisplay([coef], [0, 1], image_shape=(10, 20)).plot(axes())
    assert display.images_[0].get_clim() == (-1, 1)


def test_coefficients_of_zero_can_be_drawn():
    assert len(CoefficientsDisplay(np.zeros((3, 4)), [0, 1, 2]).plot(axes()).bars_[0]) == 0
    display = CoefficientsDisplay(np.zeros((3, 4)), [0, 1, 2], image_shape=(2, 2)).plot(axes())
    assert display.images_[0].get_clim() == (-1, 1)


def test_names_come_from_the_estimator_or_from_the_steps_before_it(iris):
    clf, X, y = iris
    display = CoefficientsDisplay.from_estimator(clf)
    assert display.feature_names.tolist() == X.columns.tolist()
    texts = ["red apple", "green apple", "red car", "fast car", "blue sky", "blue sea"] * 3
    kinds = ["fruit", "fruit", "car", "car", "nature", "nature"] * 3
    pipeline = make_pipeline(CountVectorizer(), SoftmaxClassifier(solver="lbfgs")).fit(texts, kinds)
    for estimator in (pipeline, GridSearchCV(pipeline, {}, cv=2).fit(texts, kinds)):
        display = CoefficientsDisplay.from_estimator(estimator, top=1)
        assert display.largest("car")[0] == "car"
        assert display.largest("nature")[0] == "blue"
    scaled = make_pipeline(StandardScaler(), SoftmaxClassifier(solver="lbfgs")).fit(X, y)
    assert CoefficientsDisplay.from_estimator(scaled).feature_names.tolist() == X.columns.tolist()
    given = CoefficientsDisplay.from_estimator(scaled, feature_names=list("wxyz"))
    assert given.feature_names.tolist() == list("wxyz")
    calibrated = CalibratedClassifier(clf).fit(X, y)
    assert CoefficientsDisplay.from_estimator(calibrated).feature_names.tolist() == X.columns.tolist()


def test_coefficients_of_scikit_learn(iris):
    _, X, y = iris
    clf = LogisticRegression(max_iter=1000).fit(X, y)
    np.testing.assert_array_equal(CoefficientsDisplay.from_estimator(clf).coef, clf.coef_)


def test_long_names_are_cut():
    display = CoefficientsDisplay([[1.0]], [0, 1], feature_names=["a" * 50]).plot(axes())
    assert display.ax_[0].get_yticklabels()[0].get_text() == "a" * 12 + "…" + "a" * 11


# ---------------------------------------------------------------- simplex


def test_points_are_means_of_the_corners():
    display = SimplexDisplay.from_predictions(list("abcb"), THREE, ax=axes())
    a, b, c = (line.get_xydata() for line in display.lines_)
    height = np.sqrt(0.75)
    np.testing.assert_allclose(a, [[0, 0]], atol=1e-15)
    np.testing.assert_allclose(b, [[0.75, height / 2], [0.5 + 0.15, 0.3 * height]])
    np.testing.assert_allclose(c, [[0.1 + 0.4, 0.8 * height]])
    assert legend_texts(display.ax_) == ["a", "b", "c"]
    assert len({line.get_marker() for line in display.lines_}) == 3
    assert len({line.get_color() for line in display.lines_}) == 3


def test_rows_in_the_corners_are_counted():
    p = [[1.0, 0.0, 0.0]] * 5 + [[0.99, 0.01, 0.0], [0.98, 0.02, 0.0], [0.0, 0.005, 0.995]]
    display = SimplexDisplay.from_predictions(list("aaaaaabc"), p, labels=list("abc"), ax=axes())
    assert display.n_sure_.tolist() == [6, 0, 1]
    texts = [text.get_text() for text in display.ax_.texts]
    assert texts == ["a\n6 with p ≥ 0.99", "b\n0 with p ≥ 0.99", "c\n1 with p ≥ 0.99"]
    assert {line.get_alpha() for line in display.lines_} == {0.4}


def test_simplex_of_an_estimator(iris):
    clf, X, y = iris
    display = SimplexDisplay.from_estimator(clf, X, y, ax=axes(), markersize=3)
    assert [len(line.get_xdata()) for line in display.lines_] == [50, 50, 50]
    assert display.lines_[0].get_markersize() == 3
    p = clf.predict_proba(X)[y == 1]
    np.testing.assert_allclose(display.lines_[1].get_xdata(), p[:, 1] + p[:, 2] / 2)


# ---------------------------------------------------------------- risk and coverage


def test_aurc_by_hand():
    display = RiskCoverageDisplay([0, 0, 1, 0], {"mine": [1, 2, 3, 4], "worst": [4, 3, 1, 2]}).plot(axes())
    np.testing.assert_allclose(display.coverage_, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(display.risk_["mine"], [0, 0, 1 / 3, 1 / 4])
    np.testing.assert_allclose(display.risk_["worst"], [1, 1 / 2, 1 / 3, 1 / 4])
    assert display.aurc_["mine"] == pytest.approx(7 / 48)
    assert display.aurc_["worst"] == pytest.approx(25 / 48)
    assert display.least_aurc_ == pytest.approx(1 / 16)
    assert legend_texts(display.ax_) == [
        "mine: AURC 0.146",
        "worst: AURC 0.521",
        "least possible: AURC 0.0625",
    ]
    np.testing.assert_allclose(display.lines_["mine"].get_xdata(), display.coverage_)
    np.testing.assert_allclose(display.lines_["mine"].get_ydata(), display.risk_["mine"])


def test_ties_are_the_mean_over_all_orders():
    wrong, doubt = np.array([0, 1, 0, 1, 1]), np.array([1, 1, 1, 2, 3])
    risks = []
    for order in permutations(range(3)):
        sequence = wrong[[*order, 3, 4]]
        risks.append(np.cumsum(sequence) / np.arange(1, 6))
    display = RiskCoverageDisplay(wrong, {"tied": doubt, "constant": np.zeros(5)})
    np.testing.assert_allclose(display.risk_["tied"], np.mean(risks, axis=0))
    np.testing.assert_allclose(display.risk_["constant"], 0.6)


def test_risk_of_an_estimator_by_a_loop(digits, classifier):
    X, y = digits[2:]
    display = RiskCoverageDisplay.from_estimator(classifier, X, y, ax=axes())
    assert list(display.risk_) == ["max_probability", "entropy", "margin"]
    wrong = classifier.predict(X) != y
    doubt = 1 - classifier.predict_proba(X).max(axis=1)
    kept = [wrong[doubt <= threshold].mean() for threshold in np.unique(doubt)]
    ends = np.searchsorted(np.sort(doubt), np.unique(doubt), side="right") - 1
    np.testing.assert_allclose(display.risk_["max_probability"][ends], kept)
    assert display.risk_["entropy"][-1] == pytest.approx(1 - classifier.score(X, y))
    every = RiskCoverageDisplay.from_estimator(classifier, X, y, doubts=list(DOUBT_SCORES), ax=axes())
    assert every.aurc_["energy"] == max(every.aurc_.values())


def test_risk_uses_the_doubts_that_the_estimator_can_serve(iris):
    _, X, y = iris
    svm = SVMClassifier(random_state=0, max_iter=20).fit(X, y)
    assert list(RiskCoverageDisplay.from_estimator(svm, X, y, ax=axes()).risk_) == ["margin"]
    two = SparsemaxClassifier(solver="sgd", max_iter=20, random_state=0).fit(X[:100], y[:100])
    display = RiskCoverageDisplay.from_estimator(two, X[:100], y[:100], doubts=["margin"], ax=axes())
    assert list(display.aurc_) == ["margin"]


def test_the_bound_is_found_in_axes_that_hold_other_lines():
    ax = axes()
    ax.plot([0, 1], [1, 1], label="theirs")
    RiskCoverageDisplay([0, 1], {"mine": [1, 2]}).plot(ax)
    assert legend_texts(ax) == ["mine: AURC 0.25", "least possible: AURC 0.25"]


# ---------------------------------------------------------------- bad input

# part of the error message -> the call that raises it
IRIS = load_iris(return_X_y=True)
SVM, OTHER = SVMClassifier(max_iter=20).fit(*IRIS), Perceptron().fit(*IRIS)
COMPOUND = OneVsRestClassifier(Perceptron()).fit(*IRIS)
ONE_CURVE = reliability_curve(Y, P, n_bins=4)
ABC = list("abc")


def test_two_labels_of_a_row_have_a_panel_each():
    display = CoefficientsDisplay([[1.0, 2.0], [3.0, -4.0]], [0, 1], top=1)
    assert [display.largest(label) for label in (0, 1)] == [["x1"], ["x0", "x1"]]
    assert display.to_frame().columns.tolist() == [0, 1]
    assert len(np.ravel(display.plot().ax_)) == 2


def three(**options):
    return CoefficientsDisplay(COEF, ABC, **options)


VALUE_ERRORS = {
    r"level=95: .*0\.95": lambda: ReliabilityDisplay(ONE_CURVE, [0, 0, 2, 2], level=95),
    r"effective_rows has shape \(2,\).*4 bins": lambda: ReliabilityDisplay(ONE_CURVE, [1, 2]),
    "SVMClassifier has no predict_proba: .*platt": lambda: ReliabilityDisplay.from_estimator(SVM, *IRIS),
    "Perceptron has no predict_proba": lambda: SimplexDisplay.from_estimator(OTHER, *IRIS),
    "row 0 of y_prob": lambda: ReliabilityDisplay.from_predictions(Y, 5 * P),
    r"history=\['step'\] has no objective": lambda: HistoryDisplay({"step": [1]}),
    r"history=\['objective'\] has no": lambda: HistoryDisplay({"objective": []}),
    "Perceptron has no history_: .*SoftmaxClassifier": lambda: HistoryDisplay.from_estimator(OTHER),
    "OneVsRestClassifier has no coef_": lambda: CoefficientsDisplay.from_estimator(COMPOUND),
    r"coef has shape \(3, 4\).* 2 classes": lambda: CoefficientsDisplay(COEF, [0, 1]),
    r"image_shape=\(3, 2\) does not fit 4 features": lambda: three(image_shape=(3, 2)),
    "image_shape=4 does not fit": lambda: three(image_shape=4),
    r"image_shape=\(-2, -2\)": lambda: three(image_shape=(-2, -2)),
    r"feature_names has shape \(1,\).*4 features": lambda: three(feature_names=["a"]),
    "top=0: pass an integer": lambda: three(top=0),
    "top=1.5: pass an integer": lambda: three(top=1.5),
    "shown has 7, .* one of": lambda: three(shown=[7]),
    "shown='a': pass a list": lambda: three(shown="a"),
    r"shown=\[1\]: two classes have one panel": lambda: CoefficientsDisplay([[1]], [0, 1], shown=[1]),
    "label='b' is not shown": lambda: three(shown=["a"]).largest("b"),
    "ax has 2 axes: pass 3": lambda: three().plot(Figure().subplots(1, 2)),
    "is in no grid": lambda: three().plot(Figure().add_axes([0, 0, 1, 1])),
    r"y_prob has shape \(4, 2\): a triangle": lambda: SimplexDisplay.from_predictions(Y, P),
    r"p has shape \(4, 2\)": lambda: SimplexDisplay(P, [0] * 4, [0, 1]),
    r"codes has shape \(1,\)": lambda: SimplexDisplay(THREE, [0], ABC),
    r"codes has \[0, 1, 2, 3\]": lambda: SimplexDisplay(THREE, [0, 1, 2, 3], ABC),
    r"wrong has shape \(0,\)": lambda: RiskCoverageDisplay([], {"a": []}),
    r"doubt\['a'\] has shape \(1,\)": lambda: RiskCoverageDisplay([0, 1], {"a": [1]}),
    r"row 1 of doubt\['a'\] is NaN": lambda: RiskCoverageDisplay([0, 1], {"a": [1, np.nan]}),
    r"y_pred \(1,\): pass one": lambda: RiskCoverageDisplay.from_predictions([0, 1], [0], {}),
    "labels of one kind": lambda: RiskCoverageDisplay.from_predictions(["0"], [0], {"a": [1]}),
    "doubts has 'x': pass": lambda: RiskCoverageDisplay.from_estimator(OTHER, *IRIS, doubts=["x"]),
    "has no predict_proba": lambda: RiskCoverageDisplay.from_estimator(OTHER, *IRIS, doubts=["entropy"]),
    "neither predict_proba nor": lambda: RiskCoverageDisplay.from_estimator(StandardScaler(), *IRIS),
}
TYPE_ERRORS = {
    "ax=3: pass a matplotlib Axes": lambda: ReliabilityDisplay.from_predictions(Y, P, ax=3),
    "histogram=3: pass": lambda: ReliabilityDisplay.from_predictions(Y, P, ax=axes(), histogram=3),
    r"doubt=\[1, 2\]: pass a dict": lambda: RiskCoverageDisplay([0, 1], [1, 2]),
    r"doubt\['a'\]=\['b'\]": lambda: RiskCoverageDisplay([0], {"a": ["b"]}),
    "doubts='x': pass a list": lambda: RiskCoverageDisplay.from_estimator(OTHER, *IRIS, doubts="x"),
}
NOT_FITTED = [
    SoftmaxClassifier(),
    GridSearchCV(SoftmaxClassifier(), {}),
    make_pipeline(StandardScaler(), SoftmaxClassifier()),
    CalibratedClassifier(SoftmaxClassifier()),
]


@pytest.mark.parametrize("message", [*VALUE_ERRORS, *TYPE_ERRORS])
def test_bad_input_is_told_what_to_do(message):
    error = ValueError if message in VALUE_ERRORS else TypeError
    with pytest.raises(error, match=message):
        (VALUE_ERRORS | TYPE_ERRORS)[message]()
    assert plt.get_fignums() == []


@pytest.mark.parametrize("estimator", NOT_FITTED)
@pytest.mark.parametrize("display", [HistoryDisplay, CoefficientsDisplay])
def test_what_is_not_fitted_is_told_so(display, estimator):
    with pytest.raises(NotFittedError, match="fitted"):
        display.from_estimator(estimator)
