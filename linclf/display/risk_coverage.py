"""What is gained by leaving out the rows that are doubted most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import BoolArray, FloatArray, MatrixLike
from linclf.display._axes import finish, legend_within, line_style, one_axes, show_all_curves
from linclf.display._estimators import name_of, response
from linclf.metrics import DOUBT_SCORES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


class RiskCoverageDisplay:
    """Error rate of the k rows with the least doubt against their share k/n, a line for each doubt.

    AURC, the area under the curve, is the mean of the error rates over k = 1, ..., n: the smaller, the
    better does the doubt find the errors. Rows of equal doubt count as in random order: each as wrong
    as they are on average. The grey line is the least possible: all errors are doubted more than the rest.

    Use `from_estimator` or `from_predictions`.

    Parameters
    ----------
    wrong : array-like of shape (n,)
        Whether a row is classified wrongly.
    doubt : dict of str to array-like of shape (n,)
        The larger, the earlier a row is left out.
    name : str, default=None
        Title of the legend.

    Attributes
    ----------
    coverage_ : ndarray of shape (n,)
        ``k / n``.
    risk_ : dict of str to ndarray of shape (n,)
        The error rates by the name of the doubt.
    aurc_ : dict of str to float
        Areas under the curves.
    least_aurc_ : float
        The least that any doubt could reach.
    lines_ : dict of matplotlib Line2D
        The curves.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.

    References
    ----------
    El-Yaniv & Wiener, "On the foundations of noise-free selective classification", 2010. Geifman, Uziel
    & El-Yaniv, "Bias-reduced uncertainty estimation for deep neural classifiers", 2019.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from linclf.display import RiskCoverageDisplay
    >>> display = RiskCoverageDisplay.from_predictions(
    ...     ["a", "b", "a", "b"], ["a", "b", "b", "b"], {"mine": [0.1, 0.2, 0.3, 0.4]}, ax=Figure().subplots()
    ... )
    >>> display.risk_["mine"].round(3)
    array([0.   , 0.   , 0.333, 0.25 ])
    >>> display
    <RiskCoverageDisplay of predictions: AURC mine 0.146 of at least 0.0625>
    """

    def __init__(self, wrong: ArrayLike, doubt: dict[str, ArrayLike], *, name: str | None = None) -> None:
        self.wrong, self.name = np.asarray(wrong, bool), name
        if self.wrong.ndim != 1 or not self.wrong.size:
            raise ValueError(f"wrong has shape {self.wrong.shape}: pass one entry a row, one at least")
        if not isinstance(doubt, dict) or not doubt:
            raise TypeError(f"doubt={doubt!r}: pass a dict of names and arrays, such as {{'mine': values}}")
        n = self.wrong.size
        self.coverage_ = np.arange(1, n + 1) / n
        self.risk_ = {key: _risk(self.wrong, _checked(key, values, n)) for key, values in doubt.items()}
        self.aurc_ = {key: float(risk.mean()) for key, risk in self.risk_.items()}
        self._least = _risk(self.wrong, self.wrong.astype(float))
        self.least_aurc_ = float(self._least.mean())

    def __repr__(self) -> str:
        areas = ", ".join(f"{key} {area:.3g}" for key, area in self.aurc_.items())
        about = self.name or "predictions"
        return f"<RiskCoverageDisplay of {about}: AURC {areas} of at least {self.least_aurc_:.3g}>"

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: MatrixLike,
        y: ArrayLike,
        *,
        doubts: Sequence[str] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the errors of ``estimator.predict(X)`` by its doubts.

        Parameters
        ----------
        estimator : object
            A fitted classifier.
        X : {array-like, sparse matrix} of shape (n, n_features)
            Rows that it was not fitted on.
        y : array-like of shape (n,)
            Their classes.
        doubts : list of str, default=None
            Names in `linclf.metrics.DOUBT_SCORES`; None draws all that the estimator has the method for,
            ``predict_proba`` or ``decision_function``, except "energy": it finds rows of unknown classes,
            and is the worst of the four at finding errors.
        name : str, default=None
            Title of the legend; None takes the name of the estimator's class.
        ax : matplotlib Axes, default=None
            As in `plot`.

        Returns
        -------
        display : RiskCoverageDisplay

        Raises
        ------
        ValueError
            If a doubt is unknown, or the estimator has not the method it needs.
        """
        if doubts is None:
            doubts = [
                key
                for key, (_, method) in DOUBT_SCORES.items()
                if key != "energy" and hasattr(estimator, method)
            ]
            if not doubts:
                raise ValueError(
                    f"estimator={name_of(estimator)} has neither predict_proba nor decision_function: pass "
                    "a classifier that has, or doubts of your own to from_predictions"
                )
        if isinstance(doubts, str):
            raise TypeError(f"doubts={doubts!r}: pass a list, such as [{doubts!r}]")
        unknown = [key for key in doubts if key not in DOUBT_SCORES]
        if unknown:
            raise ValueError(f"doubts has {unknown[0]!r}: pass names out of {list(DOUBT_SCORES)}")
        methods = {DOUBT_SCORES[key][1] for key in doubts}
        responses = {method: response(estimator, method, X) for method in methods}
        values = {key: DOUBT_SCORES[key][0](responses[DOUBT_SCORES[key][1]]) for key in doubts}
        name = name_of(estimator) if name is None else name
        return cls.from_predictions(y, response(estimator, "predict", X), values, name=name, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        doubt: dict[str, ArrayLike],
        *,
        name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the errors of predictions by doubts.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n,)
            True and predicted classes.
        doubt : dict of str to array-like of shape (n,)
            As in the class.
        name : str, default=None
            Title of the legend.
        ax : matplotlib Axes, default=None
            As in `plot`.

        Returns
        -------
        display : RiskCoverageDisplay

        Raises
        ------
        ValueError, TypeError
            If shapes do not match, or a doubt is NaN or no number.
        """
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if y_true.ndim != 1 or y_true.shape != y_pred.shape:
            raise ValueError(
                f"y_true has shape {y_true.shape} and y_pred {y_pred.shape}: pass one label a row in each"
            )
        if (y_true.dtype.kind in "US") != (y_pred.dtype.kind in "US") and "O" not in (
            y_true.dtype.kind,
            y_pred.dtype.kind,
        ):
            raise ValueError(
                f"y_true has dtype {y_true.dtype} and y_pred {y_pred.dtype}, so that none are equal: pass "
                "labels of one kind"
            )
        return cls(y_true != y_pred, doubt, name=name).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : RiskCoverageDisplay
        """
        ax = one_axes(self, ax, (5.6, 4.2))
        least = f"least possible: AURC {self.least_aurc_:.3g}"
        (bound,) = ax.plot(self.coverage_, self._least, color="0.7", linewidth=3, label=least, zorder=1)
        self.lines_: dict[str, Line2D] = {}
        for rank, (key, risk) in enumerate(self.risk_.items()):
            label = f"{key}: AURC {self.aurc_[key]:.3g}"
            (self.lines_[key],) = ax.plot(self.coverage_, risk, label=label, **line_style(rank))
        finish(ax, xlabel="share of rows kept", ylabel="error rate of rows kept")
        show_all_curves(ax)
        ax.set(xlim=(0, 1))
        ax.set_ylim(bottom=0)
        legend_within(ax, [*self.lines_.values(), bound], self.name)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _checked(name: str, values: ArrayLike, n: int) -> FloatArray:
    try:
        values = np.asarray(values, float)
    except (TypeError, ValueError):
        raise TypeError(f"doubt[{name!r}]={values!r}: pass an array of numbers") from None
    if values.shape != (n,):
        raise ValueError(f"doubt[{name!r}] has shape {values.shape}: pass one number for each of {n} rows")
    if np.isnan(values).any():
        raise ValueError(f"row {np.isnan(values).argmax()} of doubt[{name!r}] is NaN: pass a number")
    return values


def _risk(wrong: BoolArray, doubt: FloatArray) -> FloatArray:
    """Error rates of the first 1, ..., n rows in the order of doubt, ties being mixed."""
    _, level, sizes = np.unique(doubt, return_inverse=True, return_counts=True)
    rates = np.bincount(level, wrong) / sizes
    return np.cumsum(np.repeat(rates, sizes)) / np.arange(1, len(wrong) + 1)
