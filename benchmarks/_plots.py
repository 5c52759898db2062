"""The pictures: colours that colour-blind readers can tell apart, and a marker for each line."""

import sys

import matplotlib

matplotlib.use("agg")  # no window is opened
import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter

# Okabe and Ito's palette, a colour for each package or estimator; line and marker tell its solvers apart
COLOURS = {
    "linclf": "#0072B2",
    "LogisticRegression": "#D55E00",
    "SGDClassifier": "#CC79A7",
    "LinearSVC": "#E69F00",
    "cyanure": "#009E73",
    "snapml": "#56B4E9",
    "torch": "#000000",
}
LINES, MARKERS = ("-", "--", ":"), "osD^"
FLOOR, CEILING = 1e-8, 10  # what is closer than the data's own noise, or hopeless, is drawn at the edge


def save(draw, path):
    """Draw one figure, ``draw(this module, figure)``, into an SVG file that is the same for the same data."""
    with plt.rc_context({"svg.hashsalt": "linclf", "svg.fonttype": "none", "font.size": 10}):
        figure = plt.figure(figsize=(8.4, 4.8), layout="constrained")
        draw(sys.modules[__name__], figure)
        figure.savefig(path, metadata={"Date": None}, facecolor="white")
        plt.close(figure)


def paths(figure, title, points):
    """Distance to the optimum against seconds, both logarithmic, one line for each method."""
    axes = figure.add_subplot()
    drawn = []
    for name, path in points.items():
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
    _finish(axes, title, "seconds of one fit", "(F - F*) / F*")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)


def _finish(axes, title, across, up=None):
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.xaxis.set_minor_formatter(NullFormatter())  # on a short logarithmic axis they would overlap
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def scatter(figure, title, points):
    """Test accuracy against seconds, one labelled point for each model: name -> (seconds, accuracy, ours)."""
    axes = figure.add_subplot()
    for seconds, accuracy, ours in points.values():
        colour = COLOURS["linclf" if ours else "LogisticRegression"]
        axes.semilogx(seconds, accuracy, "o" if ours else "s", color=colour)
    # labels beside each other would overlap: they stand in a column, joined to their points
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
    _finish(axes, title, "seconds of one fit", "test accuracy")


def dots(figure, title, groups, bar):
    """Distances left, one row for each data set: series -> {data: distance}; a line where the bar is."""
    axes = figure.add_subplot()
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    for i, (series, distances) in enumerate(groups.items()):
        heights = [names.index(name) + (i - 1.5) / 7 for name in distances]
        shown = [max(distance, FLOOR) for distance in distances.values()]
        axes.semilogx(shown, heights, MARKERS[i], color=list(COLOURS.values())[i], markersize=5, label=series)
    axes.axvline(bar, color="0.4", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    _finish(axes, title, "distance left, (F - F*) / (F(0) - F*)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
