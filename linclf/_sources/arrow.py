"""Arrow sources: Parquet files, datasets, and objects that provide a stream of record batches."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from linclf._sources.blocks import Block, stamp_of
from linclf._sources.vocabulary import Vocabulary
from linclf._types import FloatArray, LabelArray, Matrix

if TYPE_CHECKING:
    import pyarrow as pa

SHARE_BUFFERS, SMALLEST, LARGEST = (
    8,
    2**16,
    2**20,
)  # buffers get 1/8 of the memory; smallest and largest buffer of a column in bytes


def arrow() -> Any:
    """The module pyarrow, or an ImportError with the remedy."""
    try:
        import pyarrow
        import pyarrow.dataset
        import pyarrow.parquet
    except ImportError as fault:
        raise ImportError('Parquet and Arrow need pyarrow: pip install "linclf[disk]"') from fault
    return pyarrow


class Columns(NamedTuple):
    """The columns to read, and their roles."""

    features: list[str]
    target: str | list[str] | None  # several columns are probabilities of classes
    weight: str | None
    alone: bool = False  # whether a transformer gets the only feature as a single column, as for text

    @property
    def all(self) -> list[str]:
        target = [self.target] if isinstance(self.target, str) else self.target or []
        return [*self.features, *target, *([self.weight] if self.weight else [])]


class Stretch(NamedTuple):
    """Rows that can be read separately, with the number of the first one."""

    name: str  # for messages
    start: int
    read: Callable[
        [int, list[str]], Iterator["pa.RecordBatch"]
    ]  # arguments: about how many rows at a time, and the columns


class ArrowBlock(NamedTuple):
    """Rows of a record batch; slices are views."""

    start: int
    batch: "pa.RecordBatch"
    name: str
    convert: "Callable[[ArrowBlock], Block]"

    @property
    def n_rows(self) -> int:
        return self.batch.num_rows

    def take(self, part: slice) -> Self:
        return self._replace(
            start=self.start + part.start, batch=self.batch.slice(part.start, part.stop - part.start)
        )

    def joined(self, others: list[Self]) -> Self:
        return self._replace(batch=arrow().concat_batches([self.batch, *(one.batch for one in others)]))

    def block(self) -> Block:
        return self.convert(self)


@dataclass
class ArrowSource:
    """Record batches, converted to rows of numbers or passed to a transformer."""

    columns: Columns
    dtype: np.dtype
    stretches: Callable[[bool], list[Stretch]]  # as small as possible if True, else as few as possible
    stamped: Callable[[], Hashable]
    transforms: tuple[Callable[[Any], Any], ...] = ()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    @property
    def names(self) -> list[str] | None:
        return None if self.transforms else self.columns.features

    def stamp(self) -> Hashable:
        return self.stamped()

    def mapped(self, transform: Callable[[Any], Any]) -> Self:
        return replace(self, transforms=(*self.transforms, transform))

    def blocks(self, n_rows: int, order: np.random.RandomState | None) -> Iterator[ArrowBlock]:
        stretches = self.stretches(order is not None)
        if order is not None:
            stretches = [stretches[at] for at in order.permutation(len(stretches))]
        for stretch in stretches:
            start = stretch.start
            for batch in self._batches(stretch, n_rows):
                if batch.num_rows:
                    yield ArrowBlock(start, batch, stretch.name, self._block)
                    start += batch.num_rows

    def _batches(self, stretch: Stretch, n_rows: int) -> Iterator["pa.RecordBatch"]:
        pa = arrow()
        try:
            yield from stretch.read(n_rows, self.columns.all)
        except pa.ArrowInvalid as fault:
            raise ValueError(f"{stretch.name} cannot be read: {' '.join(str(fault).split())}") from fault
        except OSError as fault:
            raise OSError(f"{stretch.name} cannot be read: {' '.join(str(fault).split())}") from fault

    def _block(self, raw: ArrowBlock) -> Block:
        start, batch, name, _ = raw
        columns, y, weights = self.columns, None, None
        if isinstance(columns.target, str):
            y = self._labels(batch, columns.target, start, name)
        elif columns.target:
            y = rows_of(batch, columns.target, np.dtype(np.float64), name, start)
            if all(_is_whole(batch.schema.field(each).type) for each in columns.target):
                y = y.astype(np.int64)  # an indicator of several labels
        if columns.weight:
            weights = rows_of(batch, [columns.weight], np.dtype(np.float64), name, start)[:, 0]
        return Block(start, self._features(batch, start, name), y, weights)

    def _features(self, batch: "pa.RecordBatch", start: int, name: str) -> Matrix:
        names = self.columns.features
        if not self.transforms:
            return rows_of(batch, names, self.dtype, name, start)
        table: Any = batch.select(names).to_pandas()
        if self.columns.alone:
            table = table[names[0]]
        for transform in self.transforms:
            table = transform(table)
        return table

    def _labels(self, batch: "pa.RecordBatch", target: str, start: int, name: str) -> LabelArray:
        pa, column = arrow(), batch.column(target)
        if column.null_count:
            row = start + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            raise ValueError(f"{name}: column {target!r} has no label in row {row}; leave such rows out")
        kind = column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            return column.to_numpy(zero_copy_only=False)
        encoded = column if pa.types.is_dictionary(kind) else column.dictionary_encode()
        values = np.array(encoded.dictionary.to_pylist(), object)
        return self.vocabulary.of_values(values)[encoded.indices.to_numpy(zero_copy_only=False)]


def _is_whole(kind: "pa.DataType") -> bool:
    """Whether a column of a target holds integers or bools."""
    types = arrow().types
    return types.is_integer(kind) or types.is_boolean(kind)


def rows_of(batch: "pa.RecordBatch", names: list[str], dtype: np.dtype, name: str, start: int) -> FloatArray:
    """Columns of numbers as the rows of an array."""
    pa = arrow()
    kind = pa.from_numpy_dtype(dtype)
    columns = [numbers(batch.column(column), column, kind, name, start) for column in names]
    return pa.RecordBatch.from_arrays(columns, names).to_tensor().to_numpy()


def numbers(column: Any, of: str, kind: Any, name: str, start: int) -> Any:
    """A column as numbers of a type; missing values are refused, as they cannot be imputed yet."""
    if column.null_count:
        row = start + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        raise ValueError(
            f"{name}: column {of!r} has no value in row {row}; fit an imputer to a sample of the rows and "
            "pass it to Batches(...).map, or leave the column out of features"
        )
    if column.type == kind:
        return column
    types = arrow().types
    if not any(
        is_one(column.type)
        for is_one in (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    ):
        raise ValueError(
            f"{name}: column {of!r} holds {column.type}, and features are numbers; fit an encoder to a "
            "sample of the rows and pass it to Batches(...).map, or leave the column out of features"
        )
    return column.cast(kind, safe=False)


# ------------------------------------------------------------ sources


def of_paths(paths: list[Path], target: Any, weight: str | None, features: Any, memory: int) -> ArrowSource:
    """Parquet files; each file is a stretch, or each row group for a random order."""
    opened = [_metadata(path) for path in paths]
    first = opened[0].schema.to_arrow_schema()
    for path, one in zip(paths, opened, strict=True):
        _check_same(first, one.schema.to_arrow_schema(), str(path), str(paths[0]))

    def stretches(apart: bool) -> list[Stretch]:
        found, start = [], 0
        for path in paths:
            metadata = _metadata(path)
            groups = [[number] for number in range(metadata.num_row_groups)]
            for some in groups if apart else [[number for (number,) in groups]]:
                found.append(Stretch(str(path), start, _reader_of_groups(path, some, memory)))
                start += sum(metadata.row_group(number).num_rows for number in some)
        return found

    return _source(first, target, weight, features, stretches, lambda: stamp_of(paths), str(paths[0]))


def _metadata(path: Path) -> Any:
    pa = arrow()
    try:
        return pa.parquet.read_metadata(path)
    except pa.ArrowInvalid as fault:
        raise ValueError(f"{path} cannot be read as Parquet: {' '.join(str(fault).split())}") from fault


def _reader_of_groups(
    path: Path, numbers: list[int], memory: int
) -> Callable[[int, list[str]], Iterator["pa.RecordBatch"]]:
    def read(n_rows: int, columns: list[str]) -> Iterator["pa.RecordBatch"]:
        # buffer each column, because a whole row group may be larger than memory
        size = min(max(memory // (SHARE_BUFFERS * len(columns)), SMALLEST), LARGEST)
        with arrow().parquet.ParquetFile(path, buffer_size=size, pre_buffer=False) as file:
            yield from file.iter_batches(n_rows, row_groups=numbers, columns=columns)

    return read


def of_dataset(dataset: Any, target: Any, weight: str | None, features: Any) -> ArrowSource:
    """A pyarrow.dataset.Dataset; each fragment is a stretch."""

    def stretches(apart: bool) -> list[Stretch]:
        found, start = [], 0
        for fragment in dataset.get_fragments():
            found.append(Stretch(fragment.path, start, _reader_of_fragment(fragment, dataset.schema)))
            start += fragment.count_rows()
        return found

    def stamp() -> Hashable:
        return tuple(
            (path, Path(path).stat().st_size, Path(path).stat().st_mtime_ns)
            for path in dataset.files
            if Path(path).exists()
        )

    return _source(dataset.schema, target, weight, features, stretches, stamp, "the dataset")


def _reader_of_fragment(fragment: Any, schema: Any) -> Callable[[int, list[str]], Iterator["pa.RecordBatch"]]:
    def read(n_rows: int, columns: list[str]) -> Iterator["pa.RecordBatch"]:
        yield from fragment.to_batches(
            schema=schema, columns=columns, batch_size=n_rows, batch_readahead=1, fragment_readahead=1
        )

    return read


def of_streams(make: Callable[[], Any], target: Any, weight: str | None, features: Any) -> ArrowSource:
    """A function that returns a new object with ``__arrow_c_stream__`` each time."""
    pa = arrow()

    def batches(n_rows: int, columns: list[str]) -> Iterator["pa.RecordBatch"]:
        reader = pa.RecordBatchReader.from_stream(make())
        for batch in reader:
            chosen = batch.select(columns)
            for start in range(0, chosen.num_rows, n_rows):
                yield chosen.slice(start, n_rows)

    schema = pa.RecordBatchReader.from_stream(make()).schema
    name = "the stream"
    return _source(
        schema, target, weight, features, lambda apart: [Stretch(name, 0, batches)], lambda: None, name
    )


def _check_same(first: "pa.Schema", other: "pa.Schema", path: str, first_path: str) -> None:
    if other.equals(first):
        return
    mine, theirs = (dict(zip(one.names, one.types, strict=True)) for one in (first, other))
    wrong = (
        next(name for name in [*mine, *theirs] if mine.get(name) != theirs.get(name))
        if mine != theirs
        else None
    )
    if wrong is None:
        return  # the same columns in another order
    raise ValueError(
        f"{path} has column {wrong!r} as {theirs.get(wrong, 'missing')}, and {first_path} as "
        f"{mine.get(wrong, 'missing')}; the files of a source have the same columns"
    )


def _source(
    schema: "pa.Schema",
    target: Any,
    weight: str | None,
    features: Any,
    stretches: Callable[[bool], list[Stretch]],
    stamp: Callable[[], Hashable],
    name: str,
) -> ArrowSource:
    other = {name for name in ([target] if isinstance(target, str) else target or []) if name}
    other |= {weight} if weight else set()
    chosen = features
    if chosen is None:
        chosen = [column for column in schema.names if column not in other]
    elif isinstance(chosen, str):
        chosen = [chosen]
    columns = Columns(list(chosen), target, weight, isinstance(features, str))
    for column in columns.all:
        if column not in schema.names:
            what = (
                "target"
                if column in other and column != weight
                else "weight"
                if column == weight
                else "features"
            )
            raise ValueError(
                f"{what}={column!r} is not a column of {name}, which has {', '.join(schema.names[:20])}"
            )
    if not columns.features:
        raise ValueError(f"{name} has no column beside {sorted(other)}; there are no features")
    return ArrowSource(columns, _dtype(schema, columns.features), stretches, stamp)


def _dtype(schema: "pa.Schema", features: list[str]) -> np.dtype:
    """float32 if it holds all features exactly, else float64."""
    pa = arrow()
    narrow = {pa.float16(), pa.float32(), pa.bool_(), pa.int8(), pa.uint8(), pa.int16(), pa.uint16()}
    kinds = {schema.field(name).type for name in features}
    return np.dtype(np.float32) if kinds <= narrow else np.dtype(np.float64)
