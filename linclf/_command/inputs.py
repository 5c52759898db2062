"""The columns that a fitted model needs, and files with columns that do not match."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from linclf._tables.columns import KINDS, Column, Kind, as_taken, as_written, series, words_in
from linclf._tables.files import Table, like
from linclf._tables.labels import TARGETS
from linclf._tables.numbers import Decimal

if TYPE_CHECKING:
    import pandas as pd

LOOK = 10_000  # rows used to detect the number format of a file


def columns_of_model(model: Any) -> list[Column] | None:
    """The columns that a model was fitted with, with their kinds; None if they have no names."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return None
    encoder = model[0] if isinstance(model, Pipeline) else None
    if not isinstance(encoder, ColumnTransformer):
        return [Column(str(name), "number", "") for name in names]
    kinds: dict[str, Kind] = dict.fromkeys(map(str, names), "left out")
    for part, step, taken in _parts(encoder):
        if step != "drop":
            kinds.update(dict.fromkeys(taken, _kind_of(part)))
    return [Column(name, kind, "") for name, kind in kinds.items()]


def _kind_of(part: str) -> Kind:
    """The kind of the columns of an encoder's part, from its name."""
    for kind in KINDS:
        if part == kind or part.startswith(f"{kind} "):
            return kind
    return "number"


def _parts(encoder: Any) -> "Iterator[tuple[str, Any, list[str]]]":
    """The parts of a fitted ColumnTransformer: name, transformer, and names of its columns."""
    names = getattr(encoder, "feature_names_in_", None)
    if names is None or not isinstance(encoder, ColumnTransformer):
        return
    for part, step, _ in encoder.transformers_:  # its columns may be numbers, a mask or a slice
        yield part, step, [str(names[at]) for at in encoder._transformer_to_input_indices[part]]


def _categories(step: Any) -> list[list[str]]:
    """The known values of each column of a one-hot encoder; empty if earlier steps change values."""
    steps = [each for _, each in step.steps] if isinstance(step, Pipeline) else [step]
    first = next((each for each in steps if not isinstance(each, (SimpleImputer, str))), None)
    return [list(values) for values in first.categories_] if isinstance(first, OneHotEncoder) else []


def matched(columns: Sequence[Column], table: Table, model: str) -> list[Column]:
    """The columns that the model needs, after a check that the table has them.

    Raises
    ------
    ValueError
        If one is missing; the message names it, and columns with similar names.
    """
    needed = [column for column in columns if column.kind != "left out"]
    missing = [column.name for column in needed if column.name not in table.names]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(
            f"{table.title} has no column {missing[0]!r}{more}, and {model} was fitted with "
            f"{len(needed)} columns; {like(missing[0], table.names)}"
        )
    return needed


def target_column(columns: Sequence[Column], table: Table) -> str:
    """The column with the labels: the only one that the model does not use, or one with a usual name."""
    taken = {column.name for column in columns}
    others = [name for name in table.names if name not in taken]
    usual = [name for name in others if name.lower() in TARGETS]
    found = others if len(others) == 1 else usual
    if len(found) != 1:
        what = f"one of {', '.join(others[:10])}" if others else "a column; there is none beside the features"
        raise ValueError(f"{table.title}: which column has the labels? --target names it: {what}")
    return found[0]


class Unseen:
    """Counts categories that were not seen in fit: a model ignores them, and the user must know."""

    def __init__(self, model: Any) -> None:
        self.known: dict[str, list[str]] = {}
        self.rows: dict[str, int] = {}
        self.first: dict[str, str] = {}
        for part, step, names in _parts(model[0] if isinstance(model, Pipeline) else None):
            known = _categories(step)
            if _kind_of(part) == "category" and len(known) == len(names):
                self.known.update(zip(names, known, strict=True))

    def look(self, block: "pd.DataFrame") -> None:
        for name, known in self.known.items():
            values = series(block, name).dropna()
            new = values[~values.isin(known)].tolist()
            if new:
                self.rows[name] = self.rows.get(name, 0) + len(new)
                self.first.setdefault(name, new[0])

    def words(self) -> list[str]:
        return [
            f"{n:,} row{'s have' if n > 1 else ' has'} a value of {name!r} that was not seen in fit, such "
            f"as {self.first[name]!r}: it is ignored"
            for name, n in self.rows.items()
        ]


class FileRows:
    """The rows of a file, converted for a model.

    Parameters
    ----------
    table : Table
    columns : list of Column
        Those that the model needs.
    given : mapping of str to str
        Kinds of columns set by the user.
    decimal : {".", ","} or None
    """

    def __init__(
        self,
        table: Table,
        columns: Sequence[Column],
        given: Mapping[str, str] | None = None,
        decimal: Decimal | None = None,
    ) -> None:
        self.table, self.names = table, [column.name for column in columns]
        kinds = {column.name: column.kind for column in columns}
        self.words = words_in(kinds)
        first = next(iter(table.frames(LOOK, words=self.words)), None)
        if first is None or not len(first):
            raise ValueError(f"{table.title} has no rows")
        for name, kind in (given or {}).items():
            if kinds.get(name) != kind:
                fitted = f"it as {kinds[name]}" if name in kinds else "no such column"
                raise ValueError(f"--columns {name}={kind}: the model was fitted with {fitted}")
        self.columns = as_written(first, columns, given or {}, decimal)

    def blocks(self, n_rows: int, target: str | None = None) -> "Iterator[tuple[int, pd.DataFrame, Any]]":
        """Yield the number of the first row, the features, and the unconverted column of labels."""
        start = 0
        for frame in self.table.frames(n_rows, target, self.words):
            yield (
                start,
                as_taken(frame, self.columns, start),
                (None if target is None else frame[target]),
            )
            start += len(frame)
