"""One full pass and one epoch at several shapes, with the limits and LogisticRegression's pass."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.data import generated
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import NUMBERS
from benchmarks.measure.limits import BYTES, SIZE, product, reading
from benchmarks.measure.passes import Call, call, epoch, full_pass, in_turns, sklearn_pass
from benchmarks.question import Row

PASS, EPOCH = "pass", "epoch"
MNIST = {"rows": 60_000, "features": 784, "classes": 10}
KDD = {"rows": 395_000, "features": 118, "classes": 17}
NARROW = {"rows": 1_000_000, "features": 20, "classes": 2}
HUNDRED = {"rows": 50_000, "features": 768, "classes": 100}
THOUSAND = {"rows": 20_000, "features": 768, "classes": 1_000}
OEWN = {"rows": 16_384, "features": 384, "classes": 12_369}  # a part of its 66,400 rows
SHAPES = (MNIST, KDD, NARROW, HUNDRED, THOUSAND, OEWN)
QUICK = (
    {"rows": 4_000, "features": 100, "classes": 10},
    {"rows": 20_000, "features": 20, "classes": 2},
    {"rows": 1_000, "features": 100, "classes": 100},
)
EPOCHS, LONG_EPOCHS = 5, 2  # of a fit; all but the first are timed
LONG = 1e11  # operations of an epoch above which a fit has LONG_EPOCHS


def rows(quick: bool) -> Iterator[Row]:
    for shape in QUICK if quick else SHAPES:
        for dtype in ("float32", "float64") if shape in (MNIST, QUICK[0]) else ("float32",):
            data = _data(shape, dtype)
            for part in (PASS, EPOCH):
                row = {"part": part, **shape, "dtype": dtype}
                yield attempt(row, functools.partial(_measure, part, data, quick))


def _data(shape: dict[str, int], dtype: str) -> DataSet:
    n, n_features, n_classes = shape.values()
    return generated.gaussian(n, n_features, n_classes, "", n_test=1, distance=8.0, dtype=np.dtype(dtype))


def operations(row: Row) -> float:
    """The number of operations of a pass: the scores and the gradient."""
    return 4.0 * row["rows"] * row["features"] * row["classes"]


def _measure(part: str, data: DataSet, quick: bool) -> Row:
    """Seconds and limits by the number of threads, measured in turns."""
    n, n_features = data.X.shape
    size = SIZE // 2 if quick else SIZE
    x, multiply = np.ones(BYTES // 4, np.float32), product(size, data.X.dtype)
    long = 4 * n * n_features * data.n_classes > LONG
    calls: dict[str, Call] = {}
    for k in NUMBERS:
        calls[f"ours {k}"] = (
            full_pass(data, k) if part == PASS else epoch(data, k, LONG_EPOCHS if long else EPOCHS)
        )
        calls[f"product {k}"] = call(multiply, k)
        calls[f"read {k}"] = call(reading(x, k))
        if part == PASS:
            calls[f"sklearn {k}"] = sklearn_pass(data, k)
    seconds = in_turns(calls)
    return {
        "seconds": _of(seconds, "ours"),
        "product_gflops": {k: 2 * size**3 / s / 1e9 for k, s in _of(seconds, "product").items()},
        "read_gb_s": {k: x.nbytes / s / 1e9 for k, s in _of(seconds, "read").items()},
        "seconds_sklearn": _of(seconds, "sklearn"),
    }


def _of(seconds: dict[str, float], name: str) -> dict[str, float]:
    """The values with one name, keyed by the number of threads as text, because JSON needs text keys."""
    return {key.split()[1]: value for key, value in seconds.items() if key.split()[0] == name}


class Figures(NamedTuple):
    """The figures of a row for one number of threads."""

    seconds: float
    gflops: float
    product_gflops: float
    gb_s: float  # if X is read once
    read_gb_s: float
    sklearn: float | None  # seconds of LogisticRegression's pass at its best number, up to as many
    gain: float  # over one thread

    @classmethod
    def of(cls, row: dict[str, Any], threads: str) -> "Figures":
        seconds, itemsize = row["seconds"][threads], np.dtype(row["dtype"]).itemsize
        theirs = [s for k, s in row["seconds_sklearn"].items() if int(k) <= int(threads)]
        return cls(
            seconds,
            operations(row) / seconds / 1e9,
            row["product_gflops"][threads],
            itemsize * row["rows"] * row["features"] / seconds / 1e9,
            row["read_gb_s"][threads],
            min(theirs, default=None),
            row["seconds"]["1"] / seconds,
        )

    @property
    def share(self) -> float:
        """The share of the rate of matrix products."""
        return self.gflops / self.product_gflops

    @property
    def share_of_reading(self) -> float:
        return self.gb_s / self.read_gb_s
