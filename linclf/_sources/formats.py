"""The common format of the blocks of a source: taken from the first block, and required of all others."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from linclf._data.indicators import indicator_of, is_indicator
from linclf._data.labels import check_probabilities, check_targets, labels_of
from linclf._data.sparse import canonical
from linclf._sources.blocks import Block
from linclf._types import FloatArray, LabelArray, Matrix

FLOATS = np.dtype(np.float32), np.dtype(np.float64)
PIECE, SPARSE_PIECE = 2**22, 2**13  # size of a piece: bytes of dense rows, and number of sparse rows
FEWEST, MOST = 64, 2**16  # dense rows in a piece


class Format(NamedTuple):
    """The format of rows: features, dtype, storage, weights and targets."""

    n_features: int
    dtype: np.dtype
    is_sparse: bool
    has_weights: bool
    n_targets: int  # columns of y: 1 for labels, more for probabilities and indicators, 0 without y
    kind: str  # NumPy's dtype.kind of the labels

    @property
    def piece(self) -> int:
        """Rows of a piece: a power of two that depends only on the format, so sums do too."""
        if self.is_sparse:
            return SPARSE_PIECE
        rows = PIECE // max(1, self.n_features * self.dtype.itemsize)
        return int(np.clip(2 ** (max(rows, 1).bit_length() - 1), FEWEST, MOST))

    @property
    def row_bytes(self) -> int:
        """Bytes of a dense row, and of its labels if there are several."""
        return self.n_features * self.dtype.itemsize + (self.n_targets if self.several else 0)

    @property
    def several(self) -> bool:
        """Whether a row has several labels."""
        return self.n_targets > 1 and self.kind == "i"


def format_of(block: Block) -> Format:
    """The format of the first block."""
    return _format(_typed(block, None))


def _format(block: Block) -> Format:
    y = block.y
    return Format(
        block.X.shape[1],
        block.X.dtype,
        sparse.issparse(block.X),
        block.weights is not None,
        0 if y is None else 1 if y.ndim == 1 else y.shape[1],
        "" if y is None else y.dtype.kind,
    )


def checked(block: Block, form: Format) -> Block:
    """A block in the types of the first one; other formats are refused."""
    typed = _typed(block, form.dtype)
    here = _format(typed)
    here = here._replace(kind=form.kind) if _alike(here.kind, form.kind) else here
    if here != form:
        mine, theirs = form._asdict(), here._asdict()
        name = next(name for name in mine if mine[name] != theirs[name])
        raise ValueError(
            f"the block that starts with row {block.start} has {name}={theirs[name]!r}, and the first one "
            f"{mine[name]!r}; all blocks of a source have the same columns"
        )
    return typed


def _alike(kind: str, other: str) -> bool:
    return kind == other or (kind in "biu" and other in "biu")


def _typed(block: Block, dtype: np.dtype | None) -> Block:
    """The block with C-ordered rows or canonical CSR, and checked y."""
    y = block.y
    try:
        if y is not None:
            y = _targets(y)
        return block._replace(X=_rows(block.X, dtype), y=y)
    except ValueError as fault:
        raise ValueError(f"rows {block.start} and following: {fault}") from fault


def _targets(y: Any) -> LabelArray:
    """Labels, class probabilities, or 1 and -1 for an indicator of several labels."""
    if is_indicator(y):
        return indicator_of(y)
    y = np.asarray(y)
    return check_probabilities(y) if y.ndim == 2 else check_targets(labels_of(y))


def _rows(X: Any, dtype: np.dtype | None) -> Matrix:
    if sparse.issparse(X):
        X = canonical(X.tocsr(), without_zeros=True)
    else:
        X = X.to_numpy() if hasattr(X, "to_numpy") else X
        X = np.ascontiguousarray(X)
        if X.ndim != 2:
            raise ValueError(f"X has the shape {X.shape}; rows of features have two dimensions")
    if X.dtype not in FLOATS:
        if X.dtype.kind not in "biuf":
            raise ValueError(f"X holds {X.dtype}, and features are numbers; encode them with Batches.map")
        X = X.astype(np.float32 if X.dtype.kind == "f" and X.dtype.itemsize <= 4 else np.float64)
    return X if dtype is None else X.astype(dtype, copy=False)


def weights_of(block: Block) -> FloatArray:
    """Checked weights of the rows of a block."""
    weights = block.weights
    if weights is None:
        return np.ones(block.n_rows)
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"the weight of row {block.start + row} is {weights[row]:.6g}; weights are finite and not "
            "negative"
        )
    return weights


def labels_at(block: Block) -> LabelArray:
    """The labels or probabilities, or an error if there are none."""
    if block.y is None:
        raise ValueError("the source has no target; pass target= to Batches")
    return block.y
