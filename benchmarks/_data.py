"""The data sets: real ones from the folder in LINCLF_DATA, else generated ones that say so."""

import functools
import gzip
import importlib.util
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from linclf.functional import log_softmax

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
NETWORKS = (
    *("lenet-5-cifar-10", "wideresnet-16-4-cifar-10"),
    *("lenet-5-cifar-100", "wideresnet-16-4-cifar-100", "densenet-bc-100-cifar-100"),
)


class DataSet(NamedTuple):
    """Training and test rows; labels are 0, 1, ..., n_classes - 1."""

    name: str
    source: str  # "real", "bundled with scikit-learn" or "generated"
    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @property
    def n_classes(self):
        return int(self.y.max()) + 1

    def facts(self):
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

    def scaled(self):
        """The same data set with features of mean 0 and variance 1."""
        scaler = StandardScaler().fit(self.X)
        return self._replace(
            name=f"{self.name}, scaled", X=scaler.transform(self.X), X_test=scaler.transform(self.X_test)
        )


class Scores(NamedTuple):
    """Scores (n, K) of a model whose training is over, on rows that it was not trained on."""

    name: str
    source: str
    scores: np.ndarray
    y: np.ndarray

    @property
    def n_classes(self):
        return self.scores.shape[1]

    def facts(self):
        """What a result says about its data."""
        facts = {"name": self.name, "source": self.source, "rows": len(self.y), "classes": self.n_classes}
        return facts | {"dtype": str(self.scores.dtype)}


@functools.cache
def folder():
    """The loaders of the folder in LINCLF_DATA, or None."""
    path = Path(os.environ.get("LINCLF_DATA", "")) / "load.py"
    if "LINCLF_DATA" not in os.environ or not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("linclf_benchmark_data", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mnist(quick):
    """60,000 images of 784 pixels, 10 classes, float32 in [0, 1]."""
    if folder() and not quick:
        return DataSet("MNIST", "real", *folder().mnist())
    shape = (2_000, 500, 196) if quick else (60_000, 10_000, 784)
    return generated_images(*shape, 10, "like MNIST")


def embeddings(quick):
    """Dense rows like those of a frozen text or image encoder: float32, many classes."""
    n, n_features, n_classes = (3_000, 64, 20) if quick else (20_000, 768, 100)
    return generated(n, n_features, n_classes, "embeddings", distance=8.0)


def clinc150(quick):
    """Short queries as TF-IDF of words and pairs of words: CSR, 150 classes."""
    if folder() and not quick:
        return _texts("CLINC150", folder().clinc150(), ngram_range=(1, 2))
    return generated_texts(
        *((2_000, 3_000, 20) if quick else (18_000, 35_000, 150)), 14, 0.15, "like CLINC150"
    )


def newsgroups(quick):
    """Messages as TF-IDF of words: CSR, 20 classes."""
    if folder() and not quick:
        return _texts("20 newsgroups", folder().newsgroups(), sublinear_tf=True)
    return generated_texts(
        *((1_000, 4_000, 10) if quick else (11_000, 100_000, 20)), 100, 0.05, "like 20 newsgroups"
    )


def goemotions(quick):
    """Comments as TF-IDF of words: CSR, 28 emotions, the rarest with 39 of 36,308 rows."""
    if folder() and not quick:
        return _texts("GoEmotions", folder().goemotions(), sublinear_tf=True)
    shape = (4_000, 2_000, 8) if quick else (60_000, 24_000, 28)
    return thinned(generated_texts(*shape, 12, 0.3, "like GoEmotions"), 100)


def oewn(quick):
    """Sentence embeddings of glosses, and their hypernyms in WordNet: float32, 12,369 classes."""
    if folder() and not quick:
        return DataSet("OEWN", "real", *folder().oewn())
    shape = (4_000, 600, 32, 300) if quick else (66_400, 9_624, 384, 12_369)
    return generated_zipf(*shape, "like OEWN", noise=5.0)


def oewn_texts(quick):
    """The glosses of `oewn` themselves, as hashed TF-IDF of words: CSR, 65,536 features."""
    if not folder() or quick:
        shape = (4_000, 3_000, 300) if quick else (66_400, 65_536, 12_369)
        return generated_texts(*shape, 10, 0.3, "like OEWN glosses")
    with gzip.open(folder().HERE / "oewn_glosses" / "oewn_glosses.tsv.gz", "rt", encoding="utf-8") as lines:
        cells = [line.rstrip("\n").split("\t") for line in lines][1:]
    rows_of = Counter(row[2] for row in cells)  # the hypernym
    cells = np.array([(row[4], row[2]) for row in cells if row[2] and rows_of[row[2]] > 1], dtype=object)
    test = np.load(folder().HERE / "oewn_glosses" / "oewn_minilm_384d.npz")["test"]
    hashing = HashingVectorizer(n_features=2**16, alternate_sign=False, norm=None, dtype=np.float32)
    vectorizer = make_pipeline(hashing, TfidfTransformer(sublinear_tf=True))
    (texts, labels), (test_texts, test_labels) = cells[~test].T, cells[test].T
    return _vectorised("OEWN glosses", (texts, labels, test_texts, test_labels), vectorizer)


def networks(quick):
    """Logits of neural networks on test images of CIFAR-10 and CIFAR-100, most of them too sure."""
    for name in NETWORKS:
        n_classes = int(name.rpartition("-")[2])
        if folder() and not quick:
            yield Scores(name, "real", *folder().network_logits(name))
        elif not quick:
            yield generated_logits(10_000, n_classes, f"like {name}", NETWORKS.index(name))
        elif name.startswith("lenet"):
            yield generated_logits(1_000, min(n_classes, 20), f"like {name}", NETWORKS.index(name))


def out_of_scope(quick):
    """Queries that belong to none of the classes of `clinc150`, in its columns."""
    if folder() and not quick:
        texts, *_ = folder().clinc150()
        return TfidfVectorizer(ngram_range=(1, 2)).fit(texts).transform(folder().clinc150_out_of_scope())
    shape = (2_000, 3_000, 20) if quick else (18_000, 35_000, 150)
    return generated_texts(*shape, 14, 0.0, "out of scope").X_test[:1_000]


def imbalanced(name, n_splits, quick):
    """A table of few positive rows, features of variance 1, split this many times."""
    if folder() and not quick:
        data = table(name)
    else:
        n = 2_000 if quick else {"mammography": 16_000, "oil-spill": 1_400}[name]
        data = thinned(generated(n, 6, 2, f"like {name}", distance=2.0, dtype=np.float64), 40)
    X, y = np.concatenate([data.X, data.X_test]), np.concatenate([data.y, data.y_test])
    for seed in range(n_splits):
        parts = train_test_split(X, y, random_state=seed, stratify=y)
        X_train, X_test, y_train, y_test = parts
        split = DataSet(data.name, data.source, X_train, y_train, X_test, y_test).scaled()
        yield split._replace(name=data.name)


def thinned(data, ratio):
    """The same with fewer rows of each next class, down to 1 of ``ratio`` in the last one."""
    share = np.geomspace(1, 1 / ratio, data.n_classes)
    kept, kept_test = (np.random.default_rng(0).random(len(y)) < share[y] for y in (data.y, data.y_test))
    return data._replace(
        X=data.X[kept], y=data.y[kept], X_test=data.X_test[kept_test], y_test=data.y_test[kept_test]
    )


def wrong_labels(data, share):
    """The same with this share of the training labels replaced by another class, each as likely."""
    rng = np.random.default_rng(0)
    rows = rng.choice(len(data.y), round(share * len(data.y)), replace=False)
    y = data.y.copy()
    y[rows] = (y[rows] + rng.integers(1, data.n_classes, len(rows))) % data.n_classes
    return data._replace(name=f"{data.name}, {share:.0%} of the labels wrong", y=y)


def bundled(name):
    """A table that comes with scikit-learn, not scaled: iris, wine, breast_cancer or digits."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return _split(name, "bundled with scikit-learn", X, y)


def table(name):
    """A table of LINCLF_DATA as numbers: text columns one-hot, missing cells the column's median."""
    rows, labels = folder().imbalanced(name) if name in IMBALANCED else folder().arff(name)
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


def generated(
    n, n_features, n_classes, name, n_test=None, distance=5.0, offset=0.0, scale=1.0, dtype=np.float32
):
    """Gaussian classes with correlated features, their centres this many standard deviations apart."""
    rng = np.random.default_rng(0)
    n_all = n + (n_test or n // 5)
    mixing = rng.standard_normal((n_features, n_features)) * np.geomspace(1, 0.05, n_features)
    centres = rng.standard_normal((n_classes, n_features)) * distance / np.sqrt(2 * n_features)
    y = rng.permutation(np.arange(n_all) % n_classes)
    X = (centres[y] + rng.standard_normal((n_all, n_features))) @ mixing.T / np.sqrt(n_features)
    X = (offset + scale * X).astype(dtype)
    return DataSet(f"generated {name}", "generated", X[:n], y[:n], X[n:], y[n:])


class Zipf(NamedTuple):
    """Classes of which the k-th most frequent has a share of about 1/k, each with a direction."""

    share: np.ndarray
    directions: np.ndarray
    noise: float

    @classmethod
    def of(cls, n_classes, n_features, noise):
        rng = np.random.default_rng(0)
        share = rng.permutation(1 / np.arange(1, n_classes + 1))
        return cls(share / share.sum(), rng.standard_normal((n_classes, n_features), np.float32), noise)

    def rows(self, y, rng):
        X = rng.standard_normal((len(y), self.directions.shape[1]), np.float32)
        X *= np.float32(self.noise)
        X += self.directions[y]
        return X

    def log_probabilities(self, X):
        """Those by which the rows are drawn."""
        D = self.directions
        scores = (X @ D.T - np.square(D).sum(axis=1) / 2) / np.float32(self.noise) ** 2
        return log_softmax(scores.astype(np.float64) + np.log(self.share), axis=1)


def generated_zipf(n, n_test, n_features, n_classes, name, noise):
    """Rows of `Zipf`: each class has one training row at least, so that there are more than n."""
    classes, rng = Zipf.of(n_classes, n_features, noise), np.random.default_rng(1)
    counts = np.maximum(np.round(n * classes.share).astype(int), 1)
    y = rng.permutation(np.repeat(np.arange(n_classes), counts))
    y_test = rng.choice(n_classes, n_test, p=classes.share)
    rows = [classes.rows(labels, rng) for labels in (y, y_test)]
    return DataSet(f"generated {name}", "generated", rows[0], y, rows[1], y_test)


def generated_images(n, n_test, n_features, n_classes, name):
    """Rows in [0, 1] of which two thirds are 0, like pixels of handwriting."""
    data = generated(n, n_features, n_classes, name, n_test, distance=8.0)
    return data._replace(X=np.clip(data.X - 0.2, 0, 1), X_test=np.clip(data.X_test - 0.2, 0, 1))


def generated_texts(n, n_features, n_classes, words, own_words, name):
    """TF-IDF of rows of words; this share of them are words of the class, the others common to all."""
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
    counts.sum_duplicates()
    frequency = np.bincount(counts.indices, minlength=n_features)
    X = counts @ sparse.diags(1 + np.log((1 + n_all) / (1 + frequency)))
    X = sparse.csr_matrix(sparse.diags(1 / np.sqrt(X.multiply(X).sum(axis=1).A1)) @ X)
    return DataSet(f"generated {name}", "generated", X[:n], y[:n], X[n:], y[n:])


def generated_logits(n, n_classes, name, seed):
    """Logits that are twice as large as those by which the labels are drawn, and favour the last classes."""
    rng = np.random.default_rng(seed)
    f = 3 * rng.standard_normal((n, n_classes))
    y = (f + rng.gumbel(size=f.shape)).argmax(axis=1)
    scores = (2 * f + np.linspace(0, 1, n_classes)).astype(np.float32)
    return Scores(f"generated {name}", "generated", scores, y)


def many(quick):
    """Generator of data sets of all shapes for the question whether the defaults do."""
    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield bundled(name)
    for name in ("wine", "breast_cancer"):
        yield bundled(name).scaled()
    if quick:
        yield clinc150(quick)
        return
    if folder():
        for name in TABLES + IMBALANCED:
            yield table(name)
        for name in ("pendigits", "spambase"):
            yield table(name).scaled()
    else:
        double = functools.partial(generated, dtype=np.float64)
        yield double(20_000, 16, 26, "20,000 x 16, 26 classes")
        yield double(5_000, 57, 2, "5,000 x 57, offset and scale", distance=2.0, offset=100.0, scale=30.0)
        yield double(1_000, 10, 11, "1,000 x 10, 11 classes", distance=3.0)
        yield double(200, 5, 3, "200 x 5, offset 10,000", distance=3.0, offset=1e4)
        yield generated(600, 1_280, 4, "600 x 1,280")
        yield generated(50_000, 30, 2, "50,000 x 30", distance=2.0)
    for load in (embeddings, mnist, clinc150, newsgroups):
        yield load(quick)


def _split(name, source, X, labels):
    y = np.unique(labels, return_inverse=True)[1]
    _, counts = np.unique(y, return_counts=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y if counts.min() > 1 else None)
    return DataSet(name, source, np.ascontiguousarray(X), y, X_test, y_test)


def _texts(name, parts, **settings):
    return _vectorised(name, parts, TfidfVectorizer(**settings))


def _vectorised(name, parts, vectorizer):
    texts, labels, test_texts, test_labels = parts
    classes, y = np.unique(labels, return_inverse=True)
    X, X_test = vectorizer.fit_transform(texts), vectorizer.transform(test_texts)
    return DataSet(name, "real", X, y, X_test, np.searchsorted(classes, test_labels))


def _is_numeric(column):
    try:
        column.astype(float)
    except ValueError:
        return False
    return True
