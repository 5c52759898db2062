"""The classifiers of linclf on a Dask cluster: rows stay with the workers, and only sums travel.

Each class has the parameters of its namesake in `linclf`, and one more, `client`.

>>> import dask.array as da
>>> from distributed import Client
>>> from sklearn.datasets import load_iris
>>> from linclf import dask as on_cluster
>>> X, y = (da.from_array(part, chunks=50) for part in load_iris(return_X_y=True))
>>> with Client(n_workers=1, processes=False, dashboard_address=None):
...     clf = on_cluster.SoftmaxClassifier().fit(X, y)
...     clf.predict(X)[48:52].compute()
array([0, 0, 1, 1])
"""

from linclf import classifiers
from linclf.dask._estimators import distributed

EntmaxClassifier = distributed(classifiers.EntmaxClassifier)
FocalClassifier = distributed(classifiers.FocalClassifier)
LinearClassifier = distributed(classifiers.LinearClassifier)
MarginSoftmaxClassifier = distributed(classifiers.MarginSoftmaxClassifier)
SVMClassifier = distributed(classifiers.SVMClassifier)
SoftmaxClassifier = distributed(classifiers.SoftmaxClassifier)
SparsemaxClassifier = distributed(classifiers.SparsemaxClassifier)

__all__ = [
    "EntmaxClassifier",
    "FocalClassifier",
    "LinearClassifier",
    "MarginSoftmaxClassifier",
    "SVMClassifier",
    "SoftmaxClassifier",
    "SparsemaxClassifier",
]
