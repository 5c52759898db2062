"""Detection of the kind of each column of a table, and conversion of its values."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np

from linclf._tables.numbers import MISSING, Decimal, parsed, style_of

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "category", "text", "left out"]
KINDS: tuple[Kind, ...] = ("number", "category", "text", "left out")

FEW, REPEATED = 50, 20  # most values of a category, or the average number of rows per value if it has more
WORDS = 3  # average number of words per cell of text
MANY_ROWS = 20  # with fewer rows, a column of distinct values may still hold categories
LOOK = 1000  # number of distinct values that decide the kind of a column
NUMBERS = 0.8  # with at least this share of numbers, the rest counts as errors
TEXT_MISSING = ("", "?")
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4})"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?(?: ?Z| ?[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
)
_NUMBERING = re.compile(
    r"(?i:unnamed.*|index|(?:.*[-_. ])?id|row(?: name| ?number)?|rownames|no\.?|#|level_0)|.*[a-z](?:ID|Id)"
)


_WORD = re.compile(r"\w\w")
_WHOLE = re.compile(r"-?\d+\.0")


class Column(NamedTuple):
    """A column of a table, and its kind."""

    name: str
    kind: Kind
    note: str  # how it is written, or why it is left out
    decimal: Decimal = "."
    lenient: bool = False  # whether text is missing: the user has declared that the column holds numbers


def unique(names: Sequence[str]) -> list[str]:
    """Make names of columns unique: the second ``a`` becomes ``a.1``."""
    found: dict[str, None] = {}
    for name in names:
        other, number = name, 1
        while other in found:
            other, number = f"{name}.{number}", number + 1
        found[other] = None
    return list(found)


def words_in(kinds: Mapping[str, str] | None) -> list[str]:
    """The columns whose values are words, even if they look like numbers."""
    return [name for name, kind in (kinds or {}).items() if kind in ("category", "text")]


def series(table: "pd.DataFrame", name: str) -> "pd.Series":
    """A column by its unique name, typed as a Series."""
    return cast("pd.Series", table[name])


def columns_of(
    table: "pd.DataFrame", given: Mapping[str, str] | None = None, decimal: Decimal | None = None
) -> list[Column]:
    """Detect the kind of each column.

    Parameters
    ----------
    table : DataFrame
        The features; all rows, or a sample of them.
    given : mapping of str to str
        Kinds set by the user.
    decimal : {".", ","} or None
        The decimal sign of numbers written as text; None detects it from the values.

    Raises
    ------
    ValueError
        If a column is ambiguous, or has values that fit no kind.
    """
    given = given or {}
    for name, kind in given.items():
        if name not in table.columns:
            raise ValueError(f"--columns: {name!r} is not a column; there are {_some(table.columns)}")
        if kind not in KINDS:
            raise ValueError(f"--columns {name}={kind}: a column is one of {', '.join(KINDS)}")
    found = _read_as(table, given, decimal)
    for column in found:
        if column.kind != "text":
            continue
        if not any(_WORD.search(text_of(value)) for value in series(table, column.name).dropna()):
            raise ValueError(
                f"column {column.name!r} is text without a word of two letters, and TF-IDF counts words; "
                f"say {_option(column.name, 'category')} or {_option(column.name, 'left out')}"
            )
    if not any(column.kind != "left out" for column in found):
        reasons = "; ".join(f"{column.name}: {column.note}" for column in found[:5])
        raise ValueError(f"no column is left as a feature ({reasons}); --columns name=number takes one")
    return found


def as_written(
    table: "pd.DataFrame", columns: Sequence[Column], given: Mapping[str, str], decimal: Decimal | None
) -> list[Column]:
    """The same columns, with the number format of another table."""
    names = [column.name for column in columns if column.kind == "number"]
    said = {name: kind for name, kind in given.items() if name in names}
    found = {column.name: column for column in _read_as(table.loc[:, names], said, decimal)}
    return [
        column._replace(decimal=found[column.name].decimal, lenient=found[column.name].lenient)
        if column.name in found
        else column
        for column in columns
    ]


def _read_as(table: "pd.DataFrame", given: Mapping[str, str], decimal: Decimal | None) -> list[Column]:
    found = [_column(series(table, name), given.get(name), decimal) for name in table.columns]
    signs: set[Decimal] = {
        sign
        for name, column in zip(table.columns, found, strict=True)
        if (sign := _sign(series(table, name), column))
    }
    if decimal is None and len(signs) == 1:  # an unambiguous column decides for the ambiguous ones
        sign = signs.pop()
        found = [
            _column(series(table, name), given.get(name), sign) if column.note == _AMBIGUOUS else column
            for name, column in zip(table.columns, found, strict=True)
        ]
    for column in found:
        if column.note == _AMBIGUOUS:
            value = next(value for value in table[column.name].dropna() if "," in str(value))
            raise ValueError(
                f"column {column.name!r} holds {value!r}, which is {str(value).replace(',', '.')} or "
                f"{str(value).replace(',', '')}; say --decimal , or --decimal . (for a table in memory: "
                "convert the column to numbers)"
            )
    return found


_AMBIGUOUS = "decimal commas or thousands"


def _sign(values: "pd.Series", column: Column) -> Decimal | None:
    """The decimal sign of a column, if its values show it."""
    if column.kind != "number" or column.note == _AMBIGUOUS:
        return None
    if values.dtype.kind == "f":
        numbers = values.to_numpy()
        return "." if (np.floor(numbers) != numbers)[np.isfinite(numbers)].any() else None
    return (
        column.decimal
        if column.note == "decimal comma" or "." in "".join(map(str, values.head(LOOK)))
        else None
    )


def _column(values: "pd.Series", given: str | None, decimal: Decimal | None) -> Column:
    from pandas.api import types

    name, dtype = str(values.name), values.dtype
    if given == "left out":
        return Column(name, "left out", "as --columns says")
    if given is None and name.startswith("__index_level_"):
        return Column(name, "left out", "the index of a pandas table")
    if given == "category" or given == "text":
        return Column(name, given, "as --columns says")
    if types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype):
        why = None if given else _why_no_number(values)
        return Column(name, "left out" if why else "number", why or "")
    if given is None:
        if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
            return Column(name, "left out", "dates; convert them to numbers, such as the month")
        if types.is_bool_dtype(dtype) or isinstance(dtype, _categorical()):
            return _constant(values) or Column(name, "category", _counted(values.nunique()))
    return _of_text(name, _text(values), given, decimal)


def _categorical() -> type:
    import pandas as pd

    return pd.CategoricalDtype


def _why_no_number(values: "pd.Series") -> str | None:
    """The reason to leave out a column of numbers, or None."""
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    known = numbers[~np.isnan(numbers)]
    if known.size == 0:
        return "no values"
    if known.size == len(numbers):
        if (numbers == numbers[0]).all():
            return f"the same value in all rows, {numbers[0]:g}"
        counts = numbers[0] in (0, 1) and (np.diff(numbers) == 1).all()
        is_numbering = _NUMBERING.fullmatch(str(values.name))
        if counts and (len(numbers) >= MANY_ROWS or is_numbering):
            return f"row numbers, {numbers[0]:.0f} to {numbers[-1]:,.0f}"
        whole = bool((numbers == np.rint(numbers)).all())
        if is_numbering and len(numbers) >= MANY_ROWS and whole and values.is_unique:  # exact above 2^53 too
            return "a different whole number in each row"
    return None


def _constant(values: "pd.Series") -> Column | None:
    known = values.dropna()
    if known.empty:
        return Column(str(values.name), "left out", "no values")
    if len(known) == len(values) and known.nunique() == 1:
        return Column(str(values.name), "left out", f"the same value in all rows, {known.iloc[0]!r}")
    return None


def _of_text(name: str, values: "pd.Series", given: str | None, decimal: Decimal | None) -> Column:
    """A column of strings: numbers, dates, categories, text, or unique row names."""
    constant = None if given else _constant(values)
    if constant is not None:
        return constant
    counts = values.dropna().value_counts()
    unique = list(counts.index)
    filled = [value for value in unique if value.strip() not in MISSING]
    looked = filled[:LOOK]
    if given == "number":
        return Column(name, "number", "as --columns says", decimal or _decimal(filled), lenient=True)
    if not filled:
        return Column(name, "left out", "no values")
    style = style_of(filled)
    if style is not None:
        return _numbers(name, style, decimal)
    are_numbers = sum(style_of([value]) is not None for value in looked)
    if len(looked) >= MANY_ROWS and are_numbers >= NUMBERS * len(looked):
        odd = (
            next(value for value in looked if style_of([value]) is None) if are_numbers < len(looked) else ""
        )
        row = int(np.argmax((values == odd).to_numpy(bool, na_value=False)))
        what = f"has numbers, and {odd!r} in row {row}" if odd else "has numbers written in several ways"
        raise ValueError(
            f"column {name!r} {what}; fix it, or say {_option(name, 'number')}, which treats other values "
            f"as missing, or {_option(name, 'category')}"
        )
    if all(_DATE.fullmatch(value.strip()) for value in looked):
        return Column(name, "left out", "dates or times; convert them to numbers, such as the month")
    n, n_values = int(counts.sum()), len(unique)
    if n_values <= n / 2 and (n_values <= FEW or n_values <= n / REPEATED):
        return Column(name, "category", _counted(n_values))
    if np.mean([len(value.split()) for value in looked]) >= WORDS:
        return Column(name, "text", "")
    if n_values == n and n >= MANY_ROWS:
        return Column(name, "left out", "a different value in each row")
    return Column(name, "category", _counted(n_values))


def _numbers(name: str, style: Any, decimal: Decimal | None) -> Column:
    sign = decimal or style.decimal or "."
    if style.is_ambiguous and decimal is None:
        return Column(name, "number", _AMBIGUOUS)
    notes = [f"in {style.unit}" if style.unit else "", "decimal comma" if sign == "," else ""]
    return Column(name, "number", ", ".join(filter(None, notes)) or "written as text", sign)


def _decimal(values: Sequence[str]) -> Decimal:
    """The decimal sign of the majority of values."""
    styles = [style for value in values[:LOOK] if (style := style_of([value])) is not None]
    commas = sum(style.decimal == "," for style in styles)
    return "," if commas > sum(style.decimal == "." for style in styles) else "."


def _counted(n_values: int) -> str:
    return f"{n_values:,} values"


def _text(values: "pd.Series") -> "pd.Series":
    """All values as str, because a mix of str and int cannot be sorted; missing values are NaN."""
    import pandas as pd

    for row, value in enumerate(values.head(LOOK)):
        if isinstance(value, (list, dict, set, tuple, np.ndarray)):
            raise ValueError(
                f"column {values.name!r} holds a {type(value).__name__} in row {row}; a cell has one value: "
                "make columns of its parts"
            )
    codes, different = pd.factorize(values.astype(object))
    texts = [text_of(value) for value in different]
    taken = np.array([np.nan if text in TEXT_MISSING else text for text in texts] + [np.nan], object)
    return pd.Series(taken[codes], index=values.index, name=values.name, dtype=object)  # -1 is missing


def text_of(value: Any) -> str:
    """A common text for different spellings of a value: TRUE and True, 1 and 1.0, "a" and "a "."""
    text = (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()
    if text.lower() in ("true", "false"):
        return text.capitalize()
    return text.removesuffix(".0") if _WHOLE.fullmatch(text) else text


def as_taken(table: "pd.DataFrame", columns: Sequence[Column], first_row: int = 0) -> "pd.DataFrame":
    """Convert numbers to float64, and categories and text to str; columns left out are not changed.

    Raises
    ------
    ValueError
        If a column of numbers has another value; the message names the row, counted from
        ``first_row``.
    """
    import pandas as pd

    made = {}
    for column in columns:
        values = series(table, column.name)
        if column.kind == "left out":
            made[column.name] = values
        elif column.kind == "number":
            made[column.name] = _as_numbers(values, column, first_row)
        else:
            text = _text(values)
            made[column.name] = text.fillna("") if column.kind == "text" else text
    return pd.DataFrame(made, index=table.index)


def _as_numbers(values: "pd.Series", column: Column, first_row: int) -> "pd.Series":
    import pandas as pd
    from pandas.api import types

    if types.is_numeric_dtype(values.dtype) or types.is_bool_dtype(values.dtype):
        numbers = pd.Series(values.to_numpy(np.float64, na_value=np.nan), index=values.index)
        return _finite(numbers, values, first_row)
    text = _text(values)
    numbers = parsed(text, column.decimal)
    wrong = (numbers.isna() & text.notna() & ~text.str.strip().isin(MISSING)).to_numpy(bool)
    if wrong.any() and not column.lenient:
        row = int(np.argmax(wrong))
        raise ValueError(
            f"column {column.name!r} has numbers, and {text.iloc[row]!r} in row {first_row + row}; fix it, "
            f"or say {_option(column.name, 'number')}, which treats other values as missing"
        )
    return _finite(numbers, values, first_row)


def _option(name: str, kind: str) -> str:
    """The option that says what a column is, as a shell reads it."""
    return f"--columns {shlex.quote(f'{name}={kind}')}"


def _finite(numbers: "pd.Series", values: "pd.Series", first_row: int) -> "pd.Series":
    infinite = np.isinf(numbers.to_numpy())
    if infinite.any():
        row = int(np.argmax(infinite))
        raise ValueError(
            f"column {values.name!r} holds {values.iloc[row]} in row {first_row + row}, and features must be "
            "finite; write a number, or leave the cell empty"
        )
    return numbers


def _some(names: Any) -> str:
    names = [str(name) for name in names]
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
