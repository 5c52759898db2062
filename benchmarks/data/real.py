"""Real data: tables bundled with scikit-learn, and those in the folder in LINCLF_DATA."""

import functools
import gzip
import importlib.util
import os
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from benchmarks.data.dataset import DataSet

TABLES = (
    "letter",
    "pendigits",
    "segment",
    "spambase",
    "vowel",
    "optdigits",
    "waveform5000",
    "page.blocks",
    "sick",
)
IMBALANCED = ("mammography", "oil-spill")


@functools.cache
def folder() -> ModuleType | None:
    """The loaders of the folder in LINCLF_DATA, or None."""
    path = Path(os.environ.get("LINCLF_DATA", "")) / "load.py"
    if "LINCLF_DATA" not in os.environ or not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("linclf_benchmark_data", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bundled(name: str) -> DataSet:
    """A table bundled with scikit-learn, not scaled: iris, wine, breast_cancer or digits."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return _split(name, "bundled with scikit-learn", X, y)


def table(loaders: ModuleType, name: str) -> DataSet:
    """A table of the folder as numbers: text columns one-hot, missing cells the column's median."""
    rows, labels = loaders.imbalanced(name) if name in IMBALANCED else loaders.arff(name)
    cells = np.array(rows, dtype=object)
    cells[cells == "?"] = np.nan
    cells = cells[:, [(column == column).any() for column in cells.T]]  # some columns have no value at all
    numeric = [j for j, column in enumerate(cells.T) if _is_numeric(column)]
    text = [j for j in range(cells.shape[1]) if j not in numeric]
    columns = make_column_transformer(
        (SimpleImputer(strategy="median"), numeric),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(sparse_output=False)), text),
    )
    cells[:, numeric] = cells[:, numeric].astype(float)
    X = np.ascontiguousarray(columns.fit_transform(cells), dtype=np.float64)
    return _split(name, "real", X, labels)


def tfidf(name: str, parts: tuple, **settings: Any) -> DataSet:
    """Texts, labels, test texts and test labels as TF-IDF of words."""
    return _vectorised(name, parts, TfidfVectorizer(**settings))


def hashed(name: str, parts: tuple, n_features: int) -> DataSet:
    """The same with hashed words: no vocabulary, and columns that do not occur."""
    return _vectorised(name, parts, HashingVectorizer(n_features=n_features))


def oewn_glosses(loaders: ModuleType) -> DataSet:
    with gzip.open(loaders.HERE / "oewn_glosses" / "oewn_glosses.tsv.gz", "rt", encoding="utf-8") as lines:
        cells = [line.rstrip("\n").split("\t") for line in lines][1:]
    rows_of = Counter(row[2] for row in cells)  # the hypernym
    cells = np.array([(row[4], row[2]) for row in cells if row[2] and rows_of[row[2]] > 1], dtype=object)
    test = np.load(loaders.HERE / "oewn_glosses" / "oewn_minilm_384d.npz")["test"]
    hashing = HashingVectorizer(n_features=2**16, alternate_sign=False, norm=None, dtype=np.float32)
    vectorizer = make_pipeline(hashing, TfidfTransformer(sublinear_tf=True))
    (texts, labels), (test_texts, test_labels) = cells[~test].T, cells[test].T
    return _vectorised("OEWN glosses", (texts, labels, test_texts, test_labels), vectorizer)


def _split(name: str, source: str, X: np.ndarray, labels: np.ndarray) -> DataSet:
    y = np.unique(labels, return_inverse=True)[1]
    _, counts = np.unique(y, return_counts=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y if counts.min() > 1 else None)
    return DataSet(name, source, np.ascontiguousarray(X), y, X_test, y_test)


def _vectorised(name: str, parts: tuple, vectorizer: Any) -> DataSet:
    texts, labels, test_texts, test_labels = parts
    classes, y = np.unique(labels, return_inverse=True)
    X, X_test = vectorizer.fit_transform(texts), vectorizer.transform(test_texts)
    return DataSet(name, "real", X, y, X_test, np.searchsorted(classes, test_labels))


def _is_numeric(column: np.ndarray) -> bool:
    try:
        column.astype(float)
    except ValueError:
        return False
    return True
