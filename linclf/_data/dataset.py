"""What is trained on."""

from typing import NamedTuple

import numpy as np


class Data(NamedTuple):
    """X (float32/float64, C-ordered or canonical CSR), y (indices or probabilities), weights.

    Where ``rows`` are given, only they are trained on, and the others have weight 0.
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    rows: np.ndarray | None = None
