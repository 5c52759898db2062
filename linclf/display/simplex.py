"""Probabilities of three classes as points of a triangle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import MatrixLike
from linclf.display._axes import COLOURS, MARKERS, legend, one_axes, short
from linclf.display._estimators import name_of, response
from linclf.metrics._forecasts import checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
_SURE = 0.99  # probability from which points lie so near to a corner that they cannot be told apart


class SimplexDisplay:
    """Probabilities of three classes: each row is a point, the nearer to a corner the surer.

    The point is the mean of the corners, weighted by the probabilities. Colour and marker show the true
    class; grey lines separate the predicted classes, and points in another class's part are wrong. Points
    are transparent, so that many in one place look darker than one, and each corner has the number of rows
    with a probability of at least 0.99, which lie upon each other.

    Use `from_estimator` or `from_predictions`.

    Parameters
    ----------
    p : array-like of shape (n, 3)
        Class probabilities.
    codes : array-like of shape (n,)
        Columns of the true classes.
    classes : list of 3 labels
        In the order of the columns: lower left, lower right, top.
    name : str, default=None
        For the title.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The points of each class.
    n_sure_ : ndarray of shape (3,)
        Number of rows with a probability of at least 0.99 of each class.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.

    References
    ----------
    Vaicenavicius et al., "Evaluating model calibration in classification", 2019.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from linclf.display import SimplexDisplay
    >>> P = [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.1, 0.1, 0.8]]
    >>> display = SimplexDisplay.from_predictions(["a", "b", "c"], P, ax=Figure().subplots())
    >>> [line.get_xydata().round(2).tolist() for line in display.lines_]
    [[[0.0, 0.0]], [[0.75, 0.43]], [[0.5, 0.69]]]
    >>> display.n_sure_
    array([1, 0, 0])
    """

    def __init__(
        self, p: ArrayLike, codes: ArrayLike, classes: Sequence[Any], *, name: str | None = None
    ) -> None:
        self.p, self.codes, self.classes, self.name = np.asarray(p), np.asarray(codes), list(classes), name
        if self.p.ndim != 2 or self.p.shape[1] != 3 or len(self.classes) != 3:
            raise ValueError(
                f"p has shape {self.p.shape} and classes has {len(self.classes)} entries: a triangle is for "
                "3 classes; for others see ReliabilityDisplay"
            )
        if self.codes.shape != self.p.shape[:1]:
            raise ValueError(f"codes has shape {self.codes.shape}: pass one for each of {len(self.p)} rows")
        if not np.isin(self.codes, (0, 1, 2)).all():
            raise ValueError(f"codes has {self.codes.tolist()[:10]}: pass columns 0, 1, 2")
        self.n_sure_ = (self.p >= _SURE).sum(axis=0)

    def __repr__(self) -> str:
        about, classes = self.name or "probabilities", ", ".join(str(label) for label in self.classes)
        return f"<SimplexDisplay of {about}: {len(self.p)} rows, classes {classes}>"

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: MatrixLike,
        y: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw ``estimator.predict_proba(X)``.

        Parameters
        ----------
        estimator : object
            A classifier with ``predict_proba``, fitted on three classes.
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Their classes.
        name : str, default=None
            For the title; None takes the name of the estimator's class.
        ax, **kwargs
            As in `plot`.

        Returns
        -------
        display : SimplexDisplay

        Raises
        ------
        ValueError
            If the estimator has no ``predict_proba``, or not three classes.
        """
        p = response(estimator, "predict_proba", X)
        name = name_of(estimator) if name is None else name
        return cls.from_predictions(y, p, labels=estimator.classes_, name=name, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            Class labels.
        y_prob : array-like of shape (n, 3)
            Class probabilities.
        labels : array-like of shape (3,), default=None
            The classes in the order of the columns; None takes the sorted labels in y_true.
        name : str, default=None
            For the title.
        ax, **kwargs
            As in `plot`.

        Returns
        -------
        display : SimplexDisplay

        Raises
        ------
        ValueError
            If there are not three classes, shapes do not match, or a row is not a distribution.
        """
        shape = np.shape(y_prob)
        if len(shape) != 2 or shape[1] != 3:
            raise ValueError(
                f"y_prob has shape {shape}: a triangle is for 3 classes, pass (n, 3); for other numbers of "
                "classes see ReliabilityDisplay"
            )
        forecasts = checked(y_true, y_prob, labels, None)
        return cls(forecasts.p, forecasts.codes, forecasts.classes, name=name).plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            For ``Axes.plot`` of the points, such as markersize or alpha.

        Returns
        -------
        self : SimplexDisplay
        """
        ax = one_axes(self, ax, (5.0, 4.8))
        ax.plot(*CORNERS[[0, 1, 2, 0]].T, color="0.3", linewidth=1, zorder=1)
        centre = CORNERS.mean(axis=0)
        for first, second in ((0, 1), (1, 2), (2, 0)):
            middle = (CORNERS[first] + CORNERS[second]) / 2
            ax.plot(*np.array([centre, middle]).T, color="0.6", linewidth=0.8, linestyle="--", zorder=1)
        places = self.p @ CORNERS
        self.lines_: list[Line2D] = []
        for k, label in enumerate(self.classes):
            style = {
                "color": COLOURS[k],
                "marker": MARKERS[k],
                "linestyle": "",
                "markersize": 6,
                "markeredgewidth": 0,  # edges would hide how many points there are
                "alpha": 0.4,
                "clip_on": False,
                "label": str(label),
            }
            self.lines_ += ax.plot(*places[self.codes == k].T, **style | kwargs)
            x, y = CORNERS[k]
            up = k == 2
            ax.annotate(
                f"{short(str(label), 16)}\n{self.n_sure_[k]} with p ≥ {_SURE}",
                (x, y),
                (0, 8 if up else -8),
                textcoords="offset points",
                ha=("left", "right", "center")[k],
                va="bottom" if up else "top",
                color=COLOURS[k],
                fontsize=9,
                parse_math=False,
            )
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, CORNERS[2, 1] + 0.02), xticks=[], yticks=[])
        ax.set_aspect("equal")
        ax.spines[:].set_visible(False)
        # the padding, in points, is room for the names at the corners
        ax.set_title("" if self.name is None else self.name, pad=32, parse_math=False)
        columns = 3 if sum(len(str(label)) for label in self.classes) < 40 else 1
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 4, "ncols": columns}
        legend(ax, self.lines_, title="true class", **below)
        self.ax_, self.figure_ = ax, ax.figure
        return self
