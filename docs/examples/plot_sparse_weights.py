"""
Which features are enough?
==========================

With ``penalty="l1"`` weights are exactly 0 until the penalty is weak enough for them. Of 30 measurements of
cells, a few are enough to tell benign from malignant.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer

from linclf import SoftmaxClassifierCV
from linclf.display import PathDisplay

table = load_breast_cancer()
clf = SoftmaxClassifierCV(penalty="l1", standardize=True, alphas=20, rule="1se", store_coef_path=True)
clf.fit(table.data, table.target)
used = table.feature_names[clf.coef_.any(axis=0)]
print(f"{len(used)} of {len(table.feature_names)} features:", ", ".join(used))

# %%
# The rule "1se" takes the strongest penalty whose score is within a standard error of the best. Farther to
# the left there are fewer features. The weights are per standard deviation, so that they can be compared.

PathDisplay.from_estimator(clf, feature_names=table.feature_names, feature_scale=table.data.std(axis=0))

# %%
# How many features each penalty leaves:

for alpha, W in list(zip(clf.alphas_, clf.coef_path_, strict=True))[::3]:
    print(f"alpha {alpha:.4f}: {np.count_nonzero(W.any(axis=0))} features")
