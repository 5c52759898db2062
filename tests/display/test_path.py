"""PathDisplay: lines, bars and marks show the results of the classifier; errors for bad input.

Not tested here: common behaviour of displays (test_display.py), and the scores themselves.
"""

import matplotlib

matplotlib.use("agg")  # no window is opened
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LassoCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linclf import (
    LinearClassifierCV,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifierCV,
    path,
)
from linclf.calibration import CalibratedClassifier
from linclf.display import PathDisplay

ALPHAS = [1.0, 1e-2, 1e-4]
IRIS = load_iris(as_frame=True)
# coefficients of 3 classes and 4 features; the second penalty has another order than the third
COEFS = np.array(
    [
        np.zeros((3, 4)),
        [[3.0, -4.0, 0.0, 1.0], [4.0, 0.0, 0.5, 0.0], [0.0, 3.0, -0.5, -1.0]],
        [[30.0, -4.0, 0.0, 1.0], [40.0, 0.0, 0.5, 0.0], [0.0, 3.0, -9.5, -1.0]],
    ]
)
ABC = list("abc")


@pytest.fixture(autouse=True)
def _closed():
    """No figure is open before or after a test."""
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def chooser():
    clf = SoftmaxClassifierCV(alphas=[1e-4, 1e-3, 1e-2, 1e-1, 1.0], store_coef_path=True, rule="1se")
    return clf.fit(IRIS.data, IRIS.target)


@pytest.fixture(scope="module")
def chooser_of_loss():
    X, y = load_breast_cancer(return_X_y=True)
    clf = LinearClassifierCV(
        loss="focal",
        loss_grid={"gamma": [0.0, 2.0]},
        alphas=ALPHAS,
        standardize=True,
        store_coef_path=True,
        cv=3,
    )
    return clf.fit(X, y)


def axes():
    return Figure(layout="constrained", figsize=(6.4, 6.4)).subplots()


def legend_texts(ax):
    return [text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()]


def heights(bars):
    """Both ends of vertical bars."""
    return np.array([segment[:, 1] for segment in bars.get_segments()])


def level_of(ax):
    (line,) = (line for line in ax.lines if line.get_linestyle() == ":")
    return line.get_ydata()[0]


def chosen_of(ax):
    (line,) = (line for line in ax.lines if str(line.get_label()).startswith("chosen"))
    return line.get_xdata()[0]


# ---------------------------------------------------------------- scores


def test_scores_bars_and_marks_are_those_of_the_table(chooser):
    display = PathDisplay.from_estimator(chooser)
    ax, results = display.ax_[0], chooser.cv_results_
    mean, error = results["mean_test_score"], results["standard_error"]
    (line,), (bars,) = display.lines_.values(), display.bars_.values()
    np.testing.assert_array_equal(line.get_xdata(), chooser.alphas_)
    np.testing.assert_array_equal(line.get_ydata(), mean)
    np.testing.assert_allclose(heights(bars), np.column_stack([mean - error, mean + error]))
    assert chosen_of(ax) == display.chosen == chooser.alpha_
    best = mean.argmax()
    assert level_of(ax) == display.level_ == mean[best] - error[best]
    assert display.best_ == chooser.alphas_[best] < display.chosen
    assert legend_texts(ax) == [
        "mean ± standard error",
        f"chosen: alpha {chooser.alpha_:.3g}",
        "one standard error below the best",
    ]
    assert ax.get_legend().get_title().get_text() == "SoftmaxClassifierCV"
    assert ax.get_ylabel() == "neg_log_loss"


def test_strong_penalties_stand_on_the_left_of_a_logarithmic_axis(chooser):
    for ax in PathDisplay.from_estimator(chooser).ax_:
        left, right = ax.get_xlim()
        assert left > chooser.alphas_[0] > chooser.alphas_[-1] > right
        assert ax.get_xscale() == "log"
        assert ax.get_xlabel().startswith("stronger")


def test_each_value_of_a_parameter_has_a_line(chooser_of_loss):
    display = PathDisplay.from_estimator(chooser_of_loss)
    results = chooser_of_loss.cv_results_
    assert list(display.lines_) == ["gamma=0.0", "gamma=2.0"]
    for name, line in display.lines_.items():
        rows = results["param_gamma"] == float(name[len("gamma=") :])
        np.testing.assert_array_equal(line.get_ydata(), results["mean_test_score"][rows])
        np.testing.assert_array_equal(line.get_xdata(), results["param_alpha"][rows])
    best = results["mean_test_score"].argmax()
    assert level_of(display.ax_[0]) == (results["mean_test_score"] - results["standard_error"])[best]
    chosen = f"chosen: alpha {chooser_of_loss.alpha_:.3g}, gamma={chooser_of_loss.loss_.gamma}"
    assert legend_texts(display.ax_[0])[2] == chosen
    first, second = display.lines_.values()
    for differs in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(first, differs)() != getattr(second, differs)()


def test_two_parameters_of_the_loss():
    X, y = IRIS.data, IRIS.target
    grid = {"label_smoothing": [0.0, 0.1], "temperature": [1.0, 2.0]}
    clf = LinearClassifierCV(loss="softmax", loss_grid=grid, alphas=[0.1], cv=2).fit(X, y)
    names = list(PathDisplay.from_estimator(clf).lines_)
    assert len(names) == 4
    assert names[1] == "label_smoothing=0.0, temperature=2.0"


def test_one_penalty():
    clf = SVMClassifierCV(alphas=[0.01], squared=True, store_coef_path=True).fit(IRIS.data, IRIS.target)
    display = PathDisplay.from_estimator(clf)
    display.figure_.draw_without_rendering()
    assert display.ax_[0].get_xlim() == pytest.approx((0.1, 0.001))
    assert display.ax_[0].get_ylabel() == "accuracy"
    assert all(line.get_marker() not in ("", "None") for line in display.coef_lines_[0])


def test_a_scorer_without_standard_errors_has_no_bars_and_no_level():
    X, y = load_iris(return_X_y=True)
    clf = SoftmaxClassifierCV(alphas=ALPHAS, scoring="f1_macro")
    clf.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    display = PathDisplay.from_estimator(clf)
    assert display.bars_ == {}
    assert display.level_ is None
    assert display.ax_[0].get_ylabel() == "f1_macro"
    assert legend_texts(display.ax_[0]) == ["mean", f"chosen: alpha {clf.alpha_:.3g}"]


def test_a_scorer_has_the_name_of_its_function_and_no_refit_is_needed():
    def hits(estimator, X, y):
        return estimator.score(X, y)

    clf = SoftmaxClassifierCV(alphas=ALPHAS, cv=2, scoring=hits, refit=False)
    display = PathDisplay.from_estimator(clf.fit(*load_iris(return_X_y=True)))
    assert display.ax_[0].get_ylabel() == "hits"
    assert list(display.bars_) == ["mean ± standard error"]


def test_leave_one_out_has_bars_over_the_rows():
    clf = SoftmaxClassifierCV(alphas=[1.0, 0.1], cv="loo").fit(IRIS.data, IRIS.target)
    display = PathDisplay.from_estimator(clf)
    mean, error = (clf.cv_results_[key] for key in ("mean_test_score", "standard_error"))
    (bars,) = display.bars_.values()
    np.testing.assert_allclose(heights(bars), np.column_stack([mean - error, mean + error]))


def test_of_equal_means_the_strongest_is_best():
    scores = {"a": [0.5, 0.5, 0.4], "b": [0.1, 0.5, 0.2]}
    display = PathDisplay(ALPHAS, scores=scores, errors={"a": [0.1, np.nan, 0.1]}).plot(axes())
    assert display.best_ == 1.0
    assert display.level_ == pytest.approx(0.4)
    assert list(display.bars_) == ["a"]


# ---------------------------------------------------------------- coefficients


def test_lengths_over_the_classes():
    display = PathDisplay(ALPHAS, coefs=COEFS, classes=ABC, chosen=1e-2, top=3).plot(axes())
    assert display.largest() == ["x0", "x1", "x3"]
    (lines,) = display.coef_lines_
    np.testing.assert_allclose(lines[0].get_ydata(), [0, 5, 50])
    np.testing.assert_allclose(lines[2].get_ydata(), [0, np.sqrt(2), np.sqrt(2)])
    assert [line.get_label() for line in lines] == display.largest()
    assert display.ax_[0].get_ylabel() == "length of coefficients"
    assert display.ax_[0].get_ylim()[1] == pytest.approx(4 * 5 * 1.05)  # larger values are cut off
    # without a chosen penalty, the largest anywhere, and nothing is cut off
    display = PathDisplay(ALPHAS, coefs=COEFS, classes=ABC, top=3).plot(axes())
    assert display.largest() == ["x0", "x2", "x1"]
    assert display.ax_[0].get_ylim()[1] > 50


def test_classes_that_are_shown_have_a_panel_each():
    display = PathDisplay(ALPHAS, coefs=COEFS, classes=ABC, shown=["c", "a"], chosen=1e-2).plot(axes())
    assert display.largest("a") == ["x0", "x3", "x1"]  # by value; x2 is 0 there
    assert display.largest("c") == ["x1", "x2", "x3"]
    assert [ax.get_ylabel() for ax in display.ax_] == ["coefficient of class c", "coefficient of class a"]
    np.testing.assert_array_equal(display.coef_lines_[1][2].get_ydata(), COEFS[:, 0, 1])
    assert [chosen_of(ax) for ax in display.ax_] == [1e-2, 1e-2]


def test_two_classes_have_one_panel(chooser_of_loss):
    names = load_breast_cancer().feature_names
    display = PathDisplay.from_estimator(chooser_of_loss, feature_names=names, top=2)
    assert display.ax_[1].get_ylabel() == "coefficient: 1, not 0"
    assert display.largest() == display.largest(1)
    for name, line in zip(display.largest(), display.coef_lines_[0], strict=True):
        j = names.tolist().index(name)
        np.testing.assert_array_equal(line.get_ydata(), chooser_of_loss.coef_path_[:, 0, j])


def test_scaled_coefficients(chooser):
    scale = IRIS.data.std()
    display = PathDisplay.from_estimator(chooser, feature_scale=scale, shown=[2], top=1)
    at = chooser.alphas_.tolist().index(chooser.alpha_)
    path = chooser.coef_path_[:, 2] * scale.to_numpy()
    np.testing.assert_allclose(display.coef_lines_[0][0].get_ydata(), path[:, np.abs(path[at]).argmax()])
    assert display.ax_[1].get_ylabel() == "scaled coefficient of class 2"


def test_coefficients_of_a_path():
    found = path(IRIS.data, IRIS.target, ALPHAS)
    display = PathDisplay.from_path(found, feature_names=IRIS.data.columns, name="iris", shown=[0])
    assert display.lines_ == {}
    assert (display.best_, display.level_, display.chosen) == (None, None, None)
    values = dict(zip(display.largest(0), display.coef_lines_[0], strict=True))
    np.testing.assert_array_equal(values["petal length (cm)"].get_ydata(), found.coefs[:, 0, 2])
    assert display.ax_[0].get_legend().get_title().get_text() == "iris"
    assert legend_texts(display.ax_[0]) == display.largest()
    assert chosen_of(PathDisplay.from_path(found, chosen=0.01).ax_[0]) == 0.01


def test_coefficients_of_zero_can_be_drawn():
    display = PathDisplay([1.0, 0.1], coefs=np.zeros((2, 1, 2)), classes=[0, 1], chosen=0.1).plot(axes())
    assert display.coef_lines_ == [[]]
    display.figure_.draw_without_rendering()


def test_lines_differ_without_colours():
    d = 20
    display = PathDisplay([1, 0.1], coefs=np.ones((2, 1, d)), classes=[0, 1], top=d).plot(axes())
    styles = {(line.get_linestyle(), line.get_marker()) for line in display.coef_lines_[0]}
    assert len(styles) == d


# ---------------------------------------------------------------- where it is drawn


def test_inside_of_other_estimators(chooser):
    X, y = IRIS.data, IRIS.target
    inner = SoftmaxClassifierCV(alphas=ALPHAS, store_coef_path=True, cv=2)
    pipeline = make_pipeline(StandardScaler(), inner).fit(X, y)
    for outer in (pipeline, GridSearchCV(pipeline, {}, cv=2).fit(X, y)):
        display = PathDisplay.from_estimator(outer)
        assert display.name == "SoftmaxClassifierCV"
        assert set(display.largest()) == set(X.columns)
    calibrated = CalibratedClassifier(inner).fit(X, y)
    assert PathDisplay.from_estimator(calibrated).name == "SoftmaxClassifierCV"
    for unfitted in (SoftmaxClassifierCV(), make_pipeline(StandardScaler(), SoftmaxClassifierCV())):
        with pytest.raises(NotFittedError, match="fitted"):
            PathDisplay.from_estimator(unfitted)


def test_panels_take_one_axes_each(chooser):
    given = Figure(layout="constrained", figsize=(10, 4)).subplots(1, 2)
    display = PathDisplay.from_estimator(chooser, ax=given)
    assert display.ax_.tolist() == given.tolist()
    display.figure_.draw_without_rendering()
    assert given[0].get_position().x1 < given[1].get_position().x0


def test_texts_are_shown_as_they_are(chooser):
    names = ["$", "a$b$", "_", "^$\\bad$"]
    display = PathDisplay.from_estimator(chooser, feature_names=names, name="$\\bad$")
    assert sorted(legend_texts(display.ax_[1])) == sorted(names)
    other = PathDisplay([1, 0.1], scores={"$\\bad$": [1, 2]}, scoring="$\\bad$").plot()
    for drawn in (display, other):
        drawn.figure_.draw_without_rendering()


# ---------------------------------------------------------------- bad input


def of_coefs(**options):
    return PathDisplay(ALPHAS, coefs=COEFS, classes=ABC, **options)


def of_scores(**options):
    return PathDisplay(ALPHAS, **({"scores": {"a": [1, 2, 3]}} | options))


PLAIN = SoftmaxClassifierCV(alphas=ALPHAS, cv=2).fit(IRIS.data, IRIS.target)
NOT_CHOSEN = SoftmaxClassifier().fit(IRIS.data, IRIS.target)
LASSO = LassoCV(cv=2, alphas=3).fit(IRIS.data, IRIS.target)

VALUE_ERRORS = {
    r"alphas=\[\]: pass positive": lambda: PathDisplay([], scores={}),
    r"alphas=\[1, 0\]: pass positive": lambda: PathDisplay([1, 0], scores={}),
    r"alphas=\[1, 2\]: .*each less than": lambda: PathDisplay([1, 2], scores={}),
    r"alphas=\['a'\]": lambda: PathDisplay(["a"], scores={}),
    "scores=None and coefs=None": lambda: PathDisplay(ALPHAS),
    "scores={} and coefs=None": lambda: PathDisplay(ALPHAS, scores={}),
    r"scores\['a'\] has shape \(2,\).*3 penalties": lambda: of_scores(scores={"a": [1, 2]}),
    r"scores\['a'\] has NaN at place 1": lambda: of_scores(scores={"a": [1, np.nan, 2]}),
    r"errors\['a'\] has shape \(\)": lambda: of_scores(errors={"a": 1}),
    r"errors has 'b', which is no line: .*\['a'\]": lambda: of_scores(errors={"b": [1, 2, 3]}),
    "chosen=0.5 is none of the penalties": lambda: of_scores(chosen=0.5),
    "chosen='a' is none of the penalties": lambda: of_scores(chosen="a"),
    r"coefs has shape \(3, 3, 4\).* 3 penalties and 0 classes": lambda: PathDisplay(ALPHAS, coefs=COEFS),
    r"coefs has shape \(3, 4\).* 2 classes": lambda: PathDisplay(ALPHAS, coefs=COEFS[0], classes=[0, 1]),
    "coefs is None: .*store_coef_path=True": lambda: PathDisplay.from_estimator(PLAIN, shown=[0]),
    r"feature_names has shape \(1,\).*4 features": lambda: of_coefs(feature_names=["a"]),
    r"feature_scale has shape \(2,\).*4 features": lambda: of_coefs(feature_scale=[1, 2]),
    "feature_scale has .*finite": lambda: of_coefs(feature_scale=[1, 2, 3, np.inf]),
    "top=0: pass an integer": lambda: of_coefs(top=0),
    "shown has 7, .* one of": lambda: of_coefs(shown=[7]),
    r"shown=\[0\]: two classes": lambda: PathDisplay([1], coefs=[[[1]]], classes=[0, 1], shown=[0]),
    "label='b' has no panel: pass one of .*'a'": lambda: of_coefs(shown=["a", "c"]).largest("b"),
    "label=None has no panel": lambda: of_scores().largest(),
    "ax has 2 axes: pass 1": lambda: of_scores().plot(Figure().subplots(1, 2)),
    "SoftmaxClassifier has chosen no penalty: .*CV": lambda: PathDisplay.from_estimator(NOT_CHOSEN),
    "LassoCV has chosen no penalty": lambda: PathDisplay.from_estimator(LASSO),
}
TYPE_ERRORS = {
    r"scores=\[1, 2\]: pass a dict": lambda: of_scores(scores=[1, 2]),
    "scores=array.*: pass a dict": lambda: of_scores(scores=np.ones(3)),
    "path=3: pass what linclf.path": lambda: PathDisplay.from_path(3),
    "ax=3: pass a matplotlib Axes": lambda: of_scores().plot(3),
}


@pytest.mark.parametrize("message", [*VALUE_ERRORS, *TYPE_ERRORS])
def test_bad_input_is_told_what_to_do(message):
    error = ValueError if message in VALUE_ERRORS else TypeError
    with pytest.raises(error, match=message):
        (VALUE_ERRORS | TYPE_ERRORS)[message]()
    assert plt.get_fignums() == []
