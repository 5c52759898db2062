"""
Which n_jobs should I set for a grid search?
============================================

Both the search and the classifier have ``n_jobs``. Give the cores to the search: its fits are independent,
while a single fit can use several threads only if a pass over the rows is long. Leave the classifier at
``n_jobs=None``: it then uses all cores if it runs alone, and its share of them in a joblib worker.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV

from linclf import LinearClassifier, SoftmaxClassifierCV

X, y = make_classification(
    20_000, 50, n_informative=20, n_classes=5, class_sep=1.5, flip_y=0.1, random_state=0
)
grid = {"loss": ["softmax", "sparsemax", "squared-weston-watkins"], "alpha": np.geomspace(1e-4, 1, 4)}


def fit_a_few_rows():
    for loss in grid["loss"]:
        LinearClassifier(loss=loss).fit(X[:500], y[:500])


# %%
# The workers of joblib's default backend, loky, are processes. They start once, import the package and load
# its machine code from the cache. A short search does not make up for that time, but the next one reuses
# them.

fit_a_few_rows()  # fills the cache
start = time.perf_counter()
Parallel(n_jobs=2)(delayed(fit_a_few_rows)() for _ in range(2))
print(f"two workers were ready after {time.perf_counter() - start:.1f} s")

# %%
# Time the same 36 fits and the refit, with two cores for neither, for each fit, for the search, and for both.

seconds, best = {}, set()
for search_jobs, fit_jobs in [(1, 1), (1, 2), (2, None), (2, 2)]:
    search = GridSearchCV(LinearClassifier(n_jobs=fit_jobs), grid, cv=3, n_jobs=search_jobs)
    start = time.perf_counter()
    search.fit(X, y)
    name = f"search {search_jobs}, fit {fit_jobs}"
    seconds[name] = time.perf_counter() - start
    best.add((str(search.best_params_), search.best_score_))
    print(f"{name:18s} {seconds[name]:.1f} s")
print("all results are the same:", len(best) == 1)
print(f"{search.best_score_:.4f} with {search.best_params_}")

# %%
# If you search over the penalty only, a path of penalties in one process is faster than any of these.

start = time.perf_counter()
path = SoftmaxClassifierCV(alphas=grid["alpha"], cv=3, scoring="accuracy").fit(X, y)
name = "SoftmaxClassifierCV"
seconds[name] = time.perf_counter() - start
print(f"{name}: {seconds[name]:.1f} s, alpha {path.alpha_:.2g}")

fig, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
ax.barh(list(seconds), list(seconds.values()), color=["tab:blue"] * 4 + ["tab:orange"])
ax.set(xlabel="seconds (36 fits and the refit; last bar: 12, softmax only)")
ax.invert_yaxis()
