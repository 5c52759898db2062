"""A measurement that may fail; its row then says why."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.question import Row


def attempt(row: Row, measure: Callable[[], Row]) -> Row:
    """The row with its figures, or with the reason for their absence under ``absent``.

    A package that is not installed and a fit that fails are shown in the tables, not left out.
    """
    try:
        row = row | measure()
    except Exception as fault:
        first_line = str(fault).partition("\n")[0]
        row = row | {"absent": f"{type(fault).__name__}: {first_line[:200]}"}
    print("  " + ", ".join(f"{key} {_short(v)}" for key, v in row.items()), file=sys.stderr, flush=True)
    return row


def _short(value: Any) -> str:
    """A number in four digits, a list by its length."""
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return f"{len(value)}" if isinstance(value, list | dict) else str(value)
