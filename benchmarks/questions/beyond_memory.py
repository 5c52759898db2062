"""How fast is a pass over rows that are not in memory, and how much memory does it take?"""

import functools
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import SGDClassifier

from benchmarks.measure.attempt import attempt
from benchmarks.measure.machine import CORES
from benchmarks.measure.process import in_process, peak_memory, settled_memory
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row, row_of
from benchmarks.report.text import markdown_table, number
from linclf import Batches, SoftmaxClassifier

N_CLASSES = 10
FILE, QUICK_FILE = (15_000_000, 100), (40_000, 20)  # rows and features of the Parquet file
WIDE, QUICK_WIDE = (320_000, 768, 1000), (4_000, 64, 20)  # and classes, of the memory map
CLUSTER, QUICK_CLUSTER = (2_000_000, 200), (20_000, 20)
GROUP = 100_000  # rows of a row group
MEMORY = "1GiB"
WHOLE = 2**31  # bytes that the process of a fit may take in all
PASSES = 6  # of a fit that is timed
AT_ONCE = 2**18  # rows that peers are given


def run(quick: bool) -> Measurements:
    shapes = [QUICK_FILE, QUICK_WIDE, QUICK_CLUSTER] if quick else [FILE, WIDE, CLUSTER]
    rows = []
    with tempfile.TemporaryDirectory(prefix="linclf-rows-") as folder:
        path = str(Path(folder) / "rows.parquet")
        made = attempt(
            {"work": "write the file"}, functools.partial(in_process, write_file, path, *shapes[0])
        )
        rows.append(made)
        for name, measure in (
            ("pyarrow reads", read_only),
            ("linclf lbfgs", fit_exactly),
            ("linclf sgd, an epoch", fit_by_steps),
            ("SGDClassifier.partial_fit, an epoch", fit_by_parts),
        ):
            rows.append(attempt({"work": name}, functools.partial(in_process, measure, path)))
    with tempfile.TemporaryDirectory(prefix="linclf-rows-") as folder:
        attempt({"work": "write the map"}, functools.partial(in_process, write_map, folder, *shapes[1]))
        one = functools.partial(in_process, fit_map, folder, *shapes[1])
        rows.append(attempt({"work": "memory map, sgd, an epoch"}, one))
    for n_workers in (1, 2):
        one = functools.partial(in_process, fit_on_workers, n_workers, *shapes[2])
        rows.append(attempt({"work": "dask lbfgs", "workers": n_workers}, one))
    names = ("file", "map", "cluster")
    return {
        "data": [{"name": "normal features, labels of a linear model with noise", "source": "generated"}],
        "settings": {
            "shapes": dict(zip(names, shapes, strict=True)),
            "memory": MEMORY,
            "rows_of_a_group": GROUP,
            "passes": PASSES,
        },
        "rows": rows,
    }


def _rows(rng: np.random.Generator, n: int, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    X = rng.standard_normal((n, W.shape[1]), dtype=np.float32)
    return X, (X @ W.T + 2 * rng.gumbel(size=(n, len(W)))).argmax(axis=1)


def _weights(n_classes: int, n_features: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.standard_normal((n_classes, n_features), dtype=np.float32) / np.float32(n_features**0.5)


def write_file(path: str, n: int, n_features: int) -> Row:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, W = np.random.default_rng(0), _weights(N_CLASSES, n_features)
    names = [f"x{j}" for j in range(n_features)]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.int8())])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
        for start in range(0, n, GROUP):
            X, y = _rows(rng, min(GROUP, n - start), W)
            columns = [pa.array(column) for column in np.ascontiguousarray(X.T)]
            file.write_table(pa.table([*columns, pa.array(y.astype(np.int8))], schema=schema), GROUP)
    return {"data_bytes": Path(path).stat().st_size}


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


def fit_exactly(path: str) -> Row:
    """A pass is the slope of the seconds of the iterations."""
    warnings.simplefilter("ignore")
    model = SoftmaxClassifier(solver="lbfgs", max_iter=PASSES, tol=0)
    model.fit(np.eye(8, dtype=np.float32), np.arange(8) % 2)  # loads machine code
    before = settled_memory()
    started = time.perf_counter()
    model.fit(Batches(path, memory=MEMORY))
    whole, spent = time.perf_counter() - started, model.history_["seconds"]
    return {
        "seconds": float(np.median(np.diff(spent))),
        "whole": whole,
        "resident_bytes": peak_memory(),
        "growth_bytes": peak_memory() - before,
        "gap": model.optimality_gap_,
    }


def fit_by_steps(path: str) -> Row:
    warnings.simplefilter("ignore")
    started = time.perf_counter()
    model = SoftmaxClassifier(solver="sgd", max_iter=2, tol=None, random_state=0)
    model.fit(Batches(path, memory=MEMORY))
    whole, spent = time.perf_counter() - started, model.history_["seconds"]
    return {
        "seconds": spent[1] - spent[0],
        "whole": whole,
        "resident_bytes": peak_memory(),
        "objective": model.history_["objective"][-1],
        "accuracy": _accuracy(model, path),
    }


def fit_by_parts(path: str) -> Row:
    """The peer's way: rows in the order of the file, one class against the rest."""
    import pyarrow.parquet as pq

    model, seconds = SGDClassifier(loss="log_loss", n_jobs=CORES, random_state=0), 0.0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(AT_ONCE):
            table = batch.to_pandas()
            X, y = table.drop(columns="y").to_numpy(), table["y"].to_numpy()
            started = time.perf_counter()
            model.partial_fit(X, y, classes=np.arange(N_CLASSES))
            seconds += time.perf_counter() - started
    return {"seconds": seconds, "accuracy": _accuracy(model, path)}


def _accuracy(model: SoftmaxClassifier | SGDClassifier, path: str) -> float:
    """On rows that are not in the file."""
    import pyarrow.parquet as pq

    n_features = pq.read_schema(path).names.index("y")
    X, y = _rows(np.random.default_rng(2), 20_000, _weights(N_CLASSES, n_features))
    if hasattr(model, "feature_names_in_"):
        del model.feature_names_in_
    return float((model.predict(X) == y).mean())


def write_map(folder: str, n: int, n_features: int, n_classes: int) -> Row:
    rng, W = np.random.default_rng(0), _weights(n_classes, n_features)
    file = np.lib.format.open_memmap(Path(folder) / "X.npy", "w+", np.float32, (n, n_features))
    labels = np.empty(n, np.int64)
    for start in range(0, n, 20_000):
        part = slice(start, min(start + 20_000, n))
        file[part], labels[part] = _rows(rng, part.stop - start, W)
    np.save(Path(folder) / "y.npy", labels)
    return {}


def fit_map(folder: str, n: int, n_features: int, n_classes: int) -> Row:
    from benchmarks.measure.limits import limits

    warnings.simplefilter("ignore")
    batches = Batches(Path(folder) / "X.npy", Path(folder) / "y.npy", memory=MEMORY)
    model = SoftmaxClassifier(solver="sgd", max_iter=2, tol=None, random_state=0).fit(batches)
    spent = model.history_["seconds"]
    flops = 4 * n * n_features * n_classes
    best = max(limits()["sgemm_gflops"].values())
    X, y = _rows(np.random.default_rng(2), 5_000, _weights(n_classes, n_features))
    return {
        "seconds": spent[1] - spent[0],
        "share": flops / (spent[1] - spent[0]) / 1e9 / best,
        "accuracy": float((model.predict(X) == y).mean()),
    }


def fit_on_workers(n_workers: int, n: int, n_features: int) -> Row:
    import dask
    from distributed import Client, LocalCluster

    import linclf.dask

    warnings.simplefilter("ignore")
    n_parts = 8

    def part(number: int) -> tuple[np.ndarray, np.ndarray]:
        return _rows(np.random.default_rng(number), n // n_parts, _weights(N_CLASSES, n_features))

    with (
        LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        both = [dask.delayed(part)(number) for number in range(n_parts)]
        Xs, ys = [one[0] for one in both], [one[1] for one in both]
        Xs, ys = dask.persist(Xs, ys)
        model = linclf.dask.SoftmaxClassifier(solver="lbfgs", max_iter=PASSES, tol=0).fit(Xs, ys)
        return {"seconds": float(np.median(np.diff(model.history_["seconds"])))}


def table(result: Result) -> str:
    shapes, settings = result["settings"]["shapes"], result["settings"]
    n, d = shapes["file"]
    lines = [
        [_work(row), f"absent: {row['absent']}", "", "", ""]
        if "absent" in row
        else [
            _work(row),
            number(row["seconds"]),
            *(_gb(row[name]) if name in row else "" for name in ("data_bytes", "resident_bytes")),
            f"{row['accuracy']:.4f}" if "accuracy" in row else "",
        ]
        for row in result["rows"]
        if "seconds" in row or "absent" in row
    ]
    return (
        f"A Parquet file of {n:,} rows x {d} float32 and {N_CLASSES} classes, not compressed, in row groups "
        f"of {settings['rows_of_a_group']:,} rows; `memory={settings['memory']!r}`. Seconds are those of a "
        f"pass: of L-BFGS the median between its first {settings['passes']} iterations, of stochastic steps "
        "the second epoch. The file has been read before, so that what fits into the page cache is there. "
        f"The resident memory is all of the process. The memory map has {shapes['map'][0]:,} rows x "
        f"{shapes['map'][1]} and {shapes['map'][2]:,} classes, the cluster {shapes['cluster'][0]:,} x "
        f"{shapes['cluster'][1]} in eight partitions on workers with one thread each. SGDClassifier is given "
        "parts in memory, whose reading is not timed.\n\n"
        + markdown_table(["work", "s", "read, GB", "resident, GB", "accuracy"], lines)
    )


def _work(row: Row) -> str:
    return f"{row['work']}, {row['workers']} workers" if "workers" in row else row["work"]


def _gb(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.2f}"


def _speed(result: Result) -> tuple[str, bool]:
    read, ours = row_of(result, work="pyarrow reads"), row_of(result, work="linclf lbfgs")
    share = read["seconds"] / ours["seconds"]
    return f"{share:.0%}: {ours['seconds']:.1f} s a pass, reading {read['seconds']:.1f} s", share >= 0.7


def _memory(result: Result) -> tuple[str, bool]:
    resident = row_of(result, work="linclf lbfgs")["resident_bytes"]
    return f"{resident / 2**30:.2f} GiB", resident <= WHOLE


def _share(result: Result) -> tuple[str, bool]:
    row = row_of(result, work="memory map, sgd, an epoch")
    return f"{row['share']:.0%} ({row['seconds']:.0f} s)", row["share"] >= 0.6


def _workers(result: Result) -> tuple[str, bool]:
    one, two = (row_of(result, work="dask lbfgs", workers=n)["seconds"] for n in (1, 2))
    return f"{one / two:.2f} times ({two:.2f} s a pass)", one / two >= 1.7


def _parts(result: Result) -> tuple[str, bool]:
    ours, theirs = (
        row_of(result, work="linclf sgd, an epoch"),
        row_of(result, work="SGDClassifier.partial_fit, an epoch"),
    )
    if not theirs["seconds"]:
        raise NotMeasured("no epoch of SGDClassifier")
    said = (
        f"1/{theirs['seconds'] / ours['seconds']:.1f} of its time, accuracy {ours['accuracy']:.4f} beside "
        f"{theirs['accuracy']:.4f}"
    )
    return said, ours["seconds"] <= theirs["seconds"] and ours["accuracy"] >= theirs["accuracy"]


MARKS = [
    Mark("a pass from Parquet", "70 % of the speed at which pyarrow reads, or of the kernel's", _speed),
    Mark("resident memory of that fit", "2 GiB", _memory),
    Mark("memory map, 1,000 classes, an epoch", "60 % of two cores' sgemm", _share),
    Mark("a pass on two workers", "1.7 times as fast as on one", _workers),
    Mark("an epoch from Parquet", "faster than SGDClassifier.partial_fit at equal accuracy", _parts),
]

QUESTION = Question("Beyond memory", __doc__, run, table, MARKS)
