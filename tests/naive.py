"""Obvious NumPy twins of the computations of the package: clear rather than fast.

A loss twin gets the scores of one row, the true class, and the parameters of the loss by name. An
optimizer twin gets the weights, the gradient, the state so far (a dict) and the numbers of the step.
"""

import numpy as np
from scipy.special import logsumexp, softmax

# ---------------------------------------------------------------- losses


def one_hot(y, n_classes):
    return np.eye(n_classes)[y]


def rivals(f, y):
    return np.delete(f, y)


def signs(f, y):
    return 2 * one_hot(y, len(f)) - 1


def cross_entropy(f, y, label_smoothing, temperature):
    q = np.full(len(f), label_smoothing / (len(f) - 1))
    q[y] = 1 - label_smoothing
    return logsumexp(f / temperature) - q @ (f / temperature)


def focal(f, y, gamma):
    p = softmax(f)
    return -((1 - p[y]) ** gamma) * np.log(p[y])


def entmax(f, alpha):
    """Entmax by bisection of the threshold."""
    f = (alpha - 1) * (f - f.max())
    low, high = -1.0, 0.0
    for _ in range(100):
        tau = (low + high) / 2
        p = np.maximum(0, f - tau) ** (1 / (alpha - 1))
        low, high = (tau, high) if p.sum() > 1 else (low, tau)
    return p


def entmax_loss(f, y, alpha):
    """The Fenchel-Young loss: ``max_p p.f + H(p)`` minus the same at e_y, with Tsallis entropy H."""
    p = entmax(f, alpha)
    return p @ (f - f[y]) + (p - p**alpha).sum() / (alpha * (alpha - 1))


def sparsemax_loss(f, y):
    """The form of Martins & Astudillo."""
    f = f - f.max()
    ordered = np.sort(f)[::-1]
    sizes = np.arange(1, len(f) + 1)
    support = sizes[1 + sizes * ordered > np.cumsum(ordered)][-1]
    tau = (ordered[:support].sum() - 1) / support
    return -f[y] + 0.5 * (ordered[:support] ** 2 - tau**2).sum() + 0.5


def weston_watkins(f, y, margin):
    return np.maximum(0, rivals(f, y) - f[y] + margin).sum()


def crammer_singer(f, y, margin):
    return max(0, rivals(f, y).max() - f[y] + margin)


def one_vs_rest(f, y, margin):
    return np.maximum(0, margin - signs(f, y) * f).sum()


def one_vs_rest_logistic(f, y):
    return np.logaddexp(0, -signs(f, y) * f).sum()


def squared_weston_watkins(f, y, margin):
    return (np.maximum(0, rivals(f, y) - f[y] + margin) ** 2).sum()


def squared_crammer_singer(f, y, margin):
    return crammer_singer(f, y, margin) ** 2


def squared_one_vs_rest(f, y, margin):
    return (np.maximum(0, margin - signs(f, y) * f) ** 2).sum()


def margin_softmax(c, y, scale, true_cosine):
    return logsumexp(scale * np.append(rivals(c, y), true_cosine)) - scale * true_cosine


def arcface_cosine(theta, margin):
    return np.where(theta + margin <= np.pi, np.cos(theta + margin), np.cos(theta) + np.cos(margin) - 1)


def sphereface_cosine(theta, margin):
    k = np.floor(theta * margin / np.pi)
    return (-1) ** k * np.cos(margin * theta) - 2 * k


def normface(c, y, scale):
    return margin_softmax(c, y, scale, c[y])


def cosface(c, y, scale, margin):
    return margin_softmax(c, y, scale, c[y] - margin)


def arcface(c, y, scale, margin):
    return margin_softmax(c, y, scale, arcface_cosine(np.arccos(c[y]), margin))


def sphereface(c, y, scale, margin):
    return margin_softmax(c, y, scale, sphereface_cosine(np.arccos(c[y]), margin))


def focal_hessian(p, y, gamma):
    """Hessian of the focal loss with respect to the scores: the derivative of ``F(u) (e_y - p)``."""
    u, g = p[y], gamma
    away = one_hot(y, len(p)) - p
    factor = g * u * (1 - u) ** (g - 1) * np.log(u) - (1 - u) ** g
    slope = (g * (1 - u) ** (g - 1) - g * (g - 1) * u * (1 - u) ** (g - 2)) * np.log(u) + 2 * g * (1 - u) ** (
        g - 1
    )
    return slope * u * np.outer(away, away) - factor * (np.diag(p) - np.outer(p, p))


# ---------------------------------------------------------------- derivatives


def central_gradient(function, x, h=1e-4):
    """Gradient of a function of one array by central differences with an error of order h^4."""
    gradient = np.empty(x.shape)
    for at in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[at] = h
        near, far = function(x + e) - function(x - e), function(x + 2 * e) - function(x - 2 * e)
        gradient[at] = (8 * near - far) / (12 * h)
    return gradient


# ---------------------------------------------------------------- optimizers


def sgd(w, g, state, step, penalty):
    return (w - step * g) / (1 + step * penalty)


def momentum(w, g, state, step, penalty, beta):
    new = (w + beta * state.get("v", 0) - step * g) / (1 + step * penalty)
    state["v"] = new - w
    return new


def nesterov(w, g, state, step, penalty, beta):
    """w is the look-ahead point, where the gradient is taken; state["w"] is the current point."""
    new = (w - step * g) / (1 + step * penalty)
    state["v"] = new - state.get("w", w)
    state["w"] = new
    return new + beta * state["v"]


def adagrad(w, g, state, step, penalty, epsilon):
    s = state["s"] = state.get("s", 0) + g**2
    own = step / (np.sqrt(s) + epsilon)
    return (w - own * g) / (1 + own * penalty)


def rmsprop(w, g, state, step, penalty, rho, epsilon):
    s = state["s"] = rho * state.get("s", 0) + (1 - rho) * g**2
    own = step / (np.sqrt(s) + epsilon)
    return (w - own * g) / (1 + own * penalty)


def adam(w, g, state, step, penalty, beta1, beta2, epsilon):
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
    s = state["s"] = beta2 * state.get("s", 0) + (1 - beta2) * g**2
    own = step / (np.sqrt(s / (1 - beta2**t)) + epsilon)
    return (w - own * m / (1 - beta1**t)) / (1 + own * penalty)


# ---------------------------------------------------------------- heads and training


def linear_scores(W, X):
    return X @ W.T


def cosine_scores(W, X):
    """Zero rows and zero weights have cosine 0."""
    lengths = np.outer(np.linalg.norm(X, axis=1), np.linalg.norm(W, axis=1))
    return np.divide(X @ W.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def softmax_gradient(f, y):
    return softmax(f) - one_hot(y, len(f))


def train(optimizer, W, X, y, weights, steps, batch, penalty, row_limit=np.inf):
    """One epoch of mini-batch softmax regression; returns weights, visited weights and losses.

    ``optimizer(w, g, state, step, penalty)`` is as above. If ``step * weight * |x|^2`` of a row,
    divided by the batch size, is above row_limit, its gradient is shortened accordingly.
    """
    state, path, losses = {}, [], []
    for number, step in enumerate(steps):
        ids = range(len(X))[number * batch : (number + 1) * batch]
        G = np.zeros_like(W)
        for i in ids:
            f = W @ X[i]
            losses.append(weights[i] * (logsumexp(f) - f[y[i]]))
            reach = step * weights[i] / len(ids) * (X[i] @ X[i])
            share = weights[i] / len(ids) * min(1, row_limit / reach if reach else 1)
            G += share * np.outer(softmax_gradient(f, y[i]), X[i])
        W = optimizer(W, G, state, step, penalty)
        path.append(W)
    return W, path, np.array(losses)
