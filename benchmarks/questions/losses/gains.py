"""The gains of the scores of each loss over those of the reference."""

import numpy as np

from benchmarks.measure.scores import SCORES, Repeated, summary
from benchmarks.question import Row

Scored = dict[str, float]  # by the name of the score


def with_gains(rows: list[Row], reference: str, *, one_split: bool) -> list[Row]:
    """The rows with the `summary` of each score instead of its repeats.

    "default" and "chosen" of a row are lists of scores: one for each split, to be averaged; with a single
    split, the first for all test rows and the others for random weightings of them.
    """
    (base,) = (row for row in rows if row["model"] == reference)
    return [row if "absent" in row else row | _compared(row, base, one_split) for row in rows]


def _compared(row: Row, base: Row, one_split: bool) -> Row:
    parts = {}
    for part in ("default", "chosen"):
        parts[part] = {}
        for name in row[part][0]:
            score, theirs = SCORES[name], None
            if score.better and "absent" not in base:
                theirs = _repeated(base[part], score.beside or name, one_split)
            parts[part][name] = summary(_repeated(row[part], name, one_split), theirs, score.better)
    return parts


def _repeated(scores: list[Scored], name: str, one_split: bool) -> Repeated:
    values = np.array([score[name] for score in scores])
    return Repeated(values[0], values[1:]) if one_split else Repeated(values.mean(), values)
