"""Classifiers whose probabilities can be exactly 0."""

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import parameter
from linclf._types import Loss
from linclf.losses import Entmax, Sparsemax


class SparsemaxClassifier(BaseLinearClassifier):
    """Sparsemax: probabilities of which many are exactly 0.

    ``predict_proba`` is the Euclidean projection of the scores on the simplex. The loss is
    ``-f_y + 1/2 sum_{j in S} (f_j^2 - tau^2) + 1/2``, with S the classes that have a probability above
    0 and tau the threshold of the projection; it is 0 once the true class leads by 1.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    Martins & Astudillo, "From softmax to sparsemax: a sparse model of attention and multi-label
    classification", 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf import SparsemaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> p = SparsemaxClassifier(alpha=0.1, random_state=0).fit(X[:1000], y[:1000]).predict_proba(X[1000:])
    >>> round(float((p > 0).sum(axis=1).mean()), 1)  # of 10 classes
    1.5
    """

    def _loss(self) -> Loss:
        return Sparsemax()


class EntmaxClassifier(BaseLinearClassifier):
    """alpha-entmax: between softmax and sparsemax, with probabilities of exactly 0.

    ``predict_proba`` is ``max(0, (a - 1) (f_j - tau))^(1 / (a - 1))`` with a = `entmax_alpha` and tau
    such that the sum is 1; the loss is the Fenchel-Young loss of Tsallis entropy.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    Peters, Niculae & Martins, "Sparse sequence-to-sequence models", 2019.
    Blondel, Martins & Niculae, "Learning with Fenchel-Young losses", 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf import EntmaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = EntmaxClassifier(entmax_alpha=1.5, random_state=0).fit(X[:1000], y[:1000])
    >>> float(clf.score(X[1000:], y[1000:])) > 0.9
    True
    """

    entmax_alpha: float = parameter(
        default=1.5,
        constraint=[Entmax.limits["alpha"]],
        type="float in (1, 2]",
        description="Towards 1 the map becomes softmax, at 2 it is sparsemax. (`alpha` is the L2 penalty.)",
    )

    def _loss(self) -> Loss:
        return Entmax(self.entmax_alpha)
