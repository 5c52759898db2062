"""Targets for a pass, as shares of what the machine can do."""

from collections.abc import Callable

from benchmarks.question import Mark, NotMeasured, Result, row_of
from benchmarks.questions.kernel_rate.passes import (
    EPOCH,
    HUNDRED,
    KDD,
    MNIST,
    NARROW,
    OEWN,
    PASS,
    THOUSAND,
    Figures,
)

Judge = Callable[[Result], tuple[str, bool]]
READING = 0.8  # of the rate of reading memory, above which a pass need not be faster
MANY_ROWS, GAIN = 50_000, 1.8


def _found(result: Result, part: str, shape: dict[str, int], threads: str = "1") -> Figures:
    row = row_of(result, part=part, dtype="float32", **shape)
    if threads not in row["seconds"]:
        raise NotMeasured(f"no measurement with {threads} threads")
    return Figures.of(row, threads)


def _of_products(found: Figures) -> str:
    return f"{found.share:.0%} ({found.gflops:.0f} of {found.product_gflops:.0f} GFLOP/s)"


def _of_reading(found: Figures) -> str:
    return f"{found.share_of_reading:.0%} of reading ({found.gb_s:.1f} of {found.read_gb_s:.1f} GB/s)"


def _mnist(result: Result) -> tuple[str, bool]:
    found = _found(result, PASS, MNIST)
    times = found.sklearn / found.seconds if found.sklearn else 0.0
    said = f"{_of_products(found)}, {_of_reading(found)}, 1/{times:.1f} of LogisticRegression's pass"
    return said, (found.share >= 0.5 or found.share_of_reading >= READING) and times >= 2


def _pass(shape: dict[str, int], least: float) -> Judge:
    def judge(result: Result) -> tuple[str, bool]:
        found = _found(result, PASS, shape)
        return f"{_of_products(found)}, {_of_reading(found)}", found.share >= least

    return judge


def _reading(shape: dict[str, int], least: float) -> Judge:
    def judge(result: Result) -> tuple[str, bool]:
        found = _found(result, PASS, shape)
        return _of_reading(found), found.share_of_reading >= least

    return judge


def _epoch(shape: dict[str, int], least: float, threads: str) -> Judge:
    """Judge an epoch, and report a pass of the same shape with it."""

    def judge(result: Result) -> tuple[str, bool]:
        if not any("part" in row for row in result["rows"]):  # before 0.2 epochs were timed by whole fits
            old = row_of(result, solver="sgd", loss="softmax", threads=int(threads), **shape)
            said = f"{old['share']:.0%} ({old['gflops']:.0f} of {old['sgemm_gflops']:.0f} GFLOP/s)"
            return said, old["share"] >= least
        found, full = (_found(result, part, shape, threads) for part in (EPOCH, PASS))
        return f"{_of_products(found)}; a full pass {_of_products(full)}", found.share >= least

    return judge


def _gain(result: Result) -> tuple[str, bool]:
    rows = [row for row in result["rows"] if row.get("part") == PASS and row["rows"] >= MANY_ROWS]
    absent = [row["absent"] for row in rows if "absent" in row]
    if absent or not rows or any("2" not in row["seconds"] for row in rows):
        raise NotMeasured("; ".join(absent) or "no measurement with 2 threads")
    gains = {
        f"{row['features']} x {row['classes']} {row['dtype']}": Figures.of(row, "2").gain for row in rows
    }
    return ", ".join(f"{gain:.2f}x at {shape}" for shape, gain in gains.items()), min(gains.values()) >= GAIN


MARKS = [
    Mark(
        "full pass, 60,000 x 784 float32, 10 classes, one thread",
        "50 % of one core's sgemm rate, or 80 % of reading X; at most half of LogisticRegression's time",
        _mnist,
    ),
    Mark("full pass, 395,000 x 118, 17 classes, one thread", "40 % of sgemm", _pass(KDD, 0.4)),
    Mark("full pass, 1,000,000 x 20, 2 classes, one thread", "70 % of reading X", _reading(NARROW, 0.7)),
    Mark("full pass, 50,000 x 768, 100 classes, one thread", "70 % of sgemm", _pass(HUNDRED, 0.7)),
    Mark("one epoch, dense, K = 10, random order, one thread", "35 % of sgemm", _epoch(MNIST, 0.35, "1")),
    Mark("one epoch, dense, K = 1000, d = 768, two threads", "65 % of sgemm", _epoch(THOUSAND, 0.65, "2")),
    Mark("one epoch, dense, K = 12,369, d = 384, two threads", "80 % of sgemm", _epoch(OEWN, 0.8, "2")),
    Mark("full passes over 50,000 rows or more, two threads", "1.8 times as fast as one", _gain),
]
