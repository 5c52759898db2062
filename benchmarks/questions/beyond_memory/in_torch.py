"""`torch.nn.Linear` with Adam over a memory map: chunks in a random order, shuffled in memory."""

import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.measure.best_threads import NUMBERS
from benchmarks.question import Row
from benchmarks.questions.beyond_memory.generated import (
    TEST_ROWS_OF_MAP,
    TUNE,
    TUNE_ROWS_OF_MAP,
    clouds,
    read_map,
)

BATCH = 1024  # with 256, as elsewhere, an epoch takes 1.7 times as long here
CHUNK = 2**15  # rows shuffled at once: 100 MB
SAMPLE = 2**17  # rows on which its step is chosen
TO_RACE = 8  # batches that decide the number of threads
STEPS = (1e-3, 3e-3, 1e-2, 3e-2)


def fit_by_adam(folder: str, n_features: int, n_classes: int) -> Row:
    """One epoch; the step falls linearly to zero."""
    X, y = read_map(folder)
    X.sum()  # warms the page cache
    seconds = {}
    for threads in NUMBERS:
        torch.set_num_threads(threads)
        few = slice(TO_RACE * BATCH)
        seconds[threads] = min(_trained(X[few], y[few], n_classes, STEPS[0])[1] for _ in range(2))
    threads = min(seconds, key=seconds.__getitem__)
    torch.set_num_threads(threads)
    tune = clouds(TUNE_ROWS_OF_MAP, n_features, n_classes, TUNE)
    few = slice(min(SAMPLE, len(y) // 2))
    accuracy = [_accuracy(_trained(X[few], y[few], n_classes, step)[0], *tune) for step in STEPS]
    step = STEPS[int(np.argmax(accuracy))]
    model, spent = _trained(X, y, n_classes, step)
    return {
        "seconds": spent,
        "whole": spent,
        "data_bytes": X.nbytes,
        "threads": threads,
        "chosen": step,
        "accuracy": _accuracy(model, *clouds(TEST_ROWS_OF_MAP, n_features, n_classes)),
    }


def _trained(X: np.ndarray, y: np.ndarray, n_classes: int, step: float) -> tuple[torch.nn.Linear, float]:
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    started = time.perf_counter()
    model = torch.nn.Linear(X.shape[1], n_classes)
    method = torch.optim.Adam(model.parameters(), lr=step)
    starts = np.arange(0, len(y), CHUNK)
    n_batches = sum(-(-min(CHUNK, len(y) - start) // BATCH) for start in starts)
    schedule = torch.optim.lr_scheduler.LambdaLR(method, lambda t: max(1 - t / n_batches, 0))
    for start in random.permutation(starts):
        part = slice(start, start + CHUNK)
        order = random.permutation(len(y[part]))
        chunk, labels = torch.from_numpy(X[part][order]), torch.from_numpy(y[part][order])
        for rows, wanted in zip(chunk.split(BATCH), labels.split(BATCH), strict=True):
            method.zero_grad()
            cross_entropy(model(rows), wanted).backward()
            method.step()
            schedule.step()
    return model, time.perf_counter() - started


def _accuracy(model: torch.nn.Linear, X: np.ndarray, y: np.ndarray) -> float:
    with torch.no_grad():
        return float((model(torch.from_numpy(X)).argmax(dim=1).numpy() == y).mean())
