"""Where displays draw: new or given axes, and a style for each line that differs without colours."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.gridspec import GridSpecBase
    from matplotlib.legend import Legend

    AnyAxes: TypeAlias = Axes | list[Axes] | tuple[Axes, ...] | NDArray[np.object_]

# Okabe and Ito's palette; 7 colours and 4 lines have no common factor: 28 different styles
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#56B4E9", "#E69F00")
LINES = ("-", "--", "-.", ":")
MARKERS = "os^Dv"
# axes become smaller when a layout makes room for labels; a legend does not take more of them than this
_SHRINKS, _MOST_OF_THE_HEIGHT = 1.25, 0.75


def line_style(rank: int) -> dict[str, Any]:
    """Colour and line of the line with a rank: 0, 1, ..."""
    return {"color": COLOURS[rank % len(COLOURS)], "linestyle": LINES[rank % len(LINES)], "linewidth": 1.8}


def require_matplotlib(display: object) -> None:
    """Raise an ImportError that names the remedy where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as fault:
        raise ImportError(f'{type(display).__name__} needs matplotlib: pip install "linclf[plot]"') from fault


def one_axes(
    display: object, ax: Axes | None, size: tuple[float, float] | None, argument: str = "ax"
) -> Axes:
    """The given axes, or those of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    TypeError
        If ax, the argument that is named, is no Axes.
    """
    require_matplotlib(display)
    if ax is None:
        import matplotlib.pyplot as plt

        return plt.subplots(figsize=size, layout="constrained")[1]
    _check_axes(ax, argument)
    return ax


def many_axes(
    display: object, ax: AnyAxes | None, count: int, columns: int, size: tuple[float, float]
) -> NDArray[np.object_]:
    """``count`` axes: given ones, parts of a given one, or those of a new figure of panels of a size.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    TypeError, ValueError
        If ax is neither an Axes nor as many of them as there are panels.
    """
    require_matplotlib(display)
    rows = -(-count // columns)
    columns = -(-count // rows)
    if ax is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(columns * size[0], rows * size[1]), layout="constrained")
        return _cells(figure, figure.add_gridspec(rows, columns), count)
    if isinstance(ax, list | tuple | np.ndarray):
        given = np.asarray(ax, object).ravel()
        for one in given:
            _check_axes(one)
        if len(given) != count:
            raise ValueError(f"ax has {len(given)} axes: pass {count}, one for each panel, or one to divide")
        return given
    _check_axes(ax)
    if count == 1:
        return np.array([ax], object)
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            f"ax={ax!r} is in no grid and cannot be divided into {count} panels: pass axes of "
            "plt.subplots(), or a list with one for each panel"
        )
    ax.set_axis_off()
    return _cells(ax.figure, place.subgridspec(rows, columns), count)


def split_below(ax: Axes, share: float) -> Axes:
    """Give the lower share of the place of axes to new ones with the same horizontal axis."""
    place = ax.get_subplotspec()
    if place is None:  # not in a grid, or inset
        x, y, width, height = ax.get_position().bounds
        ax.set_position((x, y + (share + 0.05) * height, width, (0.95 - share) * height))
        return ax.figure.add_axes((x, y, width, share * height), sharex=ax)
    grid = place.subgridspec(2, 1, height_ratios=[1 - share, share], hspace=0.1)
    ax.set_subplotspec(grid[0])
    return ax.figure.add_subplot(grid[1], sharex=ax)


def _cells(figure: Figure | SubFigure, grid: GridSpecBase, count: int) -> NDArray[np.object_]:
    return np.array([figure.add_subplot(grid[k // grid.ncols, k % grid.ncols]) for k in range(count)], object)


def _check_axes(ax: object, argument: str = "ax") -> None:
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(f"{argument}={ax!r}: pass a matplotlib Axes, such as plt.subplots()[1]")


def finish(axes: Axes, **texts: Any) -> None:
    """Texts as they are, where a $ begins no formula; a faint grid; no frame above and to the right."""
    axes.set(**texts)
    for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
        text.set_parse_math(False)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def legend(axes: Axes, handles: Sequence[Artist], longest: int | None = None, **options: Any) -> Legend:
    """A legend of the handles, whose texts are shown as they are, in lines of so many letters at most."""
    labels = [str(handle.get_label()) for handle in handles]
    if longest is not None:
        labels = [textwrap.fill(label, longest) for label in labels]
    size = font_size(axes)
    drawn = axes.legend(handles, labels, fontsize=size, title_fontsize=size, frameon=False, **options)
    for text in (drawn.get_title(), *drawn.get_texts()):
        text.set_parse_math(False)
    return drawn


def letters_across(axes: Axes) -> int:
    """About how many letters of a legend are as wide as axes, beside the line that they explain."""
    inches, size = axes.bbox.width / axes.figure.dpi, font_size(axes)
    return max(12, int((inches - 0.067 * size) / (0.0083 * size)))


def font_size(axes: Axes) -> int:
    """Points of the letters of a legend."""
    return 7 if axes.bbox.width / axes.figure.dpi < 3 else 9


def legend_within(
    axes: Axes, handles: Sequence[Artist], title: str | None, also: Sequence[Axes] = ()
) -> None:
    """A legend at the top of axes, whose vertical range grows so that no curve is under it.

    The ranges of ``also``, axes in the same place, grow by the same share.
    """
    across = letters_across(axes)
    title = None if title is None else textwrap.fill(title, across)
    longest = max(len(str(handle.get_label())) for handle in handles)
    columns = 2 if 2 * longest + 8 <= across else 1
    drawn = legend(axes, handles, across, loc="upper center", ncols=columns, title=title, borderaxespad=0.2)
    share = (drawn.get_window_extent().height + 8) / axes.bbox.height
    if axes.figure.get_layout_engine() is not None:
        share *= _SHRINKS
    for one in (axes, *also):
        _extend_upwards(one, min(share, _MOST_OF_THE_HEIGHT))


def show_all_curves(axes: Axes) -> None:
    """A vertical range for all curves, those of earlier displays in the same or in sharing axes too."""
    axes.set_autoscaley_on(True)
    axes.autoscale_view(scalex=False)


def _extend_upwards(axes: Axes, share: float) -> None:
    """Leave this share of the height of axes empty, at the top."""
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(axes.get_ylim())
    axes.set_ylim(top=float(scale.inverted().transform(low + (high - low) / (1 - share))))


def is_narrow(axes: Axes) -> bool:
    """Whether a legend on the right would leave less than half of the place of axes."""
    return axes.bbox.width / axes.figure.dpi < 4


def legend_outside(axes: Axes, handles: Sequence[Artist], title: str | None) -> None:
    """A legend in one column: on the right, above narrow axes."""
    narrow = is_narrow(axes)
    place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
    if narrow:
        place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}
    longest = letters_across(axes) if narrow else 26
    legend(axes, handles, longest, title=title, alignment="left", **place)


def short(text: str, longest: int) -> str:
    """At most this many characters of a text, both ends of it: names of one pipeline begin alike."""
    if len(text) <= longest:
        return text
    return f"{text[: longest // 2]}…{text[-(longest - 1 - longest // 2) :]}"
