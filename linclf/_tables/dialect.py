"""The dialect of a text file: encoding, separator, and the line with the names of the columns.

Everything is detected from the file and reported to the user; ambiguous files are refused.
"""

import codecs
import csv
import gzip
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from linclf._tables.columns import unique
from linclf._tables.numbers import is_missing, is_number

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
HEAD, LINES = 2**20, 200  # characters and records used to detect the dialect
CHUNK = 2**20
MARKS = (  # longer marks first, because that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Dialect(NamedTuple):
    """How to read the file."""

    encoding: str
    separator: str
    skipped: int  # lines before the names, or before the first row
    has_names: bool
    names: list[str]  # of all columns
    numeric: list[bool | None]  # whether the first rows of a column hold numbers; None if they are empty
    is_ended: bool  # whether a separator ends each line
    quoting: Literal[0, 3]  # a constant of csv: whether a quote opens a field, or is a plain character

    def __str__(self) -> str:
        fields = "one column" if len(self.names) == 1 else f"separated by {SEPARATORS[self.separator]}"
        text = f"{self.encoding.upper().removesuffix('-SIG')}, {fields}"
        if self.skipped:
            text += f", {self.skipped} line{'s' if self.skipped > 1 else ''} above the table skipped"
        if self.quoting == csv.QUOTE_NONE:
            text += ", quotes are characters of the text"
        return text if self.has_names else f"{text}, without names of columns: its first line has numbers"


@contextmanager
def opened(path: Path, encoding: str | None = None) -> Iterator[Any]:
    """The text of a file, or its bytes; decompressed if needed."""
    packed = path.suffix.lower() == ".gz"
    with gzip.open(path, "rb") if packed else open(path, "rb") as file:
        if encoding is None:
            yield file
        else:
            yield io.TextIOWrapper(file, encoding=encoding, newline="")


def dialect_of(path: Path) -> Dialect:
    """Detect the dialect of a file.

    Raises
    ------
    ValueError
        If its lines have no common number of fields, or it is not text.
    """
    encoding = encoding_of(path)
    with opened(path, encoding) as file:
        head = file.read(HEAD)
        whole = not file.read(1)
    if "\0" in head:
        line = head[: head.index("\0")].count("\n") + 1
        raise ValueError(f"line {line} has a NUL character; this is not text")
    comments, head = _without_comments(head)
    if not head.strip():
        raise ValueError("it is empty")
    separator, records = _separated(head, whole)
    quoting, records = _quoting(head, separator, whole, records)
    first, body = records[0], records[1:]
    width = _width(body, len(first))
    names = [first[0].lstrip("# "), *first[1:]] if first[0].startswith("#") else list(first)
    ends = all(record[-1] == "" for record in body)
    if width == len(first) + 1:  # no name for the row names that R writes, or for a separator at the end
        names = [*names, ""] if ends else ["row name", *names]
    elif width != len(first):
        raise ValueError(f"its first line has {len(first)} fields, and the rows have {width}")
    is_ended = bool(body) and ends and names[-1] == ""
    numeric = _numeric(body, width - is_ended)
    has_names = len(names) > len(first) or not _is_row(first, numeric)
    names = names[: width - is_ended]
    if not has_names:
        names = [f"column {number + 1}" for number in range(len(names))]
    names = unique([name or f"unnamed {number + 1}" for number, name in enumerate(names)])
    return Dialect(encoding, separator, comments, has_names, names, numeric, is_ended, quoting)


def _width(body: list[list[str]], n_names: int) -> int:
    """The number of fields per row; rows with another number are refused."""
    lengths = [len(record) for record in body] or [n_names]
    width = max(set(lengths), key=lambda length: (lengths.count(length), length == n_names))
    for number, length in enumerate(lengths):
        if length != width:
            raise ValueError(
                f"row {number} has {length} fields, and most have {width}: {'|'.join(body[number])[:60]}"
            )
    return width


# ------------------------------------------------------------ encoding


def encoding_of(path: Path) -> str:
    """By byte-order mark or zero bytes, else UTF-8 if all bytes are valid, else Windows-1252."""
    with opened(path) as file:
        start = file.read(CHUNK)
        for mark, name in MARKS:
            if start.startswith(mark):
                return name
        zeros = start[0::2].count(0), start[1::2].count(0)
        if max(zeros) > len(start) // 5:
            return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while start:
                decoder.decode(start)
                start = file.read(CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


# ------------------------------------------------------------ lines and fields


def _without_comments(head: str) -> tuple[int, str]:
    """The number of lines before the table, and the text from there on.

    A line that begins with # is a comment, unless it is the last one and has as many fields as the next line.
    """
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", head)
    first = 0
    while first < len(lines) and (not lines[first].strip() or lines[first].lstrip().startswith("#")):
        first += 1
    if 0 < first < len(lines) and lines[first - 1].lstrip().startswith("#"):
        names, row = lines[first - 1], lines[first]
        counts = [(names.count(one), row.count(one)) for one in SEPARATORS]
        if any(here == there > 0 for here, there in counts):
            first -= 1
    return first, "".join(lines[first:])


def _separated(head: str, whole: bool) -> tuple[str, list[list[str]]]:
    """The separator that gives most lines the same number of fields, and the records."""
    for strict in (True, False):  # first, a quote that ends inside a field rules a separator out
        found = {separator: _records(head, separator, whole, strict) for separator in SEPARATORS}
        separator = max(SEPARATORS, key=lambda one: _agreement(found[one]))
        if _agreement(found[separator])[0]:
            return separator, found[separator]
    if re.search(r"\S[ \t]+\S", head.splitlines()[0]) and _spaced(head):
        raise ValueError(
            "its fields are separated by spaces; write commas, semicolons or tabs between them, such as by "
            "pandas.read_csv(path, sep=r'\\s+').to_csv(...)"
        )
    one_column = (one for one in SEPARATORS if all(len(record) == 1 for record in found[one]))
    separator = next(one_column, ",")
    return separator, found[separator]


def _quoting(
    head: str, separator: str, whole: bool, records: list[list[str]]
) -> tuple[Literal[0, 3], list[list[str]]]:
    """Whether quotes open fields, and the records.

    Two lone quotes (5" and 7") would join all lines between them into one field. Quotes are plain characters
    if fields span lines, and each line has the same number of fields without quoting; with separators other
    than tabs, only if a quote also ends inside a field.
    """
    width = _agreement(records)[1]
    if width == 1 or '"' not in head:
        return csv.QUOTE_MINIMAL, records
    plain = _records(head, separator, whole, strict=False, quoting=csv.QUOTE_NONE, limit=HEAD)
    if all(len(record) == width for record in plain):
        quoted = _records(head, separator, whole, strict=False, limit=HEAD)
        breaks_rules = _records(head, separator, whole, strict=True, limit=HEAD) == [[""]]
        if len(quoted) < len(plain) and (separator == "\t" or breaks_rules):
            return csv.QUOTE_NONE, plain[: LINES + 1]
    return csv.QUOTE_MINIMAL, records


def _agreement(records: list[list[str]]) -> tuple[float, int]:
    """The share of rows with the most frequent number of fields, and this number; 0 for one column."""
    lengths = [len(record) for record in records]
    most = max(set(lengths), key=lengths.count)
    return (lengths.count(most) / len(lengths) if most > 1 else 0.0), most


def _spaced(head: str) -> bool:
    counts = {len(line.split()) for line in head.splitlines()[:20] if line.strip()}
    return len(counts) == 1 and counts.pop() > 1


def _records(
    head: str, separator: str, whole: bool, strict: bool, quoting: Literal[0, 3] = 0, limit: int = LINES
) -> list[list[str]]:
    size = csv.field_size_limit(sys.maxsize)
    try:
        reader = csv.reader(
            io.StringIO(head, newline=""),
            delimiter=separator,
            skipinitialspace=True,
            strict=strict,
            quoting=quoting,
        )
        records = []
        for record in reader:
            if record and any(field.strip() for field in record):
                records.append([field.strip() for field in record])
            if len(records) > limit:
                break
    except csv.Error:
        return [[""]]
    finally:
        csv.field_size_limit(size)
    if not whole and len(records) > 1 and len(records) <= limit:
        records.pop()  # the end of the head may have cut it
    return records or [[""]]


def _numeric(body: list[list[str]], width: int) -> list[bool | None]:
    """Whether at least 90 % of the known values of a column are numbers; None if all are missing."""
    columns = [[record[at] for record in body if not is_missing(record[at])] for at in range(width)]
    return [sum(map(is_number, known)) >= 0.9 * len(known) if known else None for known in columns]


def _is_row(first: list[str], numeric: list[bool | None]) -> bool:
    """Whether the first line is a row: it has numbers in all numeric columns."""
    here = [is_number(value) for value, is_one in zip(first, numeric, strict=False) if is_one]
    return bool(here) and all(here)
