"""Mean scores along a path of penalties, and what is chosen by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray
from linclf.display._axes import MARKERS, finish, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D


class ScoreLines(NamedTuple):
    """Mean scores (n_alphas,) by the names of lines, and their standard errors, NaN if there are none."""

    means: dict[str, FloatArray]
    errors: dict[str, FloatArray]

    @property
    def best(self) -> tuple[str, int]:
        """The line with the highest mean, and its place."""
        name = max(self.means, key=lambda name: self.means[name].max())
        return name, int(self.means[name].argmax())

    @property
    def level(self) -> float | None:
        """The highest mean less its standard error."""
        name, at = self.best
        level = float(self.means[name][at] - self.errors[name][at])
        return level if np.isfinite(level) else None


def score_lines(
    scores: dict[str, ArrayLike] | None, errors: dict[str, ArrayLike] | None, n_alphas: int
) -> ScoreLines:
    """Both as dicts of arrays, with errors for each line."""
    means = _arrays("scores", scores, n_alphas)
    given = _arrays("errors", errors, n_alphas)
    for name, values in means.items():
        if np.isnan(values).any():
            raise ValueError(f"scores[{name!r}] has NaN at place {np.isnan(values).argmax()}: pass numbers")
    unknown = sorted(set(given) - set(means))
    if unknown:
        raise ValueError(f"errors has {unknown[0]!r}, which is no line: pass names out of {list(means)}")
    return ScoreLines(means, {name: given.get(name, np.full(n_alphas, np.nan)) for name in means})


def draw_scores(
    ax: Axes, alphas: FloatArray, lines: ScoreLines
) -> tuple[dict[str, Line2D], dict[str, LineCollection]]:
    """The lines, and the bars of those that have standard errors."""
    drawn: dict[str, Line2D] = {}
    bars: dict[str, LineCollection] = {}
    for rank, (name, means) in enumerate(lines.means.items()):
        style = line_style(rank) | {"marker": MARKERS[rank % len(MARKERS)], "markersize": 4}
        (drawn[name],) = ax.plot(alphas, means, label=name, **style)
        if np.isfinite(lines.errors[name]).any():
            thin = {"fmt": "none", "ecolor": style["color"], "elinewidth": 1, "capsize": 2.5}
            (bars[name],) = ax.errorbar(alphas, means, lines.errors[name], **thin).lines[2]
    finish(ax)
    return drawn, bars


def _arrays(argument: str, lines: dict[str, ArrayLike] | None, n_alphas: int) -> dict[str, FloatArray]:
    if lines is None:
        return {}
    if not isinstance(lines, dict):
        raise TypeError(f"{argument}={lines!r}: pass a dict of names and arrays, such as {{'mine': values}}")
    for name, values in lines.items():
        if np.shape(values) != (n_alphas,):
            raise ValueError(
                f"{argument}[{name!r}] has shape {np.shape(values)}: pass a number for each of {n_alphas} "
                "penalties"
            )
    return {name: np.asarray(values, float) for name, values in lines.items()}
