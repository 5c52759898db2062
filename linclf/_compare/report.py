"""A comparison as a text table and as an HTML report.

The report is one file that needs no network and suits phones and dark mode. Pictures are inline SVG:
lines and labels are drawn in a placeholder colour, which becomes ``currentColor``, so pictures follow
the text colour of the page.
"""

import html
import io
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

Row: TypeAlias = dict[str, Any]  # the results of one model
Facts: TypeAlias = dict[str, Any]  # the data and the splits


class Results(Protocol):
    """The parts of a `linclf.Comparison` that reports read."""

    rows: list[Row]
    facts: Facts
    last: dict[str, Any]


BASELINE = "sklearn:DummyClassifier"

# key in a row: (heading, decimals, whether higher is better)
MEASURES: dict[str, tuple[str, int, bool]] = {
    "accuracy": ("accuracy", 4, True),
    "balanced_accuracy": ("balanced acc.", 4, True),
    "log_loss": ("log loss", 3, False),
    "ece": ("ECE", 3, False),
    "fit_seconds": ("fit s", 3, False),
    "predict_seconds": ("predict s", 4, False),
}

_INK = "#010203"  # the placeholder for the text colour
_BLUE, _ORANGE = "#2f7fd0", "#d9601a"  # colour-blind readers can tell them apart
_MOST_CLASSES = 15
_MOST_RELIABILITY_PLOTS = 8

_STYLE = """
:root { color-scheme: light dark;
  --ink: #1c1f23; --soft: #5b6470; --line: #d5dae0; --best: #dcebfa; --paper: #fff }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #a3adb8; --line: #3a424b; --best: #1d3f61; --paper: #15181c } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 70rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem; line-height: 1.2 } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem }
p, ul { margin: .3rem 0; color: var(--soft) } ul { padding-left: 1.2rem }
.scroll { overflow-x: auto; margin: .8rem 0 }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; min-width: 100% }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line) }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper) }
thead th { color: var(--soft); font-weight: 600 } tbody th { font-weight: 500 }
td.best { background: var(--best); font-weight: 700 } td.error { text-align: left; white-space: normal }
td.error div { max-width: 60vw }
small { color: var(--soft); font-size: .85em }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .8rem .6rem;
  align-items: end }
figure { margin: 0 }
figcaption { font-size: .8125rem; line-height: 1.3; font-weight: 600; overflow-wrap: anywhere }
figcaption small { display: block; font-weight: 400 }
svg, img { max-width: 100%; height: auto; display: block } .grid svg { width: 100% }
.natural svg { max-width: none }
"""


def text_report(comparison: Results) -> str:
    """A line about the data, the aligned table, and the notes."""
    rows = comparison.rows
    head = ["model", *(heading for heading, _, _ in MEASURES.values()), "warnings"]
    lines = [
        [row["model"], *(_cell(row, key) for key in MEASURES), str(row["warnings"] or "-")] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    table = ["  ".join("-" * width for width in widths)]
    for row, line in zip(rows, lines, strict=True):
        cells = [f"failed: {row['error']}"] if row["error"] else map(str.rjust, line[1:], widths[1:])
        table.append("  ".join([row["model"].ljust(widths[0]), *cells]))
    table.insert(0, "  ".join([head[0].ljust(widths[0]), *map(str.rjust, head[1:], widths[1:])]))
    return "\n".join([_heading(comparison.facts), "", *table, "", *_notes(comparison.facts)])


def _cell(row: Row, key: str) -> str:
    mean, std, decimals = row[key], row[f"{key}_std"], MEASURES[key][1]
    if mean is None:
        return "-"
    deviation = "" if std is None else f" ±{std:.{decimals}f}".replace("±0.", "±.")
    return f"{mean:.{decimals}f}{deviation}"


def _heading(facts: Facts) -> str:
    missing = f", {facts['n_missing']:,} missing values imputed" if facts["n_missing"] else ""
    return (
        f"{facts['data']}: {facts['n_samples']:,} rows, {facts['n_features']:,} "
        f"{'sparse ' if facts['sparse'] else ''}features, {facts['n_classes']:,} classes{missing}"
    )


def _notes(facts: Facts) -> list[str]:
    splits = "one stratified split"
    if facts["repeats"] > 1:
        splits = f"mean ± standard deviation over {facts['repeats']} stratified splits"
    scaling = "rivals get StandardScaler; linclf models get the data as they are"
    if facts["sparse"]:
        scaling = "the data are sparse: all models get them as they are"
    return [
        f"{splits}, {facts['n_test']:,} rows for testing; alpha = {facts['alpha']:g}",
        "ECE: 15 equal-width bins of the top-class confidence; -: the model gives no probabilities",
        "log loss: a true class with probability 0, as sparsemax gives, counts as 2.2e-16, which is 36 nats",
        scaling,
        f"times are of warm fits; compiling took linclf {facts['warm_up_seconds']:.1f} s beforehand",
    ]


def html_report(comparison: Results) -> str:
    """The HTML report as a string.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import compare
    >>> from linclf._compare.report import html_report
    >>> comparison = compare(*load_iris(return_X_y=True), models=["softmax"], repeats=1)
    >>> html_report(comparison)[:15]
    '<!doctype html>'
    """
    require_matplotlib()
    title = html.escape(f"linclf compare: {comparison.facts['data']}")
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in _notes(comparison.facts))
    sections = [_table(comparison.rows), f"<ul>{notes}</ul>", _messages(comparison.rows)]
    sections += [_loss_curves(comparison), _reliability(comparison), _confusion(comparison)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n<h1>{title}</h1>"
        f"<p>{html.escape(_heading(comparison.facts))}</p>\n" + "\n".join(sections) + "\n</body></html>\n"
    )


def require_matplotlib() -> None:
    """Raise an ImportError that names the remedy if matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as fault:
        raise ImportError('the report needs matplotlib: pip install "linclf[plot]"') from fault


def _table(rows: list[Row]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading, _, _ in MEASURES.values())
    best = {key: _best(rows, key) for key in MEASURES}
    body = []
    for row in rows:
        cells = [f"<th>{html.escape(row['model'])}</th>"]
        if row["error"]:
            reason = html.escape(f"failed: {row['error']}")
            cells.append(f'<td class="error" colspan="{len(MEASURES) + 1}"><div>{reason}</div></td>')
        else:
            for key in MEASURES:
                mean, _, std = _cell(row, key).partition(" ")
                is_best = row["model"] != BASELINE and mean == best[key]
                cells.append(f"<td{' class=best' if is_best else ''}>{mean} <small>{std}</small></td>")
            cells.append(f"<td>{row['warnings'] or '-'}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr><th>model</th>{head}<th>warnings</th></tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
        "<p>Marked: the best value of a column, the baseline left out.</p>"
    )


def _best(rows: list[Row], key: str) -> str | None:
    """The best value of a column as printed, so that models with equal printed values are all marked."""
    _, decimals, higher_is_better = MEASURES[key]
    values = [row[key] for row in rows if row[key] is not None and row["model"] != BASELINE]
    return f"{(max if higher_is_better else min)(values):.{decimals}f}" if values else None


def _messages(rows: list[Row]) -> str:
    lines = [
        f"<li>{html.escape(row['model'])}: {html.escape(message)}</li>"
        for row in rows
        for message in row["messages"]
    ]
    return f"<details><summary>Warnings</summary><ul>{''.join(lines)}</ul></details>" if lines else ""


def _loss_curves(comparison: Results) -> str:
    panels = []
    for row in comparison.rows:
        curve = comparison.last["models"].get(row["model"], {}).get("objective", [])
        if len(curve) > 1:
            figure, axes = _figure(2.1, 1.6)
            axes.plot(np.arange(1, len(curve) + 1), curve, color=_BLUE, linewidth=1.5)
            axes.set_xscale("log")
            if min(curve) > 0 and max(curve) > 100 * min(curve):
                axes.set_yscale("log")
            else:
                axes.locator_params(axis="y", nbins=4)
            axes.minorticks_off()
            panels.append(_panel(row["model"], "", figure, f"objective of {row['model']} by epoch"))
    text = (
        "Training objective by epoch (right, logarithmic), last split. Each loss has its own scale, "
        "logarithmic where it falls more than a hundredfold; heights cannot be compared between losses."
    )
    return _section("Loss curves", text, f'<div class="grid">{"".join(panels)}</div>') if panels else ""


def _reliability(comparison: Results) -> str:
    panels = []
    for row in comparison.rows:
        bins = comparison.last["models"].get(row["model"], {}).get("bins")
        if bins is None or row["model"] == BASELINE or len(panels) == _MOST_RELIABILITY_PLOTS:
            continue
        filled = bins.weight > 0
        left, confidence, accuracy = bins.edges[:-1][filled], bins.confidence[filled], bins.accuracy[filled]
        figure, axes = _figure(2.1, 2.0)
        width = 0.9 * np.diff(bins.edges)[filled]
        axes.bar(left, accuracy, width, align="edge", color=_BLUE, alpha=0.35)
        sizes = 6 + 60 * bins.weight[filled] / bins.weight.max()
        axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle="--")
        axes.scatter(confidence, accuracy, s=sizes, color=_ORANGE, zorder=3, clip_on=False)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        panels.append(_panel(row["model"], f"ECE {row['ece']:.3f}", figure, f"reliability of {row['model']}"))
    text = (
        "Accuracy (up) by confidence (right), last split, the most accurate models. Calibrated models lie "
        "on the dashed line, over-confident ones below it; a dot is as large as its bin is full. ECE is the "
        "mean over splits."
    )
    return _section("Reliability", text, f'<div class="grid">{"".join(panels)}</div>') if panels else ""


def _confusion(comparison: Results) -> str:
    best = comparison.rows[0]
    if best["error"]:
        return ""
    classes, truth = comparison.last["classes"], comparison.last["y"]
    predicted = comparison.last["models"][best["model"]]["predicted"]
    wrong = truth != predicted
    errors = np.bincount(truth[wrong], minlength=classes.size) + np.bincount(
        predicted[wrong], minlength=classes.size
    )
    shown = np.sort(np.argsort(-errors, kind="stable")[:_MOST_CLASSES])
    inside = np.isin(truth, shown) & np.isin(predicted, shown)
    counts = np.zeros((shown.size, shown.size), int)
    np.add.at(counts, (np.searchsorted(shown, truth[inside]), np.searchsorted(shown, predicted[inside])), 1)
    names = [_short(str(label)) for label in classes[shown].tolist()]
    label_inches = 0.6 + 0.07 * max(map(len, names))
    figure, axes = _figure(label_inches + 0.36 * shown.size, label_inches + 0.33 * shown.size)
    totals = np.maximum(np.bincount(truth, minlength=classes.size)[shown], 1)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour, opacity = (_BLUE, 0.55) if i == j else (_ORANGE, 0.9)
            share = max(count / totals[i], 0.05)
            axes.add_patch(_square(j, i, colour, opacity * share**0.5))  # the root makes rare ones visible
            axes.text(j, i, str(count), ha="center", va="center", color=_INK, fontsize=9)
    axes.set(xlim=(-0.5, shown.size - 0.5), ylim=(shown.size - 0.5, -0.5), xlabel="predicted", ylabel="true")
    axes.set_xticks(range(shown.size), names, rotation=90 if max(map(len, names)) > 2 else 0)
    axes.set_yticks(range(shown.size), names)
    axes.tick_params(length=0)
    text = f"Rows are the true classes, columns the predictions of {best['model']} on the last split."
    if shown.size < classes.size:
        text += f" Shown are the {shown.size} most confused of {classes.size} classes."
    picture = _svg(figure, f"confusion matrix of {best['model']}")
    return _section("Confusions of the best model", text, f'<div class="scroll natural">{picture}</div>')


def _section(heading: str, text: str, content: str) -> str:
    return f"<section><h2>{heading}</h2><p>{html.escape(text)}</p>{content}</section>"


def _panel(name: str, subtitle: str, figure: "Figure", label: str) -> str:
    name = html.escape(name).replace(":", ":<wbr>")
    return f"<figure><figcaption>{name} <small>{subtitle}</small></figcaption>{_svg(figure, label)}</figure>"


def _short(label: str) -> str:
    return label if len(label) <= 14 else label[:13] + "…"


def _square(x: int, y: int, colour: str, alpha: float) -> "Rectangle":
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=colour, alpha=alpha, linewidth=0)


def _figure(width: float, height: float) -> tuple["Figure", "Axes"]:
    """A figure of this size in inches, without pyplot, which would keep it alive and need a display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(_INK)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.xaxis.label.set(color=_INK, fontsize=9)
    axes.yaxis.label.set(color=_INK, fontsize=9)
    axes.yaxis.offsetText.set(color=_INK, fontsize=8)
    return figure, axes


def _svg(figure: "Figure", label: str) -> str:
    import matplotlib

    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": label, "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=no_metadata)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(label)}"', 1)
