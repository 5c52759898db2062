"""The detected kinds of columns, and their report to the user."""

import numpy as np
import pandas as pd
import pytest

from linclf._tables.columns import as_taken, columns_of
from linclf._tables.encoding import encoder_of_columns
from linclf._tables.features import features_of
from linclf._tables.numbers import parsed, style_of
from linclf._tables.reading import read_table

N = 200
RNG = np.random.default_rng(0)
WORDS = np.array(["a", "good", "bad", "film", "with", "very", "slow", "plot", "and", "no", "end"])
SENTENCES = [" ".join(RNG.choice(WORDS, 6)) + f" {i}" for i in range(N)]


def kind_of(values, **given):
    (column,) = columns_of(pd.DataFrame({"c": values, "x": RNG.normal(size=len(values))}), **given)[:1]
    return column.kind, column.note


@pytest.mark.parametrize(
    ("values", "kind", "note"),
    [
        (RNG.normal(size=N), "number", ""),
        (np.arange(N) % 7, "number", ""),
        ([f"{i / 7:.3f}".replace(".", ",") for i in range(N)], "number", "decimal comma"),
        ([f"{i}%" for i in range(N)], "number", "in %"),
        (pd.Series(np.arange(N) % 5, dtype="Int64"), "number", ""),
        (["red", "blue"] * (N // 2), "category", "2 values"),
        (pd.Categorical(np.arange(N) % 4), "category", "4 values"),
        ([True, False] * (N // 2), "category", "2 values"),
        ([True, None] * (N // 2), "category", "1 values"),
        ([1, "a"] * (N // 2), "category", "2 values"),
        ([f"p{i // 2}" for i in range(N)], "category", "100 values"),
        (SENTENCES, "text", ""),
        ([b"red", b"blue"] * (N // 2), "category", "2 values"),
        ([f"-${i}.20" if i % 2 else f"${i}.50" for i in range(N)], "number", "in $"),
        ([f"({i}.20)" if i % 2 else f"{i}.50" for i in range(N)], "number", "written as text"),
        ([f"₹{i},000.5" for i in range(1, N)], "number", "in ₹"),
        (np.arange(N), "left out", "row numbers, 0 to 199"),
        (np.arange(1, N + 1.0), "left out", "row numbers, 1 to 200"),
        ([f"id{i}" for i in range(N)], "left out", "a different value in each row"),
        (np.zeros(N), "left out", "the same value in all rows, 0"),
        (["x"] * N, "left out", "the same value in all rows, 'x'"),
        ([np.nan] * N, "left out", "no values"),
        ([None] * N, "left out", "no values"),
        (["?"] * N, "left out", "no values"),
        (
            pd.date_range("2026-01-01", periods=N),
            "left out",
            "dates; convert them to numbers, such as the month",
        ),
        ([f"{1 + i % 28}/3/2026 10:30" for i in range(N)], "left out", "dates or times; convert them"),
        (["2026-11-30T08:15:00Z", "2026-11-29"] * (N // 2), "left out", "dates or times; convert them"),
    ],
)
def test_what_a_column_is_taken_for(values, kind, note):
    found = kind_of(values)
    assert found[0] == kind
    assert found[1].startswith(note)
    assert bool(found[1]) == bool(note)


def test_columns_that_look_like_a_mistake_are_refused():
    values = [f"{i * 1.7:.2f}" for i in range(N)]
    values[17] = "ERR"
    with pytest.raises(ValueError, match="'c' has numbers, and 'ERR' in row 17; fix it, or say --columns c="):
        kind_of(values)
    table = pd.DataFrame({"c": values, "x": np.arange(N) % 3})
    (column, _) = columns_of(table, {"c": "number"})
    assert column.kind == "number"
    assert np.flatnonzero(as_taken(table, [column])["c"].isna()).tolist() == [17]
    with pytest.raises(ValueError, match="'c' holds a list in row 0; a cell has one value"):
        kind_of([[1, 2]] * N)
    with pytest.raises(ValueError, match=r"no column is left as a feature \(c: no values\)"):
        columns_of(pd.DataFrame({"c": [None, None]}))


def test_a_number_that_is_none_is_named_with_its_row():
    table = pd.DataFrame({"c": ["1,5", "2,5"]})
    columns = columns_of(table)
    assert list(as_taken(table, columns)["c"]) == [1.5, 2.5]
    with pytest.raises(ValueError, match="'c' has numbers, and 'abc' in row 101"):
        as_taken(pd.DataFrame({"c": ["1,5", "abc"]}), columns, first_row=100)


def test_row_numbers_beside_sorted_labels_are_no_feature():
    """df.to_csv() writes them, and rows are often sorted by label: that gave .95 accuracy on noise."""
    table = pd.DataFrame({"unnamed 1": np.arange(30), "noise": RNG.normal(size=30)})
    assert features_of(table).facts()["left_out"] == {"unnamed 1": "row numbers, 0 to 29"}
    shuffled = table.sample(frac=1, random_state=0)
    assert "whole number in each row" in features_of(shuffled).facts()["left_out"]["unnamed 1"]


@pytest.mark.parametrize("name", ["id", "customer_id", "PassengerId", "user ID", "tweetID"])
@pytest.mark.parametrize("first", [0, 1234567890123456789])
def test_a_different_whole_number_in_each_row_is_no_feature_if_it_is_an_id(name, first):
    """Even above 2^53, where float64 confuses neighbours (pandas-dev/pandas#32134)."""
    ids = np.random.default_rng(0).permutation(np.arange(first, first + 3 * N, 3))
    table = pd.DataFrame({name: ids, "grid": ids % 1000, "x": RNG.normal(size=N)})
    assert features_of(table).facts()["left_out"] == {name: "a different whole number in each row"}


@pytest.mark.parametrize("text", ["inf", "-inf", "1e400"])
def test_infinity_is_named_with_its_row(text, tmp_path):
    (tmp_path / "t.csv").write_text(f"x,a\n1,u\n{text},v\n4,u\n")
    with pytest.raises(ValueError, match=r"'x' holds -?inf in row 1, and features must be finite"):
        features_of(read_table(tmp_path / "t.csv").X)


def test_text_without_words_is_refused_by_name():
    """For example symbols and single letters (javierhonduco/emoji-prediction#4): TF-IDF finds no words."""
    for signs in ("😀 😂 🎉", "A C G"):
        values = [f"{signs} {' '.join(str(i))}" for i in range(N)]
        with pytest.raises(ValueError, match="column 'c' is text without a word of two letters"):
            kind_of(values)
        with pytest.raises(ValueError, match="column 'c' is text without a word of two letters"):
            kind_of([*values, None, float("nan")])  # "nan" is not a word


def test_the_report_names_every_kind():
    table = pd.DataFrame(
        {
            "size": np.where(np.arange(N) % 10, RNG.normal(size=N), np.nan),
            "colour": np.where(np.arange(N) % 7, "red", None),
            "review": SENTENCES,
            "when": pd.date_range("2026-01-01", periods=N),
        }
    )
    table.loc[::2, "colour"] = "blue"
    assert features_of(table).lines() == [
        "numbers, standardised: size (20 missing: the median taken)",
        "categories, one-hot encoded: colour (2 values, 14 missing: the most frequent one taken)",
        "text, as TF-IDF: review",
        "left out: when (dates; convert them to numbers, such as the month)",
    ]


@pytest.mark.parametrize("dense", [True, False])
def test_encoding_by_hand(dense):
    table = pd.DataFrame(
        {"n": [1.0, np.nan, 3.0, 5.0], "c": ["u", "v", None, "u"], "b": [True, False, True, True]}
    )
    columns = columns_of(table)
    encoder = encoder_of_columns(columns, dense)
    expected = np.array([[1, 1, 0, 0, 1], [3, 0, 1, 1, 0], [3, 1, 0, 0, 1], [5, 1, 0, 0, 1.0]])
    centre, scale = expected.mean(axis=0), expected.std(axis=0)
    if not dense:  # ones stay ones
        centre[1:], scale[1:] = 0, 1
    found = encoder.fit_transform(as_taken(table, columns))
    np.testing.assert_allclose(found if dense else found.toarray(), (expected - centre) / scale)
    unknown = as_taken(pd.DataFrame({"n": [2.0], "c": ["new"], "b": [False]}), columns)
    found = encoder.transform(unknown)
    np.testing.assert_allclose(found if dense else found.toarray(), [([2, 0, 0, 1, 0] - centre) / scale])


def test_a_table_with_text_or_many_categories_is_sparse():
    assert not features_of(pd.DataFrame({"review": SENTENCES})).report.dense
    many = pd.DataFrame({"c": [f"p{i // 3}" for i in range(30_000)], "x": 1.5 * np.arange(30_000)})
    assert not features_of(many).report.dense
    assert features_of(many.head(300)).report.dense


def test_names_of_columns_are_text_and_unique():
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(5, 3)), columns=["a", 1, "a"])
    assert list(features_of(table).rows.columns) == ["a", "1", "a.1"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2.5"], (".", False, "")),
        (["1", "2"], (None, False, "")),
        (["1.234.567"], (",", False, "")),
        (["1.234,5"], (",", False, "")),
        (["1,234,567"], (".", False, "")),
        (["1,234", "1.5"], (".", False, "")),
        (["1,234"], (None, True, "")),
        (["0,234"], (",", False, "")),
        (["1234,567"], (",", False, "")),
        (["€5", "€6,50"], (",", False, "€")),
        (["€5", "$6"], None),
        (["-$5.20", "$-3.10", "(1.25)", "($2.75)", "$(4.5)"], (".", False, "$")),
        (["-222,22 £", "100,12 £"], (",", False, "£")),
        (["R$ 1.234,56", "R$ 7"], (",", False, "R$")),
        (["12%", "(3%)"], (None, False, "%")),
        (["a$5"], None),
        (["1,5", "2.5"], None),
        (["x"], None),
        (["1-2"], None),
    ],
)
def test_styles_of_numbers(values, expected):
    assert style_of(values) == expected


def test_money_and_losses_by_hand():
    """As listed in tidyverse/readr#444 and sfirke/janitor#129."""
    texts = ["$100.12", "-$222.22", "$-3", "($222.22)", "(7.5)", "\u2212$1", "12%", "(3%)", "True"]
    values = [100.12, -222.22, -3.0, -222.22, -7.5, -1.0, 0.12, -0.03, 1.0]
    np.testing.assert_allclose(parsed(pd.Series(texts), "."), values)
    np.testing.assert_allclose(parsed(pd.Series(["1.234,56 zł", "€(1.063,12)"]), ","), [np.nan, -1063.12])
