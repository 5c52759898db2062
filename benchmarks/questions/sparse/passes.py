"""One full pass over CSR rows, compared with the time to read its bytes from memory."""

import functools
from collections.abc import Iterator

import numpy as np

from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import NUMBERS
from benchmarks.measure.limits import BYTES, reading
from benchmarks.measure.passes import Call, call, full_pass, in_turns, sklearn_pass
from benchmarks.question import Row

PART = "pass"


def rows(queries: DataSet, messages: DataSet) -> Iterator[Row]:
    halves = messages._replace(y=messages.y % 2, y_test=messages.y_test % 2)
    for data in (halves, messages, queries):
        row = {"part": PART, "data": data.name, "classes": data.n_classes}
        yield attempt(row, functools.partial(_measure, data))


def _measure(data: DataSet) -> Row:
    x = np.ones(BYTES // 4, np.float32)
    calls: dict[str, Call] = {}
    for k in NUMBERS:
        calls[f"seconds {k}"] = full_pass(data, k)
        calls[f"read {k}"] = call(reading(x, k))
        calls[f"sklearn {k}"] = sklearn_pass(data, k)
    seconds = in_turns(calls)
    return {
        "seconds": {str(k): seconds[f"seconds {k}"] for k in NUMBERS},
        "read_gb_s": {str(k): x.nbytes / seconds[f"read {k}"] / 1e9 for k in NUMBERS},
        "seconds_sklearn": {str(k): seconds[f"sklearn {k}"] for k in NUMBERS},
        **_bytes(data),
    }


def _bytes(data: DataSet) -> dict[str, int]:
    """Bytes that a pass moves: at least, and if weights and gradient were never in a cache.

    X is read once. A stored value needs the weights of its feature for all classes, and adds to the gradient
    of the feature, which is read and written.
    """
    X = data.X
    row = 3 * data.n_classes * X.data.itemsize
    of_rows = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    occurring = len(np.unique(X.indices))
    return {"bytes_least": of_rows + occurring * row, "bytes_uncached": of_rows + X.nnz * row}


def bound(row: Row, threads: str, name: str = "bytes_least") -> float:
    """Seconds of moving the bytes at the rate at which memory was read in the same turns."""
    return row[name] / row["read_gb_s"][threads] / 1e9
