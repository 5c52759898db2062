"""Rows per second and the time left, on stderr."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

SOON, SELDOM = 0.5, 10.0  # seconds between updates on a terminal, and elsewhere


class RowProgress:
    """Counts rows and shows progress.

    Parameters
    ----------
    what : str
        The text before the numbers.
    total : int or None
        The number of rows; None if it is not known yet.
    """

    def __init__(self, what: str, total: int | None = None) -> None:
        self.what, self.total, self.passes = what, total, 0
        self.on_terminal = sys.stderr.isatty()

    def of(self, frames: Iterable[Any], n_rows_of: Callable[[Any], int] = len) -> Iterator[Any]:
        """Pass the frames through and count their rows; each call is a pass over the data."""
        self.passes += 1
        began = shown = time.monotonic()
        n = 0
        for frame in frames:
            yield frame
            n += n_rows_of(frame)
            now = time.monotonic()
            if now - shown >= (SOON if self.on_terminal else SELDOM):
                self._show(n, now - began)
                shown = now
        self.total = n
        if self.on_terminal and shown > began:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _show(self, n: int, seconds: float) -> None:
        text = f"{self.what}, pass {self.passes}: {progress_words(n, self.total, seconds)}"
        if self.on_terminal:
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)


def progress_words(n: int, total: int | None, seconds: float) -> str:
    """Rows, rows per second, and the time left in a pass.

    Examples
    --------
    >>> from linclf._command.progress import progress_words
    >>> progress_words(500_000, 2_000_000, 4.0)
    '500,000 of 2,000,000 rows, 125,000 rows/s, 12 s left in this pass'
    >>> progress_words(500_000, None, 4.0)
    '500,000 rows, 125,000 rows/s'
    """
    rate = n / max(seconds, 1e-9)
    of = "" if total is None else f" of {total:,}"
    left = "" if total is None else f", {max(total - n, 0) / max(rate, 1e-9):.0f} s left in this pass"
    return f"{n:,}{of} rows, {rate:,.0f} rows/s{left}"
