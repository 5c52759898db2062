"""Tables in files, read as DataFrames: all rows at once, or in blocks."""

import csv
import difflib
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from linclf._sources.arrow import arrow
from linclf._sources.batches import files_of
from linclf._tables.columns import TEXT_MISSING
from linclf._tables.dialect import SEPARATORS, Dialect, dialect_of, opened
from linclf._tables.numbers import MISSING

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd

TEXT, PARQUET = (".csv", ".tsv", ".tab", ".psv"), (".parquet", ".pq")
ARRAYS = (".npz", ".svm", ".svmlight", ".libsvm")
ENDINGS = (*TEXT, *PARQUET, *ARRAYS, ".txt")
# size in memory relative to the file: a number takes 8 bytes and a string 60; gzip divides by five
TEXT_GROWTH, PACKED, PARQUET_GROWTH = 3, 5, 2


class Table(Protocol):
    """Rows of named columns in files."""

    names: list[str]

    @property
    def title(self) -> str: ...

    @property
    def size(self) -> int:
        """Estimated bytes of all rows in memory."""
        ...

    @property
    def n_rows(self) -> int | None:
        """None if it is unknown before reading."""
        ...

    def frames(
        self, n_rows: int | None, as_text: str | None = None, words: Collection[str] = ()
    ) -> "Iterator[pd.DataFrame]":
        """All rows, ``n_rows`` at a time or all at once.

        The column ``as_text`` (the labels) and the columns ``words`` keep their spelling: 01 is not 1.
        """
        ...


def open_table(path: str | Path) -> Table:
    """A CSV, TSV or Parquet file, a folder of Parquet files, or a pattern.

    Raises
    ------
    ValueError
        If the file does not have the format of its ending.
    FileNotFoundError
        If there is no such file.
    """
    paths = files_of(path)
    ending = ending_of(paths[0])
    if ending in PARQUET:
        return ParquetTable(paths)
    if len(paths) > 1:
        raise ValueError(f"{path} are {len(paths)} files; of several files only Parquet is read")
    pandas_for(paths[0])
    try:
        dialect = dialect_of(paths[0])
    except UnicodeDecodeError as fault:
        raise ValueError(f"{paths[0].name} cannot be read as text: {fault}; save it as UTF-8") from fault
    except ValueError as fault:
        raise ValueError(f"{paths[0].name} cannot be read as {ending[1:].upper()}: {fault}") from fault
    return TextTable(paths[0], dialect)


def ending_of(path: Path) -> str:
    """The ending of a file, such as .csv, without .gz.

    Raises
    ------
    ValueError
        If there is no reader for it.
    """
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending not in ENDINGS:
        raise ValueError(f"{path.name} has the ending {ending!r}, and linclf reads {', '.join(ENDINGS)}")
    return ending


def check_target(table: Table, target: str, option: str = "--target") -> None:
    """Refuse a target column that the table does not have."""
    if target not in table.names:
        raise ValueError(f"{option} {target!r} is not a column of {table.title}; {like(target, table.names)}")


def check_features(table: Table) -> None:
    """Refuse a table without columns other than the labels."""
    if len(table.names) < 2:
        raise ValueError(
            f"{table.title} has one column, and a fit needs a target and features; the fields of a row of "
            f"text are separated by {', '.join(SEPARATORS.values())}"
        )


def like(name: str, columns: Iterable[str]) -> str:
    """A hint with the columns of similar names, or the first columns."""
    columns = list(columns)
    close = difflib.get_close_matches(name, columns, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else f"it has {', '.join(columns[:20])}"


def pandas_for(path: Path) -> "ModuleType":
    """The module pandas, or an ImportError with the remedy."""
    try:
        import pandas
    except ImportError as fault:
        raise ImportError(f'reading {path.name} needs pandas: pip install "linclf[compare]"') from fault
    return pandas


# ------------------------------------------------------------ text


@dataclass
class TextTable:
    """A text file with delimited fields."""

    path: Path
    dialect: Dialect
    names: list[str] = field(init=False)
    n_rows: int | None = None

    def __post_init__(self) -> None:
        self.names = self.dialect.names

    @property
    def title(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        packed = PACKED if self.path.suffix.lower() == ".gz" else 1
        return self.path.stat().st_size * packed * TEXT_GROWTH

    def __str__(self) -> str:
        return str(self.dialect)

    def frames(
        self, n_rows: int | None, as_text: str | None = None, words: Collection[str] = ()
    ) -> "Iterator[pd.DataFrame]":
        pd, dialect = pandas_for(self.path), self.dialect
        names = [*dialect.names, "\0end"] if dialect.is_ended else dialect.names
        numeric = dict(zip(dialect.names, dialect.numeric, strict=True)) | dict.fromkeys(words, False)
        marks = {name: list(MISSING if is_one else TEXT_MISSING) for name, is_one in numeric.items()}
        # a single block must not decide whether 01 is a number or TRUE a bool
        written = {name: str for name, is_one in numeric.items() if is_one is False}
        options: dict[str, Any] = {
            "sep": dialect.separator,
            "encoding": dialect.encoding,
            "skiprows": dialect.skipped,
            "header": 0 if dialect.has_names else None,
            "names": names,
            "skipinitialspace": True,
            "keep_default_na": False,
            "na_values": marks if as_text is None else marks | {as_text: [""]},
            "dtype": written if as_text is None else written | {as_text: str},
            "quoting": dialect.quoting,
            "low_memory": False,
            "compression": "gzip" if self.path.suffix.lower() == ".gz" else None,
        }
        checked = False
        try:
            with pd.read_csv(self.path, chunksize=n_rows or sys.maxsize, **options) as chunks:
                for frame in chunks:
                    # in a short line the last value is missing
                    if not checked and frame[names[-1]].isna().any():
                        check_lengths(self.path, dialect, len(names))
                        checked = True
                    yield frame[dialect.names].reset_index(drop=True)
        except pd.errors.EmptyDataError:
            return
        except pd.errors.ParserError as fault:
            reason = " ".join(str(fault).split()).removeprefix("Error tokenizing data. C error: ")
            raise ValueError(f"{self.title} cannot be read: {reason}") from fault
        except UnicodeDecodeError as fault:
            raise ValueError(
                f"{self.title} is not {dialect.encoding.upper()} throughout: {fault}; save it as UTF-8"
            ) from fault


def check_lengths(path: Path, dialect: Dialect, width: int) -> None:
    """Refuse a row with too few fields, which pandas would fill up."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with opened(path, dialect.encoding) as file:
            for _ in range(dialect.skipped):
                file.readline()
            records = csv.reader(
                file, delimiter=dialect.separator, skipinitialspace=True, quoting=dialect.quoting
            )
            filled = (record for record in records if any(value.strip() for value in record))
            if dialect.has_names:
                next(filled)
            for record in filled:
                if len(record) < width:
                    _refuse_short(record, width, dialect)
    finally:
        csv.field_size_limit(limit)


def _refuse_short(record: Sequence[str], width: int, dialect: Dialect) -> None:
    separator = SEPARATORS[dialect.separator]
    raise ValueError(
        f"a row has {len(record)} fields separated by {separator}, and there are {width} columns: "
        f"{dialect.separator.join(record)[:80]!r}; complete it, or leave it out"
    )


# ------------------------------------------------------------ Parquet


@dataclass
class ParquetTable:
    """Parquet files with the same columns."""

    paths: list[Path]
    names: list[str] = field(init=False)
    n_rows: int | None = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        pandas_for(self.paths[0])
        pa = arrow()
        self.n_rows = self.size = 0
        for path in self.paths:
            try:
                metadata = pa.parquet.read_metadata(path)
            except (pa.ArrowInvalid, OSError) as fault:
                reason = " ".join(str(fault).split())
                raise ValueError(f"{path.name} cannot be read as PARQUET: {reason}") from fault
            names = metadata.schema.to_arrow_schema().names
            if path == self.paths[0]:
                self.names = names
            elif set(names) != set(self.names):
                other = sorted(set(names) ^ set(self.names))[0]
                raise ValueError(
                    f"{path} and {self.paths[0]} do not have the same columns: only one has {other!r}"
                )
            self.n_rows += metadata.num_rows
            self.size += PARQUET_GROWTH * sum(
                metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)
            )
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"{self.title} has two columns with the same name; rename one of them")

    @property
    def title(self) -> str:
        return self.paths[0].name if len(self.paths) == 1 else f"{len(self.paths)} files of Parquet"

    def __str__(self) -> str:
        return "Parquet"

    def frames(
        self, n_rows: int | None, as_text: str | None = None, words: Collection[str] = ()
    ) -> "Iterator[pd.DataFrame]":
        pa = arrow()
        for path in self.paths:
            try:
                with pa.parquet.ParquetFile(path, pre_buffer=False) as file:
                    for batch in file.iter_batches(n_rows or max(self.n_rows or 1, 1), columns=self.names):
                        yield batch.to_pandas(ignore_metadata=True)[self.names]
            except (pa.ArrowInvalid, OSError) as fault:
                reason = " ".join(str(fault).split())
                raise ValueError(f"{path.name} cannot be read as PARQUET: {reason}") from fault
