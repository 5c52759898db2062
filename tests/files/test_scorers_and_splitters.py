"""Scorers and splitters in model files: those of scikit-learn are kept, others refused with what to do."""

import json
import zipfile

import numpy as np
import pytest
from sklearn import config_context, model_selection
from sklearn.metrics import cohen_kappa_score, f1_score, get_scorer, get_scorer_names, make_scorer
from sklearn.model_selection import GroupKFold, KFold
from test_model_file import FAST, NUMBERS, TEXT, X, through_file

import linclf
from linclf import SoftmaxClassifier, SoftmaxClassifierCV
from linclf._files.sklearn_parts import SPLITTERS
from linclf.calibration import CalibratedClassifier
from linclf.decisions import (
    LabelThresholdClassifier,
    RecallAtPrecision,
    RejectClassifier,
    ThresholdClassifier,
)

ARGUMENTS = {
    "LeavePOut": {"p": 2},
    "LeavePGroupsOut": {"n_groups": 2},
    "PredefinedSplit": {"test_fold": NUMBERS},
    "LeaveOneOut": {},
    "LeaveOneGroupOut": {},
    "GroupKFold": {"n_splits": 4},
    "TimeSeriesSplit": {"n_splits": 3, "gap": 2, "max_train_size": 40},
    "KFold": {"n_splits": 3, "shuffle": True, "random_state": 5},
    "RepeatedKFold": {"n_splits": 3, "n_repeats": 2, "random_state": 0},
    "RepeatedStratifiedKFold": {"n_splits": 3, "n_repeats": 2, "random_state": np.random.RandomState(3)},
    "ShuffleSplit": {"n_splits": 2, "test_size": 0.3, "random_state": np.random.RandomState(3)},
    "StratifiedShuffleSplit": {"train_size": 0.5, "random_state": 1},
    "GroupShuffleSplit": {"n_splits": 2, "test_size": 3, "random_state": 1},
}


def test_all_splitters_of_scikit_learn_are_known():
    made = {cls for cls in vars(model_selection).values() if isinstance(cls, type) and hasattr(cls, "split")}
    assert set(SPLITTERS.values()) == {cls for cls in made if not cls.__name__.startswith("Base")}


@pytest.mark.parametrize("name", SPLITTERS)
def test_a_splitter_splits_as_before(name, tmp_path):
    splitter = SPLITTERS[name](**ARGUMENTS.get(name, {"n_splits": 2}))
    model = RejectClassifier(SoftmaxClassifier(), coverage=0.9, cv=splitter)
    read = through_file(model, tmp_path).cv
    assert type(read) is type(splitter)
    assert "RandomState" in repr(splitter) or repr(read) == repr(splitter)
    few = slice(30) if name.startswith("LeaveP") else slice(None)
    data = X[few], NUMBERS[few], (np.arange(120) % 7)[few] if "Group" in name else None
    for found, expected in zip(read.split(*data), splitter.split(*data), strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


def test_a_request_of_a_splitter_is_kept(tmp_path):
    with config_context(enable_metadata_routing=True):
        splitter = GroupKFold(3).set_split_request(groups="person")
        read = through_file(CalibratedClassifier(SoftmaxClassifier(), cv=splitter), tmp_path)
        assert read.cv.get_metadata_routing().split.requests == {"groups": "person"}


def test_a_fitted_decision_with_both_predicts_the_same(tmp_path):
    model = ThresholdClassifier(
        SoftmaxClassifier(**FAST), scoring=get_scorer("f1_macro"), cv=KFold(3, shuffle=True)
    ).fit(X, TEXT)
    read = through_file(model, tmp_path)
    np.testing.assert_array_equal(read.offsets_, model.offsets_)
    np.testing.assert_array_equal(read.predict(X), model.predict(X))
    assert read.scoring(read, X, TEXT) == f1_score(TEXT, model.predict(X), average="macro")
    linclf.save(read, tmp_path / "again.linclf")
    assert (tmp_path / "again.linclf").read_bytes() == (tmp_path / "model.linclf").read_bytes()


def test_each_name_is_of_one_scorer(tmp_path):
    for name in get_scorer_names():
        read = through_file(SoftmaxClassifierCV(scoring=get_scorer(name)), tmp_path).scoring
        assert vars(read) == vars(get_scorer(name))


class Odd(KFold):
    pass


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scoring": make_scorer(cohen_kappa_score)}, r"Classifier\.scoring is .*make_scorer\(cohen_kappa"),
        ({"scoring": make_scorer(f1_score, average="macro", zero_division=1)}, r"pass the name of a scorer"),
        ({"scoring": lambda estimator, X, y: 0.0}, r"set_params\(scoring='accuracy'\) .*no prediction"),
        ({"cv": iter([])}, r"pass a number of folds, a splitter of scikit-learn or a list"),
        ({"cv": Odd(3)}, r"Classifier\.cv is .*Odd.*set_params\(cv=None\)"),
    ],
)
def test_others_are_refused_and_what_the_error_says_works(parameters, message, tmp_path):
    model = ThresholdClassifier(SoftmaxClassifier(**FAST), cv=3).fit(X, TEXT).set_params(**parameters)
    with pytest.raises(TypeError, match=message):
        linclf.save(model, tmp_path / "model.linclf")
    (name,) = parameters
    model.set_params(**{name: {"scoring": "accuracy", "cv": None}[name]})
    read = through_file(model, tmp_path)
    np.testing.assert_array_equal(read.predict(X), model.predict(X))


def test_a_criterion_with_confidence_is_kept(tmp_path):
    model = LabelThresholdClassifier(SoftmaxClassifier(), criterion=RecallAtPrecision(0.9, confidence=0.95))
    assert through_file(model, tmp_path).criterion == RecallAtPrecision(0.9, 0.95)


@pytest.mark.parametrize(
    ("parameter", "node"),
    [
        ("scoring", {"scorer": "system"}),
        ("scoring", {"scorer": None}),
        ("scoring", {"scorer": ["accuracy"]}),
        ("cv", {"splitter": ["LogisticRegression", {}, {}]}),
        ("cv", {"splitter": ["KFold", {"n_splits": 1}, {}]}),
        ("cv", {"splitter": ["KFold", {"folds": 3}, {}]}),
        ("cv", {"splitter": ["KFold", {"n_splits": 3}, {"__class__": {}}]}),
    ],
)
def test_other_names_in_a_file_are_refused(parameter, node, tmp_path):
    path = tmp_path / "model.linclf"
    linclf.save(ThresholdClassifier(SoftmaxClassifier(), scoring=get_scorer("accuracy"), cv=KFold(3)), path)
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    (name,) = [name for name in parts if name.endswith(".json")]
    content = json.loads(parts[name])
    content["model"]["estimator"][1][parameter] = node
    parts[name] = json.dumps(content).encode()
    with zipfile.ZipFile(path, "w") as file:
        for each, data in parts.items():
            file.writestr(each, data)
    with pytest.raises(ValueError, match=r"model\.linclf"):
        linclf.load(path)
