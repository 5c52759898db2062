"""Many classes in torch: the full softmax, and `AdaptiveLogSoftmaxWithLoss`, trained with Adam."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks._measure import CORES, timed

BATCH = 256
BLOCK = 1000  # rows whose log-probabilities are held at once


def measure(data, epochs, step, cutoffs=None):
    """Seconds of the fit, and scores on the test rows; the full softmax where there are no cut-offs."""
    torch.set_num_threads(CORES)
    torch.manual_seed(0)
    shape = data.X.shape[1], data.n_classes
    rank = np.arange(data.n_classes)
    if cutoffs is None:
        model = torch.nn.Linear(*shape)
    else:  # classes have to be sorted by frequency
        rank[np.argsort(-np.bincount(data.y), kind="stable")] = np.arange(data.n_classes)
        model = torch.nn.AdaptiveLogSoftmaxWithLoss(*shape, cutoffs=list(cutoffs))
    X, X_test = torch.from_numpy(data.X), torch.from_numpy(data.X_test)
    y, y_test = torch.from_numpy(rank[data.y]), torch.from_numpy(rank[data.y_test])
    seconds = timed(lambda: _train(model, X, y, epochs, step))[1]
    (found, log_p), seconds_topk, _ = timed(lambda: _tested(model, X_test, y_test))
    return {
        "seconds": seconds,
        "epochs": epochs,
        "top1": float((found[:, 0] == y_test).double().mean()),
        "top10": float((found == y_test[:, None]).any(dim=1).double().mean()),
        "log_loss": float(-log_p.double().mean()),
        "seconds_topk": seconds_topk,
        "parameters": sum(part.numel() for part in model.parameters()),
        "warnings": [],
    }


def _train(model, X, y, epochs, step):
    method = torch.optim.Adam(model.parameters(), lr=step)
    random = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(len(y), generator=random).split(BATCH):
            method.zero_grad()
            _loss(model, X[rows], y[rows]).backward()
            method.step()


def _loss(model, X, y):
    return cross_entropy(model(X), y) if isinstance(model, torch.nn.Linear) else model(X, y).loss


def _tested(model, X, y):
    """The ten best classes of each row, and the log-probability of its label."""
    best, of_label = [], []
    with torch.no_grad():
        for rows in torch.arange(len(y)).split(BLOCK):
            linear = isinstance(model, torch.nn.Linear)
            log_p = torch.log_softmax(model(X[rows]), 1) if linear else model.log_prob(X[rows])
            best.append(log_p.topk(10).indices)
            of_label.append(log_p.gather(1, y[rows, None])[:, 0])
    return torch.cat(best), torch.cat(of_label)
