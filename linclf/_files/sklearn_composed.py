"""Checks that the steps inside a pipeline, a union or a column transformer fit together.

Each step must accept as many columns as it is given, so the number that each step returns is needed.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeGuard

from sklearn import feature_selection as selection
from sklearn import preprocessing
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import text
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline

from linclf._files.sklearn_checks import UNIVARIATE, VECTORIZERS, check, check_names, check_step, is_fitted
from linclf._files.sklearn_parts import is_step


def check_any_step(step: BaseEstimator) -> None:
    """Raise ValueError if parts of a step do not fit together; the steps inside it have been checked."""
    if type(step) in COMPOSED:
        COMPOSED[type(step)](step)
    else:
        check_step(step)


# ---------------------------------------------------------------- columns that a step returns


def _of_indicator(step: Any) -> int:
    return len(step.features_)


def _of_imputer(step: Any) -> int:
    n, kept = len(step.statistics_), step.keep_empty_features
    empty = 0 if kept else sum(value != value for value in step.statistics_.tolist())
    return n - empty + (_of_indicator(step.indicator_) if step.indicator_ is not None else 0)


def _of_support(step: Any) -> int:
    with warnings.catch_warnings(action="ignore"):  # such as k > n_features, which fit has reported
        return int(step.get_support().sum())


WIDTHS: dict[type, Callable[[Any], int | None]] = {
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
WIDTHS |= dict.fromkeys(UNIVARIATE, _of_support)
WIDTHS |= dict.fromkeys(VECTORIZERS, lambda step: len(step.vocabulary_))


def n_outputs(step: Any) -> int | None:
    """The number of columns that a step returns; None if unknown, as for an unfitted step."""
    works_unfitted = type(step) in (Pipeline, FeatureUnion, text.HashingVectorizer)
    if not is_step(step) or not (is_fitted(step) or works_unfitted):
        return None
    return WIDTHS.get(type(step), n_inputs)(step)


def n_inputs(step: Any) -> int | None:
    """The number of columns that a step accepts; None if unknown, as for text."""
    return getattr(step, "n_features_in_", None)


def _sum(widths: Any) -> int | None:
    found = list(widths)
    return None if None in found else sum(found)


# ---------------------------------------------------------------- steps of steps


def _is_model(step: Any) -> TypeGuard[BaseEstimator]:
    return isinstance(step, BaseEstimator)


def _check_names(kind: str, parts: Any, length: int, words: tuple[str | None, ...]) -> None:
    for part in parts:
        correct = type(part) in (tuple, list) and len(part) == length and type(part[0]) is str
        check(correct and (_is_model(part[1]) or part[1] in words), f"{kind} has the step {part!r}")
    check(len({part[0] for part in parts}) == len(parts), f"{kind} has two steps of a name")


def _chain(steps: Any) -> int | None:
    """Check that each step accepts the columns of the one before; return the number of the last one."""
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
    step._validate_params()
    check(step.memory is None, "the memory of a Pipeline would be read from the disk")
    _check_names("Pipeline", step.steps, 2, ("passthrough", None))
    for name, part in step.steps[:-1]:
        check(not _is_model(part) or hasattr(part, "transform"), f"the step {name!r} returns no columns")
    _chain(step.steps)


def _union_widths(step: Any) -> list[int | None]:
    return [n_outputs(part) for _, part in step.transformer_list if part != "drop"]


def _check_union(step: Any) -> None:
    _check_names("FeatureUnion", step.transformer_list, 2, ("drop", "passthrough"))
    widths = {n_inputs(part) for _, part in step.transformer_list} - {None}
    check(len(widths) < 2, f"steps of FeatureUnion take {widths} columns")


def _parts(step: Any) -> list[tuple[Any, list[int], int | None]]:
    """Fitted transformers that return columns: each with its input columns and its number of outputs."""
    found = []
    for name, part, _ in vars(step).get("transformers_", []):
        columns = step._transformer_to_input_indices[name]
        if columns and part != "drop":
            found.append((part, columns, len(columns) if part == "passthrough" else n_outputs(part)))
    return found


def _check_columns(step: Any) -> None:
    step._validate_params()
    words = ("drop", "passthrough")
    _check_names("ColumnTransformer", step.transformers, 3, words)
    check(
        _is_model(step.remainder) or step.remainder in words, "the remainder of ColumnTransformer is no step"
    )
    if not is_fitted(step):
        return
    n = step.n_features_in_
    check(type(n) is int and n >= 0, f"ColumnTransformer was fitted to {n!r} columns")
    check_names(step, n)
    _check_names("ColumnTransformer", step.transformers_, 3, words)
    for columns in step._transformer_to_input_indices.values():
        correct = type(columns) is list and all(type(each) is int and 0 <= each < n for each in columns)
        check(correct, f"ColumnTransformer has columns that are not among {n}")
    parts = _parts(step)
    is_sparse = vars(step).get("sparse_output_")
    check(type(is_sparse) is bool or not parts, "ColumnTransformer does not say what it returns")
    for part, columns, _ in parts:
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
