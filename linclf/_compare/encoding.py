"""Columns of any type to numbers in common units: imputed, one-hot encoded, standardised."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target

from linclf._data.labels import labels_of
from linclf._data.refusals import refuse_masked
from linclf._data.sparse import check_structure

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

_DENSE_CELLS = 50_000_000  # encoded tables above this size, 400 MB, are sparse


def check_table(X: Any) -> tuple[Any, int]:
    """Return X as an array, CSR matrix or pandas DataFrame, and its number of missing values.

    Numeric columns of a DataFrame become floats, all others text.
    """
    if hasattr(X, "to_pandas"):  # polars, pyarrow
        try:
            X = X.to_pandas()
        except ImportError as fault:
            library = type(X).__module__.partition(".")[0]
            raise ImportError(
                f'a table of {library} needs pandas and pyarrow: pip install "linclf[compare]"'
            ) from fault
    if not hasattr(X, "iloc"):
        refuse_masked(X, "X")
        if sparse.issparse(X):
            check_structure(X)
        options: dict[str, Any] = {"accept_sparse": "csr", "ensure_all_finite": "allow-nan"}
        X = check_array(X, **options)
        may_be_nan = not sparse.issparse(X) and X.dtype.kind == "f"
        return X, int(np.isnan(X).sum()) if may_be_nan else 0
    import pandas as pd

    columns = {}
    for position, name in enumerate(X.columns):
        column = X.iloc[:, position]
        if _is_numeric(column.dtype):
            column = column.astype(np.float64)
        else:  # all values become str, because a column of str and int cannot be sorted
            column = column.astype(object).map(str, na_action="ignore").astype(object)
            column = column.where(column.notna(), np.nan)
        columns[f"{position}:{name}"] = column
    table = pd.DataFrame(columns)
    return table, int(table.isna().to_numpy().sum())


def check_labels(y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sorted classes, the class index of each row, and the labels as an array of one type."""
    if np.ndim(y) != 1:
        raise ValueError(
            f"y must be one column of labels, got shape {np.shape(y)}; pass y[:, k] or a 1-D array"
        )
    y = labels_of(y)
    if y.dtype == object:
        y = np.array(y.tolist())
    if y.dtype.kind == "S":
        y = y.astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about many classes; compare checks their sizes
        target_type = type_of_target(y)
    classes, codes = np.unique(y, return_inverse=True)
    if target_type.startswith("continuous"):
        raise ValueError(
            f"y looks continuous ({classes.size:,} different values such as {y[0]:g}) and a classifier needs "
            "classes; choose another target or cut it into classes first"
        )
    return classes, codes, y


def _column_encoder(X: Any) -> tuple["ColumnTransformer | SimpleImputer | None", bool]:
    """A transformer that imputes and one-hot encodes, or None; and whether rows become, or stay, sparse."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    median = SimpleImputer(strategy="median", keep_empty_features=True)
    if sparse.issparse(X):
        return None, True
    if not hasattr(X, "iloc"):
        return (median if X.dtype.kind == "f" and np.isnan(X).any() else None), False
    numeric = [_is_numeric(dtype) for dtype in X.dtypes]
    categorical = [not is_numeric for is_numeric in numeric]
    n_encoded = sum(numeric) + int(X.loc[:, categorical].nunique().sum())
    dense = X.shape[0] * n_encoded <= _DENSE_CELLS
    one_hot = make_pipeline(
        SimpleImputer(strategy="most_frequent", keep_empty_features=True),
        OneHotEncoder(handle_unknown="ignore", sparse_output=not dense),
    )
    parts = [("numeric", median, numeric), ("categorical", one_hot, categorical)]
    return ColumnTransformer(parts, sparse_threshold=0.0 if dense else 1.0), not dense


def encoder_for(X: Any) -> "Pipeline":
    """A pipeline, not yet fitted, that makes numbers of a checked table, for every model the same.

    Dense columns are standardised: a penalty on weights means the same for two models only if their
    features have the same units. Sparse ones are left as they are, as centring would fill them.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    encoder, stays_sparse = _column_encoder(X)
    scaler = FunctionTransformer() if stays_sparse else StandardScaler()
    return make_pipeline(FunctionTransformer() if encoder is None else encoder, scaler)


def column_facts(X: Any) -> dict[str, Any]:
    """Which columns are encoded, imputed and scaled, by name or number.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf._compare.encoding import column_facts
    >>> column_facts(np.array([[1.0, np.nan], [2.0, 3.0]]))
    {'encoded': [], 'imputed': ['1'], 'scaled': ['0', '1']}
    """
    _, stays_sparse = _column_encoder(X)
    if hasattr(X, "iloc"):
        names = [str(name).partition(":")[2] for name in X.columns]
        encoded = [name for name, dtype in zip(names, X.dtypes, strict=True) if not _is_numeric(dtype)]
        gaps = X.isna().any().to_numpy()
    else:
        names, encoded = [str(column) for column in range(X.shape[1])], []
        dense = X.dtype.kind == "f" and not sparse.issparse(X)
        gaps = np.isnan(X).any(axis=0) if dense else np.zeros(X.shape[1], bool)
    imputed = [name for name, gap in zip(names, gaps, strict=True) if gap]
    return {"encoded": encoded, "imputed": imputed, "scaled": [] if stays_sparse else names}


def _is_numeric(dtype: Any) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(dtype) and not is_bool_dtype(dtype)
