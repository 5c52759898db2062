"""Predict a file block by block, and write the predictions to a file."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from linclf._command.evaluating import BLOCK, check_width
from linclf._command.inputs import FileRows, Unseen, columns_of_model, matched
from linclf._command.progress import RowProgress
from linclf._command.saving import replaced
from linclf._sources.arrow import arrow
from linclf._tables.files import open_table
from linclf._tables.numbers import Decimal
from linclf._tables.reading import features_in, is_of_arrays

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS = (".parquet", ".csv", ".tsv")


class Wanted(NamedTuple):
    """The columns to write."""

    probabilities: bool = False
    top_k: int | None = None


def predict_file(
    model: Any,
    path: str,
    out: str | None,
    wanted: Wanted,
    given: Mapping[str, str] | None = None,
    decimal: Decimal | None = None,
) -> str:
    """Write predictions for a file in the order of its rows; returns a summary.

    Raises
    ------
    ValueError
        If the columns do not match the model, or probabilities are requested and it has none.
    """
    if (wanted.probabilities or wanted.top_k) and not hasattr(model, "predict_proba"):
        option = "--proba" if wanted.probabilities else "--top-k"
        raise ValueError(
            f"{option} needs probabilities, and this model has none; fit one with --model softmax, or wrap "
            "it in linclf.calibration.CalibratedClassifier"
        )
    n_classes = len(model.classes_)
    if wanted.top_k is not None and not 1 <= wanted.top_k <= n_classes:
        raise ValueError(f"--top-k {wanted.top_k} must lie between 1 and {n_classes}, the number of classes")
    n, ignored, unseen = 0, "", Unseen(model)
    with _writer(out) as write:
        if is_of_arrays(path):
            X = features_in(path)
            check_width(model, X.shape[1], path)
            for at in range(0, X.shape[0], BLOCK):
                write(predictions(model, X[at : at + BLOCK], wanted))
            n = X.shape[0]
        else:
            columns = columns_of_model(model)
            if columns is None:
                raise ValueError(
                    f"{path} has named columns, and the model was fitted with an array of numbers"
                )
            table = open_table(path)
            needed = matched(columns, table, "the model")
            taken = {column.name for column in needed}
            others = [name for name in table.names if name not in taken]
            ignored = (
                f"; not used: {', '.join(others[:10])}{' ...' if len(others) > 10 else ''}" if others else ""
            )
            rows = FileRows(table, needed, given, decimal)
            progress = RowProgress(table.title, table.n_rows)
            for _, block, _ in progress.of(rows.blocks(BLOCK), lambda block: len(block[1])):
                write(predictions(model, block, wanted))
                unseen.look(block)
                n += len(block)
    done = f"{n:,} rows{'' if out is None else f' to {out}'}{ignored}"
    return "\n".join([done, *unseen.words()])


def predictions(model: Any, X: Any, wanted: Wanted) -> "pd.DataFrame":
    """The class of each row, and the requested probabilities."""
    import pandas as pd

    classes = np.asarray(model.classes_)
    if not wanted.probabilities and wanted.top_k is None:
        return pd.DataFrame({"prediction": model.predict(X)})
    p = np.asarray(model.predict_proba(X))
    made: dict[str, Any] = {"prediction": model.predict(X)}
    if wanted.top_k is not None:
        order = np.argsort(-p, axis=1, kind="stable")[:, : wanted.top_k]
        for place in range(wanted.top_k):
            made[f"class {place + 1}"] = classes[order[:, place]]
            made[f"probability {place + 1}"] = np.take_along_axis(p, order, axis=1)[:, place]
    if wanted.probabilities:
        made |= {f"probability of {label}": p[:, k] for k, label in enumerate(classes.tolist())}
    return pd.DataFrame(made)


@contextmanager
def _writer(out: str | None) -> Iterator[Any]:
    """A function that appends frames to a file, or prints them as CSV."""
    if out is None:
        yield _Csv(sys.stdout, ",").write
        return
    with replaced(out) as path:
        if Path(out).suffix.lower() == ".parquet":
            sink = _Parquet(path)
            try:
                yield sink.write
            finally:
                sink.close()
        else:
            with open(path, "w", encoding="utf-8", newline="") as file:
                yield _Csv(file, "\t" if Path(out).suffix.lower() == ".tsv" else ",").write


class _Csv:
    def __init__(self, file: Any, separator: str) -> None:
        self.file, self.separator, self.begun = file, separator, False

    def write(self, frame: "pd.DataFrame") -> None:
        frame.to_csv(self.file, sep=self.separator, header=not self.begun, index=False)
        self.begun = True


class _Parquet:
    def __init__(self, path: Path) -> None:
        self.path, self.file = path, None

    def write(self, frame: "pd.DataFrame") -> None:
        pa = arrow()
        table = pa.Table.from_pandas(frame, preserve_index=False)
        if self.file is None:
            self.file = pa.parquet.ParquetWriter(self.path, table.schema)
        self.file.write_table(table)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
