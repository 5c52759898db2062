"""
Does the model err more often for one group than for another?
=============================================================

A single number for all rows hides it. fairlearn splits any metric by group, and can move the threshold of
each group until the error rates are equal. Whether that is worth its cost is not for a library to decide.
"""

import matplotlib.pyplot as plt
import numpy as np
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier

# %%
# In these synthetic data, group "b" is smaller, has fewer positives, and its first feature says less.

rng = np.random.default_rng(0)
group = rng.choice(["a", "b"], size=20_000, p=[0.75, 0.25])
y = (rng.random(len(group)) < np.where(group == "a", 0.5, 0.3)).astype(int)
signal = np.where(group == "a", 1.2, 0.5)
X = rng.normal(size=(len(group), 4)) + y[:, None] * np.column_stack([signal, np.full((len(group), 3), 0.5)])
X_train, X_test, y_train, y_test, g_train, g_test = train_test_split(X, y, group, random_state=0)

# %%
# The group is not a feature, yet the errors differ. ``ThresholdOptimizer`` takes the fitted classifier and
# moves the thresholds until both groups have the same rate of false negatives, or of false negatives and
# false positives. It needs the group for prediction, too.

clf = SoftmaxClassifier().fit(X_train, y_train)
found = {"softmax": clf.predict(X_test)}
for name, constraints in {
    "equal misses": "false_negative_rate_parity",
    "equal errors": "equalized_odds",
}.items():
    moved = ThresholdOptimizer(
        estimator=clf, constraints=constraints, prefit=True, predict_method="predict_proba"
    )
    moved.fit(X_train, y_train, sensitive_features=g_train)
    found[name] = moved.predict(X_test, sensitive_features=g_test, random_state=0)

measures = {
    "accuracy": accuracy_score,
    "false positives": false_positive_rate,
    "false negatives": false_negative_rate,
    "selection rate": selection_rate,
}
frames = {
    name: MetricFrame(metrics=measures, y_true=y_test, y_pred=labels, sensitive_features=g_test)
    for name, labels in found.items()
}
for name, frame in frames.items():
    differences = frame.difference()[["false positives", "false negatives"]]
    print(f"{name:12s} accuracy {frame.overall['accuracy']:.3f}, groups differ by", *differences.round(3))
print(frames["softmax"].by_group.round(3).to_string())

# %%
# Positives of group "b" are missed more often because its features say less, and no threshold can make up for
# that: it trades false negatives for false positives, and costs accuracy. The optimizer chooses at random
# between two thresholds, so the same row can get a different answer the next time.

fig, axes = plt.subplots(1, 2, figsize=(8, 4), sharey=True, layout="constrained")
for ax, measure in zip(axes, ["false positives", "false negatives"], strict=True):
    for offset, (label, hatch) in enumerate({"a": "", "b": "//"}.items()):
        rates = [frame.by_group.loc[label, measure] for frame in frames.values()]
        ax.bar(np.arange(len(frames)) + 0.38 * offset, rates, 0.36, label=f"group {label}", hatch=hatch)
    ax.set(title=measure, xticks=np.arange(len(frames)) + 0.19, xticklabels=list(frames))
axes[0].set_ylabel("rate within the group")
axes[1].legend()
