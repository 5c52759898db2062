"""
A miss costs me ten times as much as a false alarm: where do I draw the line?
=============================================================================

Nowhere: say what errors cost, and the class of least expected cost follows from the probabilities. The
picture shows what tuned lines cost. *Making decisions* in the guide says when tuning is the right way.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split

from linclf import SoftmaxClassifierCV
from linclf.decisions import CostSensitiveClassifier, ThresholdClassifier

X, y = load_breast_cancer(return_X_y=True)
y = 1 - y  # 1 is malignant
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
costs = np.array([[0, 1], [10, 0]])  # rows are true, columns predicted classes


def gain(y, found):
    return -costs[y, found].mean()


inside = SoftmaxClassifierCV(standardize=True)
by_costs = CostSensitiveClassifier(inside, costs).fit(X_train, y_train)
tuned = ThresholdClassifier(inside, scoring=make_scorer(gain)).fit(X_train, y_train)
theirs = TunedThresholdClassifierCV(inside, scoring=make_scorer(gain)).fit(X_train, y_train)
threshold = 1 / (1 + np.exp(tuned.offsets_[1] - tuned.offsets_[0]))
ways = {
    "the most probable class": (0.5, by_costs.estimator_),
    "CostSensitiveClassifier": (1 / 11, by_costs),
    "ThresholdClassifier": (threshold, tuned),
    "TunedThresholdClassifierCV": (theirs.best_threshold_, theirs),
}
for name, (line, clf) in ways.items():
    print(f"{name}: line at {line:.2f}, cost per test row {-gain(y_test, clf.predict(X_test)):.3f}")

# %%
# The cost of the test rows for each line. With few rows the tuned line is a matter of chance; the line of the
# costs is not, but needs probabilities that are right.

p = by_costs.predict_proba(X_test)[:, 1]
lines = np.linspace(0.005, 0.8, 200)
fig, ax = plt.subplots(figsize=(6.5, 4.5))
ax.plot(lines, [-gain(y_test, (p > line).astype(int)) for line in lines], color="0.6")
for name, (line, clf) in ways.items():
    ax.plot(line, -gain(y_test, clf.predict(X_test)), "o", label=name)
ax.set(xlabel="threshold on the probability of malignant", ylabel="cost per test row", ylim=(0, None))
ax.legend()
