"""Files of any form give the frame that was written, or a ValueError of linclf; never another table.

``LINCLF_FUZZ=10000 pytest -m fuzz`` reads 10,000 new files.
"""

import csv
import io
import os
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linclf._tables.columns import as_taken, columns_of
from linclf._tables.files import open_table
from linclf._tables.reading import read_table

pytestmark = pytest.mark.fuzz

LONG = int(os.environ.get("LINCLF_FUZZ", 0))
fuzz = settings(
    max_examples=LONG or 70,
    derandomize=not LONG,
    database=None,
    deadline=20_000,  # milliseconds: catches hangs
    suppress_health_check=list(HealthCheck),
)
WORDS = st.text(st.sampled_from("abcxyzäöß -_,;|'\"\t#"), min_size=1, max_size=8).map(str.strip).filter(bool)
NAMES = st.lists(WORDS, min_size=2, max_size=5, unique=True)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])


@st.composite
def tables(draw):
    """Columns of numbers or words, and how they are written."""
    names = draw(NAMES)
    n = draw(st.integers(2, 30))
    columns = {}
    for name in names:
        if draw(st.booleans()):
            columns[name] = draw(st.lists(st.integers(-9999, 9999), min_size=n, max_size=n))
        else:
            columns[name] = draw(st.lists(WORDS, min_size=n, max_size=n))
    return columns, draw(st.sampled_from(",;\t|")), draw(ENCODINGS), draw(st.sampled_from(["\n", "\r\n"]))


def written(columns, separator, encoding, end):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(list(columns))
    writer.writerows(zip(*columns.values(), strict=True))
    return file.getvalue().encode(encoding)


def attempt(content, name="t.csv"):
    """The frame, or None if it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            table = open_table(path)
            frame = pd.concat(list(table.frames(None)), ignore_index=True)
            return table, frame, as_taken(frame, columns_of(frame))
        except ValueError:
            return None


@given(tables())
@fuzz
def test_what_was_written_is_read_or_refused(drawn):
    columns, *_ = drawn
    read = attempt(written(*drawn))
    if read is None:
        return
    table, frame, _ = read
    assert len(frame) == len(next(iter(columns.values())))
    assert len(table.names) == len(columns)
    if table.dialect.has_names and not next(iter(columns)).startswith("#"):
        assert table.names == list(columns)
    for name, values in zip(table.names, columns.values(), strict=True):
        if isinstance(values[0], int):
            assert frame[name].tolist() == values


PIECES = st.sampled_from(
    [
        *(
            b",",
            b";",
            b"\t",
            b"|",
            b"\n",
            b"\r\n",
            b"\r",
            b'"',
            b"'",
            b"#",
            b" ",
            b"1",
            b"2.5",
            b"1,5",
            b"NA",
            b"?",
        ),
        *(
            b"a",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"\0",
            b"\xe4",
            b"\xc3\x9f",
            b"-",
            b"%",
            b"1e9999",
            b"inf",
            b"nan",
        ),
        *(b"x" * 300, b"2026-01-01", b"a b c d", b"1:2", b"=", b"\x1a", b"9" * 40),
    ]
)


@given(st.lists(PIECES, max_size=60).map(b"".join), st.sampled_from(["t.csv", "t.tsv", "t.txt"]))
@fuzz
def test_bytes_of_any_kind_are_read_or_refused(content, name):
    read = attempt(content, name)
    if read is not None:
        _, frame, taken = read
        assert len(frame) == len(taken)
        assert frame.columns.is_unique
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            X, y, lines = read_table(path)
        except ValueError:
            return
        assert X.shape[0] == len(y)
        assert lines


@given(st.lists(PIECES, min_size=1, max_size=10).map(b"".join), st.integers(0, 200))
@fuzz
def test_damage_in_the_middle_is_read_or_refused(damage, row):
    lines = [b"a,b,c", *[b"%d,%d.5,w%d" % (i, i, i % 3) for i in range(200)]]
    lines[row] = lines[row] + damage
    read = attempt(b"\n".join(lines) + b"\n")
    if read is not None:
        assert read[1].shape[1] >= 2
