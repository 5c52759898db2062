"""Encoding of columns as numbers in common units: imputed, one-hot encoded, TF-IDF, standardised."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from linclf._tables.columns import Column, series

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

DENSE_CELLS = 50_000_000  # larger encoded tables (above 400 MB) are sparse


def encoder_of_columns(columns: Sequence[Column], dense: bool) -> "ColumnTransformer":
    """An unfitted transformer that encodes a table returned by `as_taken`.

    Numbers are imputed by the median and standardised, because penalties of two models are comparable only
    if their features have the same units. Each category gets a column, and text becomes TF-IDF. ``dense``
    decides whether the result is a dense array.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    def named(kind: str) -> list[str]:
        return [column.name for column in columns if column.kind == kind]

    parts: list[tuple[str, Any, Any]] = []
    if named("number"):
        median = SimpleImputer(strategy="median", keep_empty_features=True)
        parts.append(("number", make_pipeline(median, StandardScaler()), named("number")))
    if named("category"):
        frequent = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=not dense)
        steps = [frequent, one_hot, *([StandardScaler()] if dense else [])]
        parts.append(("category", make_pipeline(*steps), named("category")))
    parts += [(f"text {name}", TfidfVectorizer(sublinear_tf=True), name) for name in named("text")]
    if named("left out"):
        parts.append(("left out", "drop", named("left out")))
    return ColumnTransformer(parts, sparse_threshold=0.0 if dense else 1.0, verbose_feature_names_out=False)


def is_dense(table: "pd.DataFrame", columns: Sequence[Column], n_rows: int, cells: int = DENSE_CELLS) -> bool:
    """Whether ``n_rows`` encoded rows are a dense array: without text, and with at most ``cells`` cells."""
    if any(column.kind == "text" for column in columns):
        return False
    counts = [
        series(table, column.name).nunique() if column.kind == "category" else 1
        for column in columns
        if column.kind != "left out"
    ]
    return n_rows * sum(counts) <= cells


def encoder_of_array(X: Any) -> "Pipeline":
    """The same for an array or CSR matrix; sparse rows are not changed, because centring would fill them."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    if sparse.issparse(X):
        return make_pipeline(FunctionTransformer())
    has_gaps = X.dtype.kind == "f" and np.isnan(X).any()
    median = [SimpleImputer(strategy="median", keep_empty_features=True)] if has_gaps else []
    return make_pipeline(*median, StandardScaler())
