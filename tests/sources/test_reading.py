"""Reading with `Batches`: every source gives the same rows, in pieces that do not depend on its blocks.

Training is tested in `test_fit_from_batches`.
"""

import os
import threading

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.datasets import dump_svmlight_file
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from linclf import Batches
from linclf._sources.blocks import Block, pieces, prefetched, uniform

N, D = 5000, 7


def rows(dtype=np.float32):
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, D)).astype(dtype), rng.integers(3, size=N), rng.uniform(0.5, 2, N)


def frame(dtype=np.float32):
    X, y, weights = rows(dtype)
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(D)]).assign(y=y, w=weights)


def read(batches, size=None):
    """All rows, as arrays."""
    found = [batches._rows(one) for one in batches._pieces(None, size)]
    starts = np.cumsum([0, *[one.n_rows for one in found]])
    assert [one.start for one in found] == starts[:-1].tolist()
    stack = sparse.vstack if sparse.issparse(found[0].X) else np.concatenate
    X = stack([one.X for one in found])
    y = None if found[0].y is None else np.concatenate([one.y for one in found])
    weights = None if found[0].weights is None else np.concatenate([one.weights for one in found])
    return X, y, weights


def parquet(folder, group=700):
    pq.write_table(pa.Table.from_pandas(frame()), folder / "rows.parquet", row_group_size=group)
    return folder / "rows.parquet"


def folder_of_parquet(folder):
    table = pa.Table.from_pandas(frame())
    for number, start in enumerate(range(0, N, 1300)):
        pq.write_table(table.slice(start, 1300), folder / f"part-{number}.parquet", row_group_size=500)
    return folder


def memory_maps(folder):
    X, y, weights = rows()
    for name, array in (("X", X), ("y", y), ("w", weights)):
        np.save(folder / f"{name}.npy", array)
    return folder / "X.npy", folder / "y.npy", folder / "w.npy"


def several_maps(folder):
    X, y, weights = rows()
    paths = [[], [], []]
    for number, part in enumerate(np.array_split(np.arange(N), 3)):
        for each, name, array in zip(paths, "Xyw", (X, y, weights), strict=True):
            np.save(folder / f"{name}{number}.npy", array[part])
            each.append(str(folder / f"{name}{number}.npy"))
    return paths


def by_function():
    X, y, weights = rows()
    for part in np.array_split(np.arange(N), [1, 900, 901, 2500]):
        yield X[part], y[part], weights[part]


SOURCES = {
    "parquet": lambda folder: Batches(parquet(folder), weight="w"),
    "folder": lambda folder: Batches(folder_of_parquet(folder), weight="w"),
    "pattern": lambda folder: Batches(str(folder_of_parquet(folder) / "part-*.parquet"), weight="w"),
    "list of files": lambda folder: Batches(sorted(folder_of_parquet(folder).iterdir()), weight="w"),
    "dataset": lambda folder: Batches(pa.dataset.dataset(folder_of_parquet(folder)), weight="w"),
    "stream of polars": lambda folder: Batches(lambda: pl.from_pandas(frame()), weight="w"),
    "stream of pyarrow": lambda folder: Batches(lambda: pa.Table.from_pandas(frame()), weight="w"),
    "memory map": lambda folder: Batches(*memory_maps(folder)),
    "memory maps": lambda folder: Batches(*several_maps(folder)),
    "arrays": lambda folder: Batches(*rows()),
    "function": lambda folder: Batches(by_function),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_same_rows(name, tmp_path):
    X, y, weights = rows()
    batches = SOURCES[name](tmp_path)
    for _ in range(2):  # it can be read again
        found = read(batches)
        np.testing.assert_array_equal(found[0], X)
        assert found[0].dtype == np.float32
        np.testing.assert_array_equal(found[1], y)
        np.testing.assert_array_equal(found[2], weights)
    named = not any(word in name for word in ("memory", "arrays", "function"))
    assert batches._names == ([f"x{j}" for j in range(D)] if named else None)


@pytest.mark.parametrize("name", ["parquet", "folder", "memory map", "memory maps", "dataset"])
def test_a_random_order_has_every_row_once(name, tmp_path, monkeypatch):
    monkeypatch.setattr("linclf._sources.formats.PIECE", 2**12)
    monkeypatch.setattr("linclf._sources.batches.ENOUGH", 256)
    X, y, _ = rows()
    batches, rng = SOURCES[name](tmp_path), np.random.RandomState(0)
    found = [batches._rows(one) for one in batches._pieces(rng, 256)]
    order = np.concatenate([np.arange(one.start, one.start + one.n_rows) for one in found])
    assert sorted(order) == list(range(N))
    assert (order != np.arange(N)).any()
    np.testing.assert_array_equal(np.concatenate([one.X for one in found]), X[order])
    np.testing.assert_array_equal(np.concatenate([one.y for one in found]), y[order])


@pytest.mark.parametrize("name", ["parquet", "folder", "dataset", "memory map", "memory maps"])
def test_a_file_that_is_written_again_has_another_stamp(name, tmp_path):
    source = SOURCES[name](tmp_path)._source
    before = source.stamp()
    assert source.stamp() == before
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    assert source.stamp() != before


def test_sparse_archives(tmp_path):
    rng = np.random.default_rng(0)
    X, y = sparse.random_array((600, 40), density=0.1, rng=rng, format="csr"), rng.integers(2, size=600)
    for number, part in enumerate(np.array_split(np.arange(600), 2)):
        each = X[part]
        parts = {"data": each.data, "indices": each.indices, "indptr": each.indptr, "shape": each.shape}
        np.savez(tmp_path / f"{number}.npz", y=y[part], **parts)
    found = read(Batches(str(tmp_path / "*.npz")))
    np.testing.assert_array_equal(found[0].toarray(), X.toarray())
    np.testing.assert_array_equal(found[1], y)


@pytest.mark.parametrize("zero_based", [False, True])
def test_svmlight(zero_based, tmp_path, monkeypatch):
    """In chunks of the file; the last feature first occurs in the last line."""
    monkeypatch.setattr("linclf._sources.svmlight.CHUNK", 300)
    rng = np.random.default_rng(0)
    X = sparse.random_array((200, 30), density=0.1, rng=rng, format="lil")
    X[:, 29], X[199, 29], X[0, 0] = 0, 1.5, 2.5
    X, y = X.tocsr(), rng.integers(2, size=200)
    dump_svmlight_file(X, y, str(tmp_path / "rows.svm"), zero_based=zero_based)
    found = read(Batches(tmp_path / "rows.svm"))
    np.testing.assert_allclose(found[0].toarray(), X.toarray())
    np.testing.assert_array_equal(found[1], y)


@pytest.mark.parametrize("size", [1, 64, 999, N, 10 * N])
def test_pieces_do_not_depend_on_blocks(size):
    X, y, weights = rows()
    for cuts in ([], [1], [64, 65, 66, 4000], list(range(0, N, 50))):
        blocks = (
            Block(int(part[0]), X[part], y[part], weights[part])
            for part in np.split(np.arange(N), cuts)
            if len(part)
        )
        found = list(pieces(blocks, size))
        assert [one.n_rows for one in found] == [size] * (N // size) + [N % size] * bool(N % size)
        np.testing.assert_array_equal(np.concatenate([one.X for one in found]), X)
        np.testing.assert_array_equal(np.concatenate([one.weights for one in found]), weights)


def test_numbers_of_rows_are_uniform_and_their_own():
    found = uniform(0, 100_000, seed=3)
    assert abs(found.mean() - 0.5) < 0.005
    assert abs(np.histogram(found, 10)[0] - 10_000).max() < 400
    np.testing.assert_array_equal(uniform(500, 70, 3), found[500:570])
    assert abs(np.corrcoef(found, uniform(0, 100_000, 4))[0, 1]) < 0.02
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.02


def test_a_thread_reads_ahead_and_ends():
    made = []

    def blocks():
        for number in range(100):
            made.append(number)
            yield number

    reader = prefetched(blocks(), ahead=2)
    assert next(reader) == 0
    reader.close()
    assert len(made) <= 5
    assert not [thread for thread in threading.enumerate() if thread.name == "linclf-reader"]
    with pytest.raises(OSError, match="disk"):
        list(prefetched(faulty(), ahead=2))


def faulty():
    yield 1
    raise OSError("the disk is gone")


# ---------------------------------------------------------------- columns


def test_features_target_and_weight_by_name(tmp_path):
    data, path = frame(), parquet(tmp_path)
    found = read(Batches(path, target="y", weight="w", features=["x3", "x0"]))
    np.testing.assert_array_equal(found[0], data[["x3", "x0"]].to_numpy())
    np.testing.assert_array_equal(found[2], data["w"])
    X, y, weights = read(Batches(path, target=None, features=["x1"]))
    assert (y, weights, X.shape) == (None, None, (N, 1))


def test_integers_and_booleans_are_numbers(tmp_path):
    data = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": [0.5, 1.5], "y": ["u", "v"]})
    pq.write_table(pa.Table.from_pandas(data), tmp_path / "a.parquet")
    X, *_ = read(Batches(tmp_path / "a.parquet"))
    assert X.dtype == np.float64
    np.testing.assert_array_equal(X, [[1, 1, 0.5], [2, 0, 1.5]])


def test_a_transformer_for_each_block(tmp_path):
    data = frame().assign(colour=np.resize(["red", "green", "blue"], N))
    pq.write_table(pa.Table.from_pandas(data), tmp_path / "a.parquet", row_group_size=900)
    encoder = make_column_transformer(
        (StandardScaler(), ["x0", "x1"]), (OneHotEncoder(sparse_output=False), ["colour"])
    )
    table = data.drop(columns=["y", "w"])
    expected = encoder.fit_transform(table)
    plain = Batches(tmp_path / "a.parquet", features=list(table))
    np.testing.assert_allclose(read(plain.map(encoder))[0], expected)
    with pytest.raises(ValueError, match=r"column 'colour' holds .*string.*encoder.*map"):
        read(plain)


def test_text_becomes_sparse(tmp_path):
    texts = [f"word{i % 7} word{i % 3}" for i in range(500)]
    pq.write_table(pa.table({"text": texts, "y": np.arange(500) % 2}), tmp_path / "a.parquet")
    vectorizer = HashingVectorizer(n_features=64)
    found = read(Batches(tmp_path / "a.parquet", features="text").map(vectorizer))
    np.testing.assert_allclose(found[0].toarray(), vectorizer.transform(texts).toarray())


def test_probabilities_in_columns(tmp_path):
    p = np.random.default_rng(0).dirichlet([1, 1, 1], 50)
    data = pd.DataFrame({"x": np.arange(50.0), "a": p[:, 0], "b": p[:, 1], "c": p[:, 2]})
    pq.write_table(pa.Table.from_pandas(data), tmp_path / "a.parquet")
    X, y, _ = read(Batches(tmp_path / "a.parquet", target=["a", "b", "c"]))
    assert X.shape == (50, 1)
    np.testing.assert_array_equal(y, p)


# ---------------------------------------------------------------- refused


def write(folder, **columns):
    pq.write_table(pa.table(columns), folder / "a.parquet")
    return folder / "a.parquet"


def other_columns(folder):
    write(folder, x=[1.0], y=[0])
    pq.write_table(pa.table({"x": [1], "y": [0]}), folder / "b.parquet")
    return Batches(folder)


def truncated(folder):
    path = parquet(folder)
    path.write_bytes(path.read_bytes()[:-500])
    return Batches(path)


def damaged(folder):
    path = parquet(folder)
    content = bytearray(path.read_bytes())
    content[2000:60_000] = bytes(58_000)
    path.write_bytes(bytes(content))
    return read(Batches(path))


def mixed_endings(folder):
    (folder / "a.csv").touch()
    (folder / "b.npy").touch()
    return Batches(folder)


def of_blocks(*blocks):
    return read(Batches(lambda: blocks))


def of_columns(folder, **columns):
    return read(Batches(write(folder, **columns)))


TWO = np.ones((2, 2))
NOTHING = {"x": pa.array([], pa.float64()), "y": pa.array([], pa.int64())}
REFUSED = {
    "no file": (lambda folder: Batches(folder / "no.parquet"), FileNotFoundError, "no.parquet.*no such"),
    "other columns": (other_columns, ValueError, "b.parquet has column 'x' as int64, and .*a.parquet as dou"),
    "truncated": (truncated, ValueError, "rows.parquet cannot be read as Parquet"),
    "damaged": (damaged, OSError, "rows.parquet cannot be read"),
    "no target": (lambda folder: Batches(parquet(folder), target="z"), ValueError, "target='z' is not a col"),
    "no weight": (lambda folder: Batches(parquet(folder), weight="z"), ValueError, "weight='z' is not a col"),
    "no feature": (
        lambda folder: Batches(parquet(folder), features=["q"]),
        ValueError,
        "features='q' is not",
    ),
    "only a target": (lambda folder: Batches(write(folder, y=[0, 1])), ValueError, "no features"),
    "null": (
        lambda folder: of_columns(folder, x=[1.0, None], y=[0, 1]),
        ValueError,
        "'x' has no value in row 1",
    ),
    "null label": (
        lambda folder: of_columns(folder, x=[1, 2], y=["a", None]),
        ValueError,
        "no label in row 1",
    ),
    "empty file": (lambda folder: of_columns(folder, **NOTHING), ValueError, "has no rows"),
    "empty folder": (Batches, FileNotFoundError, "no such file"),
    "python": (lambda folder: Batches(__file__), ValueError, "ending '.py'"),
    "mixed": (mixed_endings, ValueError, "several kinds"),
    "an iterator": (lambda folder: Batches(by_function()), TypeError, "generator"),
    "a table": (lambda folder: Batches(pa.table({"x": [1]})), TypeError, "read once only"),
    "names of arrays": (lambda folder: Batches(TWO), ValueError, "target='y' names a column"),
    "lengths": (lambda folder: Batches(TWO, np.ones(3)), ValueError, "2 rows, and its target"),
    "memory": (lambda folder: Batches(by_function, memory="1 parsec"), ValueError, "memory='1 parsec'"),
    "little memory": (lambda folder: Batches(by_function, memory="1MB"), ValueError, "256 MiB"),
    "a function of no blocks": (lambda folder: Batches(lambda: 3), TypeError, "returns a int"),
    "no block": (lambda folder: of_blocks(), ValueError, "no rows"),
    "width": (
        lambda folder: of_blocks((TWO, [0, 1]), (np.ones((2, 3)), [0, 1])),
        ValueError,
        "row 2 has rows of shape",
    ),
    "labels": (lambda folder: of_blocks((TWO, [0, 1]), (TWO, [0.5, 1.5])), ValueError, "Unknown label type"),
    "length of y": (lambda folder: of_blocks((TWO, [0, 1, 1])), ValueError, "block 0 .* has 2 rows"),
    "no transformer": (lambda folder: Batches(by_function).map(3), TypeError, "transformer=3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_and_where(name, tmp_path):
    make, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        make(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"), [("2GiB", 2**31), ("1 gb", 10**9), ("512MiB", 2**29), (10**9, 10**9)]
)
def test_memory_in_words(text, expected):
    assert Batches(by_function, memory=text).memory == expected


def test_an_interrupt_while_the_reader_starts_leaves_no_thread(monkeypatch):
    start, begun = threading.Thread.start, []

    def interrupted(thread):
        start(thread)
        begun.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(prefetched(range(10), 1))
    (reader,) = begun
    reader.join(5)
    assert not reader.is_alive()
