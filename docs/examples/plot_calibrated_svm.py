"""
How do I get probabilities from an SVM?
=======================================

A hinge gives scores, not probabilities. A calibrator learns probabilities from rows that the SVM has not
seen. ``calibration="platt"`` with ``early_stopping=True`` holds out a tenth of the rows for that.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier, SVMClassifier
from linclf.display import ReliabilityDisplay
from linclf.metrics import expected_calibration_error, log_loss

# %%
# Two overlapping classes, the first of which is more frequent.

rng = np.random.default_rng(0)
X = rng.normal(size=(20_000, 10))
f = X @ rng.normal(size=10) - 1.5
y = (rng.random(len(f)) < 1 / (1 + np.exp(-f))).astype(int)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)

# %%
# How good are the probabilities? They are compared with those of a softmax, which is the true model here, and
# with a sigmoid of the bare scores, a common makeshift.

svm = SVMClassifier(early_stopping=True, calibration="platt", random_state=0).fit(X_train, y_train)
softmax = SoftmaxClassifier().fit(X_train, y_train)
bare = 1 / (1 + np.exp(-SVMClassifier().fit(X_train, y_train).decision_function(X_test)))

fig, axes = plt.subplots(1, 3, figsize=(12, 4.8), sharey=True, layout="constrained")
for ax, (name, p) in zip(
    axes,
    {
        "sigmoid of the scores": np.column_stack([1 - bare, bare]),
        'calibration="platt"': svm.predict_proba(X_test),
        "softmax": softmax.predict_proba(X_test),
    }.items(),
    strict=True,
):
    ReliabilityDisplay.from_predictions(y_test, p, ax=ax, name=name)
    ece = expected_calibration_error(y_test, p)
    print(f"{name}: log loss {log_loss(y_test, p):.3f}, ECE {ece:.1%}")
