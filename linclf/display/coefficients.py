"""The weights of a linear classifier: images, or the words that speak for and against a class."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray, IntArray
from linclf.display._axes import COLOURS, finish, many_axes, short
from linclf.display._estimators import name_of, path_to
from linclf.display._features import (
    checked_scale,
    checked_top,
    known_names,
    names_of_features,
    row_of,
    rows_shown,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.image import AxesImage

    from linclf.display._axes import AnyAxes

_FOR, _AGAINST = COLOURS[0], COLOURS[1]
_LONGEST = 24  # characters of a feature name
_MANY = 6  # panels; more than these are smaller


class CoefficientsDisplay:
    """Coefficients of each class: an image where features are pixels, else bars of the largest.

    Images share one scale, symmetric about 0: blue speaks for a class, red against it. It ends at the 99th
    percentile, so that a few large coefficients do not make all others white. Coefficients can be
    compared between features only where these have one unit; ``feature_scale`` brings them to one. Two
    classes have one panel: what is positive speaks for the second.

    Use `from_estimator`.

    Parameters
    ----------
    coef : array-like of shape (K, d) or (1, d)
        A row for each class or label; one row for two classes.
    classes : array-like of shape (K,)
        Their labels.
    image_shape : tuple of two ints, default=None
        Height and width, where the d features are pixels in rows.
    feature_names : array-like of shape (d,), default=None
        Names of the features; None numbers them x0, x1, ...
    feature_scale : array-like of shape (d,), default=None
        What coefficients are multiplied by, such as ``X.std(axis=0)``.
    top : int >= 1 or None, default=None
        How many features of either sign are shown as bars; None takes 10, and 5 for more than 6 panels.
    shown : list of labels, default=None
        The classes to draw; None draws all.

    Attributes
    ----------
    images_ : list of matplotlib AxesImage
        The images, empty where bars are drawn.
    bars_ : list of matplotlib BarContainer
        The bars from the largest coefficient, at the top, to the least; empty for images.
    ax_ : ndarray of matplotlib Axes
        The axes of the panels.
    figure_ : matplotlib Figure
        The figure.

    References
    ----------
    Molnar, "Interpretable machine learning", 2022, chapter on logistic regression.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.display import CoefficientsDisplay
    >>> iris = load_iris(as_frame=True)
    >>> clf = SoftmaxClassifier().fit(iris.data, iris.target)
    >>> scale = iris.data.std()
    >>> display = CoefficientsDisplay(
    ...     clf.coef_, clf.classes_, feature_names=clf.feature_names_in_, feature_scale=scale, top=1
    ... )
    >>> display.largest(2)
    ['petal length (cm)', 'sepal width (cm)']
    >>> display.to_frame().round(1)
                          0    1     2
    sepal length (cm)  -0.3  1.1  -0.8
    sepal width (cm)    1.4  0.2  -1.5
    petal length (cm) -10.6 -0.9  11.5
    petal width (cm)   -2.5 -3.1   5.5
    """

    def __init__(
        self,
        coef: ArrayLike,
        classes: ArrayLike,
        *,
        image_shape: tuple[int, int] | None = None,
        feature_names: Sequence[str] | None = None,
        feature_scale: ArrayLike | None = None,
        top: int | None = None,
        shown: Sequence[Any] | None = None,
    ) -> None:
        self.coef, self.classes = np.asarray(coef, float), np.asarray(classes)
        K = len(self.classes)
        if self.coef.ndim != 2 or len(self.coef) not in ((1, 2) if K == 2 else (K,)):
            raise ValueError(
                f"coef has shape {self.coef.shape} and there are {K} classes: pass a row for each class, one "
                "row for two, such as clf.coef_ and clf.classes_"
            )
        d = self.coef.shape[1]
        self.image_shape = _image_shape(image_shape, d)
        self.feature_names = names_of_features(feature_names, d)
        self.coef = self.coef * checked_scale(feature_scale, d)
        self._kind = "coefficient per unit" if feature_scale is None else "scaled coefficient"
        every = [(row, str(label)) for row, label in enumerate(self.classes)]
        self._panels = rows_shown(self.classes, shown, len(self.coef)) or every
        self.top = checked_top((5 if len(self._panels) > _MANY else 10) if top is None else top)

    def __repr__(self) -> str:
        K, d = len(self.classes), self.coef.shape[1]
        return f"<CoefficientsDisplay: {self._kind}, {K} classes, {d} features>"

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        image_shape: tuple[int, int] | None = None,
        feature_names: Sequence[str] | None = None,
        feature_scale: ArrayLike | None = None,
        top: int | None = None,
        shown: Sequence[Any] | None = None,
        ax: AnyAxes | None = None,
    ) -> Self:
        """Draw the coefficients of a fitted classifier.

        Parameters
        ----------
        estimator : object
            A fitted linear classifier, or a pipeline, search or calibrated classifier around one.
        image_shape, feature_scale, top, shown
            As in the class.
        feature_names : array-like of shape (d,), default=None
            None takes those that the classifier or the steps before it know, else x0, x1, ...
        ax : matplotlib Axes or array of them, default=None
            As in `plot`.

        Returns
        -------
        display : CoefficientsDisplay

        Raises
        ------
        NotFittedError
            If it is not fitted.
        ValueError
            If it has no ``coef_``, or an argument does not fit to it.
        """
        path, found = path_to(estimator, "coef_")
        if not found:
            raise ValueError(
                f"estimator={name_of(path[-1])} has no coef_: pass a fitted linear classifier, such as "
                "SoftmaxClassifier().fit(X, y)"
            )
        if feature_names is None:
            feature_names = known_names(path)
        coef = path[-1].coef_
        coef = coef.toarray() if hasattr(coef, "toarray") else coef
        display = cls(
            coef,
            path[-1].classes_,
            image_shape=image_shape,
            feature_names=feature_names,
            feature_scale=feature_scale,
            top=top,
            shown=shown,
        )
        return display.plot(ax)

    def largest(self, label: Any) -> list[str]:
        """Names of the features that a panel has bars for, from the largest coefficient to the least.

        Parameters
        ----------
        label : label
            A class that is shown; of two classes, the second.

        Returns
        -------
        names : list of str

        Raises
        ------
        ValueError
            If the class has no panel.
        """
        rows = [row for row, _ in self._panels]
        row = 0 if len(self.coef) == 1 and label == self.classes[1] else row_of(self.classes, label, "label")
        if row not in rows:
            raise ValueError(f"label={label!r} is not shown: pass one of shown")
        return [str(name) for name in self.feature_names[self._order(self.coef[row])]]

    def to_frame(self) -> pd.DataFrame:
        """The coefficients, times `feature_scale`, as a table.

        Returns
        -------
        table : pandas.DataFrame of shape (d, K) or (d, 1)
            A row for each feature, a column for each class; of two classes, for the second.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as fault:
            raise ImportError('to_frame needs pandas: pip install "linclf[compare]"') from fault
        classes = self.classes[-len(self.coef) :]
        return pd.DataFrame(self.coef.T, index=self.feature_names, columns=classes)

    def plot(self, ax: AnyAxes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One for each panel, or one that is divided; None makes a new figure.

        Returns
        -------
        self : CoefficientsDisplay
        """
        bars = 2 * min(self.top, self.coef.shape[1])
        width = 3.4 if len(self._panels) <= _MANY else 2.7
        columns, size = (5, (1.7, 1.9)) if self.image_shape else (4, (width, 0.7 + 0.17 * bars))
        axes = many_axes(self, ax, len(self._panels), columns, size)
        self.images_: list[AxesImage] = []
        self.bars_: list[BarContainer] = []
        sizes = np.abs(self.coef[[row for row, _ in self._panels]])
        limit = np.percentile(sizes, 99, method="higher") or sizes.max() or 1.0
        for panel, (row, title) in zip(axes, self._panels, strict=True):
            if self.image_shape:
                image = panel.imshow(
                    self.coef[row].reshape(self.image_shape), cmap="RdBu", vmin=-limit, vmax=limit
                )
                self.images_.append(image)
                panel.set(xticks=[], yticks=[])
                panel.set_title(title, fontsize=10, parse_math=False)
            else:
                self.bars_.append(self._draw_bars(panel, self.coef[row], title))
        if self.image_shape:
            bar = axes[0].figure.colorbar(
                self.images_[0], ax=list(axes), fraction=0.03, pad=0.02, extend="both"
            )
            bar.set_label(self._kind)
        self.ax_, self.figure_ = axes, axes[0].figure
        return self

    def _draw_bars(self, panel: Axes, coef: FloatArray, title: str) -> BarContainer:
        order = self._order(coef)
        values = coef[order]
        heights = np.arange(len(order))
        colours = [_FOR if value > 0 else _AGAINST for value in values]
        drawn = panel.barh(heights, values, color=colours)
        names = [short(str(name), _LONGEST) for name in self.feature_names[order]]
        panel.set_yticks(heights, names, fontsize=8)
        for text in panel.get_yticklabels():
            text.set_parse_math(False)
        panel.invert_yaxis()
        panel.axvline(0, color="0.3", linewidth=0.8)
        finish(panel)
        panel.grid(visible=False, axis="y")
        panel.tick_params(axis="y", length=0)
        panel.tick_params(axis="x", labelsize=8)
        panel.locator_params(axis="x", nbins=5)
        panel.set_xlabel(self._kind, fontsize=8)
        panel.set_title(title, fontsize=10, parse_math=False)
        return drawn

    def _order(self, coef: FloatArray) -> IntArray:
        """The features with the largest and the least coefficients, those of 0 left out."""
        falling = np.argsort(-coef, kind="stable")
        positive, negative = falling[coef[falling] > 0], falling[coef[falling] < 0]
        return np.concatenate([positive[: self.top], negative[-self.top :]])


def _image_shape(shape: tuple[int, int] | None, d: int) -> tuple[int, int] | None:
    if shape is None:
        return None
    whole = isinstance(shape, tuple | list) and all(isinstance(side, numbers.Integral) for side in shape)
    if not whole or len(shape) != 2 or min(shape) < 1 or shape[0] * shape[1] != d:
        raise ValueError(
            f"image_shape={shape!r} does not fit {d} features: pass (height, width) with this product, or "
            "None for bars"
        )
    return shape[0], shape[1]
