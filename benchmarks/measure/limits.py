"""The limits of the machine: matrix products, reading memory, and memory latency.

Rates of the kernels are shares of these limits, so that a mark means the same on any machine. They are
measured in the process that measures a question, in about two seconds.
"""

import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

import numpy as np
from numba import njit
from numpy.typing import DTypeLike
from threadpoolctl import threadpool_limits

from benchmarks.measure.machine import CORES

THREADS = (1, 2) if CORES > 1 else (1,)
SIZE = 1280  # rows of the matrices
BYTES = 2**27  # read: more than the cache
ROW = 768  # float32 of a row that is read at a random place: 3 KB
REPEATS = 3


class Limits(TypedDict):
    """Limits for one and two threads; dicts are keyed by the number as text, because JSON needs text keys."""

    sgemm_gflops: dict[str, float]
    dgemm_gflops: dict[str, float]
    read_gb_s: dict[str, float]
    random_rows_gb_s: float
    load_ns: float


@functools.cache
def limits() -> Limits:
    return {
        "sgemm_gflops": {str(n): product_rate(SIZE, n, np.float32) for n in THREADS},
        "dgemm_gflops": {str(n): product_rate(SIZE, n, np.float64) for n in THREADS},
        "read_gb_s": _reading(),
        "random_rows_gb_s": _random_rows(),
        "load_ns": _load_ns(),
    }


def product(size: int, dtype: DTypeLike) -> Callable[[], np.ndarray]:
    """NumPy's product of two square matrices, with 2 size^3 operations."""
    A = np.random.default_rng(0).random((size, size), dtype=np.float32).astype(dtype)
    return functools.partial(np.dot, A, A, np.empty_like(A))


def product_rate(size: int, threads: int, dtype: DTypeLike) -> float:
    """GFLOP/s of `product`."""
    with threadpool_limits(threads, user_api="blas"):
        return 2 * size**3 / best_seconds(product(size, dtype)) / 1e9


def best_seconds(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """The shortest of some calls after a first one, as on an undisturbed machine."""
    call()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def reading(x: np.ndarray, threads: int) -> Callable[[], float]:
    """Read an array from beginning to end; BLAS must be limited to one thread."""
    parts = np.array_split(x, threads)

    def read() -> float:
        with ThreadPoolExecutor(threads) as pool:
            return float(sum(pool.map(lambda part: part @ part, parts)))

    return read


def _reading() -> dict[str, float]:
    """GB/s with one and with two threads."""
    x = np.ones(BYTES // 4, np.float32)
    with threadpool_limits(1, user_api="blas"):
        return {str(n): x.nbytes / best_seconds(reading(x, n)) / 1e9 for n in THREADS}


def _random_rows() -> float:
    """GB/s of one thread that reads rows of 3 KB in random order."""
    X = np.ones((BYTES // (4 * ROW), ROW), np.float32)
    order = np.random.default_rng(0).permutation(len(X))
    out = np.zeros(1, np.float32)
    return X.nbytes / best_seconds(lambda: read_rows(X, order, out)) / 1e9


def _load_ns() -> float:
    """Nanoseconds of a load whose address comes from the load before it."""
    n = BYTES // 8
    order = np.random.default_rng(0).permutation(n).astype(np.int64)
    after = np.empty(n, np.int64)
    after[order] = np.roll(order, -1)  # one cycle through all of them
    steps = 500_000
    return best_seconds(lambda: _follow(after, steps)) / steps * 1e9


@njit(nogil=True, fastmath={"reassoc", "contract"})
def read_rows(X, order, out):
    """Read rows of X in this order, and do next to nothing with them."""
    for i in order:
        row, total = X[i], X.dtype.type(0)
        for j in range(row.size):
            total += row[j]
        out[0] += total


@njit(nogil=True)
def _follow(after, steps):
    at = 0
    for _ in range(steps):
        at = after[at]
    return at
