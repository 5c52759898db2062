"""Compile ahead of time, with small fits for the most common data types and settings."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from linclf._numba import cache_directory
from linclf._training.coordinates import moments
from linclf.classifiers import LinearClassifier
from linclf.losses import LOSSES
from linclf.losses._names import loss_for
from linclf.losses._registry import trait

DTYPES = ("float32", "float64")


def warm_up(losses: Sequence[str] | None = None, dtypes: Sequence[str] = DTYPES) -> Iterator[str]:
    """Fill the disk cache; yields a line for each loss and dtype, after its fits.

    This compiles for dense and CSR features (32-bit indices), class labels, solver "sgd" on full and
    mini-batches, "lbfgs" if the loss is smooth, and validation sets. Soft labels, other optimizers,
    averaging and mini-batches large enough for threads compile when they are first used.
    """
    losses = list(LOSSES) if losses is None else losses
    for name in losses:
        loss_for(name, 3)
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
            moments(X, np.ones(len(X)))
            for data in (X, sparse.csr_array(X)):
                for settings in _settings(name):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", ConvergenceWarning)
                        LinearClassifier(**settings).fit(data, y, X_val=data, y_val=y)
            yield f"{name}, {dtype}"


def _settings(loss: str) -> list[dict[str, Any]]:
    """Parameters of fits that compile different code."""
    variants: list[dict[str, Any]] = [{}, {"batch_size": 4}]
    if trait(LOSSES[loss], "smooth"):
        variants.append({"solver": "lbfgs"})
    return [{"loss": loss, "max_iter": 1, **variant} for variant in variants]
