"""
Can I have a short list that holds the right class 95 % of the time?
====================================================================

The classes of the largest probabilities, until they sum to .95, are no such list: the probabilities would
have to be right. Conformal prediction makes one from any scores, with a guarantee for new rows of the same
kind, by counting on rows that the classifier has not seen. MAPIE does it for any classifier of
scikit-learn's API.
"""

import matplotlib.pyplot as plt
import numpy as np
from mapie.classification import SplitConformalClassifier
from mapie.metrics.classification import classification_coverage_score, classification_mean_width_score
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from linclf import SoftmaxClassifier

X, y = load_digits(return_X_y=True)
X = X + np.random.default_rng(0).normal(scale=4, size=X.shape)  # so that there is doubt
levels = np.array([0.8, 0.9, 0.95, 0.98])


def until_sum(p, level):
    """The most probable classes until their probabilities sum to the level."""
    order = np.argsort(-p, axis=1)
    before = np.cumsum(np.take_along_axis(p, order, axis=1), axis=1) - np.take_along_axis(p, order, axis=1)
    found = np.empty(p.shape, bool)
    np.put_along_axis(found, order, before < level, axis=1)
    return found


# %%
# Twenty splits into rows to train, to count and to test, as one split has its luck. "lac" takes all classes
# above one threshold; "aps" sums the probabilities as ``until_sum`` does, but to a level that it has counted.

results = {"until the sum": [], "lac": [], "aps": []}
for seed in range(20):
    X_train, X_rest, y_train, y_rest = train_test_split(X, y, train_size=500, random_state=seed)
    X_count, X_test, y_count, y_test = train_test_split(X_rest, y_rest, train_size=600, random_state=seed)
    clf = SoftmaxClassifier(alpha=1e-3).fit(X_train, y_train)
    p = clf.predict_proba(X_test)
    sets = {"until the sum": np.stack([until_sum(p, level) for level in levels], axis=2)}
    for score in ("lac", "aps"):
        conformal = SplitConformalClassifier(clf, levels, conformity_score=score, random_state=0)
        sets[score] = conformal.conformalize(X_count, y_count).predict_set(X_test)[1]
    for name, found in sets.items():
        coverage = classification_coverage_score(y_test, found)
        results[name].append([coverage, classification_mean_width_score(found)])

means = {name: np.mean(pairs, axis=0) for name, pairs in results.items()}
for name, (coverage, size) in means.items():
    print(f"{name:14s} asked for 95 %, held {coverage[2]:.1%}, with {size[2]:.2f} classes on average")

# %%
# The threshold of "lac" is one line of NumPy, if no more is needed.

n = len(y_count)
threshold = np.sort(clf.predict_proba(X_count)[np.arange(n), y_count])[int((n + 1) * 0.05) - 1]
print("the same lists by hand:", np.array_equal(p >= threshold, sets["lac"][:, :, 2]))

fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 4), layout="constrained")
for marker, (name, (coverage, size)) in zip("osD", means.items(), strict=True):
    left.plot(levels, coverage, marker=marker, label=name)
    right.plot(coverage, size, marker=marker, label=name)
left.plot(levels, levels, ":", color="grey", label="as asked for")
left.set(xlabel="coverage asked for", ylabel="share of lists that hold the class")
right.set(xlabel="share of lists that hold the class", ylabel="mean number of classes")
left.legend()

# %%
# To the right the three curves are nearly one: the lists are as short as each other where they hold the class
# as often. What counting adds is to know how often that is, whatever the probabilities are worth.
