"""Vowpal Wabbit: text in its own format in the first pass, its own cache file in later passes."""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure.process import peak_memory, settled_memory
from benchmarks.question import Row
from benchmarks.questions.beyond_memory.generated import (
    N_CLASSES,
    TEST_ROWS,
    TUNE,
    TUNE_ROWS,
    as_text,
    rows,
)
from benchmarks.questions.beyond_memory.reading import bytes_read, warm_cache

SAMPLE = 2**16  # rows on which its steps are chosen
METHOD = f"--oaa {N_CLASSES} --loss_function logistic -b 18 --holdout_off"
CHOICES = ("-l 0.1", "-l 0.5", "-l 2", "--sgd -l 0.03", "--sgd -l 0.1", "--sgd -l 0.3")


def fit_by_oaa(path: str, n_features: int, epochs: int) -> Row:
    """The time of a pass is that of one that reads the cache: the extra time per additional pass."""
    with tempfile.TemporaryDirectory(prefix="linclf-vw-") as name:
        folder = Path(name)
        chosen = _best(folder, path, n_features, epochs)
        warm_cache(path)
        first = _train(folder, path, 1, chosen)
        settled_memory()
        before = bytes_read()
        whole = _train(folder, path, epochs, chosen)
        return {
            "seconds": (whole - first) / (epochs - 1),
            "whole": whole,
            "first": first,
            "text_bytes": Path(path).stat().st_size,
            "data_bytes": (folder / "cache").stat().st_size,
            "read_bytes": bytes_read() - before,
            "resident_bytes": peak_memory(),
            "chosen": chosen,
            "accuracy": _accuracy(folder, *rows(TEST_ROWS, n_features)),
        }


def _best(folder: Path, path: str, n_features: int, epochs: int) -> str:
    """The best steps on the first rows of the file."""
    sample, accuracy = folder / "sample.txt", []
    X_tune, y_tune = rows(TUNE_ROWS, n_features, TUNE)
    with open(path, "rb") as lines, sample.open("wb") as file:
        file.writelines(line for line, _ in zip(lines, range(SAMPLE), strict=False))
    for choice in CHOICES:
        _train(folder, str(sample), epochs, choice)
        accuracy.append(_accuracy(folder, X_tune, y_tune))
    return CHOICES[int(np.argmax(accuracy))]


def _train(folder: Path, path: str, epochs: int, steps: str) -> float:
    """Seconds until the model is written; the cache is rebuilt."""
    import vowpalwabbit

    (folder / "cache").unlink(missing_ok=True)
    arguments = f"--quiet -d {path} --cache_file {folder}/cache -k --passes {epochs} -f {folder}/model"
    started = time.perf_counter()
    vowpalwabbit.Workspace(f"{arguments} {METHOD} {steps}").finish()
    return time.perf_counter() - started


def _accuracy(folder: Path, X: np.ndarray, y: np.ndarray) -> float:
    import vowpalwabbit

    (folder / "rows.txt").write_bytes(as_text(X, y))
    arguments = f"--quiet -t -i {folder}/model -d {folder}/rows.txt -p {folder}/predicted"
    vowpalwabbit.Workspace(arguments).finish()
    return float((np.loadtxt(folder / "predicted") - 1 == y).mean())
