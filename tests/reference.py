"""The softmax optimum by scikit-learn's Newton solver.

Its other solvers stop far from the optimum on unscaled features: in one of these tests their intercepts
were 1.5 % off on one processor, and correct on another.
"""

import numpy as np
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits


def softmax_objective(W, b, X, Y, weights, alpha):
    """F of `SoftmaxClassifier` in NumPy; Y has class probabilities. A single row of W means two classes."""
    if len(W) == 1:  # two score columns with this difference and the same penalty
        W, b, alpha = np.vstack([-W, W]) / 2, np.append(-b, b) / 2, 2 * alpha
    losses = -(Y * log_softmax(X @ W.T + b, axis=1)).sum(axis=1)
    return weights @ losses / weights.sum() + alpha / 2 * np.sum(W**2)


def logistic_regression(penalty, **parameters):
    """LogisticRegression with ``penalty/2 |W|^2`` added to the sum of the losses."""
    return LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-9, max_iter=200, **parameters)


def softmax_optimum(X, Y, weights, alpha):
    """The (W, b) that minimise F, shaped like ``coef_`` and ``intercept_``.

    A row of probabilities is a weighted copy for each class.
    """
    rows, labels = np.nonzero(Y)
    mean, copies = weights @ X / weights.sum(), weights[rows] * Y[rows, labels]
    newton = logistic_regression(alpha * weights.sum())
    with threadpool_limits(1):  # on a busy machine more BLAS threads are ten times slower
        newton.fit(X[rows] - mean, labels, sample_weight=copies)
    return newton.coef_, newton.intercept_ - newton.coef_ @ mean
