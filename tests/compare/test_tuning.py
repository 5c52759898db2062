"""The penalty chosen along a path equals that of separate fits for each penalty and fold."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from linclf._compare import tuning
from linclf._compare.candidates import known_candidates
from linclf._compare.tuning import ALPHAS, Rows, choose_alpha


def rows_of(load):
    X, y = load(return_X_y=True)
    return Rows(StandardScaler().fit_transform(X), y, y, np.unique(y), 1)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
@pytest.mark.parametrize("name", ["softmax", "squared-weston-watkins"])
def test_the_path_chooses_what_single_fits_choose(name, load, monkeypatch):
    rows, candidate = rows_of(load), known_candidates()[name]
    folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(rows.X, rows.y))
    by_path = choose_alpha(candidate, ALPHAS, rows, folds, "accuracy")
    monkeypatch.setattr(tuning, "_has_path", lambda *_: False)
    one_by_one = choose_alpha(candidate, ALPHAS, rows, folds, "accuracy")
    assert by_path.alpha == one_by_one.alpha
    assert by_path.warnings == 0


def test_folds_without_a_class_are_fitted_one_by_one():
    rows = rows_of(load_iris)
    folds = list(KFold(3).split(rows.X, rows.y))
    candidate = known_candidates()["softmax"]
    assert not tuning._has_path(candidate, ALPHAS, rows, folds)
    assert choose_alpha(candidate, ALPHAS, rows, folds, "accuracy").alpha in ALPHAS
    assert not tuning._has_path(candidate, [0.0, 1.0], rows, folds[:1])
