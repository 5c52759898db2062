"""Optima with known scores and a prior, by SciPy from losses in NumPy."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp


def table(n_classes, n=200, d=5, size=2.0):
    """Rows, labels, weights, and known scores in the shape of decision_function."""
    rng = np.random.default_rng(n_classes)
    X, y = rng.normal(size=(n, d)), np.r_[np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)]
    X[:, 0] += y
    offset = size * rng.normal(size=n if n_classes == 2 else (n, n_classes))
    return X, y, rng.uniform(0.1, 2, n), offset


def softmax(f, Y):
    """Cross-entropy of each row, and its gradient."""
    total = logsumexp(f, axis=1, keepdims=True)
    return total[:, 0] - (Y * f).sum(axis=1), np.exp(f - total) - Y


def squared_one_vs_rest(f, Y):
    """Squared hinge for each class against the others; two classes have one problem, on their difference."""
    signs = 2 * Y - 1
    if f.shape[1] == 2:
        short = np.maximum(0, 1 - signs[:, 1] * (f[:, 1] - f[:, 0]))
        slope = -2 * short * signs[:, 1]
        return short**2, np.column_stack([-slope, slope])
    short = np.maximum(0, 1 - signs * f)
    return (short**2).sum(axis=1), -2 * short * signs


LOSSES = {"softmax": softmax, "squared-one-vs-rest": squared_one_vs_rest}


def objective(theta, loss, X, Y, weights, alpha, offset, W0):
    """Mean loss plus ``alpha/2 |W - W0|^2``, and the gradient for weights and intercepts, flat."""
    K, d = W0.shape
    W, b = theta[: K * d].reshape(K, d), theta[K * d :]
    losses, G = LOSSES[loss](X @ W.T + b + offset, Y)
    G = G * (weights / weights.sum())[:, None]
    value = losses @ weights / weights.sum() + alpha / 2 * np.sum((W - W0) ** 2)
    return value, np.r_[(G.T @ X + alpha * (W - W0)).ravel(), G.sum(axis=0)]


def optimum(loss, X, y, weights, alpha, offset, W0=None):
    """The best ``coef_`` and ``intercept_``, and the objective there.

    Two classes have two scores, half of the weights each, and twice the penalty. The intercepts of a softmax
    have the mean 0.
    """
    K, d = len(np.unique(y)), X.shape[1]
    W0 = np.zeros((1 if K == 2 else K, d)) if W0 is None else W0
    if K == 2:
        W0, offset, alpha = np.vstack([-W0, W0]) / 2, np.column_stack([-offset, offset]) / 2, 2 * alpha
    arguments = loss, X, np.eye(K)[y], weights, alpha, offset, W0
    options = {"maxiter": 10_000, "ftol": 1e-16, "gtol": 1e-11}
    found = minimize(objective, np.zeros(K * d + K), arguments, "L-BFGS-B", jac=True, options=options)
    W, b = found.x[: K * d].reshape(K, d), found.x[K * d :]
    if K == 2:
        return W[1:] - W[:1], b[1:] - b[:1], found.fun
    return W, b - b.mean() * (loss == "softmax"), found.fun
