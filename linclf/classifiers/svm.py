"""The linear support vector machine."""

from sklearn.utils._param_validation import StrOptions

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.documentation import documented
from linclf.losses import LOSSES


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
        return LOSSES["squared-" * bool(self.squared) + self.multi_class](self.margin)
