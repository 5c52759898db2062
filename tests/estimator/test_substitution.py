"""Tests of scikit-learn and imbalanced-learn pass with linclf's classifiers instead of scikit-learn's.

The installed test files are used. `substitution.py` lists the tests that fail, each with its reason. Others
are skipped because array libraries or an older scikit-learn are missing.
"""

import os
import pathlib
import subprocess
import sys
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn
import sklearn.linear_model
import sklearn.svm
import substitutes
from sklearn.base import clone
from sklearn.datasets import load_iris

TESTS = pathlib.Path(substitutes.__file__).resolve().parent


def run_with_substitutes(package: ModuleType, file: str, folder: pathlib.Path) -> int:
    """Run a test file of a package; only listed tests may fail. Returns how many tests fit linclf."""
    root = pathlib.Path(package.__file__).resolve().parent
    config, results = folder / "pytest.ini", folder / "results.xml"
    config.write_text("[pytest]\n", encoding="utf-8")  # else pytest might use that of this project
    command = [sys.executable, "-m", "pytest", "-p", "substitution", "-p", "no:cacheprovider", "-c", config]
    command += ["--rootdir", root.parent, "--confcutdir", root.parent, "--junitxml", results, root / file]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    noted = ElementTree.parse(results).iterfind(".//testcase/properties/property[@name='fits']")
    return sum(int(one.get("value")) > 0 for one in noted)


@pytest.mark.parametrize(
    ("file", "fitting"), [("ensemble/tests/test_bagging.py", 70), ("tests/test_calibration.py", 60)]
)
def test_scikit_learn(file, fitting, tmp_path):
    assert run_with_substitutes(sklearn, file, tmp_path) >= fitting


def test_imbalanced_learn(tmp_path):
    imblearn = pytest.importorskip("imblearn", reason="imbalanced-learn is not installed")
    assert run_with_substitutes(imblearn, "tests/test_pipeline.py", tmp_path) >= 15


# ---------------------------------------------------------------- the substitutes

SUBSTITUTES = ["LogisticRegression", "LinearSVC", "SVC", "SGDClassifier", "Perceptron"]
NO_INTERCEPT = {"fit_intercept": False, "max_iter": 100_000}  # LinearSVC penalises the intercept
NAMESAKES = [
    (sklearn.linear_model.LogisticRegression, {"solver": "newton-cholesky"}, [0, 1, 2], weights)
    for weights in (None, "balanced", {1: 3.0})
]
NAMESAKES += [
    (namesake, given, [1, 2], weights)
    for namesake, given in [
        (sklearn.linear_model.LogisticRegression, {"solver": "newton-cholesky"}),
        (sklearn.svm.LinearSVC, NO_INTERCEPT),
        (sklearn.svm.SVC, {"kernel": "linear"}),
    ]
    for weights in (None, {1: 3.0})
]
# with more classes, LinearSVC weights a class only against the rest, not as part of the rest of another class
NAMESAKES += [(sklearn.svm.LinearSVC, NO_INTERCEPT, [0, 1, 2], None)]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("namesake", "given", "classes", "class_weight"), NAMESAKES)
def test_the_optimum_is_that_of_the_namesake(namesake, given, classes, class_weight, weighted):
    X, y = load_iris(return_X_y=True)
    X, y = X[np.isin(y, classes)][10:], y[np.isin(y, classes)][10:]
    weights = np.random.RandomState(0).uniform(0.5, 2.0, len(y)) if weighted else None
    parameters = {"C": 0.3, "tol": 1e-8, "class_weight": class_weight, **given}
    expected = namesake(**parameters).fit(X, y, sample_weight=weights)
    substitute = getattr(substitutes, namesake.__name__)(**parameters)
    substitute.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(substitute.coef_, expected.coef_, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("name", SUBSTITUTES)
def test_a_substitute_has_the_parameters_of_its_namesake(name):
    namesake = getattr(sklearn.svm if name.endswith("SVC") else sklearn.linear_model, name)
    model = getattr(substitutes, name)(tol=0.5, random_state=3)
    assert model.get_params() == namesake(tol=0.5, random_state=3).get_params()
    model.fit(*load_iris(return_X_y=True))
    assert clone(model).get_params() == model.get_params() == namesake(tol=0.5, random_state=3).get_params()


def test_probability_is_a_calibration():
    X, y = load_iris(return_X_y=True)
    assert substitutes.SVC(probability=True, random_state=0).fit(X, y).predict_proba(X).shape == (150, 3)
    assert not hasattr(substitutes.SVC().fit(X, y), "predict_proba")
