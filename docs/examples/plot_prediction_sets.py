"""
How do I get a short list that contains the right class 95 % of the time?
=========================================================================

Listing the most probable classes until their probabilities sum to 0.95 works only if the probabilities are
right. Conformal prediction makes such lists from any scores. It calibrates them on rows that the classifier
has not seen, and guarantees their coverage for new rows of the same kind. MAPIE does this for any classifier
with scikit-learn's API.
"""

import matplotlib.pyplot as plt
import numpy as np
from mapie.classification import SplitConformalClassifier
from mapie.metrics.classification import classification_coverage_score, classification_mean_width_score
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier

X, y = load_digits(return_X_y=True)
X = X + np.random.default_rng(0).normal(scale=4, size=X.shape)  # noise, so that some rows are ambiguous
levels = np.array([0.8, 0.9, 0.95, 0.98])


def until_sum(p, level):
    """Select the most probable classes until their probabilities sum to the level."""
    order = np.argsort(-p, axis=1)
    before = np.cumsum(np.take_along_axis(p, order, axis=1), axis=1) - np.take_along_axis(p, order, axis=1)
    found = np.empty(p.shape, bool)
    np.put_along_axis(found, order, before < level, axis=1)
    return found


# %%
# A single split depends on luck, so average over twenty splits into training, calibration and test rows.
# "lac" lists all classes above one threshold; "aps" sums the probabilities like ``until_sum``, but up to a
# calibrated level.

results = {"uncalibrated": [], "lac": [], "aps": []}
for seed in range(20):
    X_train, X_rest, y_train, y_rest = train_test_split(X, y, train_size=500, random_state=seed)
    X_cal, X_test, y_cal, y_test = train_test_split(X_rest, y_rest, train_size=600, random_state=seed)
    clf = SoftmaxClassifier(alpha=1e-3).fit(X_train, y_train)
    p = clf.predict_proba(X_test)
    sets = {"uncalibrated": np.stack([until_sum(p, level) for level in levels], axis=2)}
    for score in ("lac", "aps"):
        conformal = SplitConformalClassifier(clf, levels, conformity_score=score, random_state=0)
        sets[score] = conformal.conformalize(X_cal, y_cal).predict_set(X_test)[1]
    for name, found in sets.items():
        coverage = classification_coverage_score(y_test, found)
        results[name].append([coverage, classification_mean_width_score(found)])

means = {name: np.mean(pairs, axis=0) for name, pairs in results.items()}
for name, (coverage, size) in means.items():
    print(f"{name:14s} target 95 %, coverage {coverage[2]:.1%}, {size[2]:.2f} classes on average")

# %%
# If "lac" is all you need, its threshold is one line of NumPy.

n = len(y_cal)
threshold = np.sort(clf.predict_proba(X_cal)[np.arange(n), y_cal])[int((n + 1) * 0.05) - 1]
print("the same lists by hand:", np.array_equal(p >= threshold, sets["lac"][:, :, 2]))

fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 4), layout="constrained")
for marker, (name, (coverage, size)) in zip("osD", means.items(), strict=True):
    left.plot(levels, coverage, marker=marker, label=name)
    right.plot(coverage, size, marker=marker, label=name)
left.plot(levels, levels, ":", color="grey", label="as requested")
left.set(xlabel="requested coverage", ylabel="actual coverage")
right.set(xlabel="actual coverage", ylabel="mean number of classes")
left.legend()

# %%
# In the right panel, the three curves nearly coincide: at the same actual coverage, the lists are equally
# short. The benefit of calibration is that the coverage is known, however good the probabilities are.
