"""The one-vs-rest logistic loss: an independent sigmoid for each class."""

from typing import NamedTuple

import numpy as np

from linclf._numba.simplex import exp_negative_like
from linclf._types import FloatArray
from linclf.functional import log_softmax, softmax
from linclf.losses._hessian import diagonal
from linclf.losses._registry import row_loss, soft_row_loss
from linclf.losses._sigmoid import log_sigmoid, sigmoid_bends, sigmoid_row, softplus_sum
from linclf.losses.labels import LogisticOfLabels
from linclf.losses.softmax import Softmax


class OneVsRestLogistic(NamedTuple):
    """``sum_k log(1 + exp(-t_k f_k))`` with t = +1 for the true class and -1 for the others.

    These are K binary logistic regressions, each class against the rest, as in scikit-learn's
    ``OneVsRestClassifier(LogisticRegression())``. Probabilities are the sigmoids of the scores, divided by
    their sum. For two classes that is the same as `Softmax`, and is trained as such.

    A row may have several labels or none: see the page "Several labels a row". Its probabilities are then the
    sigmoids themselves.

    References
    ----------
    Rifkin & Klautau, "In defense of one-vs-all classification", 2004.

    Examples
    --------
    >>> from linclf import LinearClassifier
    >>> from linclf.losses import OneVsRestLogistic
    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = LinearClassifier(loss=OneVsRestLogistic(), standardize=True).fit(X, y)
    >>> clf.predict_proba(X[60:62]).round(2)
    array([[0.  , 1.  , 0.  ],
           [0.  , 0.98, 0.02]])
    """

    shift_invariant = False
    attained = False

    def curvature(self, n_classes: int) -> float:
        return 0.25

    def resolved(self, n_classes: int) -> "Softmax | OneVsRestLogistic":
        return Softmax() if n_classes == 2 else self

    def of_labels(self) -> LogisticOfLabels:
        return LogisticOfLabels()

    def best_scores(self, shares: FloatArray) -> FloatArray:
        return np.log(np.maximum(shares, 1e-12)) - np.log(np.maximum(1 - shares, 1e-12))

    def probabilities(self, scores: FloatArray) -> FloatArray:
        return softmax(log_sigmoid(scores))  # sigmoids alone may all be 0

    def log_probabilities(self, scores: FloatArray) -> FloatArray:
        return log_softmax(log_sigmoid(scores))


@row_loss.register(OneVsRestLogistic)
def one_vs_rest_logistic(loss, scores, y):
    scores[y] = -scores[y]
    value = softplus_sum(scores)
    sigmoid_row(scores)
    scores[y] = -scores[y]
    return value


@soft_row_loss.register(OneVsRestLogistic)
def one_vs_rest_logistic_soft(loss, scores, q):
    one = scores.dtype.type(1.0)
    value = 0.0
    for k in range(scores.size):
        score, share = scores[k], scores.dtype.type(q[k])
        small = exp_negative_like(-abs(score))
        value += np.log1p(small) + (score * (one - share) if score >= 0.0 else -score * share)
        scores[k] = (one if score >= 0.0 else small) / (one + small) - share
    return value


@diagonal.register(OneVsRestLogistic)
def one_vs_rest_logistic_bends(loss, scores, target):
    sigmoid_bends(scores)
