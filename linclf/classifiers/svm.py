"""The linear support vector machine."""

from sklearn.utils._param_validation import StrOptions

from linclf._estimator.declared import parameter
from linclf._estimator.several_labels import SeveralLabels
from linclf._types import Loss
from linclf.losses import LOSSES


class SVMClassifier(SeveralLabels):
    """Linear support vector machine with a true multiclass hinge loss.

    With margin D, the loss of a row with scores f is

    - "weston-watkins": ``sum_{j != y} max(0, f_j - f_y + D)``,
    - "crammer-singer": ``max(0, max_{j != y} f_j - f_y + D)``,
    - "one-vs-rest": ``sum_k max(0, D - t_k f_k)``, t = +1 for the true class, else -1,

    or the same with squared terms. For two classes all three are the usual binary SVM.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

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

    multi_class: str = parameter(
        default="weston-watkins",
        constraint=[StrOptions({"weston-watkins", "crammer-singer", "one-vs-rest"})],
        type='{"weston-watkins", "crammer-singer", "one-vs-rest"}',
        description="The form of the loss.",
    )
    squared: bool = parameter(
        default=False,
        constraint=["boolean"],
        type="bool",
        description="Whether to square each term.",
    )
    margin: float = parameter(
        default=1.0,
        constraint=[LOSSES["weston-watkins"].limits["margin"]],
        type="float > 0",
        description="The margin D.",
    )

    def _loss(self) -> Loss:
        return LOSSES["squared-" * bool(self.squared) + self.multi_class](self.margin)
