"""linclf.save and load of scikit-learn pipelines: each supported step, a table of numbers, categories and
text, refusals, and files from another scikit-learn.

Damaged pipelines are tested in test_pipeline_damage.py, models of linclf in test_model_file.py.
"""

import copy
import io
import json
import os
import pathlib
import pickle
import warnings
import zipfile

import numpy as np
import pandas
import pytest
import sklearn
from scipy import sparse
from sklearn import feature_selection as selection
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from test_model_file import assert_same, run

import linclf
from linclf import SoftmaxClassifier, SoftmaxClassifierCV, SVMClassifier
from linclf._files.sklearn_parts import STEPS
from linclf.calibration import CalibratedClassifier

DATA = pathlib.Path(__file__).resolve().parent / "golden"
n = 120
rng = np.random.default_rng(0)
y = np.arange(n) % 3
X = rng.normal(size=(n, 4)) + y[:, None] * [1, 0, -1, 0.5]
HOLES = np.where(rng.random((n, 4)) < 0.2, np.nan, X)
COUNTS = rng.poisson(1 + y[:, None], (n, 5)).astype(float)
SPARSE = sparse.csr_array(COUNTS)
WORDS = np.array([["red", "round"], ["white", "dry"], ["rosé", "sweet"]])
TEXT = [f"{' and '.join(WORDS[k])} wine, glass {i % 7}" for i, k in enumerate(y)]
CATEGORIES = np.array([["a", "x"], ["b", "y"], ["c", "x"], ["rare", None]], object)[
    np.where(rng.random(n) < 0.7, y, rng.integers(0, 4, n))
]


def table(strings="str"):
    """A table as `linclf fit` reads it: numbers and categories with missing values, text, unused columns."""
    frame = pandas.DataFrame(
        {
            "price": HOLES[:, 0],
            "age": HOLES[:, 1],
            "country": CATEGORIES[:, 0],
            "style": CATEGORIES[:, 1],
            "review": TEXT,
            "id": np.arange(n),
        }
    )
    frame.loc[::9, "country"] = np.nan
    return frame.astype(dict.fromkeys(("country", "style", "review"), strings))


def columns(sparse_threshold=0.3, **options):
    return ColumnTransformer(
        [
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["price", "age"]),
            (
                "category",
                make_pipeline(
                    SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", **options)
                ),
                ["country", "style"],
            ),
            ("text", TfidfVectorizer(), "review"),
            ("left out", "drop", ["id"]),
        ],
        sparse_threshold=sparse_threshold,
    )


def through_file(model):
    file = io.BytesIO()
    linclf.save(model, file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = linclf.load(io.BytesIO(file.getvalue()))
    again = io.BytesIO()
    linclf.save(read, again)
    assert again.getvalue() == file.getvalue()
    return read


def same(a, b):
    """Whether results of steps are bitwise equal, for any type."""
    if isinstance(a, pandas.DataFrame):
        pandas.testing.assert_frame_equal(a, b, check_exact=True)
    elif sparse.issparse(a):
        assert (a.format, a.shape) == (b.format, b.shape)
        for part in ("data", "indices", "indptr"):
            assert_same(getattr(a, part), getattr(b, part))
    else:
        assert_same(np.asarray(a), np.asarray(b))


# ---------------------------------------------------------------- each step

STEPS_ON = {
    "standard": (StandardScaler(), X),
    "standard with holes": (StandardScaler(), HOLES),
    "standard without": (StandardScaler(with_mean=False, with_std=False), X),
    "standard sparse": (StandardScaler(with_mean=False), SPARSE),
    "min max": (MinMaxScaler(feature_range=(-1, 1), clip=True), X),
    "max abs": (MaxAbsScaler(), SPARSE),
    "robust": (RobustScaler(), X),
    "robust without": (RobustScaler(with_centering=False, with_scaling=False), X),
    "normal": (Normalizer(norm="l1"), X),
    "quantile": (QuantileTransformer(n_quantiles=20, output_distribution="normal", random_state=0), X),
    "power": (PowerTransformer(), X),
    "power without": (PowerTransformer(standardize=False), X),
    "binary": (Binarizer(threshold=0.2), X),
    "bins": (KBinsDiscretizer(quantile_method="averaged_inverted_cdf", n_bins=4), X),
    "bins of integers": (KBinsDiscretizer(n_bins=[2, 3, 4, 5], encode="ordinal", strategy="uniform"), X),
    "bins dense float32": (
        KBinsDiscretizer(quantile_method="averaged_inverted_cdf", encode="onehot-dense", dtype=np.float32),
        X,
    ),
    "polynomial": (PolynomialFeatures(), X),
    "polynomial of some degrees": (PolynomialFeatures((2, 3), interaction_only=True, include_bias=False), X),
    "polynomial sparse": (PolynomialFeatures(3), SPARSE),
    "as it is": (FunctionTransformer(), X),
    "mean": (SimpleImputer(), HOLES),
    "median and indicator": (SimpleImputer(strategy="median", add_indicator=True), HOLES),
    "constant": (SimpleImputer(strategy="constant", fill_value=-1), HOLES),
    "empty column": (SimpleImputer(keep_empty_features=True), HOLES * [np.nan, 1, 1, 1]),
    "frequent": (SimpleImputer(missing_values=None, strategy="most_frequent"), CATEGORIES),
    "indicator": (MissingIndicator(), HOLES),
    "indicator of all": (MissingIndicator(features="all", sparse=True), HOLES),
    "one hot": (OneHotEncoder(), CATEGORIES),
    "one hot rare": (OneHotEncoder(min_frequency=15, drop="first", handle_unknown="ignore"), CATEGORIES),
    "one hot most": (OneHotEncoder(max_categories=2, sparse_output=False, dtype=np.float32), CATEGORIES),
    "one hot given": (OneHotEncoder(categories=[["c", "b", "a", "rare"], ["y", "x", None]]), CATEGORIES),
    "one hot drop": (OneHotEncoder(drop=["b", "x"]), CATEGORIES),
    "one hot binary": (OneHotEncoder(drop="if_binary"), COUNTS > 1),
    "one hot numbers": (OneHotEncoder(handle_unknown="ignore"), np.round(HOLES)),
    "ordinal": (OrdinalEncoder(dtype=np.int64), CATEGORIES[:, :1]),
    "ordinal rare": (
        OrdinalEncoder(min_frequency=20, handle_unknown="use_encoded_value", unknown_value=-1),
        CATEGORIES,
    ),
    "ordinal numbers": (OrdinalEncoder(encoded_missing_value=-2), np.round(HOLES)),
    "target": (TargetEncoder(), CATEGORIES),
    "count": (CountVectorizer(ngram_range=(1, 2), max_features=9, stop_words=["and"]), TEXT),
    "count english": (CountVectorizer(stop_words="english", dtype=np.float32), TEXT),
    "count characters": (CountVectorizer(analyzer="char_wb", binary=True, strip_accents="unicode"), TEXT),
    "count given": (CountVectorizer(vocabulary={"dry", "sweet", "red"}), TEXT),
    "tfidf": (TfidfVectorizer(sublinear_tf=True), TEXT),
    "tfidf without": (TfidfVectorizer(use_idf=False, vocabulary=["dry", "red"]), TEXT),
    "tfidf of counts": (TfidfTransformer(norm="l1"), SPARSE),
    "hashing": (HashingVectorizer(n_features=32), TEXT),
    "best": (selection.SelectKBest(k=2), X),
    "best chi2": (selection.SelectKBest(selection.chi2, k=3), SPARSE),
    "percentile": (selection.SelectPercentile(selection.mutual_info_classif, percentile=50), X),
    "fpr": (selection.SelectFpr(), X),
    "fdr": (selection.SelectFdr(), X),
    "fwe": (selection.SelectFwe(), X),
    "generic": (selection.GenericUnivariateSelect(mode="k_best", param=2), X),
    "variance": (selection.VarianceThreshold(0.9), X),
    "from a model": (selection.SelectFromModel(SVMClassifier(), max_features=2), X),
    "from a fitted model": (
        selection.SelectFromModel(SVMClassifier().fit(X, y), prefit=True, threshold="mean"),
        X,
    ),
    "union": (
        FeatureUnion([("a", StandardScaler()), ("b", "drop"), ("c", "passthrough")], n_jobs=1),
        X,
    ),
    "pipeline": (Pipeline([("a", "passthrough"), ("b", StandardScaler())]), X),
    "pipeline of lists": (Pipeline([["a", StandardScaler()], ["b", MaxAbsScaler()]]), X),
    "columns": (
        ColumnTransformer(
            [("a", "passthrough", slice(0, 1)), ("b", StandardScaler(), [True, False, True, False])],
            remainder=MinMaxScaler(),
            transformer_weights={"a": 2.0},
        ),
        X,
    ),
    "columns by mask": (
        ColumnTransformer([("a", StandardScaler(), np.array([True, False, True, False])), ("b", "drop", 1)]),
        X,
    ),
    "no columns": (ColumnTransformer([("a", "drop", [0, 1])]), X),
    "columns of nothing": (ColumnTransformer([("a", StandardScaler(), []), ("b", "passthrough", [0])]), X),
}


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("name", STEPS_ON)
def test_every_step_returns_bitwise_the_same(name):
    step, data = STEPS_ON[name]
    fresh = through_file(step)
    assert sorted(repr(fresh)) == sorted(repr(step))  # a set has no order
    step = copy.deepcopy(step).fit(data, y)
    read = through_file(step)
    same(read.transform(data), step.transform(data))
    assert sorted(repr(read)) == sorted(repr(step))
    if hasattr(step, "get_feature_names_out") and name not in ("as it is",):
        assert_same(read.get_feature_names_out(), step.get_feature_names_out())


def test_every_step_of_the_list_is_tested():
    assert {type(step) for step, _ in STEPS_ON.values()} == set(STEPS)


def test_a_vectorizer_does_not_warn_of_its_stop_words_again():
    step = CountVectorizer(stop_words=["and", "don't"])
    with pytest.warns(UserWarning, match="stop_words may be inconsistent"):
        step.fit(TEXT)
    read = through_file(step)
    same(read.transform(TEXT), step.transform(TEXT))


# ---------------------------------------------------------------- pipelines


@pytest.mark.parametrize("strings", ["str", "object", "category"])
@pytest.mark.parametrize("threshold", [0.0, 1.0], ids=["dense", "sparse"])
def test_a_table_of_numbers_categories_and_text(strings, threshold, tmp_path):
    data, labels = table(strings), WORDS[y, 0]
    pipeline = Pipeline([("columns", columns(threshold)), ("classifier", SoftmaxClassifier())])
    pipeline.fit(data[:90], labels[:90])
    assert sparse.issparse(pipeline[0].transform(data)) == (threshold == 1.0)
    linclf.save(pipeline, tmp_path / "wine.linclf")
    read = linclf.load(tmp_path / "wine.linclf")
    assert_same(read.predict_proba(data), pipeline.predict_proba(data))
    assert_same(read.predict(data), pipeline.predict(data))
    assert read.score(data[90:], labels[90:]) > 0.9
    shuffled = data[data.columns[::-1]].drop(columns="id")
    assert_same(read.predict_proba(shuffled), pipeline.predict_proba(data))
    assert_same(read.fit(data[:90], labels[:90]).predict_proba(data), pipeline.predict_proba(data))


PREDICT = """
import pathlib, pickle, sys, linclf
folder = pathlib.Path(sys.argv[1])
data = pickle.loads((folder / "data.pkl").read_bytes())
proba = linclf.load(folder / "wine.linclf").predict_proba(data)
(folder / "proba.pkl").write_bytes(pickle.dumps(proba))
"""


def test_a_fresh_process_predicts_bitwise_the_same(tmp_path):
    pipeline = make_pipeline(columns(), SoftmaxClassifier()).fit(table(), y)
    linclf.save(pipeline, tmp_path / "wine.linclf")
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(table()))
    run(PREDICT, tmp_path)
    assert_same(pickle.loads((tmp_path / "proba.pkl").read_bytes()), pipeline.predict_proba(table()))


def calibrated_pipeline():
    return CalibratedClassifier(make_pipeline(columns(), SVMClassifier()), method="platt", cv=3)


def pipeline_of_calibrated():
    return make_pipeline(columns(), CalibratedClassifier(SVMClassifier(), method="temperature", cv=3))


def chosen_penalty():
    return make_pipeline(columns(), SoftmaxClassifierCV(alphas=[0.01, 0.1], cv=3))


NESTED = [calibrated_pipeline, pipeline_of_calibrated, chosen_penalty]


@pytest.mark.parametrize("make", NESTED)
def test_any_nesting(make):
    model = make().fit(table(), y)
    read = through_file(model)
    assert_same(read.predict_proba(table()), model.predict_proba(table()))


def test_a_stream_inside_a_pipeline_goes_on():
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(random_state=0))
    pipeline[0].fit(X)
    pipeline[1].partial_fit(pipeline[0].transform(X[:60]), y[:60], classes=[0, 1, 2])
    read = through_file(pipeline)
    for one in (pipeline, read):
        one[1].partial_fit(one[0].transform(X[60:]), y[60:])
    assert_same(read.predict_proba(X), pipeline.predict_proba(X))


@pytest.mark.parametrize("select", [make_column_selector(dtype_include="number"), lambda X: ["price", "age"]])
def test_columns_that_a_function_selects_are_saved_as_columns(select):
    step = make_pipeline(SimpleImputer(), StandardScaler())
    pipeline = make_pipeline(ColumnTransformer([("number", step, select)]), SVMClassifier())
    data = table().drop(columns="id")
    with pytest.raises(TypeError, match=r"steps\[0\]\[1\]\.transformers\[0\]\[2\] is "):
        linclf.save(pipeline, io.BytesIO())
    pipeline.fit(data, y)
    read = through_file(pipeline)
    assert_same(read.decision_function(data), pipeline.decision_function(data))
    assert read[0].transformers[0][2] == ["price", "age"]


def test_columns_that_a_function_selects_inside_a_calibrated_classifier():
    step = make_pipeline(SimpleImputer(), StandardScaler())
    columns_of = ColumnTransformer([("number", step, make_column_selector(dtype_include="number"))])
    data = table().drop(columns="id")
    model = CalibratedClassifier(make_pipeline(columns_of, SVMClassifier()), cv=2).fit(data, y)
    read = through_file(model)
    assert_same(read.predict_proba(data), model.predict_proba(data))
    assert read.estimator[0].transformers[0][2] == ["price", "age"]
    assert callable(model.estimator[0].transformers[0][2])  # what is saved is not changed
    assert_same(clone(read).fit(data, y).predict_proba(data), model.predict_proba(data))


def test_columns_of_an_index_are_saved_as_a_list():
    data = table()[["price", "age"]].fillna(0)
    step = ColumnTransformer([("number", StandardScaler(), data.columns)], remainder="passthrough")
    assert through_file(step).transformers[0][2] == ["price", "age"]
    step.fit(data)
    same(through_file(step).transform(data), step.transform(data))


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_the_container_of_outputs_is_kept(container):
    pytest.importorskip(container)
    step = columns(sparse_output=False).set_params(text="drop")
    step.set_output(transform=container).fit(table())
    read = through_file(step)
    assert type(read.transform(table())) is type(step.transform(table()))
    assert read.transform(table()).equals(step.transform(table()))


# ---------------------------------------------------------------- what is refused when saving

FOREIGN = {
    "a function": (FunctionTransformer(np.log1p), r"FunctionTransformer\.func is numpy\.ufunc"),
    "an inverse": (FunctionTransformer(inverse_func=np.exp), r"FunctionTransformer\.inverse_func is"),
    "a tokenizer": (TfidfVectorizer(tokenizer=str.split), r"TfidfVectorizer\.tokenizer is"),
    "an analyzer": (CountVectorizer(analyzer=str.split), r"CountVectorizer\.analyzer is"),
    "a score": (selection.SelectKBest(selection.f_regression), r"SelectKBest\.score_func is .*f_regression"),
    "a model": (
        selection.SelectFromModel(LogisticRegression()),
        r"SelectFromModel\.estimator is sklearn\..*LogisticRegression",
    ),
    "a last step": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        r"Pipeline\.steps\[1\]\[1\] is sklearn\..*LogisticRegression",
    ),
    "a type": (OneHotEncoder(dtype=np.complex128), r"OneHotEncoder\.dtype is "),
    "memory": (Pipeline([("a", StandardScaler())], memory="cache"), r"memory='cache' of Pipeline"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_needs_code_is_refused(name):
    model, message = FOREIGN[name]
    file = io.BytesIO()
    with pytest.raises(TypeError, match=message) as caught:
        linclf.save(model, file)
    assert "pickle" in str(caught.value)
    assert file.getvalue() == b""


def test_parts_that_do_not_fit_are_refused():
    pipeline = make_pipeline(StandardScaler().fit(X), SoftmaxClassifier().fit(X[:, :3], y))
    with pytest.raises(ValueError, match="'softmaxclassifier' takes 3 columns, and is given 4"):
        linclf.save(pipeline, io.BytesIO())
    with pytest.raises(ValueError, match="n_features"):
        linclf.save(HashingVectorizer(n_features=0), io.BytesIO())


# ---------------------------------------------------------------- places


def test_a_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    linclf.save(SVMClassifier(alpha=0.5), "~/svm.linclf")
    assert os.listdir(tmp_path) == ["svm.linclf"]
    assert linclf.load(pathlib.Path("~/svm.linclf")).alpha == 0.5
    assert linclf.load("~/svm.linclf").alpha == 0.5


def test_file_objects_are_written_and_read_from_where_they_are(tmp_path):
    with open(tmp_path / "two", "wb") as file:
        file.write(b"header")
        linclf.save(SVMClassifier(alpha=0.5), file)
    linclf.save(SVMClassifier(alpha=0.5), tmp_path / "one")
    assert (tmp_path / "two").read_bytes() == b"header" + (tmp_path / "one").read_bytes()
    with open(tmp_path / "two", "rb") as file:
        file.read(6)
        assert linclf.load(file).alpha == 0.5
        assert not file.closed


def test_file_objects_that_are_none_are_named(tmp_path):
    with open(tmp_path / "text", "w+") as file:
        with pytest.raises(TypeError, match=r"text is open for text; open it with mode 'wb'"):
            linclf.save(SVMClassifier(), file)
        with pytest.raises(TypeError, match=r"text is open for text; open it with mode 'rb'"):
            linclf.load(file)
    with pytest.raises(TypeError, match="a path or a binary file object, not 3"):
        linclf.save(SVMClassifier(), 3)
    with pytest.raises(TypeError, match="a path or a binary file object, not None"):
        linclf.load(None)
    with pytest.raises(ValueError, match="BytesIO is damaged, or no model"):
        linclf.load(io.BytesIO(b"else"))


# ---------------------------------------------------------------- versions


def content_of(model):
    file = io.BytesIO()
    linclf.save(model, file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def of_another_version(saved, **changes):
    entries = content_of(saved)
    content = json.loads(entries["model.json"]) | changes
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in (entries | {"model.json": json.dumps(content)}).items():
            archive.writestr(name, part)
    return io.BytesIO(file.getvalue())


def test_only_steps_raise_the_version():
    own = json.loads(content_of(SoftmaxClassifier().fit(X, y))["model.json"])
    assert own["version"] == 1
    assert "scikit-learn" not in own
    steps = json.loads(content_of(make_pipeline(SVMClassifier()))["model.json"])
    assert (steps["version"], steps["scikit-learn"]) == (2, sklearn.__version__)


def test_another_scikit_learn_is_warned_of():
    pipeline = make_pipeline(StandardScaler(), SVMClassifier()).fit(X, y)
    with pytest.warns(
        UserWarning, match=r"saved under version 1\.2\.3, and this is .* install scikit-learn"
    ) as w:
        read = linclf.load(of_another_version(pipeline, **{"scikit-learn": "1.2.3"}))
    assert len(w) == 1
    assert w[0].filename == __file__
    assert_same(read.decision_function(X), pipeline.decision_function(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        linclf.load(of_another_version(pipeline, **{"scikit-learn": sklearn.__version__ + ".post1"}))


def test_steps_that_another_scikit_learn_cannot_make_again_are_no_damage():
    model = StandardScaler().fit(X)
    content = json.loads(content_of(model)["model.json"])["model"]
    content["estimator"][1]["new_parameter"] = 3
    file = of_another_version(model, **{"scikit-learn": "9.0", "model": content})
    with pytest.raises(ValueError, match=r"saved under scikit-learn 9\.0, and .* install scikit-learn 9\.0"):
        linclf.load(file)


# ---------------------------------------------------------------- files of the past


def golden_pipeline():
    return make_pipeline(columns(), CalibratedClassifier(SoftmaxClassifier(), cv=3)).fit(table(), WORDS[y, 0])


@pytest.mark.filterwarnings("ignore:the steps of scikit-learn in this model were saved under:UserWarning")
def test_a_pipeline_of_version_2_is_still_read():
    """Written by `python tests/files/test_pipeline_file.py`; never rewrite it for a later version."""
    expected = json.loads((DATA / "golden_v2.json").read_text(encoding="utf-8"))
    model = linclf.load(DATA / "pipeline_v2.linclf")
    rows = table()[: len(expected["predict"])]
    assert model.predict(rows).tolist() == expected["predict"]
    np.testing.assert_allclose(model.predict_proba(rows), expected["predict_proba"], rtol=1e-5, atol=1e-7)
    assert model[0].get_feature_names_out().tolist() == expected["names"]


def write_golden():
    model, rows = golden_pipeline(), table()[:6]
    linclf.save(model, DATA / "pipeline_v2.linclf")
    expected = {
        "predict": model.predict(rows).tolist(),
        "predict_proba": model.predict_proba(rows).tolist(),
        "names": model[0].get_feature_names_out().tolist(),
    }
    (DATA / "golden_v2.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
