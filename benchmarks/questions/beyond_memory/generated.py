"""Rows for files and memory maps, and test rows of the same kind."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.question import Row

N_CLASSES = 10  # of rows in files
LABEL_NOISE = 0.2  # of rows in files: the best accuracy is .78
SPREAD = 6.5  # of the rows around the centres of their classes: with 1,000 of them the best accuracy is .83
GROUP = 100_000  # rows of a row group
AT_ONCE = 20_000  # rows of a map made at once
TRAIN, TEST, TUNE = 0, 2, 3  # seeds of rows; the model has 1
TEST_ROWS, TUNE_ROWS = 100_000, 20_000
TEST_ROWS_OF_MAP, TUNE_ROWS_OF_MAP = 10_000, 3_000


def rows(
    n: int, n_features: int, rng: np.random.Generator | int = TEST, noise: float = LABEL_NOISE
) -> tuple[np.ndarray, np.ndarray]:
    """Normal features; the label is the class of the highest score of a linear model with noise."""
    rng = np.random.default_rng(rng)
    W = np.random.default_rng(1).standard_normal((N_CLASSES, n_features), dtype=np.float32)
    X = rng.standard_normal((n, n_features), dtype=np.float32)
    scores = X @ W.T / np.float32(n_features**0.5)
    return X, (scores + noise * rng.gumbel(size=scores.shape)).argmax(axis=1)


def groups(n: int, n_features: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The training rows, one row group at a time; a smaller number of rows is the beginning of a larger."""
    rng = np.random.default_rng(TRAIN)
    for start in range(0, n, GROUP):
        yield rows(min(GROUP, n - start), n_features, rng)


def clouds(
    n: int, n_features: int, n_classes: int, rng: np.random.Generator | int = TEST
) -> tuple[np.ndarray, np.ndarray]:
    """A centre for each class, and rows of unit variance around them; classes are equally likely."""
    rng = np.random.default_rng(rng)
    centres = np.random.default_rng(1).standard_normal((n_classes, n_features), dtype=np.float32)
    y = rng.integers(n_classes, size=n)
    X = rng.standard_normal((n, n_features), dtype=np.float32)
    X *= np.float32(SPREAD)
    X += centres[y]
    X /= np.float32((1 + SPREAD**2) ** 0.5)
    return X, y


def write_file(path: str, n: int, n_features: int) -> Row:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [f"x{j}" for j in range(n_features)]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.int8())])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
        for X, y in groups(n, n_features):
            columns = [pa.array(column) for column in np.ascontiguousarray(X.T)]
            file.write_table(pa.table([*columns, pa.array(y.astype(np.int8))], schema=schema), GROUP)
    return {"data_bytes": Path(path).stat().st_size}


def write_text(path: str, n: int, n_features: int) -> Row:
    """The same rows in the text format of Vowpal Wabbit: labels are 1 to K, features are numbered."""
    with open(path, "wb") as file:
        for X, y in groups(n, n_features):
            for start in range(0, len(y), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                file.write(as_text(X[part], y[part]))
    return {"data_bytes": Path(path).stat().st_size}


def as_text(X: np.ndarray, y: np.ndarray) -> bytes:
    """Lines of text, with as many digits as single precision needs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = [pa.array(np.ascontiguousarray(column)).cast(pa.string()) for column in X.T]
    named = [pc.binary_join_element_wise(str(j), value, ":") for j, value in enumerate(values)]
    lines = pc.binary_join_element_wise(pa.array(y + 1).cast(pa.string()), "|", *named, " ")
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode("ascii")


def write_map(folder: str, n: int, n_features: int, n_classes: int) -> Row:
    rng = np.random.default_rng(TRAIN)
    file = np.lib.format.open_memmap(Path(folder) / "X.npy", "w+", np.float32, (n, n_features))
    labels = np.empty(n, np.int64)
    for start in range(0, n, AT_ONCE):
        part = slice(start, min(start + AT_ONCE, n))
        file[part], labels[part] = clouds(part.stop - start, n_features, n_classes, rng)
    file.flush()
    np.save(Path(folder) / "y.npy", labels)
    return {"data_bytes": file.nbytes}


def read_map(folder: str) -> tuple[np.ndarray, np.ndarray]:
    return np.load(Path(folder) / "X.npy", mmap_mode="r"), np.load(Path(folder) / "y.npy")
