"""The report on one model in one HTML file: what was read, the measures, and pictures."""

import html
from collections.abc import Sequence

import numpy as np

from linclf._command.judged import Judged
from linclf._compare import pictures
from linclf._compare.document import document, paragraphs, section
from linclf._compare.measures import MEASURES, number


def model_page(
    title: str,
    lines: Sequence[str],
    found: Judged | None,
    objective: Sequence[float],
    warnings: Sequence[str],
) -> str:
    """The page as HTML.

    Parameters
    ----------
    title : str
    lines : list of str
        What was read and fitted.
    found : Judged or None
        Measures on held-out rows.
    objective : list of float
        The objective of each iteration; empty if nothing was trained.
    warnings : list of str
    """
    pictures.require_matplotlib()
    content = [f"<h1>{html.escape(title)}</h1>"]
    if found is not None:
        first = found.lines()[0]
        content.append(f'<p class="verdict">{html.escape(first)}</p>')
        content.append(_measures(found))
    content += [f"<p><b>Warning:</b> {html.escape(text)}</p>" for text in warnings]
    content.append(section("What was read and fitted", "", paragraphs(lines)))
    with pictures.styled():
        if found is not None:
            table = "\n".join(found.lines()[2:])
            content.append(
                section("Classes", "", f'<pre class="scroll" tabindex="0">{html.escape(table)}</pre>')
            )
            content += _pictures(found)
        if len(objective) > 1:
            curve = pictures.objective_curve(objective, "the model")
            content.append(section("Training", "The objective by iteration.", curve))
    return document(title, content)


def _measures(found: Judged) -> str:
    known = [(MEASURES[key], value) for key, value in found.values.items() if value is not None]
    head = "".join(f'<th scope="col">{html.escape(measure.heading)}</th>' for measure, _ in known)
    body = "".join(f"<td>{number(value, measure.decimals)}</td>" for measure, value in known)
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody><tr>{body}</tr></tbody></table></div>"
    )


def _pictures(found: Judged) -> list[str]:
    made = []
    if found.outputs.probabilities is not None:
        picture = pictures.reliability(found.codes, found.outputs.probabilities, "the model")
        text = (
            "The share of correct predictions by predicted probability, with 95 % intervals: a calibrated "
            "model is on the dashed line. Bins of fewer than 30 rows are faint."
        )
        made.append(section("Reliability", text, picture))
    counts = np.bincount(found.codes, minlength=len(found.classes))
    if counts.size > 1:
        picture, n_shown = pictures.confusions(
            found.codes, found.outputs.predicted, found.classes, "the model"
        )
        text = "Rows are the true classes, columns the predictions."
        if n_shown < counts.size:
            text += f" Shown are the {n_shown} most confused of {counts.size} classes."
        made.append(section("Confusions", text, f'<div class="scroll" tabindex="0">{picture}</div>'))
    return made
