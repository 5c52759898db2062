"""
My rows are on a cluster: do I get the same model?
==================================================

``linclf.dask`` leaves partitions where they are: a pass is a task for each of them, and a tree of sums. The
model is that of all rows in memory, and the same bit for bit for any number of workers.
"""

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from sklearn.datasets import load_digits

import linclf
import linclf.dask
from linclf.display import CoefficientsDisplay

X, y = load_digits(return_X_y=True)
rows, labels = da.from_array(X, chunks=(300, 64)), da.from_array(y, chunks=300)

# %%
# A cluster in this process stands for one of many machines; ``Client("scheduler:8786")`` is all that changes.

settings = {"alpha": 1e-2, "tol": 1e-10}
models = {}
for n_workers in (1, 3):
    with (
        LocalCluster(n_workers, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        model = linclf.dask.SoftmaxClassifier(**settings, client=client).fit(rows, labels)
        models[n_workers] = model.to_local()
        p = model.predict_proba(rows)  # lazy: a dask array
        right = (model.predict(rows) == labels).mean().compute()  # lazy until then, as dask has it
        print(f"{n_workers} workers, {rows.numblocks[0]} partitions: accuracy {right:.4f}")
print("bit for bit the same:", np.array_equal(models[1].coef_, models[3].coef_))

# %%
# Beside the model of rows in memory. Each says how far from the optimum it can be at most.

alone = linclf.SoftmaxClassifier(**settings, solver="lbfgs").fit(X, y)
for name, model in {"cluster": models[3], "memory": alone}.items():
    print(f"{name}: objective {model.history_['objective'][-1]:.6f}, gap at most {model.optimality_gap_:.0e}")
difference = np.abs(models[3].predict_proba(X) - alone.predict_proba(X)).max()
print(f"largest difference of a probability: {difference:.0e}")

# %%
# ``to_local()`` is an ordinary classifier: it predicts rows in memory, and is saved and drawn like any other.

CoefficientsDisplay.from_estimator(models[3], image_shape=(8, 8))
