"""
What has the classifier learned of pictures?
============================================

Coefficients of pixels can be shown as images. Blue counts for the digit, red against it.
"""

from sklearn.datasets import load_digits

from linclf import SoftmaxClassifier
from linclf.display import CoefficientsDisplay

X, y = load_digits(return_X_y=True)
clf = SoftmaxClassifier(alpha=1e-2).fit(X, y)
CoefficientsDisplay.from_estimator(clf, image_shape=(8, 8))

# %%
# A smaller penalty fits the training rows better, but its images are noise: border pixels, which
# are hardly ever inked, get large weights.

CoefficientsDisplay.from_estimator(SoftmaxClassifier(alpha=1e-6).fit(X, y), image_shape=(8, 8))
