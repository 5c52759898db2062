"""
How do I get a short list that contains the right class 95 % of the time?
=========================================================================

Listing the most probable classes until their probabilities sum to 0.95 works only if the probabilities are
right. :class:`~linclf.conformal.ConformalClassifier` makes such lists from any probabilities. It calibrates
them on rows that the classifier has not seen, and guarantees their coverage for new rows of the same kind.
:doc:`/prediction-sets` says which of its methods to take.
"""

import matplotlib.pyplot as plt
import numpy as np
from mapie.classification import SplitConformalClassifier
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier
from linclf.conformal import ConformalClassifier
from linclf.display import SetSizeDisplay
from linclf.metrics import mean_set_size, set_coverage

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
# A single split depends on luck, so average over twenty splits into rows for training and calibration, and
# test rows. The coverage is chosen when predicting; nothing is fitted again. "lac" lists all classes above
# one threshold; "aps" sums the probabilities like ``until_sum``, but up to a calibrated level.

results = {"uncalibrated": [], "lac": [], "aps": []}
for seed in range(20):
    X_fit, X_test, y_fit, y_test = train_test_split(X, y, train_size=1100, random_state=seed)
    for score in ("lac", "aps"):
        clf = SoftmaxClassifier(alpha=1e-3)
        conformal = ConformalClassifier(
            clf, conformity_score=score, calibration_size=0.5, random_state=seed
        ).fit(X_fit, y_fit)
        sets = [conformal.predict_set(X_test, level) for level in levels]
        results[score].append([[set_coverage(y_test, one), mean_set_size(one)] for one in sets])
    sets = [until_sum(conformal.predict_proba(X_test), level) for level in levels]
    results["uncalibrated"].append([[set_coverage(y_test, one), mean_set_size(one)] for one in sets])

means = {name: np.mean(pairs, axis=0).T for name, pairs in results.items()}
for name, (coverage, size) in means.items():
    print(f"{name:14s} target 95 %, coverage {coverage[2]:.1%}, {size[2]:.2f} classes on average")

# %%
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
#
# The guarantee is for all rows together. The bars are the shares of the rows by the size of their set, and
# the points their coverage, with intervals of 95 %. Here no size that many rows have is far from what was
# asked for.

fig, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharey=True)
for ax, score in zip(axes, ("lac", "aps"), strict=True):
    conformal = ConformalClassifier(clf, conformity_score=score, calibration_size=0.5, random_state=0)
    conformal.fit(X_fit, y_fit)
    print(SetSizeDisplay.from_estimator(conformal, X_test, y_test, coverage=0.95, name=score, ax=ax))

# %%
# "lac" is one line of NumPy, and MAPIE gives the same lists. It has more methods (for regression and for
# several labels, too), but an array of all rows, all classes and all levels, where ``predict_set`` gives a
# sparse one.

X_cal, X_new, y_cal, _ = train_test_split(X_test, y_test, train_size=400, random_state=0)
fitted = conformal.estimator_
ours = ConformalClassifier(FrozenEstimator(fitted)).fit(X_cal, y_cal).predict_set(X_new, 0.95)

own = fitted.predict_proba(X_cal)[np.arange(400), np.searchsorted(fitted.classes_, y_cal)]
by_hand = fitted.predict_proba(X_new) >= np.sort(own)[int((400 + 1) * 0.05) - 1]
mapie = SplitConformalClassifier(fitted, 0.95, conformity_score="lac", prefit=True)
theirs = mapie.conformalize(X_cal, y_cal).predict_set(X_new)[1][:, :, 0]
for name, sets in {"by hand": by_hand, "MAPIE": theirs}.items():
    print(f"{name}: {(ours != sparse.csr_array(sets)).nnz} of {sets.size} memberships differ")
