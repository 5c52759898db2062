"""The tables of the question, from a stored result alone."""

from collections.abc import Callable, Iterator

from benchmarks.peers.paths import seconds_to
from benchmarks.question import Result, Row
from benchmarks.questions.sparse import hashed, passes, to_optimum
from benchmarks.report.text import markdown_table, number, shortened


def table(result: Result) -> str:
    parts = {None: _fits, passes.PART: _passes, hashed.PART: _hashed, to_optimum.PART: _to_optimum}
    rows = {part: [row for row in result["rows"] if row.get("part") == part] for part in parts}
    return "\n\n".join(parts[part](found) for part, found in rows.items() if found)


def _lines(rows: list[Row], names: tuple[str, ...], width: int, cells: Callable[[Row], list]) -> list[list]:
    """A line for each row: its name, then its figures or why there are none."""
    return [[*(row[name] for name in names), *_filled(row, width, cells)] for row in rows]


def _filled(row: Row, width: int, cells: Callable[[Row], list]) -> list:
    return [f"absent: {row['absent']}", *[""] * (width - 1)] if "absent" in row else cells(row)


def _fits(rows: list[Row]) -> str:
    def cells(row: Row) -> list:
        return [
            *(number(row["seconds"]), row.get("threads", ""), f"{row['accuracy']:.4f}"),
            *(number(row.get("log_loss")), shortened(row["warnings"])),
        ]

    return (
        "LogisticRegression has the same objective; LinearSVC (C = 1) and SGDClassifier (alpha = 1e-5 on "
        "the queries, 1e-4 on the messages) are one-vs-rest hinges, with penalties that work well here.\n\n"
        + markdown_table(
            ["data", "model", "seconds", "BLAS threads", "test accuracy", "test log loss", "warnings"],
            _lines(rows, ("data", "model"), 5, cells),
        )
    )


def _passes(rows: list[Row]) -> str:
    return (
        "One evaluation of value and gradient. The bound is the time to read its bytes from memory at "
        "the rate measured in the same turns: values, indices and row starts once, and the weights "
        "and the gradient of each feature that occurs, the gradient twice. `uncached` is the same if each "
        "stored value had to fetch weights and gradient again. LogisticRegression's pass is at its best "
        "number of threads, up to the number given.\n\n"
        + markdown_table(
            [
                *("data", "classes", "threads", "ms", "bound, ms", "bound / time", "uncached, ms"),
                *("LogisticRegression, ms", "its time / ours"),
            ],
            [line for row in rows for line in _pass_lines(row)],
        )
    )


def _pass_lines(row: Row) -> Iterator[list]:
    if "absent" in row:
        yield [row["data"], row["classes"], "", f"absent: {row['absent']}", *[""] * 5]
        return
    for threads, seconds in row["seconds"].items():
        least = passes.bound(row, threads)
        theirs = min(s for k, s in row["seconds_sklearn"].items() if int(k) <= int(threads))
        yield [
            *(row["data"], row["classes"], threads, number(1e3 * seconds), number(1e3 * least)),
            *(f"{least / seconds:.0%}", number(1e3 * passes.bound(row, threads, "bytes_uncached"))),
            *(number(1e3 * theirs), number(theirs / seconds)),
        ]


def _hashed(rows: list[Row]) -> str:
    def cells(row: Row) -> list:
        return [
            *(number(row["seconds"]), row.get("threads", ""), f"{row['distance']:.1e}"),
            *(f"{row['accuracy']:.4f}", shortened(row["warnings"])),
        ]

    return (
        f"{rows[0]['data']}: few rows, and most columns do not occur. Distance is the relative distance of "
        "the objective from the lowest of these fits.\n\n"
        + markdown_table(
            ["model", "seconds", "BLAS threads", "distance", "test accuracy", "warnings"],
            _lines(rows, ("model",), 5, cells),
        )
    )


def _to_optimum(rows: list[Row]) -> str:
    lines = []
    for data, method in dict.fromkeys((row["data"], row["method"]) for row in rows):
        own = [row for row in rows if (row["data"], row["method"]) == (data, method)]
        measured = [row for row in own if "distance" in row]
        if not measured:
            lines.append([data, method, f"absent: {own[0]['absent']}", "", "", "", ""])
            continue
        last = min(measured, key=lambda row: row["distance"])
        reached = [seconds_to(own, method, distance) for distance in (1e-2, 1e-3, 1e-4)]
        cells = ["NC" if seconds is None else number(seconds) for seconds in reached]
        lines.append([data, method, *cells, last["threads"], f"{last['distance']:.1e}"])
    return (
        "Seconds until the distance to the optimum, (F - F*)/F*, is at most the value given, for fits with "
        "growing budgets of iterations or epochs; F* is the lowest F of all these fits and of a long run. "
        "NC: not converged to that distance with any budget.\n\n"
        + markdown_table(["data", "method", "1e-2", "1e-3", "1e-4", "threads", "least distance"], lines)
    )
