"""The classifier that takes any loss."""

from linclf._estimator.declared import parameter
from linclf._estimator.several_labels import SeveralLabels
from linclf._types import Loss


class LinearClassifier(SeveralLabels):
    """Linear classifier with any loss, given by name or as an object.

    Useful for a grid search over losses: ``{"loss": ["softmax", Focal(1.0), "weston-watkins"]}``.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

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

    loss: str | Loss = parameter(
        default="softmax",
        constraint="no_validation",  # `loss_for` checks it, with better messages
        type="str or loss",
        description="""
        A name in `linclf.losses.LOSSES`, or an object such as ``linclf.losses.Focal(gamma=1.0)``.
        """,
    )

    def _loss(self) -> str | Loss:
        return self.loss
