"""What reading takes: by pyarrow alone, and the bytes that a process has asked the system for."""

import time
from pathlib import Path

from benchmarks.question import Row


def read_only(path: str) -> Row:
    """The columns, in record batches that nobody looks at, after the file was read once."""
    import pyarrow.parquet as pq

    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        with pq.ParquetFile(path, buffer_size=2**20, pre_buffer=False) as file:
            n_read = sum(batch.nbytes for batch in file.iter_batches(2**14))
        seconds.append(time.perf_counter() - started)
    return {"seconds": min(seconds), "data_bytes": n_read}


def bytes_read() -> int:
    """Bytes that this process has read so far, from disk or from the page cache; not those of memory maps."""
    with open("/proc/self/io", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


def warm_cache(path: str) -> None:
    """Read a file once, so that every fit finds in the page cache what fits there."""
    with Path(path).open("rb", buffering=0) as file:
        buffer = bytearray(2**24)
        while file.readinto(buffer):
            pass
