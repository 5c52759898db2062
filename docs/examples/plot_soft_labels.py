"""
Several people labelled each row, and they disagree: what do I fit?
===================================================================

Give the classifier the shares of the votes: rows of probabilities as ``y``. The majority alone loses the
information which rows were doubtful, and costs log loss.
"""

import matplotlib.pyplot as plt
import numpy as np

from linclf import SoftmaxClassifier
from linclf.metrics import log_loss

rng = np.random.default_rng(0)
W = rng.normal(size=(10, 4))


def rows(n):
    X = rng.normal(size=(n, 10))
    p = np.exp(X @ W)
    return X, p / p.sum(axis=1, keepdims=True)


X_test, p_test = rows(20_000)
y_test = (p_test.cumsum(axis=1) > rng.random((len(p_test), 1))).argmax(axis=1)
sizes, lost = [50, 100, 200, 400, 800], {"majority": [], "shares of five votes": []}
for n in sizes:
    X, p = rows(n)
    votes = np.array([rng.multinomial(5, row) for row in p])
    for name, y in (("majority", votes.argmax(axis=1)), ("shares of five votes", votes / 5)):
        clf = SoftmaxClassifier(alpha=1e-2).fit(X, y)
        lost[name].append(log_loss(y_test, clf.predict_proba(X_test)))
fig, ax = plt.subplots(figsize=(6.5, 4.5))
for name, values in lost.items():
    ax.plot(sizes, values, marker="o", label=name)
ax.axhline(log_loss(y_test, p_test), color="grey", linestyle=":", label="the true probabilities")
ax.set(xscale="log", xlabel="rows for training", ylabel="log loss on test rows")
ax.legend()
