"""
How strong should the penalty be?
=================================

It matters more than the loss. ``SoftmaxClassifierCV`` goes along a path of penalties, on which each solution
is the start of the next, and keeps scores and coefficients.
"""

from sklearn.datasets import load_breast_cancer

from linclf import SoftmaxClassifierCV
from linclf.display import PathDisplay

table = load_breast_cancer()
clf = SoftmaxClassifierCV(standardize=True, alphas=15, store_coef_path=True).fit(table.data, table.target)
print(f"alpha {clf.alpha_:.2g}, which is C = {1 / (clf.alpha_ * len(table.data)):.2g}")
PathDisplay.from_estimator(clf, feature_names=table.feature_names)
