"""
My rows come one after the other, and the world changes: can it follow?
=======================================================================

``partial_fit`` learns from each part as it comes. Here the weights of the true model turn slowly; a
classifier that was fitted once falls behind, and one that keeps learning follows.
"""

import matplotlib.pyplot as plt
import numpy as np

from linclf import SoftmaxClassifier

rng = np.random.default_rng(0)


def part(t, n=200):
    """Rows at time t, when the true weights have turned by t / 60 of a right angle."""
    X = rng.normal(size=(n, 10))
    angle = t / 60 * np.pi / 2
    f = 3 * (np.cos(angle) * X[:, 0] + np.sin(angle) * X[:, 1])
    return X, (rng.random(n) < 1 / (1 + np.exp(-f))).astype(int)


stream = SoftmaxClassifier(schedule="constant", learning_rate=0.05, random_state=0)
X, y = part(0, 5_000)
once = SoftmaxClassifier().fit(X, y)
stream.partial_fit(X, y, classes=[0, 1])
scores = []
for t in range(60):
    X, y = part(t)
    scores.append((once.score(X, y), stream.score(X, y)))  # before it has seen them
    stream.partial_fit(X, y)

mean = np.apply_along_axis(lambda s: np.convolve(s, np.ones(5) / 5, "valid"), 0, np.array(scores))
fig, ax = plt.subplots(figsize=(6.5, 4.5))
ax.plot(mean, label=["fitted once", "partial_fit"])
ax.set(xlabel="part", ylabel="accuracy on rows not yet seen, mean of five parts")
ax.legend()
