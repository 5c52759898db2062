"""The classifier that takes any loss."""

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.documentation import documented


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
        "loss": "no_validation",  # `resolve` says more
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
        return self.loss
