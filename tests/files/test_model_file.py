"""linclf.save and load: a whole model and its stream, in a file that runs no code, or a clear refusal.

pickle, joblib and skops are tested in test_ecosystem.py.
"""

import importlib
import inspect
import itertools
import json
import os
import pathlib
import pickle
import pkgutil
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from versions import HAS_CALLBACKS

import linclf
from linclf import (
    EntmaxClassifier,
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SparsemaxClassifier,
    SVMClassifier,
)
from linclf._files.values import classes
from linclf.calibration import CalibratedClassifier, TemperatureScaling, VectorScaling
from linclf.conformal import RAPS, SCORES, TAXONOMIES, Clustered, ConformalClassifier
from linclf.decisions import (
    CostSensitiveClassifier,
    ErrorCosts,
    LabelThresholdClassifier,
    RejectClassifier,
    ThresholdClassifier,
)
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.losses import LOSSES, Focal
from linclf.optimizers import OPTIMIZERS, Adam, Averaged

# too few iterations for the default solver
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FAST = {"max_iter": 3, "random_state": 0}
DATA = pathlib.Path(__file__).resolve().parent / "golden"
rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
SPARSE = sparse.csr_array(np.where(X > 0.5, X, 0))
NUMBERS = np.arange(120) % 3
TEXT = np.array(["barolo", "grignolino", "barbera"])[NUMBERS]


def calibrated_svm():
    return CalibratedClassifier(SVMClassifier(**FAST), method="dirichlet", cv=3).fit(X, TEXT)


def frozen():
    svm = SVMClassifier(**FAST).fit(X[:60], TEXT[:60])
    return CalibratedClassifier(FrozenEstimator(svm), method="platt").fit(X[60:], TEXT[60:])


def conformal(**settings):
    return ConformalClassifier(SoftmaxClassifier(**FAST), random_state=0, **settings).fit(X, TEXT)


def conformal_frozen():
    """Rows of an unknown class have an infinite score."""
    model = SoftmaxClassifier(**FAST).fit(X, NUMBERS)
    with pytest.warns(UserWarning, match="rows that calibrate are of classes"):
        return ConformalClassifier(FrozenEstimator(model), random_state=0).fit(X, np.arange(120) % 4)


def stream(labels=NUMBERS, X=X, **settings):
    model = SoftmaxClassifier(**FAST, **settings)
    return model.partial_fit(X[:60], labels[:60], classes=np.unique(labels))


def large_stream(cls, X=X, **settings):
    return cls(**FAST, **settings).partial_fit(X[:60], NUMBERS[:60], classes=[0, 1, 2])


def cosine_stream():
    return MarginSoftmaxClassifier(**FAST).partial_fit(SPARSE[:60], NUMBERS[:60], classes=[0, 1, 2])


def with_names(frame):
    import pandas

    names = ["sepal length", "sepal width", "petal length", "petal width"]
    return frame(pandas.DataFrame(X, columns=names), TEXT)


FITTED = {
    "softmax": lambda: SoftmaxClassifier(**FAST).fit(X, TEXT),
    "sparsemax": lambda: SparsemaxClassifier(**FAST).fit(X, NUMBERS),
    "entmax of two classes": lambda: EntmaxClassifier(**FAST).fit(X, NUMBERS == 1),
    "focal float32": lambda: FocalClassifier(**FAST).fit(X.astype(np.float32), NUMBERS),
    "svm sparse": lambda: SVMClassifier(**FAST).fit(SPARSE, NUMBERS),
    "cosines": lambda: MarginSoftmaxClassifier(**FAST).fit(X, TEXT),
    "loss object": lambda: LinearClassifier(loss=Focal(gamma=1), solver=Adam(beta1=0.8), **FAST).fit(X, TEXT),
    "calibration": lambda: SVMClassifier(calibration="vector", early_stopping=True, **FAST).fit(X, TEXT),
    "calibrator object": lambda: SoftmaxClassifier(
        calibration=VectorScaling(alpha=2.0), early_stopping=True, **FAST
    ).fit(X, NUMBERS),
    "sampled": lambda: SampledSoftmaxClassifier(n_sampled=2, rank=2, **FAST).fit(SPARSE, TEXT),
    "noise": lambda: NCEClassifier(**FAST).fit(X, TEXT),
    "tree": lambda: HierarchicalSoftmaxClassifier(tree=["0", "10", "11"], rank=3, **FAST).fit(X, TEXT),
    "adaptive": lambda: AdaptiveSoftmaxClassifier(cutoffs=[1], **FAST).fit(X, TEXT),
    "names": lambda: with_names(SoftmaxClassifier(**FAST).fit),
    "calibrated": calibrated_svm,
    "frozen": frozen,
    "conformal": conformal,
    "conformal objects": lambda: conformal(
        conformity_score=RAPS(penalty=0.1), taxonomy=Clustered(n_clusters=2)
    ),
    "conformal frozen": conformal_frozen,
    "costs": lambda: CostSensitiveClassifier(SoftmaxClassifier(**FAST), 1 - np.eye(3)).fit(X, TEXT),
    "costs of pairs": lambda: CostSensitiveClassifier(
        SoftmaxClassifier(**FAST), {("no", "yes"): 1, ("yes", "no"): 9.5}
    ).fit(X, np.where(NUMBERS == 1, "yes", "no")),
    "thresholds": lambda: ThresholdClassifier(SVMClassifier(**FAST), scoring="f1_macro", cv=2).fit(X, TEXT),
    "threshold of a label": lambda: LabelThresholdClassifier(
        SoftmaxClassifier(**FAST), criterion=ErrorCosts(false_negative=3.0), cv=2
    ).fit(X, NUMBERS == 1),
    "rejection": lambda: RejectClassifier(SoftmaxClassifier(**FAST), coverage=0.7, cv=2).fit(X, TEXT),
    "stream": stream,
}
STREAMS = {
    "sgd": stream,
    "averaged adam": lambda: stream(solver=Averaged(Adam()), learning_rate=0.01),
    "float32": lambda: stream(X=X.astype(np.float32)),
    "sparse": lambda: stream(X=SPARSE),
    "two classes": lambda: stream(NUMBERS == 1),
    "cosines, sparse": cosine_stream,
    "sampled": lambda: large_stream(SampledSoftmaxClassifier, n_sampled=2),
    "noise, sparse": lambda: large_stream(NCEClassifier, SPARSE, n_sampled=2, solver="adam"),
    "tree": lambda: large_stream(HierarchicalSoftmaxClassifier, solver="momentum"),
    "tree, sparse": lambda: large_stream(HierarchicalSoftmaxClassifier, SPARSE, solver="adagrad"),
}


def through_file(model, folder):
    linclf.save(model, folder / "model.linclf")
    return linclf.load(folder / "model.linclf")


def assert_same(a, b, where="model"):
    """Bitwise equal, with the same types at every level."""
    assert type(a) is type(b), where
    if isinstance(a, np.ndarray):
        by_columns = [
            array.ndim > 1 and array.flags.f_contiguous for array in (a, b)
        ]  # BLAS may sum in another order
        assert (a.dtype, a.shape, by_columns[0]) == (b.dtype, b.shape, by_columns[1]), where
        assert a.flags.writeable, where
        if a.dtype == object:
            assert_same(a.tolist(), b.tolist(), where)
        else:
            assert a.tobytes() == b.tobytes(), where
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for number, pair in enumerate(zip(a, b, strict=True)):
            assert_same(*pair, f"{where}[{number}]")
    elif isinstance(a, dict):
        assert_same(list(a), list(b), f"keys of {where}")
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, np.random.RandomState):
        assert_same(a.get_state(legacy=False), b.get_state(legacy=False), where)
    elif hasattr(a, "__dict__"):
        assert_same(a.__getstate__(), b.__getstate__(), where)
    else:
        assert a == b or a != a, where


def answers(model, X):
    found = [model.predict(X), model.predict_proba(X) if hasattr(model, "predict_proba") else None]
    return [*found, model.decision_function(X) if hasattr(model, "decision_function") else None]


# ---------------------------------------------------------------- what survives


@pytest.mark.parametrize("name", FITTED)
def test_everything_survives(name, tmp_path):
    model = FITTED[name]()
    read = through_file(model, tmp_path)
    assert_same(read, model)
    data = with_names(lambda X, y: X) if name == "names" else X
    assert_same(answers(read, data), answers(model, data))
    again = tmp_path / "again.linclf"
    linclf.save(read, again)
    assert again.read_bytes() == (tmp_path / "model.linclf").read_bytes()  # it contains no time of day


READ = """
import pathlib, pickle, sys, linclf
X = pickle.loads(pathlib.Path(sys.argv[2]).read_bytes())
results = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.linclf")):
    model = linclf.load(path)
    proba = model.predict_proba(X) if hasattr(model, "predict_proba") else None
    scores = model.decision_function(X) if hasattr(model, "decision_function") else None
    results[path.stem] = [model.predict(X), proba, scores]
pathlib.Path(sys.argv[2]).write_bytes(pickle.dumps(results))
"""


def run(script, *arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(linclf.__file__).parent.parent)}
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_fresh_process_predicts_bitwise_the_same(tmp_path):
    expected, names = {}, set(FITTED) - {"names"}
    for name in names:
        model = FITTED[name]()
        linclf.save(model, tmp_path / f"{name}.linclf")
        expected[name] = answers(model, X)
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(X))
    run(READ, tmp_path, tmp_path / "data.pkl")
    found = pickle.loads((tmp_path / "data.pkl").read_bytes())
    assert set(found) == names
    for name in names:
        assert_same(found[name], expected[name], name)


@pytest.mark.parametrize("name", STREAMS)
def test_streams_go_on_bitwise(name, tmp_path):
    model = STREAMS[name]()
    read = through_file(model, tmp_path)
    assert_same(read, model)
    more = SPARSE if "sparse" in name else X.astype(model.coef_.dtype)
    labels = NUMBERS == 1 if len(model.classes_) == 2 else NUMBERS
    for one in (model, read):
        one.partial_fit(more[60:], labels[60:])
    del model.history_["seconds"], read.history_["seconds"]
    assert_same(read, model)


@pytest.mark.parametrize(
    "labels",
    [
        NUMBERS.astype(np.int8),
        2**62 - NUMBERS,
        NUMBERS / 1.0,
        NUMBERS == 0,
        TEXT,
        TEXT.astype(object),
        np.array(["ж", "", "a\udc80"], object)[NUMBERS],
        NUMBERS.astype(">i4"),
    ],
    ids=lambda labels: f"{labels.dtype} {labels[0]!r}",
)
def test_labels_keep_their_type(labels, tmp_path):
    model = SoftmaxClassifier(**FAST).fit(X, labels)
    read = through_file(model, tmp_path)
    assert_same(read, model)
    assert_same(read.predict(X), model.predict(X))


def test_classes_of_bytes(tmp_path):
    """scikit-learn's check of labels refuses them in fit."""
    model = SoftmaxClassifier(**FAST).fit(X, TEXT)
    model.classes_ = np.char.encode(model.classes_)
    assert_same(
        through_file(model, tmp_path).predict(X),
        np.char.encode(linclf.SoftmaxClassifier(**FAST).fit(X, TEXT).predict(X)),
    )


PARAMETERS = [
    {"class_weight": {0: 1.0, 1: 2, np.int64(2): np.float32(0.5)}},
    {"class_weight": {"a": 1.0, b"b": 2.0, 1.5: 3.0, True: 4.0, np.str_("c"): 1, None: float("inf")}},
    {"random_state": np.random.RandomState(5)},
    {"random_state": np.int32(5)},
    {"solver": Averaged(Adam(beta2=0.99))},
    {"alpha": float("nan"), "tol": None, "n_jobs": -1, "schedule": "cosine", "max_iter": 10**30},
    {"calibration": TemperatureScaling(input="probabilities")},
    {"calibration": VectorScaling().fit([[0.0, 1.0], [2.0, 0.0], [0.0, 0.5]], ["a", "b", "a"])},
]


@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda parameters: ", ".join(parameters))
def test_parameters_of_a_model_that_is_not_fitted(parameters, tmp_path):
    if "random_state" in parameters and not isinstance(parameters["random_state"], np.int32):
        parameters["random_state"].normal(size=3)
    model = LinearClassifier(loss="focal", **parameters)
    read = through_file(model, tmp_path)
    assert_same(read, model)
    assert read.get_params().keys() == model.get_params().keys()


def test_requests_of_metadata_survive(tmp_path):
    with config_context(enable_metadata_routing=True):
        model = SoftmaxClassifier().set_fit_request(sample_weight="mass", X_val=True)
        read = through_file(model, tmp_path)
        assert read.get_metadata_routing()._serialize() == model.get_metadata_routing()._serialize()


def test_every_estimator_loss_and_optimizer_has_a_name_in_files():
    for module in pkgutil.walk_packages(linclf.__path__, "linclf."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    stack, found = list(BaseEstimator.__subclasses__()), set()
    while stack:
        cls = stack.pop()
        stack.extend(cls.__subclasses__())
        final = not (inspect.isabstract(cls) or cls.__name__.startswith(("Base", "_")))
        # estimators of linclf.dask are saved through `to_local`
        if cls.__module__.startswith("linclf.") and cls.__module__ != "linclf.dask" and final:
            found.add(cls)
    assert len(found) >= 12
    known = classes()
    named = [names.values() for names in (LOSSES, OPTIMIZERS, SCORES, TAXONOMIES)]
    for cls in itertools.chain(found, *named):
        assert known[cls.__name__] is cls
    assert len(set(known.values())) == len(known)


# ---------------------------------------------------------------- what is refused when saving


class Own(NamedTuple):
    gamma: float = 1.0


class Sub(SoftmaxClassifier):
    pass


def with_attribute(name, value):
    model = SoftmaxClassifier(**FAST).fit(X, NUMBERS)
    setattr(model, name, value)
    return model


FOREIGN = {
    "a loss of one's own": (lambda: LinearClassifier(loss=Own()), r"LinearClassifier\.loss is .*Own"),
    "a calibrator of others": (
        lambda: SoftmaxClassifier(calibration=LogisticRegression()),
        r"SoftmaxClassifier\.calibration is sklearn",
    ),
    "a classifier of others": (
        lambda: CalibratedClassifier(LogisticRegression()).fit(X, NUMBERS),
        r"CalibratedClassifier\.estimator is sklearn",
    ),
    "a splitter": (
        lambda: CalibratedClassifier(SVMClassifier(), cv=iter([])),
        r"\.cv is builtins\.list_iter",
    ),
    "a step of others": (
        lambda: make_pipeline(SplineTransformer(), SVMClassifier()),
        r"Pipeline\.steps\[0\]\[1\] is sklearn\..*SplineTransformer",
    ),
    "a step alone": (SplineTransformer, "save writes estimators of linclf"),
    "a subclass": (Sub, "save writes estimators of linclf"),
    "a class": (lambda: SoftmaxClassifier, "save writes estimators of linclf"),
    "a loss": (Focal, "save writes estimators of linclf"),
    "a function": (lambda: with_attribute("note_", len), r"SoftmaxClassifier\.note_ is"),
    "a method hidden": (lambda: with_attribute("predict", "no"), "predict hides a part of the class"),
    "a masked array": (lambda: with_attribute("note_", np.ma.array([1.0])), "MaskedArray"),
    "an array of records": (lambda: with_attribute("note_", np.zeros(1, "i4,f4")), "npy files cannot hold"),
}


@HAS_CALLBACKS
def test_callbacks_are_refused(tmp_path):
    progress = importlib.import_module("sklearn.callback").ProgressBar()
    with pytest.raises(TypeError, match="remove them with set_callbacks"):
        linclf.save(SoftmaxClassifier().set_callbacks(progress), tmp_path / "model.linclf")


@pytest.mark.parametrize("name", FOREIGN)
def test_what_needs_code_is_refused(name, tmp_path):
    make, message = FOREIGN[name]
    with pytest.raises(TypeError, match=message) as caught:
        linclf.save(make(), tmp_path / "model.linclf")
    assert "pickle" in str(caught.value) or "hides" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("coef_", np.zeros((3, 5))),
        ("coef_", np.zeros((3, 4), int)),
        ("intercept_", np.array([0.0, np.nan, 0.0])),
        ("classes_", np.array([0])),
        ("feature_names_in_", np.array(["a"], object)),
        ("calibrator_", PARAMETERS[-1]["calibration"]),
    ],
)
def test_parts_that_do_not_fit_are_refused(attribute, value, tmp_path):
    with pytest.raises(
        ValueError, match=r"has shape|finite numbers|2 classes or more|which it does not have"
    ):
        linclf.save(with_attribute(attribute, value), tmp_path / "model.linclf")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("scores_", np.zeros((24, 1))),
        ("scores_", -np.arange(24.0)),
        ("scores_", np.full(24, np.nan)),
        ("row_categories_", np.zeros(23, int)),
        ("categories_", np.zeros(4, int)),
        ("categories_", np.zeros(3)),
        ("estimator_", SoftmaxClassifier(**FAST).fit(X, NUMBERS)),
    ],
)
def test_parts_of_a_conformal_classifier_that_do_not_fit_are_refused(attribute, value, tmp_path):
    model = conformal()
    setattr(model, attribute, value)
    with pytest.raises(ValueError, match=r"have the shapes|sorted numbers|which it does not have"):
        linclf.save(model, tmp_path / "model.linclf")


def test_a_custom_conformity_score_is_refused(tmp_path):
    class Gap(NamedTuple):
        def of_classes(self, p, seed):
            return p.max(axis=1, keepdims=True) - p

    with pytest.raises(TypeError, match=r"ConformalClassifier\.conformity_score is .*Gap.* use pickle"):
        linclf.save(conformal(conformity_score=Gap()), tmp_path / "model.linclf")


# ---------------------------------------------------------------- files of the past


GOLDEN = {
    "softmax": lambda: with_names(SoftmaxClassifier(class_weight={"barolo": 2.0}, **FAST).fit),
    "calibrated_svm": calibrated_svm,
    "cosines_of_two": lambda: MarginSoftmaxClassifier(random_state=np.random.RandomState(0), max_iter=3).fit(
        X.astype(np.float32), NUMBERS == 1
    ),
    "linear": lambda: LinearClassifier(
        loss=Focal(gamma=1), solver=Averaged(Adam()), calibration="platt", early_stopping=True, **FAST
    ).fit(X, TEXT.astype(object)),
    "adaptive": lambda: AdaptiveSoftmaxClassifier(cutoffs=[1], reduction=2.0, **FAST).fit(X, TEXT),
}
GOLDEN_STREAMS = {
    "stream": lambda: stream(TEXT, solver="adam"),
    "sampled_stream": lambda: large_stream(SampledSoftmaxClassifier, n_sampled=2),
    "tree_stream": lambda: large_stream(HierarchicalSoftmaxClassifier, solver="momentum"),
}


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.parametrize("name", GOLDEN)
def test_files_of_version_1_are_still_read(name):
    """Written by `python tests/files/test_model_file.py`; never rewrite them for a later version."""
    assert_golden(name, linclf.load(DATA / f"{name}_v1.linclf"))


@pytest.mark.parametrize("name", GOLDEN_STREAMS)
def test_streams_of_version_1_go_on_from_their_weights(name):
    with pytest.warns(UserWarning, match=r"linclf 0\.1\.0 has saved this stream"):
        model = linclf.load(DATA / f"{name}_v1.linclf")
    assert_golden(name, model)
    before = model.coef_
    model.set_params(learning_rate=1e-5, schedule="constant")  # so small that its effect is recognisable
    model.partial_fit(X[60:], TEXT[60:] if name == "stream" else NUMBERS[60:])
    assert model.n_iter_ == 2
    assert 0 < np.abs(model.coef_ - before).max() < 0.01 * np.abs(before).max()


def assert_golden(name, model):
    expected = json.loads((DATA / "golden_v1.json").read_text())[name]
    assert repr(model).partition(" at 0x")[0] == expected["repr"]
    rows = np.array(expected["X"], np.float32 if name == "cosines_of_two" else np.float64)
    assert model.predict(rows).tolist() == expected["predict"]
    np.testing.assert_allclose(model.predict_proba(rows), expected["predict_proba"], rtol=1e-5, atol=1e-7)
    if "coef_" in expected:
        np.testing.assert_array_equal(model.coef_, expected["coef_"])
        assert (model.n_iter_, list(model.history_)) == (expected["n_iter_"], expected["history_"])


def write_golden():
    expected = {}
    for name, make in (GOLDEN | GOLDEN_STREAMS).items():
        model = make()
        linclf.save(model, DATA / f"{name}_v1.linclf")
        rows = X[:6].astype(np.float32).astype(np.float64)
        expected[name] = {"repr": repr(model).partition(" at 0x")[0], "X": rows.tolist()}
        rows = rows.astype(np.float32) if name == "cosines_of_two" else rows
        expected[name]["predict"] = model.predict(rows).tolist()
        expected[name]["predict_proba"] = model.predict_proba(rows).tolist()
        if hasattr(model, "coef_"):
            expected[name]["coef_"] = model.coef_.tolist()
            expected[name] |= {"n_iter_": model.n_iter_, "history_": list(model.history_)}
    (DATA / "golden_v1.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    write_golden()
