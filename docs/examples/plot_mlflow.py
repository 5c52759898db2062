"""
How do I keep a record of my fits?
==================================

A month later nobody knows which penalty gave which number. MLflow writes parameters, numbers of each epoch
and models into a database, here a file of SQLite in a temporary folder. (MLflow sends notes of its use home
unless the environment has ``MLFLOW_DISABLE_TELEMETRY=true``.)
"""

import logging
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import mlflow
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import linclf

logging.getLogger("mlflow").setLevel(logging.WARNING)  # nothing of the tables that it makes
folder = Path(tempfile.mkdtemp())
mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
mlflow.create_experiment("digits", artifact_location=(folder / "files").as_uri())
mlflow.set_experiment("digits")

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X / 16, y, test_size=0.4, stratify=y, random_state=0)

# %%
# One run a penalty. ``history_`` is a dict of lists, one number an epoch. The model is kept as a file of
# arrays and JSON, which can be read without running anything that is in it. ``mlflow.sklearn.log_model``
# works, too; if it writes by skops, as newer versions do, name the classifier in ``skops_trusted_types``.

for alpha in [1e-4, 1e-3, 1e-2]:
    clf = linclf.SoftmaxClassifier(alpha=alpha, solver="adam", max_iter=40, random_state=0)
    with mlflow.start_run(run_name=f"alpha={alpha:g}"):
        clf.fit(X_train, y_train, X_val=X_val, y_val=y_val)
        mlflow.log_params(clf.get_params())
        for epoch in range(clf.n_iter_):
            mlflow.log_metrics({name: values[epoch] for name, values in clf.history_.items()}, step=epoch)
        mlflow.log_metric("accuracy", clf.score(X_val, y_val))
        linclf.save(clf, folder / "model.linclf")
        mlflow.log_artifact(folder / "model.linclf")

# %%
# What is in the database, and the model of the best run.

runs = mlflow.search_runs(order_by=["metrics.validation_loss ASC"])
print(runs[["tags.mlflow.runName", "params.alpha", "metrics.accuracy", "metrics.validation_loss"]].round(4))
file = mlflow.artifacts.download_artifacts(run_id=runs.run_id[0], artifact_path="model.linclf")
print("accuracy of the best one, read again:", round(linclf.load(file).score(X_val, y_val), 4))

# %%
# The epochs come from the database, too.

client = mlflow.MlflowClient()
fig, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
for run in runs.sort_values("params.alpha").itertuples():
    epochs = client.get_metric_history(run.run_id, "validation_loss")
    steps, values = np.array(sorted((each.step, each.value) for each in epochs)).T
    ax.plot(steps, values, label=client.get_run(run.run_id).info.run_name)
ax.set(xlabel="epoch", ylabel="loss of the validation rows", ylim=(0, 1))
ax.legend()
