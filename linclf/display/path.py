"""Scores and coefficients along a path of penalties."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray
from linclf.display._axes import is_narrow, legend_outside, many_axes, short
from linclf.display._coefficient_paths import (
    CoefficientPaths,
    checked_coefs,
    draw_coefficients,
    paths_by_class,
)
from linclf.display._estimators import name_of, path_to
from linclf.display._features import checked_top, known_names
from linclf.display._score_lines import draw_scores, score_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    from linclf.display._axes import AnyAxes
    from linclf.tuning import Path

_ACROSS = "stronger  ←  penalty alpha  →  weaker"
_ACROSS_NARROW = "penalty alpha\nstronger  ←  →  weaker"


class PathDisplay:
    """Mean scores with their standard errors by penalty, and the coefficients of the largest features.

    Strong penalties stand on the left. A vertical line marks the chosen penalty, a faint horizontal one the
    score one standard error below the best mean: ``rule="1se"`` takes the strongest penalty above it.

    Coefficients can be compared between features only if these have one unit; ``feature_scale`` brings them
    to one. The features drawn are the largest at the chosen penalty, or anywhere on the path if none is
    chosen. The view ends at four times the largest coefficient at the chosen penalty, as weak penalties may
    leave very large ones.

    Use `from_estimator` or `from_path`.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,)
        The penalties, the strongest first.
    scores : dict of str to array-like of shape (n_alphas,), default=None
        Names of lines and their mean scores; more is better. None draws coefficients only.
    errors : dict of str to array-like of shape (n_alphas,), default=None
        Standard errors of the scores, by the same names; a line that is left out, and NaN, have no bars.
    chosen : float, default=None
        One of alphas, for the line with the best mean.
    scoring : str, default="score"
        Name of the scores.
    coefs : array-like of shape (n_alphas, K, d) or (n_alphas, 1, d), default=None
        ``coef_`` for each penalty; None draws scores only.
    classes : array-like of shape (K,), default=None
        The labels, for coefs.
    feature_names : array-like of shape (d,), default=None
        Names of the features; None numbers them x0, x1, ...
    feature_scale : array-like of shape (d,), default=None
        What coefficients are multiplied by, such as ``X.std(axis=0)``.
    top : int >= 1, default=8
        How many features are drawn.
    shown : list of labels, default=None
        Classes, each with a panel. None draws the lengths of the features' coefficients, roots of the sums
        of squares over all classes. Two classes have one panel: what is positive speaks for the second.
    name : str, default=None
        Title of the legend.

    Attributes
    ----------
    best_ : float or None
        The penalty of the best mean score; of several the strongest.
    level_ : float or None
        The best mean less its standard error.
    lines_ : dict of matplotlib Line2D
        The mean scores, by the names of the lines.
    bars_ : dict of matplotlib LineCollection
        One standard error to either side, for lines that have it.
    coef_lines_ : list of lists of matplotlib Line2D
        For each panel of coefficients its lines, in the order of `largest`.
    ax_ : ndarray of matplotlib Axes
        The axes of the scores, if there are any, and of each panel of coefficients.
    figure_ : matplotlib Figure
        The figure.

    References
    ----------
    Hastie, Tibshirani & Friedman, "The elements of statistical learning", 2009, sections 3.4 and 7.10.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from sklearn.datasets import load_wine
    >>> from linclf import SoftmaxClassifierCV
    >>> from linclf.display import PathDisplay
    >>> wine = load_wine(as_frame=True)
    >>> clf = SoftmaxClassifierCV(standardize=True, store_coef_path=True, rule="1se", random_state=0)
    >>> display = PathDisplay.from_estimator(
    ...     clf.fit(wine.data, wine.target), feature_scale=wine.data.std(), top=3, ax=Figure().subplots()
    ... )
    >>> print(f"best {display.best_:.1g}, chosen {display.chosen:.1g}, level {display.level_:.2f}")
    best 0.0007, chosen 0.005, level -0.08
    >>> display.largest()
    ['proline', 'color_intensity', 'alcohol']
    """

    def __init__(
        self,
        alphas: ArrayLike,
        *,
        scores: dict[str, ArrayLike] | None = None,
        errors: dict[str, ArrayLike] | None = None,
        chosen: float | None = None,
        scoring: str = "score",
        coefs: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
        feature_scale: ArrayLike | None = None,
        top: int = 8,
        shown: Sequence[Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.alphas = _checked_alphas(alphas)
        self._lines = score_lines(scores, errors, len(self.alphas))
        if not self._lines.means and coefs is None:
            raise ValueError(f"scores={scores!r} and coefs=None leave nothing to draw: pass one of them")
        self._at = _place(chosen, self.alphas)
        self.chosen = None if self._at is None else float(self.alphas[self._at])
        self.scoring, self.name, self.top = scoring, name, checked_top(top)
        self.best_: float | None = None
        self.level_: float | None = None
        if self._lines.means:
            self.best_, self.level_ = float(self.alphas[self._lines.best[1]]), self._lines.level
        self._paths: dict[Any, CoefficientPaths] = {}
        if coefs is not None:
            checked, labels = checked_coefs(coefs, classes, len(self.alphas))
            self._paths = paths_by_class(
                checked, labels, feature_names, feature_scale, shown, self.top, self._at
            )
        elif any(option is not None for option in (feature_names, feature_scale, shown)):
            raise ValueError(
                "feature_names, feature_scale and shown are for coefficients, and coefs is None: pass them, "
                "or an estimator with store_coef_path=True"
            )

    def __repr__(self) -> str:
        ends = f"{len(self.alphas)} penalties from {self.alphas[0]:.2g} to {self.alphas[-1]:.2g}"
        chosen = "" if self.chosen is None else f", chosen {self.chosen:.2g}"
        return f"<PathDisplay of {self.name or 'a path'}: {ends}{chosen}>"

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | None = None,
        feature_scale: ArrayLike | None = None,
        top: int = 8,
        shown: Sequence[Any] | None = None,
        name: str | None = None,
        ax: AnyAxes | None = None,
    ) -> Self:
        """Draw how a fitted classifier chose its penalty, and its coefficients if it stored them.

        Parameters
        ----------
        estimator : object
            A fitted `SoftmaxClassifierCV`, `SVMClassifierCV` or `LinearClassifierCV`, or a pipeline, search
            or calibrated classifier around one. Each combination in ``loss_grid`` has a line; there are
            coefficients if ``store_coef_path=True``.
        feature_names : array-like of shape (d,), default=None
            None takes those that the classifier or the steps before it know, else x0, x1, ...
        feature_scale, top, shown
            As in the class.
        name : str, default=None
            Title of the legend; None takes the name of the class.
        ax : matplotlib Axes or array of them, default=None
            As in `plot`.

        Returns
        -------
        display : PathDisplay

        Raises
        ------
        NotFittedError
            If it is not fitted.
        ValueError
            If it has not chosen a penalty, or an argument does not fit to it.
        """
        path, _ = path_to(estimator, "alphas_")
        fitted = path[-1]
        results = getattr(fitted, "cv_results_", {})
        if "standard_error" not in results:
            raise ValueError(
                f"estimator={name_of(fitted)} has chosen no penalty: pass a fitted classifier that has, such "
                "as SoftmaxClassifierCV().fit(X, y)"
            )
        scoring = fitted.scoring
        if scoring is None:
            scoring = "neg_log_loss" if hasattr(fitted, "predict_proba") else "accuracy"
        if not isinstance(scoring, str):
            scoring = short(getattr(scoring, "__name__", str(scoring)), 40)
        coefs = getattr(fitted, "coef_path_", None)
        if feature_names is None and coefs is not None:
            feature_names = known_names(path)
        names = _names_of_lines(results, len(fitted.alphas_))
        means, errors = (np.split(results[key], len(names)) for key in ("mean_test_score", "standard_error"))
        display = cls(
            fitted.alphas_,
            scores=dict(zip(names, means, strict=True)),
            errors=dict(zip(names, errors, strict=True)),
            chosen=fitted.alpha_,
            scoring=scoring,
            coefs=coefs,
            classes=getattr(fitted, "classes_", None),  # which refit=False does not set
            feature_names=feature_names,
            feature_scale=feature_scale,
            top=top,
            shown=shown,
            name=name_of(fitted) if name is None else name,
        )
        return display.plot(ax)

    @classmethod
    def from_path(
        cls,
        path: Path,
        *,
        chosen: float | None = None,
        feature_names: Sequence[str] | None = None,
        feature_scale: ArrayLike | None = None,
        top: int = 8,
        shown: Sequence[Any] | None = None,
        name: str | None = None,
        ax: AnyAxes | None = None,
    ) -> Self:
        """Draw the coefficients of what `linclf.path` returned.

        Parameters
        ----------
        path : Path
            Of `linclf.path`.
        chosen, feature_names, feature_scale, top, shown, name
            As in the class.
        ax : matplotlib Axes or array of them, default=None
            As in `plot`.

        Returns
        -------
        display : PathDisplay

        Raises
        ------
        TypeError
            If path is something else.
        ValueError
            If an argument does not fit to it.
        """
        if not all(hasattr(path, field) for field in ("alphas", "coefs", "classes")):
            raise TypeError(f"path={path!r}: pass what linclf.path(X, y) returns")
        display = cls(
            path.alphas,
            chosen=chosen,
            coefs=path.coefs,
            classes=path.classes,
            feature_names=feature_names,
            feature_scale=feature_scale,
            top=top,
            shown=shown,
            name=name,
        )
        return display.plot(ax)

    def largest(self, label: Any = None) -> list[str]:
        """Names of the features that a panel has lines for, from the largest coefficient to the least.

        The coefficients are those at the chosen penalty, or at the weakest if none is chosen.

        Parameters
        ----------
        label : label, default=None
            One of the classes that are shown, if there are several.

        Returns
        -------
        names : list of str

        Raises
        ------
        ValueError
            If the class has no panel.
        """
        if label is None and len(self._paths) == 1:
            (paths,) = self._paths.values()
            return paths.names
        if label not in self._paths:
            raise ValueError(f"label={label!r} has no panel: pass one of {list(self._paths)}")
        return self._paths[label].names

    def plot(self, ax: AnyAxes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One for the scores and one for each panel of coefficients, or one that is divided; None makes
            a new figure. Axes narrower than four inches have their legends above.

        Returns
        -------
        self : PathDisplay
        """
        self.lines_: dict[str, Line2D] = {}
        self.bars_: dict[str, LineCollection] = {}
        self.coef_lines_: list[list[Line2D]] = []
        n_scores = int(bool(self._lines.means))
        axes = many_axes(self, ax, n_scores + len(self._paths), 1, (6.4, 3.2))
        if n_scores:
            self._draw_scores(axes[0])
        for panel, paths in zip(axes[n_scores:], self._paths.values(), strict=True):
            lines = draw_coefficients(panel, self.alphas, paths, self._at)
            marks = self._mark_chosen(panel)
            if n_scores:  # whose legend has the name and the mark
                legend_outside(panel, lines, None)
            else:
                legend_outside(panel, [*lines, *marks], self.name)
            self.coef_lines_.append(lines)
        beyond = (self.alphas[0] / self.alphas[-1]) ** 0.03 if len(self.alphas) > 1 else 10.0
        for panel in axes:
            panel.set_xlim(self.alphas[0] * beyond, self.alphas[-1] / beyond)
            panel.set_xscale("log")  # after the limits: Matplotlib finds none for a single point
            panel.set_xlabel(_ACROSS_NARROW if is_narrow(panel) else _ACROSS)
        self.ax_, self.figure_ = axes, axes[0].figure
        return self

    def _draw_scores(self, ax: Axes) -> None:
        self.lines_, self.bars_ = draw_scores(ax, self.alphas, self._lines)
        handles = [*self.lines_.values(), *self._mark_chosen(ax)]
        if self.level_ is not None:
            faint = {"color": "0.5", "linewidth": 1, "linestyle": ":", "zorder": 1}
            handles.append(ax.axhline(self.level_, label="one standard error below the best", **faint))
        ax.set_ylabel(self.scoring, parse_math=False)
        legend_outside(ax, handles, self.name)

    def _mark_chosen(self, ax: Axes) -> list[Line2D]:
        if self.chosen is None:
            return []
        label = f"chosen: alpha {self.chosen:.3g}"
        if len(self._lines.means) > 1:
            label += f", {self._lines.best[0]}"
        return [ax.axvline(self.chosen, color="0.2", linewidth=1.2, zorder=1, label=label)]


def _checked_alphas(alphas: ArrayLike) -> FloatArray:
    given = np.asarray(alphas)
    numbers = given.ndim == 1 and given.size > 0 and given.dtype.kind in "fiu"
    if not numbers or not np.isfinite(given).all() or given[-1] <= 0 or (np.diff(given) >= 0).any():
        raise ValueError(f"alphas={alphas!r}: pass positive numbers, each less than the last, as clf.alphas_")
    return given.astype(float)


def _place(chosen: float | None, alphas: FloatArray) -> int | None:
    if chosen is None:
        return None
    places = []
    if isinstance(chosen, numbers.Real):
        places = np.flatnonzero(np.isclose(alphas, float(chosen), rtol=1e-9, atol=0))
    if not len(places):
        raise ValueError(f"chosen={chosen!r} is none of the penalties: pass one of alphas, or None")
    return int(places[0])


def _names_of_lines(results: dict[str, Any], n_alphas: int) -> list[str]:
    """The parameters of the loss that lines differ in."""
    params = [key for key in results if key.startswith("param_") and key != "param_alpha"]
    if not params:
        return ["mean ± standard error" if np.isfinite(results["standard_error"]).any() else "mean"]
    rows = range(0, len(results["param_alpha"]), n_alphas)
    return [", ".join(f"{key.removeprefix('param_')}={results[key][row]}" for key in params) for row in rows]
