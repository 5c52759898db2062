"""
When should the classifier say that it does not know?
=====================================================

Let a person decide the most doubtful rows. How much this gains depends on how doubt is measured; the
curve shows the error of the rows that are kept, from the surest row on.
"""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier
from linclf.display import RiskCoverageDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
clf = SoftmaxClassifier(alpha=1e-3).fit(X_train, y_train)

RiskCoverageDisplay.from_estimator(clf, X_test, y_test)

# %%
# In numbers: the error of all rows, and without the most doubtful tenth.

p = clf.predict_proba(X_test)
wrong = clf.predict(X_test) != y_test
sure = p.max(axis=1) >= sorted(p.max(axis=1))[len(p) // 10]
print(f"error of all rows {wrong.mean():.1%}, of the surest nine tenths {wrong[sure].mean():.1%}")
