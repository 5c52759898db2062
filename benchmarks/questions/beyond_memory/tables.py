"""The table of the page, and the notes that it needs."""

from benchmarks.question import Result, Row
from benchmarks.questions.beyond_memory.generated import N_CLASSES
from benchmarks.report.text import markdown_table, number

HEAD = ["work", "s a pass", "s in all", "a pass reads, GB", "read in all, GB", "resident, GB", "accuracy"]


def table(result: Result) -> str:
    lines = [_line(row) for row in result["rows"] if "seconds" in row or "absent" in row]
    if "text" in result["settings"]["shapes"]:
        peers = [_same_rows(result), _map(result), _chosen(result)]
    else:
        peers = [EARLIER]
    return "\n\n".join([_file(result), *peers, _cluster(result), markdown_table(HEAD, lines)])


# A result of 2026-11-30 with AVX2
EARLIER = (
    "Measured before peers read their own files: `SGDClassifier` got parts in memory, whose reading "
    "is not timed, the memory map has 320,000 x 768 and 1,000 classes, and labels are little more than noise."
)


def _file(result: Result) -> str:
    settings = result["settings"]
    n, d = settings["shapes"]["file"]
    return (
        f"A Parquet file of {n:,} rows x {d} float32 and {N_CLASSES} classes, not compressed, in row groups "
        f"of {settings['rows_of_a_group']:,} rows; linclf uses `memory={settings['memory']!r}`. Seconds are "
        f"those of a pass: for L-BFGS the median between its first {settings['passes']} iterations, for "
        "stochastic steps the mean of the epochs after the first. The files have been read before, so that "
        "the page cache holds as much of them as fits. Bytes of a pass are the bytes of the file that it "
        "reads (for `pyarrow reads` those in memory); bytes in all are the bytes that the process got from "
        "`read`. Resident memory is that of the whole process."
    )


def _same_rows(result: Result) -> str:
    settings = result["settings"]
    first = "".join(
        f" ({row['text_bytes'] / 1e9:.2f} GB, {number(row['first'])} s)"
        for row in result["rows"]
        if "text_bytes" in row
    )
    return (
        f"*Same rows*: the first {settings['shapes']['text'][0]:,} rows, {settings['epochs']} passes of each "
        "method, reading included. linclf reads Parquet one more time than it has epochs, for the classes "
        "and the spread of the columns, and shuffles rows. `SGDClassifier` gets chunks of the same Parquet "
        "file in file order. Vowpal Wabbit (`--oaa`, logistic, no holdout) reads text in its first "
        f"pass{first}, in which it writes its cache file; later passes read the cache, and its seconds are "
        "those of such a pass. The step sizes of both, and whether `SGDClassifier` averages, are the best of "
        "a few on the first 65,536 rows; linclf uses its defaults. The time to write Parquet and text does "
        "not count. Accuracy is measured on 100,000 other rows; the model that made the labels gets 78 % of "
        "them right."
    )


def _map(result: Result) -> str:
    n, d, n_classes = result["settings"]["shapes"]["map"]
    return (
        f"*Memory map*: {n:,} x {d} float32, {n_classes:,} classes, one epoch. torch trains `nn.Linear` with "
        "Adam on batches of 1,024 rows, in chunks of 32,768 rows that come in random order and are "
        "shuffled; its step size is the best of four on 131,072 rows and falls to zero, and its number of "
        "threads is the faster one. torch reads the map once, linclf twice: the seconds in all of linclf "
        "include a first pass, for the classes and the spread of the columns. Accuracy is measured on 10,000 "
        "other rows; the true centres get 83 % of them right."
    )


def _chosen(result: Result) -> str:
    """The best settings of the peers."""
    rows = [row for row in result["rows"] if "chosen" in row]
    said = [f"{row['work'].partition(': ')[2]} `{row['chosen']}`" for row in rows]
    said += [f"{row['threads']} thread(s) for torch" for row in rows if "threads" in row]
    return f"Chosen settings: {'; '.join(said)}." if said else "No settings of peers were chosen."


def _cluster(result: Result) -> str:
    n, d = result["settings"]["shapes"]["cluster"]
    return f"*Cluster*: {n:,} x {d} in eight partitions on workers with one thread each."


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
