"""The tables of the question, from a stored result alone."""

from benchmarks.peers.paths import seconds_to
from benchmarks.peers.sparse_weights import METHODS
from benchmarks.question import Result, Row
from benchmarks.questions.sparse_weights import one_alpha, whole_path
from benchmarks.report.text import markdown_table, number

DISTANCES = (1e-3, 1e-4, 1e-6)


def table(result: Result) -> str:
    parts = {one_alpha.PART: _one_alpha, whole_path.PART: _path}
    return "\n\n".join(
        show([row for row in result["rows"] if row["part"] == part]) for part, show in parts.items()
    )


def _one_alpha(rows: list[Row]) -> str:
    lines = []
    for data, penalty, method in dict.fromkeys((r["data"], r["penalty"], r["method"]) for r in rows):
        case = {"data": data, "penalty": penalty, "method": method}
        own = [row for row in rows if case.items() <= row.items()]
        measured = [row for row in own if "distance" in row]
        if not measured:
            lines.append([data, penalty, method, f"absent: {own[0]['absent']}", *[""] * 5])
            continue
        last = min(measured, key=lambda row: row["distance"])
        reached = [seconds_to(own, method, distance) for distance in DISTANCES]
        cells = ["NC" if seconds is None else number(seconds) for seconds in reached]
        least = f"{last['distance']:.1e}"
        lines.append([data, penalty, method, *cells, last["threads"], least, number(last["nonzeros"])])
    differs = "; ".join(f"{name}: {one.differs}" for name, one in METHODS.items())
    return (
        f"One alpha, {one_alpha.SHARE:g} of the smallest at which all weights are zero: seconds until the "
        "distance to the optimum, (F - F*)/F*, is at most the value given, for fits with growing budgets. F* "
        f"is the lowest F of all fits. NC: not converged to that distance with any budget. {differs}. celer "
        "is not here: it has no intercept.\n\n"
        + markdown_table(
            [
                *("data", "penalty", "method", *(f"{distance:.0e}" for distance in DISTANCES)),
                *("threads", "least distance", "nonzeros"),
            ],
            lines,
        )
    )


def _path(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        name = f"{row['method']}, alpha = {row['alpha']:.2e}" if "alpha" in row else row["method"]
        if "absent" in row:
            lines.append([row["data"], name, "", f"absent: {row['absent']}", *[""] * 3])
            continue
        lines.append(
            [
                *(row["data"], name, f"{row['budget']:g}", number(row["seconds"]), row["threads"]),
                *(f"{row['distance']:.1e}", number(row.get("nonzeros"))),
            ]
        )
    return (
        f"A path of {whole_path.N_ALPHAS} alphas with the penalty l1, from the largest alpha to "
        f"{whole_path.LEAST_SHARE:g} of it. The budget is the tolerance, and the distance is the largest "
        "along the path. saga is timed at some alphas, each fit from the optimum of the alpha before, with "
        f"the fewest epochs that lead to {whole_path.TARGET:g}; its budget is their number. Nonzeros are "
        "those of the last model.\n\n"
        + markdown_table(
            ["data", "method", "budget", "seconds", "threads", "distance", "nonzeros"],
            lines,
        )
    )
