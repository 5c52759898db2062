"""
A class turns up that my stream has never seen: must I start again?
===================================================================

No: with ``on_new_class="add"``, ``partial_fit`` makes a new label a class and goes on. Here the ten digits
arrive one after the other, and the classifier is compared with one that was told all ten at the start.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits

from linclf import SoftmaxClassifier, SVMClassifier

X, y = load_digits(return_X_y=True)
X_test, y_test = X[1200:], y[1200:]
X, y = X[:1200], y[:1200]

# %%
# A stream begins with three digits, and with every sixth part another one arrives. A part has 50 rows of the
# digits that have arrived so far. After each part, the accuracy of each digit is measured on test rows.

PARTS, SEEDS = 6, 20


def stream(seed):
    rng = np.random.default_rng(seed)
    digits = rng.permutation(10)
    for part in range(8 * PARTS):
        arrived = digits[: 3 + part // PARTS]
        rows = rng.choice(np.flatnonzero(np.isin(y, arrived)), 50, replace=False)
        yield X[rows], y[rows], arrived


def recalls(model, seed, **first):
    """The accuracy of each digit in the order of arrival, (n_parts, 10), and of all that have arrived."""
    order, each, together = np.random.default_rng(seed).permutation(10), [], []
    for X_part, y_part, arrived in stream(seed):
        model.partial_fit(X_part, y_part, **({} if each else first))
        right = model.predict(X_test) == y_test
        each.append([right[y_test == digit].mean() for digit in order])
        together.append(right[np.isin(y_test, arrived)].mean())
    return each, together


def print_row(name, each):
    """Means over arrivals: the digits before one just before and after it arrives, and the new one."""
    old, new = {}, {}
    for n in range(3, 10):
        at = (n - 2) * PARTS  # the first part with digit number n
        for after in (0, 1, 5):
            old.setdefault(after, []).append(each[:, at - 1 + after, :n].mean())
        for after in (1, 2, 5):
            new.setdefault(after, []).append(each[:, at - 1 + after, n].mean())
    means = [f"{np.mean(values):.3f}" for values in (*old.values(), *new.values())]
    print(f"{name:29}", *means)


print("accuracy of                   the digits before  the new digit")
print("parts after it has arrived    0     1     5      1     2     5")
curves = {}
for cls in (SoftmaxClassifier, SVMClassifier):
    for name, model, first in (
        ("added", cls(on_new_class="add", random_state=0), {}),
        ("told all", cls(random_state=0), {"classes": np.arange(10)}),
    ):
        runs = [recalls(clone(model), seed, **first) for seed in range(SEEDS)]
        print_row(f"{cls.__name__.removesuffix('Classifier')}, {name}", np.array([each for each, _ in runs]))
        curves[cls.__name__, name] = np.mean([together for _, together in runs], axis=0)

# %%
# The new class learns sooner if it is added when it arrives: a class that was told, but has no rows yet, is
# pushed away from every row until then.

fig, ax = plt.subplots(figsize=(6.5, 4.5))
for (cls, name), accuracy in curves.items():
    if cls == "SoftmaxClassifier":
        ax.plot(np.arange(1, len(accuracy) + 1), accuracy, label=name)
for part in range(PARTS, 8 * PARTS, PARTS):
    ax.axvline(part + 1, color="0.85", zorder=0)
ax.set(xlabel="part (a digit arrives at each line)", ylabel="test accuracy, digits that have arrived")
ax.legend()
