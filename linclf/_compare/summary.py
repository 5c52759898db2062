"""The measurements of all splits, as one row for each model."""

from collections import Counter
from typing import Any

import numpy as np

from linclf._compare.candidates import BASELINE, C_of, Candidate
from linclf._compare.judging import paired_difference
from linclf._compare.leaders import Look
from linclf._compare.measures import MEASURES, NEED_PROBABILITIES, TIMES
from linclf._compare.measuring import mean_of
from linclf._compare.running import Run

Row = dict[str, Any]


def rows_of(run: Run, candidates: list[Candidate], stands_for: dict[str, list[str]]) -> list[Row]:
    """A row for each model that has been measured so far: the best first, then failures."""
    rows = [
        _row(run, candidate, stands_for.get(candidate.name, []))
        for candidate in candidates
        if candidate.name in run.measured or candidate.name in run.failures
    ]
    sign = -1.0 if MEASURES[run.sort].higher_is_better else 1.0

    def order(row: Row) -> tuple[Any, ...]:
        value = row[run.sort]
        known = (True, 0.0) if value is None else (False, round(sign * value, 12))
        return row["error"] is not None, *known, row["status"] != "best", row["model"]

    return sorted(rows, key=order)


def _row(run: Run, candidate: Candidate, stands_for: list[str]) -> Row:
    name, error = candidate.name, run.failures.get(candidate.name)
    measured = [] if error else run.measured[name]
    row: Row = {"model": name, "origin": candidate.origin, "stands_for": stands_for, "status": "failed"}
    for key in MEASURES:
        values = [each.values[key] for each in measured]
        known = [value for value in values if value is not None]
        row[key] = mean_of(values)
        row[f"{key}_std"] = float(np.std(known, ddof=1)) if len(known) > 1 else None
        row[f"{key}_splits"] = known
    for key in TIMES:
        row[key] = float(np.median([each.seconds[key] for each in measured])) if measured else None
    row |= _judged(run, name) if not error else {"behind": None, "behind_margin": None}
    row |= _penalty(run, measured)
    row["blas_threads"] = run.blas_threads.get(name) if candidate.origin != "linclf" else None
    row |= _look(run.looks.get(name, []), row[run.sort], _n_train(run))
    row["look_error"] = run.not_looked_at.get(name)
    messages = [message for each in measured for message in each.messages]
    row["warnings"] = len(messages)
    row["tuning_warnings"] = sum(each.tuning_warnings for each in measured)
    return row | {"messages": sorted(set(messages)), "error": error}


def _judged(run: Run, name: str) -> Row:
    """The difference to the best, and whether it is significant."""
    best = run.leaders(1)
    if not best or name not in run.means():
        return {"behind": None, "behind_margin": None, "status": "no value"}
    if name == best[0]:
        return {"behind": 0.0, "behind_margin": 0.0, "status": "best"}
    of_best, own = (
        np.array([each.values[run.sort] for each in run.measured[model]], float) for model in (best[0], name)
    )
    difference = paired_difference(
        of_best, own, MEASURES[run.sort].higher_is_better, run.splitting.test_to_train
    )
    if name == BASELINE:
        beaten = difference.mean > (difference.margin or 0.0)
        status = "baseline" if beaten else "unbeaten baseline"
    elif difference.margin is None:
        status = "not judged"
    else:
        status = "worse" if difference.is_apart else "tied"
    return {"behind": difference.mean, "behind_margin": difference.margin, "status": status}


def _penalty(run: Run, measured: list[Any]) -> Row:
    """The penalty that most splits chose (the strongest of ties), its C, and whether the grid ends there."""
    alphas = [each.alpha for each in measured if each.alpha is not None]
    if not alphas:
        return {"alpha": None, "C": None, "alphas": [], "at_end_of_grid": False}
    counts = Counter(alphas)
    alpha = max(counts, key=lambda each: (counts[each], each))
    C = C_of(alpha, _n_train(run))
    ends = {run.alphas[0], run.alphas[-1]} if len(run.alphas) > 1 else set()
    return {
        "alpha": alpha,
        "C": C if np.isfinite(C) else None,
        "alphas": alphas,
        "at_end_of_grid": alpha in ends,
    }


def _look(looks: list[Look], value: float | None, n_train: int) -> Row:
    """Learning curve and calibration, only for the leaders."""
    if not looks:
        return {"learning_curve": [], "calibrator": None, "calibrated": None}
    curve = []
    for points in zip(*(look.curve for look in looks), strict=False):  # small parts may have fewer points
        mean = mean_of(value for _, value in points)
        if mean is not None:
            curve.append([round(float(np.mean([n for n, _ in points]))), mean])
    after = {key: mean_of(look.calibrated[key] for look in looks) for key in sorted(NEED_PROBABILITIES)}
    return {
        "learning_curve": [*curve, [n_train, value]],
        "calibrator": looks[0].calibrator,
        "calibrated": after,
    }


def _n_train(run: Run) -> int:
    return round(float(np.mean([train.size for train, _ in run.splitting.parts])))
