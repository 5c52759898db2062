"""Newton's method in NumPy: the optimum of small problems, found without any of the measured packages.

Steps are taken in centred and scaled features, so that the units of the columns do not matter. The penalty
stays on the weights of the original features, so that the objective is the same.
"""

import numpy as np
from scipy.linalg import LinAlgError, lstsq, solve
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from benchmarks.peers.objective import LOSSES, signs
from benchmarks.peers.problem import Weights

STEPS = 200
ENOUGH = 1e-13  # steps that promise a smaller relative decrease of the objective are not taken


@threadpool_limits.wrap(limits=1, user_api="blas")  # on a busy machine two threads are ten times slower
def newton(loss: str, X: np.ndarray, y: np.ndarray, alpha: float) -> Weights:
    """(W, b) that minimise the objective for dense X, if it is convex and its Hessian fits into memory."""
    n, n_features = X.shape
    n_classes = int(y.max()) + 1
    n_columns = 1 if n_classes == 2 else n_classes
    mean, scale = X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)
    scale[scale < 1e-12 * np.abs(mean)] = 1.0  # a constant column, up to rounding
    scale[scale == 0] = 1.0
    Z = np.column_stack([(X - mean) / scale, np.ones(n)])
    penalty = alpha * np.append(1 / scale**2, 0.0)

    def value(V: np.ndarray) -> float:
        return LOSSES[loss](Z @ V.T, y).mean() + np.sum(penalty * V**2) / 2

    V = np.zeros((n_columns, n_features + 1))
    least = value(V)
    for _ in range(STEPS):
        gradient, hessian = DERIVATIVES[loss](Z @ V.T, y)
        gradient = gradient.T @ Z / n + penalty * V
        full = np.empty((n_columns, n_features + 1, n_columns, n_features + 1))
        for j in range(n_columns):
            for k in range(j + 1):
                full[j, :, k] = Z.T @ (hessian[:, j, k, None] * Z) / n
                full[k, :, j] = full[j, :, k]
            full[j, :, j] += np.diag(penalty)
        direction = -_solve(full.reshape(V.size, V.size), gradient.ravel()).reshape(V.shape)
        promised = -np.sum(gradient * direction)
        step = 1.0
        while value(V + step * direction) > least - 1e-4 * step * promised and step > 1e-10:
            step /= 2
        if promised < ENOUGH * least or step <= 1e-10:
            break
        V = V + step * direction
        least = value(V)
    W = V[:, :-1] / scale
    return W, V[:, -1] - W @ mean


def _solve(hessian: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Newton's direction, with a ridge: adding a constant to all intercepts does not change a softmax."""
    hessian[np.diag_indices(len(hessian))] += 1e-12 * np.trace(hessian) / len(hessian)
    try:
        return solve(hessian, gradient, assume_a="pos")
    except LinAlgError:
        return lstsq(hessian, gradient)[0]


Derivatives = tuple[np.ndarray, np.ndarray]  # gradient (n, K) and Hessian (n, K, K) of each row's loss


def _softmax(scores: np.ndarray, y: np.ndarray) -> Derivatives:
    two = scores.shape[1] == 1
    P = softmax(np.column_stack([np.zeros(len(y)), scores]) if two else scores, axis=1)
    truth = y[:, None] == np.arange(P.shape[1])
    hessian = P[:, :, None] * (np.eye(P.shape[1]) - P[:, None, :])
    return (P - truth)[:, two:], hessian[:, two:, two:]


def _squared_one_vs_rest(scores: np.ndarray, y: np.ndarray) -> Derivatives:
    t = signs(scores, y)
    excess = np.maximum(0, 1 - t * scores)
    return -2 * t * excess, 2 * (excess > 0)[:, :, None] * np.eye(scores.shape[1])


def _squared_weston_watkins(scores: np.ndarray, y: np.ndarray) -> Derivatives:
    if scores.shape[1] == 1:
        return _squared_one_vs_rest(scores, y)
    rows = np.arange(len(y))
    excess = np.maximum(0, 1 + scores - scores[rows, y, None])
    excess[rows, y] = 0
    gradient, active = 2 * excess, (excess > 0).astype(float)
    gradient[rows, y] = -gradient.sum(axis=1)
    hessian = 2 * active[:, :, None] * np.eye(scores.shape[1])
    hessian[rows, y] = -2 * active
    hessian[rows, :, y] = -2 * active
    hessian[rows, y, y] = 2 * active.sum(axis=1)
    return gradient, hessian


DERIVATIVES = {
    "softmax": _softmax,
    "squared-one-vs-rest": _squared_one_vs_rest,
    "squared-weston-watkins": _squared_weston_watkins,
}
