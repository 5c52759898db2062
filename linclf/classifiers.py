"""The classifiers: each names its parameters and the loss it stands for."""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from linclf._documentation import documented
from linclf._estimator import BaseLinearClassifier
from linclf.losses import LOSSES, Focal, Softmax
from linclf.losses.margin import CosFace


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
    {common parameters}

    Attributes
    ----------
    {common attributes}

    References
    ----------
    Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.

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
    }

    def __init__(
        self,
        *,
        label_smoothing=0.0,
        temperature=1.0,
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


@documented
class SVMClassifier(BaseLinearClassifier):
    """Linear support vector machine with a true multiclass hinge loss.

    With margin D, the loss of a row with scores f is

    - "weston-watkins": ``sum_{j != y} max(0, f_j - f_y + D)``,
    - "crammer-singer": ``max(0, max_{j != y} f_j - f_y + D)``,
    - "one-vs-rest": ``sum_k max(0, D - t_k f_k)``, t = +1 for the true class, else -1,

    or the same with squared terms. For two classes all three are the usual binary SVM.

    Parameters
    ----------
    multi_class : {"weston-watkins", "crammer-singer", "one-vs-rest"}, default="weston-watkins"
        The form of the loss.
    squared : bool, default=False
        Whether to square each term.
    margin : float > 0, default=1.0
        The margin D.
    {common parameters}

    Attributes
    ----------
    {common attributes}

    References
    ----------
    Weston & Watkins, "Support vector machines for multi-class pattern recognition", 1999.
    Crammer & Singer, "On the algorithmic implementation of multiclass kernel-based vector
    machines", 2001.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf import SVMClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> float(SVMClassifier(random_state=0).fit(X[:1000], y[:1000]).score(X[1000:], y[1000:])) > 0.9
    True
    """

    _parameter_constraints: dict = {
        **BaseLinearClassifier._parameter_constraints,
        "multi_class": [StrOptions({"weston-watkins", "crammer-singer", "one-vs-rest"})],
        "squared": ["boolean"],
        "margin": [LOSSES["weston-watkins"].limits["margin"]],
    }

    def __init__(
        self,
        *,
        multi_class="weston-watkins",
        squared=False,
        margin=1.0,
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
        return LOSSES["squared-" * bool(self.squared) + self.multi_class](self.margin)


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


@documented
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

    Parameters
    ----------
    margin_type : {"cosface", "arcface", "sphereface", "normface"}, default="cosface"
        The form of the margin.
    margin : float or None, default=None
        Its size. None is 0.05 for "cosface", 0.05 (radians) for "arcface", 1.05 (a factor) for
        "sphereface"; "normface" has none and takes only None.
    scale : "auto" or float > 0, default="auto"
        Factor of the cosines; "auto" is ``5 (K-1)/K * log(999 (K-1))`` for K classes.
    {common parameters}

    Attributes
    ----------
    {common attributes}
    constant_ : float
        The constant appended to each row before it is normalised; 0 without an intercept.

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

    _parameter_constraints: dict = {
        **BaseLinearClassifier._parameter_constraints,
        "margin_type": [StrOptions({"cosface", "arcface", "sphereface", "normface"})],
        "margin": [Interval(Real, 0, None, closed="left"), None],
        "scale": CosFace.limits["scale"],
    }

    def __init__(
        self,
        *,
        margin_type="cosface",
        margin=None,
        scale="auto",
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
        cls = LOSSES[self.margin_type]
        if self.margin is None:
            return cls(self.scale)
        if self.margin_type == "normface":
            raise ValueError(
                f"margin={self.margin!r} with margin_type='normface', which has no margin; use margin=None "
                "or another margin_type"
            )
        return cls(self.scale, self.margin)


@documented
class LinearClassifier(BaseLinearClassifier):
    """A linear classifier with any loss, by name or as an object.

    What a grid search over losses uses: ``{"loss": ["softmax", Focal(1.0), "weston-watkins"]}``.

    Parameters
    ----------
    loss : str or loss, default="softmax"
        A name in `linclf.losses.LOSSES`, or an object such as ``linclf.losses.Focal(gamma=1.0)``.
    {common parameters}

    Attributes
    ----------
    {common attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import Focal
    >>> X, y = load_iris(return_X_y=True)
    >>> losses = ["softmax", "crammer-singer", Focal(gamma=1.0)]
    >>> search = GridSearchCV(LinearClassifier(random_state=0), {"loss": losses}).fit(X, y)
    >>> float(search.best_score_) > 0.95
    True
    """

    _parameter_constraints: dict = {
        **BaseLinearClassifier._parameter_constraints,
        "loss": [StrOptions(set(LOSSES)), tuple],
    }

    def __init__(
        self,
        *,
        loss="softmax",
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
        return self.loss
