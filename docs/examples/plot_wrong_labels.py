"""
Which of my labels are wrong?
=============================

A row whose own label gets a small probability from a classifier that has not seen it deserves a second
look. cleanlab says how many of them to look at; the order is yours without it, in one line.
"""

import matplotlib.pyplot as plt
import numpy as np
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict

from linclf import SoftmaxClassifierCV

# %%
# Five in a hundred labels of the digits are exchanged for another one.

X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
labels, wrong = y.copy(), rng.random(len(y)) < 0.05
labels[wrong] = (y[wrong] + rng.integers(1, 10, wrong.sum())) % 10

# %%
# Probabilities of rows that the classifier has not seen, which chooses its penalty in each fold. The penalty
# matters: a classifier that trusts each label is sure of wrong ones, too.

p = cross_val_predict(SoftmaxClassifierCV(), X, labels, cv=5, method="predict_proba")
found = find_label_issues(labels, p, return_indices_ranked_by="self_confidence", n_jobs=1)
print(f"{wrong.sum()} labels are wrong; cleanlab names {len(found)}, of which {wrong[found].sum()} are")

# %%
# The probability of the own label gives the same order. What cleanlab adds is where to stop: it estimates
# how many labels of each class are wrong. Another rule is any row that would be classified otherwise.

own = p[np.arange(len(labels)), labels]
order = np.argsort(own)
otherwise = p.argmax(axis=1) != labels
print(f"classified otherwise: {otherwise.sum()}, of which {wrong[otherwise].sum()} are wrong")
print(f"of the {wrong.sum()} first ones in the order {wrong[order[: wrong.sum()]].sum()} are wrong")

# %%
# The first ten that cleanlab names: the label that was given, and the one that the classifier proposes.

fig, axes = plt.subplots(2, 5, figsize=(7.5, 3.8), layout="constrained")
for ax, row in zip(axes.flat, found, strict=False):
    ax.imshow(X[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{labels[row]}, or {p[row].argmax()}?")
    ax.set_axis_off()
