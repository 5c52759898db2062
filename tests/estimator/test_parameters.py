"""The table of parameters: constructors, validation and docstrings are generated from it, and agree."""

import ast
import dataclasses
import inspect
import pathlib
import pickle
import re
import subprocess
import sys
from numbers import Real

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.utils._param_validation import Interval, InvalidParameterError

from linclf import SoftmaxClassifier, SoftmaxClassifierCV, SparsemaxClassifier, classifiers, large
from linclf._estimator.declared import Declared, attribute, not_offered, parameter, shown
from linclf._estimator.parameters import CommonParameters

CLASSIFIERS = {name: getattr(module, name) for module in (classifiers, large) for name in module.__all__}
EACH = pytest.mark.parametrize("cls", [pytest.param(cls, id=name) for name, cls in CLASSIFIERS.items()])


def entries(cls, section):
    """(name, type, words) of each entry in a section of the docstring."""
    text = inspect.getdoc(cls).partition(f"\n{section}\n---")[2].partition("\n\n")[0] + "\n"
    found = re.findall(r"^(\w+) : (.*)\n((?:    .*\n)+)", text, re.MULTILINE)
    return [(name, type_, " ".join(words.split())) for name, type_, words in found]


@EACH
def test_each_entry_is_complete(cls):
    for name, entry in cls._declared.items():
        assert entry.type, name
        assert entry.description.strip(), name
        assert entry.annotation is not None, name
        assert (entry.constraint is not None) == entry.is_parameter, name


@EACH
def test_docstring_names_each_parameter_once(cls):
    assert sorted(name for name, _, _ in entries(cls, "Parameters")) == sorted(cls().get_params())


@EACH
def test_documented_defaults_are_those_of_the_constructor(cls):
    documented = {
        name: ast.literal_eval(type_.rpartition(", default=")[2])
        for name, type_, _ in entries(cls, "Parameters")
    }
    signature = inspect.signature(cls).parameters
    assert documented == {name: one.default for name, one in signature.items()} == cls().get_params()
    assert {one.kind for one in signature.values()} == {inspect.Parameter.KEYWORD_ONLY}


@EACH
def test_fitted_attributes_are_documented(cls):
    model = cls(calibration="temperature", early_stopping=True, max_iter=1, random_state=0)
    assert not [name for name in cls._declared if name.endswith("_") and hasattr(model, name)]
    model.fit(*load_iris(return_X_y=True))
    documented = [name for name, _, _ in entries(cls, "Attributes")]
    assert len(set(documented)) == len(documented)
    assert {name for name in vars(model) if re.fullmatch(r"[a-z]\w*_", name)} <= set(documented)


@EACH
def test_own_entries_come_first(cls):
    names = [name for name, _, _ in entries(cls, "Parameters")]
    own = [name for name in inspect.get_annotations(cls) if name in names]
    assert names[: len(own)] == own
    assert list(inspect.signature(cls).parameters) == names


@EACH
def test_constraint_errors_name_the_parameter(cls):
    cls()._validate_params()
    for name in cls().get_params():
        if name == "loss":  # the losses are listed by `linclf.losses`
            continue
        with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of {cls.__name__} must be"):
            cls(**{name: object()}).fit([[0.0], [1.0]], [0, 1])


PARAMETERS = {name for name, entry in CommonParameters._declared.items() if entry.is_parameter}


@EACH
def test_what_is_not_offered_has_the_default_of_the_table(cls):
    for name in PARAMETERS - set(cls._declared):
        assert getattr(cls(), name) == CommonParameters._declared[name].default
        with pytest.raises(TypeError, match=f"{cls.__name__}.*{name}"):
            cls(**{name: None})
        with pytest.raises(ValueError, match=f"Invalid parameter '{name}'"):
            cls().set_params(**{name: None})


@pytest.mark.parametrize(
    ("cls", "never"),
    [(large.HierarchicalSoftmaxClassifier, {"optimality_gap_"}), (SoftmaxClassifierCV, {"calibrator_"})],
)
def test_attributes_that_a_class_never_has_are_not_documented(cls, never):
    assert set(CommonParameters._declared) - PARAMETERS - set(cls._declared) == never
    assert all(f"{name} :" not in cls.__doc__ for name in never)


def test_not_offered():
    missing = {name: PARAMETERS - set(cls._declared) for name, cls in CLASSIFIERS.items()}
    norms = {"penalty", "l1_ratio"}
    assert {name: names for name, names in missing.items() if names} == {
        "MarginSoftmaxClassifier": norms,
        "AdaptiveSoftmaxClassifier": {"on_new_class"} | norms,
        "HierarchicalSoftmaxClassifier": {"average", "batch_size", "n_jobs", "on_new_class"} | norms,
        "NCEClassifier": {"average"} | norms,
        "SampledSoftmaxClassifier": {"average"} | norms,
    }


@EACH
def test_docstrings_speak_of_lbfgs_where_it_is_a_solver(cls):
    words = {name: words for name, _, words in entries(cls, "Parameters")}
    alike = "Number of epochs without progress, as defined by `tol`, after which training stops."
    if cls.__name__ in ("HierarchicalSoftmaxClassifier", "NCEClassifier", "SampledSoftmaxClassifier"):
        with pytest.raises(InvalidParameterError, match="solver"):
            cls(solver="lbfgs").fit([[0.0], [1.0]], [0, 1])
        assert "lbfgs" not in cls.__doc__
        assert words["n_iter_no_change"] == alike
    else:
        exact = 'For "newton" and "lbfgs" it applies to the validation loss only.'
        assert words["n_iter_no_change"] == f"{alike} {exact}"


def test_classifiers_are_no_dataclasses():
    """dask and others identify dataclasses by their fields alone, and would confuse two fits."""
    assert not any(map(dataclasses.is_dataclass, CLASSIFIERS.values()))


def test_constructor_is_that_of_the_class():
    assert SparsemaxClassifier.__init__.__qualname__ == "SparsemaxClassifier.__init__"
    with pytest.raises(TypeError, match=r"SparsemaxClassifier.__init__\(\) .* 'alhpa'"):
        SparsemaxClassifier(alhpa=1)
    with pytest.raises(TypeError, match="positional"):
        SoftmaxClassifier(1e-3)


def test_without_docstrings():
    code = """if True:
        from linclf import classifiers, large
        for module in (classifiers, large):
            for name in module.__all__:
                model = getattr(module, name)(alpha=0.5)
                print(model, model.__doc__)
    """
    root = pathlib.Path(__file__).resolve().parent.parent
    run = subprocess.run(
        [sys.executable, "-OO", "-c", code], capture_output=True, text=True, timeout=120, cwd=root
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [f"{name}(alpha=0.5) None" for name in CLASSIFIERS]


# ------------------------------------------------------------ classes of users


class WithConstructor(SoftmaxClassifier):
    """Mine."""

    def __init__(self, *, strength=1.0):
        super().__init__(alpha=1 / strength)
        self.strength = strength


class Inheriting(WithConstructor):
    pass


class WithParameters(SoftmaxClassifier):
    """Softmax with one more.

    Parameters
    ----------
    {parameters}
    """

    alpha: float = parameter(default=0.5)
    strength: float = parameter(
        default=2.0,
        constraint=[Interval(Real, 0, None, closed="left")],
        type="float >= 0",
        description="How strong.",
    )


@pytest.mark.parametrize("cls", [WithConstructor, Inheriting])
def test_subclass_with_a_constructor(cls):
    model = cls(strength=100.0)
    assert model.get_params() == clone(model).get_params() == {"strength": 100.0}
    X, y = load_iris(return_X_y=True)
    expected = SoftmaxClassifier(alpha=0.01).fit(X, y).predict_proba(X)
    assert (model.fit(X, y).predict_proba(X) == expected).all()
    assert cls.__doc__ == ("Mine." if cls is WithConstructor else None)


def test_subclass_with_parameters():
    model = WithParameters(strength=3.0)
    assert (model.alpha, model.strength, model.temperature) == (0.5, 3.0, 1.0)
    assert repr(model) == "WithParameters(strength=3.0)"
    assert pickle.loads(pickle.dumps(clone(model))).get_params() == model.get_params()
    words = {name: words for name, _, words in entries(WithParameters, "Parameters")}
    assert words["strength"] == "How strong."
    assert words["alpha"].startswith("The strength of the penalty, by default ``alpha/2")
    assert "alpha : float >= 0, default=0.5\n" in WithParameters.__doc__
    with pytest.raises(InvalidParameterError, match="'strength' parameter of WithParameters"):
        WithParameters(strength=-1.0).fit([[0.0], [1.0]], [0, 1])


def test_subclass_with_constraints_in_a_dict():
    class Strict(SoftmaxClassifier):
        _parameter_constraints = SoftmaxClassifier._parameter_constraints | {"alpha": [None]}

    with pytest.raises(InvalidParameterError, match="'alpha' parameter of Strict must be None"):
        Strict().fit([[0.0], [1.0]], [0, 1])


def test_subclass_that_takes_something_back():
    class Base(Declared, BaseEstimator):
        """Base.

        Parameters
        ----------
        {parameters}

        Attributes
        ----------
        {attributes}
        """

        a: int = parameter(default=1, constraint=["boolean"], type="int", description="First.")
        b: int = parameter(default=2, constraint=["boolean"], type="int", description="Second.")
        c_: int = attribute(type="int", description="Third.")

    class Fewer(Base):
        """{parameters} {attributes}"""

        b: int = not_offered()
        c_: int = attribute(description="Another.")

    class More(Fewer):
        b: int = parameter(default=5, constraint=["boolean"], type="int", description="Again.")

    assert Base.__doc__ == (
        "Base.\n\nParameters\n----------\na : int, default=1\n    First.\nb : int, default=2\n    Second.\n\n"
        "Attributes\n----------\nc_ : int\n    Third."
    )
    assert (Base(a=3).get_params(), Base().b) == ({"a": 3, "b": 2}, 2)
    assert Fewer.__doc__ == "a : int, default=1\n    First. c_ : int\n    Another."
    assert (Fewer(a=3).get_params(), Fewer().b) == ({"a": 3}, 2)
    assert (More().get_params(), Fewer().b) == ({"b": 5, "a": 1}, 2)
    assert not hasattr(More(), "c_")


@pytest.mark.parametrize(
    ("default", "text"),
    [(1e-4, "1e-4"), (2.5e-8, "2.5e-8"), (0.1, "0.1"), (0.0, "0.0"), (5, "5"), ("sgd", '"sgd"')],
)
def test_defaults_are_shown_as_they_are_written(default, text):
    assert shown(default) == text
