"""
How do I train on rows with several labels?
===========================================

Pass an indicator, a column of 0 and 1 for each label, to a loss that is a sum over the classes. All labels
are then trained together, each as a binary problem of its own, and a row may have any number of them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

from linclf import LinearClassifier

# %%
# What can be said about a handwritten digit, besides which one it is? The digit 1 has none of these labels.

digits = load_digits()
names = np.array(["even", "prime", "with a loop", "above 6"])
having = [{0, 2, 4, 6, 8}, {2, 3, 5, 7}, {0, 6, 8, 9}, {7, 8, 9}]
Y = np.array([[digit in some for some in having] for digit in digits.target]).astype(int)
X_train, X_test, Y_train, Y_test = train_test_split(digits.data, Y, random_state=0)
print(f"{Y.sum(axis=1).mean():.2f} labels a row, none in {np.mean(Y.sum(axis=1) == 0):.0%} of the rows")

# %%
# The names of the labels are the columns of y; predictions have the same columns.

clf = LinearClassifier(loss="one-vs-rest-logistic", standardize=True).fit(X_train, Y_train)
predicted = clf.predict(X_test)
micro, macro = (f1_score(Y_test, predicted, average=average) for average in ("micro", "macro"))
right = clf.score(X_test, Y_test)
print(f"all labels right in {right:.1%} of the rows; micro-F1 {micro:.3f}, macro-F1 {macro:.3f}")
for row in range(3):
    p = clf.predict_proba(X_test[[row]])[0]
    said = ", ".join(f"{name} {share:.2f}" for name, share in zip(names, p, strict=True))
    print(f"true: {', '.join(names[Y_test[row] == 1]) or 'none':30s} {said}")

# %%
# Each label is a classifier of its own: its row of ``coef_`` shows the pixels that speak for it, in orange,
# and against it.

fig, axes = plt.subplots(1, len(names), figsize=(8, 2.4), layout="constrained")
for ax, name, weights in zip(axes, names, clf.coef_ * X_train.std(axis=0), strict=True):
    largest = np.abs(weights).max()
    ax.imshow(weights.reshape(8, 8), cmap="PuOr_r", vmin=-largest, vmax=largest)
    ax.set(title=name, xticks=[], yticks=[])

# %%
# A rare label is found more often with weights, at the price of false alarms. ``"balanced"`` gives the rows
# with and without a label the same weight, for each label.

rare = np.column_stack([digits.target == 8, digits.target >= 5]).astype(int)
rare[np.flatnonzero(rare[:, 0])[::2], 0] = 0  # half of the eights were overlooked
X_train, X_test, Y_train, Y_test = train_test_split(digits.data, rare, random_state=0)
for weights in (None, "balanced"):
    clf = LinearClassifier(loss="one-vs-rest-logistic", standardize=True, class_weight=weights)
    share = clf.fit(X_train, Y_train).predict(X_test)[:, 0].mean()
    print(f"class_weight={weights!r}: {share:.1%} of the rows are called 8, {Y_test[:, 0].mean():.1%} are")
