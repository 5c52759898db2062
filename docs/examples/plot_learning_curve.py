"""
Would more rows help?
=====================

A learning curve asks the rows that are there. Where the score of the test rows still rises and that of
the training rows still falls, more rows would help; where both are flat, other features would.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import LearningCurveDisplay

from linclf import SoftmaxClassifierCV

X, y = load_digits(return_X_y=True)
fig, ax = plt.subplots(figsize=(6.5, 4.5))
LearningCurveDisplay.from_estimator(
    SoftmaxClassifierCV(alphas=5),
    X,
    y,
    train_sizes=np.geomspace(0.1, 1, 5),
    shuffle=True,
    random_state=0,
    score_type="both",
    score_name="accuracy",
    ax=ax,
)
ax.set_xscale("log")
