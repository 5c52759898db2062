"""Softmax with cross-entropy, and with the focal loss."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import parameter
from linclf._types import Loss
from linclf.losses import Focal, Softmax


class SoftmaxClassifier(BaseLinearClassifier):
    """Multinomial logistic regression: softmax with cross-entropy.

    Minimises ``mean(logsumexp(f/T) - q.f/T) + alpha/2 |W|^2`` with scores ``f = W x + b``. The
    target q is the label, the smoothed label, or a row of probabilities given as ``y``.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
    Menon et al., "Long-tail learning via logit adjustment", 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from linclf import SoftmaxClassifier
    >>> X, y = load_wine(return_X_y=True)  # columns of all scales
    >>> clf = SoftmaxClassifier(standardize=True).fit(X, y)
    >>> clf.predict_proba(X[:1]).round(2)
    array([[1., 0., 0.]])
    """

    label_smoothing: float = parameter(
        default=0.0,
        constraint=[Softmax.limits["label_smoothing"]],
        type="float in [0, 1)",
        description="Probability taken from the true class and spread over the other classes.",
    )
    temperature: float = parameter(
        default=1.0,
        constraint=[Softmax.limits["temperature"]],
        type="float > 0",
        description="Divides the scores before the softmax, in training and in ``predict_proba``.",
    )
    logit_adjustment: float = parameter(
        default=0.0,
        constraint=[Interval(Real, 0, None, closed="left")],
        type="float >= 0",
        description="""
        For long tails: ``logit_adjustment * log(prior)`` is added to ``f/T`` in training but not in
        prediction. The prior is the share of each class in the weighted rows, after label smoothing
        (with ``class_weight="balanced"`` all shares are equal, and nothing changes). At 1.0 the
        predictions aim at the balanced error, and the probabilities are those under equal priors.
        As the intercepts are not penalised, the model is that of ``logit_adjustment=0.0`` with
        ``T * logit_adjustment * log(prior)`` subtracted from them. Not available with
        ``fit_intercept=False`` or in ``partial_fit``.
        """,
    )

    def _loss(self) -> Loss:
        return Softmax(self.label_smoothing, self.temperature)

    def _adjustment(self) -> float:
        if self.logit_adjustment and not self.fit_intercept:
            raise ValueError(
                f"logit_adjustment={self.logit_adjustment!r} acts on the intercepts, and with "
                "fit_intercept=False there are none; use fit_intercept=True"
            )
        return self.logit_adjustment * self.temperature

    def _needs_all_rows(self) -> dict[str, bool]:
        return super()._needs_all_rows() | {"logit_adjustment": bool(self.logit_adjustment)}


class FocalClassifier(BaseLinearClassifier):
    """Softmax with the focal loss ``-(1 - p_y)^gamma log p_y``.

    Rows that are already classified with confidence count less, and the less the larger gamma is.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    Lin et al., "Focal loss for dense object detection", 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from linclf import FocalClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> float(FocalClassifier(random_state=0).fit(X, y).score(X, y)) > 0.95
    True
    """

    gamma: float = parameter(
        default=2.0,
        constraint=[Focal.limits["gamma"]],
        type="float >= 0",
        description="Focusing exponent; 0 is `SoftmaxClassifier`. The objective is not convex for gamma > 0.",
    )

    def _loss(self) -> Loss:
        return Focal(self.gamma)
