"""
When should training stop?
==========================

After many stochastic steps the model overfits the training rows. With validation rows the
classifier keeps the weights of the epoch with the lowest validation loss.
"""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier
from linclf.display import HistoryDisplay

X, y = make_classification(2_000, 100, n_informative=10, flip_y=0.1, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.4, random_state=0)
clf = SoftmaxClassifier(
    alpha=1e-6, solver="adam", learning_rate=1e-3, max_iter=100, n_iter_no_change=50, random_state=0
)
clf.fit(X_train, y_train, X_val=X_val, y_val=y_val)
best = int(np.argmin(clf.history_["validation_loss"])) + 1
print(f"{clf.n_iter_} epochs; the weights of epoch {best} are kept")
HistoryDisplay.from_estimator(clf)
