"""Annotations: every function outside kernels has them, and results of public calls have known types."""

import ast
import json
import pathlib
import subprocess
import sys

import pytest

import linclf

PACKAGE = pathlib.Path(linclf.__file__).parent
# code that Numba compiles, and code that replaces or describes it during compilation
COMPILED = {
    *("bare", "compiled", "compiled_fast", "inlined", "intrinsic", "kernel"),
    *("generic", "overload", "register"),
}

HEADER = """
from typing import NamedTuple

import numpy as np

from scipy.sparse import csr_array

from linclf import (
    LinearClassifier,
    LinearEmbedding,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
    effective_number_weights,
)
from linclf.calibration import CalibratedClassifier, TemperatureScaling
from linclf.decisions import CostSensitiveClassifier, RejectClassifier, ThresholdClassifier
from linclf.conformal import ConformalClassifier
from linclf.embedding import NTXent
from linclf.functional import entmax, gumbel_max, info_nce, logsumexp, softmax
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.losses import check_loss, row_loss, value_and_gradient
from linclf.metrics import entropy_doubt, expected_calibration_error, reliability_curve
from linclf.optimizers import Adam, Averaged


class Brier(NamedTuple):
    weight: float = 1.0
    shift_invariant = False


@row_loss.register(Brier)
def squared_distance(loss, scores, y):
    scores[y] -= 1.0
    value = loss.weight * (scores**2).sum()
    scores *= 2.0 * loss.weight
    return value


X = np.eye(3)
y = np.array([0, 1, 2])
check_loss(Brier(0.5))
"""

FUNCTIONS = {
    "softmax(X)": "ndarray",
    "entmax([[1.0, 2.0]], alpha=1.5)": "ndarray",
    "logsumexp(X)": "ndarray",
    "gumbel_max(X, size=2)": "ndarray",
    "info_nce(X, X)": "tuple[float, tuple[ndarray",
    "value_and_gradient(Brier(), X, y)": "tuple[float | ndarray",
    "value_and_gradient('focal', X, y)[1]": "ndarray",
    "expected_calibration_error(y, X)": "float",
    "reliability_curve(y, X).accuracy": "ndarray",
    "entropy_doubt(X)": "ndarray",
    "TemperatureScaling().fit(X, y)": "TemperatureScaling",
    "TemperatureScaling().fit(X, y).predict_proba(X)": "ndarray",
    "TemperatureScaling().fit(X, y).classes_": "ndarray",
    "effective_number_weights(['a', 'b', 'b'])": "dict[Hashable, float]",
    "Averaged(Adam()).n_slots": "int",
}

CLASSIFIERS = {
    "SoftmaxClassifier().fit(X, y)": "SoftmaxClassifier",
    "SoftmaxClassifier().fit(X, y).predict(X)": "ndarray",
    "SoftmaxClassifier().fit(X, y).predict_topk(X, 2)": "ndarray",
    "SoftmaxClassifier().fit(X, y).predict_proba(X)": "ndarray",
    "SoftmaxClassifier().fit(X, y).predict_log_proba(X)": "ndarray",
    "SoftmaxClassifier().fit(X, y).predict_proba_of(X, 1)": "ndarray",
    "SoftmaxClassifier().fit(X, y).decision_function(X)": "ndarray",
    "SoftmaxClassifier().fit(X, y).score(X, y)": "float",
    "SoftmaxClassifier().fit(X, y, X_val=X, y_val=y)": "SoftmaxClassifier",
    "SoftmaxClassifier().partial_fit(X, y, classes=[0, 1, 2])": "SoftmaxClassifier",
    "SoftmaxClassifier().fit(csr_array(X), y).predict(csr_array(X))": "ndarray",
    "SoftmaxClassifier().coef_": "ndarray",
    "SoftmaxClassifier().classes_": "ndarray",
    "SoftmaxClassifier().history_": "dict[str, list[float]]",
    "SoftmaxClassifier(solver=Averaged(Adam()), tol=None, max_iter=5)": "SoftmaxClassifier",
    "SoftmaxClassifier(calibration=TemperatureScaling())": "SoftmaxClassifier",
    "MarginSoftmaxClassifier(scale=8.0).fit(X, y).constant_": "float",
    "SVMClassifier().fit(X, y).predict(X)": "ndarray",
    "LinearEmbedding(loss=NTXent(dropout=0.5)).fit(X).transform(X)": "ndarray",
    "LinearEmbedding(loss='center').fit(X, y).centers_": "ndarray",
    "LinearClassifier(loss='focal').fit(X, y)": "LinearClassifier",
    "LinearClassifier(loss=Brier(0.5)).fit(X, y).decision_function(X)": "ndarray",
    "SampledSoftmaxClassifier(n_sampled=2).partial_fit(X, y, [0, 1, 2])": "SampledSoftmaxClassifier",
    "NCEClassifier().fit(X, y).log_partition(X)": "ndarray",
    "AdaptiveSoftmaxClassifier(cutoffs=[1]).fit(X, y).predict(X)": "ndarray",
    "AdaptiveSoftmaxClassifier().head_.W": "ndarray",
    "HierarchicalSoftmaxClassifier(tree=['0', '10', '11']).fit(X, y).predict_topk(X, 2)": "ndarray",
    "HierarchicalSoftmaxClassifier().tree_.codes": "list[str]",
    "CalibratedClassifier(SoftmaxClassifier()).fit(X, y).predict(X)": "ndarray",
    "CalibratedClassifier(SoftmaxClassifier()).fit(X, y).predict_proba(X)": "ndarray",
    "CostSensitiveClassifier(SoftmaxClassifier()).fit(X, y).expected_cost(X)": "ndarray",
    "ThresholdClassifier(SoftmaxClassifier()).fit(X, y).predict(X)": "ndarray",
    "ThresholdClassifier(SoftmaxClassifier()).fit(X, y).predict_proba(X)": "ndarray",
    "ThresholdClassifier(SoftmaxClassifier()).fit(X, y).best_score_": "float",
    "RejectClassifier(SoftmaxClassifier(), coverage=0.9).fit(X, y).accepts(X)": "ndarray",
    "ConformalClassifier(SoftmaxClassifier()).fit(X, y).predict_set(X, 0.9)": "csr_array",
    "ConformalClassifier(SoftmaxClassifier()).fit(X, y).predict(X)": "ndarray",
    "ConformalClassifier(SoftmaxClassifier()).fit(X, y).predict_proba(X)": "ndarray",
}

ARGUMENTS = [
    "softmax(X, axis='classes')",
    "TemperatureScaling(alpha='large')",
    "check_loss(Brier)",
    "SoftmaxClassifier(alpha='small')",
    "SoftmaxClassifier(batch_size='all')",
    "SoftmaxClassifier(solver=Adam)",
    "LinearClassifier(loss=Brier)",
]
NAMES = [
    "SoftmaxClassifier(C=0.1)",
    "SoftmaxClassifier(margin=1.0)",
    "SoftmaxClassifier(coef_=X)",
    "HierarchicalSoftmaxClassifier(batch_size=8)",
    "SoftmaxClassifier().fit(X, y, weights=y)",
]


def checked(script, folder):
    """The report of the type checker on a script: pairs of a severity and a message."""
    pytest.importorskip("basedpyright")
    (folder / "script.py").write_text(script)
    config = {"typeCheckingMode": "standard", "extraPaths": [str(PACKAGE.parent)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run([*command, "--project", folder], capture_output=True, text=True)
    found = json.loads(run.stdout)["generalDiagnostics"]
    return [(each["severity"], each["message"]) for each in found]


def check_results(expected, folder):
    """Every expression has a type that begins as expected, and no part of it is unknown."""
    lines = [f"reveal_type({expression})" for expression in expected]
    found = checked(HEADER + "\n".join(lines), folder)
    assert [message for severity, message in found if severity != "information"] == []
    revealed = [message.rpartition('" is "')[2].removesuffix('"') for _, message in found]
    assert len(revealed) == len(expected)
    for (expression, start), shown in zip(expected.items(), revealed, strict=True):
        assert shown.startswith(start), (expression, shown)
        # NumPy uses Any for "any number of axes" and for the Python type of a number
        known = shown.replace("tuple[Any, ...]", "tuple").replace("generic[Any]", "generic")
        assert "Any" not in known, (expression, shown)
        assert "Unknown" not in known, (expression, shown)


def test_results_of_functions_have_types(tmp_path):
    check_results(FUNCTIONS, tmp_path)


def test_results_of_classifiers_have_types(tmp_path):
    check_results(CLASSIFIERS, tmp_path)


@pytest.mark.parametrize(
    ("lines", "start"),
    [(ARGUMENTS, 'Argument of type "'), (NAMES, 'No parameter named "')],
    ids=["types", "names"],
)
def test_wrong_arguments_are_errors(lines, start, tmp_path):
    found = checked(HEADER + "\n".join(lines), tmp_path)
    errors = [message for severity, message in found if severity == "error"]
    assert len(errors) == len(lines), errors
    assert all(message.startswith(start) for message in errors)


def test_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


def name_of(decorator):
    """``register`` of ``@row_loss.register(Brier)``."""
    while isinstance(decorator, ast.Call):
        decorator = decorator.func
    return decorator.attr if isinstance(decorator, ast.Attribute) else decorator.id


def functions_in(node):
    """The functions in a tree that Numba does not compile."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            if not COMPILED.isdisjoint(map(name_of, child.decorator_list)):
                continue
            yield child
        yield from functions_in(child)


def lacking(function):
    """The parameters without annotation, and "return" if it has none."""
    each = function.args
    parameters = [*each.posonlyargs, *each.args, each.vararg, *each.kwonlyargs, each.kwarg]
    names = [one.arg for one in parameters if one is not None and one.annotation is None]
    names = [name for name in names if name not in ("self", "cls")]
    return names if function.returns is not None else [*names, "return"]


def test_every_function_outside_of_kernels_is_annotated():
    found, count = [], 0
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        compiled = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            and not COMPILED.isdisjoint(map(name_of, node.decorator_list))
        }
        for function in functions_in(tree):
            if function.name in compiled:  # the twin that runs without Numba
                continue
            count += 1
            if lacking(function):
                where = f"{path.relative_to(PACKAGE)}:{function.lineno}"
                found.append(f"{where} {function.name}: {', '.join(lacking(function))}")
    assert found == []
    assert count > 800
