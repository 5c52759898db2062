"""The pictures: colours that colour-blind readers can tell apart, and a marker for each line."""

import functools
from pathlib import Path

import matplotlib

matplotlib.use("agg")  # no window is opened
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from benchmarks.report.pictures import Dots, Lines, Paths, Picture, Scatter

# Okabe and Ito's palette and two more colours, one for each package or estimator; its solvers differ in line
# and marker
COLOURS = {
    "linclf": "#0072B2",
    "LogisticRegression": "#D55E00",
    "SGDClassifier": "#CC79A7",
    "LinearSVC": "#E69F00",
    "cyanure": "#009E73",
    "snapml": "#56B4E9",
    "intelex": "#F0E442",
    "glum": "#999999",
    "skglm": "#882255",
    "torch": "#000000",
}
LINES, MARKERS = ("-", "--", ":", "-.", (0, (1, 3)), (0, (5, 5))), "osD^Pv"
FLOOR, CEILING = 1e-8, 10  # distances below the noise of the data, or hopeless, are drawn at the edge


def save(picture: Picture, path: Path) -> None:
    """Draw a picture into an SVG file; the same data give the same file."""
    with plt.rc_context({"svg.hashsalt": "linclf", "svg.fonttype": "none", "font.size": 10}):
        figure = plt.figure(figsize=(8.4, 4.8), layout="constrained")
        draw(picture, figure)
        figure.savefig(path, metadata={"Date": None}, facecolor="white")
        plt.close(figure)


@functools.singledispatch
def draw(picture: Picture, figure: Figure) -> None:
    raise TypeError(f"no way to draw a {type(picture).__name__}")


@draw.register
def _paths(picture: Paths, figure: Figure) -> None:
    axes = figure.add_subplot()
    drawn = []
    for name, path in picture.points.items():
        package = name.split()[0]
        rank = drawn.count(package)  # of this solver among those of its package
        drawn.append(package)
        seconds, distances = zip(*sorted(path), strict=True)
        axes.loglog(
            seconds,
            [min(max(distance, FLOOR), CEILING) for distance in distances],
            marker=MARKERS[rank],
            color=COLOURS[package],
            linestyle=LINES[rank],
            linewidth=2.6 if package == "linclf" else 1.3,
            zorder=3 if package == "linclf" else 2,
            markersize=5.5,
            label=name,
        )
    axes.set_ylim(FLOOR / 1.5, CEILING * 1.5)
    _finish(axes, picture.title, "seconds of one fit", "(F - F*) / F*")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)


def _finish(axes: Axes, title: str, across: str, up: str | None = None) -> None:
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.xaxis.set_minor_formatter(NullFormatter())  # on a short logarithmic axis they would overlap
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


@draw.register
def _scatter(picture: Scatter, figure: Figure) -> None:
    axes, points = figure.add_subplot(), picture.points
    for seconds, accuracy, ours in points.values():
        colour = COLOURS["linclf" if ours else "LogisticRegression"]
        axes.semilogx(seconds, accuracy, "o" if ours else "s", color=colour)
    # labels next to their points would overlap: they are in a column, each with a line to its point
    by_accuracy = sorted(points.items(), key=lambda item: item[1][1])
    for rank, (name, (seconds, accuracy, ours)) in enumerate(by_accuracy):
        axes.annotate(
            f"{name}  {accuracy:.4f}",
            (seconds, accuracy),
            xytext=(1.04, (rank + 0.5) / len(points)),
            textcoords="axes fraction",
            fontsize=8,
            va="center",
            color=COLOURS["linclf" if ours else "LogisticRegression"],
            arrowprops={"arrowstyle": "-", "color": "0.8", "linewidth": 0.6},
        )
    _finish(axes, picture.title, "seconds of one fit", "test accuracy")


@draw.register
def _dots(picture: Dots, figure: Figure) -> None:
    axes, groups = figure.add_subplot(), picture.groups
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    for i, (series, distances) in enumerate(groups.items()):
        heights = [names.index(name) + (i - 1.5) / 7 for name in distances]
        shown = [max(distance, FLOOR) for distance in distances.values()]
        axes.semilogx(shown, heights, MARKERS[i], color=list(COLOURS.values())[i], markersize=5, label=series)
    axes.axvline(picture.bar, color="0.4", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    _finish(axes, picture.title, "distance left, (F - F*) / (F(0) - F*)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)


@draw.register
def _lines(picture: Lines, figure: Figure) -> None:
    axes = figure.add_subplot()
    for i, (name, path) in enumerate(picture.points.items()):
        marker, line = "osD^v"[i], (LINES[:3] * 2)[i]
        colour = list(COLOURS.values())[i]
        axes.loglog(*zip(*path, strict=True), marker=marker, color=colour, linestyle=line, label=name)
    axes.set(title=picture.title, xlabel=picture.across, ylabel=picture.up)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
