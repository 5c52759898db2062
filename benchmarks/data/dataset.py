"""The data of a question: rows with labels, or the scores of a trained network."""

from typing import Any, NamedTuple, Self

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

Rows = np.ndarray | sparse.csr_matrix  # (n, d)


class DataSet(NamedTuple):
    """Training and test rows; labels are 0, 1, ..., n_classes - 1."""

    name: str
    source: str  # "real", "bundled with scikit-learn" or "generated"
    X: Rows
    y: np.ndarray
    X_test: Rows
    y_test: np.ndarray

    @property
    def n_classes(self) -> int:
        return int(self.y.max()) + 1

    def facts(self) -> dict[str, Any]:
        """What a result says about its data."""
        facts = {
            "name": self.name,
            "source": self.source,
            "rows": self.X.shape[0],
            "test_rows": self.X_test.shape[0],
            "features": self.X.shape[1],
            "classes": self.n_classes,
            "dtype": str(self.X.dtype),
        }
        return facts | ({"nonzeros": int(self.X.nnz)} if sparse.issparse(self.X) else {})

    def scaled(self) -> Self:
        """The same data set with features of mean 0 and variance 1."""
        scaler = StandardScaler().fit(self.X)
        return self._replace(
            name=f"{self.name}, scaled", X=scaler.transform(self.X), X_test=scaler.transform(self.X_test)
        )


class Scores(NamedTuple):
    """Scores (n, K) of a trained model on rows that it was not trained on."""

    name: str
    source: str
    scores: np.ndarray
    y: np.ndarray

    @property
    def n_classes(self) -> int:
        return self.scores.shape[1]

    def facts(self) -> dict[str, Any]:
        """What a result says about its data."""
        facts = {"name": self.name, "source": self.source, "rows": len(self.y), "classes": self.n_classes}
        return facts | {"dtype": str(self.scores.dtype)}
