"""Custom losses: training with them, findings of `check_loss`, and other messages."""

import os
import pickle
import subprocess
import sys
import textwrap
from numbers import Real
from typing import NamedTuple

import numpy as np
import pytest
from cases import LOSS_CASES, table
from numba import njit
from own_losses import OwnHinge, OwnSoftmax, cross_entropy, own_hinge, own_softmax, plain, registered
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.utils._param_validation import Interval

from linclf import LinearClassifier, SoftmaxClassifier
from linclf._training.fit import copies_of
from linclf.functional import softmax
from linclf.heads import Cosine
from linclf.losses import (
    Focal,
    Softmax,
    row_loss,
    soft_row_loss,
    value_and_gradient,
)
from linclf.losses._evaluation import curvature
from linclf.losses._names import loss_for


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("solver", ["sgd", "lbfgs", "newton"])
@pytest.mark.parametrize("said", [{}, {"shift_invariant": True}], ids=["nothing said", "said"])
def test_one_vector_of_two_classes_if_the_class_says_so(said, solver):
    """By default both scores of a loss are free; for this loss the optimum is the same."""

    @njit
    def of_one_temperature(loss, scores, y):
        return cross_entropy(OwnSoftmax(1.0), scores, y)

    X, y = load_breast_cancer(return_X_y=True)
    loss = registered(of_one_temperature, curvature=lambda loss, n_classes: 0.5, **said)
    assert copies_of(loss, 2) == (2 if said else 1)
    own = LinearClassifier(loss=loss, solver=solver, random_state=0).fit(X, y)
    ours = SoftmaxClassifier(solver=solver, random_state=0).fit(X, y)
    assert own.history_["objective"][-1] == pytest.approx(ours.history_["objective"][-1], rel=1e-4)


def test_two_scores_of_which_not_only_the_difference_counts():
    """Both vectors are trained: with a single vector the optimum would be different."""

    @njit
    def of_each_score(loss, scores, y):
        value = 0.0
        for k in range(scores.size):
            sign = -1.0 if k == y else 1.0
            wrong = np.log1p(np.exp(sign * scores[k]))
            slope = sign / (1.0 + np.exp(-sign * scores[k]))
            value += wrong if k == y else wrong**2
            scores[k] = slope if k == y else 2.0 * wrong * slope
        return value

    X, y = load_breast_cancer(return_X_y=True)
    losses = registered(of_each_score), registered(of_each_score, shift_invariant=True)
    honest, wrong = (LinearClassifier(loss=loss, solver="lbfgs", alpha=0.01).fit(X, y) for loss in losses)
    assert honest.history_["objective"][-1] < 0.99 * wrong.history_["objective"][-1]


def test_a_loss_that_does_not_say_that_all_scores_count_is_trained_all_the_same():
    """Newton's method used to assume the default, and never moved the mean of the intercepts."""

    @njit
    def of_each_score(loss, scores, y):
        value = 0.0
        for k in range(scores.size):
            sign = -1.0 if k == y else 1.0
            value += np.log1p(np.exp(sign * scores[k]))
            scores[k] = sign / (1.0 + np.exp(-sign * scores[k]))
        return value

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 2)), rng.integers(3, size=300)
    silent, honest = registered(of_each_score), registered(of_each_score, shift_invariant=False)
    models = [
        LinearClassifier(loss=loss, solver=solver, alpha=1e-2, tol=1e-8).fit(X, y)
        for loss, solver in ((silent, "newton"), (silent, "lbfgs"), (honest, "newton"))
    ]
    least = [model.history_["objective"][-1] for model in models]
    np.testing.assert_allclose(least, least[1], rtol=1e-8)
    assert abs(models[0].intercept_.mean()) > 0.5  # all scores of three rare classes are below 0


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs", "newton"])
def test_training_is_that_of_the_same_loss_of_the_package(iris, solver):
    X, y = iris
    tol = 1e-8 if solver in ("lbfgs", "newton") else "auto"
    own = LinearClassifier(loss=OwnSoftmax(), solver=solver, tol=tol, random_state=0).fit(X, y)
    ours = SoftmaxClassifier(solver=solver, tol=tol, random_state=0).fit(X, y)
    # another scale of steps and another path, but the same optimum
    assert own.history_["objective"][-1] == pytest.approx(ours.history_["objective"][-1], rel=3e-3)
    if solver in ("lbfgs", "newton"):
        np.testing.assert_allclose(own.coef_, ours.coef_, atol=1e-2)


def test_mini_batches_soft_labels_sparse_rows_and_streams():
    from scipy import sparse

    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32) / 16
    for data, target in ((X, y), (sparse.csr_array(X), y), (X, np.eye(10)[y])):
        model = LinearClassifier(loss=OwnHinge(), max_iter=20, random_state=0).fit(data, target)
        assert (model.predict(data) == y).mean() > 0.95
    stream = LinearClassifier(loss=OwnHinge(), random_state=0)
    for start in range(0, 1500, 100):
        stream.partial_fit(X[start : start + 100], y[start : start + 100], classes=np.arange(10))
    assert stream.score(X[1500:], y[1500:]) > 0.85


def test_probabilities_are_there_where_the_class_has_them(iris):
    assert not hasattr(LinearClassifier(loss=OwnSoftmax()), "predict_proba")

    class WithProbabilities(NamedTuple):
        temperature: float = 1.0

        def probabilities(self, scores):
            return softmax(scores / scores.dtype.type(self.temperature))

    row_loss.register(WithProbabilities)(own_softmax)
    X, y = iris
    model = LinearClassifier(loss=WithProbabilities(0.5), random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), softmax(2 * model.decision_function(X)))
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))


def test_limits_are_checked():
    class Limited(NamedTuple):
        width: float = 1.0
        limits = {"width": Interval(Real, 0, None, closed="neither")}

    row_loss.register(Limited)(own_hinge)
    with pytest.raises(ValueError, match=r"'width' parameter of Limited must be .* Got -1 instead"):
        LinearClassifier(loss=Limited(-1)).fit([[0.0], [1.0]], [0, 1])


# ---------------------------------------------------------------- scripts, notebooks, modules

LOSS_SOURCE = """
    from typing import NamedTuple
    import numpy as np
    from linclf.losses import row_loss

    class Scaled(NamedTuple):
        factor: float = 1.0

    @row_loss.register(Scaled)
    def scaled(loss, scores, y):
        scores -= scores.max()
        target = scores[y]
        scores[:] = np.exp(scores)
        total = scores.sum()
        scores /= total
        scores[y] -= 1
        scores *= loss.factor
        return FACTOR * (np.log(total) - target)
"""


def run(script, folder, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


@pytest.mark.exhaustive  # because each process compiles
def test_a_script_and_its_worker_processes(tmp_path):
    """Worker processes get the class by value, including its row function."""
    body = """
    from sklearn.datasets import load_iris
    from sklearn.model_selection import GridSearchCV
    from linclf import LinearClassifier

    if __name__ == "__main__":
        X, y = load_iris(return_X_y=True)
        grid = {"loss": [Scaled(), Scaled(2.0)]}
        search = GridSearchCV(LinearClassifier(max_iter=50), grid, n_jobs=2, cv=3, error_score="raise")
        print(search.fit(X, y).best_score_ > 0.9)
    """
    (tmp_path / "script.py").write_text(
        textwrap.dedent(LOSS_SOURCE.replace("FACTOR", "loss.factor")) + textwrap.dedent(body)
    )
    assert run("script.py", tmp_path) == ["True"]


@pytest.mark.exhaustive
def test_an_edit_of_a_module_is_never_served_from_the_cache(tmp_path):
    (tmp_path / "script.py").write_text(
        "from linclf.losses import value_and_gradient\n"
        "from own_module import Scaled\n"
        "print(value_and_gradient(Scaled(), [0.0, 0.0], 0)[0])\n"
    )
    found = []
    for factor in (1, 3):
        (tmp_path / "own_module.py").write_text(textwrap.dedent(LOSS_SOURCE.replace("FACTOR", str(factor))))
        found += run("script.py", tmp_path, LINCLF_CACHE=str(tmp_path / "cache"), PYTHONDONTWRITEBYTECODE="1")
    np.testing.assert_allclose(np.array(found, float), np.log(2) * np.array([1, 3]))
    assert not list((tmp_path / "cache").rglob("*.nbc"))


def test_a_class_defined_anew_is_another_loss():
    """As happens when a notebook cell runs again."""
    values = []
    for factor in (1.0, 5.0):
        scope = {}
        exec(textwrap.dedent(LOSS_SOURCE.replace("FACTOR", str(factor))), scope)
        values.append(value_and_gradient(scope["Scaled"](), [0.0, 0.0], 0)[0])
    np.testing.assert_allclose(values, np.log(2) * np.array([1, 5]))


def test_a_class_with_the_name_of_another_runs_its_own_code():
    """Numba names machine code by the bare name of a class."""
    ours = value_and_gradient(Softmax(), [0.0, 0.0], 0)
    theirs = type("Softmax", (NamedTuple("Softmax", [("a", float), ("b", float)]),), {"__slots__": ()})

    @row_loss.register(theirs)
    def of_others(loss, scores, y):
        scores[:] = 7.0
        return 42.0

    assert value_and_gradient(theirs(0.0, 1.0), [0.0, 0.0], 0)[0] == 42
    np.testing.assert_array_equal(value_and_gradient(Softmax(), [0.0, 0.0], 0)[1], ours[1])


def test_another_row_function_for_the_same_class_is_refused():
    with pytest.raises(ValueError, match=r"OwnHinge has its row_loss already.*define the class anew"):
        row_loss.register(OwnHinge)(own_softmax)


def test_fitted_models_are_stored_and_read(iris):
    X, y = iris
    model = LinearClassifier(loss=OwnSoftmax(), random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.decision_function(X), model.decision_function(X))


# ---------------------------------------------------------------- what is missing


def one(self, n_classes):
    return 1.0


def returns_nothing(loss, scores, y):
    scores[:] = 0.0


def returns_nothing_for_rare_scores(loss, scores, y):
    scores[:] = 0.0
    if scores[y] < 1e9:
        return 1.0


def calls_what_numba_does_not_know(loss, scores, y):
    return sorted(scores, key=str)[0]


@njit
def of_one(score):
    return score


def calls_with_too_many_arguments(loss, scores, y):
    return of_one(scores[y], 1.0)


@pytest.mark.parametrize("soft", [False, True], ids=["classes", "soft labels"])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (returns_nothing, "returns None, and must return the loss, a float"),
        (returns_nothing_for_rare_scores, "returns None for some scores, and must return the loss, a float"),
        (calls_what_numba_does_not_know, r"fails: .*sorted.*\(line \d+ of .*test_own_loss\.py\)"),
        (calls_with_too_many_arguments, r"fails: .*too many positional arguments.*test_own_loss\.py\)"),
    ],
)
def test_a_row_function_that_does_not_compile(function, message, soft, iris):
    loss = registered(function, curvature=one)
    where = rf"a row function of Own\w* does not compile with Numba: {function.__name__}, its row_loss, "
    X, y = iris
    with pytest.raises(TypeError, match=where + message):
        LinearClassifier(loss=loss).fit(X, np.eye(3)[y] if soft else y)


def of_two(loss, scores):
    return 0.0


def of_four(loss, scores, y, weight):
    return 0.0


@pytest.mark.parametrize("verb", [row_loss, soft_row_loss], ids=["row_loss", "soft_row_loss"])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (of_two, r"of_two\(loss, scores\) has to be a function of \(loss, scores, "),
        (of_four, r"of_four\(loss, scores, y, weight\) has to be a function of \(loss, scores, "),
        (max, r"<built-in function max> is not a function; pass a plain one of \(loss, scores, "),
        (1.0, r"1\.0 is not a function"),
    ],
)
def test_what_is_no_row_function_is_not_registered(verb, function, message):
    cls = type("Own", (NamedTuple("Own", [("gamma", float)]),), {"__slots__": ()})
    with pytest.raises(TypeError, match=rf"{verb.__name__}\.register\(Own\): " + message):
        verb.register(cls)(function)
    assert verb.find(cls) is None


def test_a_compiled_function_is_taken_as_what_it_was_compiled_from():
    loss = registered(njit(plain))
    assert row_loss.find(type(loss)) is plain
    value, gradient = value_and_gradient(loss, [1.0, 0.0], 0)
    expected = value_and_gradient(OwnSoftmax(), [1.0, 0.0], 0)
    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


@pytest.mark.parametrize("thing", [returns_nothing, Softmax], ids=["function", "class"])
def test_a_verb_without_register(thing):
    with pytest.raises(TypeError, match=r"row_loss\(<.*>\): nothing is registered.*@row_loss\.register\("):
        row_loss(thing)


@pytest.mark.parametrize("name", ["curvature", "resolved", "watched", "probabilities", "log_probabilities"])
def test_a_number_in_the_place_of_a_method(name, iris):
    loss = registered(plain, **{name: 1.0})
    with pytest.raises(TypeError, match=rf"{name}=1\.0 of Own\w* has to be a method"):
        LinearClassifier(loss=loss).fit(*iris)


@pytest.mark.parametrize(
    "limits", [{"width": Interval(Real, 0, 1, closed="left")}, 1.0], ids=["field", "number"]
)
def test_limits_that_are_not_of_its_fields(limits, iris):
    loss = registered(plain, limits=limits)
    with pytest.raises(TypeError, match=r"limits=.* of Own\w* has to be a dict from fields \(\['gamma'\]\)"):
        LinearClassifier(loss=loss).fit(*iris)


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        (OwnSoftmax, TypeError, r"loss=<class .*OwnSoftmax'> is a class; pass an object, OwnSoftmax\(\)"),
        ("softmaxx", ValueError, r"loss='softmaxx' is unknown; did you mean 'softmax'\? Use one of \['arcf"),
        (None, TypeError, r"loss=None is not a loss: use one of \['arcface', "),
    ],
    ids=["class", "name", "None"],
)
def test_what_is_no_loss_is_refused_by_the_classifier(loss, error, message, iris):
    with pytest.raises(error, match=message):
        LinearClassifier(loss=loss).fit(*iris)


def infinite(loss, scores, y):
    scores[:] = 0.0
    return np.inf


def of_infinite_slope(loss, scores, y):
    scores[:] = np.inf
    return 1.0


@pytest.mark.parametrize("function", [infinite, of_infinite_slope])
@pytest.mark.parametrize("said", [True, False], ids=["curvature", "nothing"])
def test_a_loss_that_is_not_finite(function, said, iris):
    loss = registered(function, **({"curvature": one} if said else {}))
    with pytest.raises(
        ValueError, match=r"Own\w*\(gamma=1\.0\) is .*inf.* at scores \[0\. .* have to be finite"
    ):
        LinearClassifier(loss=loss).fit(*iris)


def constant(loss, scores, y):
    scores[:] = 0.0
    return 0.0


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"curvature": lambda self, n: 0.0},
        {"curvature": lambda self, n: float("nan")},
        {"curvature": lambda self, n: None},
    ],
)
def test_a_loss_without_a_unit_of_steps(attributes, iris):
    with pytest.raises(ValueError, match=r"give its class a method curvature\(self, n_classes\)"):
        LinearClassifier(loss=registered(constant, **attributes)).fit(*iris)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_the_measured_curvature_is_near_that_which_the_class_would_say(n_classes):
    for temperature in (0.1, 1.0, 10.0):
        declared = Softmax(temperature=temperature).curvature(n_classes)
        assert declared / 3 < curvature(OwnSoftmax(temperature), n_classes) < 3 * declared


def test_fields_that_are_no_numbers():
    with pytest.raises(TypeError, match=r"temperature='hot' of OwnSoftmax is not a number"):
        loss_for(OwnSoftmax("hot"), 3)


def test_a_soft_row_function_that_does_not_compile(iris):
    loss = registered(plain)

    @soft_row_loss.register(type(loss))
    def writes_into_labels(loss, scores, q):
        q[0] = 0.0
        return 1.0

    X, y = iris
    with pytest.raises(
        TypeError, match=r"Numba: writes_into_labels, its soft_row_loss, fails: .*(read-?only|setitem)"
    ):
        LinearClassifier(loss=loss).fit(X, np.eye(3)[y])


def test_a_soft_row_function_that_comes_too_late():
    loss = registered(plain)
    value_and_gradient(loss, [0.0, 1.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="has its soft_row_loss already"):
        soft_row_loss.register(type(loss))(plain)


def test_what_is_no_class_is_not_registered():
    for thing in (Softmax(), int, "softmax"):
        with pytest.raises(TypeError, match="pass a NamedTuple class"):
            row_loss.register(thing)


def test_a_loss_on_cosines_needs_a_scale():
    with pytest.raises(TypeError, match=r"head=.*Cosine.*a field scale"):
        loss_for(registered(plain, head=Cosine), 3)
    with pytest.raises(TypeError, match=r"head='cosine' of Own"):
        loss_for(registered(plain, head="cosine"), 3)


def halved(loss, scores, y):
    value = cross_entropy(OwnSoftmax(1.0), scores, y)
    scores *= 0.5
    return 0.5 * value


def test_a_stream_goes_on_with_the_loss_it_is_given():
    """Losses with equal fields are equal tuples, even if they come from a notebook cell that ran twice."""
    X, y = load_iris(return_X_y=True)

    def stream(*parts):
        model = LinearClassifier(batch_size=8, random_state=0)
        for parameters in parts:
            model.set_params(**parameters).partial_fit(X, y, classes=[0, 1, 2])
        return model.coef_

    own, redefined = registered(plain), registered(halved)
    for name, before, after in [
        ("loss", "weston-watkins", "crammer-singer"),
        ("loss", own, redefined),
        ("solver", "momentum", "nesterov"),
    ]:
        assert before == after or isinstance(before, str)
        went_on, changed = stream({name: before}, {}), stream({name: before}, {name: after})
        assert np.abs(changed - went_on).max() > 1e-3 * np.abs(went_on).max()


# ---------------------------------------------------------------- numbers


@table([case for case in LOSS_CASES if not case.on_cosines])
def test_value_and_gradient_of_one_row_and_of_many(case):
    scores, y = case.scores(5, 4), np.array([0, 3, 1, 2, 0])
    values, gradient = value_and_gradient(case.loss, scores, y)
    before = scores.copy()
    for i in range(5):
        value, row = value_and_gradient(case.loss, scores[i], y[i])
        assert isinstance(value, float)
        assert value == pytest.approx(case.value(scores[i], y[i]), rel=1e-11, abs=1e-13)
        assert value == values[i]
        np.testing.assert_array_equal(row, gradient[i])
    np.testing.assert_array_equal(scores, before)


def test_value_and_gradient_takes_probabilities_lists_and_float32():
    values, gradient = value_and_gradient("softmax", [[0, 0], [1, 1]], [[0.5, 0.5], [1.0, 0.0]])
    np.testing.assert_allclose(values, np.log(2))
    np.testing.assert_allclose(gradient, [[0, 0], [-0.5, 0.5]], atol=1e-15)
    assert value_and_gradient(Focal(), np.zeros((3, 2), np.float32), [0, 1, 1])[1].dtype == np.float32


@pytest.mark.parametrize(
    ("scores", "y", "error", "message"),
    [
        ([1.0, 2.0], 2, ValueError, r"class indices 2 to 2; they must lie in 0 \.\.\. 1"),
        ([1.0, 2.0], -1, ValueError, r"class indices -1"),
        ([1.0, 2.0], [0, 1], ValueError, r"y has shape \(2,\), and scores have \(2,\)"),
        ([[1.0, 2.0]], [0.5], TypeError, "y has dtype float64"),
        ([1.0], 0, ValueError, r"scores have shape \(1,\)"),
        (np.zeros((2, 2, 2)), [0, 1], ValueError, r"use \(K,\) or \(n, K\)"),
        ([1.0, 2.0], "a", TypeError, "y has dtype <U1"),
        ([[0.0, 1.0], [np.nan, 1.0]], [0, 1], ValueError, "scores have NaN in row 1"),
        ([0.0, 1.0], [3.0, 4.0], ValueError, r"row 0 is \[3\. 4\.\] .*sum to 1"),
        ([0.0, 1.0], [np.nan, 1.0], ValueError, "must be non-negative and sum to 1"),
    ],
)
def test_value_and_gradient_refuses(scores, y, error, message):
    with pytest.raises(error, match=message):
        value_and_gradient("softmax", scores, y)
