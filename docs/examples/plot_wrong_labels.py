"""
Which of my labels are wrong?
=============================

A row deserves a second look if a classifier that has not seen it gives its label a small probability. Sorting
rows by that probability takes one line; cleanlab also estimates how many of them to check.
"""

import matplotlib.pyplot as plt
import numpy as np
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict

from linclf import SoftmaxClassifierCV

# %%
# About five percent of the labels are replaced by another digit.

X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
labels, wrong = y.copy(), rng.random(len(y)) < 0.05
labels[wrong] = (y[wrong] + rng.integers(1, 10, wrong.sum())) % 10

# %%
# Each row gets its probabilities from a classifier that has not seen it, with a penalty chosen in each fold.
# The penalty matters: a classifier that fits every label closely is sure of the wrong ones, too.

p = cross_val_predict(SoftmaxClassifierCV(), X, labels, cv=5, method="predict_proba")
found = find_label_issues(labels, p, return_indices_ranked_by="self_confidence", n_jobs=1)
print(f"{wrong.sum()} labels are wrong; cleanlab flags {len(found)}, of which {wrong[found].sum()} are wrong")

# %%
# The probability of a row's given label yields the same order. cleanlab adds where to stop: it estimates how
# many labels of each class are wrong. A simpler rule flags each row with a predicted class other than its
# label.

own = p[np.arange(len(labels)), labels]
order = np.argsort(own)
otherwise = p.argmax(axis=1) != labels
print(f"predicted differently: {otherwise.sum()}, of which {wrong[otherwise].sum()} are wrong")
print(f"of the first {wrong.sum()} in the order, {wrong[order[: wrong.sum()]].sum()} are wrong")

# %%
# The plot shows the first ten rows that cleanlab flags, with the given label and the predicted one.

fig, axes = plt.subplots(2, 5, figsize=(7.5, 3.8), layout="constrained")
for ax, row in zip(axes.flat, found, strict=False):
    ax.imshow(X[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{labels[row]}, or {p[row].argmax()}?")
    ax.set_axis_off()
