"""
My columns have different units: must I scale them?
===================================================

Not to reach the optimum: the classifier does so whatever the units. But the penalty is on the
weights, and the weight of a column in millimetres is a thousandth of that in metres, so the optimum itself
depends on the units. ``standardize=True`` removes that dependence, like a StandardScaler before the
classifier.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score

from linclf import SoftmaxClassifier

X, y = load_wine(return_X_y=True)
print("standard deviations of the columns:", *np.round(X.std(axis=0), 1))
alphas = np.logspace(-6, 1, 15)
fig, ax = plt.subplots(figsize=(6.5, 4.5))
for standardize in (False, True):
    scores = [
        cross_val_score(
            SoftmaxClassifier(alpha=alpha, standardize=standardize), X, y, cv=10, scoring="neg_log_loss"
        ).mean()
        for alpha in alphas
    ]
    ax.plot(alphas, -np.array(scores), marker="o", label=f"standardize={standardize}")
ax.set(xscale="log", xlabel="alpha", ylabel="log loss of ten folds")
ax.legend()
