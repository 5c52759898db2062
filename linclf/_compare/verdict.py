"""The recommended model and why, in words."""

from collections.abc import Sequence
from typing import Any

from linclf._compare.measures import MEASURES, number, power

AS_GOOD = ("best", "tied")
_SIMILAR_TIME = 2.0  # times within this factor, or below this many seconds, count as equal


def verdict(rows: Sequence[dict[str, Any]], facts: dict[str, Any]) -> str:
    """The recommended model, its ties, its cost, and whether more rows would help.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import compare
    >>> comparison = compare(*load_iris(return_X_y=True), models=["softmax", "sklearn:Dummy*"])
    >>> comparison.verdict[:32]
    'Take softmax: its accuracy of .9'
    """
    sort = facts["sort"]
    measure = MEASURES[sort].heading
    if any(row["status"] == "unbeaten baseline" for row in rows):
        return (
            f"Take none: by {measure} no model is clearly better than the baseline, which ignores the "
            "features. They say too little about the classes, or there are too few rows."
        )
    taken = recommended(rows)
    if taken is None:
        return f"No model has a value of {measure}: there is nothing to recommend."
    best, *peers = [row for row in rows if row["status"] in AS_GOOD]
    words = f"Take {taken['model']}: its {measure} of {number(taken[sort], MEASURES[sort].decimals)} "
    if facts["n_splits"] == 1:
        words += "is the best in one split, which says nothing about chance"
    elif taken is best:
        words += f"is the best, {_peers(peers)}"
    else:
        words += (
            f"is not distinguishable from the best ({best['model']}, "
            f"{number(best[sort], MEASURES[sort].decimals)}), and it {_reason(taken, best)}"
        )
    words += f"; {_penalty(taken)}{_seconds(taken)}."
    return words + _rows_wanted(taken, sort)


def recommended(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The row of the recommended model, or None.

    Of the models tied with the best, those with probabilities come first. Of these, the best one is chosen
    that takes at most twice the time of the fastest, or 2 s.
    """
    good = [row for row in rows if row["status"] in AS_GOOD]
    good = [row for row in good if row["log_loss"] is not None] or good
    if not good or any(row["status"] == "unbeaten baseline" for row in rows):
        return None
    enough = _SIMILAR_TIME * max(1.0, min(map(time_of, good)))
    return next(row for row in good if time_of(row) <= enough)


def time_of(row: dict[str, Any]) -> float:
    return row["tune_seconds"] + row["fit_seconds"]


def _peers(peers: Sequence[dict[str, Any]]) -> str:
    if not peers:
        return "and no other model is as good"
    others = "1 other model" if len(peers) == 1 else f"{len(peers)} other models"
    return f"and {others} cannot be told apart from it"


def _reason(taken: dict[str, Any], best: dict[str, Any]) -> str:
    """The advantage over the best model."""
    if taken["log_loss"] is not None and best["log_loss"] is None:
        return "gives probabilities"
    return f"takes {time_of(taken):.2g} s instead of {time_of(best):.2g} s"


def _penalty(row: dict[str, Any]) -> str:
    return "" if row["alpha"] is None else f"alpha {power(row['alpha'])} (C {power(row['C'])}), "


def _seconds(row: dict[str, Any]) -> str:
    return f"{time_of(row):.2g} s to {'tune and fit' if row['tune_seconds'] else 'fit'}"


def _rows_wanted(row: dict[str, Any], sort: str) -> str:
    """The effect of the last doubling of the rows."""
    if len(row["learning_curve"]) < 2:
        return ""
    (half, before), (whole, after) = row["learning_curve"][-2:]
    gain = after - before if MEASURES[sort].higher_is_better else before - after
    helps = gain > max(0.001, 0.5 * (row[f"{sort}_std"] or 0.0))
    change = f"{'gained' if gain >= 0 else 'lost'} {number(abs(gain), MEASURES[sort].decimals)}"
    return (
        f" From {half:,} to {whole:,} rows it {change}: more rows would "
        f"{'help' if helps else 'change little'}."
    )
