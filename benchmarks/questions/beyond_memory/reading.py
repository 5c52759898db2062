"""The cost of reading: by pyarrow alone, and the bytes that a process has read."""

import time
from pathlib import Path

from benchmarks.question import Row


def read_only(path: str) -> Row:
    """Read the columns in record batches and discard them, after the file was read once."""
    import pyarrow.parquet as pq

    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        with pq.ParquetFile(path, buffer_size=2**20, pre_buffer=False) as file:
            n_read = sum(batch.nbytes for batch in file.iter_batches(2**14))
        seconds.append(time.perf_counter() - started)
    return {"seconds": min(seconds), "data_bytes": n_read}


def bytes_read() -> int:
    """Bytes this process has read so far, from disk or the page cache; memory maps do not count."""
    with open("/proc/self/io", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


def warm_cache(path: str) -> None:
    """Read a file once, so that as much of it as fits is in the page cache for every fit."""
    with Path(path).open("rb", buffering=0) as file:
        buffer = bytearray(2**24)
        while file.readinto(buffer):
            pass
