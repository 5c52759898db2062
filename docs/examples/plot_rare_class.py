"""
My class of interest is rare: what should I change?
===================================================

At first nothing. The probabilities of a softmax are right for rare classes too; it is the threshold of .5
that is wrong. State what errors cost, or let ``logit_adjustment`` move the threshold.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import balanced_accuracy_score, precision_recall_curve
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier
from linclf.decisions import CostSensitiveClassifier

# %%
# Two in a hundred rows are positive.

rng = np.random.default_rng(0)
X = rng.normal(size=(40_000, 8))
f = X @ np.array([1.5, -1, 0.8, 0.5, 0, 0, 0, 0]) - 5.5
y = (rng.random(len(f)) < 1 / (1 + np.exp(-f))).astype(int)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{y.mean():.1%} of the rows are positive")

# %%
# Three ways and their results: how many rows they call positive, their balanced accuracy, and the mean of
# their probabilities, which should be the share of positives.

models = {
    "softmax": SoftmaxClassifier(),
    'class_weight="balanced"': SoftmaxClassifier(class_weight="balanced"),
    "logit_adjustment=1.0": SoftmaxClassifier(logit_adjustment=1.0),
}
fig, ax = plt.subplots(figsize=(6.5, 4.5))
for name, model in models.items():
    p = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    found = model.predict(X_test)
    balanced = balanced_accuracy_score(y_test, found)
    said = f"balanced accuracy {balanced:.3f}, mean probability {p.mean():.3f}"
    print(f"{name:24s} positive {found.mean():6.1%}, {said}")
    precision, recall, _ = precision_recall_curve(y_test, p)
    ax.plot(recall, precision, label=name)
ax.set(xlabel="recall", ylabel="precision", title="The ranking is the same; only the threshold moves")
ax.legend()

# %%
# The curves coincide: if a linear model is near the truth, weights and adjustment move the threshold and
# hardly change what is learned. So keep the plain softmax, and say what errors cost, here 30 for a missed
# positive. *A miss costs me ten times as much as a false alarm: where do I draw the line?* compares that with
# a threshold that is tuned.

costs = np.array([[0, 1], [30, 0]])  # rows are true, columns predicted classes
by_costs = CostSensitiveClassifier(FrozenEstimator(models["softmax"]), costs).fit(X_train, y_train)
for name, found in {
    "the most probable class": models["softmax"].predict(X_test),
    "CostSensitiveClassifier": by_costs.predict(X_test),
    "always negative": np.zeros_like(y_test),
}.items():
    print(f"{name}: cost {costs[y_test, found].sum()}")
