"""What is trained on: checked rows, targets and weights, in the form in which everything below takes them."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split

from linclf._data.targets import Labels, Targets
from linclf._types import FloatArray, IntArray, Matrix


class Dataset(NamedTuple):
    """X (float32/float64, C-ordered or canonical CSR), targets, and a weight for each row.

    If ``chosen`` is given, only these rows are trained on, and the others have weight 0.
    """

    X: Matrix
    y: Targets
    weights: FloatArray
    chosen: IntArray | None = None

    @property
    def ids(self) -> IntArray:
        """The rows that are trained on."""
        return np.arange(len(self.weights)) if self.chosen is None else self.chosen

    @property
    def is_sparse(self) -> bool:
        return sparse.issparse(self.X)

    def take(self, ids: IntArray) -> "Dataset":
        return Dataset(self.X[ids], self.y.take(ids), self.weights[ids])

    def with_labels(self) -> "Dataset":
        """Rows of class probabilities as weighted copies, one for each class."""
        if not self.y.soft:
            return self
        ids = self.ids
        rows, classes, shares = self.y.take(ids).copies()
        rows = ids[rows]
        return Dataset(self.X[rows], Labels(classes, self.y.n_classes), self.weights[rows] * shares)


def dataset(X: Matrix, y: Targets, weights: FloatArray, per_class: FloatArray | None) -> Dataset:
    """Class weights multiplied in; a row of probabilities has its expected class weight."""
    if per_class is not None:
        weights = weights * y.expected(per_class)
        kept = np.flatnonzero(weights)
        if not kept.size:
            raise ValueError("class_weight leaves no row with a positive weight")
        if kept.size < len(weights):
            X, y, weights = X[kept], y.take(kept), weights[kept]
    return Dataset(X, y.cast(X.dtype), weights)


def split(data: Dataset, fraction: float, rng: np.random.RandomState) -> tuple[Dataset, Dataset]:
    """Data of which a part is not trained on, and that part; only the part is copied."""
    labels = data.y.most_probable
    try:
        train, test = train_test_split(
            np.arange(len(labels)), test_size=fraction, random_state=rng, stratify=labels
        )
    except ValueError as fault:
        raise ValueError(
            f"early_stopping=True with validation_fraction={fraction} cannot hold out "
            f"rows of every class ({fault}); use a larger fraction, or pass X_val and y_val"
        ) from fault
    test = np.sort(test)
    weights = data.weights.copy()
    weights[test] = 0
    return data._replace(weights=weights, chosen=np.sort(train)), data.take(test)
