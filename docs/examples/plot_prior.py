"""
My model meets other data than it was trained on: how many new rows does it take?
=================================================================================

An old model was trained on many rows, and the rows to come are a little different: another scanner, another
year, another hospital. With ``fit(..., prior=old)`` the penalty pulls towards the weights of the old model
instead of 0. A few new rows then correct it, and many new rows outweigh it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from linclf import SoftmaxClassifier

# %%
# The old model knows digits as they come. The new scanner blurs them by half a pixel.

X, y = load_digits(return_X_y=True)
X = X / 16
blurred = (X + np.roll(X.reshape(-1, 8, 8), 1, axis=2).reshape(-1, 64)) / 2
order = np.random.default_rng(0).permutation(len(y))
first, second, test = np.split(order, [800, 1300])
old = SoftmaxClassifier(alpha=1e-3).fit(X[first], y[first])
known = old.score(blurred[test], y[test])
print(f"the old model: {old.score(X[test], y[test]):.3f} as before, {known:.3f} with the new scanner")

# %%
# From 20 to 500 new rows, with the best of four penalties for each model. (They are compared on the test rows
# here; with few new rows, try a strong penalty with a prior, and a weak one without.)


def best(rows, prior):
    fits = [
        SoftmaxClassifier(alpha=alpha).fit(blurred[rows], y[rows], prior=prior)
        for alpha in (1e-3, 1e-2, 1e-1, 1.0)
    ]
    return max(model.score(blurred[test], y[test]) for model in fits)


sizes = [20, 50, 100, 200, 500]
accuracy = {"new rows only": [], "new rows, and the old model as the prior": []}
for n in sizes:
    rows = np.concatenate([np.flatnonzero(y[second] == k)[: n // 10] for k in range(10)])
    for name, prior in zip(accuracy, (None, old), strict=True):
        accuracy[name].append(best(second[rows], prior))
    alone, pulled = (each[-1] for each in accuracy.values())
    print(f"{len(rows):3d} new rows: {alone:.3f} alone, {pulled:.3f} with the prior")

fig, ax = plt.subplots(figsize=(6.5, 4.5))
for name, values in accuracy.items():
    ax.plot(sizes, values, marker="o", label=name)
ax.axhline(known, color="grey", linestyle="--", label="the old model")
ax.set(xscale="log", xlabel="new rows", ylabel="accuracy on blurred digits")
ax.set_xticks(sizes, map(str, sizes))
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# A prior is an offset: the scores of the old model are known, and what is trained is the difference from it.
# The page "Offsets, starts and priors" of the guide shows where a prior does not pay.

difference = SoftmaxClassifier(alpha=0.1).fit(
    blurred[second], y[second], offset=old.decision_function(blurred[second])
)
pulled = SoftmaxClassifier(alpha=0.1).fit(blurred[second], y[second], prior=old)
print("largest deviation of the sum:", f"{abs(old.coef_ + difference.coef_ - pulled.coef_).max():.0e}")
