"""
Does resampling help if a class is rare?
========================================

Over-sampling, under-sampling and SMOTE are common advice. For a linear model with probabilities, they have
nearly the same effect on decisions as ``class_weight="balanced"``, or as a different threshold.
Judge for yourself, by metrics with and without a threshold.
"""

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, balanced_accuracy_score
from sklearn.model_selection import StratifiedShuffleSplit, TunedThresholdClassifierCV

from linclf import SoftmaxClassifier
from linclf.metrics import log_loss

# %%
# Three percent of the rows are positive, and the truth is not linear: each class has several clusters.

X, y = make_classification(
    12_000,
    20,
    n_informative=8,
    n_clusters_per_class=4,
    weights=[0.97],
    flip_y=0.005,
    class_sep=1.5,
    random_state=0,
)
models = {
    "baseline": SoftmaxClassifier(),
    "threshold": TunedThresholdClassifierCV(SoftmaxClassifier(), scoring="balanced_accuracy", cv=3),
    "class_weight": SoftmaxClassifier(class_weight="balanced"),
    "over-sampling": make_pipeline(RandomOverSampler(random_state=0), SoftmaxClassifier()),
    "under-sampling": make_pipeline(RandomUnderSampler(random_state=0), SoftmaxClassifier()),
    "SMOTE": make_pipeline(SMOTE(random_state=0), SoftmaxClassifier()),
}

# %%
# Average precision depends only on the order of the rows, balanced accuracy on the decisions, and the log
# loss on the probabilities. The table shows means over ten splits, with standard deviations.

measures = {
    "average precision": lambda y, p, found: average_precision_score(y, p[:, 1]),
    "balanced accuracy": lambda y, p, found: balanced_accuracy_score(y, found),
    "log loss": lambda y, p, found: log_loss(y, p),
}
scores = {name: [] for name in models}
for train, test in StratifiedShuffleSplit(10, test_size=0.5, random_state=0).split(X, y):
    for name, model in models.items():
        model.fit(X[train], y[train])
        p, found = model.predict_proba(X[test]), model.predict(X[test])
        scores[name].append([measure(y[test], p, found) for measure in measures.values()])
print(f"{'':15s}", *(f"{name:>19s}" for name in measures))
for name, each in scores.items():
    means, deviations = np.mean(each, axis=0), np.std(each, axis=0)
    print(f"{name:15s}", *(f"{m:13.3f} ±{s:.3f}" for m, s in zip(means, deviations, strict=True)))

fig, axes = plt.subplots(1, 3, figsize=(7.5, 3.6), sharey=True, layout="constrained")
for column, (ax, name) in enumerate(zip(axes, measures, strict=True)):
    values = [np.array(each)[:, column] for each in scores.values()]
    means, deviations = np.mean(values, axis=1), np.std(values, axis=1)
    ax.errorbar(means, range(len(values)), xerr=deviations, fmt="o", capsize=3)
    ax.set(xlabel=name, yticks=range(len(models)), yticklabels=list(models))
axes[0].invert_yaxis()

# %%
# The order of the rows hardly changes, and not for the better. A different threshold makes equally good
# decisions and keeps the probabilities, which resampling makes many times too large. So resample only if the
# frequent class has more rows than fit into memory, not to help the rare class.
