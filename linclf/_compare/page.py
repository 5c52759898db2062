"""A comparison as HTML: one self-contained file, and a summary for notebooks.

The page needs no network; with JavaScript the table can be sorted.
"""

import html
from collections.abc import Sequence
from typing import Any

from linclf._compare import pictures
from linclf._compare.candidates import BASELINE
from linclf._compare.document import document, paragraphs, section
from linclf._compare.measures import MEASURES, TIMES, number, power
from linclf._compare.summary import Row
from linclf._compare.text import (
    Results,
    heading,
    leader_lines,
    notes,
    origin_lines,
    seconds,
    shown_name,
    splits_line,
)
from linclf._compare.verdict import recommended, verdict


def html_page(results: Results, *, loss_curves: bool = False) -> str:
    """The report as one HTML file.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import compare
    >>> from linclf._compare.page import html_page
    >>> comparison = compare(*load_iris(return_X_y=True), models=["softmax"], repeats=1)
    >>> html_page(comparison)[:15]
    '<!doctype html>'
    """
    pictures.require_matplotlib()
    rows, facts = results.rows, results.facts
    title = f"linclf compare: {facts['data']}"
    with pictures.styled():
        sections = [_pictures_of_all(rows, facts), _pictures_of_leaders(results), _confusions(results)]
        sections += [_loss_curves(results)] if loss_curves else []
    content = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="verdict">{html.escape(verdict(rows, facts))}</p>',
        paragraphs([heading(facts), splits_line(facts)]),
        _table(rows, facts),
        _list("What the columns mean", notes(rows, facts)),
        _messages(rows),
        *sections,
        "<h2>How this was made</h2>",
        paragraphs(origin_lines(facts)),
        _list("Rows of each class", [f"{name}: {n:,}" for name, n in facts["class_balance"].items()]),
    ]
    return document(title, content)


def html_summary(results: Results) -> str:
    """The table and the verdict for a notebook, without a style sheet."""
    return (
        f"<p><strong>{html.escape(verdict(results.rows, results.facts))}</strong></p>"
        + paragraphs([heading(results.facts), splits_line(results.facts)])
        + _table(results.rows, results.facts)
    )


def _list(summary: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<details><summary>{summary}</summary><ul>{items}</ul></details>"


def _messages(rows: Sequence[Row]) -> str:
    lines = [f"{row['model']}: {message}" for row in rows for message in row["messages"]]
    return _list("Warnings", lines) if lines else ""


# ---------------------------------------------------------------- the table


def _table(rows: Sequence[Row], facts: dict[str, Any]) -> str:
    sort = facts["sort"]
    keys = [sort, *(key for key in MEASURES if key != sort)]
    head = [_head("model", "text", "ascending")]
    head += [_head(MEASURES[key].heading, "number", _first(MEASURES[key].higher_is_better)) for key in keys]
    head[2:2] = [_head(name, "number", "ascending") for name in ("behind (95 %)", *TIMES.values())]
    head += [_head(name, "number", "ascending") for name in ("alpha", "C")]
    best = {key: _best(rows, key) for key in MEASURES}
    taken = recommended(rows)
    body = "".join(
        f"<tr{' class=taken' if row is taken else ''}>{_cells(row, keys, best)}</tr>" for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0"><table class="sortable"><thead><tr>{"".join(head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _head(name: str, kind: str, first: str) -> str:
    return f'<th scope="col" data-kind="{kind}" data-first="{first}">{html.escape(name)}</th>'


def _first(higher_is_better: bool) -> str:
    """The order after the first click: the best on top."""
    return "descending" if higher_is_better else "ascending"


def _cells(row: Row, keys: Sequence[str], best: dict[str, str | None]) -> str:
    name = row["model"]
    cells = [f'<th scope="row" data-value="{html.escape(name)}">{_breakable(shown_name(row))}</th>']
    if row["error"]:
        reason = html.escape(f"failed: {row['error']}")
        return cells[0] + f'<td class="error" colspan="{len(keys) + 1 + 2 + len(TIMES)}">{reason}</td>'
    for key in keys:
        text, deviation = (number(row[part], MEASURES[key].decimals) for part in (key, f"{key}_std"))
        deviation = "" if row[f"{key}_std"] is None else f" <small>±{deviation}</small>"
        marked = name != BASELINE and text == best[key]
        cells.append(_cell(row[key], text + deviation, marked))
    times = [_cell(row[key], seconds(row[key])) for key in TIMES]
    cells[2:2] = [_cell(row["behind"], _behind(row, keys[0])), *times]
    end = "*" if row["at_end_of_grid"] else ""
    cells += [_cell(row["alpha"], power(row["alpha"]) + end), _cell(row["C"], power(row["C"]))]
    return "".join(cells)


def _cell(value: float | None, content: str, best: bool = False) -> str:
    data = "" if value is None else f' data-value="{value!r}"'
    return f"<td{' class=best' if best else ''}{data}>{content}</td>"


def _behind(row: Row, sort: str) -> str:
    if row["behind"] is None or row["status"] == "best":
        return row["status"] if row["status"] == "best" else "-"
    decimals = MEASURES[sort].decimals
    text = number(row["behind"], decimals)
    if row["behind_margin"] is not None:
        text += f" <small>±{number(row['behind_margin'], decimals)}</small>"
    return text + (" tied" if row["status"] == "tied" else "")


def _best(rows: Sequence[Row], key: str) -> str | None:
    """The best value of a column as printed, so that all models with this printed value are marked."""
    values = [row[key] for row in rows if row[key] is not None and row["model"] != BASELINE]
    best = max if MEASURES[key].higher_is_better else min
    return number(best(values), MEASURES[key].decimals) if values else None


# ---------------------------------------------------------------- pictures


def _pictures_of_all(rows: Sequence[Row], facts: dict[str, Any]) -> str:
    sort = facts["sort"]
    if not any(row[sort] is not None and row["model"] != BASELINE for row in rows):
        return ""
    taken = recommended(rows)
    name = taken["model"] if taken else None
    scatter = "".join(
        f'<div class="{kind}">{pictures.quality_by_time(rows, sort, name, width)}</div>'
        for kind, width in (("narrow", pictures.NARROW), ("wide", pictures.WIDE))
    )
    text = (
        "Blue circles are linclf's, orange squares scikit-learn's, green triangles yours. Filled: not "
        "distinguishable from the best. The large one is recommended."
    )
    content = scatter
    if facts["n_splits"] > 1:
        text += " The second picture shows paired differences with 95 % intervals: intervals with 0 are ties."
        content += pictures.behind_the_best(rows, sort)
    return section("Quality and time", text, f'<div class="grid">{content}</div>')


def _pictures_of_leaders(results: Results) -> str:
    rows, sort = results.rows, results.facts["sort"]
    leaders = [row for row in rows if row["learning_curve"]]
    if not leaders:
        return ""
    panels = [f"<figure>{pictures.learning_curves(leaders, sort)}</figure>"]
    for row in leaders:
        probabilities = results.last["models"][row["model"]]["outputs"].probabilities
        if probabilities is not None:
            picture = pictures.reliability(results.last["y"], probabilities, row["model"])
            after = number(row["calibrated"]["ece"], 3)
            caption = f"ECE {number(row['ece'], 3)}, after {row['calibrator']} scaling {after}"
            panels.append(_panel(row["model"], caption, picture))
    text = (
        "The effect of more training rows; and, on the last split, the share of correct predictions by "
        "predicted probability, with 95 % intervals: calibrated models are on the dashed line. Bins of fewer "
        "than 30 rows are faint."
    )
    grid = f'<div class="grid">{"".join(panels)}</div>'
    lines = leader_lines(rows, results.facts)
    return section("The leading models", text, grid) + _list("In numbers", lines)


def _panel(name: str, caption: str, picture: str) -> str:
    name = _breakable(name)
    return f"<figure><figcaption><b>{name}</b> <small>{caption}</small></figcaption>{picture}</figure>"


def _breakable(name: str) -> str:
    """A name that may be wrapped after its origin."""
    return html.escape(name).replace(":", ":<wbr>")


def _confusions(results: Results) -> str:
    row = recommended(results.rows)
    if row is None:
        return ""
    classes, truth = results.last["classes"], results.last["y"]
    predicted = results.last["models"][row["model"]]["outputs"].predicted
    picture, n_shown = pictures.confusions(truth, predicted, classes, row["model"])
    text = f"Rows are the true classes, columns the predictions of {row['model']} on the last split."
    if n_shown < classes.size:
        text += f" Shown are the {n_shown} most confused of {classes.size} classes."
    return section("Confusions", text, f'<div class="scroll" tabindex="0">{picture}</div>')


def _loss_curves(results: Results) -> str:
    curves = {name: model["objective"] for name, model in results.last["models"].items()}
    panels = [
        _panel(name, "", pictures.objective_curve(curve, name))
        for name, curve in curves.items()
        if len(curve) > 1
    ]
    text = "Training objective on the last split. Each loss has its own scale: heights cannot be compared."
    return section("Loss curves", text, f'<div class="grid">{"".join(panels)}</div>') if panels else ""
