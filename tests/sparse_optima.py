"""Optima with penalties that make weights zero, by proximal gradient steps in NumPy.

F(W, b) = weighted mean of the losses of W x + b, plus alpha (l1_ratio R(W) + (1 - l1_ratio)/2 |W|^2), where
R is the sum of absolute weights for "l1" and "elasticnet", and of the norms of the columns of W for "group".
Two classes have one row of W, as ``coef_``.

With an even number of classes, "l1" can have many optima: where half of the weights of a feature are positive
and the others negative, the softmax does not change if all of them move by the same.
"""

import numpy as np
from optima import LOSSES

PENALTIES = [("l1", 1.0), ("elasticnet", 0.4), ("group", 1.0), ("group", 0.6)]


def sparse_table(n_classes, n=150, d=12, informative=4):
    """Rows, labels and weights; few of the features say anything about the class."""
    rng = np.random.default_rng(n_classes)
    X, y = rng.normal(size=(n, d)), np.r_[np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)]
    X[:, :informative] += 1.5 * rng.normal(size=(n_classes, informative))[y]
    return X, y, rng.uniform(0.1, 2, n)


def losses_and_slopes(loss, scores, y):
    """The loss of each row, and its derivatives by the scores."""
    Y = np.eye(max(scores.shape[1], 2))[y]
    if scores.shape[1] > 1:
        return LOSSES[loss](scores, Y)
    losses, slopes = LOSSES[loss](np.column_stack([np.zeros(len(y)), scores]), Y)
    return losses, slopes[:, 1:]


def penalty_of(W, penalty, alpha, l1_ratio):
    R = np.linalg.norm(W, axis=0).sum() if penalty == "group" else np.abs(W).sum()
    return alpha * (l1_ratio * R + (1 - l1_ratio) / 2 * np.sum(W**2))


def penalised_objective(loss, W, b, X, y, weights, penalty, alpha, l1_ratio):
    losses, _ = losses_and_slopes(loss, X @ W.T + b, y)
    return weights @ losses / weights.sum() + penalty_of(W, penalty, alpha, l1_ratio)


def proximal(V, penalty, alpha, l1_ratio, step):
    """The W that minimises ``|W - V|^2 / 2 + step * penalty_of(W)``."""
    threshold = step * alpha * l1_ratio
    if penalty == "group":
        size = np.linalg.norm(V, axis=0)
        shrunk = V * np.maximum(0, 1 - threshold / np.maximum(size, 1e-300))
    else:
        shrunk = np.sign(V) * np.maximum(np.abs(V) - threshold, 0)
    return shrunk / (1 + step * alpha * (1 - l1_ratio))


def sparse_optimum(loss, X, y, weights, penalty, alpha, l1_ratio, n_steps=100_000):
    """The best W and b, and F there: accelerated proximal gradient steps, restarted when they overshoot.

    O'Donoghue & Candes (2015), "Adaptive restart for accelerated gradient schemes".
    """
    K = len(np.unique(y))
    rows = 1 if K == 2 else K
    Z, w = np.column_stack([X, np.ones(len(y))]), weights / weights.sum()
    # second derivatives by the scores: at most 1/2 for the softmax, 1/4 for two classes, 2 for hinges
    bound = {"softmax": 0.5 if rows > 1 else 0.25, "squared-one-vs-rest": 2.0}[loss]
    step = 1 / (bound * np.linalg.eigvalsh((Z.T * w) @ Z)[-1])
    theta = momentum = np.zeros((rows, Z.shape[1]))
    t = 1.0
    for _ in range(n_steps):
        _, slopes = losses_and_slopes(loss, Z @ momentum.T, y)
        moved = momentum - step * (slopes * w[:, None]).T @ Z
        moved[:, :-1] = proximal(moved[:, :-1], penalty, alpha, l1_ratio, step)
        if np.abs(moved - momentum).max() <= 1e-15:
            break
        if np.sum((momentum - moved) * (moved - theta)) > 0:
            t = 1.0
        following = (1 + np.sqrt(1 + 4 * t * t)) / 2
        momentum = moved + (t - 1) / following * (moved - theta)
        theta, t = moved, following
    else:
        raise RuntimeError("the proximal gradient steps did not converge")
    W, b = moved[:, :-1], moved[:, -1]
    return W, b, penalised_objective(loss, W, b, X, y, weights, penalty, alpha, l1_ratio)


def largest_alpha(loss, X, y, weights, penalty, l1_ratio):
    """The smallest alpha at which all weights are zero."""
    _, b, _ = sparse_optimum(loss, X, y, weights, penalty, 1e3, 1.0)
    _, slopes = losses_and_slopes(loss, np.tile(b, (len(y), 1)), y)
    G = (slopes * (weights / weights.sum())[:, None]).T @ X
    return (np.linalg.norm(G, axis=0).max() if penalty == "group" else np.abs(G).max()) / l1_ratio
