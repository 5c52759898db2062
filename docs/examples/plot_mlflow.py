"""
How do I keep a record of my fits?
==================================

A month later nobody remembers which penalty gave which result. MLflow records the parameters, the metrics of
each epoch and the models, here in an SQLite database and a temporary folder. (MLflow sends usage data to its
developers unless the environment variable ``MLFLOW_DISABLE_TELEMETRY`` is ``true``.)
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

logging.getLogger("mlflow").setLevel(logging.WARNING)  # hide messages about new tables
folder = Path(tempfile.mkdtemp())
mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
mlflow.create_experiment("digits", artifact_location=(folder / "files").as_uri())
mlflow.set_experiment("digits")

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X / 16, y, test_size=0.4, stratify=y, random_state=0)

# %%
# Log one run per penalty. ``history_`` is a dict of lists with one number per epoch. The model is saved as
# arrays and JSON, so loading it runs no code from the file. ``mlflow.sklearn.log_model`` works, too; newer
# versions write the model with skops, and then the classifier must be named in ``skops_trusted_types``.

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
# List the runs, and load the model of the best one.

runs = mlflow.search_runs(order_by=["metrics.validation_loss ASC"])
print(runs[["tags.mlflow.runName", "params.alpha", "metrics.accuracy", "metrics.validation_loss"]].round(4))
file = mlflow.artifacts.download_artifacts(run_id=runs.run_id[0], artifact_path="model.linclf")
print("accuracy of the best model, loaded again:", round(linclf.load(file).score(X_val, y_val), 4))

# %%
# The metrics of each epoch can be read from the database, too.

client = mlflow.MlflowClient()
fig, ax = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
for run in runs.sort_values("params.alpha").itertuples():
    epochs = client.get_metric_history(run.run_id, "validation_loss")
    steps, values = np.array(sorted((each.step, each.value) for each in epochs)).T
    ax.plot(steps, values, label=client.get_run(run.run_id).info.run_name)
ax.set(xlabel="epoch", ylabel="loss on the validation rows", ylim=(0, 1))
ax.legend()
