"""Many classes in torch: the full softmax, and `AdaptiveLogSoftmaxWithLoss`, trained with Adam."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.data.dataset import DataSet
from benchmarks.measure.best_threads import BestThreads, allowed_threads
from benchmarks.measure.timing import timed
from benchmarks.question import Row

BATCH = 256
BATCHES_TO_RACE = 8
BLOCK = 1000  # rows whose log-probabilities are held at once


class FullSoftmax(torch.nn.Linear):
    def loss(self, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(self(X), y)

    def log_prob(self, X: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(self(X), 1)


class AdaptiveSoftmax(torch.nn.AdaptiveLogSoftmaxWithLoss):
    def loss(self, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self(X, y).loss


def measure(data: DataSet, epochs: int, step: float, cutoffs: Sequence[int] | None = None) -> Row:
    """Seconds of the fit, and scores on the test rows; the full softmax if there are no cut-offs."""
    shape = data.X.shape[1], data.n_classes
    rank = np.arange(data.n_classes)
    if cutoffs is not None:  # classes have to be sorted by frequency
        rank[np.argsort(-np.bincount(data.y), kind="stable")] = np.arange(data.n_classes)
    X, X_test = torch.from_numpy(data.X), torch.from_numpy(data.X_test)
    y, y_test = torch.from_numpy(rank[data.y]), torch.from_numpy(rank[data.y_test])
    race, few = BestThreads(), slice(BATCHES_TO_RACE * BATCH)

    def trained(X: torch.Tensor, y: torch.Tensor, epochs: int) -> FullSoftmax | AdaptiveSoftmax:
        torch.set_num_threads(allowed_threads())
        torch.manual_seed(0)
        full = cutoffs is None
        model = FullSoftmax(*shape) if full else AdaptiveSoftmax(*shape, cutoffs=list(cutoffs))
        _train(model, X, y, epochs, step)
        return model

    for _ in range(2):  # the first call triggers what torch loads lazily
        race.timed(lambda: trained(X[few], y[few], 1))
    model, seconds, _, threads = race.timed(lambda: trained(X, y, epochs))
    torch.set_num_threads(threads)
    (best, log_p), seconds_topk, _ = timed(lambda: _best_and_log_probability(model, X_test, y_test))
    return {
        "seconds": seconds,
        "epochs": epochs,
        "threads": threads,
        "top1": float((best[:, 0] == y_test).double().mean()),
        "top10": float((best == y_test[:, None]).any(dim=1).double().mean()),
        "log_loss": float(-log_p.double().mean()),
        "seconds_topk": seconds_topk,
        "parameters": sum(part.numel() for part in model.parameters()),
        "warnings": [],
    }


def _train(
    model: FullSoftmax | AdaptiveSoftmax, X: torch.Tensor, y: torch.Tensor, epochs: int, step: float
) -> None:
    method = torch.optim.Adam(model.parameters(), lr=step)
    random = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(len(y), generator=random).split(BATCH):
            method.zero_grad()
            model.loss(X[rows], y[rows]).backward()
            method.step()


def _best_and_log_probability(
    model: FullSoftmax | AdaptiveSoftmax, X: torch.Tensor, y: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The ten best classes of each row, and the log-probability of its label."""
    best, of_label = [], []
    with torch.no_grad():
        for rows in torch.arange(len(y)).split(BLOCK):
            log_p = model.log_prob(X[rows])
            best.append(log_p.topk(10).indices)
            of_label.append(log_p.gather(1, y[rows, None])[:, 0])
    return torch.cat(best), torch.cat(of_label)
