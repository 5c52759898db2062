"""Compile ahead of time, by small fits of the combinations of types that most fits have."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from linclf._numba import cache_directory
from linclf._training import coordinates as _coordinates
from linclf.classifiers import LinearClassifier
from linclf.losses import LOSSES
from linclf.losses._names import resolve
from linclf.losses._registry import trait

DTYPES = ("float32", "float64")


def warm_up(losses=None, dtypes=DTYPES):
    """Fill the disk cache; yields a line for each loss and dtype, after its fits.

    Covered are dense and CSR rows (32-bit indices), class labels, solver "sgd" on full and on
    mini-batches, "lbfgs" where the loss is smooth, and validation sets. Soft labels, other
    optimizers, averages and mini-batches large enough for threads compile when they are used.
    """
    losses = list(LOSSES) if losses is None else losses
    for name in losses:
        resolve(name, 3)
    unknown = set(dtypes) - set(DTYPES)
    if unknown:
        raise ValueError(f"dtypes {sorted(unknown)} are unknown; use {' or '.join(DTYPES)}")
    if cache_directory() is None:
        raise ValueError("there is no kernel cache to fill: LINCLF_CACHE=0, or no home directory")
    rng = np.random.default_rng(0)
    y = np.arange(12) % 3
    for name in losses:
        for dtype in dtypes:
            X = rng.normal(size=(12, 4)).astype(dtype)
            _coordinates.moments(X, np.ones(len(X)))
            for data in (X, sparse.csr_array(X)):
                for parameters in _variants(name):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", ConvergenceWarning)
                        LinearClassifier(loss=name, max_iter=1, **parameters).fit(
                            data, y, X_val=data, y_val=y
                        )
            yield f"{name}, {dtype}"


def _variants(name):
    variants = [{}, {"batch_size": 4}]
    if trait(LOSSES[name], "smooth"):
        variants.append({"solver": "lbfgs"})
    return variants
