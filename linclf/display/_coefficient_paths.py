"""Coefficients along a path of penalties: which features are drawn, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray, LabelArray
from linclf.display._axes import MARKERS, finish, line_style, short
from linclf.display._features import checked_scale, names_of_features, rows_shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_LONGEST = 24  # characters of a feature name
_BEYOND = 4.0  # times the largest coefficient at the chosen penalty, from which lines are cut off


class CoefficientPaths(NamedTuple):
    """What a panel shows: coefficients (n_alphas, n_drawn), or their lengths, the largest first."""

    title: str
    names: list[str]
    values: FloatArray


def paths_by_class(
    coefs: FloatArray,
    classes: LabelArray,
    feature_names: Sequence[str] | None,
    feature_scale: ArrayLike | None,
    shown: Sequence[Any] | None,
    top: int,
    at: int | None,
) -> dict[Any, CoefficientPaths]:
    """A panel for each class that is shown, or one of lengths, whose class is None.

    Features are compared at the chosen penalty, whose number is ``at``. Without one, the largest anywhere on
    the path are drawn, in the order that they have at its end.
    """
    names = names_of_features(feature_names, coefs.shape[2])
    coefs = coefs * checked_scale(feature_scale, coefs.shape[2])
    kind = "coefficient" if feature_scale is None else "scaled coefficient"

    def of_largest(title: str, values: FloatArray) -> CoefficientPaths:
        sizes = np.abs(values if at is None else values[[at]]).max(axis=0)
        drawn = np.argsort(-sizes, kind="stable")[:top]
        drawn = drawn[sizes[drawn] > 0]
        drawn = drawn[np.argsort(-values[-1 if at is None else at, drawn], kind="stable")]
        return CoefficientPaths(title, [str(name) for name in names[drawn]], values[:, drawn])

    rows = rows_shown(classes, shown, coefs.shape[1])
    if rows is None:
        return {None: of_largest(f"length of {kind}s", np.sqrt(np.square(coefs).sum(axis=1)))}
    if shown is None:
        return {classes.tolist()[1]: of_largest(f"{kind}: {rows[0][1]}", coefs[:, 0])}
    return {
        label: of_largest(f"{kind} of class {title}", coefs[:, row])
        for label, (row, title) in zip(shown, rows, strict=True)
    }


def checked_coefs(
    coefs: ArrayLike, classes: ArrayLike | None, n_alphas: int
) -> tuple[FloatArray, LabelArray]:
    """Both as arrays whose shapes fit to each other."""
    checked, labels = np.asarray(coefs, float), np.asarray([] if classes is None else classes)
    K = len(labels)
    if checked.ndim != 3 or checked.shape[:2] != (n_alphas, 1 if K == 2 else K):
        raise ValueError(
            f"coefs has shape {checked.shape}, and there are {n_alphas} penalties and {K} classes: pass a "
            "row for each class, one row for two, such as clf.coef_path_ and clf.classes_"
        )
    return checked, labels


def draw_coefficients(ax: Axes, alphas: FloatArray, paths: CoefficientPaths, at: int | None) -> list[Line2D]:
    """A line for each feature; its markers stand apart from those of the others."""
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=1)
    every = 1 + len(alphas) // 10
    lines: list[Line2D] = []
    for rank, (name, values) in enumerate(zip(paths.names, paths.values.T, strict=True)):
        marks = {"marker": MARKERS[rank % len(MARKERS)], "markersize": 4, "markevery": (rank % every, every)}
        lines += ax.plot(alphas, values, label=short(name, _LONGEST), **line_style(rank), **marks)
    if at is not None and lines:
        _cut_off(ax, paths.values, _BEYOND * np.abs(paths.values[at]).max())
    finish(ax, ylabel=paths.title)
    return lines


def _cut_off(ax: Axes, values: FloatArray, most: float) -> None:
    """Show so much that the coefficients at the chosen penalty can be told apart."""
    low, high = min(values.min(), 0), max(values.max(), 0)
    if max(-low, high) > most:
        low, high = max(low, -most), min(high, most)
        margin = 0.05 * (high - low)
        ax.set_ylim(low - margin, high + margin)
