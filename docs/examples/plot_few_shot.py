"""
I have five examples of each class: how do I probe my embeddings?
=================================================================

With few rows and many features, the penalty is everything. With about eight rows per class or more, folds
find it. With two or four, a fold trains on one or two rows per class and finds nothing: use a small penalty.
"""

import matplotlib.pyplot as plt
import numpy as np

from linclf import SoftmaxClassifier, SoftmaxClassifierCV

# %%
# Embeddings of 60 classes. As in real embeddings, the variation within a class lies mostly in a few
# directions, in which the rows of a class are further apart than the classes.

rng = np.random.default_rng(0)
d, K = 256, 60
centres = rng.normal(size=(K, d))
spread = 60 / np.arange(1.0, d + 1)


def embeddings(n_each):
    y = np.repeat(np.arange(K), n_each)
    X = centres[y] + spread * rng.normal(size=(len(y), d)) + 1.5 * rng.normal(size=(len(y), d))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), y


X_test, y_test = embeddings(50)
shots = [2, 4, 8, 16]
models = {
    "penalty by folds": SoftmaxClassifierCV(alphas=7, cv=2),
    "alpha=1e-6": SoftmaxClassifier(alpha=1e-6),
    "alpha=1e-4 (the default)": SoftmaxClassifier(),
    "alpha=1e-2": SoftmaxClassifier(alpha=1e-2),
}
fig, ax = plt.subplots(figsize=(6.5, 4.5))
accuracy = {name: [] for name in models}
for n_each in shots:
    X, y = embeddings(n_each)
    for name, model in models.items():
        accuracy[name].append(model.fit(X, y).score(X_test, y_test))
for name, values in accuracy.items():
    ax.plot(shots, values, marker="o", label=name)
ax.set(xscale="log", xlabel="rows of each class", ylabel="accuracy", xticks=shots, xticklabels=shots)
ax.legend()
