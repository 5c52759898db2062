"""Sets of classes as rows of a sparse array, gathered block by block."""

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from linclf._types import BoolArray


def as_rows(blocks: Iterable[BoolArray], n_classes: int) -> sparse.csr_array:
    """Blocks (m, K) of memberships as one boolean CSR array."""
    sizes, members = [], []
    for block in blocks:
        rows, columns = np.nonzero(block)
        sizes.append(np.bincount(rows, minlength=len(block)))
        members.append(columns.astype(np.int32))
    indices = np.concatenate(members)
    ends = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    shape = len(ends) - 1, n_classes
    return sparse.csr_array((np.ones(len(indices), bool), indices, ends), shape=shape)
