"""The features of a table, an array or a sparse matrix, checked, with a suitable encoder."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from linclf._data.refusals import refuse_masked
from linclf._data.sparse import check_structure
from linclf._tables.columns import Column, as_taken, columns_of, unique
from linclf._tables.encoding import encoder_of_array, encoder_of_columns, is_dense
from linclf._tables.numbers import Decimal
from linclf._tables.report import ReadingReport, report_of


class Features(NamedTuple):
    """Rows, and how to encode them.

    Attributes
    ----------
    rows : DataFrame of numbers and text, ndarray or CSR matrix
    n_missing : int
    report : ReadingReport or None
        None if the columns have no names and hold only numbers.
    """

    rows: Any
    n_missing: int
    report: ReadingReport | None

    @property
    def columns(self) -> list[Column]:
        return [] if self.report is None else self.report.columns

    @property
    def n_features(self) -> int:
        """Number of columns that are not left out."""
        left_out = sum(column.kind == "left out" for column in self.columns)
        return self.rows.shape[1] - left_out

    def encoder(self) -> Any:
        """An unfitted transformer that encodes the rows as numbers."""
        if self.report is None:
            return encoder_of_array(self.rows)
        return encoder_of_columns(self.columns, self.report.dense)

    def lines(self) -> list[str]:
        """How the columns are read and encoded, as text."""
        if self.report is not None:
            return self.report.lines()
        if sparse.issparse(self.rows):
            return ["sparse rows as they are"]
        gaps = f", {self.n_missing:,} missing values: the median taken" if self.n_missing else ""
        return [f"columns standardised{gaps}"]

    def facts(self) -> dict[str, Any]:
        """The same for JSON."""
        return {} if self.report is None else self.report.facts()


def features_of(X: Any, given: Mapping[str, str] | None = None, decimal: Decimal | None = None) -> Features:
    """Check X and detect the kinds of its columns.

    Parameters
    ----------
    X : DataFrame of pandas or polars, Arrow table, array or SciPy sparse matrix
    given : mapping of str to str, default=None
        Kinds of columns by name: "number", "category", "text" or "left out".
    decimal : {".", ","}, default=None
        The decimal sign of numbers that are written as text.
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
        if given:
            raise ValueError(f"columns={dict(given)!r} names columns, and X has none; pass a DataFrame")
        return _of_array(X)
    table = X.set_axis(unique(list(map(str, X.columns))), axis=1)
    columns = columns_of(table, given, decimal)
    report = report_of(table, columns, is_dense(table, columns, len(table)))
    return Features(as_taken(table, columns), sum(report.n_missing.values()), report)


def _of_array(X: Any) -> Features:
    refuse_masked(X, "X")
    if sparse.issparse(X):
        check_structure(X)
    options: dict[str, Any] = {"accept_sparse": "csr", "ensure_all_finite": "allow-nan"}
    X = check_array(X, **options)
    may_be_nan = not sparse.issparse(X) and X.dtype.kind == "f"
    return Features(X, int(np.isnan(X).sum()) if may_be_nan else 0, None)
