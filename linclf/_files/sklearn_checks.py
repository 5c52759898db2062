"""Checks that the fitted parts of a scikit-learn step fit together.

scikit-learn checks user input but trusts fitted attributes: column numbers in an encoder or a vocabulary end
up as indices of sparse matrices that are not checked again.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import feature_selection as selection
from sklearn import preprocessing
from sklearn.base import BaseEstimator
from sklearn.feature_extraction import text
from sklearn.impute import MissingIndicator, SimpleImputer

from linclf._files.sklearn_encoders import check_encoder, check_one_hot, check_target_encoder

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

OF_OBJECTS = {"statistics_": "fiubOU", "bin_edges_": "O"}  # kinds of dtypes
# Arrays with an entry for each column; one may be missing if the parameter named after it is False.
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
    """Whether the step has fitted attributes, not only parameters."""
    return isinstance(step, BaseEstimator) and any(key.endswith("_") or key == "_tfidf" for key in vars(step))


def check_step(step: BaseEstimator) -> None:
    """Raise ValueError if parts of a step do not fit together; the steps inside it have been checked."""
    step._validate_params()
    cls, name = type(step), type(step).__name__
    if not is_fitted(step):
        return
    known = vars(step)
    if cls in VECTORIZERS:
        _check_vocabulary(step)
    if cls in VECTORIZERS or cls is selection.SelectFromModel:
        return
    n = known["_n_features"] if known.get("_precomputed") else known["n_features_in_"]
    check(type(n) is int and n > 0, f"{name} was fitted to {n!r} columns")
    check_names(step, n)
    for attribute, switch in COLUMNS.get(cls, {}).items():
        value = known.get(attribute)
        if value is None and switch is not None and not getattr(step, switch):
            continue
        check_array(f"{attribute} of {name}", value, (n,), OF_OBJECTS.get(attribute, "fiu"))
    if cls in ENCODERS:
        check_encoder(step, n)
    if cls in CHECKS:
        CHECKS[cls](step, n)


def check(condition: Any, message: str) -> None:
    if not condition:
        raise ValueError(message)


def check_names(step: BaseEstimator, n: int) -> None:
    names = vars(step).get("feature_names_in_")
    if names is not None and (np.shape(names) != (n,) or not all(isinstance(name, str) for name in names)):
        raise ValueError(f"{type(step).__name__} has not one name for each of {n} columns")


def check_array(name: str, value: Any, shape: tuple[int, ...], kinds: str = "fiu") -> None:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds:
        raise ValueError(f"{name} is no array of numbers")
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
    """The number of monomials of degree 1 to ``degree``; 2 ** 63 or more are refused, as by scikit-learn."""
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
