"""The reliability diagram: accuracy against confidence."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import BoolArray, MatrixLike
from linclf.display._axes import (
    COLOURS,
    LINES,
    MARKERS,
    finish,
    legend,
    letters_across,
    one_axes,
    split_below,
)
from linclf.display._estimators import name_of, response
from linclf.metrics._bins import Strategy
from linclf.metrics._forecasts import checked
from linclf.metrics._wilson import wilson_interval
from linclf.metrics.reliability import ReliabilityCurve, one_class, reliability_curve, top_class

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import StepPatch

_CURVE = "linclf-reliability"  # marks curves, so that the next one in the same axes looks different
_FEW = 30  # rows; a bin with fewer has a hollow point and a pale interval


class ReliabilityDisplay:
    r"""Accuracy against confidence in bins, and how many rows have which confidence.

    Calibrated probabilities lie on the diagonal, over-confident ones below it. The bar of a bin with
    accuracy a is Wilson's interval, all p with ``|a - p| <= z sqrt(p (1 - p) / n)``, where n is the
    effective number of rows ``(sum w)^2 / sum w^2``: the number of rows if all weights are equal. Bins with
    n < 30 have hollow points and pale bars.

    Use `from_estimator` or `from_predictions`.

    Parameters
    ----------
    curve : ReliabilityCurve
        Of `linclf.metrics.reliability_curve`.
    effective_rows : array-like of shape (B,)
        The n of each bin.
    shares : array-like, default=None
        Heights of the histogram: shares of the rows in bins of equal width from 0 to 1. None takes
        those of the bins of the curve.
    level : float, default=0.95
        Probability of the intervals, between 0 and 1.
    name : str, default=None
        For the legend.
    class_of_interest : label, default=None
        The class whose probability is judged; None for that of the predicted class.

    Attributes
    ----------
    ece_ : float
        Calibration error: the mean of ``|accuracy - confidence|``, weighted by the bins.
    lower_, upper_ : ndarray of shape (B,)
        Ends of the intervals, NaN in empty bins.
    line_, interval_ : matplotlib artists
        The curve and the bars at its points.
    histogram_ : matplotlib artist or None
        The histogram.
    ax_, ax_histogram_ : matplotlib Axes
        Axes of the curve and of the histogram; without one the second is None.
    figure_ : matplotlib Figure
        The figure.

    References
    ----------
    DeGroot & Fienberg, "The comparison and evaluation of forecasters", 1983. Wilson, "Probable
    inference, the law of succession, and statistical inference", 1927. Kish, "Survey sampling", 1965.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from linclf.display import ReliabilityDisplay
    >>> P = [[0.6, 0.4], [0.3, 0.7], [0.1, 0.9], [0.2, 0.8]]
    >>> display = ReliabilityDisplay.from_predictions(
    ...     ["no", "no", "yes", "yes"], P, n_bins=4, ax=Figure().subplots()
    ... )
    >>> display
    <ReliabilityDisplay of probabilities: ECE 0.15, 4 rows in 2 bins>
    >>> display.lower_.round(2), display.upper_.round(2)
    (array([ nan,  nan, 0.09, 0.34]), array([ nan,  nan, 0.91, 1.  ]))
    """

    def __init__(
        self,
        curve: ReliabilityCurve,
        effective_rows: ArrayLike,
        *,
        shares: ArrayLike | None = None,
        level: float = 0.95,
        name: str | None = None,
        class_of_interest: Any = None,
    ) -> None:
        if not isinstance(level, numbers.Real) or not 0 < level < 1:
            raise ValueError(f"level={level!r}: pass a number between 0 and 1, such as 0.95")
        self.curve, self.level = curve, level
        self.effective_rows = np.asarray(effective_rows, float)
        if self.effective_rows.shape != curve.weight.shape:
            raise ValueError(
                f"effective_rows has shape {self.effective_rows.shape}: pass one number for each of "
                f"{len(curve.weight)} bins"
            )
        self.name, self.class_of_interest = name, class_of_interest
        filled = curve.weight > 0
        weights = curve.weight / curve.weight.sum()
        gaps = np.abs(curve.accuracy - curve.confidence)
        self.ece_ = float(weights[filled] @ gaps[filled])
        self.lower_, self.upper_ = wilson_interval(curve.accuracy, self.effective_rows, level)
        if shares is None:
            self.shares, self.share_edges = weights, curve.edges
        else:
            self.shares = np.asarray(shares, float)
            self.share_edges = np.linspace(0, 1, len(self.shares) + 1)

    def __repr__(self) -> str:
        rows, bins = self.effective_rows.sum(), np.count_nonzero(self.curve.weight)
        about = self.name or "probabilities"
        kind = "rows" if np.isclose(rows, self.curve.weight.sum()) else "effective rows"
        return f"<ReliabilityDisplay of {about}: ECE {self.ece_:.3g}, {rows:.0f} {kind} in {bins} bins>"

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: MatrixLike, y: ArrayLike, *, name: str | None = None, **options: Any
    ) -> Self:
        """Draw the reliability of ``estimator.predict_proba(X)``.

        Parameters
        ----------
        estimator : object
            A fitted classifier with ``predict_proba``.
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows that it was not fitted on.
        y : array-like of shape (n,)
            Their classes.
        name : str, default=None
            For the legend; None takes the name of the estimator's class.
        **options
            As in `from_predictions`, save labels.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        ValueError
            If the estimator has no ``predict_proba``, or an option is out of range.
        """
        p = response(estimator, "predict_proba", X)
        name = name_of(estimator) if name is None else name
        return cls.from_predictions(y, p, labels=estimator.classes_, name=name, **options)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        n_bins: int = 15,
        strategy: Strategy = "uniform",
        class_of_interest: Any = None,
        labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        level: float = 0.95,
        name: str | None = None,
        ax: Axes | None = None,
        histogram: bool | Axes = True,
        **kwargs: Any,
    ) -> Self:
        """Draw the reliability of probabilities.

        Parameters
        ----------
        y_true, y_prob, n_bins, strategy, class_of_interest, labels, sample_weight
            As in `linclf.metrics.reliability_curve`. With ``strategy="quantile"``, whose bins hold
            equally much, the histogram has 20 bins of equal width of its own.
        level, name
            As in the class.
        ax, histogram, **kwargs
            As in `plot`.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        ValueError, TypeError
            As `linclf.metrics.reliability_curve`.
        """
        curve = reliability_curve(
            y_true,
            y_prob,
            n_bins=n_bins,
            strategy=strategy,
            class_of_interest=class_of_interest,
            labels=labels,
            sample_weight=sample_weight,
        )
        forecasts = checked(y_true, y_prob, labels, sample_weight)
        if class_of_interest is None:
            confidence, _ = top_class(forecasts)
        else:
            confidence, _ = one_class(forecasts, forecasts.classes.index(class_of_interest))
        index = np.searchsorted(curve.edges[1:-1], confidence)
        squares = np.bincount(index, forecasts.weights**2, len(curve.weight))
        rows = np.divide(curve.weight**2, squares, out=np.zeros_like(squares), where=squares > 0)
        shares = None
        if strategy == "quantile":
            index = np.searchsorted(np.linspace(0, 1, 21)[1:-1], confidence)
            shares = np.bincount(index, forecasts.weights / forecasts.weights.sum(), 20)
        display = cls(curve, rows, shares=shares, level=level, name=name, class_of_interest=class_of_interest)
        return display.plot(ax, histogram=histogram, **kwargs)

    def plot(
        self, ax: Axes | None = None, *, name: str | None = None, histogram: bool | Axes = True, **kwargs: Any
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where the curve is drawn, also beside curves of others; None makes a new figure. Figures
            with ``layout="constrained"`` leave room for the legend, which stands above.
        name : str, default=None
            For the legend; None takes that of the display.
        histogram : bool or matplotlib Axes, default=True
            True takes the lower part of ax for the histogram, False leaves it out. To compare
            displays pass the ``ax_`` and, here, the ``ax_histogram_`` of the first.
        **kwargs
            For ``Axes.errorbar``, such as color.

        Returns
        -------
        self : ReliabilityDisplay
        """
        ax = one_axes(self, ax, (4.8, 5.2))
        below = _histogram_axes(self, ax, histogram)
        rank = sum(line.get_gid() == _CURVE for line in ax.lines)
        if rank == 0:
            ax.plot([0, 1], [0, 1], color="0.5", linewidth=1, linestyle=(0, (2, 2)), zorder=1)
        filled = self.curve.weight > 0
        accuracy = self.curve.accuracy[filled]
        ends = (self.lower_[filled], self.upper_[filled])
        name = self.name if name is None else name
        style = {
            "color": COLOURS[rank % len(COLOURS)],
            "linestyle": LINES[rank % len(LINES)],
            "marker": MARKERS[rank % len(MARKERS)],
            "markersize": 5,
            "linewidth": 1.5,
            "elinewidth": 1.5,
            "label": f"{'' if name is None else name + ': '}ECE {self.ece_:.3g}",
        }
        # rounding may leave an end on the wrong side of an accuracy of 0 or 1
        lengths = np.maximum([accuracy - ends[0], ends[1] - accuracy], 0)
        drawn = ax.errorbar(self.curve.confidence[filled], accuracy, yerr=lengths, **style | kwargs)
        self.line_, _, (self.interval_,) = drawn.lines
        self.line_.set(gid=_CURVE, clip_on=False, label=drawn.get_label())
        self._pale(ax, self.effective_rows[filled] < _FEW)
        about = "" if self.class_of_interest is None else f" of class {self.class_of_interest}"
        across = f"{'confidence' if not about else 'probability'}{about}"
        up = "accuracy" if not about else f"share{about}"
        finish(ax, xlabel="" if below else across, ylabel=up, xlim=(0, 1), ylim=(0, 1))
        ax.tick_params(labelbottom=not below)
        handles = [line for line in ax.lines if line.get_gid() == _CURVE]
        legend(ax, handles, letters_across(ax), loc="lower left", bbox_to_anchor=(0, 1))
        self.histogram_: StepPatch | None = None
        if below is not None:
            colour, line = self.line_.get_color(), LINES[rank % len(LINES)]
            self.histogram_ = below.stairs(self.shares, self.share_edges, color=colour, linestyle=line)
            if not any(patch.get_gid() == _CURVE for patch in below.patches):
                below.stairs(self.shares, self.share_edges, fill=True, color=colour, alpha=0.25)
            self.histogram_.set_gid(_CURVE)
            finish(below, xlabel=across, ylabel="rows", xlim=(0, 1))
            below.yaxis.set_major_formatter("{x:.0%}")
            below.locator_params(axis="y", nbins=3)
        self.ax_, self.ax_histogram_, self.figure_ = ax, below, ax.figure
        return self

    def _pale(self, ax: Axes, few: BoolArray) -> None:
        """Hollow points and pale intervals for bins of few rows."""
        from matplotlib.lines import Line2D

        if not few.any():
            return
        line, solid = self.line_, self.line_.get_alpha() or 1.0
        self.interval_.set_alpha((solid * np.where(few, 0.35, 1.0)).tolist())
        hollow = Line2D(*line.get_data())
        hollow.update_from(line)
        hollow.set(linestyle="", markerfacecolor="white", clip_on=False, label="_few rows")
        hollow.set_zorder(line.get_zorder() + 0.1)
        line.set_markevery(np.flatnonzero(~few).tolist())
        hollow.set_markevery(np.flatnonzero(few).tolist())
        ax.add_line(hollow)


def _histogram_axes(display: ReliabilityDisplay, ax: Axes, histogram: bool | Axes) -> Axes | None:
    if histogram is True:
        return split_below(ax, 0.2)
    return None if histogram is False else one_axes(display, histogram, None, "histogram")
