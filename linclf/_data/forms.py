"""Containers of arguments: accepted as arrays, or refused with a remedy."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

# lazy containers: (package, class), and the method that reads them
LAZY = {
    ("polars", "LazyFrame"): "collect()",
    ("duckdb", "DuckDBPyRelation"): "df()",
    ("pyspark", "DataFrame"): "toPandas()",
    ("pyarrow", "RecordBatchReader"): "read_all()",
    ("pyarrow", "Dataset"): "to_table()",
}

# methods of containers that NumPy and SciPy can read
ARRAYS = "__array__", "__array_interface__", "__buffer__", "__dataframe__", "__arrow_c_stream__", "tocsr"


def container(values: Any, name: str) -> Any:
    """The argument in a form for NumPy and scikit-learn: PyTorch tensors become arrays, the rest stays.

    Raises
    ------
    TypeError
        If it has no order, can be read only once, or is not read yet.
    ValueError
        If its rows have different lengths.
    """
    if isinstance(values, (np.ndarray, np.generic)) and values.dtype.kind != "V":
        return values
    for kind in type(values).__mro__:
        package = kind.__module__.partition(".")[0]
        read = LAZY.get((package, kind.__name__))
        if read is not None:
            raise TypeError(
                f"{name} is a {kind.__name__} of {package}, which is not read yet; pass {name}.{read}"
            )
        if (package, kind.__name__) == ("torch", "Tensor"):
            return _of_tensor(values, name)
    if str(getattr(values, "dtype", "")) == "bfloat16":  # of ml_dtypes, used by JAX
        return np.asarray(values).astype(np.float32)
    if isinstance(values, (list, tuple)):
        _check_lengths(values, name)
    elif not any(hasattr(values, method) for method in ARRAYS) and _has_no_rows(values):
        _refuse_unordered(values, name)
    return values


def _has_no_rows(values: Any) -> bool:
    """Whether an object is iterable, but cannot be indexed by row."""
    return isinstance(values, Iterable) and (
        isinstance(values, Mapping) or not hasattr(values, "__getitem__")
    )


def _of_tensor(tensor: Any, name: str) -> Any:
    """A PyTorch tensor as an array; bfloat16 becomes float32, because NumPy has no bfloat16."""
    if not str(tensor.layout).endswith("strided"):
        raise TypeError(
            f"{name} is a sparse tensor with layout {tensor.layout}; pass {name}.to_dense(), or a CSR "
            "matrix of SciPy"
        )
    tensor = tensor.detach().cpu()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def _check_lengths(values: Any, name: str) -> None:
    """Refuse rows of different lengths with a clearer message than NumPy's."""
    lengths = [
        len(row) if isinstance(row, (list, tuple, np.ndarray)) and np.ndim(row) else -1
        for row in _rows(values)
    ]
    other = next((row for row, length in enumerate(lengths) if length != lengths[0]), None)
    if other is not None:
        first, there = (_length(lengths[row]) for row in (0, other))
        raise ValueError(
            f"{name} has rows of different lengths: row 0 is {first}, and row {other} is {there}; pass rows "
            "that are equally long. For labels, pass one a row, or for several a row the 0 and 1 of "
            "scikit-learn's MultiLabelBinarizer().fit_transform(y)"
        )


def _rows(values: Any) -> Any:
    """The rows to check: for a list of scalars, the types are enough."""
    kinds = set(map(type, values))
    return values if any(issubclass(kind, (list, tuple, np.ndarray)) for kind in kinds) else ()


def _length(length: int) -> str:
    return "a single value" if length < 0 else f"of length {length}"


def _refuse_unordered(values: Any, name: str) -> None:
    kind = type(values).__name__
    if isinstance(values, Mapping):
        remedy = f"pass list({name}.values()) if it has a value for each row, or pandas.DataFrame({name})"
    elif isinstance(values, Set) and kind != "dict_keys":
        remedy = "a set has no order; pass a list or an array, in the order of the rows"
    else:
        remedy = f"pass list({name})"
    raise TypeError(f"{name} is a {kind}, not an array; {remedy}")


def is_narrow(values: Any) -> bool:
    """Whether all numbers are float16 or float32 (of any byte order), so that float32 holds them."""
    try:
        kinds = [np.dtype(kind).newbyteorder("=") for kind in _dtypes(values)]
    except TypeError:  # types that NumPy does not know
        return False
    return bool(kinds) and np.result_type(*kinds) in (np.float16, np.float32)


def _dtypes(values: Any) -> list[Any]:
    """The dtypes of an array, or of the columns of a table."""
    if hasattr(values, "dtypes"):
        kinds = values.dtypes if isinstance(values.dtypes, list) else list(values.dtypes)
        return [str(kind).lower() for kind in kinds]
    if hasattr(values, "schema") and hasattr(values.schema, "types"):  # a table of Arrow
        return ["float16" if str(kind) == "halffloat" else str(kind) for kind in values.schema.types]
    return [values.dtype] if hasattr(values, "dtype") else []


def column_names(values: Any) -> list[str] | None:
    """Column names of a pandas, polars or Arrow table, if all of them are strings."""
    if getattr(values, "shape", (0,))[1:] == ():
        return None
    names = getattr(values, "column_names", None)
    if names is None:
        names = getattr(values, "columns", None)
    if names is None or callable(names):
        return None
    names = list(names)
    return names if all(isinstance(name, str) for name in names) else None
