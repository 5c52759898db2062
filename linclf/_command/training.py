"""Fit a pipeline to a file: in memory if the rows fit, else pass by pass."""

import time
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from linclf._command.judged import Judged, judged
from linclf._command.progress import RowProgress
from linclf._sources.batches import LEAST, Batches, n_bytes_of
from linclf._sources.blocks import uniform
from linclf._tables.columns import Column, as_taken, columns_of, words_in
from linclf._tables.encoding import encoder_of_columns, is_dense
from linclf._tables.features import features_of
from linclf._tables.files import Table, check_features, check_target, open_table
from linclf._tables.labels import check_labels, labels_from_text, target_of
from linclf._tables.numbers import Decimal
from linclf._tables.reading import is_of_arrays, read_table
from linclf._tables.report import report_of
from linclf.classifiers import LinearClassifier
from linclf.tuning import LinearClassifierCV

SHARE = 3  # rows in memory are read, converted and encoded: each step may use a third of it
SAMPLE_SHARE, BLOCK_SHARE = 16, 32  # a sample of the rows gets 1/16 of the memory, a block 1/32
CELL_SHARE = 128  # a dense encoded block gets a sixteenth of the memory, at 8 bytes per cell
BLOCKS = 1_000, 100_000  # smallest and largest number of rows in a block
ALPHA_ROWS = 20_000  # for choosing the penalty
LOOK = 1_000


class Asked(NamedTuple):
    """The options of a fit."""

    path: str
    target: str | None = None
    loss: str = "softmax"
    alpha: float | str = "auto"
    class_weight: Literal["balanced"] | None = None
    validation: str | None = None  # a share of the rows, or a file
    memory: str = "2GiB"
    columns: Mapping[str, str] | None = None
    decimal: Decimal | None = None
    random_state: int = 0
    n_jobs: int | None = None


class Trained(NamedTuple):
    """A fitted pipeline, and the report on it."""

    model: Pipeline
    lines: list[str]
    judged: Judged | None  # on the validation rows
    objective: list[float]
    warnings: list[str]


def train_file(asked: Asked) -> Trained:
    """Read, encode, choose the penalty, fit, and measure on the validation rows.

    Raises
    ------
    ValueError
        If the file or an argument is invalid; nothing is fitted then.
    """
    memory = n_bytes_of(asked.memory)
    share = _share_of(asked.validation)
    if asked.validation is not None and share is None and not Path(asked.validation).exists():
        raise ValueError(f"--validation {asked.validation!r} is neither a share of the rows, nor a file")
    if is_of_arrays(asked.path):
        size = Path(asked.path).stat().st_size
        if size * SHARE > memory:
            raise ValueError(
                f"{asked.path} has {size / 2**20:,.0f} MiB, and files of arrays are read whole, which may "
                f"take three times as much; raise --memory {asked.memory}, or fit linclf.Batches in Python"
            )
        return _in_memory(asked, memory, share)
    table = open_table(asked.path)
    return (_in_memory if table.size * SHARE <= memory else _by_passes)(asked, memory, share)


def _share_of(validation: str | None) -> float | None:
    """The share of the rows to hold out; None without validation, or if a file is given."""
    try:
        share = float(validation) if validation is not None else None
    except ValueError:
        return None
    if share is not None and not 0.0 < share < 1.0:
        raise ValueError(f"--validation {validation} must lie between 0 and 1, or name a file")
    return share


# ------------------------------------------------------------ in memory


def _in_memory(asked: Asked, memory: int, share: float | None) -> Trained:
    X, y, lines = read_table(asked.path, asked.target, words_in(asked.columns))
    features = features_of(X, asked.columns, asked.decimal)
    classes, codes, y = check_labels(y)
    lines = [f"{Path(asked.path).name}: {len(codes):,} rows, {_classes(classes)}; {lines[0]}", *lines[1:]]
    lines += features.lines()
    rows = features.rows.iloc if hasattr(features.rows, "iloc") else features.rows
    held = np.zeros(len(codes), bool)
    if share is not None:
        held = uniform(0, len(codes), asked.random_state) < share
        lines.append(f"held out for validation: {int(held.sum()):,} rows")
        if not held.any() or np.unique(codes[~held]).size < classes.size:
            raise ValueError(
                f"--validation {share} holds out {int(held.sum())} of {len(codes)} rows, and leaves "
                f"{np.unique(codes[~held]).size} of {classes.size} classes; use another share, or a file"
            )
    encoder = features.encoder()
    steps = list(encoder.steps) if isinstance(encoder, Pipeline) else [("columns", encoder)]
    trained, y_trained = rows[~held] if held.any() else features.rows, y[~held]
    fitted = Pipeline(steps)
    encoded = fitted.fit_transform(trained)
    alpha, words = _alpha(asked, encoded, y_trained)
    classifier = _classifier(asked, alpha)
    messages, seconds = _fit(classifier, encoded, y_trained)
    model = Pipeline([*steps, ("classifier", classifier)])
    lines.append(_summary(asked, classifier, encoded.shape, alpha, words, seconds))
    found = None
    if share is not None:
        found = judged(model, [(rows[held], y[held])], memory, asked.path)
    elif asked.validation is not None:
        found = judge_file(model, asked.validation, asked)
    return Trained(model, lines, found, _objective(classifier), messages)


def _classes(classes: np.ndarray) -> str:
    some = ", ".join(map(str, classes[:5].tolist()))
    return f"{classes.size:,} classes ({some}{', ...' if classes.size > 5 else ''})"


# ------------------------------------------------------------ pass by pass


class _Sample(NamedTuple):
    frame: Any
    n_rows: int
    row_bytes: float


def _by_passes(asked: Asked, memory: int, share: float | None) -> Trained:
    table = open_table(asked.path)
    check_features(table)
    target, is_usual = (asked.target, True) if asked.target is not None else target_of(table.names)
    check_target(table, target)
    progress = RowProgress(table.title, table.n_rows)
    words = words_in(asked.columns)
    sample = _sample(table, target, memory, progress, asked.random_state, words)
    columns = columns_of(sample.frame.drop(columns=target), asked.columns, asked.decimal)
    features = as_taken(sample.frame.drop(columns=target), columns)
    labels = labels_from_text(sample.frame[target])
    note = "" if is_usual else " (the last one; --target chooses another)"
    lines = [
        f"{table.title}: {sample.n_rows:,} rows, more than memory holds: read again for each pass; {table}",
        f"target: column {target!r}{note}",
        f"columns and encoder are those of a sample of {len(sample.frame):,} rows:",
        *report_of(sample.frame.drop(columns=target), columns).lines(),
    ]
    n_block = int(np.clip(memory / BLOCK_SHARE / sample.row_bytes, *BLOCKS))
    encoder = encoder_of_columns(columns, is_dense(features, columns, n_block, memory // CELL_SHARE))
    encoder.fit(features)
    some = features.head(min(ALPHA_ROWS, len(features)))
    alpha, words = _alpha(asked, encoder.transform(some), labels[: len(some)])
    words = words.replace("all rows", f"{len(some):,} rows of the sample")
    source = _Rows(table, target, columns, labels, n_block, progress, share, asked.random_state)
    classifier = _classifier(asked, alpha)
    batches = Batches(source.trained, memory=max(memory // 2, LEAST)).map(encoder.transform)
    messages, seconds = _fit(classifier, batches, None)
    model = Pipeline([("columns", encoder), ("classifier", classifier)])
    shape = sample.n_rows, classifier.n_features_in_
    lines.append(_summary(asked, classifier, shape, alpha, words, seconds))
    found = None
    if share is not None:
        found = judged(model, source.held_out(), memory // 2, table.title)
    elif asked.validation is not None:
        found = judge_file(model, asked.validation, asked)
    return Trained(model, lines, found, _objective(classifier), messages)


def _sample(
    table: Table, target: str, memory: int, progress: RowProgress, seed: int, words: Collection[str] = ()
) -> _Sample:
    """A random sample of the rows, drawn in one pass: the rows with the smallest random numbers."""
    import pandas as pd

    kept, n, below, row_bytes = [], 0, 1.0, 1.0
    room = memory // SAMPLE_SHARE
    for frame in progress.of(table.frames(LOOK if table.n_rows is None else 10 * LOOK, target, words)):
        row_bytes = max(row_bytes, frame.memory_usage(deep=True).sum() / max(len(frame), 1))
        most = max(int(room / row_bytes), LOOK)
        frame = frame.assign(**{"\0drawn": uniform(n, len(frame), seed ^ 0x5A5A5A)})
        n += len(frame)
        kept.append(frame[frame["\0drawn"] < below])
        while sum(map(len, kept)) > most:
            below /= 2
            kept = [one[one["\0drawn"] < below] for one in kept]
    if not n:
        raise ValueError(f"{table.title} has no rows")
    return _Sample(pd.concat(kept, ignore_index=True).drop(columns="\0drawn"), n, row_bytes)


class _Rows:
    """Rows of a file with their labels, split into training rows and held-out rows."""

    def __init__(
        self,
        table: Table,
        target: str,
        columns: list[Column],
        labels: np.ndarray,
        n_block: int,
        progress: RowProgress,
        share: float | None,
        seed: int,
    ) -> None:
        self.table, self.target, self.columns, self.labels = table, target, columns, np.unique(labels)
        self.words = words_in({column.name: column.kind for column in columns})
        self.n_block, self.progress, self.share, self.seed = n_block, progress, share or 0.0, seed

    def trained(self) -> Iterator[tuple[Any, Any]]:
        return self._blocks(held=False)

    def held_out(self) -> Iterator[tuple[Any, Any]]:
        return self._blocks(held=True)

    def _blocks(self, held: bool) -> Iterator[tuple[Any, Any]]:
        start = 0
        for frame in self.progress.of(self.table.frames(self.n_block, self.target, self.words)):
            first, start = start, start + len(frame)
            rows = np.ones(len(frame), bool)
            if self.share:
                rows = (uniform(first, len(frame), self.seed) < self.share) == held
            y = labels_from_text(frame[self.target], first, self.labels)
            X = as_taken(frame, self.columns, first)
            yield X[rows], y[rows]


# ------------------------------------------------------------ shared by both


def _classifier(asked: Asked, alpha: float) -> LinearClassifier:
    return LinearClassifier(
        loss=asked.loss,
        alpha=alpha,
        class_weight=asked.class_weight,
        random_state=asked.random_state,
        n_jobs=asked.n_jobs,
    )


def _alpha(asked: Asked, X: Any, y: np.ndarray) -> tuple[float, str]:
    """The penalty, and how it was chosen if it was not given."""
    if asked.alpha != "auto":
        return float(asked.alpha), ""
    n = X.shape[0]
    if n > ALPHA_ROWS:
        chosen = np.sort(np.random.RandomState(asked.random_state).permutation(n)[:ALPHA_ROWS])
        X, y = X[chosen], y[chosen]
    search = LinearClassifierCV(
        loss=asked.loss,
        class_weight=asked.class_weight,
        random_state=asked.random_state,
        n_jobs=asked.n_jobs,
        refit=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # also given for penalties that are not chosen
        search.fit(X, y)
    if len(search.alphas_) == 1:
        return float(search.alpha_), "not tuned: scores of losses on cosines do not depend on it"
    rows = f"{X.shape[0]:,} rows" if n > ALPHA_ROWS else "all rows"
    return float(search.alpha_), f"chosen by cross-validation on {rows}"


def _fit(classifier: LinearClassifier, X: Any, y: Any) -> tuple[list[str], float]:
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        classifier.fit(X, y)
    return [str(entry.message) for entry in caught], time.perf_counter() - began


def _summary(
    asked: Asked, classifier: Any, shape: tuple[int, int], alpha: float, words: str, seconds: float
) -> str:
    chosen = f", {words}" if words else ""
    return (
        f"fitted {asked.loss} with alpha {alpha:.3g}{chosen}: {shape[0]:,} rows x {shape[1]:,} features, "
        f"{len(classifier.classes_):,} classes, {classifier.n_iter_} iterations, {seconds:.1f} s"
    )


def _objective(classifier: Any) -> list[float]:
    return [float(value) for value in classifier.history_.get("objective", [])]


def judge_file(model: Any, path: str, asked: Asked) -> Judged:
    """Measure a model on a file with labels."""
    from linclf._command.evaluating import evaluate_file

    numbers = {name: kind for name, kind in (asked.columns or {}).items() if kind == "number"}
    return evaluate_file(model, path, asked.target, asked.memory, numbers, asked.decimal).judged
