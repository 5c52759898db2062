"""Rows from disk stay within their memory limit, pass after pass (Linux)."""

import ast
import os
import pathlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import linclf

PACKAGE = pathlib.Path(linclf.__file__).parent
N, D = 1_000_000, 200  # 800 MB
pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="Linux tells what a process uses in /proc"),
]

MEMORY = """
import ctypes, gc, sys, warnings
import numpy as np
from linclf import Batches, SoftmaxClassifier
warnings.simplefilter("ignore")

def status(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))

def settled():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return status("VmRSS")
"""

FIT = """
small, large, solver = sys.argv[1:]
model = SoftmaxClassifier(solver=solver, max_iter=2, tol=None if solver == "sgd" else 0.0, random_state=0)
model.fit(Batches(small))  # machine code and libraries do not count
before = settled()
model.fit(Batches(large, memory="256MiB"))
print(status("VmHWM") - before)
"""

SOAK = """
import threading
batches = Batches(sys.argv[1])
def passes(n):
    for _ in range(n):
        assert sum(block.n_rows for block in batches._blocks()) == 3000
passes(100)
before = settled()
passes(1000)
print(settled() - before)
print([thread.name for thread in threading.enumerate()])
"""


def write(path, n_rows):
    rng = np.random.default_rng(0)
    schema = pa.schema([*((f"x{j}", pa.float32()) for j in range(D)), ("y", pa.int64())])
    options = {"compression": "none", "use_dictionary": False, "data_page_size": 2**17}
    with pq.ParquetWriter(path, schema, **options) as file:
        for start in range(0, n_rows, 250_000):  # row groups of 200 MB
            n = min(250_000, n_rows - start)
            columns = [pa.array(column) for column in rng.standard_normal((D, n), dtype=np.float32)]
            file.write_table(pa.table([*columns, pa.array(np.arange(n) % 10)], schema=schema), 250_000)
    return path


def output(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", MEMORY + script, *map(str, arguments)],
        # else pyarrow's allocator keeps free memory for a while, which would be counted as rows
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), "MIMALLOC_PURGE_DELAY": "0"},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return [ast.literal_eval(line) for line in done.stdout.splitlines()]


def test_a_fit_keeps_to_its_memory(tmp_path):
    """Even if a row group is nearly as large."""
    small, large = write(tmp_path / "small.parquet", 3000), write(tmp_path / "large.parquet", N)
    for solver in ("lbfgs", "sgd"):
        (growth,) = output(FIT, small, large, solver)
        assert growth < 2**28, (solver, growth)


def test_a_thousand_passes_leave_nothing(tmp_path):
    growth, names = output(SOAK, write(tmp_path / "small.parquet", 3000))
    assert growth < 2**24
    assert names == ["MainThread"]
