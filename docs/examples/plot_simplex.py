"""
Softmax or sparsemax: which classes are possible at all?
========================================================

Softmax gives each class some probability. Sparsemax gives most rows one or two classes, and exactly 0 to
all others: a short list of what is possible. On the simplex of three classes its rows lie on the corners
and edges.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from linclf import SoftmaxClassifier, SparsemaxClassifier
from linclf.display import SimplexDisplay

X, y = load_iris(return_X_y=True)
fig, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, model in zip(axes, (SoftmaxClassifier(alpha=1e-2), SparsemaxClassifier(alpha=1e-2)), strict=True):
    model.fit(X, y)
    SimplexDisplay.from_estimator(model, X, y, ax=ax, name=type(model).__name__)
    possible = (model.predict_proba(X) > 0).sum(axis=1)
    counts = dict(zip(*np.unique(possible, return_counts=True), strict=True))
    print(type(model).__name__, {f"{k} classes": int(n) for k, n in counts.items()})
