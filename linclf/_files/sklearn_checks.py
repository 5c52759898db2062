"""Whether the fitted parts of scikit-learn's steps fit together, and with the steps after them.

scikit-learn checks what a user passes, but trusts what a fit has left: numbers of columns in an encoder or a
vocabulary end up in sparse matrices whose indices nobody checks again.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import feature_selection as selection
from sklearn import preprocessing
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import text
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline

from linclf._files.sklearn_encoders import check_encoder, check_one_hot, check_target_encoder
from linclf._files.sklearn_parts import is_step

UNIVARIATE = (
    selection.SelectKBest,
    selection.SelectPercentile,
    selection.SelectFpr,
    selection.SelectFdr,
    selection.SelectFwe,
    selection.GenericUnivariateSelect,
)
ENCODERS = (preprocessing.OneHotEncoder, preprocessing.OrdinalEncoder, preprocessing.TargetEncoder)
VECTORIZERS = (text.CountVectorizer, text.TfidfVectorizer)

# Arrays with an entry for each column; they may be missing if the parameter named beside them is False.
Arrays = dict[str, str | None]
SCORES: Arrays = {"scores_": None}
COLUMNS: dict[type, Arrays] = {
    preprocessing.StandardScaler: {"mean_": "with_mean", "var_": "with_std", "scale_": "with_std"},
    preprocessing.MinMaxScaler: dict.fromkeys(("min_", "scale_", "data_min_", "data_max_", "data_range_")),
    preprocessing.MaxAbsScaler: dict.fromkeys(("max_abs_", "scale_")),
    preprocessing.RobustScaler: {"center_": "with_centering", "scale_": "with_scaling"},
    preprocessing.PowerTransformer: {"lambdas_": None},
    preprocessing.KBinsDiscretizer: {"bin_edges_": None, "n_bins_": None},
    text.TfidfTransformer: {"idf_": "use_idf"},
    SimpleImputer: {"statistics_": None},
    selection.VarianceThreshold: {"variances_": None},
} | dict.fromkeys(UNIVARIATE, SCORES)


def is_fitted(step: Any) -> bool:
    return any(name.endswith("_") or name == "_tfidf" for name in vars(step)) if _is_model(step) else False


def check_step(step: BaseEstimator) -> None:
    """Raise ValueError if parts of a step do not fit together; the steps inside it have been checked."""
    if hasattr(step, "_parameter_constraints"):  # not of FeatureUnion
        step._validate_params()
    cls, name = type(step), type(step).__name__
    if cls in COMPOSED:
        COMPOSED[cls](step)
        return
    if not is_fitted(step):
        return
    known = vars(step)
    if cls in VECTORIZERS:
        _check_vocabulary(step)
    if cls in VECTORIZERS or cls is selection.SelectFromModel:
        return
    n = known["_n_features"] if known.get("_precomputed") else known["n_features_in_"]
    check(type(n) is int and n > 0, f"{name} was fitted to {n!r} columns")
    names = known.get("feature_names_in_")
    check(names is None or np.shape(names) == (n,), f"{name} has names of {np.shape(names)} for {n} columns")
    for attribute, switch in COLUMNS.get(cls, {}).items():
        value = known.get(attribute)
        if value is None and switch is not None and not getattr(step, switch):
            continue
        check_array(f"{attribute} of {name}", value, (n,))
    if cls in ENCODERS:
        check_encoder(step, n)
    if cls in CHECKS:
        CHECKS[cls](step, n)


def check(condition: Any, message: str) -> None:
    if not condition:
        raise ValueError(message)


def check_array(name: str, value: Any, shape: tuple[int, ...]) -> None:
    check(isinstance(value, np.ndarray), f"{name} is no array")
    check(value.shape == shape, f"{name} has shape {value.shape} instead of {shape}")


# ---------------------------------------------------------------- single steps


def _check_vocabulary(step: Any) -> None:
    words, name = step.vocabulary_, type(step).__name__
    correct = type(words) is dict and all(type(word) is str for word in words)
    correct = correct and all(
        type(number) is int or isinstance(number, np.integer) for number in words.values()
    )
    check(correct, f"the vocabulary of {name} is not one of words and numbers")
    numbers = np.sort(np.fromiter(words.values(), np.int64, len(words)))
    check(np.array_equal(numbers, np.arange(len(words))), f"the vocabulary of {name} leaves numbers out")
    if type(step) is text.TfidfVectorizer:
        inner = vars(step).get("_tfidf")
        check(type(inner) is text.TfidfTransformer, f"{name} has no weights of words")
        n = vars(inner).get("n_features_in_", len(words))
        check(n == len(words), f"{name} has weights of {n} words, and a vocabulary of {len(words)}")


def _check_quantiles(step: Any, n: int) -> None:
    q = step.n_quantiles_
    check(type(q) is int and q > 0, f"QuantileTransformer has {q!r} quantiles")
    check_array("references_ of QuantileTransformer", step.references_, (q,))
    check_array("quantiles_ of QuantileTransformer", step.quantiles_, (q, n))


def _check_power(step: Any, n: int) -> None:
    if step.standardize:
        inner = step._scaler
        check(type(inner) is preprocessing.StandardScaler, "PowerTransformer has no scaler")
        check(
            inner.n_features_in_ == n, f"the scaler of PowerTransformer is for {inner.n_features_in_} columns"
        )


def _check_bins(step: Any, n: int) -> None:
    check(step.n_bins_.dtype.kind == "i", "n_bins_ of KBinsDiscretizer are no integers")
    for edges, n_bins in zip(step.bin_edges_, step.n_bins_.tolist(), strict=True):
        check_array("edges of KBinsDiscretizer", edges, (n_bins + 1,))
        check(n_bins > 0 and edges.dtype.kind == "f", "edges of KBinsDiscretizer are no numbers")
    if step.encode != "ordinal":
        inner = step._encoder
        check(type(inner) is preprocessing.OneHotEncoder, "KBinsDiscretizer has no encoder")
        found = [len(categories) for categories in inner.categories_]
        check(found == step.n_bins_.tolist(), f"the encoder of KBinsDiscretizer is for {found} bins")


def _check_polynomial(step: Any, n: int) -> None:
    lowest, highest = step.degree if isinstance(step.degree, tuple) else (0, step.degree)
    degrees = step._min_degree, step._max_degree
    check(degrees == (lowest, highest), f"PolynomialFeatures has degrees {degrees}")
    for attribute, least in (("n_output_features_", lowest), ("_n_out_full", 0)):
        expected = _n_monomials(n, highest, step.interaction_only) + bool(step.include_bias)
        if least > 0:
            expected -= _n_monomials(n, least - 1, step.interaction_only)
        found = getattr(step, attribute)
        check(found == expected, f"{attribute} of PolynomialFeatures is {found!r}, not {expected}")


def _n_monomials(n: int, degree: int, distinct: bool) -> int:
    """How many of degree 1 to ``degree``; those of more than 2 ** 63 are refused, as by scikit-learn."""
    order = min(n, degree)
    check(distinct or order < 64, f"PolynomialFeatures has too many terms of {n} columns")
    if not distinct:
        return math.comb(n + degree, order) - 1
    count = 0
    for number in range(1, order + 1):
        count += math.comb(n, number)
        check(count < 2**63, f"PolynomialFeatures has too many terms of {n} columns")
    return count


def _check_imputer(step: Any, n: int) -> None:
    for attribute in ("_fit_dtype", "_fill_dtype"):
        check(isinstance(vars(step)[attribute], np.dtype), f"{attribute} of SimpleImputer is no dtype")
    inner = vars(step)["indicator_"]
    if inner is not None:
        check(type(inner) is MissingIndicator, "the indicator of SimpleImputer is something else")
        check(inner._n_features == n, f"the indicator of SimpleImputer is for {inner._n_features} columns")


def _check_indicator(step: Any, n: int) -> None:
    found = step.features_
    correct = isinstance(found, np.ndarray) and found.ndim == 1 and found.dtype.kind == "i"
    correct = correct and (not len(found) or (found[0] >= 0 and found[-1] < n and (np.diff(found) > 0).all()))
    check(correct and step._n_features == n, f"MissingIndicator names columns that are not among {n}")


def _check_scores(step: Any, n: int) -> None:
    if step.pvalues_ is not None:
        check_array(f"pvalues_ of {type(step).__name__}", step.pvalues_, (n,))


CHECKS: dict[type, Callable[[Any, int], None]] = {
    preprocessing.QuantileTransformer: _check_quantiles,
    preprocessing.PowerTransformer: _check_power,
    preprocessing.KBinsDiscretizer: _check_bins,
    preprocessing.PolynomialFeatures: _check_polynomial,
    preprocessing.OneHotEncoder: check_one_hot,
    preprocessing.TargetEncoder: check_target_encoder,
    SimpleImputer: _check_imputer,
    MissingIndicator: _check_indicator,
} | dict.fromkeys(UNIVARIATE, _check_scores)


# ---------------------------------------------------------------- columns that a step returns


def _of_indicator(step: Any) -> int:
    return len(step.features_)


def _of_imputer(step: Any) -> int:
    n, kept = len(step.statistics_), step.keep_empty_features
    empty = 0 if kept else sum(value != value for value in step.statistics_.tolist())
    return n - empty + (_of_indicator(step.indicator_) if step.indicator_ is not None else 0)


def _of_support(step: Any) -> int:
    return int(step.get_support().sum())


WIDTHS: dict[type, Callable[[Any], int | None]] = (
    {
        text.HashingVectorizer: lambda step: step.n_features,
        preprocessing.OneHotEncoder: lambda step: sum(step._n_features_outs),
        preprocessing.TargetEncoder: lambda step: len(step.encodings_),
        preprocessing.KBinsDiscretizer: lambda step: (
            step.n_features_in_ if step.encode == "ordinal" else int(step.n_bins_.sum())
        ),
        preprocessing.PolynomialFeatures: lambda step: step.n_output_features_,
        SimpleImputer: _of_imputer,
        MissingIndicator: _of_indicator,
        ColumnTransformer: lambda step: _sum(width for _, _, width in _parts(step)),
        FeatureUnion: lambda step: _sum(_union_widths(step)),
        Pipeline: lambda step: _chain(step.steps),
        selection.VarianceThreshold: _of_support,
        selection.SelectFromModel: _of_support,
    }
    | dict.fromkeys(UNIVARIATE, _of_support)
    | dict.fromkeys(VECTORIZERS, lambda step: len(step.vocabulary_))
)


def n_outputs(step: Any) -> int | None:
    """How many columns a step returns; None if that is not known, as for one that is not fitted."""
    works_unfitted = type(step) in (Pipeline, FeatureUnion, text.HashingVectorizer)
    if not is_step(step) or not (is_fitted(step) or works_unfitted):
        return None
    return WIDTHS.get(type(step), n_inputs)(step)


def n_inputs(step: Any) -> int | None:
    """How many columns a step takes; None if that is not known, as for texts."""
    return getattr(step, "n_features_in_", None)


def _sum(widths: Any) -> int | None:
    found = list(widths)
    return None if None in found else sum(found)


# ---------------------------------------------------------------- steps of steps


def _is_model(step: Any) -> bool:
    return isinstance(step, BaseEstimator)


def _check_names(kind: str, parts: Any, length: int, words: tuple[str | None, ...]) -> None:
    for part in parts:
        correct = type(part) is tuple and len(part) == length and type(part[0]) is str
        check(correct and (_is_model(part[1]) or part[1] in words), f"{kind} has the step {part!r}")
    check(len({part[0] for part in parts}) == len(parts), f"{kind} has two steps of a name")


def _chain(steps: Any) -> int | None:
    """Check that each step takes as many columns as the one before returns; how many the last one returns."""
    width = None
    for name, step in steps:
        if not _is_model(step):
            continue
        expected = n_inputs(step)
        if width is not None and expected is not None and width != expected:
            raise ValueError(f"the step {name!r} takes {expected} columns, and is given {width}")
        width = n_outputs(step)
    return width


def _check_pipeline(step: Any) -> None:
    check(step.memory is None, "the memory of a Pipeline would be read from the disk")
    _check_names("Pipeline", step.steps, 2, ("passthrough", None))
    _chain(step.steps)


def _union_widths(step: Any) -> list[int | None]:
    return [n_outputs(part) for _, part in step.transformer_list if part != "drop"]


def _check_union(step: Any) -> None:
    _check_names("FeatureUnion", step.transformer_list, 2, ("drop", "passthrough"))
    widths = {n_inputs(part) for _, part in step.transformer_list} - {None}
    check(len(widths) < 2, f"steps of FeatureUnion take {sorted(widths)} columns")


def _parts(step: Any) -> list[tuple[Any, list[int], int | None]]:
    """Fitted transformers that return columns: each with the columns it takes, and how many it returns."""
    found = []
    for name, part, _ in vars(step).get("transformers_", []):
        columns = step._transformer_to_input_indices[name]
        if columns and part != "drop":
            found.append((part, columns, len(columns) if part == "passthrough" else n_outputs(part)))
    return found


def _check_columns(step: Any) -> None:
    words = ("drop", "passthrough")
    _check_names("ColumnTransformer", step.transformers, 3, words)
    check(
        _is_model(step.remainder) or step.remainder in words, "the remainder of ColumnTransformer is no step"
    )
    if not is_fitted(step):
        return
    n = step.n_features_in_
    check(type(n) is int and n >= 0, f"ColumnTransformer was fitted to {n!r} columns")
    names = vars(step).get("feature_names_in_")
    check(names is None or np.shape(names) == (n,), f"ColumnTransformer has other names than for {n} columns")
    _check_names("ColumnTransformer", step.transformers_, 3, words)
    for columns in step._transformer_to_input_indices.values():
        correct = type(columns) is list and all(type(each) is int and 0 <= each < n for each in columns)
        check(correct, f"ColumnTransformer has columns that are not among {n}")
    for part, columns, _ in _parts(step):
        expected = n_inputs(part)
        if expected not in (None, len(columns)):
            raise ValueError(f"{part!r} takes {expected} columns, and is given {len(columns)}")
    width, outputs = n_outputs(step), vars(step).get("output_indices_", {})
    stops = [outputs[name].stop for name, *_ in step.transformers_] if outputs else []
    if outputs and width is not None:
        check(max(stops, default=0) == width, f"ColumnTransformer returns {width} columns, not {max(stops)}")


COMPOSED: dict[type, Callable[[Any], None]] = {
    Pipeline: _check_pipeline,
    FeatureUnion: _check_union,
    ColumnTransformer: _check_columns,
}
