"""
A miss costs me ten times as much as a false alarm: where do I draw the line?
=============================================================================

scikit-learn's ``TunedThresholdClassifierCV`` works with linclf's classifiers as with its own.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split

from linclf import SoftmaxClassifierCV

X, y = load_breast_cancer(return_X_y=True)
y = 1 - y  # 1 is malignant
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)


def gain(y, found):
    return -(10 * ((y == 1) & (found == 0)).sum() + ((y == 0) & (found == 1)).sum()) / len(y)


clf = SoftmaxClassifierCV(standardize=True).fit(X_train, y_train)
tuned = TunedThresholdClassifierCV(
    SoftmaxClassifierCV(standardize=True), scoring=make_scorer(gain), store_cv_results=True
).fit(X_train, y_train)
print(f"at .5 the cost per test row is {-gain(y_test, clf.predict(X_test)):.3f}")
print(f"at {tuned.best_threshold_:.2f} it is {-gain(y_test, tuned.predict(X_test)):.3f}")

fig, ax = plt.subplots(figsize=(6.5, 4.5))
ax.plot(tuned.cv_results_["thresholds"], -np.array(tuned.cv_results_["scores"]))
ax.axvline(tuned.best_threshold_, color="grey", linestyle=":")
ax.set(xlabel="threshold on the probability of malignant", ylabel="cost per row, by folds", ylim=(0, 1))
