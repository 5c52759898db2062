"""Generated data with the shapes of real data, and modifications of a data set."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from benchmarks.data.dataset import DataSet, Scores
from linclf.functional import log_softmax


def gaussian(
    n: int,
    n_features: int,
    n_classes: int,
    name: str,
    *,
    n_test: int | None = None,
    distance: float = 5.0,
    offset: float = 0.0,
    scale: float = 1.0,
    dtype: DTypeLike = np.float32,
) -> DataSet:
    """Gaussian classes with correlated features, their centres this many standard deviations apart."""
    rng = np.random.default_rng(0)
    n_all = n + (n_test or n // 5)
    mixing = rng.standard_normal((n_features, n_features)) * np.geomspace(1, 0.05, n_features)
    centres = rng.standard_normal((n_classes, n_features)) * distance / np.sqrt(2 * n_features)
    y = rng.permutation(np.arange(n_all) % n_classes)
    X = (centres[y] + rng.standard_normal((n_all, n_features))) @ mixing.T / np.sqrt(n_features)
    X = (offset + scale * X).astype(dtype)
    return DataSet(f"generated {name}", "generated", X[:n], y[:n], X[n:], y[n:])


def images(n: int, n_test: int, n_features: int, n_classes: int, name: str) -> DataSet:
    """Values in [0, 1], two thirds of them 0, like pixels of handwritten digits."""
    data = gaussian(n, n_features, n_classes, name, n_test=n_test, distance=8.0)
    return data._replace(X=np.clip(data.X - 0.2, 0, 1), X_test=np.clip(data.X_test - 0.2, 0, 1))


def texts(n: int, n_features: int, n_classes: int, words: int, own_words: float, name: str) -> DataSet:
    """TF-IDF of rows of words; this share of the words belongs to the class, the rest is common to all."""
    rng = np.random.default_rng(0)
    n_all = n + n // 4
    y = rng.permutation(np.arange(n_all) % n_classes)
    common = np.minimum(rng.zipf(1.3, (n_all, words)) - 1, n_features - 1)
    own = rng.integers(0, 30, (n_all, words)) * n_classes + y[:, None]
    columns = np.where(rng.random((n_all, words)) < own_words, own % n_features, common)
    counts = sparse.csr_matrix(
        (np.ones(columns.size, np.float64), columns.ravel(), np.arange(0, columns.size + 1, words)),
        shape=(n_all, n_features),
    )
    X = weighted(counts)
    return DataSet(f"generated {name}", "generated", X[:n], y[:n], X[n:], y[n:])


def weighted(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """TF-IDF of counts of words."""
    counts.sum_duplicates()
    n_rows, n_features = counts.shape
    frequency = np.bincount(counts.indices, minlength=n_features)
    X = counts @ sparse.diags(1 + np.log((1 + n_rows) / (1 + frequency)))
    return sparse.csr_matrix(sparse.diags(1 / np.sqrt(X.multiply(X).sum(axis=1).A1)) @ X)


class ZipfClasses(NamedTuple):
    """Classes, each with a direction, with shares proportional to 1/k in random order."""

    share: np.ndarray
    directions: np.ndarray
    noise: float

    @classmethod
    def draw(cls, n_classes: int, n_features: int, noise: float) -> Self:
        rng = np.random.default_rng(0)
        share = rng.permutation(1 / np.arange(1, n_classes + 1))
        return cls(share / share.sum(), rng.standard_normal((n_classes, n_features), np.float32), noise)

    def rows(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        X = rng.standard_normal((len(y), self.directions.shape[1]), np.float32)
        X *= np.float32(self.noise)
        X += self.directions[y]
        return X

    def log_probabilities(self, X: np.ndarray) -> np.ndarray:
        """The true log-probabilities, from which the labels of such rows are drawn."""
        D = self.directions
        scores = (X @ D.T - np.square(D).sum(axis=1) / 2) / np.float32(self.noise) ** 2
        return log_softmax(scores.astype(np.float64) + np.log(self.share), axis=1)


def one_hot(n: int, n_columns: int, n_classes: int, name: str) -> DataSet:
    """Categories of some columns, each a column of ones, as CSR; a few of them decide the class."""
    rng = np.random.default_rng(0)
    n_all = n + n // 4
    sizes = rng.integers(2, 12, n_columns)
    codes = np.stack([rng.integers(0, size, n_all) for size in sizes], axis=1)
    columns = codes + np.append(0, np.cumsum(sizes)[:-1])
    X = sparse.csr_matrix(
        (np.ones(columns.size), columns.ravel(), np.arange(0, columns.size + 1, n_columns)),
        shape=(n_all, int(sizes.sum())),
    )
    scores = X @ rng.standard_normal((X.shape[1], n_classes)) + rng.gumbel(size=(n_all, n_classes))
    y = scores.argmax(axis=1)
    return DataSet(f"generated {name}", "generated", X[:n], y[:n], X[n:], y[n:])


def heavy_tailed(n: int, n_features: int, n_classes: int, name: str) -> DataSet:
    """Log-normal features in units of nine decades, and classes of very different shares."""
    rng = np.random.default_rng(0)
    n_all = n + n // 4
    logs = 2 * rng.standard_normal((n_all, n_features))
    scores = logs @ rng.standard_normal((n_features, n_classes)) / np.sqrt(n_features)
    y = (scores + rng.gumbel(size=scores.shape) + np.linspace(0, 4, n_classes)).argmax(axis=1)
    X = np.exp(logs) * 10.0 ** rng.uniform(-5, 4, n_features)
    return DataSet(f"generated {name}", "generated", X[:n], y[:n], X[n:], y[n:])


def zipf(n: int, n_test: int, n_features: int, n_classes: int, name: str, noise: float) -> DataSet:
    """Rows of `ZipfClasses`; each class has at least one training row, so there are more than n."""
    classes, rng = ZipfClasses.draw(n_classes, n_features, noise), np.random.default_rng(1)
    counts = np.maximum(np.round(n * classes.share).astype(int), 1)
    y = rng.permutation(np.repeat(np.arange(n_classes), counts))
    y_test = rng.choice(n_classes, n_test, p=classes.share)
    rows = [classes.rows(labels, rng) for labels in (y, y_test)]
    return DataSet(f"generated {name}", "generated", rows[0], y, rows[1], y_test)


def logits(n: int, n_classes: int, name: str, seed: int) -> Scores:
    """Logits twice as large as those from which labels are drawn, and biased towards the last classes."""
    rng = np.random.default_rng(seed)
    f = 3 * rng.standard_normal((n, n_classes))
    y = (f + rng.gumbel(size=f.shape)).argmax(axis=1)
    scores = (2 * f + np.linspace(0, 1, n_classes)).astype(np.float32)
    return Scores(f"generated {name}", "generated", scores, y)


def imbalanced(data: DataSet, ratio: float) -> DataSet:
    """The same with fewer and fewer rows per class, down to 1 of ``ratio`` in the last class."""
    share = np.geomspace(1, 1 / ratio, data.n_classes)
    kept, kept_test = (np.random.default_rng(0).random(len(y)) < share[y] for y in (data.y, data.y_test))
    return data._replace(
        X=data.X[kept], y=data.y[kept], X_test=data.X_test[kept_test], y_test=data.y_test[kept_test]
    )


def wrong_labels(data: DataSet, share: float) -> DataSet:
    """The same with this share of the training labels replaced by another class at random."""
    rng = np.random.default_rng(0)
    rows = rng.choice(len(data.y), round(share * len(data.y)), replace=False)
    y = data.y.copy()
    y[rows] = (y[rows] + rng.integers(1, data.n_classes, len(rows))) % data.n_classes
    return data._replace(name=f"{data.name}, {share:.0%} of the labels wrong", y=y)
