"""The pictures of docs/losses.md, drawn by docs/make_losses.py."""

import matplotlib

matplotlib.use("agg")  # no window is opened
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from linclf.functional import entmax, softmax, sparsemax
from linclf.losses import (
    LOSSES,
    ArcFace,
    CosFace,
    Entmax,
    Focal,
    NormFace,
    Softmax,
    SphereFace,
    value_and_gradient,
)

# Okabe and Ito's palette, and lines that differ without colours
STYLES = [
    {"color": "#0072B2", "linestyle": "-", "linewidth": 2.2},
    {"color": "#D55E00", "linestyle": "--", "linewidth": 2.0},
    {"color": "#009E73", "linestyle": "-.", "linewidth": 2.0},
    {"color": "#000000", "linestyle": ":", "linewidth": 2.2},
]
MARGINS = np.linspace(-3, 4, 1401)
BY_MARGIN = {  # picture -> the losses in it
    "loss_softmax": {
        "softmax": Softmax(),
        "label_smoothing=0.1": Softmax(label_smoothing=0.1),
        "focal, gamma=1": Focal(1.0),
        "focal, gamma=2": Focal(2.0),
    },
    "loss_sparse": {
        "softmax": Softmax(),
        "entmax, alpha=1.5": Entmax(1.5),
        "sparsemax": LOSSES["sparsemax"](),
    },
    "loss_hinge": {name: LOSSES[name]() for name in ("weston-watkins", "crammer-singer", "one-vs-rest")},
    "loss_squared_hinge": {
        f"squared-{name}": LOSSES[f"squared-{name}"]()
        for name in ("weston-watkins", "crammer-singer", "one-vs-rest")
    },
}
SCALE = 10.0
BY_ANGLE = {
    "normface": NormFace(SCALE),
    "cosface, margin=0.35": CosFace(SCALE, 0.35),
    "arcface, margin=0.5": ArcFace(SCALE, 0.5),
    "sphereface, margin=1.5": SphereFace(SCALE, 1.5),
}


def draw_all(folder, scores_at):
    """Write all pictures into a folder; ``scores_at(margins)`` are the scores at margins."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, losses in BY_MARGIN.items():
        save(
            folder / f"{name}.svg",
            (8.4, 3.5),
            lambda figure, losses=losses: by_margin(figure, losses, scores_at),
        )
    save(folder / "loss_cosine.svg", (8.4, 3.5), by_angle)
    save(folder / "simplex.svg", (8.4, 5.6), simplex)


def save(path, size, draw):
    """One figure in a file that is the same for the same numbers."""
    with plt.rc_context({"svg.hashsalt": "linclf", "svg.fonttype": "none", "font.size": 10}):
        figure = plt.figure(figsize=size, layout="constrained")
        draw(figure)
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata, facecolor="white")
        plt.close(figure)


def by_margin(figure, losses, scores_at):
    """Loss, and its derivative with respect to the true score, against the margin."""
    scores, y = scores_at(MARGINS), np.zeros(len(MARGINS), int)
    value, slope = figure.subplots(1, 2)
    for style, (name, loss) in zip(STYLES, losses.items(), strict=False):
        values, gradient = value_and_gradient(loss, scores, y)
        value.plot(MARGINS, values, label=name, **style)
        slope.plot(MARGINS, gradient[:, 0], **style)
    margin = "margin: lead of the true score"  # no mathtext: its fonts are not on every machine
    _finish(value, "loss", margin)
    _finish(slope, "derivative with respect to the true score", margin)
    figure.legend(loc="outside lower center", ncols=len(losses), frameon=False)


def by_angle(figure):
    """The same for losses on cosines, against the angle of the true class; the rivals are at 90 degrees."""
    degrees = np.linspace(0.5, 179.5, 718)
    cosines = np.zeros((len(degrees), 3))
    cosines[:, 0] = np.cos(np.radians(degrees))
    value, slope = figure.subplots(1, 2)
    for style, (name, loss) in zip(STYLES, BY_ANGLE.items(), strict=True):
        values, gradient = value_and_gradient(loss, cosines, np.zeros(len(degrees), int))
        value.plot(degrees, values, label=name, **style)
        slope.plot(degrees, -gradient[:, 0] * np.sin(np.radians(degrees)), **style)
    angle = "angle of the true class, degrees"
    _finish(value, f"loss, scale={SCALE:g}", angle)
    _finish(slope, "derivative with respect to the angle", angle)
    for axes in (value, slope):
        axes.set_xticks(range(0, 181, 45))
    figure.legend(loc="outside lower center", ncols=len(BY_ANGLE), frameon=False)


def _finish(axes, title, across):
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(across)
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
SUPPORT = {3: ("#56B4E9", "o"), 2: ("#D55E00", "s"), 1: ("#000000", "^")}  # classes above 0


def simplex(figure):
    """A grid of scores, and where three maps send it: the number of classes above 0 by colour and marker."""
    maps = {"softmax": softmax, "1.5-entmax": entmax, "sparsemax": sparsemax}
    i, j = np.mgrid[-10:11, -10:11].reshape(2, -1)
    scores = np.column_stack([i, j, -i - j])[abs(i + j) <= 10] / 6  # they sum to 0: a triangular grid
    plane = scores @ (CORNERS - CORNERS.mean(axis=0))
    above, below = figure.subplots(2, 3)
    for column, (name, function) in enumerate(maps.items()):
        p = function(scores)
        size = (p > 1e-12).sum(axis=1)
        for n, (colour, marker) in SUPPORT.items():
            style = {"color": colour, "marker": marker, "linestyle": "", "markersize": 3.6}
            above[column].plot(*plane[size == n].T, **style)
            below[column].plot(*(p[size == n] @ CORNERS).T, **style, zorder=5 - n)
        below[column].plot(*CORNERS[[0, 1, 2, 0]].T, color="0.5", linewidth=0.8, zorder=0)
        for k, (x, y) in enumerate(CORNERS):
            side = "bottom" if k == 2 else "top"
            below[column].text(
                x, y + (0.05 if k == 2 else -0.05), f"p{k + 1} = 1", ha="center", va=side, fontsize=9
            )
        above[column].set_title(name, fontsize=10)
        below[column].set(xlim=(-0.2, 1.2), ylim=(-0.18, 1.08))
        for axes in (above[column], below[column]):
            axes.set_aspect("equal")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
    above[0].set_ylabel("scores")
    below[0].set_ylabel("probabilities")
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="", markersize=5)
        for colour, marker in SUPPORT.values()
    ]
    names = ["three classes above 0", "two classes above 0", "one class has 1"]
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
