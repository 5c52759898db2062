"""
My rows are on a cluster: do I get the same model?
==================================================

``linclf.dask`` leaves partitions where they are: each pass over the rows runs one task per partition and adds
up the results in a tree. The model is that of a fit in memory, and is the same bit for bit for any number of
workers.
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
# Here a cluster in this process stands in for many machines. For a real one, only the client changes:
# ``Client("scheduler:8786")``.

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
        right = (model.predict(rows) == labels).mean().compute()  # lazy until compute()
        print(f"{n_workers} workers, {rows.numblocks[0]} partitions: accuracy {right:.4f}")
print("the same bit for bit:", np.array_equal(models[1].coef_, models[3].coef_))

# %%
# Compare it with a model fitted in memory. Each reports a bound on its distance from the optimum.

alone = linclf.SoftmaxClassifier(**settings, solver="lbfgs").fit(X, y)
for name, model in {"cluster": models[3], "memory": alone}.items():
    print(f"{name}: objective {model.history_['objective'][-1]:.6f}, gap at most {model.optimality_gap_:.0e}")
difference = np.abs(models[3].predict_proba(X) - alone.predict_proba(X)).max()
print(f"largest difference between probabilities: {difference:.0e}")

# %%
# ``to_local()`` returns an ordinary classifier: it predicts rows in memory and can be saved and plotted.

CoefficientsDisplay.from_estimator(models[3], image_shape=(8, 8))
