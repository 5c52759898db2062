"""Makes the tables in docs/learned-projections.md: ``PYTHONPATH=. python docs/make_projections_table.py``.

Needs the folder of real data in ``LINCLF_DATA``, and takes about half an hour on one core. Names of data sets
("digits", "pendigits", "mnist", "oewn") make their tables only. Results are kept in the file
``LINCLF_RESULTS``, if it is given, and what is there is not computed again.
"""

import csv
import gzip
import json
import os
import pathlib
import struct
import sys
import time

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from linclf import LinearEmbedding

PAGE = pathlib.Path(__file__).resolve().parent / "learned-projections.md"
DATA = pathlib.Path(os.environ["LINCLF_DATA"])
COMPONENTS = 2, 16, 64
LOSSES = "softmax", "cosface", "arcface", "center", "supcon", "nt-xent"
ROWS_OF_NCA = 2000


def digits():
    X, y = load_digits(return_X_y=True)
    return split(X.astype(np.float32), y)


def pendigits():
    lines = gzip.decompress((DATA / "uci_arff" / "pendigits.arff.gz").read_bytes()).decode().lower()
    rows = [line.split(",") for line in lines.split("@data")[1].split("\n") if "," in line]
    rows = np.array([[float(cell.strip(" '")) for cell in row] for row in rows], np.float32)
    return split(rows[:, :-1], rows[:, -1].astype(int))


def split(X, y):
    return train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)


def mnist():
    def read(name):
        raw = gzip.decompress((DATA / "mnist" / f"{name}-ubyte.gz").read_bytes())
        shape = struct.unpack(">" + "I" * raw[3], raw[4 : 4 + 4 * raw[3]])
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape[0], -1)

    X, X_test = (read(f"{part}-images-idx3").astype(np.float32) / 255 for part in ("train", "t10k"))
    y, y_test = (read(f"{part}-labels-idx1").ravel() for part in ("train", "t10k"))
    return X, X_test, y, y_test


def oewn():
    """Sentence embeddings of glosses, with the lexicographer file of the hypernym as the class."""
    data = np.load(DATA / "oewn_glosses" / "oewn_minilm_384d.npz")
    with gzip.open(DATA / "oewn_glosses" / "oewn_glosses.tsv.gz", "rt", encoding="utf-8") as file:
        lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        lexfile = {line[0]: line[1] for line in lines}
    names = np.array([lexfile[synset.partition("|")[0]] for synset in data["synset"].tolist()])
    X, y, test = data["X"].astype(np.float32), names[data["hypernym"]], data["test"]
    return X[~test], X[test], y[~test], y[test]


SETS = {"digits": digits, "pendigits": pendigits, "mnist": mnist, "oewn": oewn}


def methods(n_components, n_classes):
    """Name -> transformer, and the number of rows it is fitted to (None: all)."""
    first = min(n_components, n_classes - 1)
    yield "PCA", PCA(n_components, random_state=0), None
    yield "LDA", LinearDiscriminantAnalysis(n_components=first), None
    yield "NCA", NeighborhoodComponentsAnalysis(n_components, random_state=0), ROWS_OF_NCA
    for loss in LOSSES:
        embedding = LinearEmbedding(n_components=n_components, loss=loss, random_state=0)
        yield f"`{loss}`", embedding, None
        if loss == "softmax":
            as_it_is = LinearEmbedding(n_components=n_components, standardize=False, random_state=0)
            yield "`softmax`, `standardize=False`", as_it_is, None


def measured(transformer, n_rows, X, X_test, y, y_test):
    """Accuracy of five neighbours, and seconds of one core to fit."""
    if isinstance(transformer, LinearEmbedding):  # kernels are compiled, or read from the disk
        clone(transformer).set_params(max_iter=1).fit(X[:1000], y[:1000])
    with threadpool_limits(1):
        begun = time.process_time()
        transformer.fit(X[:n_rows], y[:n_rows])
        seconds = time.process_time() - begun
    Z, Z_test = transformer.transform(X), transformer.transform(X_test)
    return KNeighborsClassifier(5).fit(Z, y).score(Z_test, y_test), seconds


def table(name, known, save):
    X, X_test, y, y_test = SETS[name]()
    scaler = StandardScaler().fit(X)
    lines, found = [], {}
    for n_components in (q for q in COMPONENTS if q <= X.shape[1]):
        for method, transformer, n_rows in methods(n_components, len(np.unique(y))):
            for scaled in (False, True) if method == "PCA" else (False,):
                label = "PCA of scaled columns" if scaled else method
                key = f"{name} {n_components} {label}"
                if key not in known:
                    rows = [scaler.transform(part) if scaled else part for part in (X, X_test)]
                    known[key] = measured(transformer, n_rows, *rows, y, y_test)
                    print(key, known[key], flush=True)
                    save(known)
                found[label, n_components] = known[key]
    columns = sorted({q for _, q in found})
    heads = [f"{q} components" for q in columns]
    lines.append(f"| {name}: {len(y):,} rows, {X.shape[1]} features | {' | '.join(heads)} |")
    lines.append("|---|" + "---|" * len(columns))
    best = {q: max(round(found[label, q][0], 3) for label, other in found if other == q) for q in columns}
    for label in dict.fromkeys(label for label, _ in found):
        cells = []
        for q in columns:
            accuracy, seconds = found[label, q]
            shown = f"{accuracy:.3f}"
            shown = f"**{shown}**" if round(accuracy, 3) == best[q] else shown
            cells.append(f"{shown} ({seconds:.2g} s)" if seconds < 10 else f"{shown} ({seconds:.0f} s)")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def replaced(page, name, lines):
    begin = f"<!-- {name}, made by docs/make_projections_table.py -->"
    head, rest = page.split(begin)
    return head + begin + "\n\n" + "\n".join(lines) + "\n\n" + rest[rest.index("<!-- end -->") :]


def main():
    file = pathlib.Path(os.environ["LINCLF_RESULTS"]) if "LINCLF_RESULTS" in os.environ else None
    known = json.loads(file.read_text()) if file is not None and file.exists() else {}

    def save(known):
        if file is not None:
            file.write_text(json.dumps(known))

    for name in sys.argv[1:] or SETS:
        lines = table(name, known, save)
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(replaced(page, name, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
