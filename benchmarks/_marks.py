"""What questions report with: marks, the rows that they are computed from, and Markdown tables."""

from collections.abc import Callable
from typing import NamedTuple


class Mark(NamedTuple):
    """A bar to reach, and how it is judged from a result."""

    work: str
    bar: str
    judge: Callable  # result -> (what was measured, whether that is met), or raises NotMeasured


class NotMeasured(Exception):
    """What a mark needs is not in the result; the message says why."""


def row_of(result, **conditions):
    """The row of a result with these values.

    Raises
    ------
    NotMeasured
        If there is none, or if it says that it is absent.
    """
    for row in result["rows"]:
        if all(row.get(key) == value for key, value in conditions.items()):
            if "absent" in row:
                raise NotMeasured(f"{'/'.join(map(str, conditions.values()))} absent: {row['absent']}")
            return row
    raise NotMeasured(f"no measurement of {', '.join(map(str, conditions.values()))}")


def found(value, what):
    """The value, or NotMeasured where it is None."""
    if value is None:
        raise NotMeasured(f"no measurement of {what}")
    return value


def markdown(head, lines):
    """A Markdown table; a vertical bar inside a cell would end it."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows)


def number(value):
    """Three digits that count, without an exponent where that is readable."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if value != 0 and not 1e-4 <= abs(value) < 1e5:
        return f"{value:.1e}"
    digits = f"{value:#.3g}"
    return f"{value:.0f}" if "e" in digits else digits.rstrip(".")


def joined(warnings):
    """The beginnings of some warnings, for a cell of a table."""
    return "; ".join(warning[:60] for warning in warnings)


def fewer(ours, theirs):
    """How many times less ours is, as a share of theirs."""
    return f"1/{theirs / ours:.1f}"
