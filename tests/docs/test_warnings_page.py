"""docs/warnings.md lists every warning in the code, and each is given exactly when the page says so.

Warnings are errors here, so a call that passes gives no warning. Tested elsewhere: the kernel cache
(test_numba.py), streams of other versions (test_model_damage.py), cv="loo" (test_leave_one_out.py), a
calibration that stops early (test_calibration.py).
"""

import ast
import pathlib
import re

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, scale

from linclf import (
    Batches,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
    path,
)
from linclf._training.train import NO_MINIMUM
from linclf.calibration import CalibratedClassifier, TemperatureScaling
from linclf.conformal import ConformalClassifier
from linclf.decisions import (
    LabelThresholdClassifier,
    RecallAtPrecision,
    RejectClassifier,
    ThresholdClassifier,
)

ROOT = pathlib.Path(__file__).resolve().parents[2]
# variables whose texts are found where they are defined
FORWARDED = {"train.py": ["message"], "cache.py": ["text"], "archive.py": ["note"]}
OF_FILES = [
    "the steps of scikit-learn in this model were saved under version",
    "has saved this stream, and linclf",
]


def texts():
    """(place, fixed parts of the text) for every warning in the package."""
    for file in sorted((ROOT / "linclf").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            passed_on = getattr(node.args[0], "id", None) in FORWARDED.get(file.name, ())
            if name in ("warn", "warn_once") and not passed_on:
                inside = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
                yield (
                    f"{file.relative_to(ROOT)}:{node.lineno}",
                    [one for one in inside if isinstance(one, str)],
                )
            elif name == "append" and getattr(node.args[0], "id", None) == "NO_MINIMUM":
                yield f"{file.relative_to(ROOT)}:{node.lineno}", [NO_MINIMUM]


def test_the_page_names_every_warning():
    page = re.sub(r"\s+", " ", (ROOT / "docs/warnings.md").read_text(encoding="utf-8"))
    found = dict(texts())
    assert len(found) >= 14
    assert all(text in page for text in OF_FILES)
    for place, parts in found.items():
        words = [part.strip(" .:;,")[:60] for part in parts]
        assert any(len(part) >= 15 and part in page for part in words), f"{place}: {words}"
    assert "docs/warnings.md" in (ROOT / "README.md").read_text(encoding="utf-8")


X, Y = load_iris(return_X_y=True)
TWO = X[Y < 2], Y[Y < 2]
WINE = load_wine(return_X_y=True)
RARE = np.where(np.arange(150) == 7, 3, Y)
INDICATOR = np.random.default_rng(0).normal(size=(400, 30)) * (np.arange(400)[:, None] % 31 == np.arange(30))


def split_wine(rows=WINE[0]):
    X, X_val, y, y_val = train_test_split(rows, WINE[1], random_state=0, stratify=WINE[1])
    return X, y, X_val, y_val


def with_validation(model, X, y, X_val, y_val):
    return model.fit(X, y, X_val=X_val, y_val=y_val)


def pipeline(transform_input, **fit):
    X, y, X_val, y_val = split_wine()
    steps = [("scale", StandardScaler()), ("c", SoftmaxClassifier(random_state=0))]
    if not transform_input:
        return Pipeline(steps).fit(X, y, c__X_val=X_val, c__y_val=y_val)
    scaled = scale(X), y, StandardScaler().fit(X).transform(X_val), y_val
    return with_validation(SoftmaxClassifier(random_state=0), *scaled)


def batches(scaler):
    X, y, X_val, y_val = split_wine()
    rows = Batches(lambda: [(scale(X), y)])
    return SoftmaxClassifier(random_state=0).fit(rows, X_val=scaler(X_val), y_val=y_val)


CASES = {
    "newton max_iter": (
        r"max_iter=1 iterations were not enough: the objective is estimated to be",
        lambda: SoftmaxClassifier(solver="newton", max_iter=1).fit(X, Y),
        lambda: SoftmaxClassifier(solver="newton").fit(X, Y),
    ),
    "lbfgs max_iter": (
        r"max_iter=2 iterations were not enough: the objective is estimated to be",
        lambda: SoftmaxClassifier(solver="lbfgs", max_iter=2).fit(X, Y),
        lambda: SoftmaxClassifier(solver="lbfgs", max_iter=2, tol=None).fit(X, Y),
    ),
    "dual max_iter": (
        r"max_iter=1 iterations were not enough: the objective is at most",
        lambda: SVMClassifier(solver="dual", max_iter=1).fit(X, Y),
        lambda: SVMClassifier(solver="dual").fit(X, Y),
    ),
    "epochs": (
        "max_iter=3 epochs were not enough to reach tol=",
        lambda: SoftmaxClassifier(schedule="constant", batch_size=8, max_iter=3, random_state=0).fit(X, Y),
        lambda: SoftmaxClassifier(schedule="linear", batch_size=8, max_iter=3, random_state=0).fit(X, Y),
    ),
    "separable": (
        "alpha=0 and the classes are separable: the objective has no minimum",
        lambda: SoftmaxClassifier(alpha=0, random_state=0).fit(*TWO),
        lambda: SoftmaxClassifier(alpha=1e-4, random_state=0).fit(*TWO),
    ),
    "raw wine and cosines": (
        "the standard deviations of the columns of X.* is a loss on cosines.*use standardize=True",
        lambda: MarginSoftmaxClassifier(random_state=0).fit(*WINE),
        lambda: MarginSoftmaxClassifier(random_state=0, standardize=True).fit(*WINE),
    ),
    "a pipeline that does not transform X_val": (
        r"columns of X_val lie many standard deviations from those of X, .* transform_input",
        lambda: pipeline(False),
        lambda: pipeline(True),
    ),
    "X_val of a search": (
        "columns of X_val lie many standard deviations from those of X",
        lambda: with_validation(SoftmaxClassifierCV(alphas=3), scale(WINE[0]), WINE[1], *split_wine()[2:]),
        lambda: with_validation(SoftmaxClassifierCV(alphas=3), *split_wine(scale(WINE[0]))),
    ),
    "X_val beside batches": (
        "columns of X_val lie many standard deviations from those of X",
        lambda: batches(lambda rows: rows),
        lambda: batches(scale),
    ),
    "rare values in X_val are not far": (
        "columns of X_val lie many standard deviations",
        lambda: with_validation(
            SoftmaxClassifier(), INDICATOR, np.arange(400) % 2, INDICATOR[:40] + 5, np.arange(40) % 2
        ),
        lambda: with_validation(
            SoftmaxClassifier(), INDICATOR, np.arange(400) % 2, INDICATOR[:12], np.arange(12) % 2
        ),
    ),
    "a search whose fits are far": (
        r"\d+ of \d+ fits may be far from their minimum",
        lambda: SoftmaxClassifierCV(alphas=[1e-6], max_iter=1, refit=False).fit(X, Y),
        lambda: SoftmaxClassifierCV(alphas=[1e-6], refit=False).fit(X, Y),
    ),
    "a path whose models are far": (
        r"2 of 2 models may be far from their minimum, the first one with alpha=",
        lambda: path(X, Y, [1e-5, 1e-6], estimator=SoftmaxClassifier(max_iter=1)),
        lambda: path(X, Y, [1e-5, 1e-6]),
    ),
    "a fold of a search lacks a class": (
        "a fold of cv trains on no row of class 3, .* do not count in scores",
        lambda: SoftmaxClassifierCV(alphas=3, cv=KFold(5)).fit(
            X[::-1][::7], np.where(np.arange(22) == 5, 3, np.arange(22) % 3)
        ),
        lambda: SoftmaxClassifierCV(alphas=3, cv=5).fit(X, Y),
    ),
    "a fold of a calibration lacks a class": (
        "a fold of cv trains on no row of class 3, .* do not calibrate",
        lambda: CalibratedClassifier(SoftmaxClassifier()).fit(X, RARE),
        lambda: CalibratedClassifier(SoftmaxClassifier()).fit(X, Y),
    ),
    "weights that a classifier does not take": (
        "takes no sample_weight, so that only the calibrator uses it",
        lambda: CalibratedClassifier(KNeighborsClassifier()).fit(X, Y, sample_weight=1.0 + Y),
        lambda: CalibratedClassifier(KNeighborsClassifier()).fit(X, Y, sample_weight=1.0 + 0 * Y),
    ),
    "rows that calibrate are of unknown classes": (
        r"50 of 150 rows that calibrate are of classes that the estimator does not know, such as 2; no set",
        lambda: ConformalClassifier(FrozenEstimator(SoftmaxClassifier().fit(*TWO))).fit(X, Y),
        lambda: ConformalClassifier(FrozenEstimator(SoftmaxClassifier().fit(*TWO))).fit(*TWO),
    ),
    "classes with few rows to calibrate": (
        r"1 of 4 classes have too few rows to calibrate coverage=0\.9, which needs 9 .* in every set",
        lambda: (
            ConformalClassifier(SoftmaxClassifier(), taxonomy="class", random_state=0)
            .fit(X, RARE)
            .predict_set(X)
        ),
        lambda: ConformalClassifier(SoftmaxClassifier(), random_state=0).fit(X, RARE).predict_set(X),
    ),
    "a fold of a decision lacks a class": (
        "a fold of cv trains on no row of class 3, .* do not count for the offsets",
        lambda: ThresholdClassifier(SoftmaxClassifier()).fit(X, RARE),
        lambda: ThresholdClassifier(SoftmaxClassifier()).fit(X, Y),
    ),
    "weights that only a decision uses": (
        "takes no sample_weight, so that only the coverage uses it",
        lambda: RejectClassifier(KNeighborsClassifier(), coverage=0.9).fit(X, Y, sample_weight=1.0 + Y),
        lambda: RejectClassifier(KNeighborsClassifier(), coverage=0.9).fit(X, Y, sample_weight=1.0 + 0 * Y),
    ),
    "a precision that is not reached": (
        "no threshold reaches .* on the held-out rows for label 0, which is never predicted",
        lambda: LabelThresholdClassifier(SoftmaxClassifier(), criterion=RecallAtPrecision(0.9)).fit(
            X, np.arange(150) % 2
        ),
        lambda: LabelThresholdClassifier(SoftmaxClassifier(), criterion=RecallAtPrecision(0.9)).fit(X, Y > 0),
    ),
    "a temperature without a lowest": (
        "the true class comes first in every row",
        lambda: TemperatureScaling(alpha=0).fit([[1.0, 0.0], [0.0, 1.0]], [0, 1]),
        lambda: TemperatureScaling(alpha=0).fit([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]], [0, 1, 0]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_warning_comes(case):
    message, comes, _ = CASES[case]
    with pytest.warns((UserWarning, ConvergenceWarning), match=message):
        comes()


@pytest.mark.parametrize("case", CASES)
def test_a_warning_does_not_come(case):
    CASES[case][2]()
