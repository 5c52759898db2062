"""Markdown tables, and numbers as the page writes them."""

from collections.abc import Iterable, Sequence
from typing import Any


def markdown_table(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown; cells are written by `str`, and vertical bars are escaped."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows)


def number(value: float | None) -> str:
    """Three significant digits, without an exponent if that is readable; "-" for None."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if value != 0 and not 1e-4 <= abs(value) < 1e5:
        return f"{value:.1e}"
    digits = f"{value:#.3g}"
    return f"{value:.0f}" if "e" in digits else digits.rstrip(".")


def shortened(warnings: Iterable[str]) -> str:
    """The beginnings of the warnings, for a cell of a table."""
    return "; ".join(warning[:60] for warning in warnings)


def fraction(ours: float, theirs: float) -> str:
    """The seconds of linclf as a fraction of theirs: 1/12.3."""
    return f"1/{theirs / ours:.1f}"
