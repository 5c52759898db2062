"""What training asks of a loss on z."""

from typing import Any, Protocol

import numpy as np

from linclf._types import FloatArray, IntArray
from linclf.embedding._rows import Rows


class Objective(Protocol):
    """A loss on the rows z of a batch, with the state that it keeps."""

    head: FloatArray  # (K, m) further weights that are trained with A; no rows if there are none

    def order(self, rng: np.random.RandomState) -> IntArray:
        """The rows in the order of an epoch."""
        ...

    def views(self, rows: Rows, rng: np.random.RandomState) -> Rows:
        """What is embedded of the rows of a batch: themselves, or random changes of them."""
        ...

    def gradient(self, Z: FloatArray, ids: IntArray) -> tuple[float, FloatArray, FloatArray]:
        """The loss of a batch (a mean), and its gradients with respect to Z and the head."""
        ...

    def attributes(self) -> dict[str, Any]:
        """Fitted attributes of an estimator."""
        ...


class Plain:
    """Rows in random order, as they are, without further weights."""

    def __init__(self, n_rows: int, dtype: np.dtype) -> None:
        self.n_rows, self.head = n_rows, np.zeros((0, 0), dtype)

    def order(self, rng: np.random.RandomState) -> IntArray:
        return rng.permutation(self.n_rows)

    def views(self, rows: Rows, rng: np.random.RandomState) -> Rows:
        return rows

    def attributes(self) -> dict[str, Any]:
        return {}


def class_means(Z: FloatArray, y: IntArray, n_classes: int) -> FloatArray:
    """Means (n_classes, q) of the rows of each class."""
    sums = np.stack([np.bincount(y, column, n_classes) for column in Z.T], axis=1)
    return (sums / np.bincount(y, minlength=n_classes)[:, None]).astype(Z.dtype)
