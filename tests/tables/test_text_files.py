"""Reading of text files: each case is correct, or refused with the line and the remedy.

Kinds of columns are tested in test_column_kinds.py.
"""

import gzip
import re

import numpy as np
import pandas as pd
import pytest

from linclf._tables.columns import as_taken, columns_of
from linclf._tables.files import open_table
from linclf._tables.labels import labels_from_text
from linclf._tables.reading import read_table


def read(tmp_path, content, name="t.csv", encoding="utf-8", n_rows=None, **options):
    """The table, its frame, and the converted frame."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    table = open_table(path)
    frame = pd.concat(list(table.frames(n_rows)), ignore_index=True)
    return table, frame, as_taken(frame, columns_of(frame, **options))


@pytest.mark.parametrize(
    ("content", "names", "columns"),
    [
        ("a;b;c\n0,126;-0,132;k\n1,5;2,25;l\n", "a b c", {"a": [0.126, 1.5], "b": [-0.132, 2.25]}),
        ('a,b\n"1,234.5",x\n"2,000",y\n', "a b", {"a": [1234.5, 2000.0]}),
        ('a;b\n"1,234";0,5\n"2,000";0,7\n', "a b", {"a": [1.234, 2.0], "b": [0.5, 0.7]}),
        ('a,b\n"1,234",0.5\n"2,000",0.7\n', "a b", {"a": [1234.0, 2000.0], "b": [0.5, 0.7]}),
        ("a\tb\n1.234.567,5\t1\n2,5\t3\n", "a b", {"a": [1234567.5, 2.5]}),
        ("a,b\n50.1%,$3\n12%,$4.50\n", "a b", {"a": [0.501, 0.12], "b": [3.0, 4.5]}),
        ("a|b\n1 234|\u22125\n2 000|7\n", "a b", {"a": [1234.0, 2000.0], "b": [-5.0, 7.0]}),
        (
            '"weight, kg";"age, y, full"\n1;2\n4;5\n',
            ["weight, kg", "age, y, full"],
            {"weight, kg": [1.0, 4.0]},
        ),
        ("# made by x\n\n# y\na|b\n1|2\n3|5\n", "a b", {"b": [2.0, 5.0]}),
        ("#a,b\n1,2\n3,5\n", "a b", {"a": [1.0, 3.0]}),
        ("a,b\n1,2,\n3,4,\n", "a b", {"b": [2.0, 4.0]}),
        ("a,b,\n1,2,\n3,4,\n", "a b", {"b": [2.0, 4.0]}),
        ("a,b\nr1,1,2\nr2,3,4\n", ["row name", "a", "b"], {"b": [2.0, 4.0]}),
        ("a,a,\n5,1,2\n7,3,4\n", ["a", "a.1", "unnamed 3"], {"a.1": [1.0, 3.0]}),
        ('a,"b\nc"\n1,2\n3,4\n', ["a", "b\nc"], {"a": [1.0, 3.0]}),
        ('a,b\n1,"x, ""y""\nz"\n2,w\n', "a b", {"a": [1.0, 2.0], "b": ['x, "y"\nz', "w"]}),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n", "a b", {"b": [2.0, 4.0]}),
        ("a,b\n1,2\n  \n3,4\n", "a b", {"b": [2.0, 4.0]}),
        ("a,b\nNA,x\n3,None\n4.5,NA\n", "a b", {"a": [np.nan, 3, 4.5], "b": ["x", "None", "NA"]}),
        ("a,b\n1,?\n2,x\n3,\n5,y\n", "a b", {"b": [np.nan, "x", np.nan, "y"]}),
    ],
)
def test_tables_are_read_as_people_mean_them(content, names, columns, tmp_path):
    table, _, taken = read(tmp_path, content)
    assert table.names == (names.split() if isinstance(names, str) else names)
    for name, values in columns.items():
        if all(isinstance(value, (int, float)) for value in values):
            np.testing.assert_allclose(taken[name], np.array(values, float))
        else:
            assert list(taken[name].fillna("-")) == list(pd.Series(values).fillna("-"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_every_usual_encoding_is_told(encoding, tmp_path):
    table, frame, _ = read(tmp_path, "größe,Ort\n1,Köln\n2,Bär\n3,Öl\n", encoding=encoding)
    assert table.names == ["größe", "Ort"]
    assert list(frame["Ort"]) == ["Köln", "Bär", "Öl"]
    said = {"latin-1": "CP1252", "utf-8-sig": "UTF-8"}.get(encoding, encoding.upper())
    assert str(table) == f"{said}, separated by commas"


def test_packed_files_and_txt(tmp_path):
    rows = "a\tb\n" + "1\tx\n2\ty\n" * 50
    table, frame, _ = read(tmp_path, gzip.compress(rows.encode()), name="t.txt.gz")
    assert (len(frame), table.names) == (100, ["a", "b"])


def test_a_file_without_names_loses_no_row(tmp_path):
    content = "39, State-gov, 77516, <=50K\n50, Self-emp, 83311, >50K\n38, Private, 215646, <=50K\n"
    table, frame, _ = read(tmp_path, content)
    assert len(frame) == 3
    assert table.names == ["column 1", "column 2", "column 3", "column 4"]
    assert str(table).endswith("without names of columns: its first line has numbers")
    y = read_table(tmp_path / "t.csv").y
    assert list(y) == ["<=50K", ">50K", "<=50K"]
    # years are names if another column has a name above numbers
    assert read(tmp_path, "id,2019,2020\n7,1,2\n8,3,5\n")[0].names == ["id", "2019", "2020"]


def test_blocks_give_the_rows_of_the_whole(tmp_path):
    content = "a,b\n" + "".join(f"{i}.5,{'xyz'[i % 3]}\n" for i in range(100))
    _, whole, _ = read(tmp_path, content)
    _, parts, _ = read(tmp_path, content, n_rows=7)
    pd.testing.assert_frame_equal(whole, parts)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "t.csv cannot be read as CSV: it is empty"),
        (b"\n \n", "it is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "line 3 has a NUL character; this is not text"),
        (b"x y z\n1 2 3\n4 5 6\n", "its fields are separated by spaces; write commas"),
        (b"a,b,c\n1,2,3\n1,2\n", "row 1 has 2 fields, and most have 3: 1|2"),
        (b"a,b,c\n1,2,3\n1,2,3,4\n", "row 1 has 4 fields, and most have 3"),
        (b"a,b\n1,2,3,4\n1,2,3,4\n", "its first line has 2 fields, and the rows have 4"),
        (
            b"a,b,c\n" + b"1,2,3\n" * 300 + b"1,2\n1,2,3\n",
            "a row has 2 fields separated by commas, and there",
        ),
        (b"a,b,c\n" + b"1,2,3\n" * 300 + b"1,2,3,4\n", "Expected 3 fields in line 302, saw 4"),
        (b'a,b\n1,"un,closed\n2,3\n', "EOF inside string"),
        (b'a,b\n"1,234",x\n"2,000",y\n', "column 'a' holds '1,234', which is 1.234 or 1234; say --decimal"),
    ],
)
def test_what_cannot_be_read_right_is_refused(content, message, tmp_path):
    with pytest.raises(ValueError, match=re.escape(message)):
        read(tmp_path, content)


LONE_QUOTES = [
    "label\ttitle\tn",  # from pandas-dev/pandas#13860, #22661 and #39857, pola-rs/polars#22312
    '1\t"Lorem\t5.6',
    '0\tof 7" and 12"\t4.3',
    '1\tsaid "yes"\t3.3',
    "0\tipsum\t2.0",
    '1\tdolor"\t1.5',
    '1\t"sit" amet\t1.25',
]


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
@pytest.mark.parametrize("first", [0, 300])
def test_lone_quotes_lose_no_row(separator, first, tmp_path):
    lines = [LONE_QUOTES[0], *["0\tplain\t1.0"] * first, *LONE_QUOTES[1:]]
    content = "\n".join(lines).replace("\t", separator) + "\n"
    for n_rows in (None, 3):
        table, frame, _ = read(tmp_path, content, n_rows=n_rows)
        assert frame.astype(str).to_numpy().tolist() == [line.split("\t") for line in lines[1:]]
        assert str(table).endswith("quotes are characters of the text")


def test_a_quoted_field_over_two_lines_is_one_field(tmp_path):
    table, frame, _ = read(tmp_path, 'a,b\n1,"x\ny,w"\n2,z\n')
    assert list(frame["b"]) == ["x\ny,w", "z"]
    assert "quotes" not in str(table)


def test_one_column_is_read_and_no_fit(tmp_path):
    content = 'text\n"good, and long"\n"bad ""one"""\n'  # as facebookresearch/fastText predicts: texts alone
    assert list(read(tmp_path, content)[1]["text"]) == ["good, and long", 'bad "one"']
    plain = ["good, and long", "bad one", "fine", "dull"]
    for n_rows in (None, 2):
        table, frame, _ = read(tmp_path, "\n".join(["text", *plain]), n_rows=n_rows)
        assert list(frame["text"]) == plain
        assert str(table) == "UTF-8, one column"
    with pytest.raises(ValueError, match="Expected 1 fields in line 402, saw 2"):
        read(tmp_path, "\n".join(["text", *plain * 100, "a; b", "late, too; late"]))
    with pytest.raises(ValueError, match="one column, and a fit needs a target and features; the"):
        read_table(tmp_path / "t.csv")


def test_the_decimal_sign_can_be_said(tmp_path):
    content = 'a,b\n"1,234",x\n"2,000",y\n'
    for decimal, values in ((",", [1.234, 2.0]), (".", [1234.0, 2000.0])):
        assert list(read(tmp_path, content, decimal=decimal)[2]["a"]) == values


@pytest.mark.parametrize("label", ["None", "NA", "null", "nan", "N/A"])
def test_labels_that_look_missing_are_classes(label, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,label\n" + f"1,{label}\n2,x\n" * 3)
    assert sorted(set(read_table(path).y)) == sorted([label, "x"])
    path.write_text("a,label\n1,x\n2,\n")
    with pytest.raises(ValueError, match="1 missing labels of 2, the first in row 1; drop these rows"):
        read_table(path)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "2", "1"], np.array([1, 2, 1])),
        (["1.0", "2.5"], np.array([1.0, 2.5])),
        (["01", "1"], np.array(["01", "1"])),
        (["1", "1.0", "2"], np.array([1.0, 1.0, 2.0])),
        (["1.1", "1.10", "2.0"], np.array(["1.1", "1.10", "2.0"])),
        (
            ["1234567890123456789", "1234567890123456790"],
            np.array(["1234567890123456789", "1234567890123456790"]),
        ),
        (["yes ", "yes", "no\t"], np.array(["yes", "yes", "no"])),
        (["1", "b"], np.array(["1", "b"])),
        (["True", "False"], np.array(["True", "False"])),
        (["TRUE", "false"], np.array(["TRUE", "false"])),
        (["True", "TRUE", "no"], np.array(["True", "True", "no"])),
        (["1", "1.0", "b"], np.array(["1", "1", "b"])),
        (["1.0", "2.0", "b"], np.array(["1.0", "2.0", "b"])),
    ],
)
def test_labels_are_numbers_if_all_of_them_are(texts, expected, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,label\n" + "".join(f"1.5,{text}\n" for text in texts))
    y = read_table(path).y
    assert y.dtype.kind == expected.dtype.kind
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize(
    ("written", "classes", "expected"),
    [
        ("TRUE true no", ["True", "no"], ["True", "True", "no"]),
        ("True 1.0 NO", ["1", "TRUE", "no"], ["TRUE", "1", "NO"]),
        ("True TRUE true", ["TRUE", "True"], ["True", "TRUE", "True"]),  # both are classes
        ("TRUE False 0", [False, True], [1, 0, 0]),
        ("1.0 2", [1, 2], [1, 2]),
        ("1.50 2", [1.5, 2.0], [1.5, 2.0]),
    ],
)
def test_labels_are_the_classes_that_are_known(written, classes, expected):
    y = labels_from_text(pd.Series(written.split()), like=np.array(classes))
    assert y.tolist() == expected


def test_numbers_are_the_named_classes():
    """Parquet holds numbers, but the classes of the fit include a word."""
    assert labels_from_text(pd.Series([1.0, 2.0]), like=np.array(["1", "2", "b"])).tolist() == ["1", "2"]


def test_labels_of_many_rows_are_not_sorted(monkeypatch):
    """Sorting all rows as text takes longer than reading them."""
    sizes = [0]
    unique = np.unique

    def counted(values, **options):
        sizes.append(len(values))
        return unique(values, **options)

    monkeypatch.setattr(np, "unique", counted)
    column = pd.Series(["no", "yes ", "1"] * 1000)
    for like in (None, np.array(["1", "no", "yes"])):
        assert labels_from_text(column, like=like).tolist() == ["no", "yes", "1"] * 1000
    assert labels_from_text(pd.Series(["1.5", "2"] * 1000)).tolist() == [1.5, 2.0] * 1000
    assert max(sizes) <= 3


def test_svmlight_with_several_labels_is_refused(tmp_path):
    path = tmp_path / "t.svm"
    path.write_text("1,3 1:0.5\n2 2:0.5\n")
    with pytest.raises(ValueError, match="its rows have several labels, such as '1,3', and a classifier"):
        read_table(path)
