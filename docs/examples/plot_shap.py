"""
Why does the model predict this class for this row?
===================================================

The score of a linear model is a sum, so each feature contributes ``coef * (x - mean)`` to it. If the features
are assumed to be independent, these contributions are exactly the SHAP values, and they cost nothing.
"""

import matplotlib.pyplot as plt
import numpy as np
import shap
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifierCV

data = load_breast_cancer(as_frame=True)
X, y = data.data, data.target_names[data.target]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
clf = SoftmaxClassifierCV(standardize=True).fit(X_train, y_train)
print(f"accuracy {clf.score(X_test, y_test):.3f}; positive scores mean {clf.classes_[1]}")

# %%
# shap accepts the classifier like those of scikit-learn. By default its background is a sample of 100 rows;
# with all rows, the values match the formula.

background = shap.maskers.Independent(X_train, max_samples=len(X_train))
values = shap.LinearExplainer(clf, background)(X_test)
by_hand = clf.coef_[0] * (X_test - X_train.mean())
print(f"largest difference from the formula: {np.abs(values.values - by_hand).max().max():.0e}")
rest = values.base_values + values.values.sum(axis=1) - clf.decision_function(X_test)
print(f"largest difference between their sum and the score: {np.abs(rest).max():.0e}")

# %%
# The plot shows the most uncertain row, in log-odds. If two columns carry nearly the same information, such
# as radius and perimeter, the penalty decides how they share the effect: look at their sum.

row = np.abs(clf.decision_function(X_test)).argmin()
shap.plots.waterfall(values[row], max_display=9, show=False)
plt.gcf().set(size_inches=(8, 5), layout_engine="constrained")
