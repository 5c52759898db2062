"""Tables and pictures of many classes, computed from the result."""

from collections.abc import Callable
from typing import Any

from benchmarks.question import Result, Row
from benchmarks.questions.many_classes.fitting import FULL
from benchmarks.questions.many_classes.zipf import growth
from benchmarks.report.pictures import Lines, Picture, Scatter
from benchmarks.report.text import markdown_table, number, shortened

Facts = dict[str, dict[str, Any]]  # of the data sets, by name


def table(result: Result) -> str:
    rows, data = result["rows"], {row["name"]: row for row in result["data"]}
    sections = {
        "Embeddings": [_methods, _log_sums, _full, _predictions],
        "Time per row": [_times],
        "Perplexity": [_perplexities],
        "Memory of predicting": [_memory],
        "Sparse text and a low rank": [_low_rank],
    }
    parts = []
    for title, writers in sections.items():
        written = [writer(rows, data, result["settings"]) for writer in writers]
        parts += [f"### {title}", *(text for text in written if text)]
    warned = [row for row in rows if row.get("warnings")]
    parts += [f"{row['method']} warns: {shortened(row['warnings'])}." for row in warned]
    return "\n\n".join(parts)


def pictures(result: Result) -> dict[str, Picture]:
    times = [row for row in _of(result["rows"], "time") if "absent" not in row]
    methods = [row for row in _of(result["rows"], "methods") if "absent" not in row]
    drawn: dict[str, Picture] = {
        "many_classes_time": Lines(
            "Zipf classes: training time of a row",
            "classes",
            "microseconds",
            {
                method: sorted(
                    (row["classes"], 1e6 * row["seconds_per_row"]) for row in times if row["method"] == method
                )
                for method in dict.fromkeys(row["method"] for row in times)
            },
        )
    }
    if methods:
        drawn["many_classes"] = Scatter(
            f"{methods[0]['data']}: accuracy against seconds",
            {
                row["method"]: (row["seconds"], row["top1"], not row["method"].startswith("torch"))
                for row in methods
            },
        )
    return drawn


def _of(rows: list[Row], part: str) -> list[Row]:
    return [row for row in rows if row["part"] == part]


def _lines(rows: list[Row], names: list[str], cells: Callable[[Row], list[Any]]) -> list[list[Any]]:
    """A line for each row: its name, then its cells, or why it is absent."""
    lines = []
    for row in rows:
        named = [row[name] for name in names]
        lines.append([*named, f"absent: {row['absent']}"] if "absent" in row else [*named, *cells(row)])
    width = max((len(line) for line in lines), default=0)
    return [line + [""] * (width - len(line)) for line in lines]


def _facts(data: dict[str, Any]) -> str:
    return (
        f"{data['name']}: {data['rows']:,} training and {data['test_rows']:,} test rows, "
        f"{data['features']:,} features, {data['classes']:,} classes."
    )


def _scores(row: Row) -> list[str]:
    return [f"{row['top1']:.4f}", f"{row['top10']:.4f}", _nats(row["log_loss"])]


def _nats(value: float | None) -> str:
    return "∞" if value is None else f"{value:.3f}"


def _megabytes(n_numbers: int) -> str:
    return f"{4 * n_numbers / 1e6:,.0f}"


# ---------------------------------------------------------------- embeddings


def _methods(rows: list[Row], data: Facts, settings: dict[str, Any]) -> str:
    rows = _of(rows, "methods")
    full = next((row for row in rows if row["method"] == FULL and "absent" not in row), None)

    def cells(row: Row) -> list[Any]:
        return [
            *(f"{row['seconds']:.1f}", row["epochs"], *_scores(row)),
            f"{row['top1'] - full['top1']:+.4f}" if full else "-",
            *(_megabytes(row["parameters"]), f"{row['seconds_topk']:.2f}"),
        ]

    head = ["method", "seconds", "epochs", "top 1", "top 10", "log loss", "gap of top 1"]
    table = markdown_table([*head, "weights, MB", "seconds of top 10"], _lines(rows, ["method"], cells))
    cuts = "; ".join(f"{row['method']} {row['cutoffs']}" for row in rows if row.get("cutoffs"))
    return (
        f"{_facts(data[rows[0]['data']])} alpha = {settings['alpha']:g}, {settings['threads']} threads (the "
        "hierarchical softmax trains on one). Log loss is that of normalised probabilities, by "
        "`predict_proba_of`; top 10 is by `predict_topk`; the gap is to the full softmax. `codes` come "
        "from repeatedly halving the class means along their main direction, which is part of the time. "
        f"torch: Adam with a step of {settings['torch_step']:g} and batches of 256.\n\n{table}"
        + (f"\n\nCut-offs: {cuts}." if cuts else "")
    )


def _log_sums(rows: list[Row], data: Facts, settings: dict[str, Any]) -> str:
    return " ".join(
        f"Is {row['method']} self-normalised? The logarithm of the sum of the exponentials of its "
        f"scores would then be 0; over the test rows it has mean {row['log_sum_mean']:.2f} and standard "
        f"deviation {row['log_sum_std']:.2f}."
        for row in _of(rows, "methods")
        if "log_sum_mean" in row
    )


def _full(rows: list[Row], data: Facts, settings: dict[str, Any]) -> str:
    said = []
    for row in _of(rows, "rate") + _of(rows, "top 10"):
        if "absent" in row:
            said.append(f"{row['part']} absent: {row['absent']}.")
        elif row["part"] == "rate":
            said.append(
                f"One epoch of the full softmax takes {row['seconds']:.2f} s: 4 n (d + 1) K operations at "
                f"{row['gflops']:.1f} GFLOP/s, {row['share']:.0%} of what NumPy's product of two float32 "
                f"matrices reaches on the same number of threads ({row['sgemm_gflops']:.1f} GFLOP/s)."
            )
        else:
            said.append(
                f"`predict_topk(X, 10)` of all test rows takes {row['seconds_topk']:.2f} s, and "
                f"`X @ W.T + b` alone {row['seconds_product']:.2f} s."
            )
    return " ".join(said)


def _predictions(rows: list[Row], data: Facts, settings: dict[str, Any]) -> str:
    lines = _lines(
        _of(rows, "prediction"),
        ["method", "prediction"],
        lambda row: [f"{row['top1']:.4f}", f"{row['seconds']:.2f}"],
    )
    return markdown_table(["tree", "prediction", "top 1", "seconds"], lines) if lines else ""


# ---------------------------------------------------------------- generated classes


def _times(rows: list[Row], data: Facts, settings: dict[str, Any]) -> str:
    rows, lines, rise = _of(rows, "time"), [], None
    sizes = list(dict.fromkeys(row["classes"] for row in rows))
    for method in dict.fromkeys(row["method"] for row in rows):
        of_method = {row["classes"]: row for row in rows if row["method"] == method}
        rise = growth(of_method.values())
        cells = [_microseconds(of_method.get(size)) for size in sizes]
        lines.append([method, *cells, f"{rise.time:.1f}" if rise else "-"])
    features = data[rows[0]["data"]]["features"]
    trees = [row for row in rows if "mean_depth" in row]
    depths = ", ".join(f"{row['mean_depth']:.1f}" for row in trees)
    each = ", ".join(number(1e9 * row["seconds_per_row"] / row["mean_depth"]) for row in trees)
    after = ""
    if rise:
        after = (
            f" From the first to the last, there are {number(rise.classes)} times as many classes, and "
            f"their logarithm is {rise.logarithm:.2f} times as large. A decision costs more once the "
            "weights no longer fit into the cache."
        )
    return (
        f"The k-th class has 1/k as many rows as the first, and at least one; {features} features, a random "
        "direction for each class and noise. The times are those of one epoch divided by its rows, without "
        "the set-up of a fit; for the full softmax with the most classes, those of the second part of a "
        "stream, with few rows. A sample has 1,024 classes, or a quarter of all.\n\n"
        + markdown_table(
            ["microseconds of a row", *(f"{size:,} classes" for size in sizes), "last / first"], lines
        )
        + f"\n\nMean number of decisions per row in Huffman's tree: {depths}; nanoseconds for each: {each}."
        + after
    )


def _microseconds(row: Row | None) -> str:
    if row is None:
        return "-"
    return f"absent: {row['absent']}" if "absent" in row else number(1e6 * row["seconds_per_row"])


def _perplexities(rows: list[Row], data: Facts, settings: dict[str, Any]) -> str:
    rows = _of(rows, "perplexity")

    def cells(row: Row) -> list[Any]:
        fit = [f"{row['seconds']:.1f}", row["epochs"]] if "seconds" in row else ["-", "-"]
        return [*fit, number(row["perplexity"]), str(row.get("cutoffs", ""))]

    sizes = {name: f"{facts['rows']:,}" for name, facts in data.items() if "rows" in facts}
    rows = [
        row | {"classes": f"{row['classes']:,}", "rows": sizes[row["data"]], "noise": f"{row['noise']:g}"}
        for row in rows
    ]
    head = ["classes", "rows", "noise", "method", "seconds", "epochs", "perplexity", "cut-offs"]
    return (
        "Perplexity of held-out rows of the same kind, whose class frequencies are proportional to 1/k. "
        "Noise is in units of the length of the directions.\n\n"
        f"{markdown_table(head, _lines(rows, head[:4], cells))}"
    )


# ---------------------------------------------------------------- memory and text


def _memory(rows: list[Row], data: Facts, settings: dict[str, Any]) -> str:
    rows = _of(rows, "memory")
    keys = ("growth_bytes", "returned_bytes", "data_bytes", "scores_bytes")
    lines = _lines(rows, ["method"], lambda row: [f"{row[key] / 1e6:,.0f}" for key in keys])
    return (
        f"{rows[0]['data']}, float32; each call runs in its own process (Linux). Growth is the peak of the "
        "resident memory, less the memory resident before, which includes X; growth includes the result.\n\n"
        + markdown_table(["call", "growth, MB", "returned, MB", "X, MB", "all scores, MB"], lines)
    )


def _low_rank(rows: list[Row], data: Facts, settings: dict[str, Any]) -> str:
    rows, parts = _of(rows, "low rank"), []

    def cells(row: Row) -> list[Any]:
        return [f"{row['seconds']:.1f}", row["epochs"], *_scores(row), _megabytes(row["parameters"])]

    for name in dict.fromkeys(row["data"] for row in rows):
        lines = _lines([row for row in rows if row["data"] == name], ["method"], cells)
        full = _megabytes(data[name]["classes"] * (data[name]["features"] + 1))
        head = ["method", "seconds", "epochs", "top 1", "top 10", "log loss", "weights, MB"]
        parts.append(f"{_facts(data[name])} The full weights would take {full} MB in float32.")
        parts.append(markdown_table(head, lines))
    return "\n\n".join(parts)
