"""linclf.load refuses pipelines with inconsistent fitted parts: a table of cases, and random damage.

scikit-learn builds sparse matrices from fitted numbers without further checks, so a wrong number could lead
to access beyond the end of an array. Truncated and foreign files are in test_model_damage.py.
"""

import copy
import io
import json
import warnings
import zipfile

import numpy as np
import pandas
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)
from test_model_damage import parts, write
from test_pipeline_file import CATEGORIES, HOLES, SPARSE, TEXT, X, assert_same, columns, table, y

import linclf
from linclf import SoftmaxClassifier
from linclf._files import archive
from linclf._files.values import Reader

ENCODED = OneHotEncoder(min_frequency=15, drop="first", handle_unknown="ignore")
FITTED = {
    "scaler": StandardScaler().fit(X),
    "frame": StandardScaler().fit(pandas.DataFrame(X, columns=list("abcd"))),
    "min max": MinMaxScaler().fit(X),
    "quantile": QuantileTransformer(n_quantiles=10).fit(X),
    "power": PowerTransformer().fit(X),
    "bins": KBinsDiscretizer(quantile_method="averaged_inverted_cdf", n_bins=3).fit(X),
    "polynomial": PolynomialFeatures().fit(X),
    "imputer": SimpleImputer(add_indicator=True).fit(HOLES),
    "indicator": MissingIndicator().fit(HOLES),
    "one hot": OneHotEncoder().fit(CATEGORIES),
    "numbers": OneHotEncoder().fit(np.round(X)),
    "rare": ENCODED.fit(CATEGORIES),
    "ordinal": OrdinalEncoder().fit(CATEGORIES),
    "target": TargetEncoder().fit(CATEGORIES, y),
    "tfidf": TfidfVectorizer().fit(TEXT),
    "weights": TfidfTransformer().fit(SPARSE),
    "best": SelectKBest(k=2).fit(X, y),
    "hashing": HashingVectorizer(),
    "union": FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())]).fit(X),
    "columns": ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", "passthrough", [2])]).fit(X),
    "pipeline": make_pipeline(StandardScaler(), SelectKBest(k=2), SoftmaxClassifier()).fit(X, y),
}


def put(**values):
    return lambda step: vars(step).update(values)


def drop(*names):
    return lambda step: [vars(step).pop(name) for name in names]


def change(name, function):
    """Replace an attribute by a function of it."""
    return lambda step: vars(step).update({name: function(vars(step)[name])})


def item(attribute, key, value):
    return change(attribute, lambda found: {**found, key: value})


def at(attribute, number, value):
    return change(attribute, lambda found: [*found[:number], value, *found[number + 1 :]])


def inside(name, function):
    return lambda step: function(vars(step)[name])


def step_of(number, function):
    return lambda step: function(step.steps[number][1])


SHORT = np.zeros(3)
EDITS = [
    ("scaler", put(mean_=SHORT), "mean_ of StandardScaler has shape"),
    ("scaler", put(scale_=None), "scale_ of StandardScaler is no array"),
    ("scaler", put(scale_=np.array(list("abcd"))), "scale_ of StandardScaler is no array of numbers"),
    ("scaler", put(scale_=[1.0, 1.0, 1.0, 1.0]), "scale_ of StandardScaler is no array"),
    ("scaler", drop("n_features_in_"), "n_features_in_"),
    ("scaler", put(n_features_in_=3), "mean_ of StandardScaler has shape"),
    ("scaler", put(n_features_in_=4.0), "was fitted to 4.0 columns"),
    ("scaler", put(with_mean="yes"), "with_mean"),
    ("scaler", put(transform="no"), "would hide a part"),
    ("scaler", put(__sklearn_is_fitted__="no"), "would hide a part"),
    ("frame", put(feature_names_in_=np.array(["a"], object)), "not one name for each of 4"),
    ("frame", put(feature_names_in_=np.arange(4)), "not one name for each of 4"),
    ("min max", put(min_=SHORT), "min_ of MinMaxScaler has shape"),
    ("quantile", put(quantiles_=np.zeros((10, 3))), "quantiles_ of QuantileTransformer"),
    ("quantile", put(n_quantiles_=9), "references_ of QuantileTransformer"),
    ("power", drop("_scaler"), "_scaler"),
    ("power", put(_scaler=FITTED["min max"]), "PowerTransformer has no scaler"),
    ("power", put(_scaler=StandardScaler().fit(X[:, :3])), "scaler of PowerTransformer is for 3"),
    ("bins", put(n_bins_=np.array([3, 3, 3, 30])), "edges of KBinsDiscretizer has shape"),
    ("bins", put(n_bins_=np.full(4, 3.0)), "no integers"),
    ("bins", put(_encoder=OneHotEncoder().fit(np.round(X))), "encoder of KBinsDiscretizer is for"),
    ("bins", drop("_encoder"), "_encoder"),
    ("polynomial", put(n_output_features_=14), "n_output_features_ of PolynomialFeatures is 14, not 15"),
    ("polynomial", put(_n_out_full=3), "_n_out_full of PolynomialFeatures is 3, not 15"),
    ("polynomial", put(_max_degree=3), r"has degrees \(0, 3\)"),
    ("polynomial", put(degree=10**9, _max_degree=10**9, n_features_in_=10**9), "too many terms"),
    (
        "polynomial",
        put(degree=10**9, _max_degree=10**9, n_features_in_=10**9, interaction_only=True),
        "too many terms",
    ),
    ("imputer", put(statistics_=SHORT), "statistics_ of SimpleImputer has shape"),
    ("imputer", put(_fill_dtype="float64"), "_fill_dtype of SimpleImputer is no dtype"),
    ("imputer", put(indicator_=FITTED["scaler"]), "indicator of SimpleImputer is something else"),
    ("imputer", inside("indicator_", put(_n_features=5)), "indicator of SimpleImputer is for 5"),
    ("indicator", put(features_=np.array([0, 4])), "columns that are not among 4"),
    ("indicator", put(features_=np.array([-1, 0])), "columns that are not among 4"),
    ("indicator", put(features_=np.array([1.0])), "columns that are not among 4"),
    ("one hot", put(_n_features_outs=[4, 300]), r"OneHotEncoder makes \[4, 3\] columns, not \[4, 300\]"),
    ("one hot", put(_n_features_outs=[4, 2]), r"OneHotEncoder makes \[4, 3\] columns"),
    ("one hot", drop("_n_features_outs"), "_n_features_outs"),
    ("one hot", at("categories_", 0, np.array(["a"], object)), r"makes \[1, 3\] columns, not \[4, 3\]"),
    ("one hot", at("categories_", 0, np.array([], object)), "categories that are no array"),
    ("one hot", at("categories_", 0, list("abcd")), "categories that are no array"),
    ("one hot", at("categories_", 0, np.array([2, 1, "a", "b"], object)), "numbers that are not sorted"),
    ("one hot", at("categories_", 0, np.array([(1, 2), "a"], object)), "categories that are no array"),
    ("one hot", change("categories_", lambda found: found[:1]), "for each of 2 columns"),
    ("one hot", put(categories_=CATEGORIES), "for each of 2 columns"),
    ("one hot", put(n_features_in_=3), "for each of 3 columns"),
    ("one hot", put(_infrequent_enabled=1), "whether it joins"),
    ("one hot", put(_infrequent_enabled=True), "_infrequent_indices"),
    ("one hot", put(_drop_idx_after_grouping=np.zeros(2, object)), r"makes \[3, 2\] columns"),
    ("one hot", put(drop_idx_=np.zeros(2)), "leaves out no array"),
    ("numbers", change("categories_", lambda found: [each[::-1] for each in found]), "not sorted"),
    ("rare", at("_infrequent_indices", 0, np.array([7])), "rare categories are not among"),
    ("rare", at("_infrequent_indices", 0, np.array([-1])), "rare categories are not among"),
    ("rare", at("_infrequent_indices", 0, np.array([0.0])), "no array of integers"),
    ("rare", at("_infrequent_indices", 0, None), "joins rare categories otherwise"),
    (
        "rare",
        at("_default_to_infrequent_mappings", 0, np.array([0, 1, 2, 90])),
        "joins rare categories otherwise",
    ),
    ("rare", at("_default_to_infrequent_mappings", 0, None), "joins rare categories otherwise"),
    ("rare", put(_drop_idx_after_grouping=np.array([9, 0], object)), "leaves out category 9"),
    ("rare", put(_drop_idx_after_grouping=np.array([None, 0], object)), "OneHotEncoder makes"),
    ("rare", put(_drop_idx_after_grouping=np.array([0], object)), "leaves out no array"),
    ("rare", put(drop_idx_=np.array([-1, 0], object)), "leaves out category -1"),
    ("ordinal", put(_missing_indices={1: 9}), "not the last category"),
    ("ordinal", put(_missing_indices={7: 0}), "list index"),
    ("target", change("encodings_", lambda found: found[1:]), "has 5 encodings"),
    ("target", at("encodings_", 0, SHORT), "no number for each of 4"),
    ("target", put(target_mean_=SHORT[:2]), "one mean for each target"),
    ("target", put(target_type_="other"), "encodings for 2 columns"),
    ("tfidf", item("vocabulary_", "red", 10**6), "leaves numbers out"),
    ("tfidf", item("vocabulary_", "red", -1), "leaves numbers out"),
    ("tfidf", item("vocabulary_", "red", 0), "leaves numbers out"),
    ("tfidf", item("vocabulary_", "red", 1.0), "not one of words and numbers"),
    ("tfidf", item("vocabulary_", "red", True), "not one of words and numbers"),
    ("tfidf", item("vocabulary_", 3, 0), "not one of words and numbers"),
    ("tfidf", item("vocabulary_", "red", 10**30), "too large|too big"),
    ("tfidf", change("vocabulary_", list), "not one of words and numbers"),
    ("tfidf", drop("vocabulary_"), "vocabulary_"),
    ("tfidf", item("vocabulary_", "one more", len(FITTED["tfidf"].vocabulary_)), "weights of"),
    ("tfidf", inside("_tfidf", put(idf_=SHORT)), "idf_ of TfidfTransformer has shape"),
    ("tfidf", inside("_tfidf", drop("idf_")), "idf_ of TfidfTransformer is no array"),
    ("tfidf", inside("_tfidf", drop("n_features_in_")), "n_features_in_"),
    ("tfidf", put(_tfidf=FITTED["scaler"]), "has no weights of words"),
    ("tfidf", drop("_tfidf"), "has no weights of words"),
    ("tfidf", put(ngram_range=3), "ngram_range"),
    ("weights", put(idf_=np.array(list("abcde"), object)), "idf_ of TfidfTransformer is no array"),
    ("best", put(scores_=SHORT), "scores_ of SelectKBest has shape"),
    ("best", put(pvalues_=SHORT), "pvalues_ of SelectKBest has shape"),
    ("best", put(score_func="f_classif"), "score_func"),
    ("hashing", put(n_features=0), "n_features"),
    ("hashing", put(n_features=2**40), "n_features"),
    ("union", lambda step: put(n_features_in_=3)(step.transformer_list[0][1]), "mean_ of StandardScaler"),
    (
        "union",
        change("transformer_list", lambda found: [*found, ("c", FITTED["target"])]),
        "FeatureUnion take",
    ),
    ("union", change("transformer_list", lambda found: [("a", "no")]), "FeatureUnion has the step"),
    ("union", change("transformer_list", lambda found: [found[0]] * 2), "two steps of a name"),
    ("columns", item("_transformer_to_input_indices", "a", [0, 7]), "columns that are not among 4"),
    ("columns", item("_transformer_to_input_indices", "a", [0]), "takes 2 columns, and is given 1"),
    ("columns", item("_transformer_to_input_indices", "b", [0, 1]), "takes 1 columns, and is given 2"),
    ("columns", item("output_indices_", "b", slice(2, 9)), "returns 3 columns, not 9"),
    ("columns", put(output_indices_={"a": slice(0, 2)}), "'b'"),
    ("columns", change("transformers_", lambda found: [("a", 3, [0])]), "ColumnTransformer has the step"),
    ("columns", put(sparse_output_="no"), "does not say what it returns"),
    ("columns", put(n_features_in_="3"), "was fitted to '3' columns"),
    ("pipeline", put(memory="/tmp/cache"), "memory"),
    ("pipeline", step_of(1, put(k=3)), "'softmaxclassifier' takes 2 columns, and is given 3"),
    ("pipeline", step_of(2, put(coef_=np.zeros((3, 4)))), "coef_ of SoftmaxClassifier has shape"),
    (
        "pipeline",
        change("steps", lambda found: found[1:] + found[:1]),
        "'softmaxclassifier' returns no columns",
    ),
    ("pipeline", change("steps", lambda found: [found[0][:1]]), "has the step"),
    ("pipeline", change("steps", lambda found: "steps"), "steps"),
]


def tampered(model, path, monkeypatch):
    """A file of a model with inconsistent parts, which save would refuse."""
    monkeypatch.setattr(archive, "check_model", lambda *arguments: None)
    monkeypatch.setattr(archive.Writer, "encode_estimator", encode_anything)
    monkeypatch.setattr("linclf._files.values.attributes_as_data", lambda model, attributes: attributes)
    linclf.save(model, path)
    monkeypatch.undo()
    return path


ENCODE = archive.Writer.encode_estimator


def encode_anything(self, model, place):
    """Like the writer, but without the check whether an attribute hides a part of the class."""
    hidden = {
        key: vars(model).pop(key) for key in ("transform", "__sklearn_is_fitted__") if key in vars(model)
    }
    node = ENCODE(self, model, place)
    node["estimator"][2].update(hidden)
    return node


@pytest.mark.parametrize("number", range(len(EDITS)), ids=lambda number: f"{number} {EDITS[number][0]}")
def test_pipelines_that_were_edited_are_refused(number, tmp_path, monkeypatch):
    name, edit, message = EDITS[number]
    linclf.load(tampered(copy.deepcopy(FITTED[name]), tmp_path / "same.linclf", monkeypatch))
    model = copy.deepcopy(FITTED[name])
    edit(model)
    path = tampered(model, tmp_path / "model.linclf", monkeypatch)
    with pytest.raises(ValueError, match=message) as caught:
        linclf.load(path)
    assert str(caught.value).startswith(f"{path} is damaged")


KINDS = {
    "function": "os.system",
    "type": "numpy.ndarray",
    "dtype": "|V8",
    "slice": [1],
    "set": 3,
    "object": ["StandardScaler", {}],
    "estimator": ["SplineTransformer", {}, {}, {}],
}


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_made_from_lists_only(kind):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Reader([], linclf.__version__).decode({kind: KINDS[kind]})


# ---------------------------------------------------------------- at random


def nodes(node, where=()):
    """The places of all values in JSON."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield (*where, key)
        yield from nodes(value, (*where, key))


def holder(content, where):
    for key in where[:-1]:
        content = content[key]
    return content


def other_value(value, n_arrays, rng):
    values = [None, True, -1, 0, 7, 2**31, 2**63, 0.5, "x", "passthrough", [], {}, [0, 1], {"float": "nan"}]
    values += [{"array": int(rng.integers(n_arrays))}, {"tuple": []}, {"dict": []}, {"type": "str"}]
    if isinstance(value, int) and rng.random() < 0.7:
        values = [value - 1, value + 1, value + 1000, -value]
    return values[rng.integers(len(values))]


def other_array(array, rng):
    flat, kind = array.ravel(), rng.integers(4)
    if kind == 0 and array.size:
        changed = array.copy()
        changed.flat[rng.integers(array.size)] = changed.flat[rng.integers(array.size)]
        return changed
    return [flat[:-1], np.concatenate([flat, flat[:1]]), array.astype("<U8"), array[None]][kind]


def damage(entries, rng):
    """The file with one JSON value or one array changed or left out."""
    content = json.loads(entries["model.json"])
    if rng.random() < 0.2:
        name = sorted(set(entries) - {"model.json"})[rng.integers(len(entries) - 1)]
        file = io.BytesIO()
        np.save(file, other_array(np.load(io.BytesIO(entries[name])), rng))
        return {**entries, name: file.getvalue()}
    places = list(nodes(content["model"]))
    where = places[rng.integers(len(places))]
    parent, key = holder(content["model"], where), where[-1]
    if rng.random() < 0.2:
        del parent[key]
    else:
        parent[key] = other_value(parent[key], len(entries) - 1, rng)
    return {**entries, "model.json": json.dumps(content)}


def use(pipeline, data):
    """A damaged pipeline only returns or raises, and its sparse rows have valid columns."""
    found = pipeline[0].transform(data)
    if sparse.issparse(found):
        sparse.csr_array(found).check_format(full_check=True)
    pipeline.predict_proba(data)


@pytest.mark.parametrize("seed", range(4))
def test_damage_at_random_is_refused_or_harmless(seed, tmp_path):
    rng, data = np.random.default_rng(seed), table()
    options = [{}, {"min_frequency": 20, "drop": "first"}][seed % 2]
    pipeline = make_pipeline(columns(sparse_threshold=1.0, **options), SoftmaxClassifier()).fit(data, y)
    linclf.save(pipeline, tmp_path / "sound.linclf")
    entries, refused = parts(tmp_path / "sound.linclf"), 0
    for _ in range(150):
        path = write(tmp_path / "damaged.linclf", damage(entries, rng), zipfile.ZIP_STORED)
        with warnings.catch_warnings(action="ignore"):
            try:
                read = linclf.load(path)
            except ValueError as fault:
                assert "damaged" in str(fault)  # noqa: PT017
                refused += 1
                continue
            try:
                use(read, data[:20])
            except Exception as fault:
                assert not isinstance(fault, MemoryError)  # noqa: PT017
    assert refused > 75
    assert_same(linclf.load(tmp_path / "sound.linclf").predict(data), pipeline.predict(data))
