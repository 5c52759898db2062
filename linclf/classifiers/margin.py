"""Softmax on cosines with a margin."""

from numbers import Real
from typing import Literal

from sklearn.utils._param_validation import Interval, StrOptions

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import attribute, parameter
from linclf._types import FloatArray, Loss
from linclf.losses import LOSSES, CosFace


class MarginSoftmaxClassifier(BaseLinearClassifier):
    """Softmax on scaled cosines with a margin for the true class.

    Rows and weights are normalised, ``c_k = cos(x, w_k)``, and the cross-entropy of ``scale * c``
    is minimised with the true cosine replaced by

    - "cosface": ``c_y - margin``,
    - "arcface": ``cos(theta_y + margin)``,
    - "sphereface": ``cos(margin * theta_y)``, continued monotonically,
    - "normface": ``c_y``, no margin.

    Prediction has no margin. With ``fit_intercept=True`` a constant feature, as long as a typical
    row, is appended before the row is normalised, and its weight gives the intercept.
    ``decision_function`` is ``(X @ coef_.T + intercept_) / |[x, constant_]|``; ``coef_`` holds
    ``scale`` times the normalised weights. Features are not centred or scaled in training, which
    would change the angles. The cosine does not change with the length of the weights, so that
    `alpha` acts only through that length, on the speed of training.

    ``standardize=True`` asks for such a change: rows are then ``z = (x - mean_) / spread_``, and a copy of
    them is trained on. The model remains one for X, with ``|[z, constant_]|`` under the fraction.

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
        Its size. None is 0.05 for "cosface", 0.05 (radians) for "arcface", 1.05 (a factor) for
        "sphereface"; "normface" has none and takes only None.
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
        Means of the columns, 0 for sparse ones and without an intercept. Only with ``standardize=True``.
        """,
    )
    spread_: FloatArray = attribute(
        type="ndarray of shape (n_features,)",
        description="""
        Standard deviations of the columns, of sparse ones the root mean squares; 1 for columns that do not
        vary. Only with ``standardize=True``.
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
