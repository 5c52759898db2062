"""A pass over rows on the workers of a local Dask cluster."""

import warnings

import numpy as np

from benchmarks.question import Row
from benchmarks.questions.beyond_memory.generated import rows
from benchmarks.questions.beyond_memory.in_linclf import PASSES

N_PARTS = 8


def fit_on_workers(n_workers: int, n: int, n_features: int) -> Row:
    import dask
    from distributed import Client, LocalCluster

    import linclf.dask

    warnings.simplefilter("ignore")
    with (
        LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        both = [dask.delayed(rows)(n // N_PARTS, n_features, number) for number in range(N_PARTS)]
        Xs, ys = dask.persist([one[0] for one in both], [one[1] for one in both])
        model = linclf.dask.SoftmaxClassifier(solver="lbfgs", max_iter=PASSES, tol=0).fit(Xs, ys)
        return {"seconds": float(np.median(np.diff(model.history_["seconds"])))}
