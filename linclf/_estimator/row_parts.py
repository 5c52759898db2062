"""Parts of the rows, and whether their scores are finite."""

import numpy as np

from linclf._types import FloatArray, Matrix


def part_of_rows(rows: Matrix, part: slice) -> Matrix:
    """A slice of the rows, or the rows themselves if it holds all, as slicing copies sparse rows."""
    return rows if part.start == 0 and part.stop >= rows.shape[0] else rows[part]


def all_finite(scores: FloatArray) -> bool:
    """Whether all scores are finite; their sum tells at once, unless it overflows itself."""
    return bool(np.isfinite(scores.sum()) or np.isfinite(scores).all())
