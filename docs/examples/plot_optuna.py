"""
How do I stop a hopeless trial before its fit ends?
===================================================

A search over losses, penalties and step sizes spends most of its time on settings that lag behind from the
first epochs. Optuna stops such trials if each epoch reports its score. The callbacks of scikit-learn 1.9,
which all classifiers of linclf accept, can report it.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import optuna
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from linclf import EpochCallback, LinearClassifier, SoftmaxClassifierCV

X, y = make_classification(
    8_000, 60, n_informative=12, n_classes=5, class_sep=1.5, flip_y=0.05, random_state=0
)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=0)
LOSSES = ["softmax", "sparsemax", "weston-watkins", "one-vs-rest"]
optuna.logging.set_verbosity(optuna.logging.WARNING)

# %%
# The callback reports the validation accuracy after each epoch. An exception ends the fit and leaves the
# classifier as it was before.


def objective(trial):
    def report(epoch, clf):
        trial.report(clf.score(X_val, y_val), epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    clf = LinearClassifier(
        loss=trial.suggest_categorical("loss", LOSSES),
        alpha=trial.suggest_float("alpha", 1e-6, 10, log=True),
        solver="sgd",
        learning_rate=trial.suggest_float("learning_rate", 1e-4, 1, log=True),
        max_iter=30,
        tol=None,
        random_state=0,
    )
    return clf.set_callbacks(EpochCallback(report)).fit(X_train, y_train).score(X_val, y_val)


# %%
# Run the same forty settings twice: first to the end, then with a pruner that stops a trial if its best epoch
# so far is worse than the median of the earlier trials. Each loss is fitted once beforehand, so that
# compiling is not timed.

for loss in LOSSES:
    objective(optuna.trial.FixedTrial({"loss": loss, "alpha": 1e-3, "learning_rate": 0.1}))
studies = {}
for name, pruner in {
    "no pruning": optuna.pruners.NopPruner(),
    "pruned": optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2),
}.items():
    studies[name] = study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0), pruner=pruner
    )
    start = time.perf_counter()
    study.optimize(objective, n_trials=40)
    seconds = time.perf_counter() - start
    epochs = sum(len(trial.intermediate_values) for trial in study.trials)
    ended = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
    print(f"{name:15s} best {study.best_value:.4f}, {ended} of 40 pruned, {epochs} epochs, {seconds:.1f} s")
print("best setting:", study.best_params)

# %%
# Check first whether you need a search at all. An exact fit has no step size, and along a path of penalties
# each fit starts from the previous solution. A search with pruning is for everything else: several losses,
# stochastic steps on many rows, early stopping.

start = time.perf_counter()
path = SoftmaxClassifierCV().fit(X_train, y_train)
print(f"SoftmaxClassifierCV: {path.score(X_val, y_val):.4f} in {time.perf_counter() - start:.1f} s")

# %%
# The plot shows where the pruner stopped the trials.

fig, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
for trial in study.trials:
    steps, values = np.array(sorted(trial.intermediate_values.items())).T
    pruned = trial.state == optuna.trial.TrialState.PRUNED
    ax.plot(steps, values, color="0.6" if pruned else "tab:blue", alpha=0.8, lw=1 if pruned else 1.8)
    if pruned:
        ax.plot(steps[-1], values[-1], "x", color="tab:red", ms=6)
ax.plot([], [], "x", color="tab:red", label="stopped by the pruner")
ax.plot([], [], color="tab:blue", label="run to the end")
ax.set(xlabel="epoch", ylabel="accuracy on the validation rows")
ax.legend()
