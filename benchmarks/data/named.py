"""The data sets by name: the real one, or a generated one of its shape; a quick run gets a small one."""

import functools
from collections.abc import Iterator

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split

from benchmarks.data import generated, real
from benchmarks.data.dataset import DataSet, Rows, Scores

NETWORKS = (
    *("lenet-5-cifar-10", "wideresnet-16-4-cifar-10"),
    *("lenet-5-cifar-100", "wideresnet-16-4-cifar-100", "densenet-bc-100-cifar-100"),
)


def mnist(quick: bool) -> DataSet:
    """60,000 images of 784 pixels, 10 classes, float32 in [0, 1]."""
    if (loaders := real.folder()) and not quick:
        return DataSet("MNIST", "real", *loaders.mnist())
    shape = (2_000, 500, 196) if quick else (60_000, 10_000, 784)
    return generated.images(*shape, 10, "like MNIST")


def embeddings(quick: bool) -> DataSet:
    """Dense rows like those of a frozen text or image encoder: float32, many classes."""
    n, n_features, n_classes = (3_000, 64, 20) if quick else (20_000, 768, 100)
    return generated.gaussian(n, n_features, n_classes, "embeddings", distance=8.0)


def clinc150(quick: bool) -> DataSet:
    """Short queries as TF-IDF of words and pairs of words: CSR, 150 classes."""
    if (loaders := real.folder()) and not quick:
        return real.tfidf("CLINC150", loaders.clinc150(), ngram_range=(1, 2))
    shape = (2_000, 3_000, 20) if quick else (18_000, 35_000, 150)
    return generated.texts(*shape, 14, 0.15, "like CLINC150")


def clinc77(quick: bool) -> DataSet:
    """The queries of the first 77 classes of CLINC150 by name, as many as BANKING77 has."""
    if (loaders := real.folder()) and not quick:
        texts, labels, test_texts, test_labels = loaders.clinc150()
        kept = np.unique(labels)[:77]
        train, test = np.isin(labels, kept), np.isin(test_labels, kept)
        parts = _chosen(texts, train), labels[train], _chosen(test_texts, test), test_labels[test]
        return real.tfidf("CLINC150, 77 of its classes", parts, ngram_range=(1, 2))
    shape = (1_000, 2_000, 10) if quick else (9_240, 23_608, 77)
    return generated.texts(*shape, 14, 0.15, "like CLINC150, 77 classes")


def _chosen(texts: list[str], chosen: np.ndarray) -> list[str]:
    return [text for text, is_chosen in zip(texts, chosen, strict=True) if is_chosen]


def hashed(quick: bool) -> DataSet:
    """600 messages of 20 newsgroups; words are hashed to 2^20 columns, most of which do not occur."""
    n, n_features = (100, 2**14) if quick else (600, 2**20)
    if (loaders := real.folder()) and not quick:
        texts, labels, test_texts, test_labels = loaders.newsgroups()
        rows = np.random.default_rng(0).permutation(len(labels))[:n]
        parts = [texts[i] for i in rows], labels[rows], test_texts, test_labels
        return real.hashed(f"20 newsgroups, {n} hashed messages", parts, n_features)
    return generated.texts(n, n_features, 5 if quick else 20, 100, 0.05, "like hashed messages")


def out_of_scope(quick: bool) -> Rows:
    """Queries that belong to none of the classes of `clinc150`, in its columns."""
    if (loaders := real.folder()) and not quick:
        texts, *_ = loaders.clinc150()
        return TfidfVectorizer(ngram_range=(1, 2)).fit(texts).transform(loaders.clinc150_out_of_scope())
    shape = (2_000, 3_000, 20) if quick else (18_000, 35_000, 150)
    return generated.texts(*shape, 14, 0.0, "out of scope").X_test[:1_000]


def newsgroups(quick: bool) -> DataSet:
    """Messages as TF-IDF of words: CSR, 20 classes."""
    if (loaders := real.folder()) and not quick:
        return real.tfidf("20 newsgroups", loaders.newsgroups(), sublinear_tf=True)
    shape = (1_000, 4_000, 10) if quick else (11_000, 100_000, 20)
    return generated.texts(*shape, 100, 0.05, "like 20 newsgroups")


def common_words(quick: bool) -> DataSet:
    """The messages of `newsgroups` with their 20,000 most common words."""
    if (loaders := real.folder()) and not quick:
        parts = loaders.newsgroups()
        return real.tfidf("20 newsgroups, 20,000 words", parts, sublinear_tf=True, max_features=20_000)
    shape = (1_000, 1_000, 10) if quick else (11_000, 20_000, 20)
    return generated.texts(*shape, 100, 0.05, "like 20 newsgroups, common words")


def goemotions(quick: bool) -> DataSet:
    """Comments as TF-IDF of words: CSR, 28 emotions, the rarest with 39 of 36,308 rows."""
    if (loaders := real.folder()) and not quick:
        return real.tfidf("GoEmotions", loaders.goemotions(), sublinear_tf=True)
    shape = (4_000, 2_000, 8) if quick else (60_000, 24_000, 28)
    return generated.imbalanced(generated.texts(*shape, 12, 0.3, "like GoEmotions"), 100)


def oewn(quick: bool) -> DataSet:
    """Sentence embeddings of glosses, and their hypernyms in WordNet: float32, 12,369 classes."""
    if (loaders := real.folder()) and not quick:
        return DataSet("OEWN", "real", *loaders.oewn())
    shape = (4_000, 600, 32, 300) if quick else (66_400, 9_624, 384, 12_369)
    return generated.zipf(*shape, "like OEWN", noise=5.0)


def oewn_texts(quick: bool) -> DataSet:
    """The glosses of `oewn` themselves, as hashed TF-IDF of words: CSR, 65,536 features."""
    if (loaders := real.folder()) and not quick:
        return real.oewn_glosses(loaders)
    shape = (4_000, 3_000, 300) if quick else (66_400, 65_536, 12_369)
    return generated.texts(*shape, 10, 0.3, "like OEWN glosses")


def networks(quick: bool) -> Iterator[Scores]:
    """Logits of neural networks on test images of CIFAR-10 and CIFAR-100, most of them overconfident."""
    for seed, name in enumerate(NETWORKS):
        n_classes = int(name.rpartition("-")[2])
        if quick:
            if name.startswith("lenet"):
                yield generated.logits(1_000, min(n_classes, 20), f"like {name}", seed)
        elif loaders := real.folder():
            yield Scores(name, "real", *loaders.network_logits(name))
        else:
            yield generated.logits(10_000, n_classes, f"like {name}", seed)


def imbalanced(name: str, n_splits: int, quick: bool) -> Iterator[DataSet]:
    """A table of few positive rows, features of variance 1, split this many times."""
    if (loaders := real.folder()) and not quick:
        data = real.table(loaders, name)
    else:
        n = 2_000 if quick else {"mammography": 16_000, "oil-spill": 1_400}[name]
        data = generated.gaussian(n, 6, 2, f"like {name}", distance=2.0, dtype=np.float64)
        data = generated.imbalanced(data, 40)
    X, y = np.concatenate([data.X, data.X_test]), np.concatenate([data.y, data.y_test])
    for seed in range(n_splits):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed, stratify=y)
        split = DataSet(data.name, data.source, X_train, y_train, X_test, y_test).scaled()
        yield split._replace(name=data.name)


def pendigits(quick: bool) -> DataSet:
    """Pen strokes of digits: 8,244 rows of 16 features, 10 classes."""
    if quick:
        return real.bundled("wine")
    if loaders := real.folder():
        return real.table(loaders, "pendigits")
    return generated.gaussian(8_000, 16, 10, "8,000 x 16", dtype=np.float64)


def of_all_shapes(quick: bool) -> Iterator[DataSet]:
    """Many data sets, large and small, scaled and not, for the question whether the defaults suit all."""
    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield real.bundled(name)
    for name in ("wine", "breast_cancer"):
        yield real.bundled(name).scaled()
    if quick:
        yield clinc150(quick)
        return
    if loaders := real.folder():
        for name in real.TABLES + real.IMBALANCED:
            yield real.table(loaders, name)
        for name in ("pendigits", "spambase"):
            yield real.table(loaders, name).scaled()
    else:
        double = functools.partial(generated.gaussian, dtype=np.float64)
        yield double(20_000, 16, 26, "20,000 x 16, 26 classes")
        yield double(5_000, 57, 2, "5,000 x 57, offset and scale", distance=2.0, offset=100.0, scale=30.0)
        yield double(1_000, 10, 11, "1,000 x 10, 11 classes", distance=3.0)
        yield double(200, 5, 3, "200 x 5, offset 10,000", distance=3.0, offset=1e4)
        yield generated.gaussian(600, 1_280, 4, "600 x 1,280")
        yield generated.gaussian(50_000, 30, 2, "50,000 x 30", distance=2.0)
    for load in (embeddings, mnist, clinc150, newsgroups):
        yield load(quick)
