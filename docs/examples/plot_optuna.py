"""
How do I drop a hopeless setting before its fit has ended?
==========================================================

A search over losses, penalties and step sizes spends most of its time on settings that are behind from the
first epochs on. Optuna stops such trials if it is told how each epoch went, and the callbacks of
scikit-learn 1.9, which all classifiers of linclf take, tell it.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import optuna
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from linclf import LinearClassifier, SoftmaxClassifierCV

X, y = make_classification(
    8_000, 60, n_informative=12, n_classes=5, class_sep=1.5, flip_y=0.05, random_state=0
)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=0)
LOSSES = ["softmax", "sparsemax", "weston-watkins", "one-vs-rest"]
optuna.logging.set_verbosity(optuna.logging.WARNING)

# %%
# The callback reports the accuracy of the model that an epoch has reached. An exception ends the fit; the
# classifier is left as it was before.


class Report:
    def __init__(self, trial):
        self.trial = trial

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.trial.report(fitted_estimator.score(X_val, y_val), context.task_id)
            if self.trial.should_prune():
                raise optuna.TrialPruned


def objective(trial):
    clf = LinearClassifier(
        loss=trial.suggest_categorical("loss", LOSSES),
        alpha=trial.suggest_float("alpha", 1e-6, 10, log=True),
        solver="sgd",
        learning_rate=trial.suggest_float("learning_rate", 1e-4, 1, log=True),
        max_iter=30,
        tol=None,
        random_state=0,
    )
    return clf.set_callbacks(Report(trial)).fit(X_train, y_train).score(X_val, y_val)


# %%
# The same forty settings twice: each to its end, and with a pruner that ends a trial if its best epoch is
# behind the median of the trials before it. Each loss is fitted once before, so that compiling is not timed.

for loss in LOSSES:
    objective(optuna.trial.FixedTrial({"loss": loss, "alpha": 1e-3, "learning_rate": 0.1}))
studies = {}
for name, pruner in {
    "all to the end": optuna.pruners.NopPruner(),
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
print("the best setting:", study.best_params)

# %%
# Look whether you need a search at all. An exact fit has no step size, and along a path of penalties each fit
# starts where the last one ended. So a search with pruning is for what has no such path: several losses,
# stochastic steps on many rows, early stopping.

start = time.perf_counter()
path = SoftmaxClassifierCV().fit(X_train, y_train)
print(f"SoftmaxClassifierCV: {path.score(X_val, y_val):.4f} in {time.perf_counter() - start:.1f} s")

# %%
# Where the trials were ended.

fig, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
for trial in study.trials:
    steps, values = np.array(sorted(trial.intermediate_values.items())).T
    pruned = trial.state == optuna.trial.TrialState.PRUNED
    ax.plot(steps, values, color="0.6" if pruned else "tab:blue", alpha=0.8, lw=1 if pruned else 1.8)
    if pruned:
        ax.plot(steps[-1], values[-1], "x", color="tab:red", ms=6)
ax.plot([], [], "x", color="tab:red", label="ended by the pruner")
ax.plot([], [], color="tab:blue", label="to the end")
ax.set(xlabel="epoch", ylabel="accuracy of the validation rows")
ax.legend()
