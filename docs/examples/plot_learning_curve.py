"""
Would more rows help?
=====================

A learning curve answers this from the rows at hand. If the score on test rows is still rising and the score
on training rows is still falling, more rows would help; if both are flat, only other features would.
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
