"""
When should the classifier say that it does not know?
=====================================================

Let a person decide the most doubtful rows. How much this gains depends on how doubt is measured; the
curve shows the error of the rows that are kept, from the surest row on.
"""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier
from linclf.decisions import RejectClassifier
from linclf.display import RiskCoverageDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
clf = RejectClassifier(SoftmaxClassifier(alpha=1e-3), coverage=0.9).fit(X_train, y_train)
kept = clf.accepts(X_test)
wrong = clf.estimator_.predict(X_test) != y_test

display = RiskCoverageDisplay.from_estimator(clf.estimator_, X_test, y_test)
display.ax_.plot(kept.mean(), wrong[kept].mean(), "o", color="black")

# %%
# The dot is `RejectClassifier`, which was asked to keep nine of ten rows: it took its bound on the largest
# probability from training rows that were held out. Rejected rows get a label of their own.

print(
    f"error of all rows {wrong.mean():.1%}, of the {kept.mean():.1%} that are kept {wrong[kept].mean():.1%}"
)
print("predictions:", clf.predict(X_test)[:20])
