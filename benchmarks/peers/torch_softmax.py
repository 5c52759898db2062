"""Softmax regression in torch, as one writes it without a package."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.measure.best_threads import allowed_threads
from benchmarks.peers.problem import Problem, Weights

BATCH = 256
EPOCHS_TO_TUNE = 3
_steps: dict[tuple[str, str], float] = {}  # found by `tune`, by data set and optimizer


def fit(problem: Problem, budget: int, optimizer: str) -> Weights:
    """(W, b) after ``budget`` epochs of SGD or Adam, or ``budget`` iterations of L-BFGS."""
    torch.set_num_threads(allowed_threads())
    if optimizer == "LBFGS":
        return _full_batches(problem, budget)
    return _mini_batches(problem, budget, optimizer, _steps[problem.data.name, optimizer])


def tune(problem: Problem, optimizer: str) -> float:
    """Find the first step for `fit`: the best of seven after a few epochs."""
    length = float(np.mean(np.sum(np.square(problem.data.X, dtype=np.float64), axis=1)))
    steps = np.geomspace(1e-5, 1e-1, 7) if optimizer == "Adam" else np.geomspace(0.1, 100, 7) / length
    reached = {
        step: problem.objective(*_mini_batches(problem, EPOCHS_TO_TUNE, optimizer, step)) for step in steps
    }
    _steps[problem.data.name, optimizer] = float(
        min(reached, key=lambda step: np.nan_to_num(reached[step], nan=np.inf))
    )
    return _steps[problem.data.name, optimizer]


def _start(problem: Problem) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    X, y = torch.from_numpy(problem.data.X), torch.from_numpy(problem.data.y)
    W = torch.zeros(problem.data.n_classes, X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros(problem.data.n_classes, dtype=X.dtype, requires_grad=True)
    return X, y, W, b


def _loss(
    problem: Problem, X: torch.Tensor, y: torch.Tensor, W: torch.Tensor, b: torch.Tensor
) -> torch.Tensor:
    # two columns of weights share the penalty of the one row that two classes have in scikit-learn
    alpha = problem.alpha * (2 if len(b) == 2 else 1)
    return cross_entropy(X @ W.T + b, y) + alpha / 2 * W.square().sum()


def _mini_batches(problem: Problem, epochs: int, optimizer: str, step: float) -> Weights:
    X, y, W, b = _start(problem)
    extra = {"momentum": 0.9} if optimizer == "SGD" else {}
    method = getattr(torch.optim, optimizer)([W, b], lr=step, **extra)
    random = torch.Generator().manual_seed(0)
    batches = epochs * -(-len(y) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(method, lambda t: max(1 - t / batches, 0))
    for _ in range(epochs):
        for rows in torch.randperm(len(y), generator=random).split(BATCH):
            method.zero_grad()
            _loss(problem, X[rows], y[rows], W, b).backward()
            method.step()
            schedule.step()
    return _as_in_sklearn(W, b)


def _full_batches(problem: Problem, iterations: int) -> Weights:
    X, y, W, b = _start(problem)
    method = torch.optim.LBFGS(
        [W, b], max_iter=iterations, history_size=10, line_search_fn="strong_wolfe",
        tolerance_grad=0, tolerance_change=0,
    )  # fmt: skip

    def closure() -> torch.Tensor:
        method.zero_grad()
        loss = _loss(problem, X, y, W, b)
        loss.backward()
        return loss

    method.step(closure)
    return _as_in_sklearn(W, b)


def _as_in_sklearn(W: torch.Tensor, b: torch.Tensor) -> Weights:
    """One row for two classes."""
    if len(b) == 2:
        W, b = W[1:] - W[:1], b[1:] - b[:1]
    return W.detach().numpy(), b.detach().numpy()
