"""The course of training: the objective, and how well rows outside of it were classified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from linclf.display._axes import finish, legend_within, line_style, one_axes, show_all_curves
from linclf.display._estimators import name_of, path_to

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_LOSSES = {"objective": "objective", "validation_loss": "validation loss"}
_LONG, _DEEP = 50, 20  # epochs, and ratio of largest to least loss, from which an axis is logarithmic
_LEAST_SPAN = 0.1  # of the score axis: on a shorter one the noise of validation rows would look like a trend


class HistoryDisplay:
    """Objective, validation loss and validation score by epoch, from ``history_``.

    The objective is the mean loss of the training rows plus the penalty, the validation loss has no
    penalty. A dot marks the least validation loss. More than 50 epochs are shown on a logarithmic
    axis, and so are positive losses that differ more than twentyfold. The axis of the score covers at
    least 0.1.

    Use `from_estimator`.

    Parameters
    ----------
    history : dict of lists
        With "objective"; "validation_loss" and "validation_score" are drawn if they are there.
    name : str, default=None
        Title of the legend.

    Attributes
    ----------
    lines_ : dict of matplotlib Line2D
        The curves by their names in the history.
    ax_, ax_score_ : matplotlib Axes
        Axes of the losses, and of the score, whose scale is on the right; without one it is None.
    figure_ : matplotlib Figure
        The figure.

    References
    ----------
    Prechelt, "Early stopping - but when?", 1998.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from sklearn.datasets import load_digits
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.display import HistoryDisplay
    >>> clf = SoftmaxClassifier(early_stopping=True, max_iter=5, random_state=0)
    >>> clf = clf.fit(*load_digits(return_X_y=True))
    >>> display = HistoryDisplay.from_estimator(clf, ax=Figure().subplots())
    >>> list(display.lines_), len(display.lines_["objective"].get_ydata())
    (['objective', 'validation_loss', 'validation_score'], 5)
    """

    def __init__(self, history: dict[str, list[float]], *, name: str | None = None) -> None:
        if not isinstance(history, dict) or not len(history.get("objective", ())):
            shown = list(history) if isinstance(history, dict) else history
            raise ValueError(
                f"history={shown!r} has no objective: pass the history_ of a fitted linclf classifier"
            )
        self.history, self.name = history, name

    def __repr__(self) -> str:
        objective = self.history["objective"]
        about = self.name or "a fit"
        n, step = len(objective), self._step()
        steps = step if n == 1 else f"{step}s"
        return f"<HistoryDisplay of {about}: objective {objective[-1]:.4g} after {n} {steps}>"

    def _step(self) -> str:
        """What an entry of the history stands for: the exact solvers record no epochs."""
        return "iteration" if {"gradient_norm", "gap"} & set(self.history) else "epoch"

    @classmethod
    def from_estimator(cls, estimator: Any, *, name: str | None = None, ax: Axes | None = None) -> Self:
        """Draw the history of a fitted classifier.

        Parameters
        ----------
        estimator : object
            A fitted classifier of linclf, or a pipeline, search or calibrated classifier around one.
        name : str, default=None
            Title of the legend; None takes the name of the class.
        ax : matplotlib Axes, default=None
            As in `plot`.

        Returns
        -------
        display : HistoryDisplay

        Raises
        ------
        NotFittedError
            If it is not fitted.
        ValueError
            If it has no ``history_``.
        """
        path, found = path_to(estimator, "history_")
        if not found:
            raise ValueError(
                f"estimator={name_of(path[-1])} has no history_: pass a fitted classifier of linclf, such as "
                "SoftmaxClassifier().fit(X, y)"
            )
        return cls(path[-1].history_, name=name_of(path[-1]) if name is None else name).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where the losses are drawn; None makes a new figure.

        Returns
        -------
        self : HistoryDisplay
        """
        ax = one_axes(self, ax, (6.4, 4.0))
        # after partial_fit lists of validation are shorter than the others, or empty
        history = {key: np.asarray(values, float) for key, values in self.history.items() if len(values)}
        epochs = np.arange(1, len(history["objective"]) + 1)
        across = self._step()
        marker = "o" if len(epochs) == 1 else None
        self.lines_: dict[str, Line2D] = {}
        handles: list[Artist] = []
        for rank, (key, label) in enumerate(_LOSSES.items()):
            if key in history:
                (line,) = ax.plot(
                    epochs[: len(history[key])], history[key], label=label, marker=marker, **line_style(rank)
                )
                self.lines_[key] = line
                handles.append(line)
        if "validation_loss" in history and np.isfinite(history["validation_loss"]).any():
            best = int(np.nanargmin(history["validation_loss"]))
            label = f"least validation loss, at {across} {epochs[best]}"
            place = (epochs[best : best + 1], history["validation_loss"][best : best + 1])
            handles += ax.plot(*place, "o", color=line_style(1)["color"], markersize=7, label=label)
        losses = np.concatenate([history[key] for key in _LOSSES if key in history])
        losses = losses[np.isfinite(losses)]
        if losses.size and losses.min() > 0 and losses.max() > _DEEP * losses.min():
            ax.set_yscale("log")
        if len(epochs) > _LONG:
            ax.set_xscale("log")
        else:
            ax.locator_params(axis="x", integer=True)
        show_all_curves(ax)
        finish(ax, xlabel=across, ylabel="loss")
        self.ax_score_: Axes | None = None
        if "validation_score" in history:
            self.ax_score_ = right = ax.twinx()
            score = history["validation_score"]
            (line,) = right.plot(
                epochs[: len(score)], score, label="validation score", marker=marker, **line_style(2)
            )
            self.lines_["validation_score"] = line
            handles.append(line)
            right.set_ylabel("validation score (right)")
            right.spines["top"].set_visible(False)
            low, high = right.get_ylim()
            low = max(min(low, high - _LEAST_SPAN), min(low, 0.0))
            high = max(high, low + _LEAST_SPAN)
            right.set_ylim(low, high)
            right.locator_params(axis="y", nbins=4)
            # no others come beside the legend, where a score above 1 would stand
            right.set_yticks([tick for tick in right.get_yticks() if low <= tick <= high])
        legend_within(ax, handles, self.name, also=[] if self.ax_score_ is None else [self.ax_score_])
        self.ax_, self.figure_ = ax, ax.figure
        return self
