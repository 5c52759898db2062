"""Evaluate a model on a file with labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from linclf._command.inputs import FileRows, Unseen, columns_of_model, matched, target_column
from linclf._command.judged import Judged, judged
from linclf._command.progress import RowProgress
from linclf._sources.batches import n_bytes_of
from linclf._tables.files import check_target, ending_of, open_table
from linclf._tables.labels import check_labels, labels_from_text
from linclf._tables.numbers import Decimal
from linclf._tables.reading import is_of_arrays, read_table

BLOCK = 20_000  # rows that are predicted at once


class Evaluated(NamedTuple):
    judged: Judged
    lines: list[str]


def evaluate_file(
    model: Any,
    path: str,
    target: str | None = None,
    memory: str = "2GiB",
    given: Mapping[str, str] | None = None,
    decimal: Decimal | None = None,
) -> Evaluated:
    """Predict all rows of a file, and measure.

    Raises
    ------
    ValueError
        If the columns do not match the model, or the labels have another type than its classes.
    """
    room = n_bytes_of(memory)
    columns = columns_of_model(model)
    if is_of_arrays(path):
        X, y, lines = read_table(path, target)
        check_width(model, X.shape[1], path)
        _, _, y = check_labels(y)
        blocks = ((X[at : at + BLOCK], y[at : at + BLOCK]) for at in range(0, len(y), BLOCK))
        return Evaluated(judged(model, blocks, room, path), [f"{Path(path).name}: {lines[0]}"])
    if columns is None:
        raise ValueError(f"{path} has named columns, and the model was fitted with an array of numbers")
    table = open_table(path)
    if target is None:
        target = target_column(columns, table)
    check_target(table, target)
    needed = matched([column for column in columns if column.name != target], table, "the model")
    rows = FileRows(table, needed, given, decimal)
    classes = np.asarray(model.classes_)
    progress = RowProgress(table.title, table.n_rows)
    unseen = Unseen(model)

    def looked_at() -> Iterator[tuple[Any, Any]]:
        for start, X, labels in progress.of(rows.blocks(BLOCK, target), lambda block: len(block[1])):
            unseen.look(X)
            yield X, labels_from_text(labels, start, classes)

    found = judged(model, looked_at(), room, table.title)
    return Evaluated(found, [f"{table.title}: {table}", f"target: column {target!r}", *unseen.words()])


def check_width(model: Any, n_features: int, path: str) -> None:
    """Refuse rows with another number of features than in fit, or without the names that fit had."""
    if columns_of_model(model) is not None:
        raise ValueError(f"{path} has no named columns, and the model was fitted with a table that has them")
    fitted = getattr(model, "n_features_in_", n_features)
    if n_features != fitted:
        hint = ""
        if ending_of(Path(path)) != ".npz" and n_features < fitted:  # svmlight omits zeros
            hint = f"; write {fitted}:0 into one of its rows, or {fitted - 1}:0 if its features begin with 0"
        raise ValueError(f"{path} has {n_features} columns, and the model was fitted with {fitted}{hint}")
