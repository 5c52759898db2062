"""Pictures of a comparison as inline SVG.

They are drawn at the size at which they are shown, so that font sizes are exact. Lines and labels have a
placeholder colour that becomes ``currentColor``, so pictures follow the text colour of the page.
"""

import html
import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from linclf._compare.candidates import BASELINE
from linclf._compare.measures import MEASURES, number
from linclf._compare.summary import Row
from linclf._compare.verdict import AS_GOOD, time_of
from linclf.metrics import reliability_curve
from linclf.metrics._wilson import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#010203"  # the placeholder for the text colour
_BLUE, _ORANGE, _GREEN = "#2f7fd0", "#d9601a", "#1f9e77"  # safe for colour-blind readers
ORIGINS = {"linclf": (_BLUE, "o"), "sklearn": (_ORANGE, "s"), "yours": (_GREEN, "^")}
NARROW, WIDE = 3.55, 7.4  # inches: for a phone of 390 pixels, and for a page
_POINTS = 9.5  # 12.7 pixels
_TEXTS = ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
_MOST_CLASSES = 15


def require_matplotlib() -> None:
    """Raise an ImportError that names the remedy if matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as fault:
        raise ImportError('the report needs matplotlib: pip install "linclf[plot]"') from fault


def styled() -> AbstractContextManager[None]:
    """A context in which pictures have the style of the page."""
    import matplotlib

    style: Any = dict.fromkeys(_TEXTS, _POINTS) | {"font.family": "sans-serif", "svg.fonttype": "none"}
    return matplotlib.rc_context(style)


def quality_by_time(rows: Sequence[Row], sort: str, taken: str | None, width: float) -> str:
    """The measure against the seconds to tune and fit; markers tied with the best are filled."""
    models = [row for row in rows if row[sort] is not None and row["model"] != BASELINE]
    figure, axes = _figure(width, 3.6)
    for row in models:
        colour, marker = ORIGINS[row["origin"]]
        face = colour if row["status"] in AS_GOOD else "none"
        size = 70 if row["model"] == taken else 34
        axes.scatter(
            time_of(row), row[sort], s=size, marker=marker, facecolor=face, edgecolor=colour, zorder=3
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(_plainly)
    axes.set(xlabel="seconds to tune and fit", ylabel=MEASURES[sort].heading)
    seconds = [time_of(row) for row in models]
    values = [row[sort] for row in models]
    axes.set_xlim(min(seconds) / 2, max(seconds) * 8)
    spread = max(max(values) - min(values), 0.01)
    low, high = min(values) - 0.25 * spread, max(values) + 0.12 * spread
    baseline = next((row[sort] for row in rows if row["model"] == BASELINE), None)
    if baseline is not None:
        drawn = min(max(baseline, low + 0.04 * spread), high)
        where = (
            ""
            if drawn == baseline
            else ", below this picture"
            if baseline < drawn
            else ", above this picture"
        )
        axes.axhline(drawn, color=_INK, linewidth=1, linestyle="--")
        text = f"baseline {number(baseline, MEASURES[sort].decimals)}{where}"
        axes.text(
            0.98, drawn, text, transform=axes.get_yaxis_transform(), ha="right", va="bottom", color=_INK
        )
    axes.set_ylim(low, high)
    axes.minorticks_off()
    first = sorted(
        models, key=lambda row: (row["model"] != taken, row["status"] != "best", row["origin"] == "linclf")
    )
    _label(figure, axes, [(row["model"].removeprefix("sklearn:"), time_of(row), row[sort]) for row in first])
    return _svg(figure, f"{MEASURES[sort].heading} against seconds")


def _label(figure: "Figure", axes: "Axes", points: Sequence[tuple[str, float, float]]) -> None:
    """Put names beside points, in order of priority; a point without a free place gets no name."""
    figure.draw_without_rendering()
    frame = axes.get_window_extent()
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in axes.transData.transform([p[1:] for p in points])]
    for name, *place in points:
        x, y = axes.transData.transform(place)
        half_height, length = 8.0, 7.4 * len(name)
        for dx, dy in ((7, 0), (-7 - length, 0), (7, 13), (7, -13), (-7 - length, 13), (-7 - length, -13)):
            box = (x + dx, y + dy - half_height, x + dx + length, y + dy + half_height)
            inside = frame.x0 <= box[0] and box[2] <= frame.x1 and frame.y0 <= box[1] and box[3] <= frame.y1
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                offset = (72 / figure.dpi * dx, 72 / figure.dpi * dy)
                text: dict[str, Any] = {"va": "center", "color": _INK, "textcoords": "offset points"}
                axes.annotate(name, (place[0], place[1]), offset, **text)
                break


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def behind_the_best(rows: Sequence[Row], sort: str) -> str:
    """Paired differences to the best with their intervals; those that reach 0 are filled."""
    models = [row for row in rows if row["behind"] is not None and row["model"] != BASELINE]
    figure, axes = _figure(NARROW, 0.75 + 0.235 * len(models))
    for position, row in enumerate(models):
        colour, marker = ORIGINS[row["origin"]]
        face = colour if row["status"] in AS_GOOD else "none"
        margin = row["behind_margin"] or 0.0
        axes.plot(
            [row["behind"] - margin, row["behind"] + margin], [position] * 2, color=colour, linewidth=1.6
        )
        axes.scatter(row["behind"], position, s=28, marker=marker, facecolor=face, edgecolor=colour, zorder=3)
    axes.axvline(0, color=_INK, linewidth=1)
    names = [row["model"].removeprefix("sklearn:") for row in models]
    axes.set_yticks(range(len(models)), names)
    axes.set_ylim(len(models) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=4)
    axes.set_xlabel(f"{MEASURES[sort].heading} behind the best")
    return _svg(figure, "differences to the best")


def learning_curves(rows: Sequence[Row], sort: str) -> str:
    """The measure against the number of training rows, for the leaders."""
    leaders = [row for row in rows if len(row["learning_curve"]) > 1]
    if not leaders:
        return ""
    figure, axes = _figure(NARROW, 2.6)
    for row, colour, style in zip(leaders, (_BLUE, _ORANGE, _GREEN), ("-", "--", ":"), strict=False):
        n_rows, values = zip(*row["learning_curve"], strict=True)
        axes.plot(n_rows, values, style, color=colour, marker="o", markersize=4, label=row["model"])
    ticks = [n for n, _ in leaders[0]["learning_curve"]]
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.minorticks_off()
    axes.set(xlabel="rows for training", ylabel=MEASURES[sort].heading)
    axes.locator_params(axis="y", nbins=5)
    axes.legend(frameon=False, labelcolor=_INK, loc="best")
    return _svg(figure, "learning curves")


def reliability(codes: np.ndarray, probabilities: np.ndarray, name: str) -> str:
    """Share of correct predictions by predicted probability, with 95 % intervals; sparse bins are faint."""
    bins = reliability_curve(codes, probabilities, labels=range(probabilities.shape[1]))
    filled = bins.weight > 0
    confidence, accuracy, n_rows = (
        values[filled] for values in (bins.confidence, bins.accuracy, bins.weight)
    )
    low, high = wilson_interval(accuracy, n_rows)
    figure, axes = _figure(2.6, 2.5)
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=1, linestyle="--")
    for x, y, bottom, top, n in zip(confidence, accuracy, low, high, n_rows, strict=True):
        opacity = 0.25 + 0.75 * min(n / 30, 1.0)
        axes.plot([x, x], [bottom, top], color=_BLUE, alpha=opacity, linewidth=2)
        axes.scatter(x, y, s=26, color=_BLUE, alpha=opacity, zorder=3, clip_on=False, linewidth=0)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set(xlabel="predicted probability", ylabel="share correct")
    return _svg(figure, f"reliability of {name}")


def objective_curve(curve: Sequence[float], name: str) -> str:
    """The training objective by epoch or iteration."""
    figure, axes = _figure(2.6, 2.0)
    axes.plot(np.arange(1, len(curve) + 1), curve, color=_BLUE, linewidth=1.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(_plainly)
    if min(curve) > 0 and max(curve) > 100 * min(curve):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(_plainly)
    else:
        axes.locator_params(axis="y", nbins=4)
    axes.minorticks_off()
    axes.set(xlabel="epoch", ylabel="objective")
    return _svg(figure, f"objective of {name} by epoch")


def confusions(truth: np.ndarray, predicted: np.ndarray, classes: np.ndarray, name: str) -> tuple[str, int]:
    """The confusion matrix of the classes with the most errors, and how many classes it shows."""
    from matplotlib.patches import Rectangle
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(truth, predicted, labels=range(classes.size))
    errors = counts.sum(0) + counts.sum(1) - 2 * np.diag(counts)
    shown = np.sort(np.argsort(-errors, kind="stable")[:_MOST_CLASSES])
    names = [_short(str(label)) for label in classes[shown].tolist()]
    label_inches = 0.6 + 0.08 * max(map(len, names))
    cell = max(0.3, 0.1 * len(str(counts.max())))  # ten classes fit on a phone
    figure, axes = _figure(label_inches + cell * shown.size, label_inches + cell * shown.size)
    totals = np.maximum(counts.sum(1)[shown], 1)
    for (i, j), count in np.ndenumerate(counts[np.ix_(shown, shown)]):
        if count:
            colour, opacity = (_BLUE, 0.55) if i == j else (_ORANGE, 0.9)
            alpha = opacity * max(count / totals[i], 0.05) ** 0.5  # the root makes small shares visible
            axes.add_patch(
                Rectangle((j - 0.48, i - 0.48), 0.96, 0.96, facecolor=colour, alpha=alpha, linewidth=0)
            )
            axes.text(j, i, str(count), ha="center", va="center", color=_INK)
    axes.set(xlim=(-0.5, shown.size - 0.5), ylim=(shown.size - 0.5, -0.5), xlabel="predicted", ylabel="true")
    axes.set_xticks(range(shown.size), names, rotation=90 if max(map(len, names)) > 2 else 0)
    axes.set_yticks(range(shown.size), names)
    axes.tick_params(length=0)
    return _svg(figure, f"confusion matrix of {name}"), shown.size


def _short(label: str) -> str:
    return label if len(label) <= 14 else label[:13] + "…"


def _plainly(value: float, position: float) -> str:
    """A tick label without a superscript, which would be too small."""
    return f"{value:g}"


def _figure(width: float, height: float) -> tuple["Figure", "Axes"]:
    """A figure of this size in inches; pyplot would keep it alive and need a display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(_INK)
    axes.tick_params(colors=_INK)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.yaxis.offsetText):
        label.set_color(_INK)
    return figure, axes


def _svg(figure: "Figure", label: str) -> str:
    import matplotlib

    buffer = io.StringIO()
    no_metadata: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    salt = f"{label} {figure.get_figwidth()}"  # makes ids unique in the page
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=no_metadata)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(label)}"', 1)
