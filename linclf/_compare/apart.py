"""Columns of a table that are not features: groups of rows, and times."""

from typing import TYPE_CHECKING, Any

from linclf._tables.files import like

if TYPE_CHECKING:
    import pandas as pd


def columns_apart(X: Any, names: dict[str, str | None]) -> tuple[Any, list[Any]]:
    """Take columns that are not features out of a table.

    Parameters
    ----------
    X : DataFrame, array or CSR matrix
    names : dict of str to str or None
        The column of each command-line option.

    Returns
    -------
    X : without these columns
    columns : list of Series or None
    """
    taken = {option: name for option, name in names.items() if name is not None}
    for option, name in taken.items():
        if not hasattr(X, "iloc"):
            raise ValueError(f"{option} {name!r}: this file has no named columns; use CSV or Parquet")
        if name not in X.columns:
            raise ValueError(f"{option} {name!r} is not a column; {like(name, map(str, X.columns))}")
    columns = [None if name is None else X[name] for name in names.values()]
    return (X.drop(columns=list(taken.values())) if taken else X), columns


def as_times(column: "pd.Series") -> "pd.Series":
    """A column that can be sorted: numbers stay, text is parsed as dates.

    Only ISO 8601 is accepted, because in 9/1/2025 the month is ambiguous.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return column
    try:
        return pd.to_datetime(column, format="ISO8601")
    except ValueError as fault:
        raise ValueError(
            f"--times {column.name!r} has neither numbers nor dates such as 2026-01-31: {fault}"
        ) from fault
