"""
I have thousands of classes: is there something faster than a full softmax?
===========================================================================

Each step of a full softmax touches the weights of every class. Sampled softmax touches those of a few,
adaptive softmax a head and one tail, hierarchical softmax a path through a tree: all are faster, and less
accurate in different ways.
"""

import time

import matplotlib.pyplot as plt
import numpy as np

from linclf import SoftmaxClassifier
from linclf.large import AdaptiveSoftmaxClassifier, HierarchicalSoftmaxClassifier, SampledSoftmaxClassifier

# %%
# Two thousand classes; the k-th has 1/k as many rows as the first.

rng = np.random.default_rng(0)
K, d = 2_000, 64
frequency = 1 / np.arange(1, K + 1)
y = rng.choice(K, 24_000, p=frequency / frequency.sum())
centres = rng.normal(size=(K, d))
X = (centres[y] + 1.5 * rng.normal(size=(len(y), d))).astype(np.float32)
train, test = slice(20_000), slice(20_000, None)
common = {"max_iter": 3, "alpha": 1e-7, "random_state": 0}
models = {
    "full": SoftmaxClassifier(solver="sgd", **common),
    "sampled": SampledSoftmaxClassifier(n_sampled=256, **common),
    "adaptive": AdaptiveSoftmaxClassifier(solver="sgd", **common),
    "hierarchical": HierarchicalSoftmaxClassifier(**common),
}
fig, ax = plt.subplots(figsize=(6.5, 4.5))
for name, model in models.items():
    model.fit(X[:500], y[:500])  # compiles
    started = time.perf_counter()
    model.fit(X[train], y[train])
    seconds = time.perf_counter() - started
    accuracy = (model.predict(X[test]) == y[test]).mean()
    ax.scatter(seconds, accuracy)
    ax.annotate(name, (seconds, accuracy), xytext=(6, 4), textcoords="offset points")
ax.set(xlabel="seconds for three epochs", ylabel="accuracy")
ax.margins(0.2)
