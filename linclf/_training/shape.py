"""The size of a problem, which determines its plan and its memory."""

from typing import NamedTuple

import numpy as np


class Shape(NamedTuple):
    """Numbers of rows, features and products, and the type of the weights."""

    n_rows: int  # that are trained on
    n_features: int  # of X
    n_trained: int  # features in training coordinates
    n_products: int  # of a row with weights; they are its scores, or half of them
    dtype: np.dtype
    stored: float | None = None  # values of a row of sparse X, the constant included; None for dense X

    @property
    def n_weights(self) -> int:
        return self.n_products * (self.n_trained + 1)

    @property
    def is_sparse(self) -> bool:
        return self.stored is not None
