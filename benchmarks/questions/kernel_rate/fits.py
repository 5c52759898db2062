"""The pass of a whole fit: the slope between a short and a long fit, also for a custom loss."""

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.data import generated
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.limits import product_rate
from benchmarks.measure.timing import pass_seconds
from benchmarks.question import Row
from linclf import LinearClassifier
from linclf.losses import row_loss

OWN = "softmax as a loss of one's own"

# (rows, features, classes, loss, solver, threads, passes of the shorter and of the longer fit)
CASES = (
    (60_000, 784, 10, "softmax", "sgd", 1, 2, 12),
    (60_000, 784, 10, OWN, "sgd", 1, 2, 12),
    (60_000, 784, 10, "softmax", "lbfgs", 1, 5, 20),
)
QUICK = ((2_000, 64, 10, "softmax", "sgd", 1, 1, 4), (2_000, 64, 10, "softmax", "lbfgs", 1, 1, 4))


class UserSoftmax(NamedTuple):
    """What a user would write: docs/losses.md, "A loss of your own"."""

    temperature: float = 1.0


@row_loss.register(UserSoftmax)
def own_softmax(loss: UserSoftmax, scores: np.ndarray, y: int) -> float:
    largest, total = scores.max(), 0.0
    target = (scores[y] - largest) / loss.temperature
    for k in range(scores.size):
        scores[k] = math.exp((scores[k] - largest) / loss.temperature)
        total += scores[k]
    for k in range(scores.size):
        scores[k] /= total * loss.temperature
    scores[y] -= 1 / loss.temperature
    return math.log(total) - target


def size_of(quick: bool) -> int:
    """The size of the matrices whose product rate is the reference."""
    return 512 if quick else 2048


def rows(quick: bool) -> Iterator[Row]:
    data = None
    for n, n_features, n_classes, loss, solver, threads, few, many in QUICK if quick else CASES:
        if data is None:
            data = generated.gaussian(n, n_features, n_classes, f"{n:,} x {n_features}, {n_classes} classes")
        row = {"rows": n, "features": n_features, "classes": n_classes, "loss": loss}
        row |= {"solver": solver, "threads": threads}
        rate = functools.partial(_rate, data, loss, solver, threads, few, many, size_of(quick))
        yield attempt(row, rate)


def _rate(data: DataSet, loss: str, solver: str, threads: int, few: int, many: int, size: int) -> Row:
    n, n_features = data.X.shape
    model = LinearClassifier(
        loss=UserSoftmax() if loss == OWN else loss,
        solver=solver,
        n_jobs=threads,
        tol=None if solver == "sgd" else 0,
        random_state=0,
    )
    product = product_rate(size, threads, np.float32)
    seconds = pass_seconds({"": model}, data.X, data.y, few, many)[""].seconds
    product = (product + product_rate(size, threads, np.float32)) / 2  # before and after: the clock varies
    rate = 4 * n * n_features * data.n_classes / seconds / 1e9
    return {"seconds_per_pass": seconds, "gflops": rate, "sgemm_gflops": product, "share": rate / product}
