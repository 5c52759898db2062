"""The table of the page."""

from benchmarks.question import Result, Row
from benchmarks.questions.beyond_memory.generated import N_CLASSES
from benchmarks.report.text import markdown_table, number

HEAD = ["work", "s a pass", "s in all", "a pass reads, GB", "read in all, GB", "resident, GB", "accuracy"]


def table(result: Result) -> str:
    shapes, settings = result["settings"]["shapes"], result["settings"]
    n, d = shapes["file"]
    n_text = shapes["text"][0]
    n_map, d_map, n_classes = shapes["map"]
    n_cluster, d_cluster = shapes["cluster"]
    lines = [_line(row) for row in result["rows"] if "seconds" in row or "absent" in row]
    return (
        f"A Parquet file of {n:,} rows x {d} float32 and {N_CLASSES} classes, not compressed, in row groups "
        f"of {settings['rows_of_a_group']:,} rows; linclf has `memory={settings['memory']!r}`. Seconds are "
        f"those of a pass: of L-BFGS the median between its first {settings['passes']} iterations, of "
        "stochastic steps the mean of the epochs after the first. The files have been read before, so that "
        "what fits into the page cache is there. Bytes of a pass are those of the file it reads, bytes in "
        "all those that the process was given by `read`, and the resident memory is all of the process.\n\n"
        f"*Same rows*: the first {n_text:,} rows, {settings['epochs']} passes of each method; seconds in all "
        "have reading in them. linclf reads Parquet once more than it has epochs, for the classes and the "
        "spread of the columns. `SGDClassifier` gets chunks of the same Parquet file in its order. Vowpal "
        "Wabbit (`--oaa`, logistic, no holdout) reads text in its first pass"
        f"{_text_bytes(result)}, and writes its cache file, which the other passes read; its seconds a pass "
        "are those from the cache. Their step sizes, and whether `SGDClassifier` averages, are the best of a "
        "few on the first 65,536 rows, tried on rows of their own; linclf has its defaults. Writing the "
        "files is not counted. Accuracy is that on 100,000 other rows, of which the model that made them "
        "gets 78 % right.\n\n"
        f"*Memory map*: {n_map:,} x {d_map} float32, {n_classes:,} classes, one epoch, which is the whole of "
        "torch's fit; linclf reads the map once before. torch trains `nn.Linear` with Adam on batches of "
        "1,024 rows, its step the best of four on 131,072 rows, falling to zero. Accuracy is that on 10,000 "
        f"other rows, of which the true centres get 84 % right.{_chosen(result)} *Cluster*: {n_cluster:,} x "
        f"{d_cluster} in eight partitions on workers with one thread each.\n\n" + markdown_table(HEAD, lines)
    )


def _line(row: Row) -> list[str]:
    work = f"{row['work']}, {row['workers']} workers" if "workers" in row else row["work"]
    if "absent" in row:
        return [work, f"absent: {row['absent']}", *[""] * (len(HEAD) - 2)]
    return [
        work,
        number(row["seconds"]),
        number(row["whole"]) if "whole" in row else "",
        *(_gb(row, name) for name in ("data_bytes", "read_bytes", "resident_bytes")),
        f"{row['accuracy']:.4f}" if "accuracy" in row else "",
    ]


def _gb(row: Row, name: str) -> str:
    return f"{row[name] / 1e9:.2f}" if name in row else ""


def _text_bytes(result: Result) -> str:
    for row in result["rows"]:
        if "text_bytes" in row:
            return f" ({row['text_bytes'] / 1e9:.2f} GB, {number(row['first'])} s)"
    return ""


def _chosen(result: Result) -> str:
    """The settings that were best."""
    said = [
        f"{row['work'].partition(': ')[2]} `{row['chosen']}`" for row in result["rows"] if "chosen" in row
    ]
    return f" Chosen were {'; '.join(said)}." if said else ""
