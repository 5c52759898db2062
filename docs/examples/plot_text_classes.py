"""
Short texts and 150 classes: which linear classifier, and what does it confuse?
===============================================================================

A chatbot has 150 intents, a help desk as many departments. Docstrings stand in for such texts here, because
they are on every machine: from which module is the first paragraph of one? For intents, put in your own
``texts`` and ``labels``; the rest stays as it is.
"""

import pathlib
import re
import sysconfig
import time

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas.core
import scipy
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from linclf import SoftmaxClassifier

# %%
# A docstring stands in triple quotes below a line that ends with a colon; its first paragraph ends at an
# empty line. A class is a public module or subpackage that has at least 25 different first paragraphs, of
# which at most 30 are kept.

folders = {"": pathlib.Path(sysconfig.get_path("stdlib"))}
for package in (matplotlib, np, pandas.core, scipy, sklearn):
    folders[package.__name__ + "."] = pathlib.Path(package.__file__).parent
left_out = re.compile(r"^_|test|site-packages|dist-packages|vendor|externals|idlelib|lib2to3")
first_paragraph = re.compile(r':\n\s+r?"""(.{20,}?)(?:"""|\n\s*\n)', re.DOTALL)
found = {}
for prefix, folder in folders.items():
    for path in folder.rglob("*.py"):
        inside = path.relative_to(folder)
        if not left_out.search(str(inside)):
            paragraphs = first_paragraph.findall(path.read_text(encoding="utf-8", errors="ignore"))
            of_module = found.setdefault(prefix + inside.parts[0].removesuffix(".py"), set())
            of_module.update(" ".join(paragraph.split()) for paragraph in paragraphs)
rng, texts, labels = np.random.default_rng(0), [], []
for module, paragraphs in sorted(found.items()):
    if len(paragraphs) >= 25:
        kept = rng.permutation(sorted(paragraphs))[:30].tolist()
        texts, labels = texts + kept, labels + [module] * len(kept)
words = np.median([len(text.split()) for text in texts])
print(f"{len(texts):,} texts of {len(set(labels))} modules, half of them of {words:.0f} words or fewer")

# %%
# Words and pairs of words say what a text is about. Groups of three letters find what *sparse* and
# *sparsity* have in common.

weighted = {"sublinear_tf": True, "dtype": np.float32}
vectorizer = make_union(
    TfidfVectorizer(ngram_range=(1, 2), min_df=2, **weighted),
    TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), min_df=4, **weighted),
)
split = train_test_split(texts, labels, test_size=0.25, stratify=labels, random_state=0)
X, X_test, y, y_test = vectorizer.fit_transform(split[0]), vectorizer.transform(split[1]), *split[2:]
print(f"{X.shape[0]:,} training rows; of {X.shape[1]:,} features a row has {X.nnz / X.shape[0]:.0f}")

# %%
# ``SoftmaxClassifier(alpha=1 / (C * n))`` minimises the same as ``LogisticRegression(C=C)``.

alpha = 1 / (10 * len(y))
models = {
    "SoftmaxClassifier": SoftmaxClassifier(alpha=alpha),
    "the same, by SGD": SoftmaxClassifier(alpha=alpha, solver="sgd", random_state=0),
    "LogisticRegression": LogisticRegression(C=10, max_iter=1_000),
    "LinearSVC": LinearSVC(C=1),
}
for name, clf in models.items():
    if isinstance(clf, SoftmaxClassifier):
        clf.fit(X[:500], y[:500])  # compiles, the first time ever
    started = time.perf_counter()
    clf.fit(X, y)
    seconds = time.perf_counter() - started
    print(f"{name:18}  accuracy {clf.score(X_test, y_test):.3f}, {seconds:.1f} s")

# %%
# The differences in accuracy are no larger than chance. LinearSVC is as fast as softmax by SGD, and a fine
# choice if you only need the best class. It has no probabilities: with those a chatbot can offer a choice
# of three, or hand over to a person when it is not sure.

clf = models["SoftmaxClassifier"]
among = (clf.predict_topk(X_test, 3) == np.array(y_test)[:, None]).any(axis=1)
p, right = clf.predict_proba(X_test).max(axis=1), clf.predict(X_test) == y_test
sure = p >= np.median(p)
print(f"for {among.mean():.0%} the right module is among the best three")
print(f"accuracy on the surer half {right[sure].mean():.0%}, on the other half {right[~sure].mean():.0%}")

# %%
# The modules that are confused most often, in cross-validation on all texts. They deal with the same
# things, and a person would confuse them, too: join such classes, or ask the user.

model = make_pipeline(vectorizer, models["the same, by SGD"])
counts = confusion_matrix(labels, cross_val_predict(model, texts, labels, cv=3), labels=clf.classes_)
mutual = np.triu(counts + counts.T, 1)
pairs = np.column_stack(np.unravel_index(np.argsort(-mutual, axis=None), mutual.shape))
most = sorted(dict.fromkeys(pairs.ravel()[:16]))
fig, ax = plt.subplots(figsize=(7.5, 6.5), layout="constrained")
display = ConfusionMatrixDisplay(counts[np.ix_(most, most)], display_labels=clf.classes_[most])
display.plot(ax=ax, cmap="Blues", xticks_rotation="vertical", colorbar=False)
_ = ax.set(xlabel="answer", ylabel="module")
