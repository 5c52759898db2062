"""Classifiers whose probabilities can be exactly 0."""

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import parameter
from linclf._types import Loss
from linclf.losses import Entmax, Sparsemax


class SparsemaxClassifier(BaseLinearClassifier):
    """Sparsemax: like softmax, but many probabilities are exactly 0.

    ``predict_proba`` is the Euclidean projection of the scores onto the simplex. The loss is
    ``-f_y + 1/2 sum_{j in S} (f_j^2 - tau^2) + 1/2``, where S is the set of classes with a probability
    above 0 and tau the threshold of the projection. It is 0 once the true class leads by 1.

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
    """alpha-entmax: between softmax and sparsemax, with some probabilities exactly 0.

    ``predict_proba`` is ``max(0, (a - 1) (f_j - tau))^(1 / (a - 1))`` with ``a = entmax_alpha`` and tau
    such that the probabilities sum to 1. The loss is the Fenchel-Young loss of Tsallis entropy.

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
        description="Tends to softmax as it tends to 1; 2 is sparsemax. (`alpha` is the L2 penalty.)",
    )

    def _loss(self) -> Loss:
        return Entmax(self.entmax_alpha)
