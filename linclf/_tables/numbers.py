"""Numbers that are written as text: decimal commas, thousands, percent and currency signs."""

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# marks of a missing number in real tables; for text only the empty cell and ? count as missing
MISSING = (
    *(
        "",
        "?",
        "NA",
        "N/A",
        "n/a",
        "#N/A",
        "#NA",
        "<NA>",
        "NaN",
        "nan",
        "-nan",
        "NULL",
        "null",
        "None",
        "none",
    ),
    *("-", "--", ".", "#DIV/0!", "#VALUE!", "missing", "NIL", "nil"),
)
_MISSING = frozenset(MISSING)
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf")
_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")  # 1,234.5
_COMMA = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+),\d+(?:[eE][+-]?\d+)?")  # 0,126 and 1.234,5
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}")  # 1.234.567
_SPACES = re.compile(r"(?<=\d)[ '\u00a0\u202f\u2009](?=\d{3}(?!\d))")
_SIGNS = "$€£¥₹₽₩₺₫₪₴₦₱฿₡₲₵₸¢"
_UNIT = re.compile(rf"(?<![^-+(])[A-Z]{{0,3}}[{_SIGNS}]\s*(?=[-+(]?[\d.])|\s*[{_SIGNS}](?=\)?$)|\s*%(?=\)?$)")
_OWED = re.compile(r"^\((.+)\)$")  # (5.00), a negative amount in accounting
Decimal = Literal[".", ","]


class Style(NamedTuple):
    """How the numbers of a column are written."""

    decimal: Decimal | None  # None if all are integers, or ambiguous
    is_ambiguous: bool  # 1,234 is 1.234 or 1234
    unit: str  # "%", a currency sign, or nothing


def is_missing(text: str) -> bool:
    return text.strip() in _MISSING


def is_number(text: str) -> bool:
    """Whether text is a number in any known format."""
    text = _bare(text)
    return any(form.fullmatch(text) for form in (_PLAIN, _POINT, _COMMA, _GROUPED))


def _bare(text: str) -> str:
    """Remove units and spaces between thousands, and unify minus signs."""
    text = _OWED.sub(r"-\1", _UNIT.sub("", text.strip().replace("\u2212", "-")))
    return _SPACES.sub("", text)


def style_of(values: list[str]) -> Style | None:
    """The common format of distinct values of a column; None if one of them is not a number.

    Examples
    --------
    >>> from linclf._tables.numbers import style_of
    >>> style_of(["0,126", "-0,132"]).decimal, style_of(["1,234.5", "7"]).decimal
    (',', '.')
    >>> style_of(["1,234", "5,678"]).is_ambiguous, style_of(["50.1%"]).unit, style_of(["a"])
    (True, '%', None)
    """
    bare = [_bare(value) for value in values]
    odd = [value for value in bare if not _PLAIN.fullmatch(value)]
    units = {found[0].strip() for value in values if (found := _UNIT.search(value.strip()))}
    unit = units.pop() if len(units) == 1 else ""
    if units:
        return None
    if not odd:
        has_point = any("." in value for value in bare)
        return Style("." if has_point else None, False, unit)
    as_point = all(_POINT.fullmatch(value) for value in odd)
    # with decimal commas, a point separates thousands
    rest = [value for value in bare if _PLAIN.fullmatch(value)]
    as_comma = all(_COMMA.fullmatch(value) or _GROUPED.fullmatch(value) for value in odd) and not any(
        "." in value and not re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", value) for value in rest
    )
    if as_point and as_comma:
        decided = any("." in value for value in rest)
        return Style("." if decided else None, not decided, unit)
    if as_point or as_comma:
        return Style("." if as_point else ",", False, unit)
    return None


def parsed(texts: "pd.Series", decimal: Decimal) -> "pd.Series":
    """Parse text as numbers; missing and other values become NaN. 50 % is .5."""
    import pandas as pd

    texts = texts.astype("string").str.strip().replace({"True": "1", "False": "0"})
    is_percent = texts.str.contains("%").fillna(False).to_numpy(bool)
    texts = texts.str.replace("\u2212", "-").str.replace(_UNIT, "", regex=True)
    texts = texts.str.replace(_OWED, r"-\1", regex=True)
    texts = texts.str.replace(_SPACES, "", regex=True)
    texts = texts.str.replace("." if decimal == "," else ",", "").str.replace(",", ".")
    parts: Any = pd.to_numeric(texts, errors="coerce")
    numbers = parts.astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return pd.Series(np.where(is_percent, numbers / 100, numbers), index=texts.index)
