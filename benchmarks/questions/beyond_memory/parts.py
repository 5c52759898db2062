"""The measurements, each fit in a separate process."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure.attempt import attempt
from benchmarks.measure.process import in_process
from benchmarks.question import Measurements, Row
from benchmarks.questions.beyond_memory import generated, in_linclf, on_workers, reading
from benchmarks.questions.beyond_memory.generated import GROUP
from benchmarks.questions.beyond_memory.in_linclf import MEMORY, PASSES

# rows and features, and classes of the map
SHAPES = {
    "file": (15_000_000, 100),
    "text": (500_000, 100),
    "map": (1_280_000, 768, 1000),
    "cluster": (2_000_000, 200),
}
QUICK = {"file": (40_000, 20), "text": (8_000, 20), "map": (4_000, 64, 20), "cluster": (20_000, 20)}
EPOCHS = 3  # over the rows that also exist as text


def run(quick: bool) -> Measurements:
    shapes = QUICK if quick else SHAPES
    rows = [*_one_file(*shapes["file"]), *_peers(*shapes["text"]), *_map(*shapes["map"])]
    for n_workers in (1, 2):
        rows.append(
            _row("dask lbfgs", on_workers.fit_on_workers, n_workers, *shapes["cluster"], workers=n_workers)
        )
    names = (
        "normal features, labels of a linear model with noise",
        "a normal cloud of rows around a centre for each of many classes",
    )
    return {
        "data": [{"name": name, "source": "generated"} for name in names],
        "settings": {
            "shapes": shapes,
            "memory": MEMORY,
            "rows_of_a_group": GROUP,
            "passes": PASSES,
            "epochs": EPOCHS,
        },
        "rows": rows,
    }


def _row(work: str, measure: Callable[..., Row], *arguments: Any, **named: Any) -> Row:
    return attempt({"work": work} | named, partial(in_process, measure, *arguments))


def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="linclf-rows-")


def _one_file(n: int, n_features: int) -> list[Row]:
    """A large file: the speed of a pass compared with that of reading, and its memory."""
    with _folder() as folder:
        path = str(Path(folder) / "rows.parquet")
        return [
            _row("write the file", generated.write_file, path, n, n_features),
            _row("pyarrow reads", reading.read_only, path),
            _row("linclf lbfgs", in_linclf.fit_exactly, path),
            _row("linclf sgd, an epoch", in_linclf.fit_by_steps, path, n_features, 2),
        ]


def _peers(n: int, n_features: int) -> list[Row]:
    """The same number of passes of each method over the same rows, in the format that it reads."""
    from benchmarks.questions.beyond_memory import in_sklearn, in_vowpal_wabbit

    with _folder() as folder:
        file, text = (str(Path(folder) / name) for name in ("rows.parquet", "rows.txt"))
        shape = n_features, EPOCHS
        return [
            _row("write the short file", generated.write_file, file, n, n_features),
            _row("write the text", generated.write_text, text, n, n_features),
            _row("same rows: linclf sgd", in_linclf.fit_by_steps, file, *shape),
            _row("same rows: SGDClassifier.partial_fit", in_sklearn.fit_by_parts, file, *shape),
            _row("same rows: Vowpal Wabbit", in_vowpal_wabbit.fit_by_oaa, text, *shape),
        ]


def _map(n: int, n_features: int, n_classes: int) -> list[Row]:
    with _folder() as folder:
        shape = n_features, n_classes
        return [
            _row("write the map", generated.write_map, folder, n, *shape),
            _row("memory map: linclf sgd", in_linclf.fit_map, folder, n, *shape),
            _row("memory map: torch Adam", _fit_by_adam, folder, *shape),
        ]


def _fit_by_adam(*arguments: Any) -> Row:
    """Torch is imported only where it runs."""
    from benchmarks.questions.beyond_memory.in_torch import fit_by_adam

    return fit_by_adam(*arguments)
