"""Dask collections as partitions of rows, targets and weights."""

from typing import Any

import numpy as np
from dask.base import compute
from dask.delayed import delayed


def partitions_of(X: Any, y: Any, weights: Any) -> list[Any]:
    """A delayed (X, y, weights) for each partition."""
    given = {"X": X, "y": y, "sample_weight": weights}
    n_rows = X.chunks[0] if hasattr(X, "chunks") else None
    parts = {name: _delayed(value, name, n_rows) for name, value in given.items() if value is not None}
    n_parts = len(parts["X"])
    for name, found in parts.items():
        if len(found) != n_parts:
            raise ValueError(
                f"X has {n_parts} partitions, and {name} has {len(found)}; bring them to the same ones, as "
                "rechunk and repartition do"
            )
    ys = parts.get("y", [None] * n_parts)
    ws = parts.get("sample_weight", [None] * n_parts)
    return [delayed(tuple)([*rows]) for rows in zip(parts["X"], ys, ws, strict=True)]


def _delayed(collection: Any, name: str, n_rows: Any) -> list[Any]:
    if isinstance(collection, (list, tuple)):
        return list(collection)
    if not hasattr(collection, "to_delayed"):
        raise TypeError(
            f"{name} is a {type(collection).__name__}; pass an array, a DataFrame or a list of delayed parts "
            "of Dask, or use the classifier of linclf for rows in memory"
        )
    if hasattr(collection, "chunks"):  # an array
        if collection.ndim == 2 and collection.numblocks[1] > 1:
            collection = collection.rechunk({1: -1})
        if n_rows is not None and collection.chunks[0] != n_rows:
            known = not np.isnan([*n_rows, *collection.chunks[0]]).any()
            if known and sum(collection.chunks[0]) == sum(n_rows):
                collection = collection.rechunk({0: n_rows})
    return np.ravel(np.asarray(collection.to_delayed(), object)).tolist()


def names_of(X: Any) -> list[str] | None:
    """The columns of a DataFrame."""
    columns = getattr(X, "columns", None)
    return None if columns is None else [str(name) for name in columns]


def local(collection: Any) -> Any:
    """The collection in local memory; other values unchanged."""
    if isinstance(collection, (list, tuple)):
        is_delayed = bool(collection) and hasattr(collection[0], "dask")
        return np.concatenate(compute(*collection)) if is_delayed else collection
    return collection.compute() if hasattr(collection, "compute") else collection
