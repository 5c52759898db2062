"""
Some of my labels are wrong: which loss minds least?
====================================================

A squared hinge pulls hardest at the rows that are most wrong, which are those with wrong labels. Softmax
pulls at all wrong rows alike, and a bounded loss, written here in a few lines, lets go of them.
"""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from linclf import LinearClassifier
from linclf.functional import softmax
from linclf.losses import check_loss, row_loss

# %%
# The generalised cross-entropy of Zhang and Sabuncu (2018): ``(1 - p_y^q) / q``, at most 1 / q for any
# row.


class GeneralizedCrossEntropy(NamedTuple):
    q: float = 0.7

    convex = False

    def probabilities(self, scores):
        return softmax(scores)


@row_loss.register(GeneralizedCrossEntropy)
def generalized_cross_entropy(loss, scores, y):
    p = np.exp(scores - scores.max())
    p /= p.sum()
    power = p[y] ** loss.q
    scores[:] = power * p  # the gradient overwrites the scores
    scores[y] -= power
    return (1 - power) / loss.q


check_loss(GeneralizedCrossEntropy())

# %%
# Digits, with a growing share of training labels redrawn at random.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
shares = [0, 0.1, 0.2, 0.3, 0.4]
losses = {
    "softmax": "softmax",
    "squared hinge": "squared-weston-watkins",
    "hinge": "weston-watkins",
    "bounded": GeneralizedCrossEntropy(),
}
rng = np.random.default_rng(0)
order, drawn = rng.permutation(len(y_train)), rng.integers(0, 10, len(y_train))
fig, ax = plt.subplots(figsize=(6.5, 4.5))
for name, loss in losses.items():
    accuracy = []
    for share in shares:
        noisy = y_train.copy()
        wrong = order[: int(share * len(order))]
        noisy[wrong] = drawn[wrong]
        clf = LinearClassifier(loss=loss, alpha=1e-3, random_state=0).fit(X_train / 16, noisy)
        accuracy.append(clf.score(X_test / 16, y_test))
    ax.plot(shares, accuracy, marker="o", label=name)
ax.set(xlabel="share of labels redrawn", ylabel="accuracy on clean test rows")
ax.legend()
