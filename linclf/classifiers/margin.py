"""Softmax on cosines with a margin."""

from numbers import Real
from typing import Literal

from sklearn.utils._param_validation import Interval, StrOptions

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import attribute, not_offered, parameter
from linclf._types import FloatArray, Loss
from linclf.losses import LOSSES, CosFace


class MarginSoftmaxClassifier(BaseLinearClassifier):
    """Softmax on scaled cosines with a margin for the true class.

    Rows and weights are normalised, so that the products are ``c_k = cos(x, w_k)``. Training minimises the
    cross-entropy of ``scale * c``, with the cosine of the true class replaced by

    - "cosface": ``c_y - margin``,
    - "arcface": ``cos(theta_y + margin)``,
    - "sphereface": ``cos(margin * theta_y)``, continued monotonically,
    - "normface": ``c_y``, no margin.

    Prediction uses no margin. With ``fit_intercept=True``, a constant feature with the length of a typical
    row is appended before the row is normalised, and its weight gives the intercept.
    ``decision_function`` is ``(X @ coef_.T + intercept_) / |[x, constant_]|``; ``coef_`` holds
    ``scale`` times the normalised weights. Features are not centred or scaled in training, as that
    would change the angles. Cosines do not depend on the length of the weights, so `alpha` changes only
    that length and, through it, the speed of training.

    With ``standardize=True``, training uses a copy of the rows, ``z = (x - mean_) / spread_``. The model
    still takes X, with ``|[z, constant_]|`` as the denominator.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    Wang et al., "NormFace", 2017. Wang et al., "CosFace", 2018. Deng et al., "ArcFace", 2019.
    Liu et al., "SphereFace", 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf import MarginSoftmaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MarginSoftmaxClassifier(margin_type="arcface", random_state=0)
    >>> float(clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:])) > 0.9
    True
    """

    penalty: str = not_offered()  # the size of the weights means nothing to cosines
    l1_ratio: float | None = not_offered()
    margin_type: str = parameter(
        default="cosface",
        constraint=[StrOptions({"cosface", "arcface", "sphereface", "normface"})],
        type='{"cosface", "arcface", "sphereface", "normface"}',
        description="The form of the margin.",
    )
    margin: float | None = parameter(
        default=None,
        constraint=[Interval(Real, 0, None, closed="left"), None],
        type="float or None",
        description="""
        Size of the margin. None means 0.05 for "cosface", 0.05 (radians) for "arcface" and 1.05 (a factor)
        for "sphereface"; "normface" has no margin and accepts only None.
        """,
    )
    scale: float | Literal["auto"] = parameter(
        default="auto",
        constraint=CosFace.limits["scale"],
        type='"auto" or float > 0',
        description='Factor of the cosines; "auto" is ``5 (K-1)/K * log(999 (K-1))`` for K classes.',
    )
    constant_: float = attribute(
        type="float",
        description="The constant appended to each row before it is normalised; 0 without an intercept.",
    )
    mean_: FloatArray = attribute(
        type="ndarray of shape (n_features,)",
        description="""
        Means of the columns; 0 for sparse columns or without an intercept. Only with ``standardize=True``.
        """,
    )
    spread_: FloatArray = attribute(
        type="ndarray of shape (n_features,)",
        description="""
        Standard deviations of the columns, or root mean squares if they are sparse; 1 for columns that do
        not vary. Only with ``standardize=True``.
        """,
    )

    def _loss(self) -> Loss:
        cls = LOSSES[self.margin_type]
        if self.margin is None:
            return cls(self.scale)
        if self.margin_type == "normface":
            raise ValueError(
                f"margin={self.margin!r} with margin_type='normface', which has no margin; use margin=None "
                "or another margin_type"
            )
        return cls(self.scale, self.margin)
