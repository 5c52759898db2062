"""Texts with several labels a row: comments with their emotions, and generated ones with many labels."""

import csv
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import MultiLabelBinarizer

from benchmarks.data import generated, real

WORDS, FEWEST = 30, 5  # words of a generated text, and rows of its rarest label


class LabelledTexts(NamedTuple):
    """TF-IDF of training and test texts, and indicators of their labels."""

    name: str
    source: str
    X: Any
    Y: np.ndarray
    X_test: Any
    Y_test: np.ndarray

    def facts(self) -> dict[str, Any]:
        counts = self.Y.sum(axis=0)
        return {
            "name": self.name,
            "source": self.source,
            "rows": self.X.shape[0],
            "test_rows": self.X_test.shape[0],
            "features": self.X.shape[1],
            "nonzeros": int(self.X.nnz),
            "labels": self.Y.shape[1],
            "labels_a_row": float(self.Y.sum(axis=1).mean()),
            "rows_of_a_label": [int(counts.min()), int(counts.max())],
        }


def goemotions(quick: bool) -> LabelledTexts:
    """Comments with one emotion or several of 28, as words and pairs of words that occur twice or more."""
    loaders = real.folder()
    if loaders is None or quick:
        return many_labels(1_000, 500, 8, "like GoEmotions")
    parts = [_read(loaders.HERE / "goemotions" / f"{part}.tsv") for part in ("train", "test")]
    texts, labels = zip(*parts, strict=True)
    binarizer = MultiLabelBinarizer()
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
    X, X_test = vectorizer.fit_transform(texts[0]), vectorizer.transform(texts[1])
    Y, Y_test = binarizer.fit_transform(labels[0]), binarizer.transform(labels[1])
    return LabelledTexts("GoEmotions", "real", X, Y, X_test, Y_test)


def _read(path: Any) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [row[0] for row in rows], [row[1].split(",") for row in rows]


def many_labels(n: int, n_features: int, n_labels: int, name: str) -> LabelledTexts:
    """Rows of words; a third of them belong to the labels of the row, of which there are one to three."""
    rng = np.random.default_rng(0)
    n_all = n + n // 4
    share = 1 / np.arange(1, n_labels + 1) ** 0.8
    drawn = rng.choice(n_labels, (n_all, 3), p=share / share.sum())
    for label in range(n_labels):
        drawn[rng.choice(n, FEWEST, replace=False), 0] = label
    drawn[:, 1:] = np.where(rng.random((n_all, 2)) < 0.5, drawn[:, 1:], drawn[:, :1])
    Y = np.zeros((n_all, n_labels), np.int64)
    Y[np.arange(n_all)[:, None], drawn] = 1
    owner = np.take_along_axis(drawn, rng.integers(0, 3, (n_all, WORDS)), axis=1)
    own = (owner * 7919 + rng.integers(0, 20, owner.shape)) % n_features
    common = np.minimum(rng.zipf(1.3, owner.shape) - 1, n_features - 1)
    words = np.where(rng.random(owner.shape) < 1 / 3, own, common)
    counts = sparse.csr_matrix(
        (np.ones(words.size), words.ravel(), np.arange(0, words.size + 1, WORDS)), shape=(n_all, n_features)
    )
    X = generated.weighted(counts)
    return LabelledTexts(f"generated {name}", "generated", X[:n], Y[:n], X[n:], Y[n:])
