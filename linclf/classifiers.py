"""The classifiers: each names its parameters and the loss it stands for."""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from linclf._estimator import BaseLinearClassifier
from linclf.losses import LOSSES, Focal, Softmax
from linclf.losses.margin import CosFace

_COMMON_PARAMETERS = """alpha : float >= 0, default=1e-4
        L2 penalty ``alpha/2 * |coef_|^2`` on the mean loss; LogisticRegression's C is
        ``1 / (alpha * n_samples)``. The intercept is not penalised.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    solver : str or optimizer, default="sgd"
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", or an object of
        `linclf.optimizers`, such as ``Adam(beta1=0.8)``.
    learning_rate : "auto" or float > 0, default="auto"
        First step size. "auto" takes it from the data, trains in centred and scaled features
        where X is dense (the model and its penalty stay in the units of X), and adds Nesterov
        momentum to plain "sgd" where one batch holds all rows and the loss is smooth. A number is
        used as it is, in the units of X, without any of that.
    schedule : {"constant", "linear", "cosine", "invscaling", "adaptive"}, default="linear"
        How the step goes on: "linear" and "cosine" fall to 0 at the last epoch, "invscaling" is
        ``t**-0.25`` after t steps, "adaptive" divides by 5 whenever the objective stalls.
    batch_size : "auto" or int >= 1, default="auto"
        Rows of a mini-batch. "auto" is all rows up to 256 of them (64 for losses with kinks, the
        hinges that are not squared), else 8 for plain "sgd" while the weights
        fit into the cache, else 64 or 256.
    max_iter : "auto" or int >= 1, default="auto"
        Passes over the data at most. "auto" is ``600_000 / n_samples``, between 5 and 1000.
    tol : float >= 0 or None, default=1e-6
        Training stops when what is watched has not fallen by this share of itself for
        `n_iter_no_change` epochs; None means never. Watched is the validation loss under early
        stopping, else the training objective; but not with mini-batches (or kinks) and a "linear"
        or "cosine" schedule, where noise hides the progress until the step has fallen, and
        training ends with the schedule.
    n_iter_no_change : int >= 1, default=5
        Patience of `tol`, in epochs.
    early_stopping : bool or "auto", default="auto"
        True watches the loss on held-out rows instead of the training objective and keeps the
        best epoch's weights; "auto" does so if ``fit`` gets an ``X_val``.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows held out, stratified by class, where ``fit`` gets no ``X_val``.
    average : bool, default=False
        Whether to publish an average of the weights over the steps (`optimizers.Averaged`).
    shuffle : bool, default=True
        Whether rows come in a new random order in each epoch.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied into the sample weights.
    warm_start : bool, default=False
        Whether ``fit`` starts from the weights of the last fit.
    n_jobs : int or None, default=None
        Threads for mini-batches of more than 4,096 rows; -1 means all cores. The result does not
        depend on it.
    random_state : int, RandomState or None, default=None
        Seed of the order of rows and of the validation split.
    verbose : int, default=0
        Whether to print a line for each epoch."""

_COMMON_ATTRIBUTES = """classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    n_iter_ : int
        Epochs made.
    history_ : dict of lists
        Per epoch: "objective" (mean loss of the rows as they were met, plus the penalty), "step",
        "seconds" since the start, and with early stopping "validation_loss" and
        "validation_score" (accuracy).
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where X has string column names."""


def _documented(cls):
    """Put the parameters and attributes that all classifiers share into a docstring."""
    cls.__doc__ = cls.__doc__.replace("{common parameters}", _COMMON_PARAMETERS).replace(
        "{common attributes}", _COMMON_ATTRIBUTES
    )
    return cls


@_documented
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
        tol=1e-6,
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
        self.label_smoothing = label_smoothing
        self.temperature = temperature
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            average=average,
            shuffle=shuffle,
            class_weight=class_weight,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )

    def _loss(self):
        return Softmax(self.label_smoothing, self.temperature)


@_documented
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
        tol=1e-6,
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
        self.multi_class = multi_class
        self.squared = squared
        self.margin = margin
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            average=average,
            shuffle=shuffle,
            class_weight=class_weight,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )

    def _loss(self):
        return LOSSES["squared-" * bool(self.squared) + self.multi_class](self.margin)


@_documented
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
        tol=1e-6,
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
        self.gamma = gamma
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            average=average,
            shuffle=shuffle,
            class_weight=class_weight,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )

    def _loss(self):
        return Focal(self.gamma)


@_documented
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
        tol=1e-6,
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
        self.margin_type = margin_type
        self.margin = margin
        self.scale = scale
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            average=average,
            shuffle=shuffle,
            class_weight=class_weight,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )

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


@_documented
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
        tol=1e-6,
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
        self.loss = loss
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            average=average,
            shuffle=shuffle,
            class_weight=class_weight,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )

    def _loss(self):
        return self.loss
