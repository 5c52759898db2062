"""How X is stored, and the verbs that kernels use on a block of its rows (`verbs`).

The weights that a kernel sees are in training coordinates:

`InPlace`  ``V (n_classes, n_features + 1)`` for rows ``[(x - centre) * factor, constant]``, dense, with few
         classes: products are computed in tiles, on the rows in place.
`Copied` the same for many classes: blocks of rows are copied into a buffer Z that stays in the cache, and
         BLAS multiplies it.
`CSR`    ``V (n_features + 1, n_classes)``, so that a stored value touches n_classes contiguous
         numbers, for rows ``[x * factor, constant]``. In `descend`, ``V[:-1]`` is held as
         ``scale * V``, so that the penalty costs one multiplication per step; the few features with
         another penalty than the shared one are corrected one by one.

The last feature is the constant whose weight is the intercept. It has no penalty.
"""

from linclf._storage.choice import dense_storage
from linclf._storage.copied import Copied
from linclf._storage.csr import CSR, sparse_storage
from linclf._storage.dense import Dense
from linclf._storage.in_place import InPlace
from linclf._storage.verbs import Block, Storage, read_only

__all__ = [
    "CSR",
    "Block",
    "Copied",
    "Dense",
    "InPlace",
    "Storage",
    "dense_storage",
    "read_only",
    "sparse_storage",
]
