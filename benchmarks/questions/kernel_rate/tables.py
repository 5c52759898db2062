"""The tables of the question, from a stored result alone."""

from collections.abc import Iterator

from benchmarks.question import Result, Row
from benchmarks.questions.kernel_rate.passes import EPOCH, PASS, Figures
from benchmarks.report.text import markdown_table, number

SHAPE = ("rows", "features", "classes")


def table(result: Result) -> str:
    rows, parts = result["rows"], []
    passes = [row for row in rows if row.get("part") in (PASS, EPOCH)]
    if passes:
        parts += [PASSES, _passes(passes)]
    return "\n\n".join([*parts, _fits([row for row in rows if "part" not in row], result)])


PASSES = (
    "Medians of calls made in turn with products of two square matrices and with reading memory, on the same "
    "number of threads. `pass` is one evaluation of value and gradient on all rows in order, `epoch` is one "
    "epoch of SGD in random order. Operations are 4 n d K, for the scores and the gradient; GB/s is the rate "
    "of reading X once. LogisticRegression's pass is that of its lbfgs at its best number of threads, up to "
    "the number given."
)


def _passes(rows: list[Row]) -> str:
    heads = [
        *("what", "shape", "dtype", "threads", "ms", "GFLOP/s", "of products", "GB/s", "of reading"),
        *("LogisticRegression, ms", "its time / ours", "gain of threads"),
    ]
    return markdown_table(heads, [line for row in rows for line in _lines(row)])


def _lines(row: Row) -> Iterator[list[str]]:
    shape = " x ".join(f"{row[name]:,}" for name in SHAPE)
    if "absent" in row:
        yield [row["part"], shape, row["dtype"], "", f"absent: {row['absent']}", *[""] * 7]
        return
    for threads in row["seconds"]:
        found = Figures.of(row, threads)
        yield [
            *(row["part"], shape, row["dtype"], threads, number(1e3 * found.seconds)),
            *(number(found.gflops), f"{found.share:.0%}"),
            *(number(found.gb_s), f"{found.share_of_reading:.0%}"),
            number(None if found.sklearn is None else 1e3 * found.sklearn),
            number(None if found.sklearn is None else found.sklearn / found.seconds),
            "" if threads == "1" else f"{found.gain:.2f}x",
        ]


def _fits(rows: list[Row], result: Result) -> str:
    lines = [
        [*_case(row), f"absent: {row['absent']}", "", "", ""]
        if "absent" in row
        else [
            *_case(row),
            *(f"{row['seconds_per_pass']:.3f}", f"{row['gflops']:.1f}", f"{row['sgemm_gflops']:.1f}"),
            f"{row['share']:.0%}",
        ]
        for row in rows
    ]
    size = result["settings"]["sgemm_size"]
    return (
        "In whole fits, the time of a pass is the slope between a short and a long fit, which leaves out the "
        "set-up; a pass of L-BFGS is one iteration (only the first evaluation of its line search counts). "
        f"sgemm is NumPy's product of two {size} x {size} float32 matrices on the same number of "
        "threads.\n\n"
        + markdown_table(
            [*SHAPE, "loss", "solver", "threads", "seconds a pass", "GFLOP/s", "sgemm GFLOP/s", "share"],
            lines,
        )
    )


def _case(row: Row) -> list[str | int]:
    return [f"{row['rows']:,}", *(row[name] for name in ("features", "classes", "loss", "solver", "threads"))]
