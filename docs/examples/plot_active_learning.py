"""
Labels are expensive: which rows should be labelled next?
=========================================================

Rows are cheap, and labels are made by people. Active learning asks for the labels of those rows about which
the classifier is least sure: its two best classes are nearly as probable. Does that teach more than the
same number of random rows?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier
from linclf.metrics import margin_doubt

X, y = load_digits(return_X_y=True)


def accuracies(by_doubt, seed):
    """Accuracy on test rows with 20 labels of random rows, and after each 20 more."""
    X_pool, X_test, y_pool, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=seed)
    waiting, labelled, scores = np.random.default_rng(seed).permutation(len(y_pool)), [], []
    while len(labelled) < 400:
        labelled, waiting = np.append(labelled, waiting[:20]).astype(int), waiting[20:]
        clf = SoftmaxClassifier(alpha=1e-1).fit(X_pool[labelled], y_pool[labelled])
        scores.append(clf.score(X_test, y_test))
        if by_doubt:
            waiting = waiting[np.argsort(-margin_doubt(clf.predict_proba(X_pool[waiting])))]
    return scores


# %%
# Five splits of the digits: the line is the median, and the band holds the middle three.

labels = np.arange(20, 401, 20)
fig, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
for name, by_doubt, line in (("rows of most doubt", True, "-"), ("random rows", False, "--")):
    runs = np.sort([accuracies(by_doubt, seed) for seed in range(5)], axis=0)
    ax.plot(labels, runs[2], line, label=name)
    ax.fill_between(labels, runs[1], runs[3], alpha=0.2)
    print(name, *(f"{runs[2, n // 20 - 1]:.3f} with {n} labels" for n in (40, 100, 200, 400)), sep=", ")
ax.set(xlabel="labels", ylabel="accuracy")
_ = ax.legend(loc="lower right")

# %%
# Half as many labels, chosen by doubt, teach more than random ones. Test rows must still be random: rows of
# most doubt are harder than others, so the accuracy on them says nothing about the rest.
