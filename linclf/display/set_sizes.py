"""How large prediction sets are, and how often those of each size contain the true class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import MatrixLike
from linclf.display._axes import COLOURS, finish, legend_within, one_axes
from linclf.display._estimators import name_of, response
from linclf.metrics._forecasts import counting
from linclf.metrics._wilson import wilson_interval
from linclf.metrics.prediction_sets import EDGES, judged

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer, ErrorbarContainer

MOST_BARS = 12  # without edges; more sizes are shown in the strata of `size_stratified_coverage`


class SetSizeDisplay:
    """Share of the rows for each size of a prediction set, a bar, and the coverage of these rows, a point.

    The coverage is the share of the rows whose set contains the true class, with Wilson's interval of 95 %.
    A guarantee of coverage is for all rows together: if large sets are covered much less than small ones,
    hard rows are. Empty sets are never covered.

    Use `from_estimator` or `from_predictions`.

    Parameters
    ----------
    sizes : array-like of shape (n,)
        Number of classes in the set of each row.
    covered : array-like of shape (n,)
        Whether the set contains the true class.
    coverage : float in (0, 1), default=None
        What was asked for: a horizontal line.
    edges : sequence of int, default=None
        The largest size of each bar but the last, increasing. None: a bar for each size, or, of more than 12
        sizes, ``(0, 1, 3, 10, 100, 1000)``.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows, 0 or more.
    name : str, default=None
        Title of the legend.

    Attributes
    ----------
    labels_ : list of str
        The sizes of each bar, such as "2" or "4-10". Only sizes that occur have one.
    share_ : ndarray of shape (n_bars,)
        Shares of the rows, or of their weight.
    coverage_ : ndarray of shape (n_bars,)
        Coverage of the rows of each bar.
    low_, high_ : ndarray of shape (n_bars,)
        Ends of its interval; with weights, of as many rows as count.
    total_coverage_, mean_size_ : float
        Of all rows.
    bars_ : matplotlib BarContainer
        The bars.
    points_ : matplotlib ErrorbarContainer
        The points.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.

    Raises
    ------
    ValueError
        If shapes do not match, a size is no number from 0, an empty set is covered, the coverage is not
        between 0 and 1, or edges do not increase.

    References
    ----------
    Angelopoulos et al., "Uncertainty sets for image classifiers using conformal prediction", 2021.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from linclf.display import SetSizeDisplay
    >>> sets = [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1]]
    >>> display = SetSizeDisplay.from_predictions(["a", "b", "c", "c"], sets, ax=Figure().subplots())
    >>> display.labels_, display.share_, display.coverage_
    (['1', '2'], array([0.5, 0.5]), array([1. , 0.5]))
    >>> display
    <SetSizeDisplay of predictions: coverage 0.750, mean size 1.50>
    """

    def __init__(
        self,
        sizes: ArrayLike,
        covered: ArrayLike,
        *,
        coverage: float | None = None,
        edges: Sequence[int] | None = None,
        sample_weight: ArrayLike | None = None,
        name: str | None = None,
    ) -> None:
        self.sizes, self.covered = np.asarray(sizes), np.asarray(covered, bool)
        self.coverage, self.name = coverage, name
        n = self.sizes.size
        if self.sizes.shape != (n,) or self.covered.shape != (n,) or not n:
            raise ValueError(
                f"sizes has shape {self.sizes.shape} and covered {self.covered.shape}: pass one entry a row "
                "in each, one row at least"
            )
        if self.sizes.dtype.kind not in "iu" or (self.sizes < 0).any():
            raise ValueError(f"sizes={sizes!r}: pass numbers of classes, whole and not negative")
        if (self.covered & (self.sizes == 0)).any():
            raise ValueError(
                f"row {int(np.argmax(self.covered & (self.sizes == 0)))} is covered by a set of size 0; pass "
                "False for empty sets"
            )
        if coverage is not None and not 0 < coverage < 1:
            raise ValueError(f"coverage={coverage!r} must lie between 0 and 1, such as 0.9 for 90 %")
        rows, weights = counting(sample_weight, n)
        of_rows, hit = self.sizes[rows], self.covered[rows]
        if edges is None:
            present = np.unique(of_rows)
            edges = present[:-1].tolist() if len(present) <= MOST_BARS else [0, *EDGES]
        bounds = np.asarray(edges, int)
        if bounds.ndim != 1 or (np.diff(bounds) <= 0).any():
            raise ValueError(f"edges={edges!r} must be increasing sizes, such as {EDGES}")
        bars, group = np.unique(np.searchsorted(bounds, of_rows), return_inverse=True)
        mass, squares = np.bincount(group, weights), np.bincount(group, weights**2)
        self.labels_ = [_label(of_rows[group == bar]) for bar in range(len(bars))]
        self.share_ = mass / mass.sum()
        self.coverage_ = np.bincount(group, weights * hit) / mass
        self.low_, self.high_ = wilson_interval(self.coverage_, mass**2 / squares)
        self.total_coverage_ = float(np.average(hit, weights=weights))
        self.mean_size_ = float(np.average(of_rows, weights=weights))

    def __repr__(self) -> str:
        about = self.name or "predictions"
        return (
            f"<SetSizeDisplay of {about}: coverage {self.total_coverage_:.3f}, "
            f"mean size {self.mean_size_:.2f}>"
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: MatrixLike,
        y: ArrayLike,
        *,
        coverage: float = 0.9,
        edges: Sequence[int] | None = None,
        sample_weight: ArrayLike | None = None,
        name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the sizes of ``estimator.predict_set(X, coverage)``.

        Parameters
        ----------
        estimator : ConformalClassifier
            Fitted; or another classifier with such a `predict_set`.
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows that have not calibrated it.
        y : array-like of shape (n,)
            Their classes.
        coverage : float in (0, 1), default=0.9
            What is asked for.
        edges, sample_weight
            As in the class.
        name : str, default=None
            Title of the legend; None takes the name of the estimator's class.
        ax : matplotlib Axes, default=None
            As in `plot`.

        Returns
        -------
        display : SetSizeDisplay

        Raises
        ------
        ValueError
            If the estimator has no `predict_set`, or as in the class.
        """
        sets = response(estimator, "predict_set", X, coverage=coverage)
        return cls.from_predictions(
            y,
            sets,
            labels=estimator.classes_,
            coverage=coverage,
            edges=edges,
            sample_weight=sample_weight,
            name=name_of(estimator) if name is None else name,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        sets: MatrixLike,
        *,
        labels: ArrayLike | None = None,
        coverage: float | None = None,
        edges: Sequence[int] | None = None,
        sample_weight: ArrayLike | None = None,
        name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the sizes of sets.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True classes.
        sets : {array-like, sparse array} of shape (n, K)
            True or 1 for the classes in the set of a row.
        labels : array-like of shape (K,), default=None
            The classes in the order of the columns; None uses the sorted labels in y_true.
        coverage, edges, sample_weight
            As in the class.
        name : str, default=None
            Title of the legend.
        ax : matplotlib Axes, default=None
            As in `plot`.

        Returns
        -------
        display : SetSizeDisplay

        Raises
        ------
        ValueError
            If shapes do not match, a label is unknown, an entry of sets is neither 0 nor 1, or as in the
            class.
        """
        covered, sizes, _, weights = judged(y_true, sets, labels, sample_weight)
        return cls(sizes, covered, coverage=coverage, edges=edges, sample_weight=weights, name=name).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : SetSizeDisplay
        """
        ax = one_axes(self, ax, (5.6, 4.2))
        places = np.arange(len(self.labels_))
        self.bars_: BarContainer = ax.bar(
            places, self.share_, color=COLOURS[5], width=0.8, label="share of the rows"
        )
        ends = np.stack([self.coverage_ - self.low_, self.high_ - self.coverage_])
        self.points_: ErrorbarContainer = ax.errorbar(
            places,
            self.coverage_,
            yerr=np.maximum(ends, 0),
            color=COLOURS[1],
            linestyle="none",
            marker="o",
            capsize=3,
            label=f"coverage of these rows; of all {self.total_coverage_:.1%}",
        )
        handles: list[Any] = [self.bars_, self.points_]
        if self.coverage is not None:
            text = f"asked for: {self.coverage:.4g}"
            handles.append(ax.axhline(self.coverage, color=COLOURS[3], linestyle="--", label=text))
        finish(ax, xlabel="classes in a set", ylabel="share, coverage")
        ax.set_xticks(places, self.labels_)
        ax.set(ylim=(0, 1), yticks=np.linspace(0, 1, 6))  # the legend is above 1
        legend_within(ax, handles, self.name)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _label(sizes: np.ndarray) -> str:
    low, high = int(sizes.min()), int(sizes.max())
    return str(low) if low == high else f"{low}-{high}"
