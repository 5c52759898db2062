"""The parts of scikit-learn that a file may hold: steps, splitters, scorers, functions and types."""

import inspect
from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np
from sklearn import (
    compose,
    feature_extraction,
    feature_selection,
    impute,
    model_selection,
    pipeline,
    preprocessing,
)
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import get_scorer, get_scorer_names

STEPS: tuple[type[BaseEstimator], ...] = (
    pipeline.Pipeline,
    pipeline.FeatureUnion,
    compose.ColumnTransformer,
    preprocessing.StandardScaler,
    preprocessing.MinMaxScaler,
    preprocessing.MaxAbsScaler,
    preprocessing.RobustScaler,
    preprocessing.Normalizer,
    preprocessing.QuantileTransformer,
    preprocessing.PowerTransformer,
    preprocessing.Binarizer,
    preprocessing.KBinsDiscretizer,
    preprocessing.PolynomialFeatures,
    preprocessing.FunctionTransformer,
    preprocessing.OneHotEncoder,
    preprocessing.OrdinalEncoder,
    preprocessing.TargetEncoder,
    impute.SimpleImputer,
    impute.MissingIndicator,
    feature_extraction.text.CountVectorizer,
    feature_extraction.text.TfidfVectorizer,
    feature_extraction.text.TfidfTransformer,
    feature_extraction.text.HashingVectorizer,
    feature_selection.SelectKBest,
    feature_selection.SelectPercentile,
    feature_selection.SelectFpr,
    feature_selection.SelectFdr,
    feature_selection.SelectFwe,
    feature_selection.GenericUnivariateSelect,
    feature_selection.VarianceThreshold,
    feature_selection.SelectFromModel,
)
SPLITTERS: dict[str, type] = {
    splitter.__name__: splitter
    for splitter in (
        model_selection.KFold,
        model_selection.StratifiedKFold,
        model_selection.GroupKFold,
        model_selection.StratifiedGroupKFold,
        model_selection.RepeatedKFold,
        model_selection.RepeatedStratifiedKFold,
        model_selection.ShuffleSplit,
        model_selection.StratifiedShuffleSplit,
        model_selection.GroupShuffleSplit,
        model_selection.LeaveOneOut,
        model_selection.LeavePOut,
        model_selection.LeaveOneGroupOut,
        model_selection.LeavePGroupsOut,
        model_selection.TimeSeriesSplit,
        model_selection.PredefinedSplit,
    )
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        feature_selection.f_classif,
        feature_selection.chi2,
        feature_selection.mutual_info_classif,
    )
}
# values of a parameter ``dtype``; NumPy types are listed by the names of their dtypes
TYPES: dict[str, type] = {"float": float, "int": int, "bool": bool, "str": str, "object": object} | {
    f"numpy.{name}": getattr(np, name)
    for name in (
        *("float16", "float32", "float64", "int8", "int16", "int32", "int64"),
        *("uint8", "uint16", "uint32", "uint64", "bool_", "str_", "object_"),
    )
}
STOP_WORDS_ID = "_stop_words_id"  # the address of the stop words that a vectorizer has checked


def is_step(model: Any) -> TypeGuard[BaseEstimator]:
    return type(model) in STEPS


def splitter_parameters(splitter: Any) -> dict[str, Any]:
    """The arguments of the constructor of a splitter; repeated ones keep those of each repetition apart."""
    kept = vars(splitter) | vars(splitter).get("cvargs", {})
    return {name: kept[name] for name in inspect.signature(type(splitter)).parameters}


def scorer_name(scorer: Any) -> str | None:
    """The name of a scorer of scikit-learn that does the same, or None."""
    for name in get_scorer_names() if callable(scorer) else ():
        known = get_scorer(name)
        if type(scorer) is type(known) and vars(scorer) == vars(known):
            return name
    return None


def attributes_as_data(model: BaseEstimator, attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes of a step, including parameters, without those that are valid only in this process.

    Columns selected by a function are written as columns, and a pandas index as a list. Words are numbered
    by Python's integers, which need less space than NumPy's.
    """
    if attributes.get("memory") is not None:
        raise TypeError(
            f"memory={attributes['memory']!r} of {type(model).__name__} keeps pickles on this machine, which "
            "a model file cannot name; save it after set_params(memory=None), or use pickle"
        )
    if STOP_WORDS_ID in attributes:
        attributes = attributes | {STOP_WORDS_ID: None}
    if isinstance(words := attributes.get("vocabulary_"), dict):
        numbers = [int(number) if isinstance(number, np.integer) else number for number in words.values()]
        attributes = attributes | {"vocabulary_": dict(zip(words, numbers, strict=True))}
    if isinstance(model, compose.ColumnTransformer):
        attributes = attributes | {"transformers": _with_columns(model)}
        if "_columns" in attributes:
            attributes["_columns"] = [_columns(each) for each in attributes["_columns"]]
        if "transformers_" in attributes:
            attributes["transformers_"] = [
                (name, step, _columns(each)) for name, step, each in attributes["transformers_"]
            ]
    return attributes


def _with_columns(model: compose.ColumnTransformer) -> list[Any]:
    transformers: list[Any] = list(model.transformers)
    selected = getattr(model, "_columns", None)
    if selected is None or len(selected) != len(transformers):  # not fitted, or changed since
        selected = [columns for *_, columns in transformers]
    return [
        (name, step, _columns(found if callable(columns) else columns))
        for (name, step, columns), found in zip(transformers, selected, strict=True)
    ]


def with_columns_of(model: Any, fitted: Any) -> Any:
    """An unfitted model whose columns are those that functions of it have selected in a fitted copy of it."""
    if type(model) is not type(fitted) or type(model) not in (compose.ColumnTransformer, pipeline.Pipeline):
        return model
    copied: Any = clone(model)
    if type(model) is compose.ColumnTransformer:
        return copied.set_params(transformers=_with_columns(fitted))
    both = zip(model.steps, fitted.steps, strict=True)
    return copied.set_params(
        steps=[(name, with_columns_of(step, other)) for (name, step), (_, other) in both]
    )


def _columns(columns: Any) -> Any:
    """A pandas index or series as a list."""
    return columns.tolist() if type(columns).__module__.split(".")[0] == "pandas" else columns


def restore(model: BaseEstimator) -> None:
    """Set the address of the stop words in this process."""
    if STOP_WORDS_ID in vars(model):
        vars(model)[STOP_WORDS_ID] = id(getattr(model, "stop_words", None))
