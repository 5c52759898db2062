"""A comparison as text: the table, the facts behind it, and the recommended model."""

from collections.abc import Sequence
from typing import Any, Protocol

from linclf._compare.measures import MEASURES, number, power
from linclf._compare.splitting import INNER_FOLDS
from linclf._compare.summary import Row
from linclf._compare.tuning import inner_measure
from linclf._compare.verdict import AS_GOOD, verdict


class Results(Protocol):
    """The parts of a `linclf.Comparison` that reports read."""

    rows: list[Row]
    facts: dict[str, Any]
    last: dict[str, Any]


SHOWN = ("macro_f1", "roc_auc", "average_precision", "log_loss", "ece")


def text_report(results: Results) -> str:
    """The table with notes, the facts, and the verdict as the last line."""
    parts = [
        [heading(results.facts), splits_line(results.facts)],
        text_table(results.rows, results.facts),
        notes(results.rows, results.facts),
        leader_lines(results.rows, results.facts),
        origin_lines(results.facts),
        [verdict(results.rows, results.facts)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def first_table(results: Results) -> str:
    """The table of the models that are measured first, shown while the others are running."""
    compiling = f"compiling took {results.facts['compile_seconds']:.1f} s; the rest follows"
    return "\n".join(["first models:", *text_table(results.rows, results.facts), "", compiling, ""])


def text_table(rows: Sequence[Row], facts: dict[str, Any]) -> list[str]:
    """The lines of the table: first the measure to sort by, then the others."""
    keys = columns_of(facts)
    head = ["model", *(MEASURES[key].heading for key in keys), "alpha", "C", "tune s", "fit s"]
    head[2:2] = ["behind (95 %)", ""]  # and the status
    lines = [_cells(row, keys) for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    table = ["  ".join([head[0].ljust(widths[0]), *map(str.rjust, head[1:], widths[1:])])]
    table.append("  ".join("-" * width for width in widths))
    for row, line in zip(rows, lines, strict=True):
        cells = [f"failed: {row['error']}"] if row["error"] else map(str.rjust, line[1:], widths[1:])
        table.append("  ".join([line[0].ljust(widths[0]), *cells]))
    return table


def columns_of(facts: dict[str, Any]) -> list[str]:
    """The measures of the table, first the one to sort by; accuracy is always among them."""
    sort = facts["sort"]
    return [sort, *(key for key in ("accuracy", *SHOWN) if key != sort)]


def _cells(row: Row, keys: Sequence[str]) -> list[str]:
    values = [number(row[keys[0]], MEASURES[keys[0]].decimals), *(number(row[key], 3) for key in keys[1:])]
    values[1:1] = [behind(row, keys[0]), row["status"] if row["status"] in AS_GOOD else ""]
    penalty = [power(row["alpha"]) + ("*" if row["at_end_of_grid"] else ""), power(row["C"])]
    return [shown_name(row), *values, *penalty, seconds(row["tune_seconds"]), seconds(row["fit_seconds"])]


def shown_name(row: Row) -> str:
    return row["model"] + (" (!)" if row["messages"] else "")


def behind(row: Row, sort: str) -> str:
    if row["behind"] is None or row["status"] == "best":
        return "-" if row["behind"] is None else ""
    decimals = MEASURES[sort].decimals
    mean = number(row["behind"], decimals)
    return mean if row["behind_margin"] is None else f"{mean} ±{number(row['behind_margin'], decimals)}"


def seconds(value: float | None) -> str:
    """Format a time; 0 means that the step, such as tuning, was not done.

    Examples
    --------
    >>> from linclf._compare.text import seconds
    >>> [seconds(value) for value in (None, 0.0, 0.0002, 0.004, 0.25, 12.34)]
    ['-', '-', '<.001', '.004', '0.25', '12.3']
    """
    if not value:
        return "-"
    if value < 0.001:
        return "<.001"
    return number(value, 3) if value < 0.01 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def heading(facts: dict[str, Any]) -> str:
    counts = list(facts["class_balance"].values())
    classes = f"{facts['n_classes']:,} classes"
    if len(counts) == 2:
        shares = [f"{n / facts['n_samples']:.0%} are {name}" for name, n in facts["class_balance"].items()]
        balance = f" ({', '.join(shares)})"
    else:
        balance = f" of {counts[-1]:,} to {counts[0]:,} rows"
    return (
        f"{facts['data']}: {facts['n_samples']:,} rows, {facts['n_features']:,} features, {classes}{balance}"
    )


def splits_line(facts: dict[str, Any]) -> str:
    if facts["tuned"]:
        alphas = facts["alphas"]
        penalty = (
            f"alpha chosen from {len(alphas)} values, {alphas[0]:g} to {alphas[-1]:g}, in {INNER_FOLDS} "
            "folds of each training part"
        )
    else:
        penalty = f"alpha = {facts['alphas'][0]:g} for all, not tuned"
    sizes = f"{facts['n_train']:,} rows for training and {facts['n_test']:,} for testing"
    return f"{facts['splits']}, {sizes}; {penalty}"


def notes(rows: Sequence[Row], facts: dict[str, Any]) -> list[str]:
    """The meaning of the columns, and other notes on the numbers."""
    sort = MEASURES[facts["sort"]]
    lines = [f"sorted by {sort.heading} ({'higher' if sort.higher_is_better else 'lower'} is better)"]
    if facts["n_splits"] > 1:
        lines[0] += (
            "; behind: paired difference to the best, with a 95 % interval over the splits that allows for "
            "shared training rows, for each pair separately; tied: the interval contains 0"
        )
    if facts["n_classes"] == 2:
        lines.append(
            "F1: the mean of both classes; AUC (under the ROC curve) and AP (average precision): of class "
            f"{facts['class_of_interest']}, the rarer one"
        )
    else:
        lines.append("F1, AUC (under the ROC curve), AP (average precision): means over the classes")
    lines.append("ECE: 15 equal-width bins of the top-class confidence; -: the model gives no probabilities")
    lines.append(
        "alpha: the penalty that most splits chose, alpha/2 |w|^2 added to the mean loss; C = 1 / (alpha n) "
        "of scikit-learn is the same penalty"
    )
    if facts["tuned"]:
        lines.append(
            f"chosen by log loss, or by {_inner_heading(facts)} without probabilities and for sparsemax and "
            "entmax, whose probabilities can be 0; from strong to weak, until one is worse than the best in "
            "every fold"
        )
        if any(row["at_end_of_grid"] for row in rows):
            lines.append("*: the end of the grid; alphas= (--alphas) can go further")
    if any(row["origin"] == "linclf" and row["alpha"] is None and not row["error"] for row in rows):
        lines.append("losses on cosines are not tuned: their scores do not depend on the length of weights")
    if any(row["origin"] == "yours" for row in rows):
        lines.append("your own models are fitted as they are; pipelines get the original rows")
    lines.append(
        "times are medians of warm fits, for rivals with the faster number of BLAS threads; compiling "
        f"took linclf {facts['compile_seconds']:.1f} s beforehand"
    )
    lines += [
        f"two classes: {row['model']} also stands for {' and '.join(row['stands_for'])}, the same model"
        for row in rows
        if row["stands_for"]
    ]
    lines += [
        f"(!) {row['model']}: {' '.join(row['messages'][0].split())[:100]}" for row in rows if row["messages"]
    ]
    stopped = [row["model"] for row in rows if row["tuning_warnings"]]
    if stopped:
        lines.append(f"warnings at some penalties while tuning: {', '.join(stopped)}")
    return lines


def _inner_heading(facts: dict[str, Any]) -> str:
    return MEASURES[inner_measure(facts["sort"])].heading


def leader_lines(rows: Sequence[Row], facts: dict[str, Any]) -> list[str]:
    """Learning curve and calibration of the leading models."""
    sort, lines = MEASURES[facts["sort"]], []
    for row in rows:
        if len(row["learning_curve"]) > 1:
            points = ", ".join(f"{number(v, sort.decimals)} ({n:,})" for n, v in row["learning_curve"])
            lines.append(f"{row['model']}: {sort.heading} by rows for training: {points}")
        after = row["calibrated"]
        if after and after["ece"] is not None:
            before = [number(row[key], 3) for key in ("log_loss", "ece")]
            lines.append(
                f"{row['model']}: with {row['calibrator']} calibration log loss {before[0]} -> "
                f"{number(after['log_loss'], 3)}, ECE {before[1]} -> {number(after['ece'], 3)}"
            )
        if row["look_error"]:
            lines.append(f"{row['model']}: no closer look: {row['look_error']}")
    return lines


def origin_lines(facts: dict[str, Any]) -> list[str]:
    """Columns, date, versions, machine and command."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return [
        *facts["reading"],
        f"{facts['date']}, {facts['machine']}, {versions}",
        f"command: {facts['command']}; random_state {facts['random_state']}",
    ]
