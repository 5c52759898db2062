"""Prints the table in docs/sparse-weights.md: ``PYTHONPATH=. python docs/make_sparse_table.py``.

Needs the folder of real data in ``LINCLF_DATA``. The messages are those of the five computer groups of 20
newsgroups, by their date. Each model is fitted with alpha at a share of that from which all weights are 0.
"""

import os
import runpy
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

import linclf
from linclf import SoftmaxClassifier

SHARE = 0.03  # of the strongest penalty
PENALTIES = {"l1": None, "elasticnet": 0.5, "group": None}


def messages():
    loader = runpy.run_path(os.path.join(os.environ["LINCLF_DATA"], "load.py"))
    texts, labels, test_texts, test_labels = loader["newsgroups"]()
    words = TfidfVectorizer(sublinear_tf=True)
    train, test = (np.char.startswith(part.astype(str), "comp.") for part in (labels, test_labels))
    X = words.fit_transform([text for text, kept in zip(texts, train, strict=True) if kept])
    X_test = words.transform([text for text, kept in zip(test_texts, test, strict=True) if kept])
    return X, labels[train], X_test, test_labels[test]


def row(name, model, X, y, X_test, y_test):
    start = time.process_time()
    model.fit(X, y)
    seconds, used = time.process_time() - start, np.count_nonzero(model.coef_)
    words = np.count_nonzero(model.coef_.any(axis=0))
    print(
        f"| {name} | {seconds:.2f} | {model.score(X_test, y_test):.3f} | {used:,} | {words:,} |", flush=True
    )


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y, _, y_test = table = messages()
    print(f"{X.shape[0]:,} messages, {X.shape[1]:,} words, {len(set(y))} classes, {len(y_test):,} to test\n")
    print("| | CPU seconds | accuracy | weights | words |\n|---|---|---|---|---|")
    SoftmaxClassifier(penalty="l1", alpha=1e-2).fit(X[::9], y[::9])  # compiles
    SoftmaxClassifier(penalty="group", alpha=1e-2).fit(X[::9], y[::9])
    for name, share in PENALTIES.items():
        given = SoftmaxClassifier(penalty=name, l1_ratio=share, n_jobs=1)
        alpha = SHARE * linclf.path(X, y, 1, estimator=given).alphas[0]
        row(f'`penalty="{name}"`, alpha {alpha:.1g}', given.set_params(alpha=alpha), *table)
        if name == "l1":
            C = 1 / (alpha * len(y))
            saga = LogisticRegression(solver="saga", l1_ratio=1, C=C, max_iter=200, random_state=0)
            row("LogisticRegression, saga, the same", saga, *table)
    row('`penalty="l2"`, alpha 1e-4', SoftmaxClassifier(n_jobs=1), *table)


if __name__ == "__main__":
    main()
