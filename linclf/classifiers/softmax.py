"""Softmax with cross-entropy, and its focal relative."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.documentation import documented
from linclf.losses import Focal, Softmax


@documented
class SoftmaxClassifier(BaseLinearClassifier):
    """Multinomial logistic regression: softmax with cross-entropy.

    Minimises ``mean(logsumexp(f/T) - q.f/T) + alpha/2 |W|^2`` with scores ``f = W x + b``. The
    target q is the label, the smoothed label, or a row of probabilities given as ``y``.

    Parameters
    ----------
    label_smoothing : float in [0, 1), default=0.0
        Probability taken from the true class and spread over the others.
    temperature : float > 0, default=1.0
        Divides the scores before the softmax, in training and in ``predict_proba``.
    logit_adjustment : float >= 0, default=0.0
        For long tails: ``logit_adjustment * log(prior)`` is added to ``f/T`` in training and not
        in prediction, with the prior the shares of the classes in the weighted rows, their labels
        smoothed (with ``class_weight="balanced"`` they are equal, and nothing changes). At 1.0 the
        predictions aim at the balanced error, and the probabilities are those under equal priors.
        As the intercepts are not penalised, the model is that of ``logit_adjustment=0.0`` with
        ``T * logit_adjustment * log(prior)`` subtracted from them. Not for ``fit_intercept=False`` or
        ``partial_fit``.
    {common parameters}

    Attributes
    ----------
    {common attributes}

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
    Menon et al., "Long-tail learning via logit adjustment", 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from linclf import SoftmaxClassifier
    >>> X, y = load_wine(return_X_y=True)  # features not scaled, and they need not be
    >>> clf = SoftmaxClassifier(random_state=0).fit(X, y)
    >>> clf.predict_proba(X[:1]).round(2)
    array([[1., 0., 0.]])
    """

    _parameter_constraints: dict = {
        **BaseLinearClassifier._parameter_constraints,
        "label_smoothing": [Softmax.limits["label_smoothing"]],
        "temperature": [Softmax.limits["temperature"]],
        "logit_adjustment": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        label_smoothing=0.0,
        temperature=1.0,
        logit_adjustment=0.0,
        alpha=1e-4,
        fit_intercept=True,
        solver="sgd",
        learning_rate="auto",
        schedule="linear",
        batch_size="auto",
        max_iter="auto",
        tol="auto",
        n_iter_no_change=5,
        early_stopping="auto",
        validation_fraction=0.1,
        calibration=None,
        average=False,
        shuffle=True,
        class_weight=None,
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self._store(locals())

    def _loss(self):
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


@documented
class FocalClassifier(BaseLinearClassifier):
    """Softmax with the focal loss ``-(1 - p_y)^gamma log p_y``.

    Rows that are already classified with confidence count less, the more so the larger gamma.

    Parameters
    ----------
    gamma : float >= 0, default=2.0
        Focusing exponent; 0 is `SoftmaxClassifier`. The objective is not convex for gamma > 0.
    {common parameters}

    Attributes
    ----------
    {common attributes}

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

    _parameter_constraints: dict = {
        **BaseLinearClassifier._parameter_constraints,
        "gamma": [Focal.limits["gamma"]],
    }

    def __init__(
        self,
        *,
        gamma=2.0,
        alpha=1e-4,
        fit_intercept=True,
        solver="sgd",
        learning_rate="auto",
        schedule="linear",
        batch_size="auto",
        max_iter="auto",
        tol="auto",
        n_iter_no_change=5,
        early_stopping="auto",
        validation_fraction=0.1,
        calibration=None,
        average=False,
        shuffle=True,
        class_weight=None,
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self._store(locals())

    def _loss(self):
        return Focal(self.gamma)
